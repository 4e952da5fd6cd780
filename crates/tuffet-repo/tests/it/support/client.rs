//! The smallest client: the core, a published directory, and a store in memory.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tuffet_core::metadata::{RoleName, TargetPath, UnixTime};
use tuffet_core::trust::{
    Answer, Context, Error, Found, Item, Mode, Policy, Refresh, Rejected, Search, Step,
    TrustAnchor, TrustedView, WriteKind,
};
use tuffet_repo::Destination;

/// Where a client reads: `metadata/` and `targets/`.
pub(crate) trait Published {
    fn read(&self, name: &str) -> Option<Vec<u8>>;
}

impl Published for Path {
    fn read(&self, name: &str) -> Option<Vec<u8>> {
        fs::read(self.join(name)).ok()
    }
}

impl Published for PathBuf {
    fn read(&self, name: &str) -> Option<Vec<u8>> {
        self.as_path().read(name)
    }
}

impl Published for Destination {
    fn read(&self, name: &str) -> Option<Vec<u8>> {
        Self::read(self, name).unwrap()
    }
}

#[derive(Clone)]
pub(crate) struct Client {
    anchor: Vec<u8>,
    store: BTreeMap<Item, Arc<Vec<u8>>>,
}

impl Client {
    pub(crate) fn new(anchor: Vec<u8>) -> Self {
        Self {
            anchor,
            store: BTreeMap::new(),
        }
    }

    /// Refreshes from a published tree, with no tolerance for deviations.
    pub(crate) fn refresh(
        &mut self,
        public: &(impl Published + ?Sized),
        now: UnixTime,
    ) -> Result<TrustedView, Rejected> {
        self.refresh_while_published(|_| public, now)
    }

    /// Refreshes while somebody publishes: each request, counted from 0, is answered from the tree as it is at that moment.
    pub(crate) fn refresh_while_published<'p, P: Published + ?Sized + 'p>(
        &mut self,
        public: impl Fn(usize) -> &'p P,
        now: UnixTime,
    ) -> Result<TrustedView, Rejected> {
        let policy = Policy::strict();
        let anchor = TrustAnchor::Root(self.anchor.clone());
        let mut refresh = Refresh::new(anchor, Mode::Online, context(&policy, now));
        let mut requests = 0;
        loop {
            let step = refresh.step();
            let place = public(requests);
            requests += usize::from(matches!(step, Step::Fetch(_)));
            match self.answer(step, place) {
                Some(answer) => refresh.answer(answer).map_err(rejected)?,
                None => return refresh.finish().map_err(rejected),
            }
        }
    }

    /// Refreshes and looks for a target.
    pub(crate) fn find(
        &mut self,
        public: &(impl Published + ?Sized),
        now: UnixTime,
        path: &str,
    ) -> Result<Found, Rejected> {
        let view = self.refresh(public, now)?;
        let policy = Policy::strict();
        let path = TargetPath::new(path).unwrap();
        let mut search = Search::new(view, path, Mode::Online, context(&policy, now));
        while let Some(answer) = self.answer(search.step(), public) {
            search.answer(answer).map_err(rejected)?;
        }
        search.finish().map_err(rejected)?.found.map_err(|why| *why)
    }

    /// Refreshes, looks for a target and reads it as a client would, checking every byte.
    pub(crate) fn get(
        &mut self,
        public: &(impl Published + ?Sized),
        now: UnixTime,
        path: &str,
    ) -> Result<(Found, Vec<u8>), Rejected> {
        let found = self.find(public, now, path)?;
        let mut bytes = None;
        for url in found.url_paths() {
            let read = public.read(&format!("targets/{url}")).unwrap();
            found.check_bytes(&read, tuffet_crypto::aws_lc())?;
            bytes = Some(read);
        }
        Ok((found, bytes.unwrap()))
    }

    fn answer(&mut self, step: Step, public: &(impl Published + ?Sized)) -> Option<Answer> {
        let present = |bytes: Option<Vec<u8>>| bytes.map_or(Answer::Absent, Answer::Bytes);
        Some(match step {
            Step::Load(item) => present(self.store.get(&item).map(|bytes| bytes.to_vec())),
            Step::Fetch(fetch) => {
                present(public.read(&format!("metadata/{}", fetch.file.url_path())))
            }
            Step::Store(writes) => {
                for write in writes {
                    match write.kind {
                        WriteKind::Put(bytes) => self.store.insert(write.item, bytes),
                        WriteKind::Delete => self.store.remove(&write.item),
                    };
                }
                Answer::Stored
            }
            Step::Done => return None,
        })
    }
}

/// The versions of root, timestamp, snapshot and targets.
pub(crate) fn versions(view: &TrustedView) -> [u64; 4] {
    [
        view.root().version(),
        view.timestamp().version(),
        view.snapshot().version(),
        view.snapshot().listed(&RoleName::Targets).unwrap().version,
    ]
    .map(|version| version.number())
}

fn context(policy: &Policy, now: UnixTime) -> Context<'_> {
    Context {
        crypto: tuffet_crypto::aws_lc(),
        policy,
        now,
    }
}

fn rejected(error: Error) -> Rejected {
    match error {
        Error::Rejected(rejected) => *rejected,
        other => panic!("{other}"),
    }
}
