//! Keys as users name them: private keys that sign, public keys of other people, and what opens them.

mod names;
mod public;
mod secrets;

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use clap::Args;
use tuffet_repo::{Error, KeyName, NamedKey, Session};
use tuffet_sign::error::PassphraseProblem;
use tuffet_sign::kms::KmsError;
use tuffet_sign::{Passphrase, SignError, Signer};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::run::App;
pub(crate) use names::{
    Files, Place, absolute, all, directory, locate, parse, read_alias, write_alias,
};
pub(crate) use public::{
    known, public, read_certificates, read_public, text as public_text, write_public,
};
use secrets::{Asking, Known};

/// Where passphrases come from.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct PassphraseOptions {
    /// Read the passphrase of key files from the first line of FILE instead of asking [env: TUFFET_PASSPHRASE_FILE]
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
}

impl PassphraseOptions {
    /// The file, by option or by environment. What stands in the environment is for every command, so it is in nobody's way who says
    /// that a key needs no passphrase.
    fn file(&self) -> Option<PathBuf> {
        let named = || std::env::var_os("TUFFET_PASSPHRASE_FILE").filter(|name| !name.is_empty());
        self.passphrase_file
            .clone()
            .or_else(|| named().map(PathBuf::from))
    }
}

/// Where passphrases and PINs come from.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct SecretOptions {
    #[command(flatten)]
    pub(crate) passphrase: PassphraseOptions,
    /// Read the PIN of tokens from the first line of FILE instead of asking
    #[arg(
        long,
        value_name = "FILE",
        env = "TUFFET_PIN_FILE",
        hide_env_values = true
    )]
    pub(crate) pin_file: Option<PathBuf>,
}

/// Keys that sign.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct SigningOptions {
    /// Sign with this key: a name, the file of a private key, or a key URI; may be repeated
    #[arg(long, value_name = "KEY")]
    pub(crate) key: Vec<String>,
    #[command(flatten)]
    pub(crate) secrets: SecretOptions,
}

/// A private key and what it is called.
pub(crate) struct SigningKey {
    pub(crate) name: String,
    pub(crate) signer: Box<dyn Signer>,
    /// The certificates by which a token vouches for it.
    pub(crate) attestation: Option<String>,
}

/// Opens keys, and asks for a passphrase or a PIN once for as many of them as it opens.
pub(crate) struct Keyring<'a> {
    app: &'a App,
    known: Known<'a>,
}

impl<'a> Keyring<'a> {
    /// A keyring that has opened nothing yet.
    pub(crate) fn new(app: &'a App, options: &SecretOptions) -> Self {
        let passphrase = options.passphrase.file();
        Self {
            app,
            known: Known::new(app, passphrase, options.pin_file.clone()),
        }
    }

