//! The tour passes, and what it prints works when it is typed.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use serde_json::Value;

use crate::home::{Home, Server, finish};

#[test]
fn every_refusal_of_the_tour_comes_with_its_code() {
    let home = Home::new();
    let run = home.ok(&["tour"]);
    for code in [
        "hash.target",
        "rollback.timestamp",
        "expired.timestamp",
        "hash.snapshot",
        "threshold.root",
        "length.timestamp",
        "target.outside-delegation",
    ] {
        assert!(
            run.out.contains(&format!("✓ refused: {code} ")),
            "{code}: {}",
            run.out
        );
    }
    assert!(run.out.contains("each as it must be"), "{}", run.out);
    assert!(!run.out.contains('\u{1b}'), "piped output is plain");
    let of_words = |line: &&str| !line.contains("http://") && !line.contains("/targets/");
    for line in run.out.lines().filter(of_words) {
        assert!(line.chars().count() <= 80, "{line}");
    }
}

#[test]
fn the_tour_leaves_nothing_behind_unless_asked() {
    let home = Home::new();
    let temporary = home.path("tmp");
    std::fs::create_dir(&temporary).unwrap();
    let mut command = home.command();
    command
        .arg("tour")
        .env("TMPDIR", &temporary)
        .env("TUFFET_REPO", "/nonexistent")
        .env("http_proxy", "http://127.0.0.1:1");
    assert_eq!(finish(&mut command).exit, 0);
    assert_eq!(std::fs::read_dir(&temporary).unwrap().count(), 0);
    assert!(!home.path(".config").exists() && !home.path(".local").exists());
    command.arg("--keep");
    assert_eq!(finish(&mut command).exit, 0);
    let kept = std::fs::read_dir(&temporary)
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    assert!(kept.join("acme/tuffet.toml").is_file());
}

#[test]
fn every_command_of_the_tour_works_in_a_shell() {
    let home = Home::new();
    let (exit, objects) = home.json(&["tour"]);
    assert_eq!(exit, 0, "{objects:?}");
    let tour = &objects[0];
    assert_eq!(tour["schema"], "tuffet.tour/1");
    assert_eq!(tour["passed"], true);
    let steps = tour["steps"].as_array().unwrap();
    assert!(steps.len() >= 14, "{}", steps.len());
    let mut server: Option<Server> = None;
    let mut typed = 0;
    for command in steps
        .iter()
        .flat_map(|step| step["commands"].as_array().unwrap())
    {
        let line = command["command"].as_str().unwrap();
        let mut shell = home.program("sh");
        for (name, value) in tour["environment"].as_object().unwrap() {
            shell.env(name, value.as_str().unwrap());
        }
        typed += 1;
        if let Some(line) = line.strip_suffix(" &") {
            server = Some(in_background(shell.args(["-c", &format!("exec {line}")])));
            continue;
        }
        let run = finish(shell.args(["-c", line]));
        assert_eq!(
            Value::from(run.exit),
            command["expected_exit"],
            "{line}: {run:?}"
        );
        if let Some(code) = command["code"].as_str() {
            assert!(
                run.err.contains(&format!("error[{code}]")),
                "{line}: {run:?}"
            );
        }
    }
    assert!(typed > 40, "{typed}");
    assert!(server.is_some(), "the tour serves");
    assert_eq!(home.read("after/app.txt"), "hello, version 1.0.0\n");
    assert!(!home.path("attacked/app.txt").exists());
}

/// Runs a server until the test ends; returns when it can be reached.
fn in_background(command: &mut std::process::Command) -> Server {
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut url = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut url)
        .unwrap();
    assert!(url.starts_with("http://127.0.0.1:"), "{url}");
    Server {
        child,
        url: url.trim().to_owned(),
    }
}
