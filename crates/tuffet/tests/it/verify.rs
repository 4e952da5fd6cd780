//! The audit of a whole repository.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};

use tuffet_core::crypto::Scheme;
use tuffet_core::metadata::UnixTime;
use tuffet_repo::{InitOptions, NamedKey, Publish, Repository};
use tuffet_sign::FileKey;

use crate::codes::later;
use crate::home::Home;

/// A repository with a delegated team role.
fn with_team() -> Home {
    let home = Home::with_repository();
    home.ok(&["key", "new", "sam", "--no-passphrase"]);
    home.ok(&[
        "delegate", "add", "team", "--paths", "team/*", "--keys", "sam", "--repo", "acme",
    ]);
    home.ok(&[
        "target",
        "add",
        "tool.txt",
        "--name",
        "team/tool.txt",
        "--as",
        "team",
        "--repo",
        "acme",
    ]);
    home.ok(&[
        "publish", "--repo", "acme", "--key", "ana", "--key", "ben", "--key", "sam",
    ]);
    home
}

#[test]
fn a_sound_repository_gets_a_receipt() {
    let home = with_team();
    let run = home.ok(&["verify", "web", "--root", "web/metadata/1.root.json"]);
    for line in [
        "anchor      root v1, given by you",
        "targets     3 listed, 3 checked, 28 B",
        "verdict     verified",
    ] {
        assert!(run.out.contains(line), "{}", run.out);
    }
    assert!(run.out.contains("\nteam "), "{}", run.out);
    let (exit, receipts) = home.json(&["verify", "web", "--root", "web/metadata/1.root.json"]);
    assert_eq!((exit, &receipts[0]["verdict"]), (0, &"verified".into()));
}

#[test]
fn o06_without_a_root_of_the_users_nothing_is_called_verified() {
    let home = with_team();
    let run = home.run(&["verify", "web"]);
    assert_eq!(run.exit, 7, "{run:?}");
    for line in [
        "of the repository itself: nobody vouched for it",
        "verdict     consistent in itself",
    ] {
        assert!(run.out.contains(line), "{}", run.out);
    }
    assert!(!run.out.contains("verified"), "{}", run.out);
    let (exit, receipts) = home.json(&["verify", "web"]);
    assert_eq!(exit, 7);
    assert_eq!(receipts[0]["schema"], "tuffet.verify/2");
    assert_eq!(receipts[0]["verdict"], "consistent");
    assert_eq!(receipts[0]["exit"], 7);
    assert!(!receipts[0].to_string().contains("verified"));
    // What is wrong is wrong with or without an anchor.
    home.write("web/targets/stray", "x");
    let (exit, receipts) = home.json(&["verify", "web"]);
    assert_eq!((exit, &receipts[0]["verdict"]), (7, &"findings".into()));
}

/// Publishes on ten days a month ago, and returns the timestamps, the last one first.
fn timestamps_of_a_month_ago(repository: &Path, web: &Path) -> Vec<Vec<u8>> {
    let now = std::time::SystemTime::now();
    let now = now.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let day = |day: u64| UnixTime(i64::try_from(now - (30 - day) * 86_400).unwrap());
    let [ana, online] = [(); 2].map(|()| FileKey::generate(Scheme::Ed25519).unwrap());
    let named = |name, key| vec![NamedKey::of(name, key).unwrap()];
    let options = InitOptions::new("acme", named("ana", &ana), 1, named("online", &online));
    let founded = Repository::init(repository, &options, &[&ana], day(0)).unwrap();
    founded.execute().unwrap();
    let mut timestamps: Vec<Vec<u8>> = (0..10)
        .map(|number| {
            let repository = Repository::open(repository).unwrap();
            let plan = repository.publish(&Publish::to(web), &[&online], day(number));
            plan.unwrap().execute().unwrap();
            fs::read(web.join("metadata/timestamp.json")).unwrap()
        })
        .collect();
    timestamps.reverse();
    timestamps
}

