//! Incidents with keys: what they mean, said before anything is done, and what is done.

use crate::home::Home;

fn new_key(home: &Home, name: &str) {
    home.ok(&["key", "new", name, "--no-passphrase"]);
}

#[test]
fn a_plan_says_what_a_thief_can_do_and_changes_nothing() {
    let home = Home::with_client();
    let before = home.all_below("acme");
    let out = home
        .ok(&[
            "recover", "targets", "--lost", "ben", "--plan", "--repo", "acme",
        ])
        .out;
    for line in [
        "in foreign hands: ben ",
        "root: nothing can be signed: 1 of the 2 signatures it needs can be forged",
        "targets: nothing can be signed: 1 of the 2 signatures it needs can be forged",
        "clients: no client can have been misled by these keys alone",
        "1. make a new key for each that goes",
    ] {
        assert!(out.contains(line), "{line}\n{out}");
    }
    let (_, plans) = home.json(&["recover", "timestamp", "--plan", "--repo", "acme"]);
    assert_eq!(plans[0]["outcome"], "recover-by-themselves");
    assert_eq!(plans[0]["roles"][1]["role"], "timestamp");
    let out = home
        .ok(&["recover", "lost-key", "ben", "--plan", "--repo", "acme"])
        .out;
    assert!(out.contains("too few keys of root are left"), "{out}");
    home.fails(
        10,
        "recover.too-late",
        &[
            "recover", "lost-key", "ben", "--new", "ana", "--repo", "acme",
        ],
    );
    home.fails(
        2,
        "recover.keys",
        &["recover", "timestamp", "--repo", "acme"],
    );
    assert_eq!(home.all_below("acme"), before);
}

#[test]
fn r17_stolen_online_keys_are_replaced_and_clients_go_on() {
    let home = Home::with_client();
    home.ok(&["get", "acme:app.txt", "-o", "first"]);
    new_key(&home, "online-2");
    home.ok(&[
        "recover",
        "timestamp",
        "--new",
        "online-2",
        "--repo",
        "acme",
    ]);
    home.ok(&[
        "change", "sign", "--key", "ana", "--key", "ben", "--repo", "acme",
    ]);
    // The key of automation is the old one: it does not sign what comes.
    std::fs::remove_file(home.path("acme/.tuffet/online.key")).unwrap();
    home.ok(&["publish", "--key", "online-2", "--repo", "acme"]);
    let run = home.ok(&["get", "acme:app.txt", "-o", "second"]);
    assert!(run.err.contains("root v2"), "{}", run.err);
}

#[test]
fn k02_a_key_that_is_lost_is_replaced_while_enough_are_left() {
    let home = Home::new();
    for key in ["ana", "ben", "vault"] {
        new_key(&home, key);
    }
    home.found(&[
        "--root", "2of3", "--key", "ana", "--key", "ben", "--public", "vault",
    ]);
    home.ok(&["publish", "--repo", "acme"]);
    new_key(&home, "vault-2");
    home.ok(&[
        "recover", "lost-key", "vault", "--new", "vault-2", "--repo", "acme",
    ]);
    home.ok(&["publish", "--key", "ana", "--key", "ben", "--repo", "acme"]);
    home.ok(&["verify", "web", "--root", "web/metadata/1.root.json"]);
}

#[test]
fn the_command_has_to_be_about_a_role_that_the_keys_are_of() {
    let home = Home::with_client();
    new_key(&home, "sam");
    let add = ["delegate", "add", "edge", "--paths", "edge/*", "--keys"];
    home.ok(&[&add[..], &["sam", "--repo", "acme"]].concat());
    let keys = ["--key", "ana", "--key", "ben", "--key", "sam"];
    home.ok(&[&["publish", "--repo", "acme"], &keys[..]].concat());
    let before = home.all_below("acme");
    for (command, key, right) in [
        ("root", "sam", "use tuffet recover targets"),
        ("root", "online", "use tuffet recover snapshot"),
        ("targets", "online", "use tuffet recover snapshot"),
    ] {
        for more in [&["--plan"][..], &["--new", "ana"]] {
            let recover = ["recover", command, "--lost", key, "--repo", "acme"];
            let run = home.fails(2, "usage.arguments", &[&recover[..], more].concat());
            assert!(run.err.contains(right), "{command} {key}: {}", run.err);
        }
    }
    assert_eq!(home.all_below("acme"), before);
    // One key with a place is enough: the others are those of automation.
    for (command, key) in [("root", "ben"), ("targets", "ben"), ("targets", "sam")] {
        let recover = ["recover", command, "--lost", key, "--lost", "online"];
        home.ok(&[&recover[..], &["--plan", "--repo", "acme"]].concat());
    }
}

#[test]
fn r14_a_recovery_goes_on_over_what_a_thief_has_left() {
    let home = Home::with_client();
    home.ok(&["get", "acme:app.txt", "-o", "first"]);
    let left = ["2.root.json", "2.targets.json", "2.snapshot.json"];
    for name in left {
        home.write(&format!("web/metadata/{name}"), "left by a thief");
    }
    home.run(&["get", "acme:app.txt", "-o", "second"]);
    new_key(&home, "ben-2");
    new_key(&home, "online-2");
    let lost = ["recover", "targets", "--lost", "ben", "--lost", "online"];
    let new = ["--new", "ben-2", "--new", "online-2", "--repo", "acme"];
    let run = home.ok(&[&lost[..], &new[..]].concat());
    for gone in ["Gave up targets v2", "Gave up snapshot v2"] {
        let said = run.err.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(said.contains(gone), "{}", run.err);
    }
    let shown = home.ok(&["change", "show", "--repo", "acme"]).out;
    assert!(shown.contains("targets v1 → v3"), "{shown}");
    assert!(shown.contains("targets v2 is given up"), "{shown}");
    let sign = ["change", "sign", "--key", "ana", "--key", "ben"];
    let signed = home.ok(&[&sign[..], &["--key", "ben-2", "--repo", "acme"]].concat());
    assert!(signed.err.contains("targets v2 is given up"), "{signed:?}");
    std::fs::remove_file(home.path("acme/.tuffet/online.key")).unwrap();
    let publish = ["publish", "--key", "online-2", "--repo", "acme"];
    let run = home.fails(9, "version.reused", &publish);
    assert!(
        run.err.contains("tuffet publish --replace 2.root.json"),
        "{}",
        run.err
    );
    home.ok(&[&publish[..], &["--replace", "2.root.json"]].concat());
    let run = home.ok(&["get", "acme:app.txt", "-o", "third"]);
    assert!(run.err.contains("root v2"), "{}", run.err);
    home.ok(&["verify", "web", "--root", "web/metadata/1.root.json"]);
}
