//! Signatures for, and from, what tuffet does not manage.

use std::fs;

use crate::home::Home;

#[test]
fn a_file_of_another_repository_is_signed_after_a_look_at_it() {
    let home = Home::with_repository();
    home.ok(&["key", "new", "lin", "--no-passphrase"]);
    // A next root as somebody else may have made it, on several lines and unsigned.
    let root = home.read("web/metadata/1.root.json");
    let mut root: serde_json::Value = serde_json::from_str(&root).unwrap();
    root["signed"]["version"] = 2.into();
    root["signatures"] = serde_json::json!([]);
    home.write("2.root.json", &serde_json::to_string_pretty(&root).unwrap());
    let before = home.read("2.root.json");

    let look = [
        "sign",
        "2.root.json",
        "--before",
        "web/metadata/1.root.json",
        "--key",
        "ana",
    ];
    let out = home.ok(&[&look[..], &["--dry-run"]].concat()).out;
    assert!(out.contains("version: 1 → 2"), "{out}");
    assert_eq!(home.read("2.root.json"), before);
    home.fails(2, "usage.no-terminal", &look);
    home.ok(&[&look[..], &["--key", "ben", "--yes"]].concat());
    let after = home.read("2.root.json");
    assert!(after.lines().count() > 10, "it stays on several lines");
    let (_, shown) = home.json(&["inspect", "2.root.json"]);
    assert_eq!(shown[0]["signatures"].as_array().unwrap().len(), 2);
    home.fails(
        2,
        "key.not-needed",
        &["sign", "2.root.json", "--key", "lin", "--yes"],
    );
    // The new root is one that the old one and its own keys have signed.
    fs::copy(
        home.path("2.root.json"),
        home.path("web/metadata/2.root.json"),
    )
    .unwrap();
    let run = home.ok(&["verify", "web", "--root", "web/metadata/1.root.json"]);
    assert!(run.out.contains("root "), "{}", run.out);
}

#[test]
fn a_signature_that_was_made_elsewhere_counts_if_it_is_one() {
    let home = Home::with_repository();
    home.ok(&["renew", "targets", "--repo", "acme"]);
    let payload = |key: &str, file: &str| {
        let arguments = ["signature", "payload", "targets", "--key", key, "-o", file];
        home.run(&[&arguments[..], &["--repo", "acme"]].concat())
    };
    let run = payload("ben", "targets.bin");
    assert_eq!(run.exit, 0);
    assert!(run.err.contains("targets v1 → v2"), "{}", run.err);
    assert!(run.err.contains("version: 1 → 2"), "{}", run.err);
    let arguments = [
        "signature",
        "payload",
        "targets",
        "--key",
        "ben",
        "-o",
        "again.bin",
    ];
    let (_, said) = home.json(&[&arguments[..], &["--repo", "acme", "--dry-run"]].concat());
    let drafts = &said[0]["shown"]["drafts"];
    assert_eq!(drafts[0]["role"], "targets", "{said:?}");
    assert!(!home.path("again.bin").exists());
    assert_eq!(payload("online", "x.bin").exit, 2);
    // Another program signs: OpenSSL, with the key in its PKCS#8 file.
    let signed = std::process::Command::new("openssl")
        .args(["pkeyutl", "-sign", "-rawin", "-in", "targets.bin", "-inkey"])
        .arg(home.path(".config/tuffet/keys/ben.key"))
        .args(["-out", "targets.sig"])
        .current_dir(home.path("."))
        .output();
    let Ok(signed) = signed else {
        eprintln!("skipped: openssl is not installed");
        return;
    };
    assert!(signed.status.success(), "{signed:?}");
    let import = |key: &str, file: &str| {
        let arguments = ["signature", "import", "targets", "--key", key, file];
        home.run(&[&arguments[..], &["--repo", "acme"]].concat())
    };
    assert_eq!(import("ana", "targets.sig").exit, 3);
    assert_eq!(import("ben", "targets.bin").exit, 3);
    assert_eq!(import("ben", "targets.sig").exit, 0);
    home.ok(&["publish", "--key", "ana", "--repo", "acme"]);
}

