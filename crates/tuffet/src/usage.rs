//! A command line that does not parse, reported as every other failure is.

use crate::failure::Failure;

/// Options that may come from the environment, as a usage line shows them.
const ENVIRONMENT: [&str; 4] = [
    " --config-dir <DIR>",
    " --data-dir <DIR>",
    " --repo <DIR>",
    " --pin-file <FILE>",
];

/// The failure that a text of clap's speaks of: what is wrong, then tips, the usage and where to read on, between blank lines.
pub(crate) fn failure(error: &clap::Error) -> Failure {
    of_text(&error.render().to_string())
}

fn of_text(text: &str) -> Failure {
    let mut parts = text.split("\n\n").map(words);
    let what = parts.next().unwrap_or_default();
    let what = what.strip_prefix("error: ").unwrap_or(&what);
    // Values that are possible are no part of the sentence.
    let (what, values) = match what.split_once(" [possible values: ") {
        Some((what, values)) => (what, Some(values.trim_end_matches(']'))),
        None => (what, None),
    };
    let mut failure = Failure::usage(what);
    if let Some(values) = values {
        failure = failure.cause(format!("possible are {values}"));
    }
    for part in parts {
        if let Some(usage) = part.strip_prefix("Usage: ") {
            // What the environment says is repeated as if it had been typed.
            let typed = ENVIRONMENT.iter();
            failure = failure.fix(typed.fold(usage.to_owned(), |text, own| text.replace(own, "")));
        } else if let Some(tips) = part.strip_prefix("tip: ") {
            failure = tips.split(" tip: ").fold(failure, Failure::cause);
        }
        // What is left says where help is, as the explanation of the code does.
    }
    failure
}

/// The words of a part in one line. Arguments are listed one a line there.
fn words(part: &str) -> String {
    let mut lines = part.lines().map(str::trim).filter(|line| !line.is_empty());
    let first = lines.next().unwrap_or_default().to_owned();
    lines.enumerate().fold(first, |text, (place, line)| {
        let separator = if place == 0 || line.starts_with('[') || line.starts_with("tip: ") {
            " "
        } else {
            ", "
        };
        text + separator + line
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(arguments: &[&str]) -> String {
        let arguments = std::iter::once("tuffet").chain(arguments.iter().copied());
        let error = crate::cli::tree()
            .try_get_matches_from(arguments)
            .unwrap_err();
        anstream::adapter::strip_str(&failure(&error).render()).to_string()
    }

    #[test]
    fn what_is_wrong_is_one_sentence_and_what_helps_comes_after_it() {
        let table: [(&[&str], &[&str]); 6] = [
            (
                &["trust", "add"],
                &[
                    "error[usage.arguments]: the following required arguments were not\n  provided: --root <FILE>, <NAME>, <URL>\nwhy ",
                    "\nfix   tuffet trust add --root <FILE> <NAME> <URL>\n",
                ],
            ),
            (
                &["get", "--overwrit", "a:b"],
                &[
                    "error[usage.arguments]: unexpected argument '--overwrit' found\n",
                    "└ a similar argument exists: '--overwrite'\n",
                ],
            ),
            (
                &["--color", "blue", "version"],
                &[
                    "invalid value 'blue' for '--color <WHEN>'\n",
                    "└ possible are auto, always, never\n",
                ],
            ),
            (
                &["get", "x"],
                &[
                    "'<NAME:PATH>...': not of\n  the form NAME:PATH, such as acme:app-1.4.0.tar.zst\nwhy ",
                ],
            ),
            (
                &["pubish"],
                &["unrecognized subcommand 'pubish'\n", "'publish'\n"],
            ),
            (
                &[
                    "key",
                    "new",
                    "a",
                    "--no-passphrase",
                    "--passphrase-file",
                    "b",
                ],
                &["'--no-passphrase' cannot be used\n  with '--passphrase-file <FILE>'\n"],
            ),
        ];
        for (arguments, expected) in table {
            let report = report(arguments);
            for part in expected {
                assert!(report.contains(part), "{arguments:?}: {part}\n{report}");
            }
            assert!(!report.contains(['\u{fffd}']), "{report}");
            assert!(!report.contains("For more information"), "{report}");
        }
    }
}
