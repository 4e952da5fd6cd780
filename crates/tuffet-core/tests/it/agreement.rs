//! Several repositories that must agree (TAP 4), and that share nothing (rule O-09).

use tuffet_core::json::Reason;
use tuffet_core::trust::{
    Agreement, Consultation, Found, Item, Policy, Rejected, RemoteFile, RepositoryMap, RootHolders,
    Voice, WithoutFile,
};

use tuffet_testkit::{
    Repository, TestKey, World, insert, name, object, path, remove, sha256, sha384, sha512, text,
    version,
};

const MAP: &str = r#"{
    "repositories": {"a": ["https://a.example", "https://a2.example"], "b": ["https://b.example"], "c": ["https://c.example"]},
    "mapping": [
        {"paths": ["app/*", "lib/*"], "repositories": ["a", "b"], "threshold": 2, "terminating": false},
        {"paths": ["app/*"], "repositories": ["c", "a"], "threshold": 1, "terminating": true},
        {"paths": ["*", "*/*"], "repositories": ["b"], "threshold": 1, "terminating": false}
    ]
}"#;

fn refused(from: &str, to: &str, at: &str, reason: Reason) {
    let changed = MAP.replacen(from, to, 1);
    assert_ne!(changed, MAP);
    let rejected = RepositoryMap::parse(changed.as_bytes()).unwrap_err();
    assert_eq!(rejected.code(), "map.format");
    let Rejected::Map { error } = rejected else {
        panic!("{rejected:?}");
    };
    assert_eq!((error.path.as_str(), error.reason), (at, reason), "{to}");
}

#[test]
fn m03_a_map_names_repositories_and_who_decides_about_which_paths() {
    let map = RepositoryMap::parse(MAP.as_bytes()).unwrap();
    let repositories: Vec<(&str, usize)> = map
        .repositories()
        .map(|(name, urls)| (name, urls.len()))
        .collect();
    assert_eq!(repositories, [("a", 2), ("b", 1), ("c", 1)]);
    for (target, expected) in [
        ("app/x", vec![vec!["a", "b"], vec!["c", "a"]]),
        ("lib/x", vec![vec!["a", "b"], vec!["b"]]),
        ("x", vec![vec!["b"]]),
        ("x/y/z", vec![]),
    ] {
        let target = path(target);
        let mappings: Vec<Vec<&str>> = map
            .mappings_for(&target)
            .map(|mapping| mapping.repositories.iter().map(String::as_str).collect())
            .collect();
        assert_eq!(
            mappings, expected,
            "{target}: in order, up to the first that terminates"
        );
    }
}

#[test]
fn m05_repositories_of_the_same_root_keys_are_one_voice() {
    let map = RepositoryMap::parse(MAP.as_bytes()).unwrap();
    let [one, two, three] = TestKey::all(["one", "two", "three"]);
    let root = |keys: &[TestKey]| {
        let mut repository = Repository::new();
        repository.set_role("root", keys, 1);
        repository.root.signers = vec![keys[0].clone()];
        repository.write_root();
        World::of(repository).refresh().unwrap().root().clone()
    };
    let alone = root(std::slice::from_ref(&one));
    let again = root(&[one.named("again")]);
    let both = root(&[one.clone(), two]);
    let other = root(&[three]);
    let of = |a, b| {
        let roots = [("a", a), ("b", b), ("c", &other)];
        let holders = RootHolders::of(roots.map(|(name, root)| (name, root.content())));
        let independent: Vec<u64> = map
            .mappings()
            .iter()
            .map(|mapping| holders.independent(mapping))
            .collect();
        let sharing = holders.sharing();
        let sharing: Vec<String> = sharing.iter().map(|(a, b)| format!("{a}{b}")).collect();
        (independent, sharing)
    };
    let pair = || vec!["ab".to_owned()];
    assert_eq!(of(&alone, &again), (vec![1, 2, 1], pair()));
    assert_eq!(of(&alone, &both), (vec![2, 2, 1], pair()));
    assert_eq!(of(&alone, &other), (vec![2, 2, 1], vec!["bc".to_owned()]));
}

