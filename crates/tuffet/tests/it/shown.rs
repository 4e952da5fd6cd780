//! What people are shown before anything is done: changes that came as files, the names of keys, keys that are not needed.

use std::fs;

use crate::home::{Home, finish};

/// A change of `acme` that adds a target, as a file that was sent and dropped again.
fn sent() -> Home {
    let home = Home::with_repository();
    home.write("new.txt", "new\n");
    home.ok(&["target", "add", "new.txt", "--repo", "acme"]);
    home.ok(&["change", "sign", "--key", "ana", "--repo", "acme"]);
    home.ok(&["change", "send", "c.tuf", "--repo", "acme"]);
    home.ok(&["change", "drop", "--repo", "acme"]);
    home
}

#[test]
fn a_change_file_is_shown_beside_a_copy_and_changes_nothing() {
    let home = sent();
    let show = ["change", "show", "c.tuf", "--repo", "acme"];
    let before = home.all_below("acme");
    let shown = home.ok(&show).out;
    assert!(shown.contains("+ targets › new.txt = "), "{shown}");
    assert!(shown.contains("signed by 1 of 2"), "{shown}");
    assert!(
        shown.contains(": ana ") && shown.contains("waits for ben "),
        "{shown}"
    );
    assert_eq!(home.run(&[&show[..], &["--check"]].concat()).exit, 6);
    let (_, said) = home.json(&show);
    assert_eq!(said[0]["verified"], true);
    assert_eq!(home.all_below("acme"), before);
    // What is open here is another matter, and stays.
    home.ok(&["target", "remove", "app.txt", "--repo", "acme"]);
    assert_eq!(home.json(&show).1, said);
    let open = home.ok(&["change", "show", "--repo", "acme"]).out;
    assert!(open.contains("- targets › app.txt"), "{open}");
}

#[test]
fn a_change_file_without_a_copy_is_shown_as_not_verified() {
    let home = sent();
    let show = ["change", "show", "c.tuf"];
    let shown = home.ok(&show).out;
    assert!(shown.starts_with("NOT VERIFIED: "), "{shown}");
    assert!(shown.contains("\"new.txt\":"), "{shown}");
    assert!(shown.contains("what may be signatures of "), "{shown}");
    let (_, said) = home.json(&show);
    assert_eq!(said[0]["verified"], false);
    assert_eq!(
        said[0]["drafts"][0]["signed_by"].as_array().unwrap().len(),
        1
    );
    home.fails(2, "usage.arguments", &[&show[..], &["--check"]].concat());
}

#[test]
fn a_change_file_is_compared_with_what_is_published_from_a_root_that_is_trusted() {
    let home = sent();
    let against = ["change", "show", "c.tuf", "--against", "web"];
    let shown = home
        .ok(&[&against[..], &["--root", "web/metadata/1.root.json"]].concat())
        .out;
    assert!(shown.contains("targets v1 → v2"), "{shown}");
    assert!(shown.contains("+ targets › new.txt = "), "{shown}");
    assert!(shown.contains("signed by 1 of 2"), "{shown}");
    home.fails(2, "usage.arguments", &against);
    // By the root of somebody else nothing there is trusted.
    home.ok(&["key", "new", "eve", "--no-passphrase"]);
    let init = [
        "init",
        "evil",
        "--root",
        "1of1",
        "--key",
        "eve",
        "--new-online-key",
    ];
    home.ok(&[&init[..], &["--publish-to", "../bad"]].concat());
    home.ok(&["publish", "--repo", "evil"]);
    let run = home.run(&[&against[..], &["--root", "bad/metadata/1.root.json"]].concat());
    assert_eq!(run.exit, 3, "{run:?}");
}

