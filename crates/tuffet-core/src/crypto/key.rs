//! Keys as metadata lists them: usable, or kept without being understood.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use super::hex;
use super::public::PublicKey;
use super::scheme::{Curve, Scheme};
use super::spki;

/// A key object of metadata (TUF §4.2.2), without its keyid.
///
/// ```
/// use tuffet_core::crypto::{Key, KeyKind};
///
/// let key = Key::parse("ed25519", "ed25519", Some(&"0a".repeat(32)), b"{}");
/// assert!(matches!(key.kind(), KeyKind::Usable { .. }));
///
/// let key = Key::parse("sigstore-oidc", "Fulcio", None, b"{}");
/// assert_eq!(key.to_string(), "unsupported key sigstore-oidc/Fulcio: unknown keytype");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    keytype: String,
    scheme: String,
    kind: KeyKind,
    legacy: Vec<LegacyKeyForm>,
    raw: Box<[u8]>,
}

/// Whether a key can verify signatures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyKind {
    /// The key can verify.
    Usable {
        /// The scheme the key is bound to.
        scheme: Scheme,
        /// The key itself.
        public: PublicKey,
    },
    /// The key is kept, but never counts.
    Opaque {
        /// What keeps it from being used.
        why: OpaqueReason,
    },
}

/// Why a key cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OpaqueReason {
    /// The keytype is none this version knows.
    UnknownKeytype,
    /// The scheme is none this version knows.
    UnknownScheme,
    /// Both are known, but keys of that type do not sign with that scheme.
    SchemeNotOfKeytype,
    /// `keyval` has no text member `public`.
    NoPublic,
    /// The key is a valid one of another kind or on another curve than its scheme needs.
    PublicNotOfScheme,
    /// The RSA modulus is shorter than 2048 bits (TUF §4.2.2).
    TooShort {
        /// Its length.
        bits: usize,
    },
    /// The RSA modulus is longer than 8192 bits.
    TooLong {
        /// Its length.
        bits: usize,
    },
    /// The key cannot be read; the text says what is wrong with it.
    Malformed(&'static str),
}

/// A spelling of a key that older tools wrote and TUF §4.2.2 does not name. Read, but never written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LegacyKeyForm {
    /// An ECDSA key as hexadecimal point instead of PEM.
    HexPoint,
    /// A keytype that repeats the scheme, such as `ecdsa-sha2-nistp256`.
    KeytypeAlias,
    /// An RSA key as PEM `RSA PUBLIC KEY`.
    RsaPublicKeyPem,
    /// An ed25519 key as PEM instead of hexadecimal text.
    Ed25519Pem,
}

impl Key {
    /// Takes the members of a key object and the object itself as it stands in the file.
    ///
    /// `public` is `keyval.public` if that exists and is text. Never fails: a key that cannot be used is opaque.
    #[must_use]
    pub fn parse(keytype: &str, scheme: &str, public: Option<&str>, raw: &[u8]) -> Self {
        let mut legacy = Vec::new();
        let kind = match usable(keytype, scheme, public, &mut legacy) {
            Ok((scheme, public)) => KeyKind::Usable { scheme, public },
            Err(why) => KeyKind::Opaque { why },
        };
        Self {
            keytype: keytype.into(),
            scheme: scheme.into(),
            kind,
            legacy,
            raw: raw.into(),
        }
    }

    /// What the key is good for.
    #[must_use]
    pub fn kind(&self) -> &KeyKind {
        &self.kind
    }

    /// The scheme and the public key, if the key is usable.
    #[must_use]
    pub fn usable(&self) -> Option<(Scheme, &PublicKey)> {
        match &self.kind {
            KeyKind::Usable { scheme, public } => Some((*scheme, public)),
            KeyKind::Opaque { .. } => None,
        }
    }

    /// The `keytype` string as given.
    #[must_use]
    pub fn keytype(&self) -> &str {
        &self.keytype
    }

    /// The `scheme` string as given.
    #[must_use]
    pub fn scheme(&self) -> &str {
        &self.scheme
    }

    /// The unusual spellings this key uses.
    #[must_use]
    pub fn legacy(&self) -> &[LegacyKeyForm] {
        &self.legacy
    }

    /// The JSON object as it stands in the file.
    #[must_use]
    pub fn raw(&self) -> &[u8] {
        &self.raw
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = Name(&self.keytype, &self.scheme);
        match &self.kind {
            KeyKind::Usable { .. } => write!(f, "key {name}"),
            KeyKind::Opaque {
                why: why @ (OpaqueReason::UnknownKeytype | OpaqueReason::UnknownScheme),
            } => write!(f, "unsupported key {name}: {why}"),
            KeyKind::Opaque { why } => write!(f, "unusable key {name}: {why}"),
        }
    }
}

/// Keytype and scheme for a message: cut and escaped, since whoever wrote the file chose them.
struct Name<'a>(&'a str, &'a str);

impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const LONGEST: usize = 40;
        let part = |text: &str| -> String {
            text.chars()
                .take(LONGEST)
                .flat_map(char::escape_debug)
                .collect()
        };
        write!(f, "{}/{}", part(self.0), part(self.1))
    }
}

impl fmt::Display for OpaqueReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownKeytype => f.write_str("unknown keytype"),
            Self::UnknownScheme => f.write_str("unknown scheme"),
            Self::SchemeNotOfKeytype => f.write_str("the scheme is not one of its keytype"),
            Self::NoPublic => f.write_str("it has no public key text"),
            Self::PublicNotOfScheme => {
                f.write_str("the public key is not of the kind its scheme needs")
            }
            Self::TooShort { bits } => {
                write!(f, "its RSA modulus of {bits} bits is shorter than 2048")
            }
            Self::TooLong { bits } => {
                write!(f, "its RSA modulus of {bits} bits is longer than 8192")
            }
            Self::Malformed(what) => f.write_str(what),
        }
    }
}

impl core::error::Error for OpaqueReason {}

/// The families of keys that keytypes name.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Family {
    Ed25519,
    Ecdsa(Option<Curve>),
    Rsa,
    MlDsa,
}

impl Family {
    fn of_keytype(keytype: &str) -> Option<Self> {
        match keytype {
            "ed25519" => Some(Self::Ed25519),
            "ecdsa" => Some(Self::Ecdsa(None)),
            "ecdsa-sha2-nistp256" => Some(Self::Ecdsa(Some(Curve::P256))),
            "ecdsa-sha2-nistp384" => Some(Self::Ecdsa(Some(Curve::P384))),
            "ecdsa-sha2-nistp521" => Some(Self::Ecdsa(Some(Curve::P521))),
            "rsa" => Some(Self::Rsa),
            "ml-dsa" => Some(Self::MlDsa),
            _ => None,
        }
    }

    fn signs_with(self, scheme: Scheme) -> bool {
        match self {
            Self::Ed25519 => scheme == Scheme::Ed25519,
            Self::Ecdsa(None) => scheme.curve().is_some(),
            Self::Ecdsa(Some(curve)) => scheme.curve() == Some(curve),
            Self::Rsa => matches!(scheme, Scheme::RsaPss(_) | Scheme::RsaPkcs1v15(_)),
            Self::MlDsa => scheme.ml_dsa_parameters().is_some(),
        }
    }
}

fn usable(
    keytype: &str,
    scheme: &str,
    public: Option<&str>,
    legacy: &mut Vec<LegacyKeyForm>,
) -> Result<(Scheme, PublicKey), OpaqueReason> {
    let family = Family::of_keytype(keytype).ok_or(OpaqueReason::UnknownKeytype)?;
    let scheme = Scheme::from_name(scheme).ok_or(OpaqueReason::UnknownScheme)?;
    if !family.signs_with(scheme) {
        return Err(OpaqueReason::SchemeNotOfKeytype);
    }
    if matches!(family, Family::Ecdsa(Some(_))) {
        legacy.push(LegacyKeyForm::KeytypeAlias);
    }
    let public = public.ok_or(OpaqueReason::NoPublic)?;
    let public = if public.trim_ascii_start().starts_with('-') {
        read_pem(public, legacy)?
    } else {
        read_hex(scheme, public, legacy)?
    };
    if !public.fits(scheme) {
        return Err(OpaqueReason::PublicNotOfScheme);
    }
    Ok((scheme, public))
}

fn read_pem(text: &str, legacy: &mut Vec<LegacyKeyForm>) -> Result<PublicKey, OpaqueReason> {
    let public = PublicKey::from_pem(text)?;
    match public {
        PublicKey::Ed25519(_) => legacy.push(LegacyKeyForm::Ed25519Pem),
        PublicKey::Rsa { .. } if text.contains(spki::LABEL_RSA) => {
            legacy.push(LegacyKeyForm::RsaPublicKeyPem);
        }
        _ => {}
    }
    Ok(public)
}

fn read_hex(
    scheme: Scheme,
    text: &str,
    legacy: &mut Vec<LegacyKeyForm>,
) -> Result<PublicKey, OpaqueReason> {
    if scheme == Scheme::Ed25519 {
        return hex::decode_array(text)
            .map(PublicKey::Ed25519)
            .ok_or(OpaqueReason::Malformed(
                "an ed25519 key is 64 hexadecimal digits",
            ));
    }
    let curve = scheme
        .curve()
        .ok_or(OpaqueReason::Malformed("it is not PEM"))?;
    let point =
        hex::decode(text).ok_or(OpaqueReason::Malformed("it is neither PEM nor hexadecimal"))?;
    let public = PublicKey::new_ecdsa(curve, &point)?;
    legacy.push(LegacyKeyForm::HexPoint);
    Ok(public)
}
