//! Where repositories are published, and what is removed there.

use crate::home::{Home, finish};
#[cfg(feature = "object-store")]
use crate::stores::{Azure, Gcs, S3, Store};

#[test]
fn a_place_is_a_directory_or_a_store() {
    let home = Home::with_repository();
    home.ok(&["publish", "--repo", "acme", "--to", "file:other"]);
    assert!(home.path("other/metadata/timestamp.json").exists());
    for place in ["ftp://acme/x", "s3://", "s3://key:secret@acme"] {
        let run = home.run(&["publish", "--repo", "acme", "--to", place]);
        assert_eq!(run.exit, 2, "{run:?}");
        // What was typed is shown by the parser of the command line; the reason is ours.
        assert!(run.err.contains("no place to publish to"), "{}", run.err);
    }
    home.ok(&["key", "new", "eve", "--no-passphrase"]);
    let init = ["--root", "1of1", "--key", "eve", "--new-online-key"];
    let place = ["--publish-to", "s3://acme-downloads/tuf"];
    home.ok(&[&["init", "cloud"][..], &init, &place].concat());
    assert!(
        home.read("cloud/tuffet.toml")
            .contains("publish-to = \"s3://acme-downloads/tuf\"")
    );
}

#[test]
fn who_has_looked_publishes_over_a_timestamp_that_was_damaged() {
    let home = Home::with_repository();
    home.write("web/metadata/timestamp.json", "{}");
    let publish = ["publish", "--repo", "acme"];
    let run = home.fails(3, "publish.timestamp", &publish);
    let fix = "tuffet publish --replace timestamp.json";
    let said = run.err.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains(fix), "{said}");
    let run = home.ok(&[&publish[..], &["--replace", "timestamp.json"]].concat());
    assert!(run.err.contains("does not verify"), "{}", run.err);
    home.ok(&["verify", "web", "--root", "web/metadata/1.root.json"]);
}

#[test]
fn copies_for_old_clients_are_written_when_they_are_asked_for() {
    let home = Home::with_repository();
    let (exit, objects) = home.json(&["publish", "--repo", "acme", "--unversioned-copies"]);
    assert_eq!(exit, 0, "{objects:?}");
    assert_eq!(home.read("web/targets/app.txt"), "application 1\n");
    assert_eq!(
        home.read("web/metadata/root.json"),
        home.read("web/metadata/1.root.json")
    );
    let said = objects[0]["actions"].to_string();
    assert!(said.contains("5 files to names without versions"), "{said}");
}

#[test]
fn old_versions_are_pruned_and_a_dry_run_lists_them() {
    let home = Home::with_repository();
    home.write("app.txt", "application 2\n");
    let add = ["target", "add", "app.txt", "--replace", "--repo", "acme"];
    home.ok(&add);
    home.publish();
    // As of now everything is new.
    let before = home.all_below("web");
    let run = home.ok(&["prune", "--older-than", "30d", "--repo", "acme"]);
    assert!(run.err.contains("Pruned  0 files"), "{}", run.err);
    for name in before.keys() {
        let file = std::fs::File::options().write(true).open(name).unwrap();
        let long_ago = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000);
        file.set_modified(long_ago).unwrap();
    }
    let prune = ["prune", "--older-than", "30d", "--repo", "acme"];
    let run = home.ok(&[&prune[..], &["--dry-run", "-v"]].concat());
    assert_eq!(home.all_below("web"), before);
    for name in ["1.targets.json", "1.snapshot.json", ".app.txt"] {
        assert!(run.err.contains(name), "{}", run.err);
    }
    let (exit, objects) = home.json(&prune);
    assert_eq!(exit, 0, "{objects:?}");
    assert_eq!(objects[0]["actions"][0]["verb"], "Pruned");
    let after = home.all_below("web");
    assert_eq!(after.len(), before.len() - 3);
    home.ok(&[
        "trust",
        "add",
        "acme",
        "web",
        "--root",
        "web/metadata/1.root.json",
    ]);
    home.ok(&["get", "acme:app.txt", "-o", "out.txt"]);
    assert_eq!(home.read("out.txt"), "application 2\n");
    home.publish();
}

#[cfg(not(feature = "object-store"))]
#[test]
fn a_build_without_stores_says_so() {
    let home = Home::with_repository();
    home.fails(
        2,
        "publish.unsupported",
        &["publish", "--repo", "acme", "--to", "s3://acme"],
    );
}

/// A dry run ends as the run would.
#[test]
fn a_dry_run_says_whose_signatures_are_missing() {
    let home = Home::with_repository();
    home.write("new.txt", "new\n");
    home.ok(&["target", "add", "new.txt", "--repo", "acme"]);
    let publish = ["publish", "--key", "ana", "--dry-run", "--repo", "acme"];
    let run = home.fails(6, "signatures.missing", &publish);
    assert!(run.err.contains("Signed  targets v2"), "{run:?}");
    home.ok(&[&publish[..], &["--key", "ben"]].concat());
    home.fails(6, "signatures.missing", &["publish", "--repo", "acme"]);
}

#[cfg(feature = "object-store")]
fn publishes_to<S: Store>(store: &S) {
    let home = Home::with_repository();
    let place = store.place();
    let publish = |more: &[&str]| {
        let mut command = home.command();
        let to = ["publish", "--repo", "acme", "--to", &place.to_string()];
        finish(command.envs(store.settings()).args(to).args(more))
    };
    let run = publish(&["--dry-run"]);
    assert_eq!(run.exit, 0, "{run:?}");
    let timestamp = || store.head(&place, "metadata/timestamp.json");
    assert!(timestamp().starts_with("http/1.1 404"));
    let run = publish(&[]);
    assert_eq!(run.exit, 0, "{run:?}");
    let ready = format!("Ready  to be served from {place}");
    assert!(run.err.contains(&ready), "{}", run.err);
    let run = publish(&["--json"]);
    assert_eq!(run.exit, 0, "{run:?}");
    assert!(timestamp().starts_with("http/1.1 200"));

    let mut elsewhere = home.command();
    let nowhere = format!("{}://no-such-bucket", S::SCHEME);
    elsewhere.args(["publish", "--repo", "acme", "--to", &nowhere]);
    let run = finish(elsewhere.envs(store.settings()));
    assert_eq!(run.exit, 8, "{run:?}");
    assert!(run.err.contains("error[publish.store]"), "{}", run.err);
}

#[cfg(feature = "object-store")]
#[test]
fn a_repository_is_published_to_s3() {
    let Some(s3) = S3::start() else { return };
    publishes_to(&s3);
}

#[cfg(feature = "object-store")]
#[test]
fn a_repository_is_published_to_azure() {
    let Some(azure) = Azure::start() else { return };
    publishes_to(&azure);
}

#[cfg(feature = "object-store")]
#[test]
fn a_repository_is_published_to_google() {
    publishes_to(&Gcs::start());
}
