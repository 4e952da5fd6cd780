//! Trusting repositories and getting files.

use std::fs;

use crate::codes::later;
use crate::home::Home;

#[test]
fn directories_of_the_path_are_kept() {
    let home = Home::with_client();
    home.ok(&["get", "acme:app.txt", "acme:dir/tool.txt", "-o", "out"]);
    assert_eq!(home.read("out/app.txt"), "application 1\n");
    assert_eq!(home.read("out/dir/tool.txt"), "tool 1\n");
    home.ok(&["get", "acme:dir/tool.txt", "-o", "elsewhere/"]);
    assert_eq!(home.read("elsewhere/dir/tool.txt"), "tool 1\n");
    home.ok(&["get", "acme:dir/tool.txt", "-o", "just-this"]);
    assert_eq!(home.read("just-this"), "tool 1\n");
}

#[test]
fn an_attack_is_not_hidden_by_a_spelling_mistake() {
    let home = Home::with_client();
    let served = home.published("web/targets", "app.txt");
    fs::write(served, "application X\n").unwrap();
    let wanted = [
        "get",
        "acme:missing.txt",
        "acme:app.txt",
        "acme:dir/tool.txt",
        "nobody:x.txt",
        "-o",
        "out",
    ];
    let run = home.fails(3, "hash.target", &wanted);
    for code in ["target.not-found", "trust.unknown"] {
        assert!(run.err.contains(&format!("error[{code}]: ")), "{run:?}");
    }
    assert!(run.err.contains("Saved  out/dir/tool.txt"), "{run:?}");
    assert_eq!(home.read("out/dir/tool.txt"), "tool 1\n");

    let (exit, objects) = home.json(&wanted);
    assert_eq!((exit, objects.len()), (3, 1), "{objects:?}");
    let object = &objects[0];
    assert_eq!(object["schema"], "tuffet.error/1");
    assert_eq!(object["error"]["code"], "hash.target");
    assert_eq!(object["targets"].as_array().unwrap().len(), 1);
    assert_eq!(object["targets"][0]["path"], "dir/tool.txt");
    let failures = object["failures"].as_array().unwrap();
    let of = |repository: &str, path: &str| {
        let failure = failures
            .iter()
            .find(|failure| failure["repository"] == repository && failure["paths"][0] == path);
        failure.unwrap()["error"]["code"].as_str().unwrap()
    };
    assert_eq!(failures.len(), 3, "{failures:?}");
    assert_eq!(of("acme", "missing.txt"), "target.not-found");
    assert_eq!(of("acme", "app.txt"), "hash.target");
    assert_eq!(of("nobody", "x.txt"), "trust.unknown");
}

#[test]
fn another_file_is_never_overwritten_silently() {
    let home = Home::with_client();
    home.write("app.txt", "mine\n");
    let run = home.fails(9, "disk.exists", &["get", "acme:app.txt"]);
    assert!(
        run.err.contains("app.txt exists and has other content"),
        "{}",
        run.err
    );
    assert_eq!(home.read("app.txt"), "mine\n");
    home.ok(&["get", "acme:app.txt", "--overwrite"]);
    assert_eq!(home.read("app.txt"), "application 1\n");
    let run = home.ok(&["get", "acme:app.txt"]);
    assert!(run.err.contains("Unchanged  "), "{}", run.err);
}

#[test]
fn the_proof_names_roles_keys_and_patterns() {
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
    home.ok(&[
        "trust",
        "add",
        "acme",
        "web",
        "--root",
        "web/metadata/1.root.json",
    ]);
    let out = home.ok(&["get", "acme:team/tool.txt", "--explain"]).out;
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(lines[0], "acme:team/tool.txt  7 B");
    let of = |role: &str| {
        *lines
            .iter()
            .find(|line| line.trim_start().starts_with(role))
            .unwrap()
    };
    assert!(of("root").contains("v1  2 of 2"), "{out}");
    assert!(of("team").contains("v1  1 of 1"), "{out}");
    assert!(of("team").ends_with("by team/*, terminating"), "{out}");
}

#[test]
fn trusting_shows_the_fingerprint_and_checks_the_root_against_its_keys() {
    let home = Home::with_repository();
    let run = home.ok(&[
        "trust",
        "add",
        "acme",
        "web",
        "--root",
        "web/metadata/1.root.json",
    ]);
    let shown = home.ok(&["trust", "show", "acme"]).out;
    let (_, objects) = home.json(&["trust", "show", "acme"]);
    let sha256 = objects[0]["repositories"][0]["root"]["sha256"]
        .as_str()
        .unwrap();
    for group in sha256.as_bytes().chunks(8) {
        let group = std::str::from_utf8(group).unwrap();
        assert!(run.err.contains(group) && shown.contains(group), "{group}");
    }
    assert!(shown.starts_with("acme  root v1, 2 of 2 keys"), "{shown}");

    let mut root: serde_json::Value =
        serde_json::from_str(&home.read("web/metadata/1.root.json")).unwrap();
    root["signatures"].as_array_mut().unwrap().pop();
    home.write("weak.json", &root.to_string());
    home.fails(
        3,
        "threshold.root",
        &["trust", "add", "weak", "web", "--root", "weak.json"],
    );
    home.fails(4, "trust.unknown", &["trust", "show", "weak"]);
}

