//! Matching ends, never panics, and a star never crosses a slash.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tuffet_core::delegation::Pattern;

fuzz_target!(|texts: (&str, &str)| {
    let (pattern, path) = texts;
    let matched = Pattern::new(pattern).matches(path);
    if matched {
        assert_eq!(pattern.matches('/').count(), path.matches('/').count());
    }
});
