//! `tuffet sign`: a signature on a metadata file of a repository that is kept elsewhere.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;
use tuffet_core::crypto::{Key, KeyKind, signed_message};
use tuffet_core::json::Value;
use tuffet_core::metadata::{
    DelegatedName, Delegations, KeyId, KeyTable, Parsed, RoleDelegations, RoleKeys, RoleName, Root,
    Targets,
};
use tuffet_files::Readers;
use tuffet_repo::{Document, KeyNames, NamedKey, differences};
use tuffet_sign::PublicKeyInfo;

use super::inspect;
use crate::cli::DryRun;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::keyring::{self, Keyring, SigningKey, SigningOptions};
use crate::run::App;
use crate::text::visible;
use crate::whole;

/// Sign a metadata file of a repository that tuffet does not manage
///
/// Shows everything that is signed, or with --before every difference to an earlier version, and asks before it signs.
/// Signatures that are there stay. A root is signed under the keyids that its own root role lists; for other roles --by names
/// the file that lists the keys: root, or the delegating role.
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
    /// The delegated role whose file it is, if --by delegates to several
    #[arg(long, value_name = "ROLE", requires = "by")]
    role: Option<String>,
    /// Sign without asking; needed with --json, which shows nothing first
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
    let dry = arguments.dry_run.dry_run;
    if app.console.json && !arguments.yes && !dry {
        return Err(
            Failure::usage("with --json nothing can be shown before it is signed")
                .fix("look at it with --dry-run, then add --yes"),
        );
    }
    let bytes = read(&arguments.file)?;
    let mut document = parse(&arguments.file, &bytes)?;
    let listed = listed(arguments, &document, &bytes)?;
    let shown = shown(arguments, &document, &bytes, listed.as_deref(), app)?;
    if !app.console.json {
        app.console.data(&shown)?;
    }
    let mut signed = Vec::new();
    if !dry {
        if !arguments.yes {
            app.console.confirm("sign this?", "--yes")?;
        }
        let keyring = Keyring::new(app, &arguments.signing.secrets);
        for key in keyring.open_all(&arguments.signing.key)? {
            signed.extend(attach(&mut document, &key, listed.as_deref())?);
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
    whole::read(path, whole::METADATA)
}

fn parse(path: &Path, bytes: &[u8]) -> Result<Document, Failure> {
    Document::parse(bytes).map_err(|error| inspect::unreadable(path, &error))
}

/// The keys of the role, as they are listed: those of `--by`, and those of a root itself. `None` if nothing lists any.
fn listed(
    arguments: &Arguments,
    document: &Document,
    bytes: &[u8],
) -> Result<Option<Vec<(KeyId, Key)>>, Failure> {
    let kind = document.signed().get("_type").and_then(Value::as_str);
    let kind = kind.unwrap_or_default();
    let mut keys = Vec::new();
    if kind == "root" {
        let root = Parsed::<Root>::parse(bytes.to_vec());
        let root = root.map_err(|error| inspect::unreadable(&arguments.file, &error))?;
        let root = root.unverified();
        keys.extend(of(root.keys(), root.role(&RoleName::Root)));
    }
    let Some(path) = &arguments.by else {
        return Ok((kind == "root").then_some(keys));
    };
    let by = read(path)?;
    if let Ok(root) = Parsed::<Root>::parse(by.clone()) {
        if arguments.role.is_some() {
            let message = format!("{} delegates to no role by a name", path.display());
            return Err(Failure::usage(message).fix("leave --role out"));
        }
        let role = RoleName::new(kind).ok();
        let root = root.unverified();
        let role = role.and_then(|role| root.role(&role));
        keys.extend(of(root.keys(), role));
        return Ok(Some(keys));
    }
    let targets = Parsed::<Targets>::parse(by);
    let targets = targets.map_err(|error| inspect::unreadable(path, &error))?;
    if kind != "targets" {
        let message = format!("{} lists no keys of {}", path.display(), visible(kind));
        return Err(Failure::usage(message).fix("name the root with --by"));
    }
    if let Some(delegations) = targets.unverified().delegations() {
        for role in delegated(delegations, arguments.role.as_deref())? {
            keys.extend(of(delegations.keys(), Some(role)));
        }
    }
    Ok(Some(keys))
}

/// The roles that a file delegates to, or that of the name.
fn delegated<'a>(
    delegations: &'a Delegations,
    name: Option<&str>,
) -> Result<Vec<&'a RoleKeys>, Failure> {
    if let Some(name) = name {
        let role = DelegatedName::new(name).ok();
        let role = role.and_then(|role| delegations.role(&role));
        return role.map(|role| vec![role]).ok_or_else(|| {
            let message = format!("nothing is delegated to {}", visible(name));
            Failure::new("role.unknown", Exit::NotFound, message)
        });
    }
    Ok(match delegations.roles() {
        RoleDelegations::Named(roles) => roles.iter().map(|role| &role.keys).collect(),
        RoleDelegations::Succinct(bins) => vec![bins.keys()],
    })
}

