//! What a targets role says about the roles it delegates to (TUF §4.5): rules F-43 to F-46, decisions.

use tuffet_core::json::{Reason, Value};
use tuffet_core::metadata::{PathSet, RoleDelegations, Targets};

use super::{ARRAY, BOOLEAN, OBJECT, STRING, accepted, parse, put, refused, repository};
use tuffet_testkit::{edit, insert, path, remove, sha256, text};

#[test]
fn f43_delegations_are_keys_and_an_ordered_list_of_roles() {
    let place = |member| ["delegations", "roles", "0", member];
    let at = |member: &str| format!(".delegations.roles[0]{member}");
    refused::<Targets>(
        "targets",
        &[
            (&["delegations"], "null", ".delegations", OBJECT),
            (&["delegations"], "[]", ".delegations", OBJECT),
            (
                &["delegations", "keys"],
                "",
                ".delegations",
                Reason::Missing("keys"),
            ),
            (
                &["delegations", "roles"],
                "",
                ".delegations",
                Reason::Missing("roles"),
            ),
            (&["delegations", "roles"], "{}", ".delegations.roles", ARRAY),
            (&["delegations", "roles", "0"], "7", &at(""), OBJECT),
            (&place("name"), "", &at(""), Reason::Missing("name")),
            (&place("name"), "7", &at(".name"), STRING),
            (
                &place("name"),
                "\"\"",
                &at(".name"),
                Reason::Invalid("an empty role name"),
            ),
            (
                &place("name"),
                "\"a\\u0000b\"",
                &at(".name"),
                Reason::Invalid("a role name with a NUL character"),
            ),
            (&place("keyids"), "", &at(""), Reason::Missing("keyids")),
            (
                &place("threshold"),
                "",
                &at(""),
                Reason::Missing("threshold"),
            ),
            (
                &place("terminating"),
                "",
                &at(""),
                Reason::Missing("terminating"),
            ),
            (&place("terminating"), "0", &at(".terminating"), BOOLEAN),
            (
                &place("terminating"),
                "\"true\"",
                &at(".terminating"),
                BOOLEAN,
            ),
            (&place("paths"), "\"*\"", &at(".paths"), ARRAY),
            (&place("paths"), "[7]", &at(".paths[0]"), STRING),
        ],
    );
    accepted::<Targets>("targets", &["delegations"], "");
    accepted::<Targets>("targets", &["delegations", "roles"], "[]");
}

#[test]
fn f44_a23_a_role_is_delegated_once_in_a_list() {
    let twice = Reason::Invalid("a role delegated twice");
    refused::<Targets>(
        "targets",
        &[(
            &["delegations", "roles", "1", "name"],
            "\"team\"",
            ".delegations.roles",
            twice,
        )],
    );
}

#[test]
fn a24_no_delegated_role_has_the_name_of_a_top_level_role() {
    let reserved = || Reason::Invalid("a delegated role with the name of a top-level role");
    let place = &["delegations", "roles", "0", "name"][..];
    for name in ["root", "timestamp", "snapshot", "targets"] {
        let json = format!("\"{name}\"");
        refused::<Targets>(
            "targets",
            &[(place, &json, ".delegations.roles[0].name", reserved())],
        );
    }
    for name in ["Root", "mirrors", "root.json", "1.root", "../root"] {
        accepted::<Targets>("targets", place, &format!("\"{name}\""));
    }
}

#[test]
fn f45_a29_paths_or_prefixes_or_neither_and_never_both() {
    let both = Reason::Invalid("paths and path_hash_prefixes together");
    let prefixes = &["delegations", "roles", "0", "path_hash_prefixes"][..];
    refused::<Targets>(
        "targets",
        &[(prefixes, "[\"00\"]", ".delegations.roles[0]", both.clone())],
    );
    refused::<Targets>(
        "targets",
        &[(prefixes, "[]", ".delegations.roles[0]", both)],
    );
    let neither = accepted::<Targets>("targets", &["delegations", "roles", "0", "paths"], "");
    let delegations = neither.unverified().delegations().unwrap();
    let RoleDelegations::Named(roles) = delegations.roles() else {
        panic!("named roles");
    };
    assert!(matches!(roles[0].paths, PathSet::Nothing));
    let path = path("team/tool");
    assert_eq!(roles[0].paths.matching(&path, &sha256(b"team/tool")), None);
}

#[test]
fn f46_a28_prefixes_are_lower_case_hexadecimal() {
    let wrong = || Reason::Invalid("a hash prefix that is not lower-case hexadecimal");
    for prefix in ["AB", "0x", "g", " ", &"a".repeat(65)] {
        let mut repository = repository();
        let role = edit(
            &mut repository.targets.signed,
            &["delegations", "roles", "0"],
        );
        remove(role, &["paths"]);
        insert(
            role,
            &["path_hash_prefixes"],
            Value::Array(vec![text("00"), text(prefix)]),
        );
        let error = parse::<Targets>(&repository.targets.signed).unwrap_err();
        let place = "signed.delegations.roles[0].path_hash_prefixes[1]".to_owned();
        assert_eq!(error, (place, wrong()), "{prefix}");
    }
}

#[test]
fn tap15_bins_or_named_roles_and_never_both() {
    let bins = |members: &str| format!("{{\"keyids\":[\"a\"],\"threshold\":1{members}}}");
    let place = &["delegations", "succinct_roles"][..];
    let good = bins(",\"bit_length\":8,\"name_prefix\":\"bin\"");
    let both = Reason::Invalid("roles and succinct_roles together");
    refused::<Targets>("targets", &[(place, &good, ".delegations", both)]);
    for (members, at, reason) in [
        (",\"name_prefix\":\"b\"", "", Reason::Missing("bit_length")),
        (",\"bit_length\":8", "", Reason::Missing("name_prefix")),
        (
            ",\"bit_length\":0,\"name_prefix\":\"b\"",
            ".bit_length",
            Reason::Invalid("a bit length outside 1 to 32"),
        ),
        (
            ",\"bit_length\":33,\"name_prefix\":\"b\"",
            ".bit_length",
            Reason::Invalid("a bit length outside 1 to 32"),
        ),
        (
            ",\"bit_length\":8,\"name_prefix\":\"\"",
            ".name_prefix",
            Reason::Invalid("a bin name prefix that is empty or contains NUL"),
        ),
    ] {
        let mut signed = repository().targets.signed;
        remove(&mut signed, &["delegations", "roles"]);
        put(&mut signed, place, &bins(members));
        let error = parse::<Targets>(&signed).unwrap_err();
        assert_eq!(
            error,
            (format!("signed.delegations.succinct_roles{at}"), reason)
        );
    }
}
