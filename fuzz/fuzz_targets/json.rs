//! Whatever our reader accepts, serde_json accepts with the same value.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tuffet_core::json::Value;

fn theirs(bytes: &[u8]) -> Option<serde_json::Value> {
    match serde_json::from_slice(bytes) {
        Ok(value) => Some(value),
        // Integers that no double can hold are beyond it; ours have any size.
        Err(error) if error.to_string().starts_with("number out of range") => None,
        Err(error) => panic!("serde_json accepts what the strict reader accepts: {error}"),
    }
}

fuzz_target!(|bytes: &[u8]| {
    let Ok(ours) = Value::parse(bytes) else {
        return;
    };
    // Integers beyond 64 bits become floats there; comparing floats of equal text is exact all the same.
    assert_eq!(theirs(bytes), theirs(&ours.to_compact_json()));
});
