use super::Pattern;
use alloc::vec::Vec;
use proptest::prelude::*;

fn matches(pattern: &str, path: &str) -> bool {
    Pattern::new(pattern).matches(path)
}

#[test]
fn f48_examples_of_the_specification() {
    assert!(matches("targets/*.tgz", "targets/foo.tgz"));
    assert!(matches("targets/*.tgz", "targets/bar.tgz"));
    assert!(!matches("targets/*.tgz", "targets/foo.txt"));
    assert!(matches(
        "targets/foo-version-?.tgz",
        "targets/foo-version-2.tgz"
    ));
    assert!(matches(
        "targets/foo-version-?.tgz",
        "targets/foo-version-a.tgz"
    ));
    assert!(!matches(
        "targets/foo-version-?.tgz",
        "targets/foo-version-alpha.tgz"
    ));
    assert!(matches("*.tgz", "foo.tgz"));
    assert!(!matches("*.tgz", "targets/foo.tgz"));
    assert!(matches("foo.tgz", "foo.tgz"));
    assert!(!matches("foo.tgz", "foo-version-1.tgz"));
}

#[test]
fn a27_glob_dialect() {
    let table = [
        ("*", ".hidden", true),
        ("*", "a/b", false),
        ("?", "/", false),
        ("**", "x", true),
        ("**", "a/b", false),
        ("{a,b}", "a", false),
        ("{a,b}", "{a,b}", true),
        ("[!a].txt", "b.txt", true),
        ("[!a].txt", "a.txt", false),
        ("[^a].txt", "b.txt", false),
        ("[^a].txt", "^.txt", true),
        ("!a", "b", false),
        ("#x", "#x", true),
        ("+(a|b)", "ab", false),
        ("a\\*", "a*", false),
        ("a\\*", "a\\b", true),
        ("?", "\u{1F600}", true),
        ("[", "[", true),
        ("a[b", "a[b", true),
        ("[]a]", "]", true),
        ("[!]a]", "b", true),
        ("[a-c]x", "bx", true),
        ("[a-c]x", "dx", false),
        ("[c-a]x", "bx", false),
        ("[a-]x", "-x", true),
        ("[a/b]", "a", false),
        ("[a/b]", "[a/b]", true),
        ("A", "a", false),
        ("", "", true),
        ("*", "", true),
        ("?", "", false),
        ("*/", "a", false),
        ("*/", "a/", true),
    ];
    for (pattern, path, expected) in table {
        assert_eq!(matches(pattern, path), expected, "{pattern:?} ~ {path:?}");
    }
}

#[test]
fn a27_matching_stays_fast_on_hostile_patterns() {
    let pattern = "*a".repeat(2_000);
    let path = "a".repeat(20_000) + "b";
    assert!(!matches(&pattern, &path));
}

#[test]
fn portable_patterns_use_stars_and_question_marks_only() {
    assert!(Pattern::new("a/*/b-?.tgz").is_portable());
    for pattern in ["[ab]", "{a,b}", "**", "!a", "a\\*"] {
        assert!(!Pattern::new(pattern).is_portable(), "{pattern}");
    }
}

/// The obvious definition by recursion, exponential and clear.
fn reference(pattern: &[char], text: &[char]) -> bool {
    match (pattern.first(), text.first()) {
        (None, None) => true,
        (Some('*'), _) => {
            reference(&pattern[1..], text)
                || (text.first().is_some_and(|&c| c != '/') && reference(pattern, &text[1..]))
        }
        (Some('?'), Some(&c)) => c != '/' && reference(&pattern[1..], &text[1..]),
        (Some(p), Some(c)) => p == c && reference(&pattern[1..], &text[1..]),
        _ => false,
    }
}

proptest! {
    #[test]
    fn a27_matcher_agrees_with_the_definition(pattern in "[ab*?/]{0,10}", path in "[ab/]{0,10}") {
        let (p, t): (Vec<char>, Vec<char>) = (pattern.chars().collect(), path.chars().collect());
        prop_assert_eq!(matches(&pattern, &path), reference(&p, &t));
    }

    #[test]
    fn a27_any_pattern_and_any_path_end_without_a_panic(pattern in ".{0,40}", path in ".{0,40}") {
        let _ = matches(&pattern, &path);
        prop_assert!(path.contains(['*', '?', '[', ']', '!', '-']) || matches(&path, &path));
    }
}