#[test]
fn m06_what_is_wrong_in_a_map_is_said() {
    let threshold =
        || Reason::Invalid("a threshold that is zero or above the number of repositories");
    let name = || Reason::Invalid("a repository name that is not A-Za-z0-9._- up to 64");
    refused(
        "\"threshold\": 2",
        "\"threshold\": 0",
        "mapping[0]",
        threshold(),
    );
    refused(
        "\"threshold\": 2",
        "\"threshold\": 3",
        "mapping[0]",
        threshold(),
    );
    refused(
        "\"threshold\": 2",
        "\"threshold\": true",
        "mapping[0].threshold",
        Reason::Expected("an integer"),
    );
    refused(
        "[\"a\", \"b\"], \"threshold\": 2",
        "[\"a\", \"a\"], \"threshold\": 2",
        "mapping[0]",
        threshold(),
    );
    refused(
        "[\"a\", \"b\"]",
        "[\"a\", \"d\"]",
        "mapping",
        Reason::Invalid("a repository that is not declared"),
    );
    refused(
        "\"b\": [\"https://b.example\"]",
        "\"b\": []",
        "repositories.b",
        Reason::Invalid("a repository without a URL"),
    );
    refused(
        "\"b\": [\"https://b.example\"]",
        "\"b\": \"https://b.example\"",
        "repositories.b",
        Reason::Expected("an array"),
    );
    refused(
        "\"b\": [",
        "\"a\": [",
        "repositories",
        Reason::DuplicateName("a".to_owned()),
    );
    for bad in [
        "",
        ".",
        "..",
        "../b",
        "b/c",
        "b\\\\c",
        ".b",
        "-b",
        "b c",
        "b\\u0000",
        "NUL",
        "com1",
        "b:",
        &"b".repeat(65),
    ] {
        let changed = MAP.replacen("\"b\": [", &format!("\"{bad}\": ["), 1);
        let rejected = RepositoryMap::parse(changed.as_bytes()).unwrap_err();
        let Rejected::Map { error } = rejected else {
            panic!("{rejected:?}");
        };
        assert_eq!(error.reason, name(), "{bad}");
    }
    for (member, missing) in [
        ("paths", "paths"),
        ("repositories\": [\"a\", \"b\"]", "repositories"),
        ("threshold", "threshold"),
        ("terminating", "terminating"),
    ] {
        refused(
            &format!("\"{member}"),
            &format!("\"x{member}"),
            "mapping[0]",
            Reason::Missing(missing),
        );
    }
    refused("\"mapping\"", "\"x\"", "", Reason::Missing("mapping"));
    refused(
        "\"repositories\": {",
        "\"x\": {",
        "",
        Reason::Missing("repositories"),
    );
}

#[test]
fn m01_a_repository_listed_twice_counts_once() {
    let changed = MAP.replacen("[\"a\", \"b\"]", "[\"a\", \"b\", \"a\"]", 1);
    let map = RepositoryMap::parse(changed.as_bytes()).unwrap();
    let target = path("app/x");
    let first = map.mappings_for(&target).next().unwrap();
    assert_eq!(first.repositories, ["a", "b"]);
}

/// What a repository says about `x`: its length, and digests of some bytes by some algorithms.
fn says(length: u64, hashes: &[(&str, &[u8])], custom: &str) -> Found {
    let mut repository = Repository::new();
    let digests = hashes.iter().map(|&(algorithm, bytes)| {
        let digest = match algorithm {
            "sha256" => sha256(bytes),
            "sha384" => sha384(bytes),
            _ => sha512(bytes),
        };
        (algorithm, text(&digest.to_hex()))
    });
    let mut entry = object([
        ("length", length.into()),
        ("custom", object([("x", text(custom))])),
    ]);
    insert(
        &mut entry,
        &["hashes"],
        digests.collect::<tuffet_core::json::Value>(),
    );
    insert(&mut repository.targets.signed, &["targets", "x"], entry);
    repository.write();
    World::of(repository).find("x").unwrap()
}