#[test]
fn a_dry_run_changes_nothing() {
    let home = Home::with_repository();
    home.ok(&[
        "trust",
        "add",
        "acme",
        "web",
        "--root",
        "web/metadata/1.root.json",
        "--dry-run",
    ]);
    home.fails(4, "trust.unknown", &["trust", "show", "acme"]);
    home.write("new.txt", "new\n");
    home.ok(&["target", "add", "new.txt", "--repo", "acme", "--dry-run"]);
    home.ok(&[
        "init",
        "other",
        "--root",
        "1of1",
        "--key",
        "ana",
        "--new-online-key",
        "--dry-run",
    ]);
    assert!(!home.path("other/tuffet.toml").exists());
    home.publish();
    assert!(!home.read("web/metadata/1.targets.json").contains("new.txt"));
    assert!(!home.path("web/metadata/2.targets.json").exists());
}

#[test]
fn http_works_like_a_directory() {
    let home = Home::with_repository();
    let server = home.serve("web");
    home.ok(&[
        "trust",
        "add",
        "acme",
        &server.url,
        "--root",
        "web/metadata/1.root.json",
    ]);
    home.ok(&["get", "acme:dir/tool.txt"]);
    assert_eq!(home.read("dir/tool.txt"), "tool 1\n");
    let root = "web/metadata/1.root.json";
    home.ok(&["verify", &server.url, "--root", root]);
}

#[test]
fn mirrors_are_asked_in_order() {
    let home = Home::with_repository();
    fs::create_dir(home.path("empty")).unwrap();
    home.ok(&[
        "trust",
        "add",
        "acme",
        "--metadata-url",
        "empty",
        "--metadata-url",
        "web/metadata",
        "--targets-url",
        "empty",
        "--targets-url",
        "web/targets",
        "--root",
        "web/metadata/1.root.json",
    ]);
    home.ok(&["get", "acme:app.txt", "-o", "saved.txt"]);
    assert_eq!(home.read("saved.txt"), "application 1\n");
}

#[test]
fn offline_uses_what_was_verified_before() {
    let home = Home::with_client();
    home.fails(4, "offline.missing", &["get", "acme:app.txt", "--offline"]);
    home.ok(&["get", "acme:app.txt"]);
    fs::rename(home.path("web"), home.path("away")).unwrap();
    let run = home.ok(&["get", "acme:app.txt", "--offline"]);
    assert!(run.err.contains("Unchanged"), "{}", run.err);
    home.fails(
        4,
        "offline.target",
        &["get", "acme:dir/tool.txt", "--offline"],
    );
    home.fails(
        5,
        "expired.timestamp",
        &["get", "acme:app.txt", "--offline", "--at", &later(3)],
    );
}

#[test]
fn strict_and_refuse_turn_tolerances_into_errors() {
    let home = Home::with_client();
    home.ok(&["get", "acme:app.txt", "--strict"]);
    let run = home.run(&["get", "acme:app.txt", "--refuse", "nothing"]);
    assert_eq!(run.exit, 2, "{run:?}");
    assert!(run.err.contains("hex-point"), "{}", run.err);
    home.ok(&[
        "get",
        "acme:app.txt",
        "--refuse",
        "hex-point",
        "--refuse",
        "expires-form",
    ]);
}

/// A second repository in `mirror`, held by cara, that says the same.
fn with_mirror() -> Home {
    let home = Home::with_repository();
    home.ok(&["key", "new", "cara", "--no-passphrase"]);
    home.ok(&[
        "init",
        "other",
        "--root",
        "1of1",
        "--key",
        "cara",
        "--new-online-key",
        "--publish-to",
        "../mirror",
    ]);
    home.ok(&["target", "add", "app.txt", "--repo", "other"]);
    home.ok(&[
        "target",
        "add",
        "tool.txt",
        "--name",
        "dir/tool.txt",
        "--repo",
        "other",
    ]);
    home.ok(&["publish", "--repo", "other", "--key", "cara"]);
    home
}

