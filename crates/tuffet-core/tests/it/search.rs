//! The search through delegations (TUF §5.6.7): rules C-46 to C-50, F-49, F-50, O-08, decisions.

mod paths;

use tuffet_core::json::Value;
use tuffet_core::metadata::{Note, Tolerance};
use tuffet_core::trust::{Event, Found, Item, Rejected, Signers};

use tuffet_testkit::expect::{not_signed, threshold};
use tuffet_testkit::{
    Delegated, Listing, Op, Repository, TestKey, World, edit, insert, name, path, remove, text,
    version,
};

/// A repository whose roles delegate everything to one another, as `delegator -> role`; `->!` terminates.
fn graph(edges: &[&str], targets: &[(&str, &str)]) -> World {
    let mut repository = Repository::new();
    for edge in edges {
        let (delegator, role) = edge
            .split_once(" -> ")
            .or_else(|| edge.split_once(" ->! "))
            .expect("an edge");
        let mut delegated = Delegated::new(role, &["*"]);
        delegated.terminating = edge.contains("->!");
        repository.delegate(delegator, delegated);
    }
    for (role, target) in targets {
        repository.add_target(role, target, format!("{target} of {role}").as_bytes());
    }
    repository.write();
    World::of(repository)
}

/// The roles that a search for a target loads, in order.
fn visited(world: &mut World, target: &str) -> (String, Result<String, Rejected>) {
    let mut view = world.refresh().expect("the refresh is not in question");
    let found = world
        .search(&mut view, target)
        .map(|found| found.role.to_string());
    let roles = world.log.iter().filter_map(|op| match op {
        Op::Load(Item::Role(role)) => Some(role.as_str()),
        _ => None,
    });
    (roles.collect::<Vec<_>>().join(" "), found)
}

fn not_found(target: &str, searched: u32) -> Rejected {
    Rejected::NotFound {
        path: path(target),
        searched,
        limit: false,
    }
}

#[test]
fn c46_the_search_is_depth_first_in_the_order_of_delegations() {
    let mut world = graph(
        &[
            "targets -> a",
            "targets -> b",
            "a -> c",
            "a -> d",
            "c -> e",
            "b -> f",
        ],
        &[],
    );
    assert_eq!(
        visited(&mut world, "x"),
        ("a c e d b f".to_owned(), Err(not_found("x", 7)))
    );
}

#[test]
fn c46_only_roles_on_the_way_are_asked_for() {
    let mut world = graph(
        &["targets -> a", "targets -> b", "a -> c"],
        &[("targets", "top"), ("a", "x")],
    );
    assert_eq!(
        visited(&mut world, "top"),
        (String::new(), Ok("targets".to_owned()))
    );
    assert_eq!(
        visited(&mut world, "x"),
        ("a".to_owned(), Ok("a".to_owned()))
    );
}

#[test]
fn f49_a25_the_order_is_that_of_the_array() {
    let mut world = graph(
        &[
            "targets -> 10",
            "targets -> 2",
            "targets -> 1",
            "targets -> b",
            "targets -> a",
        ],
        &[("1", "x"), ("2", "x"), ("a", "y"), ("b", "y")],
    );
    assert_eq!(
        visited(&mut world, "x"),
        ("10 2".to_owned(), Ok("2".to_owned()))
    );
    assert_eq!(
        visited(&mut world, "y"),
        ("10 2 1 b".to_owned(), Ok("b".to_owned()))
    );
}

#[test]
fn c47_cycles_end() {
    for edges in [
        &["targets -> a", "a -> a"][..],
        &["targets -> a", "a -> b", "b -> a"],
        &["targets -> a", "targets -> b", "a -> b", "b -> a", "a -> a"],
        &["targets -> a", "a -> b", "b -> c", "c -> a", "c -> b"],
    ] {
        let mut world = graph(edges, &[]);
        let roles = world.repository.delegated.len() as u32;
        assert_eq!(
            visited(&mut world, "x").1.unwrap_err(),
            not_found("x", roles + 1)
        );
    }
}

#[test]
fn c47_a_role_is_visited_once() {
    let mut world = graph(
        &["targets -> a", "targets -> b", "a -> c", "b -> c", "c -> d"],
        &[],
    );
    assert_eq!(visited(&mut world, "x").0, "a c d b");
}

