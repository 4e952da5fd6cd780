//! Key files: whether they can be read, by whom, and whether they fit together.

use std::path::{Path, PathBuf};

use serde_json::json;
use tuffet_repo::NamedKey;
use tuffet_sign::error::PassphraseProblem;
use tuffet_sign::{FileKey, KeyUri, NoSecrets, SignError, Signer};

use super::Report;
use crate::failure::Failure;
use crate::keyring::{self, Files};
use crate::run::App;

/// Looks at the key directory; returns the PKCS#11 libraries that keys in it name.
pub(super) fn look(report: &mut Report, app: &App) -> Result<Vec<PathBuf>, Failure> {
    let directory = keyring::directory(app)?;
    let mut modules = Vec::new();
    if directory.is_dir() {
        check_mode(report, &directory);
    }
    for (name, files) in keyring::all(&directory)? {
        let state = look_at(report, &name, &files, &mut modules);
        report.row("key", &name, &state);
        report.fact("keys", json!({"name": name, "state": state}));
    }
    modules.sort();
    modules.dedup();
    Ok(modules)
}

fn look_at(report: &mut Report, name: &str, files: &Files, modules: &mut Vec<PathBuf>) -> String {
    let public = match files.public.as_deref().map(keyring::read_public) {
        None => None,
        Some(Ok(public)) => Some(public),
        Some(Err(failure)) => {
            report.refused("doctor.file", &failure);
            None
        }
    };
    if let Some(path) = &files.private {
        let state = look_at_private(report, name, path, public.as_ref());
        return with_public(state, public.is_some());
    }
    let Some(alias) = &files.alias else {
        return "public key only".to_owned();
    };
    check_mode(report, alias);
    match keyring::read_alias(alias) {
        Ok(uri) => {
            if let KeyUri::Token { token, .. } = &uri {
                modules.extend(token.module.clone());
            }
            match &uri {
                KeyUri::File { path, .. } => {
                    look_at_private(report, name, path, public.as_ref());
                }
                KeyUri::Token { .. } | KeyUri::Agent { .. } | KeyUri::Env { .. } => {
                    look_for(report, name, &uri);
                }
                // Programs and services are asked by `key test`: that may cost something.
                _ => {}
            }
            with_public(&uri.to_string(), public.is_some())
        }
        Err(failure) => {
            report.refused("doctor.file", &failure);
            "of no use".to_owned()
        }
    }
}

/// Whether a key is where it should be. One that asks for a PIN is there.
fn look_for(report: &mut Report, name: &str, uri: &KeyUri) {
    use tuffet_sign::error::PinProblem;
    match uri.open(&NoSecrets) {
        Ok(_)
        | Err(SignError::Passphrase {
            what: PassphraseProblem::Missing,
            ..
        })
        | Err(SignError::Pin {
            what: PinProblem::Missing,
            ..
        }) => {}
        Err(error) => {
            let why = Failure::from(&error).line();
            report.find("doctor.key", format!("{name}: {why}"));
        }
    }
}

/// Looks at the file of a private key; returns what it is.
fn look_at_private(
    report: &mut Report,
    name: &str,
    path: &Path,
    public: Option<&NamedKey>,
) -> &'static str {
    check_mode(report, path);
    match FileKey::open(path, || None) {
        Ok(key) => {
            let plain = format!("{} is not encrypted", path.display());
            report.find("doctor.plain", plain);
            // A key that can be looked at can be compared.
            if public.is_some_and(|public| public.identity() != key.public().identity()) {
                let what = format!("{name}.pub is not the public half of {}", path.display());
                report.find("doctor.pair", what);
            }
            "file, not encrypted"
        }
        Err(SignError::Passphrase {
            what: PassphraseProblem::Missing,
            ..
        }) => "file, encrypted",
        Err(error) => {
            report.refused("doctor.file", &Failure::from(&error));
            "file, of no use"
        }
    }
}

fn with_public(state: &str, has_public: bool) -> String {
    match has_public {
        true => state.to_owned(),
        false => format!("{state}, without its public half"),
    }
}

/// Whether others can read it, or put something else in its place.
#[cfg(unix)]
fn check_mode(report: &mut Report, path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    let Ok(metadata) = std::fs::metadata(path) else {
        return;
    };
    let mode = metadata.permissions().mode() & 0o777;
    // A directory that others can list is no harm; one that they can write to is.
    let forbidden = if metadata.is_dir() { 0o022 } else { 0o077 };
    if mode & forbidden != 0 {
        let what = format!("{} has mode {mode:03o}", path.display());
        report.find("doctor.mode", what);
    }
}

#[cfg(not(unix))]
fn check_mode(_: &mut Report, _: &Path) {}