#[test]
fn keys_are_shown_by_the_names_that_this_copy_knows() {
    let home = Home::with_repository();
    home.ok(&["key", "new", "sam", "--no-passphrase"]);
    home.ok(&["key", "rotate", "ben", "--to", "sam", "--repo", "acme"]);
    let (_, keys) = home.json(&["key", "list"]);
    let keys = keys[0]["keys"].as_array().unwrap().clone();
    let named = |name: &str| {
        let key = keys.iter().find(|key| key["name"] == name).unwrap();
        format!("{name} ({}…)", &key["keyid"].as_str().unwrap()[..8])
    };
    let (ana, ben, sam) = (named("ana"), named("ben"), named("sam"));
    let payload = [
        "signature",
        "payload",
        "root",
        "--key",
        "sam",
        "-o",
        "p.bin",
    ];
    for shown in [
        home.ok(&["change", "show", "--repo", "acme"]).out,
        home.ok(&[&payload[..], &["--repo", "acme"]].concat()).err,
    ] {
        let keyids = |line: &&str| line.contains("roles › root › keyids: ");
        let line = shown.lines().find(keyids).unwrap();
        let known = [&ana, &ben, &sam].iter().all(|name| line.contains(*name));
        assert!(known, "{line}");
        assert!(shown.contains(&format!("+ keys › {sam} = ")), "{shown}");
    }
    // A file of a repository that is not managed here: the key directory knows the names.
    let shown = home.ok(&[
        "sign",
        "web/metadata/1.root.json",
        "--key",
        "ana",
        "--dry-run",
    ]);
    assert!(shown.out.contains(&ana), "{shown:?}");
}

#[test]
fn a_name_that_comes_with_a_change_is_given_to_no_key() {
    let home = Home::with_repository();
    home.ok(&["key", "new", "sam", "--no-passphrase"]);
    let theirs = |arguments: &[&str]| {
        let mut command = home.command();
        let run = command.args(arguments);
        let run = finish(run.env("TUFFET_CONFIG_DIR", home.path("theirs")));
        assert_eq!(run.exit, 0, "{run:?}");
    };
    theirs(&["key", "new", "sam", "--no-passphrase"]);
    theirs(&["key", "rotate", "ben", "--to", "sam", "--repo", "acme"]);
    theirs(&["change", "send", "c.tuf", "--repo", "acme"]);
    for show in [
        &["change", "show", "--repo", "acme"][..],
        &["change", "show", "c.tuf", "--repo", "acme"],
        &[
            "change",
            "show",
            "c.tuf",
            "--against",
            "web",
            "--root",
            "web/metadata/1.root.json",
        ],
    ] {
        let shown = home.ok(show).out;
        let mut lines = shown.lines();
        let line = lines.find(|line| line.contains("roles › root › keyids: "));
        let line = line.unwrap();
        assert!(line.contains("ana ("), "{line}");
        assert!(!line.contains("sam ("), "{line}");
    }
}

#[test]
fn a_key_that_signs_nothing_is_refused_by_its_name_or_pointed_out() {
    let home = Home::with_repository();
    home.ok(&["key", "new", "sam", "--no-passphrase"]);
    fn with<'a>(command: &[&'a str]) -> Vec<&'a str> {
        [command, &["--key", "sam", "--repo", "acme"]].concat()
    }
    // Nothing is open: the same command given again after it broke off has to go on.
    for command in [&["publish"][..], &["renew", "timestamp"]] {
        let run = home.ok(&with(command));
        assert!(
            run.said().contains("the key sam: it was not needed"),
            "{run:?}"
        );
        let ana = home.ok(&[command, &["--key", "ana", "--repo", "acme"]].concat());
        assert!(!ana.err.contains("not needed"), "{ana:?}");
    }
    home.ok(&["renew", "targets", "--repo", "acme"]);
    let before = home.all_below("acme");
    for command in [
        &["publish", "--key", "ana", "--key", "ben"][..],
        &["change", "sign"],
    ] {
        let run = home.fails(2, "key.not-needed", &with(command));
        assert!(run.said().contains("to be signed by sam "), "{run:?}");
    }
    assert_eq!(home.all_below("acme"), before);
}

