//! No bytes make reading a file of metadata panic, and reading is deterministic.

use tuffet_core::metadata::{Parsed, Role, Root, Snapshot, Targets, Timestamp};

fn read<R: Role>(input: &[u8]) {
    let once = Parsed::<R>::parse(input.to_vec());
    let twice = Parsed::<R>::parse(input.to_vec());
    match (once, twice) {
        (Ok(one), Ok(other)) => {
            assert_eq!(one.message(), other.message());
            assert!(one.unverified().version().number() > 0);
        }
        (Err(one), Err(other)) => assert_eq!(one, other),
        _ => panic!("reading depends on something but the bytes"),
    }
}

/// A root file.
pub fn root(input: &[u8]) {
    read::<Root>(input);
}

/// A timestamp file.
pub fn timestamp(input: &[u8]) {
    read::<Timestamp>(input);
}

/// A snapshot file.
pub fn snapshot(input: &[u8]) {
    read::<Snapshot>(input);
}

/// A targets file.
pub fn targets(input: &[u8]) {
    read::<Targets>(input);
}
