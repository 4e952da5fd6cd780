//! Errors as people and programs meet them: a stable code that is explained, a class, and a sentence of a certain form.

use std::collections::BTreeSet;
use std::error::Error as _;

use tuffet_core::crypto::HashAlgorithm;
use tuffet_core::explain;
use tuffet_core::json::{FormatError, Reason};
use tuffet_core::metadata::{Note, RoleName, Tolerance};
use tuffet_core::trust::{Class, Event, Item, Rejected, Signers, UncountedReason};

use tuffet_testkit::expect::uncounted;
use tuffet_testkit::{NOW, TestKey, name, path, time, version};

fn of_role(role: &RoleName) -> Vec<Rejected> {
    let role = || role.clone();
    let (expected, offered) = (version(3), version(2));
    let mut reasons = vec![
        UncountedReason::NotSigned,
        UncountedReason::NoValue,
        UncountedReason::Undefined,
        UncountedReason::Invalid,
        UncountedReason::SameKey,
    ];
    reasons.push(UncountedReason::Unsupported(
        "unsupported key a/b: unknown keytype".to_owned(),
    ));
    let key = TestKey::new("key")
        .named("a\u{1b}[31mkey with a name that is longer than any message should be");
    vec![
        Rejected::Format {
            role: role(),
            error: Box::new(FormatError::new(7, Reason::Truncated)),
        },
        Rejected::Threshold {
            role: role(),
            signers: Signers::Root(version(4)),
            have: 1,
            need: 2,
            uncounted: reasons
                .into_iter()
                .map(|reason| uncounted(&key, reason))
                .collect(),
        },
        Rejected::Threshold {
            role: role(),
            signers: Signers::Delegator(name("team")),
            have: 0,
            need: 20,
            uncounted: vec![uncounted(&key, UncountedReason::Invalid); 20],
        },
        Rejected::Version {
            role: role(),
            expected,
            offered,
        },
        Rejected::Rollback {
            role: role(),
            trusted: expected,
            offered,
        },
        Rejected::Removed { role: role() },
        Rejected::Expired {
            role: role(),
            version: offered,
            expires: time(NOW),
            now: time(NOW),
        },
        Rejected::Length {
            role: role(),
            expected: 5,
            exact: true,
            received: 6,
        },
        Rejected::Length {
            role: role(),
            expected: 5,
            exact: false,
            received: 6,
        },
        Rejected::Hash {
            role: role(),
            algorithm: HashAlgorithm::Sha256,
        },
        Rejected::Missing {
            role: role(),
            version: None,
        },
        Rejected::Missing {
            role: role(),
            version: Some(expected),
        },
        Rejected::Unlisted { role: role() },
        Rejected::Unvisited { role: role() },
        Rejected::Backstop {
            role: role(),
            minimum: expected,
            offered,
        },
    ]
}

fn all() -> Vec<Rejected> {
    let roles = [
        "root",
        "timestamp",
        "snapshot",
        "targets",
        "te\u{1b}[2J\u{9b}am\r\n",
    ];
    let mut all: Vec<Rejected> = roles.map(name).iter().flat_map(of_role).collect();
    all.extend(Tolerance::ALL.map(|tolerance| Rejected::Strict {
        role: name("root"),
        note: Note {
            tolerance,
            field: "signed.expires".to_owned(),
        },
    }));
    let item = Item::Role(name("team"));
    all.extend([
        Rejected::NotFound {
            path: path("a\u{1b}[2J/b"),
            searched: 3,
            limit: false,
        },
        Rejected::NotFound {
            path: path("a/b"),
            searched: 3,
            limit: true,
        },
        Rejected::TargetLength {
            path: path("a/b"),
            expected: 3,
            received: 4,
        },
        Rejected::TargetHash {
            path: path("a/b"),
            algorithm: HashAlgorithm::Sha512,
        },
        Rejected::Disagreement {
            path: path("a/b"),
            have: 1,
            need: 2,
        },
        Rejected::Map {
            error: Box::new(FormatError::new(7, Reason::Truncated)),
        },
        Rejected::Clock {
            now: time(NOW),
            last: time(NOW),
        },
        Rejected::Cache { item: Item::Record },
        Rejected::Cache {
            item: Item::Root(version(2)),
        },
        Rejected::Offline { item },
    ]);
    all
}

#[test]
fn o02_every_code_is_explained() {
    let mut used: BTreeSet<&str> = BTreeSet::new();
    for rejected in all() {
        let code = rejected.code();
        let explanation = explain::find(code).unwrap_or_else(|| panic!("{code} is not explained"));
        assert!(
            !explanation.what.is_empty()
                && !explanation.why.is_empty()
                && !explanation.fix.is_empty()
        );
        used.insert(code);
    }
    // The rest are codes of crates that build on this one.
    let others: Vec<&str> = explain::CODES
        .iter()
        .map(|explanation| explanation.code)
        .filter(|code| !used.contains(code))
        .collect();
    assert_eq!(others, ["missing.target"]);
}

