//! `--json`: one object for each command, or one a line for streams, and a versioned schema in each.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use crate::home::Home;

const KEY: &str = ".config/tuffet/keys/ben.key";

#[test]
fn every_command_answers_in_json() {
    let home = Home::with_client();
    home.write("new.txt", "new\n");
    home.ok(&["key", "new", "sam", "--no-passphrase"]);
    home.ok(&["key", "new", "ben-2", "--no-passphrase"]);
    let cases: &[(&str, &[&str])] = &[
        (
            "get",
            &["get", "acme:app.txt", "-o", "saved.txt", "--explain"],
        ),
        (
            "verify",
            &["verify", "web", "--root", "web/metadata/1.root.json"],
        ),
        ("inspect", &["inspect", "web/metadata/1.root.json"]),
        ("explain", &["explain"]),
        ("explain", &["explain", "hash.target"]),
        ("trust-list", &["trust", "list"]),
        ("trust-show", &["trust", "show", "acme"]),
        (
            "trust-add",
            &[
                "trust",
                "add",
                "other",
                "web",
                "--root",
                "web/metadata/1.root.json",
            ],
        ),
        ("trust-remove", &["trust", "remove", "other", "--yes"]),
        ("key-new", &["key", "new", "lin", "--no-passphrase"]),
        (
            "init",
            &[
                "init",
                "second",
                "--root",
                "1of1",
                "--key",
                "ana",
                "--new-online-key",
            ],
        ),
        (
            "target-add",
            &["target", "add", "new.txt", "--repo", "acme"],
        ),
        (
            "delegate-add",
            &[
                "delegate", "add", "team", "--paths", "team/*", "--keys", "sam,ana", "--repo",
                "acme",
            ],
        ),
        (
            "publish",
            &[
                "publish", "--repo", "acme", "--key", "ana", "--key", "ben", "--key", "sam",
            ],
        ),
        (
            "channel-new",
            &["channel", "new", "beta", "--keys", "sam", "--repo", "acme"],
        ),
        (
            "channel-new",
            &[
                "channel", "new", "stable", "--keys", "sam", "--repo", "acme",
            ],
        ),
        ("channel-list", &["channel", "list", "--repo", "acme"]),
        (
            "target-add",
            &[
                "target",
                "add",
                "new.txt",
                "--channel",
                "beta",
                "--repo",
                "acme",
            ],
        ),
        (
            "channel-promote",
            &[
                "channel", "promote", "new.txt", "--from", "beta", "--to", "stable", "--repo",
                "acme",
            ],
        ),
        (
            "channel-show",
            &["channel", "show", "stable", "--repo", "acme"],
        ),
        (
            "target-show",
            &["target", "show", "new.txt", "--repo", "acme"],
        ),
        (
            "target-yank",
            &["target", "yank", "new.txt", "--repo", "acme"],
        ),
        ("undo", &["undo", "--repo", "acme"]),
        ("role-list", &["role", "list", "--repo", "acme"]),
        ("role-show", &["role", "show", "team", "--repo", "acme"]),
        (
            "role-set",
            &["role", "set", "team", "--period", "20d", "--repo", "acme"],
        ),
        ("delegate-list", &["delegate", "list", "--repo", "acme"]),
        (
            "delegate-show",
            &["delegate", "show", "team", "--repo", "acme"],
        ),
        (
            "delegate-remove",
            &["delegate", "remove", "team", "--repo", "acme"],
        ),
        ("change-drop", &["change", "drop", "--repo", "acme"]),
        ("status", &["status", "--repo", "acme"]),
        ("target-list", &["target", "list", "--repo", "acme"]),
        ("renew", &["renew", "targets", "--repo", "acme"]),
        ("change-show", &["change", "show", "--repo", "acme"]),
        ("change-list", &["change", "list", "--repo", "acme"]),
        ("change-diff", &["change", "diff", "--repo", "acme"]),
        (
            "change-sign",
            &["change", "sign", "--key", "ana", "--repo", "acme"],
        ),
        (
            "change-send",
            &["change", "send", "c.tuf", "--repo", "acme"],
        ),
        (
            "change-receive",
            &["change", "receive", "c.tuf", "--repo", "acme"],
        ),
        (
            "target-remove",
            &[
                "target",
                "remove",
                "app.txt",
                "--discard-signatures",
                "--repo",
                "acme",
            ],
        ),
        ("change-drop", &["change", "drop", "--repo", "acme"]),
        (
            "key-rotate",
            &["key", "rotate", "ben", "--to", "ben-2", "--repo", "acme"],
        ),
        ("key-list", &["key", "list"]),
        ("key-show", &["key", "show", "ana"]),
        ("key-test", &["key", "test", "ana"]),
        ("key-import", &["key", "import", "ana"]),
        ("key-export-public", &["key", "export-public", "ana"]),
        ("key-add", &["key", "add", "vault", KEY]),
        ("key-doctor", &["key", "doctor"]),
        (
            "key-revoke",
            &["key", "revoke", "sam", "--repo", "acme", "--dry-run"],
        ),
        ("completions", &["completions", "fish"]),
        ("man", &["man"]),
        ("man", &["man", "pages"]),
        ("version", &["version"]),
        ("exit-codes", &["exit-codes"]),
    ];
    for (schema, arguments) in cases {
        let (exit, objects) = home.json(arguments);
        assert_eq!(exit, 0, "{arguments:?}: {objects:?}");
        assert_eq!(objects.len(), 1, "{arguments:?}: {objects:?}");
        let form = if *schema == "verify" { 2 } else { 1 };
        assert_eq!(
            objects[0]["schema"],
            format!("tuffet.{schema}/{form}"),
            "{arguments:?}"
        );
    }
}

