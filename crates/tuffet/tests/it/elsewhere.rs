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
    assert_eq!(payload("ben", "targets.bin").exit, 0);
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
    assert_eq!(import("ana", "targets.sig").exit, 10);
    assert_eq!(import("ben", "targets.bin").exit, 10);
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
