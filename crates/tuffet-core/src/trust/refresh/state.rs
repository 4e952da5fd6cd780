//! Where a refresh stands, and what it wants there.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;

use super::super::record::Record;
use super::super::roots::Predecessors;
use super::super::{
    Item, Roots, Step, TrustAnchor, TrustedView, Verified, WithRoot, WithSnapshot, WithTimestamp,
    Write, WriteKind,
};
use crate::crypto::Crypto;
use crate::metadata::{Role, RoleName, Root, Version};

#[derive(Debug)]
pub(super) enum State<'c> {
    LoadRecord(TrustAnchor),
    LoadAnchor,
    LoadPredecessor(Roots<'c>, Box<Predecessors>, Item),
    LoadHistory(Roots<'c>),
    LoadCurrentRoot(Roots<'c>),
    StoreCurrentRoot(Roots<'c>),
    FetchRoot(Roots<'c>),
    /// With the root before it, if that may not be in the history yet.
    StoreRoot(Roots<'c>, Option<Verified<Root>>),
    LoadTimestamp(WithRoot<'c>),
    LoadSnapshot(WithRoot<'c>),
    Purge(WithRoot<'c>),
    FetchTimestamp(WithRoot<'c>),
    StoreTimestamp(WithTimestamp<'c>),
    FetchSnapshot(WithTimestamp<'c>),
    StoreSnapshot(WithSnapshot<'c>),
    LoadTargets(WithSnapshot<'c>),
    FetchTargets(WithSnapshot<'c>),
    StoreTargets(TrustedView),
    StoreRecord(TrustedView),
    Done(TrustedView),
    /// Only while an answer is being worked on.
    Busy,
}

impl State<'_> {
    /// What is wanted in this state. `root_floor` is the newest root that was trusted before.
    pub(super) fn step(
        &self,
        record: &Record,
        root_floor: Option<Version>,
        crypto: &dyn Crypto,
    ) -> Step {
        match self {
            State::LoadRecord(_) => Step::Load(Item::Record),
            State::LoadAnchor | State::LoadCurrentRoot(_) => Step::Load(Item::Role(RoleName::Root)),
            State::LoadPredecessor(_, _, item) => Step::Load(item.clone()),
            State::LoadHistory(roots) => Step::Load(Item::Root(roots.next_version())),
            State::StoreCurrentRoot(roots) => {
                Step::Store(store_root(None, roots.trusted(), root_floor))
            }
            State::FetchRoot(roots) => Step::Fetch(roots.fetch()),
            State::StoreRoot(roots, before) => {
                Step::Store(store_root(before.as_ref(), roots.trusted(), root_floor))
            }
            State::LoadTimestamp(_) => Step::Load(Item::Role(RoleName::Timestamp)),
            State::LoadSnapshot(_) => Step::Load(Item::Role(RoleName::Snapshot)),
            State::Purge(_) => Step::Store(
                [RoleName::Timestamp, RoleName::Snapshot]
                    .map(delete)
                    .to_vec(),
            ),
            State::FetchTimestamp(phase) => Step::Fetch(phase.fetch()),
            State::StoreTimestamp(phase) => Step::Store(vec![
                put_record(record, crypto),
                put(Item::Role(RoleName::Timestamp), phase.timestamp()),
            ]),
            State::FetchSnapshot(phase) => Step::Fetch(phase.fetch()),
            State::StoreSnapshot(phase) => Step::Store(vec![
                put_record(record, crypto),
                put(Item::Role(RoleName::Snapshot), phase.snapshot()),
            ]),
            State::LoadTargets(_) => Step::Load(Item::Role(RoleName::Targets)),
            State::FetchTargets(phase) => Step::Fetch(phase.fetch()),
            State::StoreTargets(view) => {
                Step::Store(vec![put(Item::Role(RoleName::Targets), view.targets())])
            }
            State::StoreRecord(_) => Step::Store(vec![put_record(record, crypto)]),
            State::Done(_) | State::Busy => Step::Done,
        }
    }

    /// Whether the step of this state is a [`Step::Store`].
    pub(super) fn stores(&self) -> bool {
        matches!(
            self,
            Self::StoreCurrentRoot(_)
                | Self::StoreRoot(..)
                | Self::Purge(_)
                | Self::StoreTimestamp(_)
                | Self::StoreSnapshot(_)
                | Self::StoreTargets(_)
                | Self::StoreRecord(_)
        )
    }
}

fn put_record(record: &Record, crypto: &dyn Crypto) -> Write {
    Write {
        item: Item::Record,
        kind: WriteKind::Put(Arc::new(record.write(crypto))),
    }
}

fn put<R: Role>(item: Item, file: &Verified<R>) -> Write {
    Write {
        item,
        kind: WriteKind::Put(Arc::clone(file.received())),
    }
}

fn delete(role: RoleName) -> Write {
    Write {
        item: Item::Role(role),
        kind: WriteKind::Delete,
    }
}

/// The history first: it is what the next refresh starts from (C-08). The anchor is a part of it, because a later anchor is
/// compared with it. A newer copy of the current root stays.
fn store_root(
    before: Option<&Verified<Root>>,
    root: &Verified<Root>,
    floor: Option<Version>,
) -> Vec<Write> {
    let history = before.into_iter().chain([root]);
    let mut writes: Vec<Write> = history
        .map(|root| put(Item::Root(root.version()), root))
        .collect();
    if floor.is_none_or(|floor| root.version() >= floor) {
        writes.push(put(Item::Role(RoleName::Root), root));
    }
    writes
}
