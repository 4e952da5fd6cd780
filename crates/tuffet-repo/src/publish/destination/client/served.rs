//! What a store tells those who fetch an object.

use object_store::{Attribute, Attributes};

use crate::layout;

/// How a file of a published tree is served: what has a version or a hash in its name never changes, and everything else has to be
/// asked for again each time.
pub(super) fn attributes(name: &str) -> Attributes {
    let metadata = name.strip_prefix("metadata/");
    let fixed = match metadata {
        Some(file) => layout::parse_file_name(file).is_some(),
        None => layout::hash_of(name).is_some(),
    };
    let kind = if metadata.is_some() {
        "application/json"
    } else {
        "application/octet-stream"
    };
    let cache = if fixed {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    Attributes::from_iter([
        (Attribute::ContentType, kind),
        (Attribute::CacheControl, cache),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cache(name: &str) -> String {
        let attributes = attributes(name);
        attributes
            .get(&Attribute::CacheControl)
            .unwrap()
            .to_string()
    }

    #[test]
    fn only_names_that_never_change_their_content_are_kept_by_caches() {
        let hash = "ab".repeat(32);
        for name in [
            "metadata/1.root.json",
            "metadata/12.edge-team.json",
            &format!("targets/a/{hash}.b.tar"),
        ] {
            assert!(cache(name).contains("immutable"), "{name}");
        }
        for name in [
            "metadata/timestamp.json",
            "metadata/root.json",
            "metadata/01.root.json",
            "targets/a/b.tar",
            &format!("targets/{hash}/b.tar"),
            &format!("targets/{hash}0.b.tar"),
        ] {
            assert_eq!(cache(name), "no-cache", "{name}");
        }
    }
}
