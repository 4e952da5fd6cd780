//! Keys as users name them: private keys that sign, public keys of other people, and their passphrases.
//!
//! A plain name means `NAME.key` (private) or `NAME.pub` (public) in the directory `keys` of the configuration directory;
//! anything with a separator, a colon or an extension of a key file is a file or a key URI.

use std::cell::RefCell;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use clap::Args;
use tuffet_core::crypto::Key;
use tuffet_core::json::Value;
use tuffet_files::Readers;
use tuffet_repo::{NamedKey, Repository};
use tuffet_sign::error::PassphraseProblem;
use tuffet_sign::{KeyUri, Passphrase, PublicKeyInfo, SignError, Signer};
use zeroize::Zeroizing;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::run::App;

/// The longest passphrase file that is read.
const PASSPHRASE_LIMIT: u64 = 4096;

/// The longest public key file that is read.
const PUBLIC_LIMIT: u64 = 65_536;

/// Where passphrases come from.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct PassphraseOptions {
    /// Read the passphrase of key files from the first line of FILE instead of asking
    #[arg(
        long,
        value_name = "FILE",
        env = "TUFFET_PASSPHRASE_FILE",
        hide_env_values = true
    )]
    pub(crate) passphrase_file: Option<PathBuf>,
}

/// Keys that sign.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct SigningOptions {
    /// Sign with this key: a name, or the file of a private key; may be repeated
    #[arg(long, value_name = "KEY")]
    pub(crate) key: Vec<String>,
    #[command(flatten)]
    pub(crate) passphrase: PassphraseOptions,
}

/// A private key and what it is called.
pub(crate) struct SigningKey {
    pub(crate) name: String,
    pub(crate) signer: Box<dyn Signer>,
}

/// Opens keys, and asks for a passphrase once for as many of them as it opens.
pub(crate) struct Keyring<'a> {
    app: &'a App,
    options: &'a PassphraseOptions,
    known: RefCell<Option<Zeroizing<String>>>,
}

impl<'a> Keyring<'a> {
    /// A keyring that has opened nothing yet.
    pub(crate) fn new(app: &'a App, options: &'a PassphraseOptions) -> Self {
        Self {
            app,
            options,
            known: RefCell::new(None),
        }
    }

    /// Opens every key.
    ///
    /// # Errors
    /// The first that cannot be opened.
    pub(crate) fn open_all(&self, keys: &[String]) -> Result<Vec<SigningKey>, Failure> {
        keys.iter().map(|key| self.open(key)).collect()
    }

    /// Opens a private key.
    ///
    /// # Errors
    /// `key.unavailable` and the other codes of keys; `usage.no-terminal` if a passphrase is needed and nobody can be asked.
    pub(crate) fn open(&self, key: &str) -> Result<SigningKey, Failure> {
        let uri = locate(self.app, key)?;
        let name = name_of(key);
        // The passphrase that opened another key, or that a file holds, is tried before anybody is asked.
        let mut passphrase = self.known()?;
        let mut tries = 0;
        loop {
            let given = passphrase.take();
            let had_one = given.is_some();
            let result = uri.open(|| given.map(|text| Passphrase::new(text.as_str())));
            match result {
                Ok(signer) => return Ok(SigningKey { name, signer }),
                Err(SignError::Passphrase { what, .. })
                    if !matches!(what, PassphraseProblem::Empty)
                        && tries < 3
                        && (self.app.console.is_interactive() || !had_one) =>
                {
                    if had_one {
                        self.app
                            .console
                            .warn(format!("the passphrase does not open {name}"));
                    }
                    tries += 1;
                    let text = self.ask(&format!("passphrase of {name}"), "--passphrase-file")?;
                    *self.known.borrow_mut() = Some(text.clone());
                    passphrase = Some(text);
                }
                Err(error) => return Err(Failure::from(&error)),
            }
        }
    }

    /// A passphrase for new keys: from the file, or typed twice.
    ///
    /// # Errors
    /// `usage.no-terminal`, `usage.declined` if it was typed differently.
    pub(crate) fn choose(&self, name: &str) -> Result<Passphrase, Failure> {
        const NEW: &str = "--passphrase-file, or --no-passphrase for a key that needs none";
        if let Some(known) = self.known()? {
            return Ok(Passphrase::new(known.as_str()));
        }
        let first = self.ask(&format!("new passphrase for {name}"), NEW)?;
        let second = self.ask("the same again", NEW)?;
        if *first != *second {
            return Err(Failure::new(
                "usage.declined",
                Exit::Failed,
                "the two passphrases differ",
            ));
        }
        Ok(Passphrase::new(first.as_str()))
    }

