//! What the README shows is what happens.

use std::fs;
use std::path::Path;

use crate::home::{Home, Run, finish};

/// The README and a file of the workspace; `None` outside of it, where a package has neither.
fn workspace(file: &str) -> Option<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let read = |name: &str| fs::read_to_string(root.join(name)).ok();
    let both = read("README.md").zip(read(file));
    if both.is_none() {
        println!("skipped: not in the workspace");
    }
    both
}

/// The blocks of a language under a heading.
fn block<'r>(readme: &'r str, heading: &str, language: &str) -> &'r str {
    let (_, section) = readme.split_once(&format!("\n## {heading}\n")).unwrap();
    let (_, block) = section.split_once(&format!("```{language}\n")).unwrap();
    block.split_once("```").unwrap().0
}

#[test]
fn the_program_in_the_readme_is_the_example_that_compiles() {
    let Some((readme, example)) = workspace("crates/tuffet-client/examples/blocking.rs") else {
        return;
    };
    let (_, program) = example.split_once("\n\n").unwrap();
    assert_eq!(block(&readme, "Verify", "rust"), program);
}

/// What is typed, and what is said to come out, of a block of a console.
fn typed_and_said(block: &str) -> (Vec<&str>, Vec<&str>) {
    let (typed, said): (Vec<&str>, Vec<&str>) =
        block.lines().partition(|line| line.starts_with("$ "));
    let typed = typed.iter().map(|line| line.trim_start_matches("$ "));
    (typed.collect(), said)
}

/// Runs lines in a shell that ends at the first failure.
fn shell(home: &Home, lines: &[&str]) -> Run {
    finish(home.program("sh").args(["-ec", &lines.join("\n")]))
}

#[cfg(unix)]
#[test]
fn the_tour_in_the_readme_works_as_it_stands() {
    let Some((readme, _)) = workspace("README.md") else {
        return;
    };
    let (mut typed, said) = typed_and_said(block(&readme, "The tour", "console"));
    // The last command is the attack; the server is started here, on a port that is free.
    let attack = typed.pop().unwrap();
    let serve = typed.iter().position(|line| line.ends_with(" &")).unwrap();
    let address = "127.0.0.1:8400";
    assert!(typed[serve].contains(address));
    let home = Home::new();
    let before = shell(&home, &typed[..serve]);
    assert_eq!(before.exit, 0, "{before:?}");
    let server = home.serve("web");
    let own = |line: &str| line.replace(&format!("http://{address}"), &server.url);
    let rest: Vec<String> = typed[serve + 1..].iter().map(|line| own(line)).collect();
    let rest: Vec<&str> = rest.iter().map(String::as_str).collect();
    let after = shell(&home, &[&["export TUFFET_REPO=acme"], &rest[..]].concat());
    assert_eq!(after.exit, 0, "{after:?}");
    let attacked = shell(&home, &[attack]);
    assert_eq!(attacked.exit, 3, "{attacked:?}");
    // Lines are wrapped for a terminal, and dates are others.
    let flat = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let talk = flat(&[before.err, after.err, attacked.err].concat());
    for line in said {
        let line = flat(line.split(", expires").next().unwrap());
        assert!(talk.contains(&line), "{line}\n{talk}");
    }
}

#[cfg(unix)]
#[test]
fn the_commands_of_a_user_in_the_readme_work_as_they_stand() {
    let Some((readme, _)) = workspace("README.md") else {
        return;
    };
    let home = Home::with_repository();
    home.ok(&[
        "target",
        "add",
        "tool.txt",
        "--name",
        "app/acme-1.4.0.tar.zst",
        "--repo",
        "acme",
    ]);
    home.publish();
    let (typed, said) = typed_and_said(block(&readme, "Verify", "console"));
    assert!(said.is_empty());
    let server = home.serve("web");
    let typed: Vec<String> = typed
        .iter()
        .map(|line| line.replace("https://dl.acme.example", &server.url))
        .collect();
    let mut lines = vec!["cp -r web public; cp web/metadata/1.root.json ."];
    lines.extend(typed.iter().map(String::as_str));
    let run = shell(&home, &lines);
    assert_eq!(run.exit, 0, "{run:?}");
    assert!(run.out.contains("verdict     verified"), "{}", run.out);
}

#[cfg(unix)]
#[test]
fn the_commands_of_an_author_in_the_readme_work_as_they_stand() {
    let Some((readme, _)) = workspace("README.md") else {
        return;
    };
    let home = Home::new();
    home.write("app.txt", "hello\n");
    let (typed, said) = typed_and_said(block(&readme, "Author", "console"));
    assert!(said.is_empty());
    let run = shell(&home, &typed);
    assert_eq!(run.exit, 0, "{run:?}");
    home.ok(&["verify", "web", "--root", "web/metadata/1.root.json"]);
}

/// Every line that is typed in a text.
fn every_typed(text: &str) -> Vec<&str> {
    let blocks = text.split("```console\n").skip(1);
    let blocks = blocks.map(|block| block.split_once("```").unwrap().0);
    blocks.flat_map(|block| typed_and_said(block).0).collect()
}

#[cfg(unix)]
#[test]
fn the_page_on_teams_works_as_it_stands() {
    let Some((_, page)) = workspace("docs/teams.md") else {
        return;
    };
    let home = Home::with_repository();
    for key in ["sam", "lin", "ci", "vendor"] {
        home.ok(&["key", "new", key, "--no-passphrase"]);
    }
    for file in ["fw-7.bin", "driver.bin"] {
        home.write(file, file);
    }
    // The vendor: its own targets are what it hands out.
    let vendor = [
        "tuffet init theirs --root 1of1 --key vendor --new-online-key",
        "tuffet target add driver.bin --name vendor/driver.bin --repo theirs",
        "tuffet publish --key vendor --repo theirs",
        "cp theirs/public/metadata/1.targets.json 7.vendor.json",
    ];
    assert_eq!(shell(&home, &vendor).exit, 0);
    let typed = every_typed(&page);
    assert!(typed.len() > 20, "{typed:?}");
    let run = shell(&home, &[&["export TUFFET_REPO=acme"], &typed[..]].concat());
    assert_eq!(run.exit, 0, "{run:?}");
    home.ok(&[
        "trust",
        "add",
        "client",
        "web",
        "--root",
        "web/metadata/1.root.json",
    ]);
    for target in ["edge/fw-7.bin", "vendor/driver.bin"] {
        home.ok(&["get", &format!("client:{target}"), "-o", "out/"]);
    }
    for target in ["app.txt", "beta/app.txt", "stable/app.txt"] {
        let target = format!("client:{target}");
        home.fails(4, "target.not-found", &["get", &target, "-o", "out/"]);
    }
}
