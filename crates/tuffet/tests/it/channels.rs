//! Channels, and single targets shown and taken back.

use std::fs;

use crate::home::Home;

/// A repository for an app, with its channels, and a client.
fn with_channels() -> Home {
    let home = Home::new();
    for key in ["ana", "ben"] {
        home.ok(&["key", "new", key, "--no-passphrase"]);
    }
    home.found(&[
        "--layout", "app", "--root", "2of2", "--key", "ana", "--key", "ben",
    ]);
    home.write("app.txt", "application 1\n");
    home.ok(&[
        "target",
        "add",
        "app.txt",
        "--channel",
        "beta",
        "--set",
        "version=1.5.0",
        "--custom",
        "rollout={\"percent\":5}",
        "--sha512",
        "--repo",
        "acme",
    ]);
    home.publish();
    home.ok(&[
        "trust",
        "add",
        "acme",
        "web",
        "--root",
        "web/metadata/1.root.json",
    ]);
    home
}

#[test]
fn a_promotion_reaches_the_other_channel_without_the_file() {
    let home = with_channels();
    home.fails(4, "target.not-found", &["get", "acme:stable/app.txt"]);
    fs::remove_file(home.path("app.txt")).unwrap();
    fs::remove_dir_all(home.path("acme/.tuffet/objects")).unwrap();
    let promote = [
        "channel", "promote", "app.txt", "--from", "beta", "--to", "stable",
    ];
    let run = home.ok(&[&promote[..], &["--repo", "acme"]].concat());
    assert!(
        run.err.contains("Promoted  beta/app.txt to stable/app.txt"),
        "{}",
        run.err
    );
    home.publish();
    home.ok(&["get", "acme:stable/app.txt"]);
    assert_eq!(home.read("stable/app.txt"), "application 1\n");
    let shown = home
        .ok(&["channel", "show", "stable", "--repo", "acme"])
        .out;
    for part in ["2 of ana ", "stable/app.txt"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    let listed = home.ok(&["channel", "list", "--repo", "acme"]).out;
    assert!(
        listed.contains("beta") && listed.contains("stable/*"),
        "{listed}"
    );
}

#[test]
fn a_channel_that_is_not_there_is_said_to_be_unknown() {
    let home = with_channels();
    home.write("x", "x");
    for words in [
        &["target", "add", "x", "--channel", "nightly"][..],
        &["channel", "show", "nightly"],
        &[
            "channel", "promote", "app.txt", "--from", "beta", "--to", "nightly",
        ],
    ] {
        home.fails(4, "channel.unknown", &[words, &["--repo", "acme"]].concat());
    }
    home.ok(&["channel", "new", "nightly", "--repo", "acme"]);
    home.ok(&[
        "target",
        "add",
        "x",
        "--channel",
        "nightly",
        "--repo",
        "acme",
    ]);
    home.publish();
    home.ok(&["get", "acme:nightly/x"]);
}

#[test]
fn a_target_is_shown_with_all_that_is_known_of_it() {
    let home = with_channels();
    let shown = home
        .ok(&["target", "show", "beta/app.txt", "--repo", "acme"])
        .out;
    for part in [
        "beta/app.txt in beta, 14 B",
        "  sha256  ",
        "  sha512  ",
        "  custom  {\"rollout\":{\"percent\":5},\"version\":\"1.5.0\"}",
        "  targets delegates beta/* to beta, and nobody else is asked",
        "  this is what clients find",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    home.fails(
        4,
        "target.unlisted",
        &["target", "show", "app.txt", "--repo", "acme"],
    );
}

#[test]
fn a_yanked_target_is_gone_for_those_who_come_later() {
    let home = with_channels();
    home.ok(&["get", "acme:beta/app.txt"]);
    home.ok(&[
        "channel", "promote", "app.txt", "--from", "beta", "--to", "stable", "--repo", "acme",
    ]);
    home.publish();
    let run = home.ok(&["target", "yank", "app.txt", "--repo", "acme"]);
    for part in [
        "beta/app.txt from beta",
        "stable/app.txt from stable",
        "keep it",
    ] {
        assert!(run.err.contains(part), "{part}: {}", run.err);
    }
    home.publish();
    for channel in ["beta", "stable"] {
        let target = format!("acme:{channel}/app.txt");
        home.fails(4, "target.not-found", &["get", &target, "-o", "gone"]);
    }
    assert_eq!(home.read("beta/app.txt"), "application 1\n");
}

#[test]
fn a_directory_is_added_with_the_places_of_its_files() {
    let home = with_channels();
    fs::create_dir_all(home.path("dist/lib")).unwrap();
    home.write("dist/lib/a", "a");
    home.write("dist/b", "b");
    let run = home.ok(&["target", "add", "dist", "--name", "2.0", "--repo", "acme"]);
    for name in ["2.0/lib/a", "2.0/b"] {
        assert!(run.err.contains(name), "{}", run.err);
    }
    // One edit, so one undo.
    home.ok(&["undo", "--repo", "acme"]);
    home.fails(2, "change.none", &["undo", "--repo", "acme"]);
}

#[test]
fn what_is_private_is_not_added_with_a_directory() {
    let home = Home::with_repository();
    home.write("key.pem", "-----BEGIN EC PRIVATE KEY-----\n");
    fs::create_dir_all(home.path("work/.git")).unwrap();
    home.write("work/.git/config", "[core]\n");
    let before = home.all_below("acme");
    for (given, why) in [
        ("acme", "it belongs to the repository itself"),
        ("acme/tuffet.toml", "it belongs to the repository itself"),
        (".", "private keys"),
        (".config/tuffet/keys/ana.pub", "where private keys are kept"),
        ("web", "where the repository is published"),
        ("work", "git directory"),
        ("key.pem", "it is a private key"),
    ] {
        let add = ["target", "add", given, "--repo", "acme"];
        let run = home.fails(2, "target.private", &add);
        assert!(run.said().contains(why), "{given}: {}", run.err);
    }
    assert_eq!(home.all_below("acme"), before);
}
