//! What is said about paths: patterns, target paths, and which repositories decide about them.

use std::collections::BTreeSet;

use tuffet_core::delegation::Pattern;
use tuffet_core::metadata::TargetPath;
use tuffet_core::trust::{Mapping, RepositoryMap, percent_decode, percent_encode};

use crate::{glob, text};

/// Matching ends, never panics, agrees with its definition, and a star never crosses a slash. The input is a pattern, a line end, and a path.
pub fn pattern(input: &[u8]) {
    let Some((pattern, path)) = text(input).and_then(|text| text.split_once('\n')) else {
        return;
    };
    let matched = Pattern::new(pattern).matches(path);
    assert_eq!(matched, glob::matches(pattern, path));
    if matched {
        assert_eq!(pattern.matches('/').count(), path.matches('/').count());
    }
}

/// A target path that may become a file stays below its directory, and URL encoding uses the characters that it may and can be taken
/// back.
pub fn names(input: &[u8]) {
    let Some(text) = text(input) else { return };
    let encoded = percent_encode(text, true);
    assert!(
        encoded
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_.-~/%".contains(&byte))
    );
    for (encoded, slash) in [(encoded, true), (percent_encode(text, false), false)] {
        assert!(slash || !encoded.contains('/'));
        assert_eq!(percent_decode(&encoded).as_deref(), Some(text.as_bytes()));
    }
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
}

/// A map file that is accepted asks nobody who is not declared, and for no more agreement than there can be (TAP 4).
pub fn map(input: &[u8]) {
    let Ok(map) = RepositoryMap::parse(input) else {
        return;
    };
    let mut declared = BTreeSet::new();
    for (name, urls) in map.repositories() {
        assert!(!urls.is_empty());
        assert!(!name.contains(['/', '\\', ':']) && name != "." && name != "..");
        declared.insert(name);
    }
    for path in ["a", "a/b"] {
        let path = TargetPath::new(path).expect("it is not empty");
        let mappings: Vec<&Mapping> = map.mappings_for(&path).collect();
        for (place, mapping) in mappings.iter().enumerate() {
            let distinct: BTreeSet<&String> = mapping.repositories.iter().collect();
            assert_eq!(distinct.len(), mapping.repositories.len());
            assert!(distinct.iter().all(|name| declared.contains(name.as_str())));
            assert!(mapping.threshold >= 1 && mapping.threshold as usize <= distinct.len());
            assert!(
                mapping
                    .paths
                    .iter()
                    .any(|pattern| pattern.matches(path.as_str()))
            );
            assert!(!mapping.terminating || place + 1 == mappings.len());
        }
    }
}