#[test]
fn o02_every_error_is_a_fragment_that_does_not_repeat_its_source() {
    for rejected in all() {
        let message = rejected.to_string();
        let first = message.chars().next().expect("a message");
        assert!(first.is_lowercase() || first.is_ascii_digit(), "{message}");
        assert!(!message.ends_with(['.', ' ', '\n']), "{message}");
        assert!(!message.chars().any(char::is_control), "{message:?}");
        assert!(message.len() < 1_000, "{message}");
        if let Some(source) = rejected.source() {
            assert!(!message.contains(&source.to_string()), "{message}");
        }
        let wrapped = tuffet_core::trust::Error::from(rejected.clone());
        assert_eq!(wrapped.to_string(), message);
        assert_eq!(
            wrapped.source().map(ToString::to_string),
            rejected.source().map(ToString::to_string)
        );
    }
}

#[test]
fn o02_what_is_malformed_has_a_source_that_says_where() {
    let error = || Box::new(FormatError::new(7, Reason::Truncated));
    let role = name("root");
    for rejected in [
        Rejected::Format {
            role: role.clone(),
            error: error(),
        },
        Rejected::Map { error: error() },
    ] {
        let source = rejected.source().map(ToString::to_string);
        assert_eq!(source, Some(error().to_string()));
    }
    assert!(Rejected::Removed { role }.source().is_none());
}

#[test]
fn o02_a_threshold_that_is_not_met_names_who_asks_and_up_to_twelve_keys() {
    let key = TestKey::new("key").named("k");
    for (signers, who) in [
        (Signers::Root(version(4)), "root version 4"),
        (Signers::Delegator(name("team")), "team"),
    ] {
        for (count, named, more) in [(0, 0, ""), (1, 1, ""), (12, 12, ""), (13, 12, ", …")] {
            let rejected = Rejected::Threshold {
                role: name("part"),
                signers: signers.clone(),
                have: 1,
                need: 20,
                uncounted: vec![uncounted(&key, UncountedReason::NotSigned); count],
            };
            let keys = vec!["k did not sign"; named].join(", ");
            let colon = if named == 0 { "" } else { ": " };
            assert_eq!(
                rejected.to_string(),
                format!(
                    "part is signed by 1 of the 20 keys that {who} asks for{colon}{keys}{more}"
                )
            );
        }
    }
}

#[test]
fn o02_every_error_has_the_class_that_decides_what_to_do() {
    for rejected in all() {
        let expected = match rejected.code().split('.').next().expect("a family") {
            "expired" => Class::Stale,
            "target" => Class::NotFound,
            "clock" | "cache" | "offline" => Class::Local,
            "map" if rejected.code() == "map.format" => Class::Local,
            _ => Class::Untrustworthy,
        };
        assert_eq!(rejected.class(), expected, "{}", rejected.code());
    }
}

#[test]
fn o02_every_event_is_a_fragment_too() {
    let role = || name("timestamp");
    let note = Note {
        tolerance: Tolerance::ExpiresForm,
        field: "signed.expires".to_owned(),
    };
    let events = [
        (
            Event::Accepted {
                role: role(),
                version: version(2),
                local: false,
            },
            "verified timestamp version 2",
        ),
        (
            Event::Accepted {
                role: role(),
                version: version(2),
                local: true,
            },
            "verified timestamp version 2 from the store",
        ),
        (
            Event::Tolerated { role: role(), note },
            "timestamp: expires-form tolerated in signed.expires",
        ),
        (
            Event::Equivocation {
                role: role(),
                version: version(2),
            },
            "timestamp version 2 exists with different contents; the first was kept",
        ),
        (
            Event::RootLimitReached {
                version: version(9),
            },
            "stopped at root version 9; the next refresh continues",
        ),
        (
            Event::CacheIgnored {
                item: Item::Role(role()),
                reason: Box::new(Rejected::Removed { role: role() }),
            },
            "the stored timestamp metadata was ignored: snapshot no longer lists timestamp",
        ),
        (
            Event::Purged { root: version(2) },
            "root version 2 removed a key: the stored timestamp and snapshot are void",
        ),
        (
            Event::ClockBack {
                now: time(NOW),
                last: time("2030-01-02T00:00:00Z"),
            },
            "the clock says 2030-01-01T00:00:00Z, but the last refresh was at 2030-01-02T00:00:00Z",
        ),
    ];
    for (event, expected) in events {
        assert_eq!(event.to_string(), expected);
    }
}
