//! Public keys: of other people, and of one's own.

use std::path::{Path, PathBuf};

use tuffet_core::crypto::Key;
use tuffet_core::json::Value;
use tuffet_files::Readers;
use tuffet_repo::{NamedKey, Repository};
use tuffet_sign::PublicKeyInfo;

use super::names::{all, directory, is_file, name_of};
use super::read_text;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::run::App;

/// The longest public key file that is read.
const PUBLIC_LIMIT: u64 = 65_536;

/// The member for certificates.
const ATTESTATION: &str = "attestation";

/// A public key: a name of the repository, a name of the key directory, or a file.
///
/// # Errors
/// `key.unknown`, `key.format`, `file.read`.
pub(crate) fn public(
    app: &App,
    repository: Option<&Repository>,
    key: &str,
) -> Result<NamedKey, Failure> {
    if !is_file(key) {
        if let Some(known) = repository.and_then(|repository| repository.key(key).ok()) {
            return Ok(known);
        }
        let path = directory(app)?.join(format!("{key}.pub"));
        if !path.is_file() {
            let message = format!("no public key is called {key}");
            return Err(Failure::new("key.unknown", Exit::NotFound, message)
                .fix(format!("looked for {}", path.display())));
        }
        return read_public(&path);
    }
    read_public(Path::new(key))
}

/// The public keys of the key directory; those that cannot be read are left to `tuffet key list` and `tuffet key doctor`.
pub(crate) fn known(app: &App) -> Vec<NamedKey> {
    let all = directory(app).and_then(|directory| all(&directory));
    let files = all.unwrap_or_default().into_iter();
    let public = files.filter_map(|(_, files)| read_public(&files.public?).ok());
    public.collect()
}

/// Writes a public key to a new file.
///
/// # Errors
/// `file.write`.
pub(crate) fn write_public(path: &Path, key: &NamedKey) -> Result<(), Failure> {
    // It is for everybody; the umask still applies.
    tuffet_files::create(path, text(key).as_bytes(), Readers::Umask)
        .map_err(|error| Failure::writing(path, &error))
}

/// What is in the file of a public key: the key object of metadata, and the certificates by which a token vouches for it.
pub(crate) fn text(key: &NamedKey) -> String {
    let mut object = key.to_value();
    if let (Some(chain), Some(members)) = (key.attestation(), object.as_object_mut()) {
        members.insert(ATTESTATION.to_owned(), chain.into());
    }
    let text = object.to_pretty_json();
    format!("{}\n", String::from_utf8_lossy(&text))
}

/// Reads the file of a public key.
///
/// # Errors
/// `key.format`, `file.read`.
pub(crate) fn read_public(path: &Path) -> Result<NamedKey, Failure> {
    let text = read_text(path, PUBLIC_LIMIT)?;
    let malformed = |cause: String| {
        let message = format!("{} is not a public key that can be used", path.display());
        Failure::new("key.format", Exit::Key, message).cause(cause)
    };
    let value = Value::parse(text.as_bytes()).map_err(|error| malformed(error.to_string()))?;
    let member = |name| value.get(name).and_then(Value::as_str).unwrap_or_default();
    let public = value.get("keyval").and_then(|keyval| keyval.get("public"));
    let key = Key::parse(
        member("keytype"),
        member("scheme"),
        public.and_then(Value::as_str),
        text.as_bytes(),
    );
    let (scheme, public) = key.usable().ok_or_else(|| malformed(key.to_string()))?;
    let info = PublicKeyInfo::new(scheme, public.clone()).map_err(|error| Failure::from(&error))?;
    let named = NamedKey::new(&name_of(&path.to_string_lossy()), info)
        .map_err(|error| Failure::from(&error))?;
    Ok(match value.get(ATTESTATION).and_then(Value::as_str) {
        Some(chain) => named.with_attestation(chain),
        None => named,
    })
}

/// The certificates of several files, one after the other.
///
/// # Errors
/// `file.read`.
pub(crate) fn read_certificates(paths: &[PathBuf]) -> Result<String, Failure> {
    let mut all = String::new();
    for path in paths {
        all.push_str(read_text(path, PUBLIC_LIMIT)?.trim());
        all.push('\n');
    }
    Ok(all)
}