#[test]
fn c47_a37_so_many_roles_are_visited_and_no_more() {
    let chain = ["targets -> a", "a -> b", "b -> c"];
    for (limit, loaded, found) in [
        (4, "a b c", true),
        (3, "a b", false),
        (2, "a", false),
        (1, "", false),
    ] {
        let mut world = graph(&chain, &[("c", "x")]);
        world.policy.limits.roles = limit;
        let (roles, outcome) = visited(&mut world, "x");
        assert_eq!(roles, loaded);
        if found {
            assert_eq!(outcome, Ok("c".to_owned()));
        } else {
            let expected = Rejected::NotFound {
                path: path("x"),
                searched: limit,
                limit: true,
            };
            assert_eq!(expected.code(), "target.search-limit");
            assert_eq!(outcome, Err(expected));
        }
    }
    let mut world = graph(&chain, &[]);
    world.policy.limits.roles = 4;
    assert_eq!(
        visited(&mut world, "x").1,
        Err(not_found("x", 4)),
        "the limit was just enough"
    );
    assert_eq!(World::new().policy.limits.roles, 32);
}

#[test]
fn c48_the_first_role_that_lists_the_target_decides() {
    let mut world = graph(
        &["targets -> a", "targets -> b", "a -> c"],
        &[
            ("b", "x"),
            ("c", "x"),
            ("a", "y"),
            ("c", "y"),
            ("targets", "z"),
            ("a", "z"),
        ],
    );
    for (target, role) in [("x", "c"), ("y", "a"), ("z", "targets")] {
        let mut view = world.refresh().unwrap();
        let found = world.search(&mut view, target).unwrap();
        assert_eq!(found.role, name(role));
        found
            .check_bytes(format!("{target} of {role}").as_bytes(), &*world.crypto)
            .unwrap();
    }
}

#[test]
fn c48_f50_nothing_is_searched_after_a_terminating_delegation() {
    let table: [(&[&str], &str); 8] = [
        (&["targets ->! a", "targets -> b"], "a"),
        (&["targets -> a", "targets ->! b", "targets -> c"], "a b"),
        (
            &["targets ->! a", "targets -> b", "a -> c", "a -> d"],
            "a c d",
        ),
        (
            &["targets -> a", "targets -> b", "a ->! c", "a -> d"],
            "a c",
        ),
        (
            &[
                "targets -> a",
                "targets -> b",
                "a -> c",
                "c ->! d",
                "c -> e",
                "a -> f",
            ],
            "a c d",
        ),
        (
            &[
                "targets -> a",
                "targets -> b",
                "a ->! targets2",
                "targets2 -> c",
            ],
            "a targets2 c",
        ),
        (
            &[
                "targets -> a",
                "targets ->! a2",
                "targets -> b",
                "a -> c",
                "c ->! a2",
            ],
            "a c a2",
        ),
        (
            &[
                "targets -> a",
                "targets -> b",
                "b ->! a",
                "b -> c",
                "targets -> d",
            ],
            "a b",
        ),
    ];
    for (edges, expected) in table {
        let mut world = graph(edges, &[]);
        let (roles, outcome) = visited(&mut world, "x");
        assert_eq!(roles, expected, "{edges:?}");
        let searched = expected.split(' ').count() as u32 + 1;
        assert_eq!(outcome, Err(not_found("x", searched)));
    }
}

#[test]
fn f50_a_terminating_delegation_of_other_paths_ends_nothing() {
    let mut repository = Repository::new();
    repository.delegate("targets", Delegated::new("a", &["other/*"]).terminating());
    repository.delegate("targets", Delegated::new("b", &["*"]));
    repository.add_target("b", "x", b"x");
    repository.write();
    assert_eq!(
        visited(&mut World::of(repository), "x"),
        ("b".to_owned(), Ok("b".to_owned()))
    );
}

