//! Who is spoken to where: data on stdout, talk on stderr, no questions without a terminal, no colour where none is wanted.

use std::process::Stdio;

use crate::home::{Home, finish};

#[test]
fn data_is_on_stdout_and_talk_on_stderr() {
    let home = Home::with_client();
    let run = home.ok(&["get", "acme:app.txt", "-o", "saved.txt"]);
    assert_eq!(run.out, "");
    assert!(
        run.err
            .contains("    Verified  root v1 → timestamp v1 → snapshot v1 → targets v1"),
        "{}",
        run.err
    );
    assert!(
        run.err.contains("       Saved  saved.txt  14 B"),
        "{}",
        run.err
    );
    let run = home.ok(&["trust", "list"]);
    assert!(
        run.out.starts_with("acme  repository  file:///"),
        "{}",
        run.out
    );
    assert_eq!(run.err, "");
}

#[test]
fn quiet_says_nothing_but_errors() {
    let home = Home::with_client();
    let run = home.ok(&["get", "acme:app.txt", "-o", "saved.txt", "--quiet"]);
    assert_eq!((run.out.as_str(), run.err.as_str()), ("", ""));
    let run = home.run(&["get", "acme:nothing", "--quiet"]);
    assert!(
        run.err.starts_with("error[target.not-found]: "),
        "{}",
        run.err
    );
}

#[test]
fn verbose_names_the_requests() {
    let home = Home::with_client();
    let run = home.ok(&["get", "acme:app.txt", "-o", "saved.txt", "-v"]);
    assert!(run.err.contains("GET file:///"), "{}", run.err);
    assert!(run.err.contains("timestamp.json"), "{}", run.err);
}

#[test]
fn nothing_is_asked_without_a_terminal() {
    let home = Home::with_client();
    let run = home.fails(2, "usage.no-terminal", &["key", "new", "lin"]);
    for flag in ["--passphrase-file", "--no-passphrase"] {
        assert!(run.err.contains(flag), "{}", run.err);
    }
    assert!(!home.path(".config/tuffet/keys/lin.key").exists());
    let run = home.fails(2, "usage.no-terminal", &["trust", "remove", "acme"]);
    assert!(run.err.contains("--yes"), "{}", run.err);
    home.ok(&["trust", "remove", "acme", "--yes"]);
    assert!(home.ok(&["trust", "list"]).out.is_empty());
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let home = Home::new();
    for command in [
        "tuffet explain",
        "tuffet --help",
        "tuffet completions bash",
        "tuffet explain --json",
    ] {
        let line = format!("{{ {command}; echo $? >&2; }} | head -c 1");
        let run = finish(home.program("sh").args(["-c", &line]));
        assert_eq!(run.err.trim(), "0", "{command}: {run:?}");
    }
}

#[test]
fn a_stdout_that_is_full_is_an_error() {
    if !std::path::Path::new("/dev/full").exists() {
        println!("skipped: no /dev/full");
        return;
    }
    let home = Home::new();
    let full = std::fs::OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .unwrap();
    let run = finish(
        home.command()
            .arg("explain")
            .stdout(Stdio::from(full))
            .stderr(Stdio::piped()),
    );
    assert_eq!(run.exit, 8, "{run:?}");
}

#[test]
fn colour_is_used_when_wanted_and_only_then() {
    let home = Home::new();
    let wrong = ["explain", "nothing"];
    let is_coloured = |variables: &[(&str, &str)], arguments: &[&str]| {
        let mut command = home.command();
        command
            .envs(variables.iter().copied())
            .args(wrong)
            .args(arguments);
        finish(&mut command).err.contains('\u{1b}')
    };
    assert!(!is_coloured(&[], &[]), "piped");
    assert!(is_coloured(&[("CLICOLOR_FORCE", "1")], &[]));
    assert!(is_coloured(&[], &["--color", "always"]));
    assert!(is_coloured(&[], &["--color=always"]));
    assert!(!is_coloured(
        &[("CLICOLOR_FORCE", "1")],
        &["--color", "never"]
    ));
    assert!(!is_coloured(&[("NO_COLOR", "1")], &[]));
    assert!(!is_coloured(&[("TERM", "dumb")], &[]));
}

#[test]
fn there_is_never_a_backtrace() {
    let home = Home::with_client();
    std::fs::write(home.path("web/metadata/timestamp.json"), b"\xff\xfe{").unwrap();
    let mut command = home.command();
    command
        .env("RUST_BACKTRACE", "1")
        .args(["get", "acme:app.txt"]);
    let run = finish(&mut command);
    assert_eq!(run.exit, 3, "{run:?}");
    assert!(run.err.contains("error[format.timestamp]: "), "{}", run.err);
    assert!(
        !run.err.contains("panicked") && !run.err.contains("backtrace"),
        "{}",
        run.err
    );
}

#[test]
fn secrets_of_urls_are_not_shown() {
    let home = Home::with_repository();
    let url = "https://user:secret@dl.example/tuf";
    let run = home.ok(&[
        "trust",
        "add",
        "acme",
        url,
        "--root",
        "web/metadata/1.root.json",
        "-v",
    ]);
    let shown =
        home.ok(&["trust", "show", "acme"]).out + &home.ok(&["trust", "list"]).out + &run.err;
    assert!(shown.contains("https://dl.example/tuf/metadata"), "{shown}");
    assert!(!shown.contains("secret"), "{shown}");
}
