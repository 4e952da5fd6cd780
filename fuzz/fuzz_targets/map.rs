//! A map file that is accepted asks nobody who is not declared, and for no more agreement than there can be (TAP 4).
#![no_main]

use std::collections::BTreeSet;

use libfuzzer_sys::fuzz_target;
use tuffet_core::metadata::TargetPath;
use tuffet_core::trust::{Mapping, RepositoryMap};

fuzz_target!(|bytes: &[u8]| {
    let Ok(map) = RepositoryMap::parse(bytes) else {
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
});
