//! The signing desk: several people, several machines, one repository.

use std::fs;
use std::path::Path;

use tuffet_core::metadata::UnixTime;

use crate::home::Home;

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let (path, target) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() {
            copy(&path, &target);
        } else {
            fs::copy(&path, &target).unwrap();
        }
    }
}

/// Ana's machine with a repository that two of ana and ben sign, and Ben's with a copy of it. Each has only their own key.
fn two() -> (Home, Home) {
    let (ana, ben) = (Home::new(), Home::new());
    ana.ok(&["key", "new", "ana", "--no-passphrase"]);
    ben.ok(&["key", "new", "ben", "--no-passphrase", "-o", "."]);
    fs::copy(ben.path("ben.pub"), ana.path("ben.pub")).unwrap();
    ana.found(&["--root", "2of2", "--key", "ana", "--public", "ben.pub"]);
    copy(&ana.path("acme"), &ben.path("acme"));
    fs::remove_file(ben.path("acme/.tuffet/change.json")).unwrap();
    (ana, ben)
}

/// Carries the open change from one machine to the other.
fn carry(from: &Home, to: &Home) -> crate::home::Run {
    from.ok(&["change", "send", "c.tuf", "--repo", "acme"]);
    fs::copy(from.path("c.tuf"), to.path("c.tuf")).unwrap();
    to.ok(&["change", "receive", "c.tuf", "--repo", "acme"])
}

#[test]
fn two_people_on_two_machines_found_a_repository_and_publish() {
    let (ana, ben) = two();
    let run = ana.run(&["change", "show", "--check", "--repo", "acme"]);
    assert_eq!(run.exit, 6, "{run:?}");
    assert!(run.out.contains("signed by 1 of 2"), "{}", run.out);
    assert!(run.out.contains("waits for ben "), "{}", run.out);
    ana.fails(6, "signatures.missing", &["publish", "--repo", "acme"]);

    let shown = carry(&ana, &ben).out;
    assert!(shown.contains("root v1, the first"), "{shown}");
    assert!(shown.contains("+ version = 1"), "{shown}");
    ben.ok(&[
        "change",
        "sign",
        "--key",
        "./ben.key",
        "--check",
        "--repo",
        "acme",
    ]);
    carry(&ben, &ana);
    ana.ok(&["change", "show", "--check", "--repo", "acme"]);
    ana.ok(&["publish", "--repo", "acme"]);

    ana.write("app.txt", "hello\n");
    ana.ok(&["target", "add", "app.txt", "--repo", "acme"]);
    ana.ok(&["change", "sign", "--key", "ana", "--repo", "acme"]);
    // Ben's copy has not seen what was published meanwhile.
    ana.ok(&["change", "send", "early.tuf", "--repo", "acme"]);
    fs::copy(ana.path("early.tuf"), ben.path("early.tuf")).unwrap();
    ben.ok(&["change", "drop", "--repo", "acme"]);
    ben.fails(
        3,
        "change.foreign",
        &["change", "receive", "early.tuf", "--repo", "acme"],
    );
    copy(&ana.path("acme/metadata"), &ben.path("acme/metadata"));
    let receive = ["change", "receive", "early.tuf", "--repo", "acme"];
    ben.fails(3, "anchor.unknown", &receive);
    ben.fails(2, "usage.no-terminal", &["adopt", "--repo", "acme"]);
    ben.ok(&["adopt", "--yes", "--dry-run", "--repo", "acme"]);
    ben.fails(3, "anchor.unknown", &receive);
    let run = ben.ok(&["adopt", "--yes", "--repo", "acme"]);
    assert!(run.err.contains("root v1, SHA-256 "), "{}", run.err);
    let shown = carry(&ana, &ben).out;
    assert!(shown.contains("+ targets › app.txt = "), "{shown}");
    ben.ok(&["change", "sign", "--key", "./ben.key", "--repo", "acme"]);
    carry(&ben, &ana);
    ana.ok(&["publish", "--repo", "acme"]);
    ana.ok(&["verify", "web", "--root", "web/metadata/1.root.json"]);
    ana.fails(
        9,
        "change.published",
        &["change", "receive", "c.tuf", "--repo", "acme"],
    );
}