fn agreement(threshold: u32, answers: &[(&str, Found)]) -> Result<Vec<String>, (u32, u32)> {
    let map = RepositoryMap::parse(MAP.as_bytes()).unwrap();
    let mut mapping = map.mappings_for(&path("app/x")).next().unwrap().clone();
    mapping.threshold = threshold;
    let mut agreement = Agreement::new(&mapping, path("x"));
    for (repository, found) in answers {
        agreement.add(repository, found.clone());
    }
    match agreement.decide() {
        Ok(agreed) => Ok(agreed.iter().map(|(name, _)| name.clone()).collect()),
        Err(rejected) => {
            assert_eq!(rejected.code(), "map.disagreement");
            let Rejected::Disagreement {
                path: target,
                have,
                need,
            } = rejected
            else {
                panic!("{rejected:?}");
            };
            assert_eq!(target, path("x"));
            Err((have, need))
        }
    }
}

#[test]
fn m01_so_many_repositories_must_agree() {
    let honest = || says(1, &[("sha256", b"1")], "");
    let other = || says(1, &[("sha256", b"2")], "");
    let longer = || says(2, &[("sha256", b"1")], "");
    let names = |names: &[&str]| Ok(names.iter().map(|&name| name.to_owned()).collect());
    assert_eq!(agreement(2, &[]), Err((0, 2)));
    assert_eq!(agreement(1, &[("a", honest())]), names(&["a"]));
    assert_eq!(agreement(2, &[("a", honest())]), Err((1, 2)));
    assert_eq!(
        agreement(2, &[("a", honest()), ("b", honest())]),
        names(&["a", "b"])
    );
    assert_eq!(
        agreement(2, &[("a", honest()), ("b", other())]),
        Err((1, 2))
    );
    assert_eq!(
        agreement(2, &[("a", honest()), ("b", longer())]),
        Err((1, 2)),
        "the length counts too"
    );
    assert_eq!(
        agreement(2, &[("a", honest()), ("b", other()), ("c", honest())]),
        names(&["a", "c"])
    );
    assert_eq!(
        agreement(2, &[("a", honest()), ("a", honest())]),
        Err((1, 2)),
        "one voice each"
    );
    assert_eq!(
        agreement(2, &[("a", honest()), ("a", other()), ("b", other())]),
        Err((1, 2)),
        "and no second thoughts"
    );
    assert_eq!(
        agreement(1, &[("a", other()), ("b", honest()), ("c", honest())]),
        names(&["a"]),
        "the first in order"
    );
}

#[test]
fn m02_custom_data_may_differ_and_hashes_must_have_one_in_common() {
    let short = |custom: &str| says(1, &[("sha256", b"1")], custom);
    let both = |custom: &str| says(1, &[("sha256", b"1"), ("sha512", b"1")], custom);
    let long = || says(1, &[("sha512", b"1")], "");
    let names = |names: &[&str]| Ok(names.iter().map(|&name| name.to_owned()).collect());
    assert_eq!(
        agreement(2, &[("a", short("this")), ("b", short("that"))]),
        names(&["a", "b"])
    );
    assert_eq!(
        agreement(2, &[("a", short("")), ("b", both(""))]),
        names(&["a", "b"])
    );
    assert_eq!(
        agreement(2, &[("a", short("")), ("b", long())]),
        Err((1, 2))
    );
    let half = says(1, &[("sha256", b"1"), ("sha512", b"2")], "");
    assert_eq!(
        agreement(2, &[("a", both("")), ("b", half)]),
        Err((1, 2)),
        "every common hash"
    );
}

