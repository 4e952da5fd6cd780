//! No bytes make reading a targets file panic, and reading is deterministic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tuffet_core::metadata::{Parsed, Role, Targets};

fuzz_target!(|bytes: &[u8]| {
    let once = Parsed::<Targets>::parse(bytes.to_vec());
    let twice = Parsed::<Targets>::parse(bytes.to_vec());
    match (once, twice) {
        (Ok(one), Ok(other)) => {
            assert_eq!(one.message(), other.message());
            assert!(one.unverified().version().number() > 0);
        }
        (Err(one), Err(other)) => assert_eq!(one, other),
        _ => panic!("reading depends on something but the bytes"),
    }
});
