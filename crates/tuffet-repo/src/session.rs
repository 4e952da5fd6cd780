//! Several steps of one command on a repository that is read and locked once.

use tuffet_core::metadata::UnixTime;
use tuffet_sign::Signer;

use crate::Error;
use crate::change::{Change, of};
use crate::graph::Graph;
use crate::key_roles::places;
use crate::lock::Lock;
use crate::numbers::GivenUp;
use crate::plan::Plan;
use crate::publish::Publish;
use crate::repository::Repository;
use crate::store::Store;

/// A repository that has been read, and is locked until this value or the last plan of it is dropped.
///
/// Each step begins with what the one before has made, whether its plan is executed or not: signatures that have been made are not
/// verified again, and a dry run shows all of it. The plan of a step has to be executed before that of the next.
///
/// ```no_run
/// # use tuffet_core::metadata::UnixTime;
/// # use tuffet_repo::{Error, Publish, Repository};
/// # use tuffet_sign::Signer;
/// # fn example(repository: &Repository, ana: &dyn Signer, online: &dyn Signer, now: UnixTime) -> Result<(), Error> {
/// let mut session = repository.begin()?;
/// session.sign(&[ana])?.execute()?;
/// session.publish(&Publish::default(), &[online], now)?.execute()?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Session<'r> {
    pub(crate) repository: &'r Repository,
    pub(crate) store: Store,
    pub(crate) graph: Graph,
    pub(crate) lock: Lock,
    /// What keeps the open change from being read, beside which only what is in force can be published again.
    pub(crate) unread: Option<Error>,
}

impl Repository {
    /// Reads the repository, and locks it for several steps.
    ///
    /// # Errors
    /// [`Error::Locked`], [`Error::HeadUnsigned`], [`Error::Io`], [`Error::Format`].
    pub fn begin(&self) -> Result<Session<'_>, Error> {
        let lock = self.lock()?;
        // Publishing counts the signatures of snapshot, and nothing else looks into it.
        let store = Store::load_but_snapshot(self.layout())?;
        let graph = Graph::load(&store)?;
        Ok(Session {
            repository: self,
            store,
            graph,
            lock,
            unread: None,
        })
    }

    /// As [`Repository::begin`], for whoever publishes again what is in force ([`crate::Publish::in_force`]). The open change is asked
    /// only what of it is sealed; where it cannot be read, nothing of that may come to light.
    ///
    /// # Errors
    /// As [`Repository::begin`], but for those that are about the open change.
    pub fn begin_in_force(&self) -> Result<Session<'_>, Error> {
        let unread = match self.begin() {
            Err(error) if Store::is_about_change(self.layout(), &error) => error,
            begun => return begun,
        };
        let lock = self.lock()?;
        let store = Store::load_in_force(self.layout(), GivenUp::default())?;
        let graph = Graph::load(&store)?;
        Ok(Session {
            repository: self,
            store,
            graph,
            lock,
            unread: Some(unread),
        })
    }

    /// As [`Repository::begin`], for steps that do not publish: then nobody else looks at the signatures of snapshot.
    ///
    /// # Errors
    /// As [`Repository::begin`].
    pub fn begin_to_sign(&self) -> Result<Session<'_>, Error> {
        let session = self.begin()?;
        crate::heads::require_snapshot(&session.store)?;
        Ok(session)
    }
}

impl Session<'_> {
    /// The open change, with the signatures made so far.
    ///
    /// # Errors
    /// As [`Repository::change`].
    pub fn change(&self) -> Result<Change, Error> {
        of(&self.store, &self.graph, self.repository.policy(), |_| true)
    }

    /// Whether any role, in force or in the open change, takes the word of this key.
    #[must_use]
    pub fn may_sign(&self, signer: &dyn Signer) -> bool {
        !places(&self.graph, &signer.public().identity(), &[]).is_empty()
    }

    /// Whether the open change holds a draft.
    #[must_use]
    pub fn has_drafts(&self) -> bool {
        self.store.drafts().next().is_some()
    }

    /// What these signers have to look at before they sign: the open change without the drafts that they may not sign or have
    /// signed already. No draft is left when there is nothing to sign.
    ///
    /// # Errors
    /// As [`Repository::change`].
    pub fn to_sign(&mut self, signers: &[&dyn Signer]) -> Result<Change, Error> {
        let roles = crate::sign::unsigned(&mut self.store, &self.graph, signers);
        let policy = self.repository.policy();
        of(&self.store, &self.graph, policy, |role| {
            roles.contains(role)
        })
    }

    /// As [`Repository::sign`].
    ///
    /// # Errors
    /// As [`Repository::sign`].
    pub fn sign(&mut self, signers: &[&dyn Signer]) -> Result<Plan, Error> {
        self.sign_watched(signers, None, &|_, _| {})
    }

    /// The same, if every draft that is signed says what people have been shown; `shown` may be of another session. `hashed` is told
    /// how many bytes of artifacts have been hashed, and of how many.
    ///
    /// # Errors
    /// [`Error::ChangeNotShown`]; as [`Repository::sign`].
    pub fn sign_shown(
        &mut self,
        shown: &Change,
        signers: &[&dyn Signer],
        hashed: &dyn Fn(u64, u64),
    ) -> Result<Plan, Error> {
        self.sign_watched(signers, Some(shown), hashed)
    }

    fn sign_watched(
        &mut self,
        signers: &[&dyn Signer],
        shown: Option<&Change>,
        hashed: &dyn Fn(u64, u64),
    ) -> Result<Plan, Error> {
        let policy = self.repository.policy();
        let graph = &self.graph;
        let mut plan = crate::sign::sign(&mut self.store, graph, policy, signers, shown, hashed)?;
        if plan.writes().next().is_some() {
            let root = crate::anchor::advance(&self.store)?;
            plan.steps.push(root.into_iter().collect());
        }
        Ok(plan)
    }

    /// As [`Repository::publish`].
    ///
    /// # Errors
    /// As [`Repository::publish`].
    pub fn publish(
        self,
        publish: &Publish,
        online: &[&dyn Signer],
        now: UnixTime,
    ) -> Result<Plan, Error> {
        crate::publish::publish(self, publish, online, now)
    }

    /// The plan is the last one, and takes the lock over.
    pub(crate) fn end(self, plan: Plan) -> Plan {
        Plan {
            lock: Some(self.lock),
            ..plan
        }
    }
}
