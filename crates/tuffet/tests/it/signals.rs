//! Ctrl-C and SIGTERM: the documented exit code, and nothing half-done.

use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::process::{Child, Stdio};

use crate::home::Home;

fn send(home: &Home, signal: &str, child: &Child) {
    let id = child.id().to_string();
    let sent = home.program("kill").args([signal, &id]).status().unwrap();
    assert!(sent.success());
}

#[test]
fn exit_130_and_143_interrupted_and_terminated() {
    for (signal, exit) in [("-INT", 130), ("-TERM", 143)] {
        let home = Home::with_repository();
        let mut child = home
            .command()
            .args(["serve", "web", "--listen", "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut url = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut url)
            .unwrap();
        send(&home, signal, &child);
        assert_eq!(child.wait().unwrap().code(), Some(exit), "{signal}");
        let mut talk = String::new();
        child.stderr.unwrap().read_to_string(&mut talk).unwrap();
        assert!(!talk.contains("error"), "a server is ended so: {talk}");
    }
}

#[test]
fn a_download_that_is_interrupted_leaves_the_old_state_and_can_be_repeated() {
    let home = Home::with_client();
    // A server that accepts, and never answers.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let root = ["--root", "web/metadata/1.root.json"];
    home.ok(&["trust", "add", "slow", &url, root[0], root[1]]);
    for (signal, exit) in [("-INT", 130), ("-TERM", 143)] {
        let child = home
            .command()
            .args(["get", "slow:app.txt", "-o", "out/", "--json"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let connection = silent.accept().unwrap();
        send(&home, signal, &child);
        let output = child.wait_with_output().unwrap();
        drop(connection);
        assert_eq!(output.status.code(), Some(exit), "{signal}");
        let error: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(error["error"]["code"], "cancelled");
        assert_eq!(error["error"]["exit"], exit);
        assert!(home.all_below("out").is_empty());
        // The lock of the store is free again.
        home.ok(&["get", "acme:app.txt", "-o", "saved.txt"]);
    }
}

#[test]
fn a_tour_that_is_interrupted_leaves_nothing_behind() {
    let home = Home::new();
    std::fs::create_dir(home.path("tmp")).unwrap();
    let mut child = home
        .command()
        .env("TMPDIR", home.path("tmp"))
        .arg("tour")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    lines
        .find(|line| line.as_ref().unwrap().contains("tuffet init"))
        .unwrap()
        .unwrap();
    send(&home, "-INT", &child);
    let rest: Vec<String> = lines.map_while(Result::ok).collect();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{rest:?}");
    assert!(!rest.iter().any(|line| line.contains('✗')), "{rest:?}");
    assert!(home.all_below("tmp").is_empty());
}

#[test]
fn a_publication_that_is_stopped_leaves_no_temporary_files_and_can_be_repeated() {
    let home = Home::with_repository();
    let temporary = |path: &std::path::PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.contains(".tmp") || name.contains(".draft")
    };
    for round in 0..8_u32 {
        let names: Vec<String> = (0..20).map(|n| format!("{round}-{n}.txt")).collect();
        for name in &names {
            home.write(name, &format!("{name}\n"));
        }
        let mut add: Vec<&str> = vec!["target", "add", "--repo", "acme"];
        add.extend(names.iter().map(String::as_str));
        home.ok(&add);
        let child = home
            .command()
            .args(["publish", "--repo", "acme", "--key", "ana", "--key", "ben"])
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // Each round somewhat later: the signal falls into any part of the work.
        for _ in 0..round {
            home.run(&["version"]);
        }
        send(&home, "-TERM", &child);
        let exit = child.wait_with_output().unwrap().status.code();
        // Before it has looked at its arguments, the signal itself ends the program.
        assert!(matches!(exit, Some(0 | 143) | None), "{exit:?}");
        assert!(!home.all_below(".").keys().any(temporary), "round {round}");
        home.publish();
        home.ok(&["verify", "web", "--root", "web/metadata/1.root.json"]);
    }
}
