//! `tuffet sign`: a signature on a metadata file of a repository that is kept elsewhere.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;
use tuffet_core::crypto::{Key, KeyKind};
use tuffet_core::json::Value;
use tuffet_core::metadata::{KeyId, KeyTable, Parsed, Root, Targets};
use tuffet_files::Readers;
use tuffet_repo::{Document, NamedKey, differences};

use super::inspect;
use crate::cli::DryRun;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::keyring::{Keyring, SigningKey, SigningOptions};
use crate::run::App;
use crate::text::visible;

/// The most that is read: the ceiling on any metadata file.
const LIMIT: u64 = 268_435_456;

/// Sign a metadata file of a repository that tuffet does not manage
///
/// Shows what the file says, and with --before every difference to an earlier version, and asks before it signs. Signatures
/// that are there stay. A root is signed under the keyids that it lists; for other roles --by names the file that lists
/// the keys: root, or the delegating role.
#[derive(Debug, Args)]
#[command(
    before_help = "Examples:\n  tuffet sign 5.root.json --before 4.root.json --key ana\n  tuffet sign targets.json --by 5.root.json --key ana --yes"
)]
pub(crate) struct Arguments {
    /// The file; it is replaced by the signed one
    file: PathBuf,
    #[command(flatten)]
    signing: SigningOptions,
    /// The version before, to see what changed
    #[arg(long, value_name = "FILE")]
    before: Option<PathBuf>,
    /// The file that lists the keys of the role
    #[arg(long, value_name = "FILE")]
    by: Option<PathBuf>,
    /// Sign without asking
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    dry_run: DryRun,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments, app: &App) -> Result<Exit, Failure> {
    if arguments.signing.key.is_empty() {
        return Err(Failure::usage("nobody is named who signs").fix("add --key KEY"));
    }
    let bytes = read(&arguments.file)?;
    let mut document = parse(&arguments.file, &bytes)?;
    let tables = tables(arguments, &bytes)?;
    let shown = shown(arguments, &document, &bytes, app)?;
    if !app.console.json {
        app.console.data(&shown)?;
    }
    let dry = arguments.dry_run.dry_run;
    let mut signed = Vec::new();
    if !dry {
        if !arguments.yes {
            app.console.confirm("sign this?", "--yes")?;
        }
        let keyring = Keyring::new(app, &arguments.signing.secrets);
        for key in keyring.open_all(&arguments.signing.key)? {
            signed.extend(attach(&mut document, &key, &tables)?);
        }
        write(&arguments.file, &document, &bytes)?;
    }
    if app.console.json {
        let file = arguments.file.display().to_string();
        let result = json!({"file": file, "shown": shown, "dry_run": dry, "signed": signed});
        app.console.result("sign", result)?;
    }
    for keyid in &signed {
        let what = format!(
            "{} under keyid {}",
            arguments.file.display(),
            visible(keyid)
        );
        app.console.status("Signed", what);
    }
    Ok(Exit::Done)
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let failed = |error: &std::io::Error| Failure::reading(path, error);
    let mut bytes = Vec::new();
    fs::File::open(path)
        .map_err(|error| failed(&error))?
        .take(LIMIT)
        .read_to_end(&mut bytes)
        .map_err(|error| failed(&error))?;
    Ok(bytes)
}

fn parse(path: &Path, bytes: &[u8]) -> Result<Document, Failure> {
    Document::parse(bytes).map_err(|error| inspect::unreadable(path, &error))
}

/// The keys that the role may be signed with: those of `--by`, and those of a root itself.
fn tables(arguments: &Arguments, bytes: &[u8]) -> Result<Vec<KeyTable>, Failure> {
    let mut tables = Vec::new();
    if let Ok(root) = Parsed::<Root>::parse(bytes.to_vec()) {
        tables.push(root.unverified().keys().clone());
    }
    let Some(path) = &arguments.by else {
        return Ok(tables);
    };
    let bytes = read(path)?;
    if let Ok(root) = Parsed::<Root>::parse(bytes.clone()) {
        tables.push(root.unverified().keys().clone());
        return Ok(tables);
    }
    let targets = Parsed::<Targets>::parse(bytes);
    let targets = targets.map_err(|error| inspect::unreadable(path, &error))?;
    tables.extend(
        targets
            .unverified()
            .delegations()
            .map(|all| all.keys().clone()),
    );
    Ok(tables)
}

/// What the file says, and what it says differently.
fn shown(
    arguments: &Arguments,
    document: &Document,
    bytes: &[u8],
    app: &App,
) -> Result<String, Failure> {
    let mut text = inspect::text(&arguments.file, bytes, app)?;
    if let Some(path) = &arguments.before {
        let before = parse(path, &read(path)?)?;
        text.push_str(&format!("\n\ndifferences to {}\n", path.display()));
        for one in differences(Some(before.signed()), document.signed()) {
            text.push_str(&format!("  {}\n", visible(&one.to_string())));
        }
    }
    Ok(text.trim_end().to_owned())
}

/// Signs under every keyid that the key has in the tables; without tables, under its hash.
fn attach(
    document: &mut Document,
    key: &SigningKey,
    tables: &[KeyTable],
) -> Result<Vec<String>, Failure> {
    let own = key.signer.public().identity();
    let is_own = |candidate: &Key| match candidate.kind() {
        KeyKind::Usable { public, .. } => public.identity() == own,
        KeyKind::Opaque { .. } => false,
    };
    let listed = tables.iter().flat_map(KeyTable::iter);
    let mut keyids: Vec<KeyId> = listed
        .filter(|(_, candidate)| is_own(candidate))
        .map(|(keyid, _)| keyid.clone())
        .collect();
    keyids.sort();
    keyids.dedup();
    if tables.is_empty() {
        let named = NamedKey::of(&key.name, &*key.signer);
        keyids.push(named.map_err(|error| Failure::from(&error))?.keyid());
    }
    if keyids.is_empty() {
        let message = format!("no key that may sign the file is the key {}", key.name);
        return Err(Failure::new("key.not-needed", Exit::Usage, message));
    }
    let signature = key
        .signer
        .sign_canonical(&document.canonical())
        .map_err(|error| Failure::from(&error))?;
    for keyid in &keyids {
        document.attach(keyid, &signature);
    }
    Ok(keyids.iter().map(ToString::to_string).collect())
}

/// Replaces the file; one that was written on several lines stays so.
fn write(path: &Path, document: &Document, before: &[u8]) -> Result<(), Failure> {
    let compact = document.to_bytes();
    let lines = before.iter().filter(|byte| **byte == b'\n').count();
    let bytes = match Value::parse(&compact) {
        Ok(value) if lines > 1 => {
            let mut pretty = value.to_pretty_json();
            pretty.push(b'\n');
            pretty
        }
        _ => compact,
    };
    tuffet_files::replace(path, &bytes, Readers::Umask)
        .map_err(|error| Failure::writing(path, &error))
}
