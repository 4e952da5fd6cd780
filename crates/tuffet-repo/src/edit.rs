//! Editing the open change: drafts of the next versions, and what the policy has to learn.

mod signed;

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};

use tuffet_core::json::Value;
use tuffet_core::metadata::{
    DelegatedName, KeyTable, Parsed, RoleKeys, RoleName, Snapshot, UnixTime, Version,
};

use crate::Error;
use crate::change::keep;
use crate::document::Document;
use crate::exchanged::Exchanged;
use crate::graph::Graph;
use crate::keys::{KeyName, NamedKey};
use crate::lock::Lock;
use crate::numbers::GivenUp;
use crate::plan::{Action, Plan};
use crate::policy::{Learned, Period, Policy, RolePolicy};
use crate::quorum::{Need, needs};
use crate::recover::require_forgotten;
use crate::repository::Repository;
use crate::store::Store;
use crate::write::Write;
use signed::Signed;

/// An edit on its way to being a plan.
#[derive(Debug)]
pub(crate) struct Edit {
    pub(crate) store: Store,
    pub(crate) policy: Policy,
    /// The drafts that were opened, each with what it was before.
    opened: BTreeMap<RoleName, Option<Document>>,
    /// What people had signed.
    signed: Signed,
    /// Whether their signatures may go.
    discards_signatures: bool,
    /// What the policy was to learn before.
    learned: Learned,
    /// The roles of which the file of the policy asks something.
    written: BTreeSet<String>,
    pub(crate) actions: Vec<Action>,
    /// Changes that come before that of the open change.
    pub(crate) writes: Vec<Write>,
    /// The graph without drafts, once it was needed.
    sealed: Option<Graph>,
    /// The last snapshot, once it was needed; `None` if there is none.
    snapshot: OnceCell<Option<Parsed<Snapshot>>>,
    lock: Lock,
}

impl Edit {
    pub(crate) fn begin(repository: &Repository) -> Result<Self, Error> {
        let lock = repository.lock()?;
        let store = Store::load(repository.layout())?;
        store.require_current()?;
        Ok(Self {
            learned: store.learned.clone(),
            written: repository.written_policy()?.roles.into_keys().collect(),
            signed: Signed::of(&store, repository.policy()),
            discards_signatures: repository.discards_signatures(),
            store,
            policy: repository.policy().clone(),
            opened: BTreeMap::new(),
            actions: Vec::new(),
            writes: Vec::new(),
            sealed: None,
            snapshot: OnceCell::new(),
            lock,
        })
    }

    pub(crate) fn graph(&self) -> Result<Graph, Error> {
        Graph::load(&self.store)
    }

    /// The next version of a role, to be edited: the draft if there is one, else a draft that says what the current version says.
    ///
    /// A role that is signed elsewhere is refused: what is edited here, those who sign it would have to make their own, and their next file
    /// would undo it.
    pub(crate) fn open(&mut self, role: &RoleName, now: UnixTime) -> Result<&mut Document, Error> {
        self.require_signed_here(role)?;
        self.open_to_sign(role, now)
    }

    /// As [`Self::open`], when nothing but the signatures of a role changes.
    pub(crate) fn open_to_sign(
        &mut self,
        role: &RoleName,
        now: UnixTime,
    ) -> Result<&mut Document, Error> {
        if !self.opened.contains_key(role) {
            let before = self.store.draft(role).cloned();
            if before.as_ref().is_some_and(Document::is_exact) {
                return Err(Error::RoleUnsuited {
                    role: role.clone(),
                    why: "was accepted as it was signed elsewhere and cannot be edited",
                });
            }
            let mut draft = match &before {
                Some(draft) => draft.clone(),
                None => self.next_version(role)?,
            };
            let version = draft.version().unwrap_or(Version::FIRST);
            draft.set_header(version, self.policy.period(role).after(now));
            if before.is_none() {
                self.actions.push(Action::Drafted {
                    role: role.clone(),
                    version,
                    from: self.store.head(role),
                });
            }
            self.store.set_draft(role.clone(), draft);
            self.opened.insert(role.clone(), before);
        }
        self.store
            .draft_mut(role)
            .ok_or_else(|| Error::RoleUnknown(role.clone()))
    }

    /// Refuses a role that is signed elsewhere.
    pub(crate) fn require_signed_here(&self, role: &RoleName) -> Result<(), Error> {
        if !self.policy.is_external(role) {
            return Ok(());
        }
        let graph = self.graph()?;
        let authorities = graph.authorities(role);
        let keys = authorities.iter().flat_map(|of| &of.keys.keyids);
        let mut by: Vec<KeyName> = keys.map(|keyid| self.policy.key_name(keyid)).collect();
        by.sort();
        by.dedup();
        Err(Error::RoleExternal {
            role: role.clone(),
            by,
        })
    }

