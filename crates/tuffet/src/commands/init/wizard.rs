//! The questions of `tuffet init`. Each has a flag that answers it, and only what no flag has answered is asked.

use std::ffi::OsString;
use std::path::Path;

use clap::ColorChoice;
use tuffet_repo::InitLayout;

use super::{Arguments, parse_layout};
use crate::console::Console;
use crate::failure::Failure;
use crate::keyring;
use crate::run::{self, App};
use crate::text;

/// Somebody who answers.
trait Prompt {
    /// Whether anybody is there.
    fn is_there(&self) -> bool;

    /// Asks for a line; an empty one stands for the default.
    fn ask(&self, question: &str, default: Option<&str>, flag: &str) -> Result<String, Failure>;
}

impl Prompt for Console {
    fn is_there(&self) -> bool {
        self.is_interactive()
    }

    fn ask(&self, question: &str, default: Option<&str>, flag: &str) -> Result<String, Failure> {
        Self::ask(self, question, default, flag)
    }
}

/// What is known of the key of a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Known {
    /// The private key is here.
    Private,
    /// The public key is here.
    Public,
    /// Neither.
    Nothing,
}

/// Asks for what is missing. Returns whether people sign snapshot and timestamp by hand.
///
/// # Errors
/// `usage.no-terminal` with the flag that answers the question, if nobody is there.
pub(super) fn complete(
    arguments: &mut Arguments,
    directory: &Path,
    app: &App,
) -> Result<bool, Failure> {
    let keys = keyring::directory(app)?;
    let known = |name: &str| {
        let is = |extension: &str| keys.join(format!("{name}.{extension}")).is_file();
        match (is("key"), is("pub")) {
            (true, _) => Known::Private,
            (_, true) => Known::Public,
            _ => Known::Nothing,
        }
    };
    let make = |name: &str| make_key(name, app);
    if app.console.is_there() && is_incomplete(arguments) {
        app.console.status(
            "Creating",
            format!("a repository in {}", directory.display()),
        );
    }
    answer(arguments, &app.console, &known, &make)
}

fn is_incomplete(arguments: &Arguments) -> bool {
    arguments.root.is_none() || (arguments.online.is_none() && !arguments.new_online_key)
}

/// Makes a key as `tuffet key new` does, with its questions.
fn make_key(name: &str, app: &App) -> Result<(), Failure> {
    let words = ["tuffet", "key", "new", name].map(OsString::from);
    let mut cli =
        run::parse(&words, ColorChoice::Auto).map_err(|error| Failure::usage(error.to_string()))?;
    cli.options = app.options.clone();
    run::attempt(cli, &app.console).map(drop)
}

fn answer(
    arguments: &mut Arguments,
    prompt: &dyn Prompt,
    known: &dyn Fn(&str) -> Known,
    make: &dyn Fn(&str) -> Result<(), Failure>,
) -> Result<bool, Failure> {
    let incomplete = is_incomplete(arguments);
    if incomplete && arguments.layout.is_none() && prompt.is_there() {
        let question = "What is it for: app, registry, sigstore or airgap?";
        arguments.layout = Some(until(
            prompt,
            question,
            Some("app"),
            "--layout",
            parse_layout,
        )?);
    }
    let given = arguments.signing.key.len() + arguments.public.len();
    if given == 0 && prompt.is_there() {
        ask_people(arguments, prompt, known, make)?;
    }
    if arguments.root.is_none() {
        let all = arguments.signing.key.len() + arguments.public.len();
        arguments.root = Some((ask_threshold(all, prompt)?, all));
    }
    if arguments.online.is_some() || arguments.new_online_key {
        return Ok(false);
    }
    ask_machine(arguments, prompt)
}

/// Asks who holds the keys, and where each key is.
fn ask_people(
    arguments: &mut Arguments,
    prompt: &dyn Prompt,
    known: &dyn Fn(&str) -> Known,
    make: &dyn Fn(&str) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let wanted = arguments.root.map(|(_, all)| all);
    let names = |text: &str| {
        let names: Vec<String> = text
            .split([',', ' '])
            .filter(|name| !name.is_empty())
            .map(str::to_owned)
            .collect();
        match wanted {
            _ if names.is_empty() => Err("nobody is named".to_owned()),
            Some(all) if all != names.len() => Err(format!("--root speaks of {all} keys")),
            _ => Ok(names),
        }
    };
    let question = "Who holds the keys of root and targets? Names, separated by commas:";
    let people = until(prompt, question, None, "--key and --public", names)?;
    for name in people {
        match known(&name) {
            Known::Private => arguments.signing.key.push(name),
            Known::Public => arguments.public.push(name),
            Known::Nothing => {
                let question =
                    format!("There is no key {name} here: its .pub file, or new to make one now?");
                let flag = "--key or --public";
                let file = prompt.ask(&text::visible(&question), Some("new"), flag)?;
                if file == "new" {
                    make(&name)?;
                    arguments.signing.key.push(name);
                } else {
                    arguments.public.push(file);
                }
            }
        }
    }
    Ok(())
}

fn ask_threshold(all: usize, prompt: &dyn Prompt) -> Result<u64, Failure> {
    let flag = "--root NofM";
    if !prompt.is_there() {
        return Err(Failure::needs_answer("how many keys have to sign", flag));
    }
    // More than half: no two groups of them can sign different things.
    let most = (all / 2 + 1).to_string();
    let number = |text: &str| match text.parse::<u64>() {
        Ok(number) if number >= 1 && number <= all as u64 => Ok(number),
        _ => Err(format!("not a number from 1 to {all}")),
    };
    let question = format!("How many of the {all} have to sign?");
    until(prompt, &question, Some(&most), flag, number)
}

