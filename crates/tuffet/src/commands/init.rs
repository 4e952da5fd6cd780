//! `tuffet init`: a new repository.

use std::path::PathBuf;

use clap::{ArgGroup, Args};
use tuffet_core::crypto::Scheme;
use tuffet_repo::{Destination, InitOptions, NamedKey, Repository};
use tuffet_sign::{FileKey, Protection, Signer};

use crate::author;
use crate::cli::DryRun;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::keyring::{self, Keyring, SigningOptions};
use crate::run::App;

/// Create a repository
///
/// The keys of --key and --public become the keys of root and targets, and --root says how many of them have to sign.
/// Snapshot and timestamp are signed by an online key, because they are renewed every few days.
#[derive(Debug, Args)]
#[command(
    before_help = "Examples:\n  tuffet init acme --root 2of3 --key ana --key ben --public vault --new-online-key\n  tuffet init acme --root 1of1 --key ana --online release-bot",
    group = ArgGroup::new("machine").required(true)
)]
pub(crate) struct Arguments {
    /// The directory of the repository
    #[arg(default_value = ".")]
    directory: PathBuf,
    /// What the repository is called [default: the name of the directory]
    #[arg(long)]
    name: Option<String>,
    /// How many of how many keys have to sign root and targets, such as 2of3
    #[arg(long, value_name = "NofM", value_parser = parse_quorum)]
    root: (u64, usize),
    #[command(flatten)]
    signing: SigningOptions,
    /// The public key of somebody else: a name, or a .pub file; may be repeated
    #[arg(long, value_name = "KEY")]
    public: Vec<String>,
    /// The key that signs snapshot and timestamp
    #[arg(long, value_name = "KEY", group = "machine")]
    online: Option<String>,
    /// Make that key, without a passphrase, in .tuffet/online.key: for automation, never under version control
    #[arg(long, group = "machine")]
    new_online_key: bool,
    /// Where `tuffet publish` puts the published files: a directory, relative to the repository, or a store such as
    /// s3://BUCKET/PREFIX
    #[arg(long, value_name = "PLACE", default_value = "public", value_parser = author::parse_destination)]
    publish_to: Destination,
    #[command(flatten)]
    dry_run: DryRun,
}

/// Runs the command.
pub(crate) fn run(arguments: Arguments, app: &App) -> Result<Exit, Failure> {
    let directory = match (&app.options.repo, arguments.directory) {
        (Some(repo), given) if given.as_os_str() == "." => repo.clone(),
        (_, given) => given,
    };
    let keyring = Keyring::new(app, &arguments.signing.passphrase);
    let signing = keyring.open_all(&arguments.signing.key)?;
    let mut keys = keyring::named(&signing)?;
    for public in &arguments.public {
        keys.push(keyring::public(app, None, public)?);
    }
    let (threshold, all) = arguments.root;
    if keys.len() != all {
        let message = format!("--root speaks of {all} keys, and {} are given", keys.len());
        return Err(Failure::usage(message).fix("give each key with --key (it signs) or --public"));
    }
    let online = match &arguments.online {
        Some(key) => Online::Given(keyring::public(app, None, key)?),
        None => {
            Online::New(FileKey::generate(Scheme::Ed25519).map_err(|error| Failure::from(&error))?)
        }
    };
    let name = arguments.name.map_or_else(|| name_of(&directory), Ok)?;
    let mut options = InitOptions::new(&name, keys, threshold, vec![online.named()?]);
    options.publish_to = Some(arguments.publish_to);
    let plan = Repository::init(
        &directory,
        &options,
        &keyring::signers(&signing),
        author::moment(app),
    );
    let dry = arguments.dry_run.dry_run;
    let mut actions = Vec::new();
    author::carry_out(plan, dry, app, &mut actions)?;
    if let (Online::New(key), false) = (&online, dry) {
        let repository = Repository::open(&directory).map_err(|error| Failure::from(&error))?;
        let path = repository.online_key_path();
        key.save(&path, Protection::Plain)
            .map_err(|error| Failure::from(&error))?;
        app.console.status(
            "Created",
            format!("key online  {} (not encrypted)", path.display()),
        );
    }
    let exit = author::finish("init", actions, dry, app)?;
    if !dry {
        app.console.next("tuffet publish");
    }
    Ok(exit)
}

enum Online {
    Given(NamedKey),
    New(FileKey),
}

impl Online {
    fn named(&self) -> Result<NamedKey, Failure> {
        match self {
            Self::Given(key) => Ok(key.clone()),
            Self::New(key) => {
                NamedKey::new("online", key.public().clone()).map_err(|error| Failure::from(&error))
            }
        }
    }
}

fn name_of(directory: &std::path::Path) -> Result<String, Failure> {
    let absolute =
        std::path::absolute(directory).map_err(|error| Failure::reading(directory, &error))?;
    let name = absolute
        .file_name()
        .map(|name| name.to_string_lossy().into_owned());
    name.ok_or_else(|| {
        Failure::usage("the directory has no name")
            .fix("say what the repository is called with --name")
    })
}

/// `2of3`.
fn parse_quorum(text: &str) -> Result<(u64, usize), String> {
    let parsed = text.split_once("of").and_then(|(need, all)| {
        let (need, all) = (need.trim().parse().ok()?, all.trim().parse().ok()?);
        (need >= 1 && need <= all as u64).then_some((need, all))
    });
    parsed.ok_or_else(|| "not of the form 2of3".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quorum_is_a_number_of_a_number() {
        assert_eq!(parse_quorum("2of3"), Ok((2, 3)));
        for wrong in ["", "2", "0of1", "3of2", "of", "2 / 3"] {
            assert!(parse_quorum(wrong).is_err(), "{wrong}");
        }
    }
}
