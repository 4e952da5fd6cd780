//! Reading a published tree as a client would, to know what clients will make of it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use tuffet_core::crypto::Crypto;
use tuffet_core::metadata::{TargetPath, UnixTime};
use tuffet_core::trust::{
    self, Answer, Context, Found, Item, Mode, Policy, Refresh, Rejected, Search, Step, TrustAnchor,
    TrustedView, Write, WriteKind,
};

use crate::Error;
use crate::layout::ceiling;
use crate::write::read_bounded;

/// The metadata files of a repository, by name.
pub(crate) trait Tree {
    fn file(&self, name: &str) -> Result<Option<Vec<u8>>, Error>;
}

/// A directory of metadata.
#[derive(Debug, Clone)]
pub(crate) struct Directory(pub(crate) PathBuf);

impl Tree for Directory {
    fn file(&self, name: &str) -> Result<Option<Vec<u8>>, Error> {
        read_bounded(&self.0.join(name), ceiling(name))
    }
}

/// A tree with some files more, or with some in place of others.
pub(crate) struct Overlay<'t> {
    pub(crate) base: &'t dyn Tree,
    pub(crate) files: BTreeMap<String, &'t [u8]>,
}

impl Tree for Overlay<'_> {
    fn file(&self, name: &str) -> Result<Option<Vec<u8>>, Error> {
        match self.files.get(name) {
            Some(bytes) => Ok(Some(bytes.to_vec())),
            None => self.base.file(name),
        }
    }
}

/// Why a client did not succeed.
#[derive(Debug)]
pub(crate) enum Fault {
    /// It refuses.
    Refused(trust::Error),
    /// The tree could not be read.
    Unread(Error),
}

impl Fault {
    /// Whether it was nothing but too late.
    pub(crate) fn is_stale(&self) -> bool {
        matches!(self, Self::Refused(trust::Error::Rejected(rejected)) if rejected.class() == trust::Class::Stale)
    }

    pub(crate) fn while_doing(self, what: &'static str) -> Error {
        match self {
            Self::Refused(error) => Error::Refused {
                what,
                error: Box::new(error),
            },
            Self::Unread(error) => error,
        }
    }
}

impl From<trust::Error> for Fault {
    fn from(error: trust::Error) -> Self {
        Self::Refused(error)
    }
}

/// A client: what it has stored, in memory.
#[derive(Clone)]
pub(crate) struct Client<'c> {
    stored: BTreeMap<Item, Arc<Vec<u8>>>,
    crypto: &'c dyn Crypto,
}

impl Default for Client<'_> {
    fn default() -> Self {
        Self::new(tuffet_crypto::aws_lc())
    }
}

impl<'c> Client<'c> {
    /// A client that has seen nothing.
    pub(crate) fn new(crypto: &'c dyn Crypto) -> Self {
        Self {
            stored: BTreeMap::new(),
            crypto,
        }
    }

    /// Refreshes from a tree, beginning with a root that is trusted.
    pub(crate) fn refresh(
        &mut self,
        tree: &dyn Tree,
        anchor: &[u8],
        now: UnixTime,
    ) -> Result<TrustedView, Fault> {
        let policy = Policy::default();
        let anchor = TrustAnchor::Root(anchor.to_vec());
        let mut refresh = Refresh::new(anchor, Mode::Online, self.context(&policy, now));
        loop {
            match self.answer(refresh.step(), tree)? {
                Some(answer) => refresh.answer(answer)?,
                None => return Ok(refresh.finish()?),
            }
        }
    }

    /// Looks for a target; the view that comes back holds the roles that were verified for it.
    pub(crate) fn search(
        &mut self,
        tree: &dyn Tree,
        view: TrustedView,
        path: TargetPath,
    ) -> Result<(Result<Found, Box<Rejected>>, TrustedView), Fault> {
        let policy = Policy::default();
        let now = view.started();
        let mut search = Search::new(view, path, Mode::Online, self.context(&policy, now));
        loop {
            match self.answer(search.step(), tree)? {
                Some(answer) => search.answer(answer)?,
                None => {
                    let outcome = search.finish()?;
                    return Ok((outcome.found, outcome.view));
                }
            }
        }
    }

    fn answer(&mut self, step: Step, tree: &dyn Tree) -> Result<Option<Answer>, Fault> {
        let present = |bytes: Option<Vec<u8>>| bytes.map_or(Answer::Absent, Answer::Bytes);
        Ok(Some(match step {
            Step::Load(item) => present(self.stored.get(&item).map(|bytes| bytes.to_vec())),
            Step::Fetch(fetch) => {
                present(tree.file(&fetch.file.url_path()).map_err(Fault::Unread)?)
            }
            Step::Store(writes) => {
                writes.into_iter().for_each(|write| self.store(write));
                Answer::Stored
            }
            Step::Done => return Ok(None),
        }))
    }

    fn context<'p>(&self, policy: &'p Policy, now: UnixTime) -> Context<'p>
    where
        'c: 'p,
    {
        Context {
            crypto: self.crypto,
            policy,
            now,
        }
    }

    fn store(&mut self, write: Write) {
        match write.kind {
            WriteKind::Put(bytes) => {
                self.stored.insert(write.item, bytes);
            }
            WriteKind::Delete => {
                self.stored.remove(&write.item);
            }
        }
    }
}