/// Asks who signs snapshot and timestamp.
fn ask_machine(arguments: &mut Arguments, prompt: &dyn Prompt) -> Result<bool, Failure> {
    let by_hand = arguments.layout.is_some_and(InitLayout::is_by_hand);
    if !prompt.is_there() {
        return match by_hand {
            true => Ok(true),
            false => Err(Failure::needs_answer(
                "which key signs snapshot and timestamp",
                "--online KEY or --new-online-key",
            )),
        };
    }
    let (question, default) = if by_hand {
        (
            "Who signs snapshot and timestamp: people, a key of automation by its name, or new to make that?",
            "people",
        )
    } else {
        (
            "Which key signs snapshot and timestamp: its name, or new to make one for automation, without a passphrase?",
            "new",
        )
    };
    let key = prompt.ask(question, Some(default), "--online or --new-online-key")?;
    match key.as_str() {
        "people" if by_hand => return Ok(true),
        "new" => arguments.new_online_key = true,
        _ => arguments.online = Some(key),
    }
    Ok(false)
}

/// Asks until the answer can be used, five times at the most.
fn until<T>(
    prompt: &dyn Prompt,
    question: &str,
    default: Option<&str>,
    flag: &str,
    read: impl Fn(&str) -> Result<T, String>,
) -> Result<T, Failure> {
    let mut asked = question.to_owned();
    for _ in 0..5 {
        match read(&prompt.ask(&asked, default, flag)?) {
            Ok(answer) => return Ok(answer),
            Err(why) => asked = format!("{why}. {question}"),
        }
    }
    Err(Failure::usage(format!("no answer to: {question}")).fix(format!("give it with {flag}")))
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;
    use crate::cli::{Cli, Commands};

    /// Answers in order, and what was asked.
    struct Scripted {
        answers: RefCell<Vec<&'static str>>,
        asked: RefCell<Vec<String>>,
    }

    impl Prompt for Scripted {
        fn is_there(&self) -> bool {
            true
        }

        fn ask(&self, question: &str, default: Option<&str>, _: &str) -> Result<String, Failure> {
            self.asked.borrow_mut().push(question.to_owned());
            let answer = self.answers.borrow_mut().remove(0);
            Ok(match (answer, default) {
                ("", Some(default)) => default.to_owned(),
                (answer, _) => answer.to_owned(),
            })
        }
    }

    struct Nobody;

    impl Prompt for Nobody {
        fn is_there(&self) -> bool {
            false
        }

        fn ask(&self, question: &str, _: Option<&str>, flag: &str) -> Result<String, Failure> {
            Err(Failure::needs_answer(question, flag))
        }
    }

    fn arguments(words: &[&str]) -> Arguments {
        let words = ["tuffet", "init"].iter().chain(words).map(OsString::from);
        let words: Vec<OsString> = words.collect();
        let cli: Cli = run::parse(&words, ColorChoice::Never).unwrap();
        match cli.command {
            Commands::Init(arguments) => arguments,
            _ => unreachable!("init was typed"),
        }
    }

    fn known(name: &str) -> Known {
        match name {
            "ana" => Known::Private,
            "vault" => Known::Public,
            _ => Known::Nothing,
        }
    }

    #[test]
    fn every_question_has_an_answer_and_a_default() {
        let mut given = arguments(&[]);
        let prompt = Scripted {
            answers: RefCell::new(vec!["tower", "", "ana, ben, vault", "new", "9", "", ""]),
            asked: RefCell::new(Vec::new()),
        };
        let made = RefCell::new(Vec::new());
        let make = |name: &str| {
            made.borrow_mut().push(name.to_owned());
            Ok(())
        };
        let by_hand = answer(&mut given, &prompt, &known, &make).unwrap();
        assert!(!by_hand);
        assert_eq!(given.layout, Some(InitLayout::App));
        assert_eq!(given.signing.key, ["ana", "ben"]);
        assert_eq!(given.public, ["vault"]);
        assert_eq!(given.root, Some((2, 3)));
        assert!(given.new_online_key);
        assert_eq!(made.into_inner(), ["ben"]);
        let asked = prompt.asked.into_inner();
        assert!(
            asked[1].starts_with("not one of app, registry"),
            "{asked:?}"
        );
        assert!(
            asked[5].starts_with("not a number from 1 to 3"),
            "{asked:?}"
        );
    }

    #[test]
    fn what_flags_say_is_not_asked() {
        let mut given = arguments(&["--root", "1of1", "--key", "ana", "--new-online-key"]);
        let prompt = Scripted {
            answers: RefCell::new(Vec::new()),
            asked: RefCell::new(Vec::new()),
        };
        answer(&mut given, &prompt, &known, &|_| Ok(())).unwrap();
        assert!(prompt.asked.into_inner().is_empty());
    }

    #[test]
    fn an_air_gap_needs_no_machine() {
        let mut given = arguments(&["--root", "1of1", "--key", "ana", "--layout", "airgap"]);
        assert!(answer(&mut given, &Nobody, &known, &|_| Ok(())).unwrap());
    }

    #[test]
    fn without_a_terminal_the_flag_that_is_missing_is_named() {
        for (words, flag) in [
            (&[][..], "--root"),
            (&["--root", "1of1", "--key", "ana"][..], "--new-online-key"),
        ] {
            let error = answer(&mut arguments(words), &Nobody, &known, &|_| Ok(())).unwrap_err();
            assert_eq!(error.code(), "usage.no-terminal");
            assert!(error.render().contains(flag), "{words:?}");
        }
    }
}
