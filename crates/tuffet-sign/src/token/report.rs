//! What tokens say of themselves, for `tuffet key doctor`.

use std::path::{Path, PathBuf};

use cryptoki::object::{Attribute, AttributeType, ObjectClass};
use cryptoki::slot::{Slot, TokenInfo};
use tuffet_core::crypto::{PublicKey, Scheme};

use super::keys;
use super::module::{self, Module};
use crate::error::SignError;
use crate::signer::usual_scheme;

/// A token and the state it is in.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TokenReport {
    /// Its label; empty as long as nobody has set it up.
    pub label: String,
    /// Who made it.
    pub manufacturer: String,
    /// Its model.
    pub model: String,
    /// Its serial number.
    pub serial: String,
    /// Whether it has been set up.
    pub initialized: bool,
    /// How the PIN of its user is.
    pub pin: PinState,
    /// Whether it wants a PIN at all.
    pub wants_pin: bool,
    /// Whether the PIN is typed on the token itself, or on its reader.
    pub own_keypad: bool,
    /// Whether it asks for its PIN to be changed.
    pub pin_to_be_changed: bool,
    /// The time of its clock, if it has one: `2027-01-31T12:00:00Z`.
    pub clock: Option<String>,
    /// The keys that it shows before anybody has logged in.
    pub keys: Vec<TokenKeyReport>,
}

/// How the PIN of a token's user is. Tokens do not say how many tries are left, but when they become few.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum PinState {
    /// Nothing is wrong with it.
    Good,
    /// A wrong PIN was given since the last right one.
    Low,
    /// The next wrong PIN locks the token.
    LastTry,
    /// It is locked.
    Locked,
    /// It was never set.
    NotSet,
}

/// A key that a token shows.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TokenKeyReport {
    /// What it is called.
    pub label: String,
    /// Its identifier, in hexadecimal digits.
    pub id: String,
    /// The key; `None` if it is of a kind that signs no metadata.
    pub key: Option<PublicKey>,
    /// Whether the PIN is wanted for every signature; `None` if the token does not say so before somebody logs in.
    pub pin_each_time: Option<bool>,
}

impl TokenKeyReport {
    /// The scheme that it signs with unless told otherwise; `None` for kinds that sign no metadata.
    #[must_use]
    pub fn scheme(&self) -> Option<Scheme> {
        self.key.as_ref().map(usual_scheme)
    }
}

/// The PKCS#11 library that the environment names: `TUFFET_PKCS11_MODULE`, or `PYKCS11LIB`.
#[must_use]
pub fn default_module() -> Option<PathBuf> {
    module::of_environment()
}

/// Asks a PKCS#11 library for its tokens. Nobody logs in.
///
/// # Errors
/// [`SignError::Token`] if the library cannot be used.
pub fn tokens(module: &Path) -> Result<Vec<TokenReport>, SignError> {
    let module = Module::at(module)?;
    let slots = module.slots()?;
    Ok(slots
        .into_iter()
        .map(|(slot, info)| report(&module, slot, &info))
        .collect())
}

fn report(module: &Module, slot: Slot, info: &TokenInfo) -> TokenReport {
    let text = |text: &str| text.trim().to_owned();
    TokenReport {
        label: text(info.label()),
        manufacturer: text(info.manufacturer_id()),
        model: text(info.model()),
        serial: text(info.serial_number()),
        initialized: info.token_initialized(),
        pin: pin_state(info),
        wants_pin: info.login_required(),
        own_keypad: info.protected_authentication_path(),
        pin_to_be_changed: info.user_pin_to_be_changed(),
        clock: info.utc_time().map(|time| time.as_iso8601_string()),
        keys: visible_keys(module, slot).unwrap_or_default(),
    }
}

fn pin_state(info: &TokenInfo) -> PinState {
    if !info.user_pin_initialized() {
        PinState::NotSet
    } else if info.user_pin_locked() {
        PinState::Locked
    } else if info.user_pin_final_try() {
        PinState::LastTry
    } else if info.user_pin_count_low() {
        PinState::Low
    } else {
        PinState::Good
    }
}

fn visible_keys(module: &Module, slot: Slot) -> Option<Vec<TokenKeyReport>> {
    let session = module.session(slot).ok()?;
    let of = |class| {
        session
            .find_objects(&[Attribute::Class(class)])
            .unwrap_or_default()
    };
    let private: Vec<(String, Option<bool>)> = of(ObjectClass::PRIVATE_KEY)
        .into_iter()
        .map(|object| {
            let wanted = [AttributeType::AlwaysAuthenticate];
            let found = session.get_attributes(object, &wanted).ok();
            let each_time = found.and_then(|found| match found.first() {
                Some(Attribute::AlwaysAuthenticate(always)) => Some(*always),
                _ => None,
            });
            (keys::names(&session, object).1, each_time)
        })
        .collect();
    let public = of(ObjectClass::PUBLIC_KEY).into_iter().map(|object| {
        let (label, id) = keys::names(&session, object);
        let pin_each_time = private.iter().find(|(other, _)| *other == id);
        TokenKeyReport {
            pin_each_time: pin_each_time.and_then(|(_, each_time)| *each_time),
            key: keys::read(&session, object),
            label,
            id,
        }
    });
    Some(public.collect())
}
