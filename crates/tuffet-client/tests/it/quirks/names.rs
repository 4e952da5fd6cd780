//! Names of roles and targets, and where the files are published.

use super::Quirk;
use super::keys::Key;
use super::repository::Repository;

/// Paths as they are met: in sub-directories, with blanks, without an extension.
const PATHS: [&str; 8] = [
    "app",
    "doi/policy.rego",
    "testing/doi/policy.rego",
    "npm role/keys.json",
    "a/b c/d.e/f",
    "größe/ü.txt",
    "branch",
    "+&=~%41;,@!$'()[]{}^#",
];

pub(super) fn repository() -> Repository {
    let mut repository = Repository::new();
    for path in PATHS {
        repository.add_target("targets", path, path.as_bytes());
    }
    let roles = [
        ("npm role", "npm role/*", "npm role/keys"),
        ("registry.example.org", "registry/*", "registry/keys.json"),
        ("straße", "s/*", "s/1"),
        ("a..b", "d/*", "d/1"),
        ("Capital", "C/*", "C/1"),
    ];
    for (role, pattern, path) in roles {
        repository.delegate("targets", role, &[Key::ed25519()], &[pattern]);
        repository.add_target(role, path, role.as_bytes());
    }
    repository
}

pub(super) fn quirks() -> Vec<Quirk> {
    vec![
        Quirk::once("sub-directories and blanks", &[], repository()),
        Quirk::once(
            "sub-directories and blanks, without consistent snapshots",
            &[],
            repository().without_consistent_snapshots(),
        ),
    ]
}

#[test]
fn names_of_roles_and_targets() {
    super::check(quirks());
}
