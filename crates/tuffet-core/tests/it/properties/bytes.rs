//! Bytes that were changed on the way or on the disk.

use proptest::prelude::*;
use proptest::sample::Index;
use tuffet_core::json::canonicalize;
use tuffet_core::metadata::{Root, Timestamp, UnixTime};
use tuffet_core::trust::{Item, TrustedView};

use tuffet_testkit::{Delegated, Envelope, Listing, Repository, TestKey, World, name};

/// A change of some bytes.
#[derive(Debug, Clone)]
enum Change {
    Flip(Index, u8),
    Insert(Index, Vec<u8>),
    Remove(Index, usize),
    /// Copies a part over another place, which keeps JSON alive more often than noise does.
    Copy(Index, Index, usize),
    Digit(Index),
    Replace(Vec<u8>),
}

impl Change {
    fn apply(&self, bytes: &mut Vec<u8>) {
        if bytes.is_empty() {
            return;
        }
        match self {
            Self::Flip(place, mask) => {
                let place = place.index(bytes.len());
                bytes[place] ^= mask;
            }
            Self::Insert(place, new) => {
                let place = place.index(bytes.len());
                bytes.splice(place..place, new.iter().copied());
            }
            Self::Remove(place, count) => {
                let start = place.index(bytes.len());
                bytes.drain(start..bytes.len().min(start + count));
            }
            Self::Copy(from, to, count) => {
                let (from, to) = (from.index(bytes.len()), to.index(bytes.len()));
                let part = bytes[from..bytes.len().min(from + count)].to_vec();
                bytes.splice(to..bytes.len().min(to + count), part);
            }
            Self::Digit(place) => {
                let digits: Vec<usize> = (0..bytes.len())
                    .filter(|&at| bytes[at].is_ascii_digit())
                    .collect();
                if let Some(&at) = digits.get(place.index(digits.len().max(1))) {
                    bytes[at] = b'0' + (bytes[at] - b'0' + 1) % 10;
                }
            }
            Self::Replace(new) => *bytes = new.clone(),
        }
    }
}

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let json = prop::sample::select(vec![
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"",
        "\\",
        " ",
        "0",
        "-",
        "e",
        ".",
        "null",
        "\"version\":9,",
        "\u{e9}",
    ]);
    let change = prop_oneof![
        (any::<Index>(), 1..=255_u8).prop_map(|(place, mask)| Change::Flip(place, mask)),
        (any::<Index>(), json)
            .prop_map(|(place, new)| Change::Insert(place, new.as_bytes().to_vec())),
        (any::<Index>(), prop::collection::vec(any::<u8>(), 1..4))
            .prop_map(|(place, new)| Change::Insert(place, new)),
        (any::<Index>(), 1..40_usize).prop_map(|(place, count)| Change::Remove(place, count)),
        (any::<Index>(), any::<Index>(), 1..80_usize)
            .prop_map(|(from, to, count)| Change::Copy(from, to, count)),
        any::<Index>().prop_map(Change::Digit),
        prop::collection::vec(any::<u8>(), 0..60).prop_map(Change::Replace),
    ];
    prop::collection::vec(change, 1..4)
}

/// Everything that was signed, as a client sees it.
#[derive(Debug, Clone, PartialEq)]
struct Signed {
    versions: Vec<u64>,
    expiries: Vec<UnixTime>,
    root: Vec<String>,
    timestamp: Timestamp,
    listed: String,
    targets: Vec<String>,
}

/// What a root says about keys; white space inside a key object is nothing that is signed.
fn keys(root: &Root) -> Vec<String> {
    let keys = root.keys().iter().map(|(keyid, key)| {
        let canonical = canonicalize(key.raw()).expect("JSON").into_owned();
        format!("{keyid}: {}", String::from_utf8(canonical).expect("text"))
    });
    let names = ["root", "timestamp", "snapshot", "targets"];
    let roles = names.map(|role| format!("{role}: {:?}", root.role(&name(role))));
    let consistent = format!("consistent: {}", root.consistent_snapshot());
    keys.chain(roles).chain([consistent]).collect()
}

fn signed(view: &TrustedView) -> Signed {
    let mut roles = vec![view.targets().clone()];
    roles.extend(view.delegated().map(|(_, role)| role.clone()));
    let mut versions = vec![
        view.root().version(),
        view.timestamp().version(),
        view.snapshot().version(),
    ];
    versions.extend(roles.iter().map(|role| role.version()));
    let mut expiries = vec![
        view.root().expires(),
        view.timestamp().expires(),
        view.snapshot().expires(),
    ];
    expiries.extend(roles.iter().map(|role| role.expires()));
    Signed {
        versions: versions
            .into_iter()
            .map(|version| version.number())
            .collect(),
        expiries,
        root: keys(view.root().content()),
        timestamp: view.timestamp().content().clone(),
        listed: format!("{:?}", view.snapshot().roles().collect::<Vec<_>>()),
        targets: roles
            .iter()
            .flat_map(|role| role.targets())
            .map(|target| format!("{target:?}"))
            .collect(),
    }
}

const ROLES: [&str; 5] = ["root", "timestamp", "snapshot", "targets", "team"];

/// A client at root 1 of a repository at root 2, which lists no hashes: only signatures stand between it and a forger.
fn world(envelope: Envelope) -> World {
    let mut repository = Repository::new();
    repository.listing = Listing::VersionOnly;
    repository.delegate("targets", Delegated::new("team", &["team/*"]));
    repository.add_target("team", "team/tool", b"tool");
    for role in ROLES {
        repository.document(role).envelope = envelope;
    }
    repository.write_root();
    repository.write();
    let mut world = World::of(repository);
    attempt(&mut world).unwrap();
    world
        .repository
        .rotate("timestamp", &[TestKey::new("new timestamp")], 1);
    world.repository.publish();
    world
}

fn attempt(world: &mut World) -> Option<Signed> {
    let mut view = world.refresh().ok()?;
    world.search(&mut view, "team/tool").ok()?;
    Some(signed(&view))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(250))]

    #[test]
    fn c21_c32_c42_what_was_not_signed_is_not_accepted(
        role in prop::sample::select(&ROLES),
        changes in changes(),
        dsse in any::<bool>(),
        fresh in any::<bool>(),
    ) {
        let mut world = world(if dsse { Envelope::Dsse } else { Envelope::Json });
        if fresh {
            world.store.clear();
        }
        let honest = attempt(&mut world.clone()).expect("the honest repository is fine");
        let good = world.repository.clone();
        let file = world.repository.file(role);
        changes.iter().for_each(|change| change.apply(file));
        if let Some(seen) = attempt(&mut world) {
            // Accepted all the same: white space, other hexadecimal case, a member that nobody signs.
            prop_assert_eq!(seen, honest.clone());
        }
        world.repository = good;
        prop_assert_eq!(attempt(&mut world), Some(honest), "and the client recovers");
    }

    #[test]
    fn a34_a_damaged_store_neither_stops_a_client_nor_changes_what_it_sees(
        which in any::<Index>(),
        changes in changes(),
        finished in any::<bool>(),
    ) {
        let mut world = world(Envelope::Json);
        let honest = attempt(&mut world.clone()).expect("the honest repository is fine");
        if finished {
            attempt(&mut world);
        }
        let items: Vec<Item> = world.store.keys().cloned().collect();
        let bytes = world.store.get_mut(which.get(&items)).expect("a stored item");
        changes.iter().for_each(|change| change.apply(bytes));
        prop_assert_eq!(attempt(&mut world), Some(honest.clone()));
        prop_assert_eq!(attempt(&mut world), Some(honest));
    }
}
