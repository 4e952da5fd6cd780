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

/// Where the README has its server; here it gets a port that is free.
const ADDRESS: &str = "127.0.0.1:8400";

/// The lines of a block as they are typed here, in a shell that ends at the first failure.
fn adapted(typed: &[&str]) -> Vec<String> {
    let adapt = |line: &&str| {
        if let Some(serve) = line.strip_suffix(" &") {
            assert!(serve.contains(ADDRESS), "{serve}");
            let serve = serve.replace(ADDRESS, "127.0.0.1:0");
            return format!(
                "{serve} > url &\nserver=$!; trap 'kill $server' EXIT; until [ -s url ]; do kill -0 $server; done"
            );
        }
        line.replace(&format!("http://{ADDRESS}"), "$(cat url)")
    };
    typed.iter().map(adapt).collect()
}

#[cfg(unix)]
#[test]
fn the_blocks_of_the_readme_work_one_after_the_other_in_one_shell() {
    let Some((readme, _)) = workspace("README.md") else {
        return;
    };
    let vendor = Home::with_repository();
    vendor.ok(&[
        "target",
        "add",
        "tool.txt",
        "--name",
        "app/app-1.4.0.tar.zst",
        "--repo",
        "acme",
    ]);
    vendor.publish();
    let server = vendor.serve("web");

    let (typed, mut said) = typed_and_said(block(&readme, "The tour", "console"));
    let mut lines = adapted(&typed);
    // The last command is the attack.
    let attack = lines.pop().unwrap();
    lines.push(format!("if {attack}; then exit 99; else test $? = 3; fi"));
    let published = vendor.path("web").display().to_string();
    lines.push(format!(
        "cp -r {published} public; cp {published}/metadata/1.root.json ."
    ));
    for heading in ["Verify", "Author"] {
        let (typed, more) = typed_and_said(block(&readme, heading, "console"));
        lines.extend(adapted(&typed));
        said.extend(more);
    }
    lines.push("cd .. && tuffet verify web --root web/metadata/1.root.json".to_owned());
    let script = lines
        .join("\n")
        .replace("https://dl.vendor.example", &server.url);

    let home = Home::new();
    fs::create_dir(home.path("empty")).unwrap();
    let run: Run = finish(
        home.program("sh")
            .args(["-ec", &script])
            .current_dir(home.path("empty")),
    );
    assert_eq!(run.exit, 0, "{run:?}");
    assert_eq!(
        run.out.matches("verdict     verified").count(),
        2,
        "{run:?}"
    );
    // Lines are wrapped for a terminal, and dates are others.
    let flat = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let talk = flat(&run.err);
    for line in said {
        let line = flat(line.split(", expires").next().unwrap());
        assert!(talk.contains(&line), "{line}\n{talk}");
    }
    // Nothing is left where the keys of people are.
    let entries = fs::read_dir(home.path("")).unwrap();
    let names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["empty"]);
}

/// Runs lines in a shell that ends at the first failure.
#[cfg(unix)]
fn shell(home: &Home, lines: &[&str]) -> Run {
    finish(home.program("sh").args(["-ec", &lines.join("\n")]))
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
