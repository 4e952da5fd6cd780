//! The file names of items: injective, and safe on file systems that ignore case.

use tuffet_core::crypto::HashAlgorithm;
use tuffet_core::metadata::RoleName;

/// How long an encoded role name may be before its end is replaced by a hash.
const LONGEST: usize = 200;
/// What then is left of it.
const KEPT: usize = 120;

/// The file name of a role's metadata.
///
/// The names of delegated roles have a prefix, so that none can collide with a top-level role or with a device of Windows; they
/// begin and end in characters of ours, so that leading and trailing dots and spaces do no harm.
pub(super) fn of_role(role: &RoleName) -> String {
    match role {
        RoleName::Delegated(name) => format!("role.{}.json", encode(name.as_str())),
        top_level => format!("{}.json", top_level.as_str()),
    }
}

/// Lower-case letters, digits, `-`, `_` and inner dots stand for themselves, every other byte for itself in lower-case
/// hexadecimal. The tilde is never written by that, so a name that has one is a shortened one and nothing else.
fn encode(name: &str) -> String {
    let mut encoded = String::with_capacity(name.len());
    let last = name.len().saturating_sub(1);
    for (place, byte) in name.bytes().enumerate() {
        let plain = byte.is_ascii_lowercase()
            || byte.is_ascii_digit()
            || matches!(byte, b'-' | b'_')
            || (byte == b'.' && place != 0 && place != last);
        if plain {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02x}"));
        }
    }
    if encoded.len() <= LONGEST {
        return encoded;
    }
    let digest = tuffet_crypto::default_provider().digest(HashAlgorithm::Sha256, name.as_bytes());
    encoded.truncate(KEPT);
    format!("{encoded}~{}", digest.to_hex())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn file(name: &str) -> String {
        of_role(&RoleName::new(name).unwrap())
    }

    #[test]
    fn a40_names_of_roles_are_safe_file_names() {
        let table = [
            ("root", "root.json"),
            ("targets", "targets.json"),
            ("bin-0f", "role.bin-0f.json"),
            ("registry.npmjs.org", "role.registry.npmjs.org.json"),
            ("Root", "role.%52oot.json"),
            ("../delegatedrole", "role.%2e.%2fdelegatedrole.json"),
            ("/x", "role.%2fx.json"),
            ("?", "role.%3f.json"),
            (".", "role.%2e.json"),
            ("..", "role.%2e%2e.json"),
            (".hidden", "role.%2ehidden.json"),
            ("x.", "role.x%2e.json"),
            ("x ", "role.x%20.json"),
            ("a~b", "role.a%7eb.json"),
            ("%41", "role.%2541.json"),
            ("con", "role.con.json"),
            ("a\\b:c", "role.a%5cb%3ac.json"),
            ("é", "role.%c3%a9.json"),
        ];
        for (name, expected) in table {
            assert_eq!(file(name), expected);
        }
    }

    #[test]
    fn different_names_have_different_files_whatever_the_case() {
        let long = "x".repeat(300);
        let names = [
            "a",
            "A",
            "%41",
            "%61",
            "a.",
            "a ",
            ".a",
            "a/b",
            "a%2fb",
            "a%2Fb",
            "A/b",
            "con",
            "CON",
            &long,
            &long[1..],
            &long.to_uppercase(),
            "role.a",
            "a.json",
        ];
        let files: BTreeSet<String> = names
            .iter()
            .map(|name| file(name).to_ascii_lowercase())
            .collect();
        assert_eq!(files.len(), names.len());
    }

    #[test]
    fn no_name_is_too_long_for_a_file_system() {
        for length in [199, 200, 201, 66, 67, 5_000] {
            for character in ["x", "X", "é"] {
                assert!(file(&character.repeat(length)).len() <= 210);
            }
        }
    }
}
