//! Roles that are signed elsewhere, by this program or another one, and passed on byte for byte.

use tuffet_core::json::Value;
use tuffet_core::metadata::{
    DelegatedName, Delegations, Parsed, RoleDelegations, RoleName, TargetPath, Targets, UnixTime,
    Version,
};
use tuffet_core::trust::{Limits, Rejected};

use crate::Error;
use crate::document::Document;
use crate::edit::Edit;
use crate::graph::Graph;
use crate::layout::clash;
use crate::numbers::{FURTHEST, HIGHEST};
use crate::plan::{Action, Plan};
use crate::quorum::count;
use crate::repository::Repository;
use crate::store::Store;

impl Repository {
    /// Takes the file of a delegated role that somebody has signed elsewhere into the open change, as it is: every delegator's
    /// threshold of keys has to have signed it, its version has to be higher than any that is here, and its time not over.
    ///
    /// Targets in it that the delegation does not cover are reported and have no effect, because clients never ask for them; if it
    /// covers none of them, the file is one of another role.
    ///
    /// # Errors
    /// [`Error::RoleUnknown`] if nobody delegates to the role; [`Error::RoleUnsuited`] for a version so high that nobody can
    /// count on from it; [`Error::ChangeSigned`] for a role that somebody has signed in the open change; [`Error::RoleExists`] if it
    /// begins to delegate to a role that another one delegates to; [`Error::RoleNameUnsafe`] to one under whose name a file of another
    /// role belongs;
    /// [`Error::VersionFar`] for a version more than 1,000,000 above the last one;
    /// [`Error::TargetOutside`] for a file that lists nothing that is delegated to the role;
    /// [`Error::Refused`] with `threshold.delegated`, `rollback.delegated`, `expired.delegated`,
    /// `length.delegated` or `format.delegated`.
    pub fn accept_role(
        &self,
        role: &DelegatedName,
        bytes: Vec<u8>,
        now: UnixTime,
    ) -> Result<Plan, Error> {
        let mut edit = Edit::begin(self)?;
        let graph = edit.graph()?;
        let name = RoleName::Delegated(role.clone());
        if !graph.is_delegated(role) {
            return Err(Error::RoleUnknown(name));
        }
        if edit.store.head_bytes(&name)?.as_ref() == Some(&bytes) {
            // It was accepted and published before.
            return edit.finish();
        }
        let accepted = edit.store.draft(&name).filter(|open| open.is_exact());
        let accepted = accepted.and_then(Document::version);
        let (draft, uncovered) = check(&edit.store, &graph, &name, bytes, accepted)?;
        require_time(&name, &draft, now)?;
        let from = edit.store.head(&name);
        let version = draft.version().unwrap_or(Version::FIRST);
        edit.actions.push(Action::Accepted {
            role: name.clone(),
            version,
            from,
        });
        edit.actions
            .extend(uncovered.into_iter().map(|path| Action::Shadowed {
                path,
                role: name.clone(),
                by: None,
            }));
        edit.accept(name, draft);
        edit.finish()
    }
}

/// What a file that was signed elsewhere has to be, whether it comes by itself or in somebody's change; the time is another matter,
/// because receiving knows none. Returns it, and the targets in it that have no effect.
///
/// `accepted` is the version of one that is in the open change already.
pub(crate) fn check(
    store: &Store,
    graph: &Graph,
    role: &RoleName,
    bytes: Vec<u8>,
    accepted: Option<Version>,
) -> Result<(Document, Vec<TargetPath>), Error> {
    let draft = verify(graph, role, bytes)?;
    require_newer(accepted.max(store.head(role)), role, &draft)?;
    require_near(store.head(role), role, &draft)?;
    require_own_names(store, graph, role, &draft)?;
    let uncovered = uncovered(graph, role, &draft)?;
    require_some_effect(graph, role, &draft, &uncovered)?;
    Ok((draft, uncovered))
}

/// Reads a file that was signed elsewhere, and counts its signatures for every delegator.
fn verify(graph: &Graph, role: &RoleName, bytes: Vec<u8>) -> Result<Document, Error> {
    let refuse = |rejected: Rejected| refused(rejected);
    let (longest, length) = (Limits::default().signed_length, bytes.len() as u64);
    if length > longest {
        return Err(refuse(Rejected::Length {
            role: role.clone(),
            expected: longest,
            exact: false,
            received: length,
        }));
    }
    for authority in graph.authorities(role) {
        let quorum = count(role, &bytes, &authority)?;
        if !quorum.is_met() {
            return Err(refuse(Rejected::Threshold {
                role: role.clone(),
                have: quorum.have(),
                need: quorum.need,
                signers: quorum.signers,
                uncounted: quorum.uncounted,
            }));
        }
    }
    let document = Document::exact(bytes).map_err(|error| {
        refuse(Rejected::Format {
            role: role.clone(),
            error: Box::new(error),
        })
    })?;
    match document.version() {
        Some(version) if version.number() > HIGHEST => Err(Error::RoleUnsuited {
            role: role.clone(),
            why: "has a version so high that other programs cannot count on from it",
        }),
        _ => Ok(document),
    }
}