#[test]
fn c46_a22_a_role_that_is_withheld_or_invalid_ends_the_search() {
    // `b` has the target too: whoever withholds `a` must not be able to choose it.
    let mut start = graph(&["targets -> a", "targets -> b"], &[("a", "x"), ("b", "x")]);
    start.repository.listing = Listing::VersionOnly;
    start.repository.write();
    start.wanted = Some("x");
    let key = TestKey::new("a");
    let delegator = Signers::Delegator(name("targets"));
    let missing = Rejected::Missing {
        role: name("a"),
        version: Some(version(1)),
    };
    start.refuses_with(
        |repository| drop(repository.files.remove("1.a.json")),
        "missing.delegated",
        &missing,
    );
    start.refuses_with(
        |repository| {
            repository.document("a").signers.clear();
            repository.write();
        },
        "threshold.delegated",
        &threshold("a", delegator.clone(), [0, 1], not_signed(&[&key])),
    );
    start.refuses_with(
        |repository| {
            repository.unlisted.insert("a".to_owned());
            remove(&mut repository.snapshot.signed, &["meta", "a.json"]);
            repository.write();
        },
        "missing.entry",
        &Rejected::Unlisted { role: name("a") },
    );
    start.refuses(
        |repository| *repository.file("a") = b"[".to_vec(),
        |rejected| assert_eq!(rejected.code(), "format.delegated"),
    );
    start.refuses(
        |repository| *repository.file("a") = repository.file("b").clone(),
        |rejected| {
            let expected = threshold("a", delegator, [0, 1], not_signed(&[&key]));
            assert_eq!(*rejected, expected, "the file of another role");
        },
    );
}

#[test]
fn a26_a_role_is_verified_for_each_of_its_delegators() {
    // `d` is delegated by `a` to one key and by `b` to another; only the second has signed it.
    let mut repository = Repository::new();
    repository.delegate("targets", Delegated::new("a", &["a/*"]));
    repository.delegate("targets", Delegated::new("b", &["b/*"]));
    let by = |key: &TestKey| Delegated {
        keys: vec![key.clone()],
        ..Delegated::new("d", &["*/*"])
    };
    let [first, second] = TestKey::all(["first", "second"]);
    repository.delegate("a", by(&first));
    repository.delegate("b", by(&second));
    repository.document("d").signers = vec![second.clone()];
    repository.add_target("d", "a/x", b"x");
    repository.add_target("d", "b/x", b"x");
    repository.write();
    let mut world = World::of(repository);
    let refused = threshold(
        "d",
        Signers::Delegator(name("a")),
        [0, 1],
        not_signed(&[&first]),
    );
    let mut view = world.refresh().unwrap();
    assert_eq!(world.search(&mut view, "a/x").unwrap_err(), refused);
    let found = world.search(&mut view, "b/x").unwrap();
    assert_eq!(found.role, name("d"));
    // That `b` vouches for the role, in this view and in the store, says nothing to `a`.
    assert_eq!(world.search(&mut view, "a/x").unwrap_err(), refused);
    world.search(&mut view, "b/x").unwrap();
    assert_eq!(world.story(), "");

    world.repository.document("d").signers = vec![first, second];
    world.repository.publish();
    let mut view = world.refresh().unwrap();
    world.search(&mut view, "a/x").unwrap();
    world.search(&mut view, "b/x").unwrap();
    let story = world.story();
    assert!(
        story.ends_with("\nload d metadata\n"),
        "verified again, from the store: {story}"
    );
    let delegators: Vec<String> = view
        .delegated()
        .map(|(by, role)| format!("{by}:{}", role.role()))
        .collect();
    assert_eq!(delegators, ["targets:a", "targets:b", "a:d", "b:d"]);
}

/// Two true files of `d`: the one that `a` vouches for gives `x` to mallory, the one that `b` vouches for does not.
pub(crate) fn two_files_of_one_role() -> [Repository; 2] {
    let [first, second, mallory, honest] = TestKey::all(["first", "second", "mallory", "honest"]);
    let mut repository = Repository::new();
    repository.listing = Listing::VersionOnly;
    for (by, key) in [("a", &first), ("b", &second)] {
        repository.delegate("targets", Delegated::new(by, &[&format!("{by}/*")]));
        let keys = vec![key.clone()];
        repository.delegate(
            by,
            Delegated {
                keys,
                ..Delegated::new("d", &["*/*"])
            },
        );
    }
    [(first, mallory, "forged"), (second, honest, "true")].map(|(signer, key, content)| {
        let mut repository = repository.clone();
        let keys = vec![key];
        repository.delegate(
            "d",
            Delegated {
                keys,
                ..Delegated::new("x", &["*/*"])
            },
        );
        repository.document("d").signers = vec![signer];
        for target in ["a/1", "b/1"] {
            repository.add_target("x", target, content.as_bytes());
        }
        repository.write();
        repository
    })
}

