//! New repositories: layouts, and the questions on a terminal.

use std::io::Write;
use std::process::{Command, Stdio};

use crate::home::Home;

fn keys(home: &Home) {
    for key in ["ana", "ben"] {
        home.ok(&["key", "new", key, "--no-passphrase"]);
    }
}

#[test]
fn every_layout_is_published_and_verified() {
    for layout in ["app", "registry", "sigstore", "airgap"] {
        let home = Home::new();
        keys(&home);
        let mut init = vec![
            "init",
            "acme",
            "--layout",
            layout,
            "--root",
            "1of2",
            "--key",
            "ana",
            "--key",
            "ben",
            "--publish-to",
            "../web",
        ];
        if layout != "airgap" {
            init.push("--new-online-key");
        }
        home.ok(&init);
        home.ok(&["publish", "--key", "ana", "--repo", "acme"]);
        home.ok(&["verify", "web", "--root", "web/metadata/1.root.json"]);
        home.write("x", "x");
        home.ok(&["target", "add", "x", "--repo", "acme"]);
        // Bins are signed by automation alone.
        let sign: &[&str] = if layout == "registry" {
            &[]
        } else {
            &["--key", "ana"]
        };
        home.ok(&[&["publish", "--repo", "acme"], sign].concat());
        home.ok(&[
            "trust",
            "add",
            "acme",
            "web",
            "--root",
            "web/metadata/1.root.json",
        ]);
        home.ok(&["get", "acme:x", "-o", "got"]);
        let toml = home.read("acme/tuffet.toml");
        let expected = match layout {
            "app" => "[roles.stable]",
            "registry" => "[roles.bin]",
            "sigstore" => "182d",
            _ => "1095d",
        };
        assert!(toml.contains(expected), "{layout}: {toml}");
    }
}

#[test]
fn channels_and_bins_can_be_said() {
    let home = Home::new();
    keys(&home);
    let init = |directory: &str, words: &[&str]| {
        let given = ["--root", "1of1", "--key", "ana", "--new-online-key"];
        home.run(&[&["init", directory], &given[..], words].concat())
    };
    assert_eq!(
        init("one", &["--layout", "app", "--channels", "nightly,rc"]).exit,
        0
    );
    let listed = home.ok(&["channel", "list", "--repo", "one"]).out;
    assert!(
        listed.contains("nightly/*") && !listed.contains("beta"),
        "{listed}"
    );
    assert_eq!(init("two", &["--bins", "16"]).exit, 0);
    let listed = home.ok(&["delegate", "list", "--repo", "two"]).out;
    assert!(listed.contains("all, in 16 bins"), "{listed}");
    assert_eq!(init("three", &["--bins", "16", "--channels", "a"]).exit, 2);
    assert_eq!(init("three", &["--layout", "tower"]).exit, 2);
    assert!(!home.path("three").exists());
}

#[test]
fn without_a_terminal_the_missing_flag_is_named() {
    let home = Home::new();
    keys(&home);
    let run = home.fails(2, "usage.no-terminal", &["init", "acme"]);
    assert!(run.err.contains("--root"), "{}", run.err);
    let run = home.fails(
        2,
        "usage.no-terminal",
        &["init", "acme", "--root", "1of1", "--key", "ana"],
    );
    assert!(run.err.contains("--new-online-key"), "{}", run.err);
    assert!(!home.path("acme").exists());
}

/// Runs the program on a pseudo-terminal of util-linux, and types.
#[cfg(target_os = "linux")]
#[test]
fn on_a_terminal_init_asks_what_is_not_said() {
    let there = Command::new("script").arg("--version").output();
    if !there.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains("util-linux")) {
        println!("skipped: there is no script command of util-linux");
        return;
    }
    let home = Home::new();
    keys(&home);
    let mut child = home
        .program("script")
        .args(["--quiet", "--return", "--command"])
        .args(["tuffet init acme --publish-to ../web", "/dev/null"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    // The default layout, two people, one of whom has to sign, and a new key for automation.
    child
        .stdin
        .take()
        .unwrap()
        .write_all(b"\nana, ben\n1\n\n")
        .unwrap();
    let output = child.wait_with_output().unwrap();
    let screen = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{screen}");
    for question in [
        "? What is it for: app, registry, sigstore or airgap? [app]",
        "? Who holds the keys of root and targets?",
        "? How many of the 2 have to sign? [2]",
        "? Which key signs snapshot and timestamp",
    ] {
        assert!(screen.contains(question), "{question}: {screen}");
    }
    home.ok(&["publish", "--repo", "acme"]);
    let shown = home.ok(&["role", "show", "root", "--repo", "acme"]).out;
    assert!(shown.contains("1 of ana "), "{shown}");
    let channels = home.ok(&["channel", "list", "--repo", "acme"]).out;
    assert!(channels.contains("stable/*"), "{channels}");
}
