//! Help, completions and manual pages, all from one tree.

use crate::home::Home;

const COMMANDS: [&str; 75] = [
    "get",
    "verify",
    "inspect",
    "explain",
    "tour",
    "trust",
    "trust add",
    "trust list",
    "trust show",
    "trust remove",
    "init",
    "key",
    "key new",
    "key add",
    "key import",
    "key list",
    "key show",
    "key test",
    "key rotate",
    "key revoke",
    "key export-public",
    "key doctor",
    "target",
    "target add",
    "target list",
    "target show",
    "target remove",
    "target yank",
    "change",
    "change list",
    "change show",
    "change diff",
    "change sign",
    "change send",
    "change receive",
    "change drop",
    "undo",
    "renew",
    "status",
    "delegate",
    "delegate add",
    "delegate list",
    "delegate show",
    "delegate accept",
    "delegate remove",
    "delegate rebin",
    "channel",
    "channel new",
    "channel list",
    "channel show",
    "channel promote",
    "role",
    "role list",
    "role show",
    "role set",
    "sign",
    "signature",
    "signature payload",
    "signature import",
    "import",
    "adopt",
    "recover",
    "recover timestamp",
    "recover snapshot",
    "recover targets",
    "recover root",
    "recover lost-key",
    "plan",
    "publish",
    "prune",
    "serve",
    "lab",
    "lab attack",
    "lab list",
    "version",
];

#[test]
fn help_opens_with_what_it_is_and_two_examples() {
    let home = Home::new();
    let help = home.ok(&["--help"]).out;
    let mut lines = help.lines();
    assert_eq!(
        lines.next(),
        Some("The Update Framework in one binary: verify, author, serve")
    );
    assert_eq!(lines.nth(1), Some("Examples:"));
    assert!(lines.next().unwrap().starts_with("  tuffet tour"));
    assert!(lines.next().unwrap().starts_with("  tuffet get acme:"));
    assert!(help.trim_end().ends_with("143  terminated"), "{help}");
}

#[test]
fn every_command_has_help_with_an_example() {
    let home = Home::new();
    for command in COMMANDS {
        let words: Vec<&str> = command.split(' ').chain(["--help"]).collect();
        let run = home.ok(&words);
        assert!(
            run.out.contains(&format!("Examples:\n  tuffet {command}")),
            "{command}: {}",
            run.out
        );
        assert_eq!(run.err, "");
    }
}

#[test]
fn no_command_is_wrong_usage() {
    let home = Home::new();
    for words in [
        &[][..],
        &["trust"],
        &["key"],
        &["nothing-of-that-name"],
        &["get", "no-colon"],
    ] {
        let run = home.run(words);
        assert_eq!(run.exit, 2, "{words:?}");
        assert_eq!(run.out, "", "{words:?}");
        assert!(!run.err.is_empty());
    }
}

#[test]
fn the_reference_names_every_command_option_and_variable() {
    let reference = include_str!("../../../../docs/cli.md");
    for command in COMMANDS.into_iter().chain(["completions", "man"]) {
        let families = [
            "trust",
            "key",
            "target",
            "delegate",
            "channel",
            "role",
            "recover",
            "signature",
            "lab",
        ];
        if !families.contains(&command) {
            assert!(
                reference.contains(&format!("`tuffet {command}")),
                "{command}"
            );
        }
    }
    let home = Home::new();
    for command in COMMANDS {
        let words: Vec<&str> = command.split(' ').chain(["--help"]).collect();
        let help = home.ok(&words).out;
        for word in help
            .split_whitespace()
            .filter(|word| word.starts_with("--"))
        {
            let option = word.trim_end_matches(|end: char| !end.is_ascii_alphanumeric());
            assert!(
                reference.contains(option),
                "{command}: docs/cli.md lacks {option}"
            );
        }
        for part in help.split("[env: ").skip(1) {
            let variable = part.split([']', '=']).next().unwrap();
            assert!(reference.contains(variable), "docs/cli.md lacks {variable}");
        }
    }
}

#[test]
fn every_shell_gets_its_completions() {
    let home = Home::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let run = home.ok(&["completions", shell]);
        assert!(run.out.contains("tuffet"), "{shell}");
        assert!(run.out.contains("rotate"), "{shell}");
        assert_eq!(run.err, "", "{shell}");
    }
}

#[test]
fn manual_pages_are_written_for_every_command() {
    let home = Home::new();
    home.ok(&["man", "pages"]);
    for command in COMMANDS {
        let page = home.read(&format!("pages/tuffet-{}.1", command.replace(' ', "-")));
        assert!(page.contains(".TH "), "{command}");
        assert!(page.contains(".SH EXAMPLES"), "{command}");
    }
    let page = home.ok(&["man"]).out;
    assert_eq!(page.trim_end(), home.read("pages/tuffet.1").trim_end());
}

#[test]
fn exit_codes_are_listed_where_people_look() {
    let home = Home::new();
    let listed = home.ok(&["exit-codes"]).out;
    assert!(listed.contains("\n    3  not trustworthy"));
    let help = home.ok(&["--help"]).out;
    for command in ["exit-codes", "explain"] {
        assert!(help.contains(&format!("\n  {command} ")), "{help}");
    }
    assert!(
        home.ok(&["help", "exit-codes"])
            .out
            .contains("    3  not trustworthy")
    );
    assert!(home.ok(&["version"]).out.starts_with("tuffet 0."));
    assert!(home.ok(&["--version"]).out.starts_with("tuffet 0."));
}
