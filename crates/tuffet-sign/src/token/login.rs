//! Logging in: the PIN is asked for once, and a wrong one is never tried again.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use cryptoki::error::{Error, RvError};
use cryptoki::session::{Session, UserType};
use cryptoki::slot::TokenInfo;
use cryptoki::types::AuthPin;
use zeroize::Zeroizing;

use super::failed;
use crate::error::{PinProblem, SignError};
use crate::passphrase::Passphrase;
use crate::secrets::{Secrets, TokenName};
use crate::uri::TokenUri;

/// The longest PIN file that is read, in bytes.
const LONGEST: u64 = 4096;

/// Logs in, unless the token needs no PIN; returns the PIN for those that want it for every signature.
pub(super) fn login(
    session: &Session,
    info: &TokenInfo,
    uri: &TokenUri,
    module: &Path,
    secrets: &dyn Secrets,
) -> Result<Option<AuthPin>, SignError> {
    if !info.login_required() {
        return Ok(None);
    }
    let token = info.label();
    let refused = |what| SignError::Pin {
        token: token.to_owned(),
        what,
    };
    if info.user_pin_locked() {
        return Err(refused(PinProblem::Locked));
    }
    // A token with keys of its own to type the PIN on does not want it from here.
    let pin = if info.protected_authentication_path() {
        None
    } else {
        let pin = match &uri.pin_source {
            Some(path) => read(path)?,
            None => secrets.pin(&TokenName {
                module,
                serial: info.serial_number(),
                label: token,
            }),
        };
        Some(protected(&pin.ok_or(refused(PinProblem::Missing))?))
    };
    match session.login(UserType::User, pin.as_ref()) {
        Ok(()) => Ok(pin),
        // Another key of this token is in use.
        Err(Error::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => Ok(pin),
        Err(error) => Err(problem(error, token)),
    }
}

/// Gives the PIN for the one signature that was begun.
pub(super) fn again(session: &Session, pin: &AuthPin, token: &str) -> Result<(), SignError> {
    session
        .login(UserType::ContextSpecific, Some(pin))
        .map_err(|error| problem(error, token))
}

fn problem(error: Error, token: &str) -> SignError {
    let what = match &error {
        Error::Pkcs11(RvError::PinIncorrect | RvError::PinLenRange | RvError::PinInvalid, _) => {
            PinProblem::Wrong
        }
        Error::Pkcs11(RvError::PinLocked, _) => PinProblem::Locked,
        _ => return failed(error),
    };
    SignError::Pin {
        token: token.to_owned(),
        what,
    }
}

fn protected(pin: &Passphrase) -> AuthPin {
    AuthPin::from(pin.as_str().to_owned())
}

/// The first line of a file.
fn read(path: &Path) -> Result<Option<Passphrase>, SignError> {
    let unavailable = |source| SignError::Unavailable {
        path: path.to_path_buf(),
        source,
    };
    // A buffer that grows leaves copies behind.
    let mut text = Zeroizing::new(String::with_capacity((LONGEST as usize).saturating_mul(2)));
    let file = File::open(path).map_err(unavailable)?;
    file.take(LONGEST.saturating_add(1))
        .read_to_string(&mut text)
        .map_err(unavailable)?;
    if text.len() as u64 > LONGEST {
        let error = io::Error::new(io::ErrorKind::InvalidData, "it is longer than any PIN");
        return Err(unavailable(error));
    }
    Ok(text.lines().next().map(Passphrase::new))
}
