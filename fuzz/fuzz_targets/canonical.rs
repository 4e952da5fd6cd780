//! The canonical form is a function of the value alone, and its own canonical form.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tuffet_core::json::{Value, canonicalize};

fuzz_target!(|bytes: &[u8]| {
    let canonical = canonicalize(bytes);
    let value = Value::parse(bytes);
    let (Ok(canonical), Ok(value)) = (canonical, value) else {
        return;
    };
    assert_eq!(
        &*canonical,
        value.canonical(),
        "the span writer and the tree writer agree"
    );
    let compact = value.to_compact_json();
    assert_eq!(
        &*canonicalize(&compact).expect("what is written can be read"),
        &*canonical
    );
    if let Ok(twice) = canonicalize(&canonical) {
        assert_eq!(twice, canonical);
    }
});