#[test]
fn a26_a_role_is_verified_for_each_file_of_its_delegator() {
    let [forged, honest] = two_files_of_one_role();
    let mut world = World::of(forged);
    let mut view = world.refresh().unwrap();
    let length = |found: Found| found.target.length;
    assert_eq!(length(world.search(&mut view, "a/1").unwrap()), 6);
    world.repository = honest;
    assert_eq!(length(world.search(&mut view, "b/1").unwrap()), 4);
    let by_whom: Vec<String> = world
        .search(&mut view, "b/1")
        .map(|found| view.proof(&found))
        .unwrap()
        .steps
        .iter()
        .flat_map(|step| step.quorum.counted.iter().map(|key| key.keyid.to_string()))
        .collect();
    let honest = TestKey::new("honest").keyid;
    assert_eq!(by_whom.last(), Some(&honest), "the proof names who signed");
}

#[test]
fn o08_a_delegation_ends_when_its_delegator_says_so() {
    let mut start = graph(&["targets -> a", "targets -> b"], &[("a", "x")]);
    start.wanted = Some("x");
    start.attempt().unwrap();

    let mut world = start.clone();
    let roles = edit(
        &mut world.repository.targets.signed,
        &["delegations", "roles"],
    );
    roles.as_array_mut().unwrap().remove(0);
    world.repository.publish();
    assert_eq!(
        visited(&mut world, "x"),
        ("b".to_owned(), Err(not_found("x", 2)))
    );

    // The key is replaced, and the role as it was is not accepted any more, not even from the store.
    let mut world = start.clone();
    let new = TestKey::new("new");
    insert(
        &mut world.repository.targets.signed,
        &["delegations", "keys", &new.keyid],
        new.object.clone(),
    );
    let keyids = Value::Array(vec![text(&new.keyid)]);
    insert(
        &mut world.repository.targets.signed,
        &["delegations", "roles", "0", "keyids"],
        keyids,
    );
    for document in [
        &mut world.repository.targets,
        &mut world.repository.snapshot,
        &mut world.repository.timestamp,
    ] {
        document.set_version(2);
    }
    world.repository.write();
    let expected = threshold(
        "a",
        Signers::Delegator(name("targets")),
        [0, 1],
        not_signed(&[&new]),
    );
    assert_eq!(visited(&mut world, "x").1, Err(expected));
    assert_eq!(world.fetched(), ["1.a.json"]);
    world.repository.document("a").signers = vec![new];
    world.recovers();
}

#[test]
fn c50_a_target_that_nobody_lists_is_not_found() {
    let mut world = graph(&["targets -> a"], &[]);
    let rejected = world.find("nothing").unwrap_err();
    assert_eq!(rejected, not_found("nothing", 2));
    assert_eq!(rejected.code(), "target.not-found");
    assert_eq!(rejected.class(), tuffet_core::trust::Class::NotFound);
    assert_eq!(rejected.to_string(), "no role lists nothing (2 asked)");
}

#[test]
fn c45_a_search_tells_which_roles_it_has_verified_and_what_it_forgave() {
    let mut world = graph(&["targets -> a"], &[("a", "x")]);
    world
        .repository
        .document("a")
        .expire("2040-01-01T00:00:00.5Z");
    world.repository.write();
    for local in [false, true] {
        let mut view = world.refresh().unwrap();
        for known in [false, true] {
            world.events.clear();
            world.search(&mut view, "x").unwrap();
            let (role, version) = (name("a"), version(1));
            let note = Note {
                tolerance: Tolerance::ExpiresForm,
                field: "signed.expires".to_owned(),
            };
            let expected = [
                Event::Accepted {
                    role: role.clone(),
                    version,
                    local,
                },
                Event::Tolerated { role, note },
            ];
            assert_eq!(world.events, if known { &[][..] } else { &expected });
        }
    }
}
