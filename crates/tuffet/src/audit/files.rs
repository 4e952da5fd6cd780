//! The files of a published directory that have no reason to be there.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use tuffet_core::trust::percent_decode;

/// The files below `metadata/` and `targets/` that nothing verified speaks of, relative to the directory.
///
/// `newest` holds the last version of each role, and `expected` every `targets/PATH`. Older versions of a role belong there: clients
/// that were away for long need the old roots, and caches may ask for the rest. A newer one was not published: it is left of a
/// publication that broke off, or somebody has planted it.
pub(super) fn unexpected(
    directory: &Path,
    newest: &BTreeMap<String, u64>,
    expected: &BTreeSet<String>,
) -> Vec<String> {
    let mut found = Vec::new();
    walk(&directory.join("metadata"), "metadata", &mut |path| {
        let known = role_of(path).is_some_and(|(role, version)| {
            newest
                .get(&role)
                .is_some_and(|newest| version.unwrap_or(0) <= *newest)
        });
        if !known {
            found.push(path.to_owned());
        }
    });
    walk(&directory.join("targets"), "targets", &mut |path| {
        if !expected.contains(path) {
            found.push(path.to_owned());
        }
    });
    found.sort();
    found
}

/// Visits the files below a directory; what cannot be read is not there for a client either.
fn walk(directory: &Path, prefix: &str, visit: &mut impl FnMut(&str)) {
    let Ok(entries) = fs::read_dir(directory) else {
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = format!("{prefix}/{name}");
        // A link to a directory is not followed: it could lead anywhere, and in circles.
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => walk(&entry.path(), &path, visit),
            _ => visit(&path),
        }
    }
}

/// The role of `metadata/3.targets.json` or `metadata/timestamp.json`, and the version, if the name has one.
fn role_of(path: &str) -> Option<(String, Option<u64>)> {
    let name = path.strip_prefix("metadata/")?.strip_suffix(".json")?;
    match name.split_once('.') {
        Some((version, role)) if version.bytes().all(|byte| byte.is_ascii_digit()) => {
            Some((decoded(role), Some(version.parse().ok()?)))
        }
        _ => Some((decoded(name), None)),
    }
}

/// The text that was percent-encoded; as it is where it was not.
pub(super) fn decoded(text: &str) -> String {
    percent_decode(text).map_or_else(
        || text.to_owned(),
        |bytes| String::from_utf8_lossy(&bytes).into_owned(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_metadata_file_belongs_to_a_role() {
        for (path, role) in [
            ("metadata/timestamp.json", Some(("timestamp", None))),
            ("metadata/12.targets.json", Some(("targets", Some(12)))),
            (
                "metadata/3.registry.npmjs.org.json",
                Some(("registry.npmjs.org", Some(3))),
            ),
            ("metadata/1...%2Fx.json", Some(("../x", Some(1)))),
            ("metadata/notes.txt", None),
        ] {
            let found = role_of(path);
            let found = found
                .as_ref()
                .map(|(role, version)| (role.as_str(), *version));
            assert_eq!(found, role, "{path}");
        }
    }

    #[test]
    fn a_version_that_was_not_published_is_vouched_for_by_nobody() {
        let directory = tempfile::tempdir().unwrap();
        let metadata = directory.path().join("metadata");
        fs::create_dir(&metadata).unwrap();
        for name in [
            "1.targets.json",
            "2.targets.json",
            "3.targets.json",
            "timestamp.json",
        ] {
            fs::write(metadata.join(name), "{}").unwrap();
        }
        let newest = [("targets", 2), ("timestamp", 7)];
        let newest = newest
            .map(|(role, version)| (role.to_owned(), version))
            .into();
        let found = unexpected(directory.path(), &newest, &BTreeSet::new());
        assert_eq!(found, ["metadata/3.targets.json"]);
    }

    #[test]
    fn text_is_decoded_once() {
        for (encoded, text) in [
            ("a%2Fb", "a/b"),
            ("100%", "100%"),
            ("%25zz", "%zz"),
            ("%zz", "%zz"),
        ] {
            assert_eq!(decoded(encoded), text);
        }
    }
}
