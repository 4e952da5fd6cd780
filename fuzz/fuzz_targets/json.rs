//! Whatever our reader accepts, serde_json accepts with the same value.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tuffet_core::json::Value;

fuzz_target!(|bytes: &[u8]| {
    let Ok(ours) = Value::parse(bytes) else { return };
    let theirs: serde_json::Value = serde_json::from_slice(bytes).expect("serde_json accepts what the strict reader accepts");
    let again: serde_json::Value = serde_json::from_slice(&ours.to_compact_json()).expect("what is written is JSON");
    // Integers beyond 64 bits become floats there; comparing floats of equal text is exact all the same.
    assert_eq!(theirs, again);
});