#[test]
fn a_change_that_somebody_has_tampered_with_is_not_received() {
    let (ana, ben) = two();
    ana.ok(&["change", "send", "c.tuf", "--repo", "acme"]);
    let sent = ana.read("c.tuf");
    let tampered = sent.replacen(r#""expires":"2"#, r#""expires":"3"#, 1);
    assert_ne!(sent, tampered);
    ben.write("c.tuf", &tampered);
    let receive = ["change", "receive", "c.tuf", "--repo", "acme"];
    let run = ben.fails(3, "change.signature", &receive);
    assert!(run.said().contains("the signature of ana "), "{}", run.err);
    assert_eq!(
        ben.ok(&["change", "show", "--repo", "acme"]).out,
        "nothing is open\n"
    );
}

#[test]
fn signing_needs_a_key_and_a_change() {
    let home = Home::with_client();
    home.fails(2, "usage.arguments", &["change", "sign", "--repo", "acme"]);
    home.fails(
        2,
        "change.none",
        &["change", "sign", "--key", "ana", "--repo", "acme"],
    );
    home.fails(2, "change.none", &["change", "send", "-", "--repo", "acme"]);
    home.fails(2, "change.none", &["change", "drop", "--repo", "acme"]);
    assert_eq!(
        home.ok(&["change", "show", "--repo", "acme"]).out,
        "nothing is open\n"
    );
    home.write("bad.tuf", "{");
    home.fails(
        1,
        "repo.format",
        &["change", "receive", "bad.tuf", "--repo", "acme"],
    );
    home.fails(
        4,
        "file.read",
        &["change", "receive", "none.tuf", "--repo", "acme"],
    );
}

#[test]
fn a_dry_run_of_the_desk_changes_nothing() {
    let home = Home::with_client();
    home.ok(&["renew", "targets", "--repo", "acme"]);
    let before = home.all_below("acme");
    home.ok(&[
        "change",
        "sign",
        "--key",
        "ana",
        "--dry-run",
        "--repo",
        "acme",
    ]);
    home.ok(&["change", "send", "x.tuf", "--dry-run", "--repo", "acme"]);
    home.ok(&["change", "drop", "--dry-run", "--repo", "acme"]);
    home.ok(&["target", "remove", "app.txt", "--dry-run", "--repo", "acme"]);
    assert_eq!(home.all_below("acme"), before);
    assert!(!home.path("x.tuf").exists());
    let sent = home.ok(&["change", "send", "-", "--repo", "acme"]).out;
    assert!(sent.starts_with("{\"base\":{"), "{sent}");
}

#[test]
fn targets_are_listed_and_removed() {
    let home = Home::with_client();
    let listed = home.ok(&["target", "list", "--repo", "acme"]).out;
    assert!(
        listed.contains("app.txt") && listed.contains("dir/tool.txt"),
        "{listed}"
    );
    home.ok(&["target", "remove", "app.txt", "--repo", "acme"]);
    let listed = home.ok(&["target", "list", "--repo", "acme"]).out;
    assert!(!listed.contains("app.txt"), "{listed}");
    home.fails(
        4,
        "target.not-listed",
        &["target", "remove", "app.txt", "--repo", "acme"],
    );
    home.ok(&["publish", "--key", "ana", "--key", "ben", "--repo", "acme"]);
    home.fails(
        4,
        "target.not-found",
        &["get", "acme:app.txt", "-o", "gone"],
    );
}

#[test]
fn status_says_who_must_do_what_by_when() {
    let home = Home::with_client();
    let quiet = home.ok(&["status", "--check", "--repo", "acme"]).out;
    assert!(
        quiet.contains("nothing is due") && quiet.contains("nothing is open"),
        "{quiet}"
    );
    // Ten days before targets expires, its keyholders are named.
    let (_, objects) = home.json(&["status", "--repo", "acme"]);
    let roles = objects[0]["roles"].as_array().unwrap();
    let targets = roles.iter().find(|one| one["role"] == "targets").unwrap();
    let expires = UnixTime::parse(targets["expires"].as_str().unwrap()).unwrap();
    let at = UnixTime(expires.0 - 10 * 86_400).to_string();
    let late = ["status", "--repo", "acme", "--at", at.as_str()];
    let run = home.ok(&late);
    assert!(
        run.out.contains("due: targets expires in 10 days"),
        "{}",
        run.out
    );
    assert!(
        run.out.contains("tuffet renew targets with 2 of ana "),
        "{}",
        run.out
    );
    assert!(run.out.contains("due: timestamp expired"), "{}", run.out);
    assert_eq!(home.run(&[&late[..], &["--check"]].concat()).exit, 5);
    let (_, objects) = home.json(&late);
    let deadlines = objects[0]["deadlines"].as_array().unwrap();
    let targets = deadlines
        .iter()
        .find(|one| one["role"] == "targets")
        .unwrap();
    let command = serde_json::json!(["tuffet", "renew", "targets"]);
    assert_eq!(targets["command"], command);
    assert_eq!(targets["passed"], false);

    home.ok(&["renew", "targets", "--repo", "acme"]);
    let run = home.run(&["status", "--check", "--repo", "acme"]);
    assert_eq!(run.exit, 6, "{run:?}");
    assert!(run.out.contains("open: targets v"), "{}", run.out);
    home.ok(&[
        "change", "sign", "--key", "ana", "--key", "ben", "--repo", "acme",
    ]);
    let run = home.run(&["status", "--check", "--repo", "acme"]);
    assert_eq!(run.exit, 7, "{run:?}");
    assert!(run.out.contains("ready: tuffet publish"), "{}", run.out);
}

#[test]
fn numbers_of_any_size_are_shown_exactly_in_json() {
    let home = Home::with_client();
    home.ok(&["renew", "targets", "--repo", "acme"]);
    let place = "acme/.tuffet/change.json";
    let huge = "9".repeat(400);
    let change = home.read(place).replace(
        "\"targets\":{\"app.txt\":{",
        &format!("\"targets\":{{\"app.txt\":{{\"custom\":{{\"n\":{huge}}},"),
    );
    assert!(change.contains(&huge));
    home.write(place, &change);
    let (_, objects) = home.json(&["change", "show", "--repo", "acme"]);
    let shown = objects[0]["drafts"][0]["differences"].as_array().unwrap();
    let custom = shown
        .iter()
        .find(|one| one["place"][2] == "custom")
        .unwrap();
    assert_eq!(custom["after"], format!("{{\"n\":{huge}}}"));
    assert!(custom.get("before").is_none());
    let (_, objects) = home.json(&["target", "list", "--repo", "acme"]);
    assert_eq!(
        objects[0]["targets"][0]["custom"],
        format!("{{\"n\":{huge}}}")
    );
}

/// Ana's home with a published repository of her own and an open change that has been signed by nobody.
fn with_open_change() -> Home {
    let home = Home::with_repository();
    home.write("new.txt", "new\n");
    home.ok(&["target", "add", "new.txt", "--repo", "acme"]);
    home
}

/// A line without how long something lasts, which is less a moment later.
fn untimed(line: &str) -> &str {
    line.split(", expires in ").next().unwrap()
}

#[test]
fn a_change_is_listed_and_its_differences_are_shown_apart() {
    let home = with_open_change();
    let list = home.ok(&["change", "list", "--repo", "acme"]).out;
    assert!(
        list.contains("targets v1 → v2") && list.contains("waits for"),
        "{list}"
    );
    assert!(!list.contains("new.txt"), "{list}");
    let diff = home.ok(&["change", "diff", "--repo", "acme"]).out;
    assert!(
        diff.contains("new.txt") && !diff.contains("waits for"),
        "{diff}"
    );
    for (command, there, absent) in [
        ("list", "needs", "differences"),
        ("diff", "differences", "needs"),
    ] {
        let (_, said) = home.json(&["change", command, "--repo", "acme"]);
        let draft = &said[0]["drafts"][0];
        assert!(
            draft.get(there).is_some() && draft.get(absent).is_none(),
            "{draft}"
        );
    }
}

#[test]
fn who_signs_is_shown_every_difference_once() {
    let sign = ["change", "sign", "--key", "ana", "--repo", "acme"];
    let publish = ["publish", "--key", "ana", "--key", "ben", "--repo", "acme"];
    for command in [&sign[..], &publish] {
        let home = with_open_change();
        let shown = home.ok(&["change", "show", "--repo", "acme"]).out;
        let dry = home.ok(&[command, &["--dry-run"]].concat()).err;
        let run = home.ok(command);
        assert_eq!(run.out, "");
        let order = [
            "+ targets › new.txt = ",
            "~ version: ",
            "  signed by 0 of 2",
        ];
        for line in order {
            assert!(shown.contains(line), "{shown}");
        }
        for line in shown.lines() {
            for said in [&run.err, &dry] {
                let same = |other: &str| untimed(other) == untimed(line);
                assert!(said.lines().any(same), "{line}: {said}");
            }
        }
        let before = run.err.split("Signed").next().unwrap();
        assert!(before.contains("+ targets › new.txt"), "{}", run.err);
    }
    let home = with_open_change();
    home.ok(&sign);
    let again = home.ok(&sign).err;
    assert!(!again.contains("new.txt"), "{again}");
    // Ben has not seen it, and Ana has.
    let published = home.ok(&publish).err;
    let shown = published.matches("+ targets › new.txt").count();
    assert_eq!(shown, 1, "{published}");
}

#[test]
fn machines_get_what_was_signed_in_the_result() {
    let home = with_open_change();
    let (exit, said) = home.json(&["change", "sign", "--key", "ana", "--repo", "acme"]);
    assert_eq!(exit, 0);
    let differences = &said[0]["shown"]["drafts"][0]["differences"];
    let places = differences.as_array().unwrap().iter();
    let mut places = places.map(|one| one["place"].to_string());
    assert!(
        places.any(|place| place == r#"["targets","new.txt"]"#),
        "{differences}"
    );
}

/// Runs the program on a terminal and answers the question.
#[cfg(target_os = "linux")]
fn on_a_terminal(home: &Home, arguments: &[&str], answer: &str) -> Option<(i32, String)> {
    use std::io::Write as _;
    use std::process::Stdio;

    let line = format!("tuffet {}", arguments.join(" "));
    let mut command = home.program("script");
    command.args(["-qec", &line, "/dev/null"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let Ok(mut child) = command.spawn() else {
        eprintln!("skipped: script is not installed");
        return None;
    };
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(answer.as_bytes()).unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    Some((output.status.code().unwrap(), said))
}

#[cfg(target_os = "linux")]
#[test]
fn on_a_terminal_who_signs_has_to_say_yes() {
    let sign = ["change", "sign", "--key", "ana", "--repo", "acme"];
    let publish = ["publish", "--key", "ana", "--key", "ben", "--repo", "acme"];
    for command in [&sign[..], &publish] {
        let home = with_open_change();
        let before = home.all_below("acme");
        let Some((exit, said)) = on_a_terminal(&home, command, "n\n") else {
            return;
        };
        assert_eq!(exit, 1, "{said}");
        assert!(said.contains("targets › new.txt"), "{said}");
        assert!(said.contains("usage.declined"), "{said}");
        assert_eq!(home.all_below("acme"), before);
        let (exit, said) = on_a_terminal(&home, command, "y\n").unwrap();
        assert_eq!(exit, 0, "{said}");
        assert!(said.contains("sign this? [y/N]"), "{said}");
        let home = with_open_change();
        let (exit, said) = on_a_terminal(&home, &[command, &["--yes"]].concat(), "").unwrap();
        assert_eq!(exit, 0, "{said}");
        assert!(!said.contains("sign this?"), "{said}");
        assert!(said.contains("targets › new.txt"), "{said}");
    }
}