#[test]
fn a_published_repository_is_taken_over() {
    let home = Home::with_repository();
    home.ok(&["import", "web", "taken", "--publish-to", "../web"]);
    home.ok(&["renew", "targets", "--repo", "taken"]);
    home.ok(&[
        "change", "sign", "--key", "ana", "--key", "ben", "--repo", "taken",
    ]);
    let online = home.path("acme/.tuffet/online.key");
    home.ok(&[
        "publish",
        "--key",
        online.to_str().unwrap(),
        "--repo",
        "taken",
    ]);
    home.ok(&["verify", "web", "--root", "web/metadata/1.root.json"]);
}

#[test]
fn a_plan_names_the_fewest_bins_with_which_clients_fetch_little() {
    let home = Home::new();
    let out = home.ok(&["plan", "--targets", "1000000"]).out;
    assert!(out.contains("best with "), "{out}");
    let (_, plans) = home.json(&["plan", "--targets", "1000000"]);
    let best = usize::try_from(plans[0]["best_bits"].as_u64().unwrap()).unwrap();
    let cost = |row: &serde_json::Value| {
        row["first_visit_bytes"].as_u64().unwrap() + row["next_visit_bytes"].as_u64().unwrap()
    };
    let costs: Vec<u64> = plans[0]["bins"]
        .as_array()
        .unwrap()
        .iter()
        .map(cost)
        .collect();
    let enough = costs.iter().min().unwrap() * 6 / 5;
    assert!(
        costs[best] <= enough && costs[best - 1] > enough,
        "{costs:?}"
    );
    assert!(
        costs[0] > 100 * costs[best],
        "a million targets in one role are many"
    );
    assert!(
        home.ok(&["plan", "--targets", "3"])
            .out
            .contains("best without bins")
    );
}

#[test]
fn all_that_is_signed_is_shown_first_whatever_its_length() {
    let home = Home::with_repository();
    let targets = home.read("web/metadata/1.targets.json");
    let mut targets: serde_json::Value = serde_json::from_str(&targets).unwrap();
    for number in 0..500 {
        targets["signed"]["targets"][format!("file-{number}")] =
            serde_json::json!({"length": 1, "hashes": {"sha256": "00".repeat(32)}});
    }
    targets["signed"]["x-not-known"] = "z".repeat(3000).into();
    home.write("2.targets.json", &targets.to_string());
    let root = "web/metadata/1.root.json";
    let sign = ["sign", "2.targets.json", "--by", root, "--key", "ana"];
    let out = home.ok(&[&sign[..], &["--dry-run"]].concat()).out;
    for number in 0..500 {
        assert!(out.contains(&format!("\"file-{number}\":")), "{number}");
    }
    assert!(out.contains(&"z".repeat(3000)));
    // What was signed before was another content.
    assert_eq!(
        out.matches("is not one of this content").count(),
        2,
        "{out}"
    );
    // JSON comes when all is done: too late to look at anything.
    let before = home.read("2.targets.json");
    let (exit, failures) = home.json(&sign);
    assert_eq!(exit, 2);
    assert_eq!(failures[0]["error"]["code"], "usage.arguments");
    assert_eq!(home.read("2.targets.json"), before);
    home.json(&[&sign[..], &["--dry-run"]].concat());
    home.json(&[&sign[..], &["--yes"]].concat());
    assert_ne!(home.read("2.targets.json"), before);
}