#[test]
fn m05_one_holder_of_two_repositories_is_one_voice() {
    let home = Home::with_repository();
    let place = format!("file://{}", home.path("web").display());
    let add = |threshold: u32| {
        let map = serde_json::json!({
            "repositories": {"one": [place], "two": [place]},
            "mapping": [{"paths": ["*"], "repositories": ["one", "two"], "threshold": threshold, "terminating": true}],
        });
        home.write("map.json", &map.to_string());
        let root = |name: &str| format!("{name}=web/metadata/1.root.json");
        let (one, two) = (root("one"), root("two"));
        let trust = ["trust", "add", "both", "--map", "map.json"];
        home.run(&[&trust[..], &["--root", &one, "--root", &two]].concat())
    };
    let refused = add(2);
    assert_eq!(refused.exit, 7, "{refused:?}");
    assert!(refused.err.contains("error[trust.voices]"), "{refused:?}");
    home.fails(4, "trust.unknown", &["trust", "show", "both"]);
    let warned = add(1);
    assert_eq!(warned.exit, 0, "{warned:?}");
    assert!(warned.err.contains("keys in common"), "{warned:?}");
}

#[test]
fn several_repositories_have_to_agree() {
    let home = with_mirror();
    let place = |name: &str| format!("file://{}", home.path(name).display());
    let map = serde_json::json!({
        "repositories": {"vendor": [place("web")], "mirror": [place("mirror")]},
        "mapping": [{"paths": ["*", "dir/*"], "repositories": ["vendor", "mirror"], "threshold": 2, "terminating": true}],
    });
    home.write("map.json", &map.to_string());
    let run = home.run(&[
        "trust",
        "add",
        "both",
        "--map",
        "map.json",
        "--root",
        "vendor=web/metadata/1.root.json",
    ]);
    assert_eq!(run.exit, 2, "{run:?}");
    assert!(run.err.contains("--root mirror=FILE"), "{}", run.err);
    home.ok(&[
        "trust",
        "add",
        "both",
        "--map",
        "map.json",
        "--root",
        "vendor=web/metadata/1.root.json",
        "--root",
        "mirror=mirror/metadata/1.root.json",
    ]);
    home.ok(&["get", "both:dir/tool.txt", "-o", "agreed/"]);
    assert_eq!(home.read("agreed/dir/tool.txt"), "tool 1\n");

    home.write("app.txt", "application 2\n");
    home.ok(&["target", "add", "app.txt", "--replace", "--repo", "acme"]);
    home.publish();
    home.fails(
        3,
        "map.disagreement",
        &["get", "both:app.txt", "-o", "disputed/"],
    );
    assert!(!home.path("disputed/app.txt").exists());
}

#[test]
fn a_path_that_leaves_the_directory_is_refused() {
    let home = Home::with_repository();
    let run = home.run(&[
        "target",
        "add",
        "tool.txt",
        "--name",
        "../escape",
        "--repo",
        "acme",
    ]);
    assert_eq!(run.exit, 2, "{run:?}");
    home.ok(&[
        "trust",
        "add",
        "acme",
        "web",
        "--root",
        "web/metadata/1.root.json",
    ]);
    assert_ne!(home.run(&["get", "acme:../escape"]).exit, 0);
}

#[test]
fn what_is_learnt_at_another_time_is_not_remembered() {
    let home = Home::with_client();
    home.ok(&["get", "acme:app.txt", "--output", "one"]);
    let before = home.all_below(".");
    let run = home.run(&["get", "acme:app.txt", "--at", &later(1), "--output", "one"]);
    assert!(run.exit == 0 || run.exit == 5, "{run:?}");
    assert_eq!(home.all_below("."), before);
}

#[test]
fn a_url_is_looked_at_when_it_is_trusted() {
    let home = Home::with_repository();
    home.publish();
    let root = ["--root", "web/metadata/1.root.json"];
    for bad in [
        "https://exa mple",
        "http://u:p/w@h/x",
        "https://h:99999/",
        "https://h/#f",
        "ftp://h/x",
        "https:///x",
    ] {
        let run = home.fails(
            2,
            "usage.arguments",
            &["trust", "add", "x", bad, root[0], root[1]],
        );
        assert!(!run.err.contains("p/w"), "{}", run.err);
    }
    home.ok(&[
        "trust",
        "add",
        "q",
        "https://h.example/x?sig=TOPSECRET",
        root[0],
        root[1],
    ]);
    let shown = home.ok(&["trust", "show", "q"]).out;
    assert!(shown.contains("https://h.example/x/metadata?…"), "{shown}");
    assert!(shown.contains("https://h.example/x/targets?…"), "{shown}");
    assert!(!shown.contains("TOPSECRET"), "{shown}");
}

#[test]
fn a_wrong_command_line_has_a_code_too() {
    let home = Home::new();
    let run = home.fails(2, "usage.arguments", &["get", "--no-such-flag"]);
    assert!(run.err.contains("--no-such-flag"), "{}", run.err);
}

