//! Other implementations read what tuffet writes, and the other way round.
//!
//! They run when `TUFFET_PEERS` says where `cargo xtask test` has installed them.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::home::{Home, finish};

/// The directory of the peers' programs and scripts, or why there is none.
fn peer(program: &str) -> Option<PathBuf> {
    let Some(directory) = std::env::var_os("TUFFET_PEERS").map(PathBuf::from) else {
        println!("skipped: TUFFET_PEERS does not say where other implementations are");
        return None;
    };
    let program = directory.join(program);
    if program.exists() {
        return Some(program);
    }
    println!("skipped: no {}", program.display());
    None
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/peers")
        .join(name)
}

/// A repository with delegated roles, a target that was promoted from one channel to another, and a rotated root.
fn published() -> Home {
    let home = Home::with_repository();
    for key in ["sam", "ben-2"] {
        home.ok(&["key", "new", key, "--no-passphrase"]);
    }
    home.ok(&[
        "delegate", "add", "team", "--paths", "team/*", "--keys", "sam", "--repo", "acme",
    ]);
    home.ok(&[
        "target",
        "add",
        "tool.txt",
        "--name",
        "team/tool.txt",
        "--as",
        "team",
        "--repo",
        "acme",
    ]);
    for channel in ["beta", "stable"] {
        home.ok(&["channel", "new", channel, "--keys", "sam", "--repo", "acme"]);
    }
    let beta = ["--channel", "beta", "--sha512", "--repo", "acme"];
    home.ok(&[&["target", "add", "app.txt"][..], &beta].concat());
    let stable = ["--from", "beta", "--to", "stable", "--repo", "acme"];
    home.ok(&[&["channel", "promote", "app.txt"][..], &stable].concat());
    home.ok(&["key", "rotate", "ben", "--to", "ben-2", "--repo", "acme"]);
    home.ok(&[
        "publish", "--repo", "acme", "--key", "ana", "--key", "ben", "--key", "ben-2", "--key",
        "sam",
    ]);
    home
}

/// Lets a peer update from the repository of tuffet; it has to end with the same versions and contents.
fn reads(client: &mut Command, home: &Home, targets: &[(&str, &str)]) {
    let server = home.serve("web");
    let names: Vec<&str> = targets.iter().map(|(name, _)| *name).collect();
    let run = finish(
        client
            .args([
                format!("{}/metadata/", server.url),
                format!("{}/targets/", server.url),
            ])
            .arg(home.path("web/metadata/1.root.json"))
            .arg(home.path("peer"))
            .args(names)
            .current_dir(home.path("")),
    );
    assert_eq!(run.exit, 0, "{run:?}");
    let report: Value = serde_json::from_str(&run.out).unwrap();
    assert_eq!(report["versions"]["root"], 2, "{report}");
    for (name, text) in targets {
        assert_eq!(
            report["targets"][name]["length"],
            text.len(),
            "{name}: {report}"
        );
    }
}

const EVERY_TARGET: [(&str, &str); 4] = [
    ("app.txt", "application 1\n"),
    ("dir/tool.txt", "tool 1\n"),
    ("team/tool.txt", "tool 1\n"),
    ("stable/app.txt", "application 1\n"),
];

#[test]
fn python_tuf_reads_what_tuffet_publishes() {
    let Some(python) = peer("python/bin/python") else {
        return;
    };
    let mut client = Command::new(python);
    reads(
        client.arg(script("python_client.py")),
        &published(),
        &EVERY_TARGET,
    );
}

#[test]
fn tuf_js_reads_what_tuffet_publishes() {
    let Some(modules) = peer("js/node_modules") else {
        return;
    };
    let mut client = Command::new("node");
    client.env("NODE_PATH", modules).arg(script("js_client.js"));
    reads(&mut client, &published(), &EVERY_TARGET);
}

#[test]
fn sigstore_tuf_reads_what_tuffet_publishes() {
    let Some(client) = peer("rust/debug/sigstore_tuf_client") else {
        return;
    };
    reads(&mut Command::new(client), &published(), &EVERY_TARGET);
}