#[test]
fn m02_all_who_agree_agree_with_one_another() {
    // `b` and `c` contradict each other, and both could be taken to agree with `a`, who knows less.
    let less = says(1, &[("sha256", b"1")], "");
    let one = says(1, &[("sha256", b"1"), ("sha512", b"1")], "");
    let other = says(1, &[("sha256", b"1"), ("sha512", b"2")], "");
    let answers = [("a", less), ("b", one), ("c", other)];
    assert_eq!(agreement(3, &answers), Err((2, 3)));
    assert_eq!(
        agreement(2, &answers),
        Ok(vec!["a".to_owned(), "b".to_owned()])
    );
}

#[test]
fn o09_repositories_share_neither_roots_nor_stores() {
    let mut one = World::refreshed();
    // Another repository with keys of its own; its client keeps a store of its own.
    let mut other = Repository::new();
    for role in ["timestamp", "snapshot", "targets"] {
        let key = TestKey::new(&format!("other {role}"));
        other.set_role(role, std::slice::from_ref(&key), 1);
        other.document(role).signers = vec![key];
    }
    remove(&mut other.targets.signed, &["targets", "app"]);
    other.write_root();
    other.publish();
    let mut other = World::of(other);
    other.refresh().unwrap();
    assert_eq!(other.find("app").unwrap_err().code(), "target.not-found");
    one.download("app").unwrap();
    // Files of the one are nothing to the other, not even from its store.
    for item in one.store.keys() {
        let mut mixed = other.clone();
        mixed.store.insert(item.clone(), one.store[item].clone());
        mixed.refresh().unwrap();
        let mut expected = other.metadata();
        if *item == Item::Root(version(1)) {
            // The copy of an anchor, which nobody reads as long as it is the anchor.
            expected.insert(item.clone(), one.metadata()[item].clone());
        }
        assert_eq!(mixed.metadata(), expected, "{item}");
    }
}

/// Asks the repositories of a map with these mappings; `f` finds the target, `o` another one, `n` does not have it, `-` is silent.
/// Returns who was asked and the outcome.
fn consult(mappings: &[(&str, u32)], says_what: &str) -> (String, String) {
    let mapping: Vec<String> = mappings
        .iter()
        .map(|(repositories, threshold)| {
            let names: Vec<String> = repositories.chars().map(|name| format!("{name:?}").replace('\'', "\"")).collect();
            format!(
                r#"{{"paths":["*"],"repositories":[{}],"threshold":{threshold},"terminating":false}}"#,
                names.join(",")
            )
        })
        .collect();
    let map = format!(
        r#"{{"repositories":{{"a":["x:"],"b":["x:"],"c":["x:"],"d":["x:"]}},"mapping":[{}]}}"#,
        mapping.join(",")
    );
    let map = RepositoryMap::parse(map.as_bytes()).unwrap();
    let mut consultation = Consultation::new(&map, path("x"));
    let (mut asked, mut answers) = (String::new(), says_what.chars());
    while let Some(repository) = consultation.next() {
        asked.push_str(repository);
        consultation.answer(match answers.next().unwrap() {
            'f' => Voice::Found(says(1, &[("sha256", b"1")], "")),
            'o' => Voice::Found(says(1, &[("sha256", b"2")], "")),
            'n' => Voice::NotFound,
            _ => Voice::Silent,
        });
    }
    assert_eq!(answers.next(), None, "every answer was asked for");
    let outcome = match consultation.finish() {
        Ok(agreed) => agreed.into_iter().map(|(name, _)| name).collect(),
        Err(Rejected::Disagreement { have, need, .. }) => format!("{have} of {need}"),
        Err(rejected) => rejected.code().to_owned(),
    };
    (asked, outcome)
}