#[test]
fn every_url_is_looked_at_when_it_is_trusted_also_those_of_mirrors_and_maps() {
    let home = Home::with_repository();
    let root = "web/metadata/1.root.json";
    for option in ["--metadata-url", "--targets-url"] {
        home.fails(
            2,
            "usage.arguments",
            &[
                "trust", "add", "x", "web", option, "ftp://h", "--root", root,
            ],
        );
    }
    let map = serde_json::json!({
        "repositories": {"one": ["https://h/", "https://exa mple"]},
        "mapping": [{"paths": ["*"], "repositories": ["one"], "threshold": 1, "terminating": true}],
    });
    home.write("map.json", &map.to_string());
    let root = format!("one={root}");
    home.fails(
        2,
        "usage.arguments",
        &["trust", "add", "x", "--map", "map.json", "--root", &root],
    );
    home.fails(2, "usage.arguments", &["verify", "ftp://h/x"]);
}

/// Answers every request with what is below a directory, and tells which requests there were.
fn answer(directory: std::path::PathBuf) -> (String, std::sync::mpsc::Receiver<String>) {
    use std::io::{BufRead, BufReader, Write};

    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (tell, asked) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let mut lines = BufReader::new(&stream).lines().map_while(Result::ok);
            let first = lines.next().unwrap_or_default();
            lines.find(String::is_empty);
            let target = first.split(' ').nth(1).unwrap_or_default().to_owned();
            let path = target.split('?').next().unwrap_or_default();
            let answer = match fs::read(directory.join(path.trim_start_matches('/'))) {
                Ok(bytes) => [
                    format!(
                        "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
                        bytes.len()
                    )
                    .into_bytes(),
                    bytes,
                ]
                .concat(),
                Err(_) => {
                    b"HTTP/1.1 404 Not Found\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
                        .to_vec()
                }
            };
            let _ = tell.send(target);
            let _ = (&stream).write_all(&answer);
        }
    });
    (format!("http://{address}"), asked)
}

#[test]
fn a_query_stays_at_the_end_of_every_url() {
    let home = Home::with_repository();
    let (url, asked) = answer(home.path("web"));
    let url = format!("{url}/?sig=TOPSECRET");
    let root = ["--root", "web/metadata/1.root.json"];
    home.ok(&["trust", "add", "acme", &url, root[0], root[1]]);
    home.ok(&["get", "acme:app.txt", "-o", "saved.txt"]);
    let run = home.ok(&["verify", &url, root[0], root[1]]);
    assert!(!run.out.contains("TOPSECRET"), "{}", run.out);
    let all: Vec<String> = asked.try_iter().collect();
    assert!(all.len() > 8, "{all:?}");
    for one in all {
        assert!(one.ends_with("?sig=TOPSECRET"), "{one}");
        assert!(one.starts_with("/metadata/") || one.starts_with("/targets/"));
    }
}

#[test]
fn another_time_is_not_for_what_signs_and_is_warned_of() {
    let home = Home::with_client();
    let at = later(1);
    for arguments in [
        &["publish", "--repo", "acme"][..],
        &["renew", "targets", "--repo", "acme"],
        &["target", "add", "tool.txt", "--repo", "acme"],
        &["trust", "remove", "acme", "--yes"],
    ] {
        let before = home.all_below(".");
        let arguments = [arguments, &["--at", &at]].concat();
        home.fails(2, "usage.arguments", &arguments);
        assert_eq!(home.all_below("."), before);
    }
    let run = home.run(&["get", "acme:app.txt", "-o", "x", "--at", &at]);
    assert!(
        run.err.starts_with("warning: expiry is judged"),
        "{}",
        run.err
    );
}

#[test]
fn a_limit_is_raised_with_the_option_that_the_error_names() {
    let home = Home::with_client();
    let small = ["get", "acme:app.txt", "--limit", "signed-length=100"];
    let run = home.run(&small);
    assert_eq!(run.exit, 3, "{run:?}");
    assert!(run.err.contains("error[length."), "{run:?}");
    let advice = run.err.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(advice.contains("--limit NAME=BYTES"), "{advice}");
    assert!(advice.contains("signed-length"), "{advice}");
    home.ok(&["get", "acme:app.txt", "--limit", "signed-length=100000"]);

    let root = "web/metadata/1.root.json";
    let verify = ["verify", "web", "--root", root, "--limit"];
    let run = home.run(&[&verify[..], &["timestamp=100"]].concat());
    assert_eq!(run.exit, 3, "{run:?}");
    assert!(run.out.contains("length.timestamp"), "{run:?}");
    home.ok(&[&verify[..], &["timestamp=100000"]].concat());

    let run = home.run(&["get", "acme:app.txt", "--limit", "rots=1"]);
    assert_eq!(run.exit, 2, "{run:?}");
}