#[test]
fn a_server_that_answers_with_another_expired_timestamp_each_time_is_stale() {
    let home = Home::new();
    let (repository, web) = (home.path("acme"), home.path("web"));
    let timestamps = timestamps_of_a_month_ago(&repository, &web);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let root = web.join("metadata/1.root.json");
    std::thread::spawn(move || {
        let mut timestamps = timestamps.into_iter();
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut line = String::new();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            reader.read_line(&mut line).unwrap();
            let mut header = String::new();
            while reader.read_line(&mut header).unwrap() > 2 {
                header.clear();
            }
            let path = line.split(' ').nth(1).unwrap().trim_start_matches('/');
            let found = if path == "metadata/timestamp.json" {
                timestamps.next()
            } else {
                fs::read(web.join(path)).ok()
            };
            let (status, bytes) = match found {
                Some(bytes) => ("200 OK", bytes),
                None => ("404 Not Found", Vec::new()),
            };
            let length = bytes.len();
            let head = format!(
                "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
            );
            stream.write_all(head.as_bytes()).unwrap();
            stream.write_all(&bytes).unwrap();
        }
    });
    let run = home.run(&["verify", &url, "--root", root.to_str().unwrap()]);
    assert_eq!(run.exit, 5, "{run:?}");
    assert!(run.out.contains("expired.timestamp"), "{}", run.out);
    assert!(!run.out.contains("verified"), "{}", run.out);
}

#[test]
fn a_changed_target_is_not_trustworthy() {
    let home = with_team();
    fs::write(home.published("web/targets/team", "tool.txt"), "tool 2\n").unwrap();
    let run = home.run(&["verify", "web"]);
    assert_eq!(run.exit, 3, "{run:?}");
    assert!(
        run.out.contains("hash.target: team/tool.txt"),
        "{}",
        run.out
    );
    assert!(
        run.out.contains("verdict     NOT TRUSTWORTHY"),
        "{}",
        run.out
    );
    let (_, receipts) = home.json(&["verify", "web", "--metadata-only"]);
    assert_eq!(receipts[0]["verdict"], "consistent");
}

#[test]
fn a_changed_delegated_role_does_not_end_the_audit() {
    let home = with_team();
    let role = home.path("web/metadata/1.team.json");
    let text = fs::read_to_string(&role).unwrap();
    fs::write(&role, text.replace("tool.txt", "tool.exe")).unwrap();
    let run = home.run(&["verify", "web"]);
    assert_eq!(run.exit, 3, "{run:?}");
    assert!(run.out.contains(".delegated: team"), "{}", run.out);
    assert!(
        run.out.contains("targets     2 listed, 2 checked"),
        "{}",
        run.out
    );
}

#[test]
fn a_missing_target_is_not_trustworthy() {
    let home = with_team();
    fs::remove_file(home.published("web/targets", "app.txt")).unwrap();
    let run = home.run(&["verify", "web"]);
    assert_eq!(run.exit, 3, "{run:?}");
    assert!(run.out.contains("target.missing: app.txt"), "{}", run.out);
}

#[test]
fn metadata_alone_is_one_finding() {
    let home = with_team();
    let root = ["--root", "web/metadata/1.root.json"];
    let run = home.run(&["verify", "web/metadata", root[0], root[1]]);
    assert_eq!(run.exit, 0, "the targets are beside the metadata: {run:?}");
    fs::remove_dir_all(home.path("web/targets")).unwrap();
    let run = home.run(&["verify", "web/metadata"]);
    assert_eq!(run.exit, 3, "{run:?}");
    assert!(
        run.out.contains("none of the 3 listed targets"),
        "{}",
        run.out
    );
    assert!(run.out.contains("1 finding\n"), "{}", run.out);
}

#[test]
fn expired_roles_are_named_and_the_rest_is_verified_all_the_same() {
    let home = with_team();
    let run = home.run(&["verify", "web", "--at", &later(60)]);
    assert_eq!(run.exit, 5, "{run:?}");
    for code in ["expired.timestamp", "expired.snapshot", "expired.delegated"] {
        assert!(run.out.contains(code), "{code}: {}", run.out);
    }
    assert!(
        run.out.contains("targets     3 listed, 3 checked"),
        "{}",
        run.out
    );
    let run = home.run(&["verify", "web", "--within", "14d"]);
    assert_eq!(run.exit, 7, "{run:?}");
    assert!(run.out.contains("expires.soon: timestamp"), "{}", run.out);
}

