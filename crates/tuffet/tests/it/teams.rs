//! A team with a right of its own, in a home of its own, and roles that are signed elsewhere.

use std::fs;

use crate::home::{Home, finish};

/// A repository whose team `edge` is Sam alone.
fn with_team() -> Home {
    let home = Home::with_client();
    home.ok(&["key", "new", "sam", "--no-passphrase"]);
    home.ok(&[
        "delegate",
        "add",
        "edge",
        "--paths",
        "edge/*",
        "--keys",
        "sam",
        "--expires",
        "20d",
        "--repo",
        "acme",
    ]);
    home.ok(&[
        "publish", "--key", "ana", "--key", "ben", "--key", "sam", "--repo", "acme",
    ]);
    home
}

/// Sam's home: her key, and a copy of the repository without anybody else's keys.
fn home_of_sam(home: &Home) -> Home {
    let sam = Home::new();
    let copy = |name: &str, content: &[u8]| {
        let path = sam.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    };
    for name in [".config/tuffet/keys/sam.key", ".config/tuffet/keys/sam.pub"] {
        copy(name, &fs::read(home.path(name)).unwrap());
    }
    for (path, content) in home.all_below("acme") {
        let path = path.strip_prefix(home.path("")).unwrap().to_owned();
        if !path.ends_with("online.key") && !path.to_string_lossy().contains("objects") {
            copy(path.to_str().unwrap(), &content);
        }
    }
    sam
}

#[test]
fn a_team_signs_its_role_and_a_publisher_with_online_keys_publishes() {
    let home = with_team();
    let sam = home_of_sam(&home);
    sam.write("fw-7.bin", "firmware 7\n");
    // The directory goes without saying: the role is asked for no other.
    let name = ["--as", "edge", "--repo", "acme"];
    sam.ok(&[&["target", "add", "fw-7.bin"][..], &name].concat());
    sam.ok(&[
        "change", "sign", "--key", "sam", "--check", "--repo", "acme",
    ]);
    sam.ok(&["change", "send", "sam.tuf", "--repo", "acme"]);
    // She has no key for snapshot and timestamp.
    sam.fails(6, "signatures.missing", &["publish", "--repo", "acme"]);

    fs::copy(sam.path("sam.tuf"), home.path("sam.tuf")).unwrap();
    home.ok(&[
        "change", "receive", "sam.tuf", "--only", "edge", "--repo", "acme",
    ]);
    home.fails(1, "target.content-missing", &["publish", "--repo", "acme"]);
    fs::copy(sam.path("fw-7.bin"), home.path("fw-7.bin")).unwrap();
    let run = home.ok(&[&["target", "add", "fw-7.bin"][..], &name].concat());
    assert!(run.err.contains("Staged  edge/fw-7.bin"), "{}", run.err);
    let run = home.ok(&["publish", "--repo", "acme"]);
    assert!(run.err.contains("Published  edge v2"), "{}", run.err);
    home.ok(&["get", "acme:edge/fw-7.bin", "-o", "got.bin"]);
    assert_eq!(home.read("got.bin"), "firmware 7\n");
}

#[test]
fn a_team_can_do_nothing_else() {
    let home = with_team();
    let sam = home_of_sam(&home);
    sam.write("x", "x\n");
    let run = sam.fails(
        2,
        "target.outside-delegation",
        &[
            "target",
            "add",
            "x",
            "--as",
            "edge",
            "--name",
            "stable/acme.tar",
            "--repo",
            "acme",
        ],
    );
    for part in ["edge/*", "tuffet delegate show edge"] {
        assert!(run.err.contains(part), "{}", run.err);
    }
    sam.fails(
        2,
        "target.outside-delegation",
        &[
            "target", "add", "x", "--as", "edge", "--name", "x", "--repo", "acme",
        ],
    );
    sam.ok(&["target", "add", "x", "--repo", "acme"]);
    sam.fails(
        2,
        "key.not-needed",
        &["change", "sign", "--key", "sam", "--repo", "acme"],
    );
    sam.ok(&["undo", "--repo", "acme"]);
    let more = [
        "--paths", "more/*", "--keys", "sam", "--by", "edge", "--repo", "acme",
    ];
    sam.ok(&[&["delegate", "add", "more"][..], &more].concat());
    sam.ok(&["change", "sign", "--key", "sam", "--repo", "acme"]);
    sam.fails(
        2,
        "target.outside-delegation",
        &[
            "target", "add", "x", "--as", "more", "--name", "more/x", "--repo", "acme",
        ],
    );
    sam.ok(&["change", "drop", "--repo", "acme"]);
    // A larger team is not hers to make.
    sam.ok(&["role", "set", "edge", "--expires", "9d", "--repo", "acme"]);
    sam.ok(&["renew", "root", "--repo", "acme"]);
    sam.ok(&["change", "sign", "--key", "sam", "--repo", "acme"]);
    sam.ok(&["change", "send", "sam.tuf", "--repo", "acme"]);
    fs::copy(sam.path("sam.tuf"), home.path("sam.tuf")).unwrap();
    home.fails(
        3,
        "change.role",
        &[
            "change", "receive", "sam.tuf", "--only", "edge", "--repo", "acme",
        ],
    );
    assert!(
        home.ok(&["change", "show", "--repo", "acme"])
            .out
            .contains("nothing is open")
    );
}

