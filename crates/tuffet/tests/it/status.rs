//! What `status` says of what cannot go on by itself: publications that broke off or cannot be made, changes that others have
//! overtaken, files that are gone.

use std::fs;

use crate::home::{Home, Run};

/// What is said, in one line.
fn said(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn status(home: &Home, repository: &str) -> Run {
    home.run(&["status", "--check", "--repo", repository])
}

/// Makes `copy` another copy of `acme`, with the same place to publish to.
fn copy(home: &Home) {
    for (path, bytes) in home.all_below("acme") {
        let below = path.strip_prefix(home.path("acme")).unwrap();
        let to = home.path("copy").join(below);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::write(to, bytes).unwrap();
    }
}

/// Brings `copy` up to date from where the repository is published.
fn catch_up(home: &Home) {
    for (path, bytes) in home.all_below("web/metadata") {
        let to = home.path("copy/metadata").join(path.file_name().unwrap());
        fs::write(to, bytes).unwrap();
    }
}

#[test]
fn while_a_change_waits_the_timestamp_is_renewed_without_it() {
    let home = Home::with_client();
    home.ok(&["renew", "targets", "--repo", "acme"]);
    home.ok(&["change", "sign", "--key", "ana", "--repo", "acme"]);
    home.fails(6, "signatures.missing", &["publish", "--repo", "acme"]);
    let late = ["status", "--repo", "acme", "--at", "2100-01-01T00:00:00Z"];
    let shown = home.ok(&late).out;
    for role in ["timestamp", "snapshot"] {
        let command = format!(": tuffet renew {role} with online ");
        assert!(shown.contains(&command), "{shown}");
    }
    let open = home.read("acme/.tuffet/change.json");
    let (exit, all) = home.json(&["renew", "timestamp", "--dry-run", "--repo", "acme"]);
    assert_eq!((exit, &all[0]["dry_run"]), (0, &true.into()));
    let run = home.ok(&["renew", "timestamp", "--repo", "acme"]);
    assert!(run.err.contains("Published  timestamp v2"), "{}", run.err);
    assert!(run.err.contains("Left  the open change"), "{}", run.err);
    let run = home.ok(&["renew", "snapshot", "--repo", "acme"]);
    assert!(run.err.contains("Published  snapshot v2"), "{}", run.err);
    assert_eq!(home.read("acme/.tuffet/change.json"), open);
    home.ok(&["get", "acme:app.txt", "-o", "got"]);
    // What people sign is another thing.
    let both = ["renew", "targets", "timestamp", "--repo", "acme"];
    let run = home.fails(2, "role.unsuited", &both);
    assert!(said(&run.err).contains("by itself: tuffet renew timestamp"));
    let to = ["renew", "targets", "--to", "web", "--repo", "acme"];
    home.fails(2, "usage.arguments", &to);
}

#[test]
fn a_copy_that_is_behind_is_told_what_to_do() {
    let home = Home::with_repository();
    copy(&home);
    for _ in 0..2 {
        home.publish();
        for replace in [&[][..], &["--replace", "timestamp.json"]] {
            let publish = [&["publish", "--repo", "copy"], replace].concat();
            let run = home.fails(9, "publish.behind", &publish);
            let said = said(&run.err);
            assert!(said.contains("this copy is behind"), "{said}");
            assert!(said.contains("git pull"), "{said}");
            assert!(!said.contains("--replace timestamp.json"), "{said}");
        }
    }
    catch_up(&home);
    home.ok(&["publish", "--repo", "copy"]);
}

#[test]
fn a_publication_that_failed_half_way_is_told_of() {
    let home = Home::with_repository();
    home.ok(&["renew", "targets", "--repo", "acme"]);
    // Everything is written but the last file, whoever runs this.
    let lock = home.path("web/.lock");
    fs::remove_file(&lock).unwrap();
    fs::create_dir(&lock).unwrap();
    let publish = ["publish", "--key", "ana", "--key", "ben", "--repo", "acme"];
    home.fails(8, "repo.io", &publish);
    let run = status(&home, "acme");
    assert_eq!(run.exit, 7, "{run:?}");
    let told = "not published yet: timestamp v2, with all that it lists: tuffet publish";
    assert!(run.out.contains(told), "{}", run.out);
    let shown = home.ok(&["change", "show", "--repo", "acme"]).out;
    assert!(shown.contains(told), "{shown}");
    let (_, all) = home.json(&["status", "--repo", "acme"]);
    assert_eq!(all[0]["open"]["unpublished"], 2);
    home.fails(2, "change.no-edit", &["undo", "--repo", "acme"]);
    fs::remove_dir(&lock).unwrap();
    let (exit, all) = home.json(&["publish", "--repo", "acme"]);
    assert_eq!(exit, 0);
    let told = all[0]["actions"].as_array().unwrap().iter();
    let told = told.filter(|one| one["verb"] == "Published");
    let told: Vec<&str> = told.map(|one| one["role"].as_str().unwrap()).collect();
    assert_eq!(told, ["targets", "snapshot", "timestamp"]);
    let run = status(&home, "acme");
    assert_eq!(run.exit, 0, "{run:?}");
    assert!(!run.out.contains("not published"), "{}", run.out);
}

#[test]
fn a_renewal_that_failed_beside_what_waits_is_ended_by_another_one() {
    let home = Home::with_repository();
    home.ok(&["renew", "targets", "--repo", "acme"]);
    let lock = home.path("web/.lock");
    fs::remove_file(&lock).unwrap();
    fs::create_dir(&lock).unwrap();
    let renew = ["renew", "timestamp", "--repo", "acme"];
    home.fails(8, "repo.io", &renew);
    let told = "not published yet: timestamp v2, with all that it lists: tuffet renew timestamp";
    let run = status(&home, "acme");
    assert!(run.out.contains(told), "{}", run.out);
    fs::remove_dir(&lock).unwrap();
    home.ok(&renew);
    let run = status(&home, "acme");
    assert!(!run.out.contains("not published"), "{}", run.out);
}

#[test]
fn a_change_that_cannot_be_read_is_left_by_a_renewal() {
    let home = Home::with_repository();
    home.ok(&["renew", "targets", "--repo", "acme"]);
    fs::write(home.path("acme/.tuffet/change.json"), "{").unwrap();
    let run = home.ok(&["renew", "timestamp", "--repo", "acme"]);
    assert!(run.err.contains("change.json is malformed"), "{}", run.err);
    assert_eq!(home.read("acme/.tuffet/change.json"), "{");
}

#[test]
fn a_copy_that_others_have_published_instead_of_gives_way_with_one_command() {
    let home = Home::with_repository();
    copy(&home);
    let lock = home.path("web/.lock");
    fs::remove_file(&lock).unwrap();
    fs::create_dir(&lock).unwrap();
    let publish = |repo| ["publish", "--key", "ana", "--key", "ben", "--repo", repo];
    home.ok(&["renew", "targets", "--repo", "copy"]);
    home.fails(8, "repo.io", &publish("copy"));
    // As if it had broken off before it came to what is published.
    fs::remove_dir(&lock).unwrap();
    for name in ["2.targets.json", "2.snapshot.json"] {
        fs::remove_file(home.path("web/metadata").join(name)).unwrap();
    }
    let more = ["target", "add", "app.txt", "--name", "more.txt"];
    home.ok(&[&more[..], &["--repo", "acme"]].concat());
    home.ok(&publish("acme"));
    let run = home.fails(9, "publish.diverged", &publish("copy"));
    assert!(said(&run.err).contains("tuffet change drop"), "{}", run.err);
    let run = home.ok(&["change", "drop", "--repo", "copy"]);
    assert!(run.err.contains("Gave  up targets v2"), "{}", run.err);
    home.ok(&["renew", "targets", "--repo", "copy"]);
    home.ok(&publish("copy"));
}

#[test]
fn what_is_in_force_and_not_there_is_a_finding() {
    for name in ["timestamp", "1.targets"] {
        let home = Home::with_repository();
        assert_eq!(status(&home, "acme").exit, 0);
        fs::remove_file(home.path(&format!("acme/metadata/{name}.json"))).unwrap();
        let run = status(&home, "acme");
        assert_eq!(run.exit, 7, "{run:?}");
        let role = name.trim_start_matches("1.");
        let told = format!("missing: {role} that is in force is not in metadata/");
        assert!(run.out.contains(&told), "{}", run.out);
        let (_, all) = home.json(&["status", "--repo", "acme"]);
        let roles = all[0]["roles"].as_array().unwrap().iter();
        let missing = roles.filter(|one| one["missing"] == true);
        let missing: Vec<&str> = missing.map(|one| one["role"].as_str().unwrap()).collect();
        assert_eq!(missing, [role]);
    }
}

#[test]
fn nothing_is_ready_that_cannot_be_published() {
    let home = Home::with_repository();
    home.ok(&["key", "new", "vendor", "--no-passphrase"]);
    let delegate = ["delegate", "add", "vendor", "--paths", "vendor/*"];
    let external = ["--keys", "vendor", "--external", "--repo", "acme"];
    home.ok(&[&delegate[..], &external[..]].concat());
    let sign = ["change", "sign", "--key", "ana", "--key", "ben"];
    home.ok(&[&sign[..], &["--repo", "acme"]].concat());
    let run = status(&home, "acme");
    assert_eq!(run.exit, 6, "{run:?}");
    assert!(!run.out.contains("ready:"), "{}", run.out);
    let told = "open: targets delegates to vendor, which has no metadata yet: tuffet delegate accept vendor FILE";
    assert!(run.out.contains(told), "{}", run.out);
    home.fails(2, "role.empty", &["publish", "--repo", "acme"]);
    let (_, all) = home.json(&["status", "--repo", "acme"]);
    assert_eq!(all[0]["obstacles"][0]["kind"], "empty");
}

#[test]
fn who_publishes_is_named_where_the_key_of_automation_is_another_one() {
    let home = Home::with_repository();
    home.ok(&["key", "new", "sam", "--no-passphrase"]);
    let recover = ["recover", "timestamp", "--new", "sam", "--repo", "acme"];
    home.ok(&recover);
    let sign = ["change", "sign", "--key", "ana", "--key", "ben"];
    home.ok(&[&sign[..], &["--repo", "acme"]].concat());
    let run = status(&home, "acme");
    assert_eq!(run.exit, 7, "{run:?}");
    assert!(
        run.out.contains("ready: tuffet publish with sam "),
        "{}",
        run.out
    );
    home.fails(6, "signatures.missing", &["publish", "--repo", "acme"]);
    home.ok(&["publish", "--key", "sam", "--repo", "acme"]);
    // The old key is still where automation looks for it.
    home.ok(&["renew", "targets", "--repo", "acme"]);
    home.ok(&[&sign[..], &["--repo", "acme"]].concat());
    let run = status(&home, "acme");
    assert!(
        run.out.contains("ready: tuffet publish with sam "),
        "{}",
        run.out
    );
}

#[test]
fn a_draft_that_was_overtaken_is_no_open_work() {
    let home = Home::with_repository();
    copy(&home);
    home.ok(&[
        "role",
        "set",
        "targets",
        "--expires",
        "20d",
        "--repo",
        "copy",
    ]);
    home.ok(&["change", "sign", "--key", "ana", "--repo", "copy"]);
    home.ok(&["renew", "targets", "--repo", "acme"]);
    home.publish();
    catch_up(&home);
    let told =
        "overtaken: somebody else has used targets v2, and v2 is the latest: tuffet change drop";
    let run = status(&home, "copy");
    assert_eq!(run.exit, 7, "{run:?}");
    assert!(run.out.contains(told), "{}", run.out);
    assert!(!run.out.contains("waits for"), "{}", run.out);
    let shown = home.ok(&["change", "show", "--repo", "copy"]).out;
    assert!(shown.contains(told), "{shown}");
    let (_, all) = home.json(&["change", "show", "--repo", "copy"]);
    assert_eq!(all[0]["drafts"][0]["overtaken"], true);
    home.ok(&["renew", "timestamp", "--repo", "copy"]);
    home.ok(&["change", "drop", "--repo", "copy"]);
    assert_eq!(status(&home, "copy").exit, 0);
}

#[test]
fn a_change_that_somebody_else_has_published_is_done() {
    let home = Home::with_repository();
    home.ok(&["renew", "targets", "--repo", "acme"]);
    home.ok(&["change", "sign", "--key", "ana", "--repo", "acme"]);
    copy(&home);
    home.publish();
    catch_up(&home);
    let run = status(&home, "copy");
    assert_eq!(run.exit, 0, "{run:?}");
    assert!(run.out.contains("nothing is open"), "{}", run.out);
}