#[test]
fn files_that_nobody_vouches_for_are_findings() {
    let home = with_team();
    home.write("web/metadata/1.stray.json", "{}");
    home.write("web/targets/team/stray", "x");
    let run = home.run(&["verify", "web"]);
    assert_eq!(run.exit, 7, "{run:?}");
    for file in ["metadata/1.stray.json", "targets/team/stray"] {
        assert!(
            run.out.contains(&format!("file.unlisted: {file}")),
            "{}",
            run.out
        );
    }
    assert!(run.out.contains("2 findings"), "{}", run.out);
}

#[test]
fn a_foreign_root_is_not_a_beginning() {
    let home = with_team();
    home.ok(&[
        "init",
        "other",
        "--root",
        "1of1",
        "--key",
        "sam",
        "--new-online-key",
        "--publish-to",
        "../other-web",
    ]);
    home.ok(&["publish", "--repo", "other"]);
    let run = home.run(&["verify", "web", "--root", "other-web/metadata/1.root.json"]);
    assert_eq!(run.exit, 3, "{run:?}");
    assert!(run.out.contains("threshold."), "{}", run.out);
}

#[test]
fn a_place_without_metadata_is_not_found() {
    let home = Home::new();
    fs::create_dir(home.path("empty")).unwrap();
    home.fails(4, "verify.layout", &["verify", "empty"]);
    home.fails(4, "file.read", &["verify", "nowhere"]);
}

#[test]
fn real_repositories_verify_as_of_their_time() {
    let data = std::env::var_os("TUFFET_TESTDATA").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/testdata"),
        PathBuf::from,
    );
    let Ok(entries) = fs::read_dir(&data) else {
        println!("skipped: no test data in {}", data.display());
        return;
    };
    let home = Home::new();
    let mut seen = 0;
    for entry in entries {
        let directory = entry.unwrap().path();
        let Ok(case) = fs::read_to_string(directory.join("case.json")) else {
            continue;
        };
        let case: serde_json::Value = serde_json::from_str(&case).unwrap();
        let (Some(time), Some(root)) = (
            case["reference_time"].as_str(),
            case["initial_roots"][0]["file"].as_str(),
        ) else {
            continue;
        };
        let root = directory.join(root).display().to_string();
        let place = directory.display().to_string();
        let run = home.run(&[
            "verify",
            &place,
            "--root",
            &root,
            "--at",
            time,
            "--metadata-only",
        ]);
        let name = directory
            .file_name()
            .unwrap()
            .to_string_lossy()
            .into_owned();
        let expected: &[i32] = match (name.contains("keyless"), case["expect"].as_str()) {
            (true, _) => &[3],
            (_, Some("expired")) => &[5],
            _ => &[0, 7],
        };
        assert!(expected.contains(&run.exit), "{name}: {run:?}");
        seen += 1;
    }
    assert!(seen > 10, "{seen}");
}

#[test]
fn all_targets_withheld_is_no_milder_than_one() {
    let home = with_team();
    fs::remove_dir_all(home.path("web/targets")).unwrap();
    let run = home.run(&["verify", "web", "--root", "web/metadata/1.root.json"]);
    assert_eq!(run.exit, 3, "{run:?}");
    assert!(
        run.out.contains("none of the 3 listed targets"),
        "{}",
        run.out
    );
    let root = "web/metadata/1.root.json";
    home.ok(&["verify", "web", "--metadata-only", "--root", root]);
}

#[test]
fn findings_of_one_kind_are_shown_up_to_a_number_and_counted() {
    let home = with_team();
    for number in 0..1030 {
        home.write(&format!("web/metadata/{number}.stray.json"), "{}");
    }
    let run = home.run(&["verify", "web"]);
    assert!(run.out.contains("1030 findings"), "{}", run.out);
    assert!(
        run.out
            .contains("… and 1010 more of file.unlisted: the first 1000 are in --json"),
        "{}",
        run.out
    );
    assert_eq!(run.out.matches("file.unlisted: metadata").count(), 20);
    let (_, receipts) = home.json(&["verify", "web"]);
    assert_eq!(receipts[0]["found"]["file.unlisted"], 1030);
    assert_eq!(receipts[0]["findings"].as_array().unwrap().len(), 1000);
}
