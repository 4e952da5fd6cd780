//! What is asked of roles, and taking edits back.

use crate::home::Home;

#[test]
fn a_threshold_and_a_period_are_set_and_shown() {
    let home = Home::with_client();
    let shown = home.ok(&["role", "show", "targets", "--repo", "acme"]).out;
    for part in [
        "targets, whose keys root names",
        "2 of ana ",
        "has signed this version",
        "tuffet.toml asks for at least 2 signatures, valid for 90d",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    home.ok(&[
        "role",
        "set",
        "targets",
        "--threshold",
        "1",
        "--period",
        "60d",
        "--repo",
        "acme",
    ]);
    assert!(home.read("acme/tuffet.toml").contains("60d"));
    let shown = home.ok(&["change", "show", "--repo", "acme"]).out;
    assert!(
        shown.contains("roles › targets › threshold: 2 → 1"),
        "{shown}"
    );
    assert!(
        shown.contains("tuffet.toml will ask of targets: threshold 1, 60d"),
        "{shown}"
    );
    home.publish();
    home.write("new.txt", "new\n");
    home.ok(&["target", "add", "new.txt", "--repo", "acme"]);
    home.ok(&["publish", "--key", "ana", "--repo", "acme"]);
    home.ok(&["get", "acme:new.txt", "-o", "got.txt"]);
    let listed = home.ok(&["role", "list", "--repo", "acme"]).out;
    assert!(listed.contains("60d"), "{listed}");
}

#[test]
fn what_cannot_be_asked_is_refused() {
    let home = Home::with_repository();
    fn set<'w>(words: &[&'w str]) -> Vec<&'w str> {
        [&["role", "set"], words, &["--repo", "acme"]].concat()
    }
    home.fails(
        2,
        "policy.too-few-keys",
        &set(&["root", "--threshold", "3"]),
    );
    home.fails(2, "role.unsuited", &set(&["timestamp", "--expires", "1d"]));
    home.fails(4, "role.unknown", &set(&["nobody", "--threshold", "1"]));
    home.fails(2, "usage.arguments", &set(&["root"]));
    home.fails(2, "usage.arguments", &set(&["root", "--threshold", "0"]));
    let none = ["--keys", "ana", "--threshold", "0", "--repo", "acme"];
    let add = ["delegate", "add", "t", "--paths", "t/*"];
    home.fails(2, "usage.arguments", &[&add[..], &none].concat());
    let new = ["channel", "new", "z"];
    home.fails(2, "usage.arguments", &[&new[..], &none].concat());
    home.fails(2, "usage.arguments", &set(&["root", "--period", "1y"]));
    home.fails(
        4,
        "role.unknown",
        &["role", "show", "nobody", "--repo", "acme"],
    );
}

#[test]
fn the_last_edit_is_taken_back_until_somebody_has_signed() {
    let home = Home::with_repository();
    home.fails(2, "change.none", &["undo", "--repo", "acme"]);
    home.write("new.txt", "new\n");
    home.ok(&["target", "add", "new.txt", "--repo", "acme"]);
    home.ok(&["target", "remove", "app.txt", "--repo", "acme"]);
    let run = home.ok(&["undo", "--dry-run", "--repo", "acme"]);
    assert!(
        run.err.contains("Restored  the draft of targets"),
        "{}",
        run.err
    );
    home.ok(&["undo", "--repo", "acme"]);
    let listed = home.ok(&["target", "list", "--repo", "acme"]).out;
    assert!(
        listed.contains("new.txt") && listed.contains("app.txt"),
        "{listed}"
    );
    home.ok(&["change", "sign", "--key", "ana", "--repo", "acme"]);
    let run = home.fails(9, "change.signed", &["undo", "--repo", "acme"]);
    assert!(run.said().contains("tuffet change drop"), "{}", run.err);
    home.ok(&["change", "drop", "--repo", "acme"]);
}

