//! Making, changing and publishing repositories.

use crate::home::{Home, finish};

#[cfg(unix)]
#[test]
fn private_keys_are_for_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt;

    let home = Home::with_repository();
    for file in [".config/tuffet/keys/ana.key", "acme/.tuffet/online.key"] {
        let mode = std::fs::metadata(home.path(file))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
    assert!(home.read("acme/.tuffet/.gitignore").contains("online.key"));
}

#[test]
fn a_passphrase_comes_from_a_file_and_opens_the_key_again() {
    let home = Home::new();
    home.write("secret", "correct horse\nsecond line\n");
    home.write("wrong", "battery staple\n");
    home.ok(&["key", "new", "ana", "--passphrase-file", "secret"]);
    assert!(
        home.read(".config/tuffet/keys/ana.key")
            .contains("ENCRYPTED")
    );
    let init = [
        "init",
        "acme",
        "--root",
        "1of1",
        "--key",
        "ana",
        "--new-online-key",
    ];
    let run = home.fails(2, "usage.no-terminal", &init);
    assert!(run.err.contains("--passphrase-file"), "{}", run.err);
    let with = |file: &str| {
        finish(
            home.command()
                .args(init)
                .env("TUFFET_PASSPHRASE_FILE", file),
        )
    };
    let run = with("wrong");
    assert_eq!(run.exit, 10, "{run:?}");
    assert!(run.err.contains("error[key.passphrase]"), "{}", run.err);
    assert!(!home.path("acme").exists());
    assert_eq!(with("secret").exit, 0);
}

#[test]
fn the_repository_is_found_from_below() {
    let home = Home::with_repository();
    std::fs::create_dir_all(home.path("acme/docs/deep")).unwrap();
    let mut command = home.command();
    command
        .current_dir(home.path("acme/docs/deep"))
        .args(["publish"]);
    let run = finish(&mut command);
    assert_eq!(run.exit, 0, "{run:?}");
    assert!(run.err.contains("Published  timestamp v2"), "{}", run.err);
}

#[test]
fn the_number_of_keys_has_to_be_the_one_that_is_said() {
    let home = Home::new();
    home.ok(&["key", "new", "ana", "--no-passphrase"]);
    let run = home.fails(
        2,
        "usage.arguments",
        &[
            "init",
            "acme",
            "--root",
            "2of3",
            "--key",
            "ana",
            "--new-online-key",
        ],
    );
    assert!(
        run.err.contains("speaks of 3 keys, and 1 are given"),
        "{}",
        run.err
    );
    assert_eq!(
        home.run(&[
            "init",
            "acme",
            "--root",
            "2of1",
            "--key",
            "ana",
            "--new-online-key"
        ])
        .exit,
        2
    );
    assert_eq!(
        home.run(&["init", "acme", "--root", "1of1", "--key", "ana"])
            .exit,
        2,
        "no online key"
    );
}

#[test]
fn every_scheme_can_be_made_and_used() {
    for scheme in [
        "ed25519",
        "ecdsa-sha2-nistp256",
        "ecdsa-sha2-nistp384",
        "rsassa-pss-sha256",
        "ml-dsa-65/1",
    ] {
        let home = Home::new();
        home.ok(&["key", "new", "ana", "--no-passphrase", "--scheme", scheme]);
        home.ok(&[
            "init",
            "acme",
            "--root",
            "1of1",
            "--key",
            "ana",
            "--new-online-key",
            "--publish-to",
            "../web",
        ]);
        home.ok(&["publish", "--repo", "acme"]);
        let out = home.ok(&["inspect", "web/metadata/1.root.json"]).out;
        assert!(out.contains("own quorum met"), "{scheme}: {out}");
    }
    let home = Home::new();
    let run = home.run(&["key", "new", "ana", "--no-passphrase", "--scheme", "md5"]);
    assert_eq!(run.exit, 2);
    assert!(run.err.contains("ml-dsa-87/1"), "{}", run.err);
}

#[test]
fn custom_values_reach_the_client() {
    let home = Home::with_repository();
    home.write("new.txt", "new\n");
    home.ok(&[
        "target",
        "add",
        "new.txt",
        "--set",
        "version=1.4.0",
        "--repo",
        "acme",
    ]);
    home.publish();
    assert!(
        home.read("web/metadata/2.targets.json")
            .contains("\"version\":\"1.4.0\"")
    );
}

#[test]
fn serve_stays_on_this_machine() {
    let home = Home::with_repository();
    home.fails(
        2,
        "serve.listen",
        &["serve", "web", "--listen", "0.0.0.0:0"],
    );
    home.fails(4, "verify.layout", &["serve", "acme/.tuffet"]);
    let server = home.serve("web");
    let address = server.url.strip_prefix("http://").unwrap();
    home.fails(9, "serve.listen", &["serve", "web", "--listen", address]);
}

#[test]
fn source_date_epoch_of_a_build_does_not_decide_when_metadata_expires() {
    let home = Home::with_repository();
    let mut publish = home.command();
    publish
        .env("SOURCE_DATE_EPOCH", "1700000000")
        .args(["publish", "--repo", "acme"]);
    assert_eq!(finish(&mut publish).exit, 0);
    assert!(!home.read("web/metadata/timestamp.json").contains("\"2023-"));
}

#[test]
fn a_dry_run_of_a_new_key_makes_none() {
    let home = Home::new();
    // No passphrase is asked for either.
    let run = home.ok(&["key", "new", "ana", "--dry-run"]);
    assert!(run.err.contains("Would create  key ana"), "{}", run.err);
    let (exit, objects) = home.json(&["key", "new", "ana", "--dry-run"]);
    assert_eq!(exit, 0);
    assert_eq!(objects[0]["dry_run"], true);
    assert!(objects[0]["keyid"].is_null());
    assert!(!home.path(".config").exists());
    assert_ne!(home.run(&["key", "new", "a/b", "--dry-run"]).exit, 0);
    home.ok(&["key", "new", "ana", "--no-passphrase"]);
    home.fails(9, "key.exists", &["key", "new", "ana", "--dry-run"]);
}

#[cfg(unix)]
#[test]
fn public_keys_are_for_everybody_and_never_written_over() {
    use std::os::unix::fs::PermissionsExt;

    let home = Home::new();
    home.write("mine.pub", "mine");
    home.fails(
        9,
        "key.exists",
        &["key", "new", "mine", "--no-passphrase", "-o", "."],
    );
    assert_eq!(home.read("mine.pub"), "mine");
    home.ok(&["key", "new", "ana", "--no-passphrase", "-o", "."]);
    let mode = |name: &str| {
        let data = std::fs::metadata(home.path(name)).unwrap();
        data.permissions().mode() & 0o777
    };
    assert_eq!(mode("ana.pub"), mode("mine.pub"));
    assert_eq!(mode("ana.key"), 0o600);
}