#[test]
fn only_keys_of_the_role_itself_sign_a_file() {
    let home = Home::with_repository();
    home.ok(&["key", "new", "sam", "--no-passphrase"]);
    home.ok(&["key", "new", "kim", "--no-passphrase"]);
    for (role, key) in [("edge", "sam"), ("core", "kim")] {
        let paths = format!("{role}/*");
        let add = ["delegate", "add", role, "--paths", &paths, "--keys", key];
        home.ok(&[&add[..], &["--repo", "acme"]].concat());
    }
    home.ok(&[
        "publish", "--key", "ana", "--key", "ben", "--key", "sam", "--key", "kim", "--repo", "acme",
    ]);
    let metadata = |name: &str| format!("web/metadata/{name}");
    let newest = |name: &str| {
        let versions = (1..9)
            .rev()
            .map(|version| metadata(&format!("{version}.{name}.json")));
        versions
            .into_iter()
            .find(|file| home.path(file).exists())
            .unwrap()
    };
    let (root, targets) = (newest("root"), newest("targets"));
    fs::copy(home.path(&newest("edge")), home.path("edge.json")).unwrap();
    fs::copy(home.path(&root), home.path("root.json")).unwrap();
    fs::copy(home.path(&targets), home.path("targets.json")).unwrap();
    let online = home.path("acme/.tuffet/online.key");
    let online = online.to_str().unwrap();
    let sign = |arguments: &[&str]| home.run(&[&["sign", "--yes"], arguments].concat());
    let by_root = ["--by", &root, "--key"];
    let by_targets = ["--by", &targets, "--key"];
    let edge = ["edge.json", "--role", "edge"];
    for refused in [
        // The keys of automation stand in the root as well.
        vec!["root.json", "--key", online],
        [&["root.json"], &by_root[..], &[online]].concat(),
        [&["targets.json"], &by_root[..], &[online]].concat(),
        [&["targets.json"], &by_targets[..], &["ana"]].concat(),
        [&edge[..], &by_targets[..], &["kim"]].concat(),
        [&["edge.json"], &by_targets[..], &["ana"]].concat(),
        [&["root.json"], &by_targets[..], &["sam"]].concat(),
        [&edge[..], &by_root[..], &["ana"]].concat(),
    ] {
        let run = sign(&refused);
        assert_eq!(run.exit, 2, "{refused:?}: {run:?}");
    }
    let unknown = [
        &["edge.json", "--role", "nobody"],
        &by_targets[..],
        &["sam"],
    ]
    .concat();
    assert_eq!(sign(&unknown).exit, 4);
    for accepted in [
        vec!["root.json", "--key", "ana"],
        [&["root.json"], &by_root[..], &["ben"]].concat(),
        [&["targets.json"], &by_root[..], &["ana"]].concat(),
        [&edge[..], &by_targets[..], &["sam"]].concat(),
        [&["edge.json"], &by_targets[..], &["sam"]].concat(),
    ] {
        let run = sign(&accepted);
        assert_eq!(run.exit, 0, "{accepted:?}: {run:?}");
    }
}

#[test]
fn a_key_with_another_scheme_is_another_key() {
    let home = Home::new();
    let scheme = "rsassa-pss-sha256";
    home.ok(&["key", "new", "ana", "--scheme", scheme, "--no-passphrase"]);
    home.found(&["--root", "1of1", "--key", "ana"]);
    home.ok(&["publish", "--repo", "acme"]);
    fs::copy(
        home.path("web/metadata/1.root.json"),
        home.path("root.json"),
    )
    .unwrap();
    let other = "file:.config/tuffet/keys/ana.key?scheme=rsassa-pss-sha512";
    let before = home.read("root.json");
    home.fails(
        2,
        "key.not-needed",
        &["sign", "root.json", "--key", other, "--yes"],
    );
    assert_eq!(home.read("root.json"), before);
    home.ok(&["sign", "root.json", "--key", "ana", "--yes"]);
}

#[test]
fn a_payload_is_that_of_the_scheme_by_which_the_role_lists_the_key() {
    let home = Home::with_repository();
    let scheme = "rsassa-pss-sha256";
    home.ok(&["key", "new", "sam", "--scheme", scheme, "--no-passphrase"]);
    let other = "file:.config/tuffet/keys/sam.key?scheme=rsassa-pss-sha512";
    home.ok(&["key", "add", "sam-512", other]);
    for (role, key) in [("edge", "sam"), ("core", "sam-512")] {
        let paths = format!("{role}/*");
        let add = ["delegate", "add", role, "--paths", &paths, "--keys", key];
        home.ok(&[&add[..], &["--repo", "acme"]].concat());
    }
    let payload = |role: &str, key: &str| {
        let payload = ["signature", "payload", role, "--key", key, "-o", "bytes"];
        home.run(&[&payload[..], &["--repo", "acme"]].concat()).exit
    };
    home.write("sig", "00\n");
    for (role, key, exit) in [
        ("edge", "sam", 0),
        ("core", "sam-512", 0),
        ("edge", "sam-512", 2),
        ("core", "sam", 2),
    ] {
        assert_eq!(payload(role, key), exit, "{role} {key}");
        let import = ["signature", "import", role, "--key", key, "sig"];
        let run = home.run(&[&import[..], &["--repo", "acme"]].concat());
        assert_eq!(
            run.exit,
            if exit == 0 { 3 } else { 2 },
            "{role} {key}: {run:?}"
        );
    }
}
