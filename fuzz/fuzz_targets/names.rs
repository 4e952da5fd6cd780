//! A target path that may become a file stays below its directory, and URL encoding is injective.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tuffet_core::metadata::TargetPath;
use tuffet_core::trust::percent_encode;

fuzz_target!(|text: &str| {
    let encoded = percent_encode(text, true);
    assert!(
        encoded
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_.-~/%".contains(&byte))
    );
    let Ok(path) = TargetPath::new(text) else {
        return;
    };
    let Ok(components) = path.file_components() else {
        return;
    };
    assert!(!components.is_empty());
    for component in components {
        assert!(!component.is_empty() && component != "." && component != "..");
        assert!(!component.contains(['/', '\\', '\0', ':']));
    }
});
