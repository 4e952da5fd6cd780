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
    assert!(home.read("acme/.tuffet/.gitignore").starts_with("*\n"));
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
    // What stands in the environment is for every command.
    let mut plain = home.command();
    plain.args(["key", "new", "plain", "--no-passphrase"]);
    let run = finish(plain.env("TUFFET_PASSPHRASE_FILE", "secret"));
    assert_eq!(run.exit, 0, "{run:?}");
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
        home.found(&["--root", "1of1", "--key", "ana"]);
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

/// The first line of the answer to a request.
fn ask(server: &crate::home::Server, path: &str) -> String {
    use std::io::{BufRead, BufReader, Write};

    let address = server.url.strip_prefix("http://").unwrap();
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
    )
    .unwrap();
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).unwrap();
    line.trim().to_owned()
}

#[test]
fn serve_gives_away_nothing_but_metadata_and_targets() {
    let home = Home::with_repository();
    let run = home.fails(2, "serve.repository", &["serve", "acme"]);
    assert!(run.err.contains("tuffet serve acme/../web"), "{}", run.err);
    home.write("web/secret", "x");
    let server = home.serve("web");
    for (path, answer) in [
        ("/metadata/timestamp.json", "HTTP/1.1 200 OK"),
        ("/secret", "HTTP/1.1 404 Not Found"),
        ("/targets/../secret", "HTTP/1.1 404 Not Found"),
        ("/targets/%2e%2e/secret", "HTTP/1.1 404 Not Found"),
        ("/", "HTTP/1.1 404 Not Found"),
    ] {
        assert_eq!(ask(&server, path), answer, "{path}");
    }
}

/// What comes in two pieces can be read in two pieces, and the second waits until the first was acknowledged.
#[test]
fn serve_sends_short_answers_in_one_piece_and_goes_on_listening() {
    use std::io::{Read, Write};

    let home = Home::with_repository();
    let server = home.serve("web");
    let address = server.url.strip_prefix("http://").unwrap();
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    let file = home.read("web/metadata/timestamp.json");
    let mut bytes = vec![0; 1 << 16];
    for (method, body) in [("GET", file.as_str()), ("HEAD", ""), ("GET", &file)] {
        write!(
            stream,
            "{method} /metadata/timestamp.json HTTP/1.1\r\nhost: x\r\n\r\n"
        )
        .unwrap();
        let count = stream.read(&mut bytes).unwrap();
        let answer = std::str::from_utf8(&bytes[..count]).unwrap();
        let (head, rest) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
        let length = format!("\r\ncontent-length: {}", file.len());
        assert!(head.contains(&length), "{head}");
        assert_eq!(rest, body, "{method}");
    }
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

#[test]
fn the_online_key_is_replaced_and_old_clients_follow() {
    let home = Home::with_client();
    home.ok(&["get", "acme:app.txt", "-o", "one.txt"]);
    home.ok(&["key", "new", "robot", "--no-passphrase"]);
    home.ok(&["key", "rotate", "online", "--to", "robot", "--repo", "acme"]);
    let keys = ["--key", "ana", "--key", "ben", "--key", "robot"];
    let run = home.ok(&[&["publish", "--repo", "acme"], &keys[..]].concat());
    assert!(!run.err.contains("warning"), "{}", run.err);
    let run = home.ok(&["get", "acme:app.txt", "-o", "two.txt"]);
    assert!(run.err.contains("root v2 → timestamp v2"), "{}", run.err);
    // From now on the new key is needed, and enough.
    home.fails(6, "signatures.missing", &["publish", "--repo", "acme"]);
    home.ok(&["publish", "--repo", "acme", "--key", "robot"]);
    home.ok(&["get", "acme:app.txt", "-o", "three.txt"]);
    // A key that has no place in the repository is a mistake all the same.
    home.ok(&["key", "new", "stranger", "--no-passphrase"]);
    home.ok(&["renew", "targets", "--repo", "acme"]);
    home.fails(
        2,
        "key.not-needed",
        &["publish", "--repo", "acme", "--key", "stranger"],
    );
}

#[test]
fn publishing_says_where_and_status_who_is_waited_for() {
    let home = Home::with_repository();
    let run = home.ok(&["publish", "--repo", "acme"]);
    assert!(run.err.contains("Ready  to be served from "), "{}", run.err);
    home.ok(&["renew", "targets", "--repo", "acme"]);
    let out = home.ok(&["status", "--repo", "acme"]).out;
    let both = out.split("waits for ").nth(1).unwrap();
    assert!(both.contains(" and "), "both have to sign: {out}");
    home.ok(&["change", "sign", "--key", "ana", "--repo", "acme"]);
    let out = home.ok(&["status", "--repo", "acme"]).out;
    assert!(out.contains("; waits for ben "), "{out}");
    let run = home.fails(4, "repo.not-found", &["status"]);
    assert!(run.err.contains("--repo DIR"), "{}", run.err);
}

#[test]
fn status_is_a_calendar_and_metrics_too() {
    let home = Home::with_repository();
    home.ok(&["renew", "targets", "--repo", "acme"]);
    let ics = home
        .ok(&["status", "--ics", "--within", "10d", "--repo", "acme"])
        .out;
    for line in [
        "BEGIN:VCALENDAR\r\n",
        "UID:root/targets@acme\r\n",
        "SUMMARY:acme: targets expires\r\n",
        "TRIGGER:-PT14400M\r\n",
        "END:VCALENDAR\r\n",
    ] {
        assert!(ics.contains(line), "{line}\n{ics}");
    }
    assert_eq!(
        ics.matches("BEGIN:VEVENT").count(),
        2,
        "people sign two roles"
    );
    let metrics = home.ok(&["status", "--prometheus", "--repo", "acme"]).out;
    for line in [
        "# TYPE tuffet_role_expires_timestamp_seconds gauge",
        "tuffet_role_version{repository=\"acme\",role=\"root\",delegator=\"root\"} 1",
        "tuffet_role_threshold{repository=\"acme\",role=\"targets\",delegator=\"root\"} 2",
        "tuffet_change_missing_signatures{repository=\"acme\",role=\"targets\"} 2",
    ] {
        assert!(metrics.contains(line), "{line}\n{metrics}");
    }
    let both = home.run(&["status", "--ics", "--json", "--repo", "acme"]);
    assert_eq!(both.exit, 2, "{both:?}");
}

#[test]
fn what_is_missing_is_said_before_anything_is_done() {
    let home = Home::with_repository();
    let before = home.all_below("acme");
    home.fails(
        4,
        "file.read",
        &["target", "add", "tool.txt", "nothing", "--repo", "acme"],
    );
    assert_eq!(home.all_below("acme"), before);
    let run = home.fails(
        2,
        "usage.no-terminal",
        &["init", "other", "--root", "1of1", "--key", "ana"],
    );
    assert!(
        run.err.contains("--online KEY or --new-online-key"),
        "{}",
        run.err
    );
}
