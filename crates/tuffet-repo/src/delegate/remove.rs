//! Taking a delegation away.

use tuffet_core::metadata::{RoleName, UnixTime};

use crate::Error;
use crate::edit::Edit;
use crate::entry;
use crate::graph::Graph;
use crate::plan::{Action, Plan};
use crate::repository::Repository;

impl Repository {
    /// Takes a delegation away, by its role or by what the names of its bins begin with. `by` says whose, if several delegate to
    /// the role; `None` takes away all.
    ///
    /// Clients stop to ask the role as soon as its delegators are published. Snapshot goes on listing what was published of it,
    /// because clients take a list that gets shorter for an attack, until a rotation of a snapshot or timestamp key makes
    /// them forget: [`crate::Publish::drop_role`]. The policy forgets the role when the change is applied.
    ///
    /// # Errors
    /// [`Error::RoleUnknown`] if nobody delegates to the role, or not this one.
    pub fn remove_delegation(
        &self,
        role: &str,
        by: Option<&RoleName>,
        now: UnixTime,
    ) -> Result<Plan, Error> {
        let mut edit = Edit::begin(self)?;
        let graph = edit.graph()?;
        let unknown = || match RoleName::new(role) {
            Ok(role) => Error::RoleUnknown(role),
            Err(_) => Error::RoleNameUnsafe {
                name: role.to_owned(),
                why: "it is empty or holds NUL",
            },
        };
        let places = graph.named_in(role).into_iter().map(|(of, _)| of);
        let delegators: Vec<RoleName> = places
            .filter(|of| *of != RoleName::Root && by.is_none_or(|by| by == of))
            .collect();
        if delegators.is_empty() {
            return Err(unknown());
        }
        let listed = graph.meant_by(role);
        let listed = listed.iter().any(|role| edit.store.head(role).is_some());
        for by in delegators {
            entry::remove(edit.open(&by, now)?, &by, role);
            edit.actions.push(Action::Undelegated {
                role: role.to_owned(),
                by,
                listed,
            });
        }
        forget_unreachable(&mut edit, &graph)?;
        edit.finish()
    }
}

/// Takes out the drafts that nobody delegates to any more, and what the policy asks of their roles or was to learn for them.
fn forget_unreachable(edit: &mut Edit, before: &Graph) -> Result<(), Error> {
    let graph = edit.graph()?;
    let drafted: Vec<RoleName> = edit.store.drafts().map(|(role, _)| role.clone()).collect();
    for role in &drafted {
        if let RoleName::Delegated(name) = role
            && !graph.is_delegated(name)
        {
            edit.forget(role);
        }
    }
    let learned = std::mem::take(&mut edit.store.learned);
    edit.store.learned = learned.needed_by(&graph, |_| true);
    let asked: Vec<String> = edit.policy.roles.keys().cloned().collect();
    for role in asked {
        if graph.named_in(&role).is_empty() && !before.named_in(&role).is_empty() {
            edit.ask_nothing_of(&role);
        }
    }
    Ok(())
}
