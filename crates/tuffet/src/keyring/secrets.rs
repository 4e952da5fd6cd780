//! Passphrases and PINs: each is asked for once in a command, and never taken from an argument.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use tuffet_sign::error::Origin;
use tuffet_sign::{Passphrase, Secrets, TokenName};
use zeroize::Zeroizing;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::run::App;
use crate::text::visible;

/// The longest file of a passphrase or a PIN, in bytes.
const LIMIT: usize = 4096;

/// A token by its library, its serial number and its label: the label alone is whatever somebody has called it, and the PIN of
/// one token is not for another.
type Token = (PathBuf, String, String);

/// What was asked for or read so far.
pub(super) struct Known<'a> {
    app: &'a App,
    passphrase_file: Option<PathBuf>,
    pin_file: Option<PathBuf>,
    passphrase: RefCell<Option<Zeroizing<String>>>,
    pins: RefCell<BTreeMap<Token, Zeroizing<String>>>,
}

impl<'a> Known<'a> {
    pub(super) fn new(
        app: &'a App,
        passphrase_file: Option<PathBuf>,
        pin_file: Option<PathBuf>,
    ) -> Self {
        Self {
            app,
            passphrase_file,
            pin_file,
            passphrase: RefCell::new(None),
            pins: RefCell::new(BTreeMap::new()),
        }
    }

    /// The passphrase that opened another key, or that a file holds.
    pub(super) fn passphrase(&self) -> Result<Option<Zeroizing<String>>, Failure> {
        if let Some(known) = self.passphrase.borrow().as_ref() {
            return Ok(Some(known.clone()));
        }
        let Some(path) = &self.passphrase_file else {
            return Ok(None);
        };
        let line = first_line(path)?;
        *self.passphrase.borrow_mut() = Some(line.clone());
        Ok(Some(line))
    }

    fn ask_passphrase(&self, name: &str) -> Result<Zeroizing<String>, Failure> {
        let text = self.ask(&format!("passphrase of {name}"), "--passphrase-file")?;
        *self.passphrase.borrow_mut() = Some(text.clone());
        Ok(text)
    }

    /// The PIN of a token, which several keys may be on.
    fn pin(&self, token: &TokenName<'_>) -> Result<Zeroizing<String>, Failure> {
        let (label, serial) = (token.label.to_owned(), token.serial.to_owned());
        let name: Token = (token.module.to_owned(), serial, label);
        if let Some(known) = self.pins.borrow().get(&name) {
            return Ok(known.clone());
        }
        let pin = match &self.pin_file {
            Some(path) => first_line(path)?,
            None => self.ask(
                &format!(
                    "PIN of token {}, serial number {}",
                    visible(token.label),
                    visible(token.serial)
                ),
                "--pin-file, or pin-source in the URI",
            )?,
        };
        self.pins.borrow_mut().insert(name, pin.clone());
        Ok(pin)
    }

    /// `instead` names the flags that answer.
    pub(super) fn ask(&self, what: &str, instead: &str) -> Result<Zeroizing<String>, Failure> {
        if !self.app.console.is_interactive() {
            return Err(Failure::needs_answer(what, instead));
        }
        let config = rpassword::ConfigBuilder::new().build();
        rpassword::prompt_password_with_config(format!("{what}: "), config)
            .map(Zeroizing::new)
            .map_err(|error| {
                let (code, exit) = match error.kind() {
                    io::ErrorKind::Interrupted => ("cancelled", Exit::Interrupted),
                    _ => ("usage.no-terminal", Exit::Usage),
                };
                Failure::new(code, exit, "no passphrase could be read").cause(error)
            })
    }
}

fn first_line(path: &Path) -> Result<Zeroizing<String>, Failure> {
    let text = read_secret(path)?;
    Ok(Zeroizing::new(
        text.lines().next().unwrap_or_default().to_owned(),
    ))
}

/// Reads a file of a secret; one that is longer than any is refused, not cut. The buffer has room for all of it from the
/// beginning, because one that grows leaves copies behind.
fn read_secret(path: &Path) -> Result<Zeroizing<String>, Failure> {
    let failed = |error: io::Error| Failure::reading(path, &error);
    let mut text = Zeroizing::new(String::with_capacity(2 * LIMIT));
    let file = File::open(path).map_err(failed)?;
    file.take(LIMIT as u64 + 1)
        .read_to_string(&mut text)
        .map_err(failed)?;
    if text.len() > LIMIT {
        let message = format!(
            "{} is longer than the file of a passphrase or a PIN may be",
            path.display()
        );
        return Err(Failure::usage(message));
    }
    Ok(text)
}

/// The secrets for one key.
pub(super) struct Asking<'k, 'a> {
    known: &'k Known<'a>,
    name: &'k str,
    /// Whether what was known already has been tried for this key.
    tried: Cell<bool>,
    /// Why a secret could not be asked for.
    failure: RefCell<Option<Failure>>,
}

impl<'k, 'a> Asking<'k, 'a> {
    pub(super) fn new(known: &'k Known<'a>, name: &'k str) -> Self {
        Self {
            known,
            name,
            tried: Cell::new(false),
            failure: RefCell::new(None),
        }
    }

    /// Why the last secret was not given.
    pub(super) fn failure(&self) -> Option<Failure> {
        self.failure.borrow_mut().take()
    }

    fn keep(&self, given: Result<Zeroizing<String>, Failure>) -> Option<Passphrase> {
        match given {
            Ok(text) => Some(Passphrase::new(text.as_str())),
            Err(failure) => {
                *self.failure.borrow_mut() = Some(failure);
                None
            }
        }
    }
}

impl Secrets for Asking<'_, '_> {
    fn passphrase(&self, _: &Origin) -> Option<Passphrase> {
        let known = match self.tried.replace(true) {
            true => Ok(None),
            false => self.known.passphrase(),
        };
        self.keep(match known {
            Ok(Some(text)) => Ok(text),
            Ok(None) => self.known.ask_passphrase(self.name),
            Err(failure) => Err(failure),
        })
    }

    fn pin(&self, token: &TokenName<'_>) -> Option<Passphrase> {
        self.keep(self.known.pin(token))
    }
}
