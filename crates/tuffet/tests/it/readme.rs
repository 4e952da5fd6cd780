//! What the README shows is what happens.

use std::fs;
use std::path::Path;

use crate::home::{Home, finish};

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

#[cfg(unix)]
#[test]
fn the_commands_of_an_author_in_the_readme_work_as_they_stand() {
    let Some((readme, _)) = workspace("README.md") else {
        return;
    };
    let home = Home::new();
    home.write("app.txt", "hello\n");
    let script: String = block(&readme, "Author", "console")
        .lines()
        .map(|line| format!("{}\n", line.strip_prefix("$ ").unwrap()))
        .collect();
    let run = finish(home.program("sh").args(["-ec", &script]));
    assert_eq!(run.exit, 0, "{run:?}");
    home.ok(&["verify", "web", "--root", "web/metadata/1.root.json"]);
}