    fn known(&self) -> Result<Option<Zeroizing<String>>, Failure> {
        if let Some(known) = self.known.borrow().as_ref() {
            return Ok(Some(known.clone()));
        }
        let Some(path) = &self.options.passphrase_file else {
            return Ok(None);
        };
        let text = Zeroizing::new(read_text(path, PASSPHRASE_LIMIT)?);
        let line = Zeroizing::new(text.lines().next().unwrap_or_default().to_owned());
        *self.known.borrow_mut() = Some(line.clone());
        Ok(Some(line))
    }

    /// `instead` names the flags that answer.
    fn ask(&self, what: &str, instead: &str) -> Result<Zeroizing<String>, Failure> {
        if !self.app.console.is_interactive() {
            return Err(Failure::needs_answer(what, instead));
        }
        let config = rpassword::ConfigBuilder::new().build();
        rpassword::prompt_password_with_config(format!("{what}: "), config)
            .map(Zeroizing::new)
            .map_err(|error| {
                let (code, exit) = match error.kind() {
                    std::io::ErrorKind::Interrupted => ("cancelled", Exit::Interrupted),
                    _ => ("usage.no-terminal", Exit::Usage),
                };
                Failure::new(code, exit, "no passphrase could be read").cause(error)
            })
    }
}

/// The directory of keys.
///
/// # Errors
/// When no place for files is known.
pub(crate) fn directory(app: &App) -> Result<PathBuf, Failure> {
    Ok(app.options.places.config()?.join("keys"))
}

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

/// Writes a public key to a new file.
///
/// # Errors
/// `file.write`.
pub(crate) fn write_public(path: &Path, key: &NamedKey) -> Result<(), Failure> {
    let mut text = key.to_value().to_pretty_json();
    text.push(b'\n');
    // It is for everybody; the umask still applies.
    tuffet_files::create(path, &text, Readers::Umask)
        .map_err(|error| Failure::writing(path, &error))
}

fn read_public(path: &Path) -> Result<NamedKey, Failure> {
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
    NamedKey::new(&name_of(&path.to_string_lossy()), info).map_err(|error| Failure::from(&error))
}

fn read_text(path: &Path, limit: u64) -> Result<String, Failure> {
    let failed = |error: &std::io::Error| Failure::reading(path, error);
    let file = fs::File::open(path).map_err(|error| failed(&error))?;
    let mut text = String::new();
    file.take(limit)
        .read_to_string(&mut text)
        .map_err(|error| failed(&error))?;
    Ok(text)
}

fn locate(app: &App, key: &str) -> Result<KeyUri, Failure> {
    if is_file(key) {
        return key
            .parse()
            .map_err(|error: SignError| Failure::from(&error));
    }
    let path = directory(app)?.join(format!("{key}.key"));
    Ok(KeyUri::File(path))
}

fn is_file(key: &str) -> bool {
    key.contains(['/', '\\', ':'])
        || [".key", ".pub", ".pem"]
            .iter()
            .any(|extension| key.ends_with(extension))
}

/// What a key is called: its name, or that of its file.
fn name_of(key: &str) -> String {
    let file = key.rsplit(['/', '\\', ':']).next().unwrap_or(key);
    let stem = [".key", ".pub", ".pem"]
        .iter()
        .find_map(|extension| file.strip_suffix(extension));
    stem.unwrap_or(file).to_owned()
}

/// The public halves of private keys, with their names.
///
/// # Errors
/// `key.name`.
pub(crate) fn named(keys: &[SigningKey]) -> Result<Vec<NamedKey>, Failure> {
    keys.iter()
        .map(|key| NamedKey::of(&key.name, &*key.signer).map_err(|error| Failure::from(&error)))
        .collect()
}

/// The keys in the form in which repositories take them.
pub(crate) fn signers(keys: &[SigningKey]) -> Vec<&dyn Signer> {
    keys.iter().map(|key| &*key.signer).collect()
}

impl From<&SignError> for Failure {
    fn from(error: &SignError) -> Self {
        let exit = match error {
            SignError::Write { .. } => Exit::Network,
            SignError::Exists { .. } => Exit::Conflict,
            SignError::Scheme { .. } | SignError::Uri { .. } => Exit::Usage,
            _ => Exit::Key,
        };
        Self::new(error.code(), exit, error.to_string()).sources(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_called_what_its_file_is_called() {
        for (key, name) in [
            ("ana", "ana"),
            ("keys/ana.key", "ana"),
            ("file:/x/ben.pem", "ben"),
            ("C:\\keys\\lin.pub", "lin"),
            ("ana.2", "ana.2"),
        ] {
            assert_eq!(name_of(key), name, "{key}");
        }
        assert!(!is_file("ana.2"));
        assert!(is_file("ana.key") && is_file("./ana") && is_file("file:ana"));
    }
}