#[test]
fn what_somebody_has_signed_is_edited_only_when_that_is_said() {
    let home = Home::with_repository();
    home.write("new.txt", "new\n");
    home.ok(&["target", "add", "new.txt", "--repo", "acme"]);
    // With a time of its own, so that an edit in the same second is one, too.
    let brief = [
        "role",
        "set",
        "targets",
        "--expires",
        "9d",
        "--repo",
        "acme",
    ];
    home.ok(&brief);
    home.ok(&["change", "sign", "--key", "ana", "--repo", "acme"]);
    for edit in [
        &["target", "add", "new.txt", "--name", "x"][..],
        &["target", "remove", "app.txt"],
        &["target", "yank", "app.txt"],
        &["channel", "new", "beta"],
        &["role", "set", "targets", "--expires", "8d"],
        &["delegate", "add", "t", "--paths", "t/*", "--keys", "ben"],
        &["renew", "targets"],
        &["undo"],
    ] {
        let edit = [edit, &["--repo", "acme"]].concat();
        let run = home.fails(9, "change.signed", &edit);
        assert!(
            run.said().contains("targets is signed by ana "),
            "{}",
            run.err
        );
        assert!(run.said().contains("--discard-signatures"), "{}", run.err);
        let edit = [&edit[..], &["--discard-signatures", "--dry-run"]].concat();
        let run = home.ok(&edit);
        assert!(
            run.said()
                .contains("Discarded what was signed of targets v"),
            "{}",
            run.err
        );
    }
    let shown = home.ok(&["change", "show", "--repo", "acme"]).out;
    assert!(shown.contains("signed by 1 of 2"), "{shown}");
}

#[test]
fn a_change_that_cannot_be_read_is_dropped() {
    let home = Home::with_repository();
    home.write("acme/.tuffet/change.json", "{");
    for command in [&["undo"][..], &["status"], &["target", "add", "app.txt"]] {
        let run = home.fails(1, "repo.format", &[command, &["--repo", "acme"]].concat());
        assert!(run.said().contains("tuffet change drop"), "{}", run.err);
    }
    let run = home.ok(&["change", "drop", "--repo", "acme"]);
    assert!(run.said().contains("change.damaged.json"), "{}", run.err);
    assert_eq!(home.read("acme/.tuffet/change.damaged.json"), "{");
    home.fails(2, "change.none", &["change", "drop", "--repo", "acme"]);
}

#[test]
fn a_dry_run_says_what_would_be_done_and_does_nothing() {
    let home = Home::with_client();
    home.ok(&["key", "new", "sam", "--no-passphrase"]);
    let team = ["--paths", "team/*", "--keys", "sam", "--repo", "acme"];
    home.ok(&[&["delegate", "add", "team"][..], &team].concat());
    for name in ["beta", "stable"] {
        home.ok(&["channel", "new", name, "--keys", "sam", "--repo", "acme"]);
    }
    home.ok(&[
        "target",
        "add",
        "app.txt",
        "--channel",
        "beta",
        "--repo",
        "acme",
    ]);
    home.ok(&[
        "target", "add", "tool.txt", "--as", "team", "--repo", "acme",
    ]);
    let signed = [
        "--key", "ana", "--key", "ben", "--key", "sam", "--repo", "acme",
    ];
    home.ok(&[&["publish"][..], &signed].concat());
    home.ok(&["target", "add", "app.txt", "--name", "x", "--repo", "acme"]);
    // The team signs the next version of its role elsewhere.
    std::fs::create_dir(home.path("copy")).unwrap();
    for (path, content) in home.all_below("acme") {
        let path = path.strip_prefix(home.path("acme")).unwrap().to_owned();
        let path = home.path("copy").join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }
    home.ok(&["change", "drop", "--repo", "copy"]);
    home.ok(&["renew", "team", "--repo", "copy"]);
    home.ok(&[
        "publish",
        "--key",
        "sam",
        "--to",
        "elsewhere",
        "--repo",
        "copy",
    ]);

    let before = home.all_below("acme");
    for words in [
        &["delegate", "add", "more", "--paths", "m/*", "--keys", "sam"][..],
        &["delegate", "remove", "team"],
        &[
            "delegate",
            "accept",
            "team",
            "elsewhere/metadata/2.team.json",
        ],
        &["channel", "new", "nightly"],
        &[
            "channel", "promote", "app.txt", "--from", "beta", "--to", "stable",
        ],
        &[
            "role",
            "set",
            "targets",
            "--threshold",
            "1",
            "--period",
            "9d",
        ],
        &["target", "add", "tool.txt", "--name", "y", "--sha512"],
        &["target", "remove", "x"],
        &["target", "yank", "app.txt"],
        &["undo"],
    ] {
        let run = home.ok(&[words, &["--dry-run", "--repo", "acme"]].concat());
        assert!(
            run.err.contains("this was a dry run"),
            "{words:?}: {}",
            run.err
        );
        assert!(run.err.lines().count() > 1, "{words:?}: {}", run.err);
        assert_eq!(home.all_below("acme"), before, "{words:?}");
        let (exit, objects) = home.json(&[words, &["--dry-run", "--repo", "acme"]].concat());
        assert_eq!(
            (exit, &objects[0]["dry_run"]),
            (0, &true.into()),
            "{words:?}"
        );
    }
}
