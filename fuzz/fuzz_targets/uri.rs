//! A key URI that is read is written as text that means the same key.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tuffet_sign::KeyUri;

fuzz_target!(|text: &str| {
    let Ok(uri) = text.parse::<KeyUri>() else {
        return;
    };
    let written = uri.to_string();
    assert_eq!(
        written.parse::<KeyUri>().as_ref().ok(),
        Some(&uri),
        "{written}"
    );
});