/// Refuses a version that was here before, or one that another change would go back from.
fn require_newer(known: Option<Version>, role: &RoleName, draft: &Document) -> Result<(), Error> {
    match (known, draft.version()) {
        (Some(trusted), Some(offered)) if offered <= trusted => Err(refused(Rejected::Rollback {
            role: role.clone(),
            trusted,
            offered,
        })),
        _ => Ok(()),
    }
}

/// Refuses a version that skips so many that a few more would use up the numbers.
fn require_near(last: Option<Version>, role: &RoleName, draft: &Document) -> Result<(), Error> {
    let number = |version: Option<Version>| version.map_or(0, |version| version.number());
    let highest = number(last).saturating_add(FURTHEST);
    match draft.version() {
        Some(offered) if offered.number() > highest => Err(Error::VersionFar {
            role: role.clone(),
            offered,
            last,
        }),
        _ => Ok(()),
    }
}

/// Refuses one whose time is over. A change that was received brings such a file in unseen, so publishing asks again.
pub(crate) fn require_time(role: &RoleName, draft: &Document, now: UnixTime) -> Result<(), Error> {
    let expires = draft.expires().unwrap_or(UnixTime(0));
    match draft.version() {
        Some(version) if expires <= now => Err(refused(Rejected::Expired {
            role: role.clone(),
            version,
            expires,
            now,
        })),
        _ => Ok(()),
    }
}

/// Refuses a file of which clients would never see anything: it was signed for another role that has the same keys.
fn require_some_effect(
    graph: &Graph,
    role: &RoleName,
    document: &Document,
    uncovered: &[TargetPath],
) -> Result<(), Error> {
    let targets = document.member("targets").and_then(Value::as_object);
    match uncovered.first() {
        Some(path) if targets.is_some_and(|all| all.len() == uncovered.len()) => {
            Err(Error::TargetOutside {
                path: path.clone(),
                covers: graph.covered(role),
                role: role.clone(),
            })
        }
        _ => Ok(()),
    }
}

/// Refuses a file of a delegated role that begins to delegate to a role which another one delegates to already: from then on
/// nobody could sign for that without the keys that this one names. Or to one whose file could stand in the place of another role's.
pub(crate) fn require_own_names(
    store: &Store,
    graph: &Graph,
    role: &RoleName,
    document: &Document,
) -> Result<(), Error> {
    let delegations = |bytes: Vec<u8>| -> Option<Delegations> {
        let parsed = Parsed::<Targets>::parse(bytes).ok()?;
        parsed.unverified().delegations().cloned()
    };
    let Some(now) = delegations(document.to_bytes()) else {
        return Ok(());
    };
    let before = store.head_bytes(role)?.and_then(delegations);
    let had = |name: &DelegatedName| {
        let before = before.as_ref();
        before.is_some_and(|before| before.role(name).is_some())
    };
    let begins: Vec<DelegatedName> = match now.roles() {
        RoleDelegations::Named(roles) => roles.iter().map(|one| one.name.clone()).collect(),
        // One of them stands for all.
        RoleDelegations::Succinct(bins) => {
            let first = bins.names().next();
            first
                .and_then(|name| DelegatedName::new(&name).ok())
                .into_iter()
                .collect()
        }
    };
    for name in begins.iter().filter(|name| !had(name)) {
        if let Some(why) = clash(name) {
            return Err(Error::RoleNameUnsafe {
                name: name.as_str().to_owned(),
                why,
            });
        }
    }
    let others = graph.delegated().into_iter().filter(|(by, _)| by != role);
    for (by, name) in others {
        if now.role(&name).is_some() && !had(&name) {
            return Err(Error::RoleExists {
                role: name.as_str().to_owned(),
                by,
            });
        }
    }
    Ok(())
}

/// The targets of a role that clients never look for in it.
pub(crate) fn uncovered(
    graph: &Graph,
    role: &RoleName,
    document: &Document,
) -> Result<Vec<TargetPath>, Error> {
    let parsed = Parsed::<Targets>::parse(document.to_bytes()).map_err(|error| {
        refused(Rejected::Format {
            role: role.clone(),
            error: Box::new(error),
        })
    })?;
    let paths = parsed.unverified_targets();
    let paths = paths.filter_map(|(path, _)| TargetPath::new(&path).ok());
    Ok(paths.filter(|path| !graph.covers(role, path)).collect())
}

fn refused(rejected: Rejected) -> Error {
    Error::Refused {
        what: "taking over a role that was signed elsewhere",
        error: Box::new(rejected.into()),
    }
}