    /// A keyring for keys that are made, not opened.
    pub(crate) fn for_new(app: &'a App, options: &PassphraseOptions) -> Self {
        Self {
            app,
            known: Known::new(app, options.file(), None),
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
    /// `key.unavailable` and the other codes of keys; `key.changed` if it is not the one that its name was given to;
    /// `usage.no-terminal` if a passphrase or a PIN is needed and nobody can be asked.
    pub(crate) fn open(&self, key: &str) -> Result<SigningKey, Failure> {
        self.open_at(locate(self.app, key)?)
    }

    /// Opens a private key whose place is known.
    ///
    /// # Errors
    /// As [`Keyring::open`].
    pub(crate) fn open_at(&self, place: Place) -> Result<SigningKey, Failure> {
        let Place {
            mut uri,
            name,
            public,
        } = place;
        let known = public.as_deref().map(read_public).transpose()?;
        if let (Some(known), None) = (&known, uri.scheme()) {
            uri = uri.with_scheme(known.key().scheme());
        }
        let asking = Asking::new(&self.known, &name);
        let mut tries = 0;
        let signer = loop {
            let error = match uri.open(&asking) {
                Ok(signer) => break signer,
                Err(error) => error,
            };
            if let Some(failure) = asking.failure() {
                return Err(failure);
            }
            let is_wrong = matches!(
                error,
                SignError::Passphrase {
                    what: PassphraseProblem::Wrong,
                    ..
                }
            );
            // A PIN is another matter: a token locks itself.
            if !is_wrong || tries == 3 || !self.app.console.is_interactive() {
                return Err(Failure::from(&error));
            }
            tries += 1;
            self.app
                .console
                .warn(format!("the passphrase does not open {name}"));
        };
        let differs = |known: &NamedKey| known.key() != signer.public();
        if known.as_ref().is_some_and(differs) {
            let message = format!("the key that {name} leads to is not the one in {name}.pub");
            return Err(Failure::new("key.changed", Exit::Key, message));
        }
        let attestation = known.and_then(|known| known.attestation().map(str::to_owned));
        Ok(SigningKey {
            name,
            signer,
            attestation,
        })
    }

    /// A passphrase for new keys: from the file, or typed twice.
    ///
    /// # Errors
    /// `usage.no-terminal`, `usage.declined` if it was typed differently.
    pub(crate) fn choose(&self, name: &str) -> Result<Passphrase, Failure> {
        const NEW: &str = "--passphrase-file, or --no-passphrase for a key that needs none";
        if let Some(known) = self.known.passphrase()? {
            return Ok(Passphrase::new(known.as_str()));
        }
        let first = self.known.ask(&format!("new passphrase for {name}"), NEW)?;
        let second = self.known.ask("the same again", NEW)?;
        if *first != *second {
            return Err(Failure::new(
                "usage.declined",
                Exit::Failed,
                "the two passphrases differ",
            ));
        }
        Ok(Passphrase::new(first.as_str()))
    }
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

/// The public halves of private keys, with their names.
///
/// # Errors
/// `key.name`.
pub(crate) fn named(keys: &[SigningKey]) -> Result<Vec<NamedKey>, Failure> {
    let named = |key: &SigningKey| {
        let named = NamedKey::of(&key.name, &*key.signer).map_err(|error| Failure::from(&error))?;
        Ok(match &key.attestation {
            Some(chain) => named.with_attestation(chain),
            None => named,
        })
    };
    keys.iter().map(named).collect()
}

/// Points out keys that may sign nothing here. Where nothing is open that is no reason to fail: a command that is given again, to go on
/// after it broke off, may name keys that have done their part.
pub(crate) fn point_out_unused(keys: &[SigningKey], session: &Session<'_>, app: &App) {
    for key in keys.iter().filter(|key| !session.may_sign(&*key.signer)) {
        let message = format!(
            "no role takes the word of the key {}: it was not needed",
            key.name
        );
        app.console.warn(message);
    }
}

/// Why one of these keys did not sign, with the name by which the user named it where the repository has none for it.
pub(crate) fn refused(error: Error, keys: &[SigningKey]) -> Failure {
    let Error::KeyNotNeeded(KeyName { keyid, name: None }) = error else {
        return Failure::from(&error);
    };
    let named = named(keys).unwrap_or_default();
    let named = named.iter().find(|key| key.keyid() == keyid);
    let name = named.map(|key| key.name().to_owned());
    Failure::from(&Error::KeyNotNeeded(KeyName { keyid, name }))
}

/// The keys in the form in which repositories take them.
pub(crate) fn signers(keys: &[SigningKey]) -> Vec<&dyn Signer> {
    keys.iter().map(|key| &*key.signer).collect()
}

impl From<&SignError> for Failure {
    fn from(error: &SignError) -> Self {
        let exit = match error {
            SignError::Write { .. } | SignError::Kms(KmsError::Unreachable { .. }) => Exit::Network,
            SignError::Exists { .. } => Exit::Conflict,
            SignError::Mismatch { .. } => Exit::Untrusted,
            SignError::Scheme { .. } | SignError::Uri { .. } => Exit::Usage,
            _ => Exit::Key,
        };
        let failure = Self::new(error.code(), exit, error.to_string()).sources(error);
        match error {
            SignError::Feature { feature, .. } => {
                failure.fix(format!("the cargo feature is: {feature}"))
            }
            _ => failure,
        }
    }
}
