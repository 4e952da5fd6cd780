use super::Pattern;
use alloc::format;
use alloc::string::String;
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
fn a27_a_hostile_pattern_is_read_once() {
    const LONG: usize = 100_000;
    let long = |piece: &str| piece.repeat(LONG / piece.len());
    let path = "a".repeat(300) + "b";
    for (pattern, expected) in [
        (long("*a"), false),
        (long("*"), true),
        (long("["), false),
        (long("*["), false),
        (format!("*[{}]c", long("a")), false),
        (format!("*[{}]*?[{}]*c", long("ax"), long("!a-b")), false),
        (format!("*[{}]*[b-z]", long("a-")), true),
        (format!("*a[{}", long("a")), false),
        (format!("{}*c", "[a-z]*".repeat(200)), false),
        (format!("*{}b", "a".repeat(150)), true),
        (format!("*{}[b-{}]a", "a".repeat(150), long("b-")), false),
    ] {
        let mut steps = 0;
        let matched = Pattern::new(&pattern).matches_in_steps(&path, &mut || steps += 1);
        let start: String = pattern.chars().take(12).collect();
        assert_eq!(matched, expected, "{start}");
        // What has no end is read to the end to find that out, and then as plain text.
        let most = 2 * pattern.len() + 2 * (path.len() + 2) * (path.len() + 2);
        assert!(steps <= most, "{start}: {steps} > {most}");
    }
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
    let behind = |taken: usize, is: &dyn Fn(char) -> bool| {
        text.first().is_some_and(|&c| c != '/' && is(c)) && reference(&pattern[taken..], &text[1..])
    };
    match (pattern.first(), class(pattern)) {
        (None, _) => text.is_empty(),
        (Some('*'), _) => {
            reference(&pattern[1..], text)
                || (text.first().is_some_and(|&c| c != '/') && reference(pattern, &text[1..]))
        }
        (Some('?'), _) => behind(1, &|_| true),
        (Some(_), Some(class)) => behind(class.length, &|c| {
            let within = |(low, high): &(char, char)| (low..=high).contains(&&c);
            class.ranges.iter().any(within) != class.negated
        }),
        (Some(p), None) => text.first() == Some(p) && reference(&pattern[1..], &text[1..]),
    }
}

struct Class {
    length: usize,
    negated: bool,
    ranges: Vec<(char, char)>,
}

/// The class at the beginning of a pattern.
fn class(pattern: &[char]) -> Option<Class> {
    if pattern.first() != Some(&'[') {
        return None;
    }
    let negated = pattern.get(1) == Some(&'!');
    let start = 1 + usize::from(negated);
    let end = (start + 1..pattern.len()).find(|&place| pattern[place] == ']')?;
    let mut content = &pattern[start..end];
    if content.contains(&'/') {
        return None;
    }
    let mut ranges = Vec::new();
    while let Some(&low) = content.first() {
        let (high, taken) = match content {
            [_, '-', high, ..] => (*high, 3),
            _ => (low, 1),
        };
        ranges.push((low, high));
        content = &content[taken..];
    }
    Some(Class {
        length: end + 1,
        negated,
        ranges,
    })
}

proptest! {
    #[test]
    fn a27_matcher_agrees_with_the_definition(
        pattern in r"[abc*?/]{0,10}|[abc*?/!\-\[\]]{0,12}|(\*|[ab]|\[!?[abc\-]{1,4}\]){0,5}",
        path in r"[abc/]{0,10}|[ab\[\]!\-]{0,6}",
    ) {
        let (p, t): (Vec<char>, Vec<char>) = (pattern.chars().collect(), path.chars().collect());
        prop_assert_eq!(matches(&pattern, &path), reference(&p, &t));
    }

    #[test]
    fn a27_any_pattern_and_any_path_end_without_a_panic(pattern in ".{0,40}", path in ".{0,40}") {
        let _ = matches(&pattern, &path);
        prop_assert!(path.contains(['*', '?', '[', ']', '!', '-']) || matches(&path, &path));
    }
}
