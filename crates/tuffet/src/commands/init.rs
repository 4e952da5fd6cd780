//! `tuffet init`: a new repository.

mod wizard;

use std::path::{Path, PathBuf};

use clap::{ArgGroup, Args};
use tuffet_core::crypto::Scheme;
use tuffet_core::metadata::DelegatedName;
use tuffet_repo::{
    BinOptions, Destination, Error, InitLayout, InitOptions, NamedKey, Period, Repository,
    Violation,
};
use tuffet_sign::{FileKey, Protection, Signer};

use super::delegate::parse_bins;
use crate::author;
use crate::cli::{Allow, DryRun};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::keyring::{self, Keyring, SigningKey, SigningOptions};
use crate::run::App;

/// Create a repository
///
/// The keys of --key and --public become the keys of root and targets, and --root says how many of them have to sign.
/// Snapshot and timestamp are signed by an online key, because they are renewed every few days. On a terminal, what is not
/// said is asked.
#[derive(Debug, Args)]
#[command(
    before_help = "Examples:\n  tuffet init                asks what it needs to know\n  tuffet init acme --root 2of3 --key ana --key ben --public vault --new-online-key\n  tuffet init acme --root 1of1 --key ana --online release-bot --layout registry",
    group = ArgGroup::new("machine")
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
    root: Option<(u64, usize)>,
    /// What the repository is for, which decides periods, channels and bins: app, registry, sigstore or airgap
    #[arg(long, value_name = "LAYOUT", value_parser = parse_layout)]
    layout: Option<InitLayout>,
    /// Channels to begin with, separated by commas, in place of those of the layout
    #[arg(
        long,
        value_name = "NAMES",
        value_delimiter = ',',
        conflicts_with = "bins"
    )]
    channels: Option<Vec<String>>,
    /// Hash bins to begin with, in place of those of the layout: 2, 4, 8 … 65536
    #[arg(long, value_name = "COUNT", value_parser = parse_bins)]
    bins: Option<u32>,
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
    allow: Allow,
    #[command(flatten)]
    dry_run: DryRun,
}

/// Runs the command.
pub(crate) fn run(mut arguments: Arguments, app: &App) -> Result<Exit, Failure> {
    let directory = match (&app.options.repo, &arguments.directory) {
        (Some(repo), given) if given.as_os_str() == "." => repo.clone(),
        (_, given) => given.clone(),
    };
    // Before anything is asked that nobody needs to know.
    if directory.join("tuffet.toml").exists() {
        return Err(Failure::from(&Error::Exists(directory)));
    }
    let by_hand = wizard::complete(&mut arguments, &directory, app)?;
    let keyring = Keyring::new(app, &arguments.signing.secrets);
    let signing = keyring.open_all(&arguments.signing.key)?;
    let online = match (&arguments.online, by_hand) {
        (Some(key), _) => Online::Given(keyring::public(app, None, key)?),
        (None, true) => Online::Nobody,
        (None, false) => {
            Online::New(FileKey::generate(Scheme::Ed25519).map_err(|error| Failure::from(&error))?)
        }
    };
    let options = options(&arguments, &directory, &signing, &online, app)?;
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
        app.console.next(match online {
            Online::Nobody => "tuffet publish --key KEY",
            _ => "tuffet publish",
        });
    }
    Ok(exit)
}

/// What the repository is to be.
fn options(
    arguments: &Arguments,
    directory: &Path,
    signing: &[SigningKey],
    online: &Online,
    app: &App,
) -> Result<InitOptions, Failure> {
    let mut keys = keyring::named(signing)?;
    for public in &arguments.public {
        keys.push(keyring::public(app, None, public)?);
    }
    let (threshold, all) = arguments.root.unwrap_or((0, 0));
    if keys.len() != all {
        let message = format!("--root speaks of {all} keys, and {} are given", keys.len());
        return Err(Failure::usage(message).fix("give each key with --key (it signs) or --public"));
    }
    let name = arguments.name.clone();
    let name = name.map_or_else(|| name_of(directory), Ok)?;
    let mut options = InitOptions::new(&name, keys, threshold, online.named()?);
    if let Some(layout) = arguments.layout {
        options = options.layout(layout);
    }
    if let Online::Nobody = online {
        options = options.by_hand();
    }
    if let Some(channels) = &arguments.channels {
        let names = channels.iter().filter(|name| !name.is_empty());
        let names = names.map(|name| {
            DelegatedName::new(name).map_err(|error| Failure::usage(format!("{name:?}: {error}")))
        });
        (options.channels, options.bins) = (names.collect::<Result<_, _>>()?, None);
    }
    if let Some(bit_length) = arguments.bins {
        let period = options.bins.map_or(Period::days(30), |bins| bins.period);
        options.bins = Some(BinOptions { bit_length, period });
        options.channels.clear();
    }
    options.publish_to = Some(arguments.publish_to.clone());
    // Nothing else is forbidden yet; it goes into tuffet.toml, because every later command would be refused.
    options.allow_online = arguments.allow.allow.contains(&Violation::OnlineKey);
    Ok(options)
}

enum Online {
    Given(NamedKey),
    New(FileKey),
    /// People sign snapshot and timestamp, too.
    Nobody,
}

impl Online {
    fn named(&self) -> Result<Vec<NamedKey>, Failure> {
        match self {
            Self::Given(key) => Ok(vec![key.clone()]),
            Self::New(key) => NamedKey::new("online", key.public().clone())
                .map(|key| vec![key])
                .map_err(|error| Failure::from(&error)),
            Self::Nobody => Ok(Vec::new()),
        }
    }
}

pub(super) fn name_of(directory: &Path) -> Result<String, Failure> {
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

fn parse_layout(text: &str) -> Result<InitLayout, String> {
    let names = || InitLayout::ALL.map(InitLayout::name).join(", ");
    InitLayout::from_name(text).ok_or_else(|| format!("not one of {}", names()))
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

    #[test]
    fn a_layout_that_is_not_known_is_answered_with_those_that_are() {
        let error = parse_layout("tower").unwrap_err();
        assert_eq!(error, "not one of app, registry, sigstore, airgap");
    }
}