#[test]
fn tuffet_reads_what_python_tuf_publishes() {
    let Some(python) = peer("python/bin/python") else {
        return;
    };
    for options in [
        &[][..],
        &["--bins", "succinct"],
        &["--bins", "prefixes"],
        &["--plain"],
    ] {
        let home = Home::new();
        let mut make = Command::new(&python);
        let made = finish(
            make.arg(script("python_repository.py"))
                .arg(home.path("web"))
                .args(options),
        );
        assert_eq!(made.exit, 0, "{options:?}: {made:?}");
        let described: Value = serde_json::from_str(&made.out).unwrap();
        home.ok(&[
            "trust",
            "add",
            "python",
            "web",
            "--root",
            "web/metadata/1.root.json",
        ]);
        let targets = described["targets"].as_object().unwrap();
        assert!(targets.len() > 3, "{described}");
        for (name, target) in targets {
            let (exit, objects) = home.json(&["get", &format!("python:{name}"), "-o", "out/"]);
            assert_eq!(exit, 0, "{options:?} {name}: {objects:?}");
            let got = &objects[0]["targets"][0];
            assert_eq!(
                got["hashes"]["sha256"], target["sha256"],
                "{options:?} {name}"
            );
            assert_eq!(got["role"], target["role"], "{options:?} {name}");
        }
        let audit = home.run(&["verify", "web", "--root", "web/metadata/1.root.json"]);
        assert_eq!(audit.exit, 0, "{options:?}: {}", audit.out);
    }
}

#[test]
fn tuffet_publishes_what_python_tuf_has_signed_byte_for_byte() {
    let Some(python) = peer("python/bin/python") else {
        return;
    };
    let home = Home::with_client();
    let made = finish(
        Command::new(&python)
            .arg(script("python_repository.py"))
            .arg(home.path("theirs")),
    );
    assert_eq!(made.exit, 0, "{made:?}");
    // What they tell us: their public key.
    let targets: Value =
        serde_json::from_str(&home.read("theirs/metadata/1.targets.json")).unwrap();
    let delegations = &targets["signed"]["delegations"];
    let roles = delegations["roles"].as_array().unwrap();
    let role = roles.iter().find(|role| role["name"] == "team").unwrap();
    let keyid = role["keyids"][0].as_str().unwrap();
    home.write("theirs.pub", &delegations["keys"][keyid].to_string());
    home.ok(&[
        "delegate",
        "add",
        "team",
        "--paths",
        "team/*,team/*/*",
        "--keys",
        "theirs.pub",
        "--external",
        "--repo",
        "acme",
    ]);
    for role in ["team", "team-nightly"] {
        let file = format!("theirs/metadata/1.{role}.json");
        home.ok(&["delegate", "accept", role, &file, "--repo", "acme"]);
    }
    // And their files, whose hashes they have chosen.
    for (role, path) in [
        ("team", "team/app.bin"),
        ("team", "team/docs/readme.txt"),
        ("team-nightly", "team/nightly/app.bin"),
    ] {
        let (directory, name) = path.rsplit_once('/').unwrap();
        let file = home.published(&format!("theirs/targets/{directory}"), name);
        let file = file.to_str().unwrap();
        let as_role = ["--name", path, "--as", role, "--repo", "acme"];
        let run = home.ok(&[&["target", "add", file][..], &as_role].concat());
        assert!(run.err.contains("Staged"), "{}", run.err);
    }
    home.publish();
    for role in ["team", "team-nightly"] {
        let [ours, theirs] = ["web", "theirs"].map(|place| {
            std::fs::read(home.path(&format!("{place}/metadata/1.{role}.json"))).unwrap()
        });
        assert_eq!(ours, theirs, "{role}");
    }
    home.ok(&["get", "acme:team/nightly/app.bin", "-o", "got.bin"]);
    home.ok(&["verify", "web", "--root", "web/metadata/1.root.json"]);
}
