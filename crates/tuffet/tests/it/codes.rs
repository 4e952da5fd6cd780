//! Error codes: every one is explained, and each class has its exit code.

use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};

use tuffet_core::metadata::UnixTime;

use crate::home::Home;

#[test]
fn explain_knows_every_code_of_every_crate() {
    let home = Home::new();
    let listed = home.ok(&["explain"]).out;
    let tables = [
        tuffet_core::explain::CODES,
        tuffet_client::explain::CODES,
        tuffet_sign::explain::CODES,
        tuffet_repo::explain::CODES,
    ];
    let mut count = 0;
    for explanation in tables.into_iter().flatten() {
        let line = format!("{} ", explanation.code);
        assert!(
            listed.lines().any(|listed| listed.starts_with(&line)),
            "{}",
            explanation.code
        );
        count += 1;
    }
    assert!(count > 100, "{count}");
    let one = home.ok(&["explain", "rollback.timestamp"]).out;
    for label in ["rollback.timestamp\n", "\nwhat  ", "\nwhy   ", "\nfix   "] {
        assert!(one.contains(label), "{one}");
    }
}

#[test]
fn an_unknown_code_is_not_found_and_names_similar_ones() {
    let home = Home::new();
    let run = home.fails(4, "explain.unknown", &["explain", "rolback.timestamp"]);
    assert!(
        run.err.contains("similar codes: rollback.timestamp"),
        "{}",
        run.err
    );
}

#[test]
fn exit_0_done() {
    let home = Home::with_client();
    home.ok(&["get", "acme:app.txt"]);
    assert_eq!(home.read("app.txt"), "application 1\n");
}

#[test]
fn exit_1_failed() {
    let home = Home::new();
    home.write("page.html", "<html>");
    home.fails(1, "inspect.type", &["inspect", "page.html"]);
}

#[test]
fn exit_2_usage() {
    let home = Home::with_client();
    home.fails(
        2,
        "usage.arguments",
        &[
            "trust",
            "add",
            "-",
            "web",
            "--root",
            "web/metadata/1.root.json",
        ],
    );
}

#[test]
fn exit_3_not_trustworthy() {
    let home = Home::with_client();
    fs::write(home.published("web/targets", "app.txt"), "application 2\n").unwrap();
    let run = home.fails(3, "hash.target", &["get", "acme:app.txt", "-o", "new.txt"]);
    assert!(
        run.err.contains("\nwhy   ") && run.err.contains("\nfix   "),
        "{}",
        run.err
    );
    assert!(
        run.err.contains("\n      tuffet explain hash.target"),
        "{}",
        run.err
    );
    assert!(!home.path("new.txt").exists());
}

#[test]
fn exit_4_not_found() {
    let home = Home::with_client();
    home.fails(4, "target.not-found", &["get", "acme:nothing"]);
    let run = home.fails(4, "trust.unknown", &["get", "acne:app.txt"]);
    assert!(run.err.contains("trusted are: acme"), "{}", run.err);
    home.fails(4, "repo.not-found", &["publish"]);
}

#[test]
fn exit_5_stale() {
    let home = Home::with_client();
    home.fails(
        5,
        "expired.timestamp",
        &["get", "acme:app.txt", "--at", &later(3)],
    );
}

#[test]
fn exit_6_signatures_missing() {
    let home = Home::with_repository();
    home.write("new.txt", "new\n");
    home.ok(&["target", "add", "new.txt", "--repo", "acme"]);
    let run = home.fails(
        6,
        "signatures.missing",
        &["publish", "--repo", "acme", "--key", "ana"],
    );
    assert!(run.err.contains("ben"), "{}", run.err);
}

#[test]
fn exit_7_findings() {
    let home = Home::with_repository();
    home.write("web/targets/stray.txt", "nobody vouches for this");
    let run = home.run(&["verify", "web"]);
    assert_eq!(run.exit, 7, "{run:?}");
    assert!(
        run.out.contains("file.unlisted: targets/stray.txt"),
        "{}",
        run.out
    );
}

#[test]
fn exit_8_network() {
    let home = Home::with_repository();
    // A port that was free a moment ago, and on which nobody listens.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", free.local_addr().unwrap());
    drop(free);
    home.ok(&[
        "trust",
        "add",
        "gone",
        &url,
        "--root",
        "web/metadata/1.root.json",
    ]);
    home.fails(8, "network.connect", &["get", "gone:app.txt"]);
}

#[test]
fn exit_9_conflict() {
    let home = Home::with_client();
    home.fails(
        9,
        "trust.exists",
        &[
            "trust",
            "add",
            "acme",
            "web",
            "--root",
            "web/metadata/1.root.json",
        ],
    );
    home.write("app.txt", "mine");
    home.fails(9, "disk.exists", &["get", "acme:app.txt"]);
    home.fails(9, "key.exists", &["key", "new", "ana", "--no-passphrase"]);
}

#[test]
fn exit_10_key_unavailable() {
    let home = Home::with_repository();
    home.fails(
        10,
        "key.unavailable",
        &["publish", "--repo", "acme", "--key", "nobody"],
    );
}

/// A moment so many days from now, as `--at` takes it.
pub(crate) fn later(days: i64) -> String {
    UnixTime(now().0 + days * 86_400).to_string()
}

/// What the clock says.
pub(crate) fn now() -> UnixTime {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    UnixTime(i64::try_from(since.as_secs()).unwrap())
}
