//! The files of a published directory that have no reason to be there.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use tuffet_core::trust::percent_decode;

/// The files below `metadata/` and `targets/` that nothing verified speaks of, relative to the directory.
///
/// `expected` holds `metadata/ROLE` and `targets/PATH`. Older versions of a role that is known belong there: clients that
/// were away for long need the old roots, and caches may ask for the rest.
pub(super) fn unexpected(directory: &Path, expected: &BTreeSet<String>) -> Vec<String> {
    let mut found = Vec::new();
    walk(&directory.join("metadata"), "metadata", &mut |path| {
        let known =
            role_of(path).is_some_and(|role| expected.contains(&format!("metadata/{role}")));
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

/// The role of `metadata/3.targets.json` or `metadata/timestamp.json`.
fn role_of(path: &str) -> Option<String> {
    let name = path.strip_prefix("metadata/")?.strip_suffix(".json")?;
    let role = match name.split_once('.') {
        Some((version, role)) if version.bytes().all(|byte| byte.is_ascii_digit()) => role,
        _ => name,
    };
    Some(decoded(role))
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
            ("metadata/timestamp.json", Some("timestamp")),
            ("metadata/12.targets.json", Some("targets")),
            (
                "metadata/3.registry.npmjs.org.json",
                Some("registry.npmjs.org"),
            ),
            ("metadata/1...%2Fx.json", Some("../x")),
            ("metadata/notes.txt", None),
        ] {
            assert_eq!(role_of(path).as_deref(), role, "{path}");
        }
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
