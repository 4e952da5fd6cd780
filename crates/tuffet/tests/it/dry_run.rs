//! Dry runs: they show what would be done, and write nothing anywhere.

use std::fs;

use crate::home::Home;

/// What a dry run of this leaves behind must be nothing, and it must end well, in a repository of which not even the lock was ever made.
fn writes_nothing(home: &Home, arguments: &[&str]) {
    let lock = home.path("acme/.tuffet/lock");
    let _ = fs::remove_file(lock);
    let before = home.all_below(".");
    home.ok(&[arguments, &["--dry-run", "--repo", "acme"]].concat());
    let after = home.all_below(".");
    let new: Vec<_> = after
        .keys()
        .filter(|file| !before.contains_key(*file))
        .collect();
    assert!(new.is_empty(), "{arguments:?} makes {new:?}");
    assert!(after == before, "{arguments:?} changes a file");
}

#[test]
fn a_dry_run_writes_nothing_not_even_a_lock() {
    let home = Home::with_repository();
    home.ok(&["key", "new", "sam", "--no-passphrase"]);
    home.write("new.txt", "new\n");
    for arguments in [
        &["target", "add", "new.txt"][..],
        &["target", "remove", "app.txt"],
        &["target", "yank", "app.txt"],
        &[
            "delegate", "add", "team", "--paths", "team/*", "--keys", "sam",
        ],
        &["channel", "new", "beta"],
        &["role", "set", "targets", "--threshold", "1"],
        &["role", "set", "targets", "--period", "90d"],
        &["key", "rotate", "ben", "--to", "sam"],
        &[
            "key",
            "revoke",
            "ben",
            "--threshold",
            "root=1",
            "--threshold",
            "targets=1",
        ],
        &["renew", "targets"],
        &["renew", "timestamp"],
        &["recover", "targets", "--lost", "ben", "--new", "sam"],
        &["publish", "--unversioned-copies"],
        &["prune", "--older-than", "1d"],
        &["adopt", "--yes"],
        &[
            "init",
            "elsewhere",
            "--root",
            "1of1",
            "--key",
            "sam",
            "--new-online-key",
        ],
        &[
            "import",
            "web",
            "taken",
            "--root",
            "web/metadata/1.root.json",
        ],
        &["key", "new", "lin"],
        &[
            "trust",
            "add",
            "acme",
            "web",
            "--root",
            "web/metadata/1.root.json",
        ],
    ] {
        writes_nothing(&home, arguments);
    }
    home.ok(&["target", "add", "new.txt", "--repo", "acme"]);
    home.ok(&["change", "send", "there.tuf", "--repo", "acme"]);
    for arguments in [
        &["change", "sign", "--key", "ana"][..],
        &["change", "send", "c.tuf"],
        &["change", "receive", "there.tuf"],
        &["change", "drop"],
        &["undo"],
        &[
            "signature",
            "payload",
            "targets",
            "--key",
            "ana",
            "-o",
            "p.bin",
        ],
        &["publish", "--key", "ana", "--key", "ben"],
    ] {
        writes_nothing(&home, arguments);
    }
}

#[test]
fn a_dry_run_beside_somebody_who_changes_the_repository_ends_as_the_run_would() {
    let home = Home::with_repository();
    home.write("new.txt", "new\n");
    let lock = fs::File::open(home.path("acme/.tuffet/lock")).unwrap();
    lock.lock().unwrap();
    let add = ["target", "add", "new.txt", "--repo", "acme"];
    home.fails(9, "repo.locked", &[&add[..], &["--dry-run"]].concat());
    home.fails(9, "repo.locked", &add);
}
