//! Keys on tokens that are reached by PKCS#11: smart cards, security modules, TPMs, SoftHSM.

mod keys;
mod login;
mod mechanism;
mod module;
mod report;

use std::fmt;
use std::sync::{Mutex, PoisonError};

use cryptoki::object::{Attribute, AttributeType, ObjectClass, ObjectHandle};
use cryptoki::session::Session;
use cryptoki::types::AuthPin;
use tuffet_core::crypto::Scheme;

use crate::error::SignError;
use crate::secrets::Secrets;
use crate::signer::{PublicKeyInfo, SigningBackend, usual_scheme};
use crate::uri::TokenUri;
use mechanism::Way;
use module::Module;
pub use report::{PinState, TokenKeyReport, TokenReport, default_module, tokens};

/// A key on a token, with the session in which it signs.
pub(crate) struct TokenKey {
    /// A session is used by one thread at a time.
    session: Mutex<Session>,
    key: ObjectHandle,
    way: Way,
    /// Where the token wants it for every signature.
    pin_each_time: Option<AuthPin>,
    public: PublicKeyInfo,
    token: String,
}

impl TokenKey {
    /// Finds the token and the key, and logs in.
    pub(crate) fn open(
        uri: &TokenUri,
        scheme: Option<Scheme>,
        secrets: &dyn Secrets,
    ) -> Result<Self, SignError> {
        let module = Module::load(uri)?;
        let (slot, info) = module.choose(uri)?;
        let session = module.session(slot)?;
        let pin = login::login(&session, &info, uri, module.path(), secrets)?;
        let place = format!("token {}", info.label());
        let key = find(&session, uri, &place)?;
        let public = keys::public_key(&session, key)?;
        let scheme = scheme.unwrap_or_else(|| usual_scheme(&public));
        let public = PublicKeyInfo::new(scheme, public)?;
        let each_time = session
            .get_attributes(key, &[AttributeType::AlwaysAuthenticate])
            .is_ok_and(|found| found.contains(&Attribute::AlwaysAuthenticate(true)));
        let way = mechanism::way(scheme, &module.mechanisms(slot)?, each_time)?;
        Ok(Self {
            session: Mutex::new(session),
            key,
            way,
            pin_each_time: pin.filter(|_| each_time),
            public,
            token: info.label().to_owned(),
        })
    }
}

impl SigningBackend for TokenKey {
    fn public_key(&self) -> &PublicKeyInfo {
        &self.public
    }

    fn sign_unconfirmed(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        let session = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        let (mechanism, input) = (self.way.mechanism(), self.way.input(message));
        let signature = match &self.pin_each_time {
            None => session.sign(&mechanism, self.key, &input),
            Some(pin) => {
                session.sign_init(&mechanism, self.key).map_err(failed)?;
                login::again(&session, pin, &self.token)?;
                // The PIN goes between the beginning and the data.
                session
                    .sign_update(&input)
                    .and_then(|()| session.sign_final())
            }
        };
        let signature = signature.map_err(failed)?;
        drop(session);
        self.way.output(signature).ok_or(SignError::Failed {
            what: "read the signature of the token",
            scheme: self.public.scheme(),
        })
    }
}

impl fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenKey")
            .field("public", &self.public)
            .finish_non_exhaustive()
    }
}

/// The one private key that fits.
fn find(session: &Session, uri: &TokenUri, place: &str) -> Result<ObjectHandle, SignError> {
    let mut wanted = vec![Attribute::Class(ObjectClass::PRIVATE_KEY)];
    wanted.extend(uri.id.clone().map(Attribute::Id));
    let label = uri.object.as_ref();
    wanted.extend(label.map(|label| Attribute::Label(label.clone().into_bytes())));
    let mut found = session.find_objects(&wanted).map_err(failed)?;
    match (found.pop(), found.len()) {
        (Some(key), 0) => Ok(key),
        (None, _) => Err(SignError::Absent {
            place: place.to_owned(),
            what: keys::listing(session),
        }),
        (Some(_), others) => Err(SignError::Several {
            place: place.to_owned(),
            count: others.saturating_add(1),
        }),
    }
}

fn failed(error: cryptoki::error::Error) -> SignError {
    SignError::Token {
        what: describe(error),
    }
}

/// The names of functions and results say enough; the texts of the standard are paragraphs.
fn describe(error: cryptoki::error::Error) -> String {
    match error {
        cryptoki::error::Error::Pkcs11(result, function) => {
            format!("C_{function:?} ends with {result:?}")
        }
        error => error.to_string(),
    }
}
