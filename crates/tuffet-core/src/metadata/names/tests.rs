use super::*;

#[test]
fn a24_delegated_roles_cannot_take_the_names_of_top_level_roles() {
    for name in ["root", "timestamp", "snapshot", "targets"] {
        assert_eq!(DelegatedName::new(name), Err(NameError::Reserved), "{name}");
    }
    for name in ["Root", "../x", "#", "?", "team a"] {
        assert!(DelegatedName::new(name).is_ok(), "{name}");
    }
    assert_eq!(DelegatedName::new(""), Err(NameError::Empty));
    assert_eq!(DelegatedName::new("a\0b"), Err(NameError::Nul));
}

#[test]
fn a31_unsafe_target_paths_never_become_files() {
    let unsafe_paths = [
        "/abs",
        "a//b",
        "a/",
        "..",
        "../a",
        "a/../b",
        "./a",
        "a/.",
        "a\\b",
        "C:/x",
        "https://evil/x",
        "//evil/x",
        "a\nb",
        "a\0b",
        "nul",
        "NUL.txt",
        "com1",
        "LPT9.log",
        "a/aux",
        "dot.",
        "space ",
        "a*b",
        "a?b",
        "con .x",
    ];
    for path in unsafe_paths {
        assert!(
            TargetPath::new(path).unwrap().file_components().is_err(),
            "{path:?}"
        );
    }
    for path in [
        "a",
        "a/b/c.txt",
        ".hidden",
        "npm role/keys.json",
        "ünï/código",
        "common",
        "com10",
        "a..b",
        "...a",
    ] {
        assert!(
            TargetPath::new(path).unwrap().file_components().is_ok(),
            "{path:?}"
        );
    }
}

#[test]
fn f22_version_zero_does_not_exist() {
    assert_eq!(Version::new(0), None);
    assert_eq!(Version::FIRST.next().number(), 2);
    assert_eq!(Version::new(u64::MAX).unwrap().next().number(), u64::MAX);
}