    /// What a role says now: its draft, or the last sealed version. Of bins that is looked at here, because there may be many; all
    /// others are when the repository is read.
    pub(crate) fn current(&mut self, role: &RoleName) -> Result<Option<Document>, Error> {
        if let Some(draft) = self.store.draft(role) {
            return Ok(Some(draft.clone()));
        }
        let Some(bytes) = self.store.head_bytes(role)? else {
            return Ok(None);
        };
        let sealed = self.take_sealed()?;
        let signed = !sealed.is_bin(role)
            || needs(role, &bytes, &sealed, &self.policy)?
                .iter()
                .all(Need::is_met);
        self.sealed = Some(sealed);
        if !signed || self.is_of_another(role, &bytes)? {
            return Err(Error::HeadUnsigned {
                role: role.clone(),
                version: self.store.head(role).unwrap_or(Version::FIRST),
            });
        }
        self.store.head_document(role)
    }

    /// Whether the last version of a role is the file of another one. That of a role that was published as it is here is not looked at.
    fn is_of_another(&self, role: &RoleName, bytes: &[u8]) -> Result<bool, Error> {
        let (RoleName::Delegated(_), Some(version)) = (role, self.store.head(role)) else {
            return Ok(false);
        };
        let snapshot = match self.snapshot.get() {
            Some(snapshot) => snapshot,
            None => {
                let bytes = self.store.head_bytes(&RoleName::Snapshot)?;
                let read = bytes.and_then(|bytes| Parsed::parse(bytes).ok());
                self.snapshot.get_or_init(|| read)
            }
        };
        let listed = snapshot.as_ref().map(Parsed::unverified_listing);
        match listed.filter(|listed| listed.version(role) < Some(version)) {
            Some(listed) => {
                Exchanged::of(listed).is_of_another(&self.store, None, role, version, bytes)
            }
            None => Ok(false),
        }
    }

    /// Lets versions count no longer. A draft that follows one of them goes, too.
    pub(crate) fn give_up(&mut self, given_up: GivenUp) {
        let before = self.store.given_up().clone();
        for (role, version) in given_up.iter() {
            if before.has(role, version) {
                continue;
            }
            if let Some(draft) = self.store.remove_draft(role) {
                self.opened.remove(role);
                self.actions.push(Action::Dropped {
                    role: role.clone(),
                    version: draft.version().unwrap_or(Version::FIRST),
                });
                // It cannot stay, whoever has signed it.
                self.actions.extend(self.signed.forget(role));
            }
        }
        self.give_up_beside(given_up);
    }

    /// Lets versions count no longer that no draft follows.
    pub(crate) fn give_up_beside(&mut self, given_up: GivenUp) {
        let new = given_up.iter();
        let new = new.filter(|(role, version)| !self.store.given_up().has(role, *version));
        self.actions
            .extend(new.map(|(role, version)| Action::GivenUp {
                role: role.clone(),
                version,
            }));
        self.store.give_up(given_up);
    }

    fn next_version(&mut self, role: &RoleName) -> Result<Document, Error> {
        let mut draft = self
            .current(role)?
            .ok_or_else(|| Error::RoleUnknown(role.clone()))?;
        let next = self
            .store
            .given_up()
            .next_usable(role, self.store.head(role))?;
        draft.set("version", next.number().into());
        draft.clear_signatures();
        Ok(draft)
    }

    /// The first version of a delegated role that has none. Versions of a role to which nothing leads that is sealed may have been put
    /// there by whoever may push: they only use up numbers.
    pub(crate) fn create(
        &mut self,
        name: &DelegatedName,
        now: UnixTime,
        period: Period,
    ) -> Result<(), Error> {
        let role = RoleName::Delegated(name.clone());
        let head = self.store.head(&role);
        if self.store.draft(&role).is_some() || (head.is_some() && self.is_in_force(name)?) {
            return Ok(());
        }
        let next = match head {
            Some(_) => self.store.given_up().next_usable(&role, head)?,
            None => Version::FIRST,
        };
        let mut draft = Document::new("targets", next, period.after(now));
        draft.object("targets");
        self.store.set_draft(role.clone(), draft);
        self.opened.insert(role, None);
        Ok(())
    }

    /// What is sealed, read once. Whoever takes it puts it back.
    fn take_sealed(&mut self) -> Result<Graph, Error> {
        match self.sealed.take() {
            Some(sealed) => Ok(sealed),
            None => Graph::load(&self.store.without_drafts()),
        }
    }

    /// Whether a role is delegated to by what is sealed.
    fn is_in_force(&mut self, name: &DelegatedName) -> Result<bool, Error> {
        let sealed = self.take_sealed()?;
        let is_delegated = sealed.is_delegated(name);
        self.sealed = Some(sealed);
        Ok(is_delegated)
    }

    /// Takes a draft that is passed on as it came.
    pub(crate) fn accept(&mut self, role: RoleName, draft: Document) {
        self.store.set_draft(role.clone(), draft);
        self.opened.insert(role, None);
    }

    /// Takes the draft of a role out of the change.
    pub(crate) fn forget(&mut self, role: &RoleName) {
        if let Some(draft) = self.store.remove_draft(role) {
            self.actions.push(Action::Dropped {
                role: role.clone(),
                version: draft.version().unwrap_or(Version::FIRST),
            });
            self.opened.insert(role.clone(), Some(draft));
        }
    }

