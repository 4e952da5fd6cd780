//! `tuffet lab`: all attacks on ours come to nothing, and a client that verifies nothing is found out.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;

use serde_json::Value;
use tuffet_core::trust::percent_encode;

use crate::home::Home;

/// A report card: the exit code, and name, verdict and detail of each attack.
fn attack(home: &Home, arguments: &[&str]) -> (i32, Vec<(String, String, String)>) {
    let all: Vec<&str> = ["lab", "attack", "--quick"]
        .into_iter()
        .chain(arguments.iter().copied())
        .collect();
    let (exit, printed) = home.json(&all);
    let text = |attack: &Value, name: &str| attack[name].as_str().unwrap().to_owned();
    let attacks = printed[0]["attacks"].as_array().unwrap().iter();
    let card = attacks
        .map(|attack| {
            let [id, verdict, detail] = ["id", "verdict", "detail"].map(|name| text(attack, name));
            (id, verdict, detail)
        })
        .collect();
    (exit, card)
}

#[test]
fn every_attack_on_ours_that_need_not_wait_is_refused_with_the_right_code() {
    let home = Home::new();
    let (exit, card) = attack(&home, &[]);
    for (id, verdict, detail) in &card {
        assert_eq!(verdict, "safe", "{id}: {detail}");
    }
    assert_eq!(exit, 0);
    // All that are listed, but for those that wait.
    let (_, listed) = home.json(&["lab", "list"]);
    let listed = listed[0]["attacks"].as_array().unwrap().len();
    assert_eq!(card.len() + 2, listed);
}

#[test]
fn an_attack_that_does_not_exist_is_a_mistake() {
    let home = Home::new();
    home.fails(2, "usage.arguments", &["lab", "attack", "--only", "charm"]);
}

#[cfg(unix)]
#[test]
fn a_client_that_cannot_do_what_is_honest_is_not_judged() {
    let home = Home::new();
    let (exit, card) = attack(&home, &["--client", "false"]);
    assert_eq!(exit, 7);
    for (id, verdict, _) in card {
        assert_eq!(verdict, "not-judged", "{id}");
    }
}

/// What a trusting client is told, one word a line.
const WORDS: &str = "TUFFET_TEST_TRUSTING_CLIENT";

#[cfg(unix)]
#[test]
fn a_client_that_verifies_nothing_is_harmed() {
    use std::os::unix::fs::PermissionsExt as _;

    let home = Home::new();
    let program = home.path("trusting");
    let this = std::env::current_exe().unwrap();
    let script = format!(
        "#!/bin/sh\n{WORDS}=$(printf '%s\\n' \"$@\") exec '{}' --exact lab::plays_a_client_that_verifies_nothing\n",
        this.display()
    );
    fs::write(&program, script).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let program = program.display().to_string();
    let (exit, card) = attack(&home, &["--client", &program]);
    assert_eq!(exit, 7);
    for attack in [
        "target-tampered",
        "forged-targets",
        "root-below-threshold",
        "rollback-targets",
        "expired-timestamp",
        "roles-exchanged",
        "hashes-empty",
    ] {
        let (_, verdict, detail) = card.iter().find(|(id, ..)| id == attack).unwrap();
        assert_eq!(verdict, "harmed", "{attack}: {detail}");
    }
    let harmed = card
        .iter()
        .filter(|(_, verdict, _)| verdict == "harmed")
        .count();
    println!("{harmed} of {} attacks succeed", card.len());
    assert!(harmed * 2 > card.len(), "{harmed}");
}

/// Not a test by itself: the client of the test above. It finds the newest target by the names in metadata, and believes all of it.
#[test]
fn plays_a_client_that_verifies_nothing() {
    let Ok(words) = std::env::var(WORDS) else {
        println!("skipped: plays a part in another test");
        return;
    };
    let words: Vec<&str> = words.lines().collect();
    let option = |name: &str| {
        let place = words.iter().position(|word| *word == name).unwrap();
        words[place + 1]
    };
    if !words.contains(&"download") {
        return;
    }
    let metadata = option("--metadata-url");
    let (targets, target) = (option("--target-base-url"), option("--target-name"));
    let role = |listing: &Value, name: &str| {
        let version = &listing["signed"]["meta"][format!("{name}.json")]["version"];
        json(&format!("{metadata}/{version}.{name}.json"))
    };
    let snapshot = role(&json(&format!("{metadata}/timestamp.json")), "snapshot");
    let mut roles = vec![role(&snapshot, "targets")];
    let listed = snapshot["signed"]["meta"].as_object().unwrap();
    let delegated = listed.keys().filter(|name| *name != "targets.json");
    roles.extend(delegated.map(|name| role(&snapshot, name.strip_suffix(".json").unwrap())));
    let mut entries = roles.iter().map(|role| &role["signed"]["targets"][target]);
    let entry = entries.find(|entry| entry.is_object()).unwrap();
    let hash = entry["hashes"]["sha256"].as_str().unwrap_or_default();
    let bytes = get(&format!("{targets}/{hash}.{target}"));
    let place = PathBuf::from(option("--target-dir"));
    fs::write(place.join(percent_encode(target, false)), bytes).unwrap();
}

fn json(url: &str) -> Value {
    serde_json::from_slice(&get(url)).unwrap()
}

fn get(url: &str) -> Vec<u8> {
    let (host, path) = url
        .strip_prefix("http://")
        .unwrap()
        .split_once('/')
        .unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    write!(
        stream,
        "GET /{path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n"
    )
    .unwrap();
    let mut answer = Vec::new();
    // Endless bodies are what others are attacked with.
    stream.take(1 << 22).read_to_end(&mut answer).unwrap();
    let end = answer
        .windows(4)
        .position(|four| four == b"\r\n\r\n")
        .unwrap();
    answer.split_off(end + 4)
}
