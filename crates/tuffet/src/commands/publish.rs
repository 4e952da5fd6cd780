//! `tuffet publish`: signs what is open, writes snapshot and timestamp, and brings files to where clients read.

use clap::Args;
use serde_json::{Value, json};
use tuffet_repo::{Destination, Publish, Repository};
use tuffet_sign::FileKey;

use super::change::{self, shown};
use super::delegate::names;
use crate::author;
use crate::cli::{Allow, DryRun};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::keyring::{self, Keyring, SigningKey, SigningOptions};
use crate::run::App;

/// Sign the open change and publish it
///
/// Every --key signs what it may sign, after every difference has been shown on stderr, or with --json in the result; on a terminal
/// they have to be confirmed. What a key has signed already is not shown again. When enough keys have signed, the change becomes the next version, snapshot and
/// timestamp follow, and the result is verified as a client would before the first file is written. Without an open
/// change, snapshot and timestamp are renewed.
///
/// The place is a directory, s3://BUCKET/PREFIX, gs://BUCKET/PREFIX or az://CONTAINER/PREFIX; credentials come from the
/// environment (docs/publishing.md). Of several who publish to one place at the same time only one comes through, and the
/// others end with 9.
#[derive(Debug, Args)]
#[command(
    before_help = "Examples:\n  tuffet publish --key ana --key ben\n  tuffet publish --to /srv/www/tuf     renew snapshot and timestamp\n  tuffet publish --to s3://acme-downloads/tuf"
)]
pub(crate) struct Arguments {
    #[command(flatten)]
    signing: SigningOptions,
    /// Sign without asking
    #[arg(long)]
    yes: bool,
    /// Where the published files go [default: what the repository's tuffet.toml says]
    #[arg(long, value_name = "PLACE", value_parser = author::parse_destination)]
    to: Option<Destination>,
    /// Write copies under names without versions and hashes too, for clients that know no consistent snapshots
    #[arg(long)]
    unversioned_copies: bool,
    /// Let snapshot forget a role that nobody delegates to any more, together with a rotation of a key of snapshot or
    /// timestamp; may be repeated
    #[arg(long, value_name = "ROLE")]
    drop_role: Vec<String>,
    /// Put this repository's file in the place of one that a thief has left where it is published, such as 2.root.json, or of a
    /// timestamp.json that was damaged, removed or put back; may be repeated
    #[arg(long, value_name = "FILE")]
    replace: Vec<String>,
    #[command(flatten)]
    allow: Allow,
    #[command(flatten)]
    dry_run: DryRun,
}

/// Runs the command.
pub(crate) fn run(arguments: Arguments, app: &App) -> Result<Exit, Failure> {
    let dry = arguments.dry_run.dry_run;
    let repository = author::repository(app)?
        .allowing(&arguments.allow.allow)
        .only_looking(dry);
    let keyring = Keyring::new(app, &arguments.signing.secrets);
    let mut keys = keyring.open_all(&arguments.signing.key)?;
    let (mut actions, mut more) = (Vec::new(), Value::Null);
    let mut session = repository.begin().map_err(|error| Failure::from(&error))?;
    if !keys.is_empty() && session.has_drafts() {
        let unasked = dry || arguments.yes;
        let (shown, plan) = shown::sign(&mut session, &keys, unasked, app)?;
        // What people sign is kept, also if something else keeps it from being published.
        author::carry_out(Ok(plan), dry, app, &mut actions)?;
        if app.console.json {
            more = json!({"shown": change::object(&shown)});
        }
    }
    if !session.has_drafts() {
        keyring::point_out_unused(&keys, &session, app);
    }
    keys.extend(online_key(&repository)?);
    let mut publish = Publish::default();
    publish.to.clone_from(&arguments.to);
    publish.unversioned_copies = arguments.unversioned_copies;
    publish.replace.clone_from(&arguments.replace);
    for role in &arguments.drop_role {
        publish = publish.drop_role(names::delegated(role)?);
    }
    let plan = session.publish(&publish, &keyring::signers(&keys), author::moment(app));
    author::carry_out(plan, dry, app, &mut actions)?;
    let to = arguments.to.or_else(|| repository.publish_to());
    if let Some(to) = to.filter(|_| !dry) {
        app.console
            .status("Ready", format!("to be served from {to}"));
    }
    author::finish_with("publish", actions, more, dry, app)
}

/// The key for automation, if the repository has one.
pub(super) fn online_key(repository: &Repository) -> Result<Option<SigningKey>, Failure> {
    let path = repository.online_key_path();
    if !path.is_file() {
        return Ok(None);
    }
    let signer = FileKey::open(&path, || None).map_err(|error| Failure::from(&error))?;
    Ok(Some(SigningKey {
        name: "online".to_owned(),
        signer: Box::new(signer),
        attestation: None,
    }))
}
