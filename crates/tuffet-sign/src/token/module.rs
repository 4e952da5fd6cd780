//! Libraries that talk to tokens. Each is loaded once in a process, and stays.

use std::env;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::error::{Error, RvError};
use cryptoki::mechanism::MechanismType;
use cryptoki::session::Session;
use cryptoki::slot::{Slot, TokenInfo};

use super::{describe, failed};
use crate::error::SignError;
use crate::uri::TokenUri;

/// Variables that name the library, ours and that of securesystemslib.
const VARIABLES: [&str; 2] = ["TUFFET_PKCS11_MODULE", "PYKCS11LIB"];

static LOADED: Mutex<Vec<(PathBuf, Pkcs11)>> = Mutex::new(Vec::new());

/// A library that is loaded and initialised, and its file.
pub(super) struct Module(Pkcs11, PathBuf);

/// The library that the environment names.
pub(super) fn of_environment() -> Option<PathBuf> {
    let named = VARIABLES.into_iter().find_map(env::var_os);
    named.filter(|path| !path.is_empty()).map(PathBuf::from)
}

impl Module {
    pub(super) fn load(uri: &TokenUri) -> Result<Self, SignError> {
        let path = uri.module.clone().or_else(of_environment);
        let path = path.ok_or_else(|| SignError::Token {
            what: format!(
                "no PKCS#11 library is named: by `module-path` in the URI, or by {}",
                VARIABLES.join(" or ")
            ),
        })?;
        Self::at(&path)
    }

    pub(super) fn at(path: &Path) -> Result<Self, SignError> {
        let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, module)) = loaded.iter().find(|(other, _)| other == path) {
            return Ok(Self(module.clone(), path.to_owned()));
        }
        let refused = |error: Error| SignError::Token {
            what: format!(
                "{} cannot be used as a PKCS#11 library: {}",
                path.display(),
                describe(error)
            ),
        };
        let module = Pkcs11::new(path).map_err(refused)?;
        let initialize = |flags| match module.initialize(CInitializeArgs::new(flags)) {
            // Two paths may lead to one library.
            Err(Error::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => Ok(()),
            result => result,
        };
        match initialize(CInitializeFlags::OS_LOCKING_OK) {
            Err(Error::Pkcs11(RvError::CantLock, _)) => initialize(CInitializeFlags::empty()),
            result => result,
        }
        .map_err(refused)?;
        loaded.push((path.to_owned(), module.clone()));
        Ok(Self(module, path.to_owned()))
    }

    /// The file of the library.
    pub(super) fn path(&self) -> &Path {
        &self.1
    }

    /// The slots with a token in them that somebody has set up.
    pub(super) fn slots(&self) -> Result<Vec<(Slot, TokenInfo)>, SignError> {
        let mut found = Vec::new();
        for slot in self.0.get_slots_with_token().map_err(failed)? {
            // A token that is pulled out meanwhile is not there.
            if let Ok(info) = self.0.get_token_info(slot) {
                found.push((slot, info));
            }
        }
        Ok(found)
    }

    /// The one token that fits.
    pub(super) fn choose(&self, uri: &TokenUri) -> Result<(Slot, TokenInfo), SignError> {
        let all: Vec<_> = self.slots()?;
        let usable = all.into_iter().filter(|(_, info)| info.token_initialized());
        let (mut fitting, others): (Vec<_>, Vec<_>) = usable.partition(|(_, info)| fits(info, uri));
        let place = "the PKCS#11 library".to_owned();
        match (fitting.pop(), fitting.len()) {
            (Some(token), 0) => Ok(token),
            (Some(_), more) => Err(SignError::Several {
                place,
                count: more.saturating_add(1),
            }),
            (None, _) => Err(SignError::Absent {
                place,
                what: listing(&others),
            }),
        }
    }

    pub(super) fn session(&self, slot: Slot) -> Result<Session, SignError> {
        self.0.open_ro_session(slot).map_err(failed)
    }

    pub(super) fn mechanisms(&self, slot: Slot) -> Result<Vec<MechanismType>, SignError> {
        self.0.get_mechanism_list(slot).map_err(failed)
    }
}

fn fits(info: &TokenInfo, uri: &TokenUri) -> bool {
    let pairs = [
        (&uri.token, info.label()),
        (&uri.manufacturer, info.manufacturer_id()),
        (&uri.model, info.model()),
        (&uri.serial, info.serial_number()),
    ];
    pairs.into_iter().all(|(wanted, is)| {
        wanted
            .as_ref()
            .is_none_or(|wanted| wanted.trim() == is.trim())
    })
}

fn listing(tokens: &[(Slot, TokenInfo)]) -> String {
    let labels: Vec<String> = tokens
        .iter()
        .take(8)
        .map(|(_, info)| info.label().escape_debug().to_string())
        .collect();
    if labels.is_empty() {
        return "no token is plugged in that has been set up".into();
    }
    format!("none of the tokens there is meant: {}", labels.join(", "))
}