#[test]
fn delegations_are_shown_and_taken_away() {
    let home = with_team();
    let shown = home.ok(&["delegate", "show", "edge", "--repo", "acme"]).out;
    for part in [
        "edge/*",
        "1 of sam ",
        "terminating yes",
        "lists       0 targets",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    let listed = home.ok(&["delegate", "list", "--repo", "acme"]).out;
    assert!(listed.contains("edge  targets  edge/*"), "{listed}");
    home.fails(
        4,
        "role.unknown",
        &["delegate", "show", "nobody", "--repo", "acme"],
    );
    let run = home.ok(&["delegate", "remove", "edge", "--repo", "acme"]);
    assert!(run.err.contains("snapshot goes on listing"), "{}", run.err);
    let shown = home.ok(&["change", "show", "--repo", "acme"]).out;
    assert!(shown.contains("- delegations = "), "{shown}");
    home.publish();
    home.ok(&["get", "acme:app.txt"]);
    let listed = home.ok(&["delegate", "list", "--repo", "acme"]).out;
    assert_eq!(listed, "");
    let drop = [
        "publish",
        "--drop-role",
        "edge",
        "--key",
        "ana",
        "--key",
        "ben",
        "--repo",
        "acme",
    ];
    home.fails(2, "role.removed", &[&drop[..3], &drop[7..]].concat());
    home.ok(&["key", "new", "machine", "--no-passphrase"]);
    home.ok(&[
        "key", "rotate", "online", "--to", "machine", "--repo", "acme",
    ]);
    home.ok(&[&drop[..], &["--key", "machine"]].concat());
    home.ok(&["get", "acme:app.txt", "-o", "again.txt"]);
    let snapshot = fs::read_dir(home.path("web/metadata")).unwrap();
    let snapshot = snapshot.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let newest = snapshot
        .filter(|name| name.ends_with(".snapshot.json"))
        .max()
        .unwrap();
    assert!(
        !home
            .read(&format!("web/metadata/{newest}"))
            .contains("edge.json")
    );
}

#[test]
fn every_kind_of_path_can_be_delegated() {
    let home = Home::with_repository();
    home.ok(&["key", "new", "sam", "--no-passphrase"]);
    let add = |words: &[&str]| {
        let all = [
            &["delegate", "add"],
            words,
            &["--keys", "sam", "--repo", "acme"],
        ]
        .concat();
        home.run(&all)
    };
    assert_eq!(add(&["a", "--hash-prefixes", "0,1f"]).exit, 0);
    assert_eq!(add(&["b", "--by", "a", "--bins", "4", "--online"]).exit, 0);
    for wrong in [
        &["c"][..],
        &["c", "--paths", "c/*", "--bins", "4"],
        &["c", "--bins", "3"],
        &["c", "--by", "nobody", "--paths", "c/*", "--dry-run"],
    ] {
        assert_ne!(add(wrong).exit, 0, "{wrong:?}");
    }
    let (_, objects) = home.json(&["delegate", "list", "--repo", "acme"]);
    let all = objects[0]["delegations"].as_array().unwrap();
    let shown: Vec<(&str, &str)> = all
        .iter()
        .map(|one| (one["role"].as_str().unwrap(), one["kind"].as_str().unwrap()))
        .collect();
    assert_eq!(shown, [("a", "hash-prefixes"), ("b", "bins")]);
    home.ok(&[
        "publish", "--key", "ana", "--key", "ben", "--key", "sam", "--repo", "acme",
    ]);
}

#[test]
fn a_role_that_another_repository_signs_is_accepted_and_never_goes_back() {
    let home = Home::with_client();
    // The vendor has a repository of its own, and the top-level targets file of that is what it hands out.
    home.ok(&["key", "new", "vendor", "--no-passphrase"]);
    home.ok(&[
        "init",
        "theirs",
        "--root",
        "1of1",
        "--key",
        "vendor",
        "--new-online-key",
    ]);
    home.write("driver", "driver 1\n");
    for _ in 0..3 {
        home.ok(&[
            "target",
            "add",
            "driver",
            "--name",
            "vendor/driver",
            "--replace",
            "--repo",
            "theirs",
        ]);
        home.ok(&["publish", "--key", "vendor", "--repo", "theirs"]);
    }
    let theirs = |version: u32| {
        let name = format!("theirs/public/metadata/{version}.targets.json");
        (name.clone(), fs::read(home.path(&name)).unwrap())
    };

    home.ok(&[
        "delegate",
        "add",
        "vendor",
        "--paths",
        "vendor/*",
        "--keys",
        "vendor",
        "--external",
        "--repo",
        "acme",
    ]);
    home.fails(
        2,
        "role.empty",
        &["publish", "--key", "ana", "--key", "ben", "--repo", "acme"],
    );
    let (file, bytes) = theirs(3);
    let run = home.ok(&["delegate", "accept", "vendor", &file, "--repo", "acme"]);
    assert!(run.err.contains("Accepted  vendor v3"), "{}", run.err);
    let shown = home.ok(&["change", "show", "--repo", "acme"]).out;
    assert!(shown.contains("as it was signed elsewhere"), "{shown}");
    home.ok(&[
        "target",
        "add",
        "driver",
        "--name",
        "vendor/driver",
        "--as",
        "vendor",
        "--repo",
        "acme",
    ]);
    home.publish();
    assert_eq!(
        fs::read(home.path("web/metadata/3.vendor.json")).unwrap(),
        bytes
    );
    home.ok(&["get", "acme:vendor/driver", "-o", "got"]);
    assert_eq!(home.read("got"), "driver 1\n");

    // What they list, they list: nothing of it is edited here, and whoever asks is told who can.
    home.write("driver 2", "driver 2\n");
    for edit in [
        &[
            "target",
            "add",
            "driver 2",
            "--name",
            "vendor/driver",
            "--as",
            "vendor",
            "--replace",
        ][..],
        &[
            "target",
            "add",
            "driver 2",
            "--name",
            "vendor/more",
            "--as",
            "vendor",
        ],
        &["target", "remove", "vendor/driver", "--as", "vendor"],
        &["target", "yank", "vendor/driver"],
        &["renew", "vendor"],
        &[
            "delegate", "add", "sub", "--paths", "vendor/x", "--keys", "vendor", "--by", "vendor",
        ],
    ] {
        let run = home.fails(2, "role.external", &[edit, &["--repo", "acme"]].concat());
        assert!(
            run.said()
                .contains("vendor is signed elsewhere, by vendor "),
            "{run:?}"
        );
        assert!(run.said().contains("tuffet delegate accept"), "{run:?}");
    }

    // When it expires, nobody here can renew it.
    let due = ["status", "--within", "400d", "--repo", "acme"];
    let shown = home.ok(&due).out;
    let line = shown.lines().find(|line| line.starts_with("due: vendor "));
    let line = line.unwrap();
    assert!(line.contains("signed elsewhere, by vendor "), "{line}");
    assert!(
        line.ends_with("then tuffet delegate accept vendor FILE"),
        "{line}"
    );
    assert!(!shown.contains("renew vendor"), "{shown}");
    let (_, all) = home.json(&due);
    let deadlines = all[0]["deadlines"].as_array().unwrap();
    let external =
        |role: &str| deadlines.iter().find(|one| one["role"] == role).unwrap()["external"] == true;
    assert!(external("vendor") && !external("targets"));
    assert!(home.read("acme/tuffet.toml").contains("external = true"));

    let (older, _) = theirs(2);
    home.fails(
        3,
        "rollback.delegated",
        &["delegate", "accept", "vendor", &older, "--repo", "acme"],
    );
    home.fails(
        3,
        "threshold.delegated",
        &[
            "delegate",
            "accept",
            "vendor",
            "web/metadata/2.targets.json",
            "--repo",
            "acme",
        ],
    );
    let mut stdin = home.command();
    stdin
        .args(["delegate", "accept", "vendor", "-", "--repo", "acme"])
        .stdin(fs::File::open(home.path(&older)).unwrap());
    assert_eq!(finish(&mut stdin).exit, 3);
}