#[test]
fn what_the_policy_forbids_can_be_named_on_the_command_line() {
    let home = Home::with_repository();
    let online = home.path("acme/.tuffet/online.key");
    fs::copy(online, home.path(".config/tuffet/keys/bot.key")).unwrap();
    let rotate = ["key", "rotate", "ben", "--to", "online", "--repo", "acme"];
    let run = home.fails(2, "policy.online-key", &rotate);
    assert!(run.said().contains("--allow policy.online-key"), "{run:?}");
    let allow = ["--allow", "policy.online-key"];
    home.ok(&[&rotate[..], &allow].concat());
    home.ok(&["change", "send", "c.tuf", "--repo", "acme"]);
    let shown = home.ok(&["change", "show", "c.tuf", "--repo", "acme"]);
    assert!(shown.out.contains("root v1 → v2"), "{shown:?}");
    assert!(
        shown.err.contains("it would not be received: "),
        "{shown:?}"
    );
    let (_, said) = home.json(&["change", "show", "c.tuf", "--repo", "acme"]);
    assert_eq!(said[0]["refused"]["code"], "policy.online-key");
    // It holds for that command alone.
    let publish = [
        "publish", "--key", "ana", "--key", "ben", "--key", "bot", "--repo", "acme",
    ];
    home.fails(2, "policy.online-key", &publish);
    home.ok(&[&publish[..], &allow].concat());
    assert!(!home.read("acme/tuffet.toml").contains("allow-online"));
    // What is in force is published again without being asked about.
    home.ok(&["renew", "timestamp", "--repo", "acme"]);
    home.ok(&["publish", "--repo", "acme"]);
    home.fails(
        2,
        "usage.arguments",
        &[&publish[..], &["--allow", "everything"]].concat(),
    );
}

#[test]
fn explain_says_how_commands_end() {
    let home = Home::new();
    let said = home.ok(&["explain", "rollback.timestamp"]).out;
    assert!(said.contains("\nexit  3, not trustworthy"), "{said}");
    let (_, all) = home.json(&["explain"]);
    for code in all[0]["codes"].as_array().unwrap() {
        assert!(!code["exits"].as_array().unwrap().is_empty(), "{code}");
    }
}

#[test]
fn the_version_is_json_where_that_is_asked_for() {
    let home = Home::new();
    let (exit, said) = home.json(&["--version"]);
    assert_eq!((exit, said), home.json(&["version"]));
    assert!(home.ok(&["--version"]).out.starts_with("tuffet "));
}

#[test]
fn several_targets_are_not_saved_as_one_file() {
    let home = Home::with_client();
    let get = ["get", "acme:app.txt", "acme:dir/tool.txt", "-o", "tool.txt"];
    let run = home.fails(2, "usage.arguments", &get);
    assert!(run.said().contains("has to be a directory"), "{run:?}");
    assert_eq!(home.read("tool.txt"), "tool 1\n");
}

#[test]
fn what_was_not_meant_is_answered_with_what_was() {
    let home = Home::with_repository();
    // A second repository is refused before anything is asked.
    home.fails(9, "repo.exists", &["init", "acme"]);
    let run = home.fails(4, "verify.layout", &["serve", "--repo", "acme"]);
    assert!(run.said().contains("tuffet serve acme/../web"), "{run:?}");
    // What the environment says is no part of the line to type.
    let mut get = home.command();
    get.arg("get").env("TUFFET_REPO", "acme");
    let run = finish(
        get.env("TUFFET_CONFIG_DIR", "c")
            .env("TUFFET_DATA_DIR", "d"),
    );
    assert!(run.said().contains("fix tuffet get <NAME:PATH>"), "{run:?}");
}

#[cfg(unix)]
#[test]
fn a_pipe_is_no_target() {
    let home = Home::with_repository();
    let made = home.program("mkfifo").arg("pipe").status().unwrap();
    assert!(made.success());
    let run = home.fails(
        2,
        "usage.arguments",
        &["target", "add", "pipe", "--repo", "acme"],
    );
    assert!(run.said().contains("pipe is no file"), "{run:?}");
}