/// The keys of a role in the table beside it.
fn of(table: &KeyTable, role: Option<&RoleKeys>) -> Vec<(KeyId, Key)> {
    let keyids = role.into_iter().flat_map(|role| &role.keyids);
    keyids
        .filter_map(|keyid| Some((keyid.clone(), table.key(keyid.as_str())?.clone())))
        .collect()
}

/// What the file says in short, and then all that is signed, or all that is different. Nothing is left out: who signs has to
/// have had the chance to see it.
fn shown(
    arguments: &Arguments,
    document: &Document,
    bytes: &[u8],
    listed: Option<&[(KeyId, Key)]>,
    app: &App,
) -> Result<String, Failure> {
    let mut text = inspect::text(&arguments.file, bytes, app)?;
    for keyid in void(document, listed) {
        let keyid = visible(&keyid);
        text.push_str(&format!(
            "\nthe signature under {keyid} is not one of this content by a key that may sign it"
        ));
    }
    let before = match &arguments.before {
        Some(path) => {
            text.push_str(&format!("\n\ndifferences to {}\n", path.display()));
            Some(parse(path, &read(path)?)?)
        }
        None => {
            text.push_str("\n\nall that is signed\n");
            None
        }
    };
    let mut names = KeyNames::default();
    names.add(keyring::known(app));
    let both = before.iter().chain([document]);
    both.for_each(|one| names.see(one.signed()));
    for one in differences(before.as_ref().map(Document::signed), document.signed()) {
        let one = one.with_names(&names).to_string();
        text.push_str(&format!("  {}\n", visible(&one)));
    }
    Ok(text.trim_end().to_owned())
}

/// The keyids of signatures that no key that is listed under them has made of this content.
fn void(document: &Document, listed: Option<&[(KeyId, Key)]>) -> Vec<String> {
    let Some(listed) = listed else {
        return Vec::new();
    };
    let canonical = document.canonical();
    let counts = |keyid: &&str| {
        let own = listed.iter().filter(|(known, _)| known.as_str() == *keyid);
        own.filter_map(|(known, key)| Some((document.signature(known)?, usable(key)?)))
            .any(|(signature, key)| {
                let message = signed_message(key.scheme(), &canonical, tuffet_crypto::aws_lc());
                key.confirm(&message, &signature).is_ok()
            })
    };
    let all = document.signature_keyids();
    all.filter(|keyid| !counts(keyid))
        .map(str::to_owned)
        .collect()
}

/// Signs under every keyid by which the role lists the key; where nothing lists any, under its hash.
fn attach(
    document: &mut Document,
    key: &SigningKey,
    listed: Option<&[(KeyId, Key)]>,
) -> Result<Vec<String>, Failure> {
    let own = key.signer.public();
    let mut keys: Vec<(KeyId, PublicKeyInfo)> = match listed {
        Some(listed) => listed
            .iter()
            .filter_map(|(keyid, key)| Some((keyid.clone(), usable(key)?)))
            .filter(|(_, key)| key.identity() == own.identity() && key.scheme() == own.scheme())
            .collect(),
        None => {
            let named = NamedKey::of(&key.name, &*key.signer);
            let named = named.map_err(|error| Failure::from(&error))?;
            vec![(named.keyid(), own.clone())]
        }
    };
    keys.sort_by(|(one, _), (other, _)| one.cmp(other));
    // A root and the one before it may list different keys under one keyid: the signature has to be one of each.
    keys.dedup();
    if keys.is_empty() {
        let message = format!("no key that may sign the file is the key {}", key.name);
        return Err(Failure::new("key.not-needed", Exit::Usage, message));
    }
    let failed = |error| Failure::from(&error);
    let canonical = document.canonical();
    let signature = key.signer.sign_canonical(&canonical).map_err(failed)?;
    let message = signed_message(own.scheme(), &canonical, tuffet_crypto::aws_lc());
    for (_, listed) in keys
        .iter()
        .filter(|(_, key)| key.public() != signature.public())
    {
        let bytes = signature.as_bytes();
        listed.confirm(&message, bytes).map_err(failed)?;
    }
    let mut keyids: Vec<KeyId> = keys.into_iter().map(|(keyid, _)| keyid).collect();
    keyids.dedup();
    for keyid in &keyids {
        document.attach(keyid, signature.as_bytes());
    }
    Ok(keyids.iter().map(ToString::to_string).collect())
}

fn usable(key: &Key) -> Option<PublicKeyInfo> {
    match key.kind() {
        KeyKind::Usable { scheme, public } => PublicKeyInfo::new(*scheme, public.clone()).ok(),
        KeyKind::Opaque { .. } => None,
    }
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