#[test]
fn m04_a_weaker_mapping_decides_only_if_silence_could_not_have_changed_the_stronger_one() {
    let two_then_one: &[(&str, u32)] = &[("ab", 2), ("c", 1)];
    let three_then_one: &[(&str, u32)] = &[("abc", 2), ("d", 1)];
    for (mappings, answers, asked, outcome) in [
        (two_then_one, "ff", "ab", "ab"),
        (two_then_one, "nnf", "abc", "c"),
        (two_then_one, "fof", "abc", "c"),
        (two_then_one, "nnn", "abc", "target.not-found"),
        // One of two is missing for good, so who is silent does not matter.
        (two_then_one, "n-f", "abc", "c"),
        (two_then_one, "-nf", "abc", "c"),
        (two_then_one, "f-", "ab", "1 of 2"),
        (two_then_one, "-f", "ab", "1 of 2"),
        (two_then_one, "--", "ab", "0 of 2"),
        (three_then_one, "f-f", "abc", "ac"),
        (three_then_one, "fo-", "abc", "1 of 2"),
        (three_then_one, "nn-f", "abcd", "d"),
        (three_then_one, "n--", "abc", "0 of 2"),
        (&[("a", 1), ("b", 1)], "-", "a", "0 of 1"),
        (&[("a", 1), ("b", 1)], "n-", "ab", "0 of 1"),
    ] {
        let expected = (asked.to_owned(), outcome.to_owned());
        assert_eq!(consult(mappings, answers), expected, "{answers}");
    }
}

#[test]
fn m04_the_disagreement_that_came_nearest_is_reported() {
    let two_then_one: &[(&str, u32)] = &[("ab", 2), ("c", 1)];
    for (mappings, answers, asked, outcome) in [
        (two_then_one, "fnn", "abc", "1 of 2"),
        (&[("ab", 2), ("cd", 2)], "nnfn", "abcd", "1 of 2"),
        // Of two that came as near the first is named.
        (&[("ab", 2), ("bcd", 3)], "fnfnn", "abbcd", "1 of 2"),
        (&[("bcd", 3), ("ab", 2)], "fnnfn", "bcdab", "1 of 3"),
    ] {
        let expected = (asked.to_owned(), outcome.to_owned());
        assert_eq!(consult(mappings, answers), expected, "{answers}");
    }
}

#[test]
fn a17_absence_is_believed_by_all_or_for_a_root_by_one() {
    for (role, absent, failed, lenient, strict) in [
        ("root", 0, 0, false, false),
        ("root", 0, 1, false, false),
        ("root", 1, 0, true, true),
        ("root", 1, 1, true, false),
        ("timestamp", 1, 1, false, false),
        ("timestamp", 2, 0, true, true),
    ] {
        let mut answers = WithoutFile::default();
        (0..absent).for_each(|_| answers.absent());
        (0..failed).for_each(|_| answers.failed());
        let file = RemoteFile {
            role: name(role),
            version: None,
        };
        assert_eq!(answers.mean_absent(&file, &Policy::default()), lenient);
        assert_eq!(answers.mean_absent(&file, &Policy::strict()), strict);
    }
}

#[test]
fn m02_one_hostile_repository_does_not_spoil_the_agreement_of_the_others() {
    let hostile = || says(1, &[("sha256", b"1"), ("sha512", b"evil")], "");
    let short = || says(1, &[("sha256", b"1")], "");
    let full = || says(1, &[("sha256", b"1"), ("sha512", b"1")], "");
    let answers = [
        ("h", hostile()),
        ("a", short()),
        ("b", full()),
        ("c", full()),
    ];
    let names = |names: [&str; 3]| Ok(names.map(str::to_owned).to_vec());
    // Whoever comes first, the three agree.
    for turn in 0..answers.len() {
        let mut turned = answers.clone();
        turned.rotate_left(turn);
        let mut agreed = agreement(3, &turned);
        if let Ok(agreed) = &mut agreed {
            agreed.sort();
        }
        assert_eq!(agreed, names(["a", "b", "c"]), "{turn}");
        assert_eq!(agreement(4, &turned), Err((3, 4)), "{turn}");
    }
}
