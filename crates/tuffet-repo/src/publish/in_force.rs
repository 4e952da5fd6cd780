//! Publishing again what is in force, while a change waits for its signatures: else a change that waits for longer than a timestamp is
//! good would keep every client from everything.

use tuffet_core::metadata::RoleName;

use crate::Error;
use crate::graph::Graph;
use crate::policy::Policy;
use crate::session::Session;
use crate::store::Store;

use super::reached;

/// Goes on as if nothing were open. Returns the policy without what the open change adds to it, which would be asked of versions that it
/// is not about; `None` where nothing is left out: nothing is open, or a publication of it has broken off. The versions of that one are
/// used up, and half of it was never meant to be seen, so it is published to its end.
pub(super) fn leave_change(session: &mut Session<'_>) -> Result<Option<Policy>, Error> {
    let broken_off =
        session.store.is_half_sealed() && reached::unpublished(&session.store)?.is_some();
    let open = session.store.has_open() && !broken_off;
    if open {
        let given_up = session.store.given_up().clone();
        session.store = Store::load_in_force(session.repository.layout(), given_up)?;
        session.graph = Graph::load(&session.store)?;
    }
    if session.store.head(&RoleName::Root).is_none() {
        return Err(Error::RoleUnsuited {
            role: RoleName::Timestamp,
            why: "was never published, so there is nothing to renew",
        });
    }
    open.then(|| session.repository.written_policy())
        .transpose()
}