#[test]
fn a_failure_is_one_object_with_its_code_and_exit() {
    let home = Home::with_client();
    for (exit, code, command, arguments) in [
        (4, "target.not-found", "get", &["get", "acme:nothing"][..]),
        (4, "explain.unknown", "explain", &["explain", "nothing"]),
        (2, "usage.arguments", "usage", &["get", "--nothing"]),
        (
            2,
            "usage.no-terminal",
            "trust-remove",
            &["trust", "remove", "acme"],
        ),
        (
            9,
            "trust.exists",
            "trust-add",
            &[
                "trust",
                "add",
                "acme",
                "web",
                "--root",
                "web/metadata/1.root.json",
            ],
        ),
    ] {
        let (ended, objects) = home.json(arguments);
        assert_eq!(ended, exit, "{arguments:?}: {objects:?}");
        let [object] = objects.as_slice() else {
            panic!("{arguments:?}: {objects:?}");
        };
        assert_eq!(object["schema"], "tuffet.error/1");
        assert_eq!(object["command"], command);
        assert_eq!(object["error"]["code"], code);
        assert_eq!(object["error"]["exit"], exit);
        assert!(object["error"]["why"].is_string() && object["error"]["fix"].is_array());
    }
}

#[test]
fn json_comes_without_talk() {
    let home = Home::with_client();
    let run = home.ok(&["get", "acme:app.txt", "-o", "saved.txt", "--json"]);
    assert_eq!(run.err, "");
}

#[test]
fn serve_says_its_url_in_json() {
    let home = Home::with_repository();
    let mut child = home
        .command()
        .args(["serve", "web", "--listen", "127.0.0.1:0", "--json"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    let object: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!(object["schema"], "tuffet.serve/1");
    assert!(
        object["url"]
            .as_str()
            .unwrap()
            .starts_with("http://127.0.0.1:")
    );
}

#[test]
fn the_proof_is_data() {
    let home = Home::with_client();
    let (_, objects) = home.json(&["get", "acme:dir/tool.txt", "--explain"]);
    let target = &objects[0]["targets"][0];
    assert_eq!(target["file"], "dir/tool.txt");
    assert_eq!(target["role"], "targets");
    let steps = target["proof"]["steps"].as_array().unwrap();
    let roles: Vec<&str> = steps
        .iter()
        .map(|step| step["role"].as_str().unwrap())
        .collect();
    assert_eq!(roles, ["root", "timestamp", "snapshot", "targets"]);
    assert_eq!(steps[0]["threshold"], 2);
    assert_eq!(steps[0]["counted"].as_array().unwrap().len(), 2);
}

#[test]
fn actions_say_for_programs_what_they_say_for_people() {
    let home = Home::with_repository();
    home.write("new.txt", "new\n");
    let did = |arguments: &[&str], verb: &str| {
        let (exit, said) = home.json(&[arguments, &["--repo", "acme"]].concat());
        assert_eq!(exit, 0, "{said:?}");
        let actions = said[0]["actions"].as_array().unwrap();
        let found = actions.iter().find(|action| action["verb"] == verb);
        found
            .unwrap_or_else(|| panic!("{verb} in {actions:?}"))
            .clone()
    };
    let added = did(&["target", "add", "new.txt"], "Added");
    assert_eq!(
        (&added["path"], &added["length"]),
        (&"new.txt".into(), &4.into())
    );
    assert_eq!(added["hashes"]["sha256"].as_str().unwrap().len(), 64);
    let keys = ["--key", "ana", "--key", "ben"];
    let signed = did(&[&["change", "sign"], &keys[..]].concat(), "Signed");
    assert_eq!(signed["key"]["keyid"].as_str().unwrap().len(), 64);
    assert_eq!(signed["needs"][0]["need"], 2, "{signed}");
    let published = did(&["publish"], "Published");
    assert!(
        published["expires"].as_str().unwrap().ends_with('Z'),
        "{published}"
    );
}

#[test]
fn warnings_are_part_of_the_object() {
    let home = Home::new();
    let run = home.ok(&["key", "new", "plain", "--no-passphrase", "--json"]);
    assert_eq!(run.err, "");
    let said: serde_json::Value = serde_json::from_str(&run.out).unwrap();
    let warning = said["warnings"][0].as_str().unwrap();
    assert!(warning.contains("not encrypted"), "{said}");
}
