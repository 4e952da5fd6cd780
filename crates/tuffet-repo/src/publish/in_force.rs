//! Publishing again what is in force, while a change waits for its signatures: else a change that waits for longer than a timestamp is
//! good would keep every client from everything.

use tuffet_core::metadata::RoleName;

use crate::Error;
use crate::graph::Graph;
use crate::plan::Action;
use crate::policy::Policy;
use crate::session::Session;
use crate::store::Store;

use super::reached;
use super::release::Place;

/// Goes on as if nothing were open. Returns the policy without what the open change adds to it, which would be asked of versions that it
/// is not about; `None` where nothing is left out: nothing is open, or a publication of it has broken off. The versions of that one are
/// used up, and half of it was never meant to be seen, so it is published to its end.
pub(super) fn leave_change(session: &mut Session<'_>) -> Result<Option<Policy>, Error> {
    let written = || session.repository.written_policy();
    if session.unread.is_some() {
        return written().map(Some);
    }
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

/// What is said of the open change that is left as it is.
///
/// Nobody knows of one that cannot be read whether a publication of it has broken off, or which versions it gives up. So all that is sealed
/// has to be what clients see already, or `unread` says what has to be looked at first. `late` is what they do not.
pub(super) fn left_alone(
    place: &Place<'_>,
    late: &[Action],
    unread: Option<Error>,
) -> Result<Action, Error> {
    let Some(unread) = unread else {
        return Ok(Action::ChangeLeft);
    };
    let seen = place.last.view().map(|view| view.snapshot().version());
    if !late.is_empty() || seen != place.store.head(&RoleName::Snapshot) {
        return Err(unread);
    }
    Ok(Action::ChangeUnread {
        code: unread.code(),
        why: unread.to_string(),
    })
}
