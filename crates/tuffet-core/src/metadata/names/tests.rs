use super::*;
use alloc::format;
use alloc::string::ToString;

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

#[test]
fn names_are_shown_as_they_are_written() {
    let delegated = DelegatedName::new("team").unwrap();
    assert_eq!(delegated.to_string(), "team");
    for role in ["root", "timestamp", "snapshot", "targets", "team"] {
        assert_eq!(RoleName::new(role).unwrap().to_string(), role);
    }
    assert_eq!(KeyId::new("0a").unwrap().to_string(), "0a");
    assert_eq!(TargetPath::new("a/b").unwrap().to_string(), "a/b");
    assert_eq!(Version::FIRST.next().to_string(), "2");
}

#[test]
fn what_is_wrong_with_a_name_is_said() {
    let said = |error: Option<NameError>| error.unwrap().to_string();
    assert_eq!(said(RoleName::new("").err()), "the name is empty");
    assert_eq!(
        said(DelegatedName::new("root").err()),
        "the name belongs to a top-level role"
    );
    assert_eq!(
        said(RoleName::new("a\0").err()),
        "the name contains a NUL character"
    );
    let path = TargetPath::new("a/../b").unwrap();
    assert_eq!(
        said(path.file_components().err()),
        "the path cannot become a file: a component that names another directory"
    );
}

#[test]
fn a31_a_component_has_up_to_255_bytes() {
    for (length, fits) in [(255, true), (256, false), (300, false)] {
        let path = TargetPath::new(&format!("a/{}", "b".repeat(length))).unwrap();
        assert_eq!(path.file_components().is_ok(), fits, "{length}");
    }
}
