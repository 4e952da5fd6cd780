//! Looking at metadata without trusting it.

use crate::home::Home;

#[test]
fn every_kind_of_metadata_is_described() {
    let home = Home::with_repository();
    for (file, first, other) in [
        (
            "1.root.json",
            "root version 1 (read, not verified)",
            "own quorum met: 2 valid signatures, 2 needed",
        ),
        (
            "timestamp.json",
            "timestamp version 1 (read, not verified)",
            "snapshot.json  version 1",
        ),
        (
            "1.snapshot.json",
            "snapshot version 1 (read, not verified)",
            "targets.json  version 1",
        ),
        (
            "1.targets.json",
            "targets version 1 (read, not verified)",
            "dir/tool.txt  7 B",
        ),
    ] {
        let out = home.ok(&["inspect", &format!("web/metadata/{file}")]).out;
        assert!(out.starts_with(first), "{out}");
        assert!(out.contains(other), "{out}");
        assert!(
            out.contains("  expires   ") && out.contains(" UTC)"),
            "{out}"
        );
    }
}

#[test]
fn a_root_below_its_quorum_says_so() {
    let home = Home::with_repository();
    let root = home.read("web/metadata/1.root.json");
    let mut value: serde_json::Value = serde_json::from_str(&root).unwrap();
    value["signatures"].as_array_mut().unwrap().pop();
    home.write("weak.json", &value.to_string());
    let out = home.ok(&["inspect", "weak.json"]).out;
    assert!(
        out.contains("own quorum NOT met: 1 valid signatures, 2 needed"),
        "{out}"
    );
    assert!(out.contains("did not sign"), "{out}");
}

#[test]
fn stdin_is_a_file_too() {
    let home = Home::with_repository();
    let bytes = std::fs::read(home.path("web/metadata/timestamp.json")).unwrap();
    let run = home.run_with(&["inspect", "-"], &bytes);
    assert_eq!(run.exit, 0, "{run:?}");
    assert!(run.out.starts_with("timestamp version 1"), "{}", run.out);
}

#[test]
fn an_expired_file_says_so() {
    let home = Home::with_repository();
    let out = home
        .ok(&[
            "inspect",
            "web/metadata/timestamp.json",
            "--at",
            "2100-01-01T00:00:00Z",
        ])
        .out;
    assert!(out.contains("EXPIRED"), "{out}");
}

#[test]
fn a_hostile_name_cannot_command_the_terminal() {
    let home = Home::new();
    home.write(
        "evil.json",
        r#"{"signatures":[],"signed":{"_type":"targets","spec_version":"1.0.31","version":1,"expires":"2030-01-01T00:00:00Z","targets":{"\u001b[2Jx":{"length":1,"hashes":{"sha256":"0000000000000000000000000000000000000000000000000000000000000000"}}}}}"#,
    );
    let out = home.ok(&["inspect", "evil.json"]).out;
    assert!(!out.contains('\u{1b}'), "{out:?}");
    assert!(out.contains("[2Jx"), "{out:?}");
}