    /// Opens the next version of those of the roles whose current one has too few signatures once the change is applied, so that
    /// people can sign it.
    pub(crate) fn open_unsigned(
        &mut self,
        roles: impl IntoIterator<Item = RoleName>,
        now: UnixTime,
    ) -> Result<(), Error> {
        let graph = self.graph()?;
        for role in roles {
            if self.store.draft(&role).is_some() {
                continue;
            }
            let Some(bytes) = self.store.head_bytes(&role)? else {
                continue;
            };
            let all = needs(&role, &bytes, &graph, &self.policy)?;
            if !all.iter().all(Need::is_met) {
                self.open_to_sign(&role, now)?;
            }
        }
        Ok(())
    }

    /// Takes a key into the policy.
    pub(crate) fn name_key(&mut self, key: &NamedKey, online: bool) {
        if self.policy.name_key(key, online) {
            self.store.learned.name_key(key, online);
            self.actions.push(Action::Named {
                key: KeyName {
                    keyid: key.keyid(),
                    name: Some(key.name().to_owned()),
                },
            });
        }
    }

    /// Asks something of a new role.
    pub(crate) fn ask_of(&mut self, role: &str, policy: RolePolicy) {
        self.policy.roles.insert(role.to_owned(), policy);
        self.store.learned.ask_of(role, policy);
    }

    /// Asks nothing of a role any more. What only this change asked of it is gone, and what the policy says is forgotten with it.
    pub(crate) fn ask_nothing_of(&mut self, role: &str) {
        self.policy.roles.remove(role);
        if self.written.contains(role) {
            self.store.learned.forget(role);
        }
    }

    /// Checks what was edited and says which files change.
    pub(crate) fn finish(mut self) -> Result<Plan, Error> {
        let path = self.store.layout().change();
        let lost = self.signed.lost(|role| self.says_what_it_said(role));
        self.actions.extend(lost.discard(self.discards_signatures)?);
        for (role, before) in &self.opened {
            let Some(draft) = self.store.draft_mut(role) else {
                continue;
            };
            if before
                .as_ref()
                .is_some_and(|before| before.says_the_same_as(draft))
            {
                continue;
            }
            // Whoever signed before has not seen this.
            if !draft.is_exact() {
                draft.clear_signatures();
            }
            draft
                .check(kind(role))
                .map_err(|error| Error::format(&path, error))?;
        }
        self.check_policy()?;
        if !self.store.given_up().is_empty() {
            require_forgotten(&self.store, &self.graph()?)?;
        }
        let steps = if self.opened.is_empty() && self.learned == self.store.learned {
            vec![self.writes]
        } else {
            let before = keep(&mut self.store)?;
            let root = crate::anchor::advance(&self.store)?;
            let change = vec![self.store.write_change()];
            vec![self.writes, before, change, root.into_iter().collect()]
        };
        Ok(Plan {
            actions: self.actions,
            steps,
            lock: Some(self.lock),
        })
    }

    /// Whether the draft of a role is what it was before the edit.
    fn says_what_it_said(&self, role: &RoleName) -> bool {
        let Some(draft) = self.store.draft(role) else {
            return false;
        };
        match self.opened.get(role) {
            None => true,
            Some(before) => {
                let before = before.as_ref();
                before.is_some_and(|before| before.says_the_same_as(draft))
            }
        }
    }

    fn check_policy(&self) -> Result<(), Error> {
        if self.opened.is_empty() && self.writes.is_empty() {
            return Ok(());
        }
        check_policy(&self.graph()?, &self.policy)
    }
}

/// Refuses roots and delegations that the policy forbids.
pub(crate) fn check_policy(graph: &Graph, policy: &Policy) -> Result<(), Error> {
    use tuffet_core::metadata::RoleDelegations;
    if let Some(root) = graph.root() {
        policy.check_root(root)?;
    }
    for (_, delegations) in graph.delegations() {
        let check = |name: &str, keys: &RoleKeys, table: &KeyTable| {
            let role = RoleName::new(name).map_err(|_| Error::RoleNameUnsafe {
                name: name.to_owned(),
                why: "it is empty or holds NUL",
            })?;
            policy.check_role(&role, keys, table)
        };
        match delegations.roles() {
            RoleDelegations::Named(roles) => {
                for role in roles {
                    check(role.name.as_str(), &role.keys, delegations.keys())?;
                }
            }
            RoleDelegations::Succinct(bins) => {
                check(bins.name_prefix(), bins.keys(), delegations.keys())?;
            }
        }
    }
    Ok(())
}

/// The `_type` of a role's file.
pub(crate) fn kind(role: &RoleName) -> &'static str {
    match role {
        RoleName::Root => "root",
        RoleName::Timestamp => "timestamp",
        RoleName::Snapshot => "snapshot",
        RoleName::Targets | RoleName::Delegated(_) => "targets",
    }
}

/// An array of strings.
pub(crate) fn texts<'t>(texts: impl IntoIterator<Item = &'t str>) -> Value {
    texts.into_iter().map(Value::from).collect()
}
