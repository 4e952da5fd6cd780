//! `pkcs11:` (RFC 7512), and `hsm:` as securesystemslib writes it.

use std::fmt;
use std::path::PathBuf;

use tuffet_core::crypto::Scheme;

use super::text::{self, Refusal};

/// The object that `hsm:` means unless it says so: the signature slot of a PIV card (9c).
const HSM_USUAL: u8 = 2;

/// Which key on which token: every part that is given has to match, and one key has to be left.
///
/// ```
/// use tuffet_sign::{KeyUri, TokenUri};
///
/// let mut token = TokenUri::default();
/// token.token = Some("YubiKey PIV #1".into());
/// token.id = Some(vec![2]);
/// let key = KeyUri::Token { token, scheme: None };
/// assert_eq!(key.to_string(), "pkcs11:token=YubiKey%20PIV%20%231;id=%02");
/// assert_eq!("hsm:2?label=YubiKey+PIV+%231".parse::<KeyUri>().unwrap(), key);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct TokenUri {
    /// The library that talks to the token (`module-path`); none for that of the environment.
    pub module: Option<PathBuf>,
    /// The label of the token.
    pub token: Option<String>,
    /// Who made the token.
    pub manufacturer: Option<String>,
    /// Its model.
    pub model: Option<String>,
    /// Its serial number.
    pub serial: Option<String>,
    /// The label of the key (`CKA_LABEL`).
    pub object: Option<String>,
    /// The identifier of the key (`CKA_ID`).
    pub id: Option<Vec<u8>>,
    /// A file whose first line is the PIN (`pin-source`).
    pub pin_source: Option<PathBuf>,
}

impl TokenUri {
    /// Reads what follows `pkcs11:`.
    pub(super) fn parse(rest: &str) -> Result<(Self, Option<Scheme>), Refusal> {
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        let mut token = Self::default();
        for attribute in path.split(';').filter(|attribute| !attribute.is_empty()) {
            let (name, value) = attribute
                .split_once('=')
                .ok_or("has an attribute without `=`")?;
            token.attribute(name, value)?;
        }
        let mut scheme = None;
        for parameter in text::parameters(query) {
            match parameter? {
                ("scheme", name) => {
                    let name = text::decode_text(name)?;
                    text::set_once(&mut scheme, text::scheme(&name)?, "scheme")?;
                }
                (name, value) => token.parameter(name, value)?,
            }
        }
        Ok((token, scheme))
    }

    fn attribute(&mut self, name: &str, value: &str) -> Result<(), Refusal> {
        let place = match name {
            "token" => &mut self.token,
            "manufacturer" => &mut self.manufacturer,
            "model" => &mut self.model,
            "serial" => &mut self.serial,
            "object" => &mut self.object,
            "id" => {
                let id = text::decode(value)?;
                if id.is_empty() {
                    return Err("has an empty `id`".into());
                }
                return text::set_once(&mut self.id, id, name);
            }
            // Both halves of a pair are looked for, whichever is named.
            "type" if matches!(value, "private" | "public") => return Ok(()),
            "type" => return Err("has a `type` that is neither private nor public".into()),
            "pin-value" => return Err(pin_value()),
            // To ignore one would mean to sign with another key than the one that is meant.
            _ => return Err(format!("has attribute `{name}`, which is not known here")),
        };
        text::set_once(place, text::decode_text(value)?, name)
    }

    fn parameter(&mut self, name: &str, value: &str) -> Result<(), Refusal> {
        match name {
            "module-path" => {
                let path = text::decode_text(value)?;
                if path.is_empty() {
                    return Err("has an empty `module-path`".into());
                }
                text::set_once(&mut self.module, path.into(), name)
            }
            "pin-source" => {
                let source = text::decode_text(value)?;
                if source.starts_with('|') {
                    return Err("has a `pin-source` that is a command; only files are read".into());
                }
                let path = source.strip_prefix("file:").unwrap_or(&source);
                let path = text::local_path(path)?.into();
                text::set_once(&mut self.pin_source, path, name)
            }
            "pin-value" => Err(pin_value()),
            _ => Err(format!("has parameter `{name}`, which is not known here")),
        }
    }

    /// Reads what follows `hsm:`: a number, and fields of the token to choose it by.
    pub(super) fn parse_hsm(rest: &str) -> Result<(Self, Option<Scheme>), Refusal> {
        let (number, query) = rest.split_once('?').unwrap_or((rest, ""));
        let number = match number {
            "" => HSM_USUAL,
            number => number
                .parse()
                .map_err(|_| "has a key that is not a number from 0 to 255")?,
        };
        let mut token = Self {
            id: Some(vec![number]),
            ..Self::default()
        };
        let mut scheme = None;
        for parameter in text::parameters(query) {
            let (name, value) = parameter?;
            let value = text::decode_text(&value.replace('+', " "))?;
            let place = match name {
                "label" => &mut token.token,
                "manufacturerID" => &mut token.manufacturer,
                "model" => &mut token.model,
                "serialNumber" => &mut token.serial,
                "scheme" => {
                    text::set_once(&mut scheme, text::scheme(&value)?, name)?;
                    continue;
                }
                _ => return Err(format!("has parameter `{name}`, which is not known here")),
            };
            text::set_once(place, value, name)?;
        }
        Ok((token, scheme))
    }

    /// Writes the URI.
    pub(super) fn write(&self, f: &mut fmt::Formatter<'_>, scheme: Option<Scheme>) -> fmt::Result {
        let texts = [
            ("token", &self.token),
            ("manufacturer", &self.manufacturer),
            ("model", &self.model),
            ("serial", &self.serial),
            ("object", &self.object),
        ];
        let mut attributes: Vec<String> = texts
            .into_iter()
            .filter_map(|(name, value)| {
                Some(format!(
                    "{name}={}",
                    text::encode(value.as_ref()?.as_bytes(), "")
                ))
            })
            .collect();
        if let Some(id) = &self.id {
            // Identifiers are bytes, and are read as such everywhere when none is written as text.
            let digits: String = id.iter().map(|byte| format!("%{byte:02X}")).collect();
            attributes.push(format!("id={digits}"));
        }
        let path = |path: &PathBuf| text::encode(path.to_string_lossy().as_bytes(), "/:");
        let parameters = [
            self.module
                .as_ref()
                .map(|module| format!("module-path={}", path(module))),
            self.pin_source.as_ref().map(|source| {
                let uri = text::file_uri(&source.to_string_lossy());
                format!("pin-source={}", text::encode(uri.as_bytes(), "/:"))
            }),
            scheme.map(|scheme| format!("scheme={scheme}")),
        ];
        let parameters: Vec<String> = parameters.into_iter().flatten().collect();
        write!(f, "pkcs11:{}", attributes.join(";"))?;
        if parameters.is_empty() {
            return Ok(());
        }
        write!(f, "?{}", parameters.join("&"))
    }
}

fn pin_value() -> Refusal {
    "has a PIN in it: everybody on the machine could read it there; use `pin-source` with a file, or be asked".into()
}
