//! Public keys as mathematical values, independent of how a file spells them.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use super::ec;
use super::hex;
use super::key::OpaqueReason;
use super::scheme::{Curve, MlDsaParameters, Scheme};
use super::spki;

/// The shortest RSA modulus accepted, in bits (TUF §4.2.2).
const RSA_SHORTEST: usize = 2048;
/// The longest RSA modulus accepted, in bits: longer ones only make verification slow.
const RSA_LONGEST: usize = 8192;
/// The longest RSA exponent accepted, in bits: the common limit of implementations.
const RSA_EXPONENT_LONGEST: usize = 33;

/// A public key.
///
/// The functions that read keys refuse values of the wrong size. A value built by hand may hold anything: a
/// backend then simply finds no signature valid.
#[derive(Clone, PartialEq, Eq)]
pub enum PublicKey {
    /// An Ed25519 key, as encoded by RFC 8032 §5.1.5.
    Ed25519([u8; 32]),
    /// An ECDSA key.
    Ecdsa {
        /// The curve.
        curve: Curve,
        /// The point in SEC 1 form as it was given, compressed or not.
        point: Box<[u8]>,
    },
    /// An RSA key; both numbers big endian, without leading zero bytes.
    Rsa {
        /// The modulus.
        modulus: Box<[u8]>,
        /// The public exponent.
        exponent: Box<[u8]>,
    },
    /// An ML-DSA key.
    MlDsa {
        /// The parameter set.
        parameters: MlDsaParameters,
        /// The key as encoded by FIPS 204 §7.2.
        bytes: Box<[u8]>,
    },
}

impl PublicKey {
    pub(super) fn new_ed25519(bytes: &[u8]) -> Result<Self, OpaqueReason> {
        bytes
            .try_into()
            .map(Self::Ed25519)
            .map_err(|_| OpaqueReason::Malformed("an ed25519 key has 32 bytes"))
    }

    pub(super) fn new_ecdsa(curve: Curve, point: &[u8]) -> Result<Self, OpaqueReason> {
        if ec::x_coordinate(curve, point).is_none() {
            return Err(OpaqueReason::Malformed(
                "it is not an encoded point of its curve",
            ));
        }
        Ok(Self::Ecdsa {
            curve,
            point: point.into(),
        })
    }

    pub(super) fn new_rsa(modulus: &[u8], exponent: &[u8]) -> Result<Self, OpaqueReason> {
        let modulus = without_leading_zeros(modulus);
        let exponent = without_leading_zeros(exponent);
        let bits = bit_length(modulus);
        if bits < RSA_SHORTEST {
            return Err(OpaqueReason::TooShort { bits });
        }
        if bits > RSA_LONGEST {
            return Err(OpaqueReason::TooLong { bits });
        }
        if !is_odd(modulus) {
            return Err(OpaqueReason::Malformed("its modulus is even"));
        }
        if !is_odd(exponent) || exponent == [1] {
            return Err(OpaqueReason::Malformed("its exponent is even or 1"));
        }
        if bit_length(exponent) > RSA_EXPONENT_LONGEST {
            return Err(OpaqueReason::Malformed(
                "its exponent has more than 33 bits",
            ));
        }
        Ok(Self::Rsa {
            modulus: modulus.into(),
            exponent: exponent.into(),
        })
    }

    pub(super) fn new_ml_dsa(
        parameters: MlDsaParameters,
        bytes: &[u8],
    ) -> Result<Self, OpaqueReason> {
        if bytes.len() != parameters.public_key_length() {
            return Err(OpaqueReason::Malformed(
                "an ml-dsa key of its kind has another length",
            ));
        }
        Ok(Self::MlDsa {
            parameters,
            bytes: bytes.into(),
        })
    }

    /// Reads a DER SubjectPublicKeyInfo of any supported kind.
    ///
    /// # Errors
    /// Says why it is not a usable key: [`OpaqueReason::Malformed`], [`OpaqueReason::TooShort`] or
    /// [`OpaqueReason::TooLong`].
    pub fn from_spki_der(der: &[u8]) -> Result<Self, OpaqueReason> {
        spki::read_spki(der)
    }

    /// Reads a PEM SubjectPublicKeyInfo of any supported kind, or the older `RSA PUBLIC KEY`.
    ///
    /// White space around the block is ignored; other text is refused.
    ///
    /// # Errors
    /// As [`from_spki_der`](Self::from_spki_der).
    pub fn from_pem(pem: &str) -> Result<Self, OpaqueReason> {
        match spki::read_pem(pem)? {
            (spki::LABEL_SPKI, der) => spki::read_spki(&der),
            (spki::LABEL_RSA, der) => spki::read_rsa(&der),
            _ => Err(OpaqueReason::Malformed("its PEM block is not a public key")),
        }
    }

    /// Writes the key as a DER SubjectPublicKeyInfo.
    #[must_use]
    pub fn to_spki_der(&self) -> Vec<u8> {
        spki::write_spki(self)
    }

    /// Writes the key as a PEM SubjectPublicKeyInfo with a final newline.
    ///
    /// ```
    /// use tuffet_core::crypto::PublicKey;
    /// let key = PublicKey::Ed25519([7; 32]);
    /// assert_eq!(PublicKey::from_pem(&key.to_spki_pem()), Ok(key));
    /// ```
    #[must_use]
    pub fn to_spki_pem(&self) -> String {
        spki::write_pem(spki::LABEL_SPKI, &self.to_spki_der())
    }

    /// The DER `RSAPublicKey` (RFC 8017 §A.1.1) of an RSA key, for backends that take that form.
    #[must_use]
    pub fn to_rsa_der(&self) -> Option<Vec<u8>> {
        match self {
            Self::Rsa { modulus, exponent } => Some(spki::write_rsa(modulus, exponent)),
            _ => None,
        }
    }

    /// Whether keys of this kind sign with `scheme`.
    #[must_use]
    pub fn fits(&self, scheme: Scheme) -> bool {
        match self {
            Self::Ed25519(_) => scheme == Scheme::Ed25519,
            Self::Ecdsa { curve, .. } => scheme.curve() == Some(*curve),
            Self::Rsa { .. } => matches!(scheme, Scheme::RsaPss(_) | Scheme::RsaPkcs1v15(_)),
            Self::MlDsa { parameters, .. } => scheme.ml_dsa_parameters() == Some(*parameters),
        }
    }

    /// The strings that describe the key in metadata (TUF §4.2.2): ed25519 as hexadecimal text, others as PEM.
    ///
    /// `None` if the key does not sign with `scheme`.
    ///
    /// ```
    /// use tuffet_core::crypto::{PublicKey, Scheme};
    /// let strings = PublicKey::Ed25519([0xab; 32]).to_metadata(Scheme::Ed25519).unwrap();
    /// assert_eq!((strings.keytype, strings.scheme), ("ed25519", "ed25519"));
    /// assert_eq!(strings.public, "ab".repeat(32));
    /// assert_eq!(PublicKey::Ed25519([0; 32]).to_metadata(Scheme::MlDsa44), None);
    /// ```
    #[must_use]
    pub fn to_metadata(&self, scheme: Scheme) -> Option<MetadataKey> {
        self.fits(scheme).then(|| MetadataKey {
            keytype: scheme.keytype(),
            scheme: scheme.name(),
            public: match self {
                Self::Ed25519(bytes) => hex::encode(bytes),
                Self::Ecdsa { .. } | Self::Rsa { .. } | Self::MlDsa { .. } => self.to_spki_pem(),
            },
        })
    }

    /// The value by which keys are compared.
    #[must_use]
    pub fn identity(&self) -> KeyIdentity {
        let (kind, bytes): (u8, &[u8]) = match self {
            Self::Ed25519(bytes) => {
                let mut y = *bytes;
                if let Some(last) = y.last_mut() {
                    *last &= 0x7f;
                }
                return KeyIdentity::new(0, &y);
            }
            // A point that cannot be split never verifies anything, so it may stand for itself.
            Self::Ecdsa { curve, point } => {
                let x = ec::x_coordinate(*curve, point).unwrap_or(point);
                match curve {
                    Curve::P256 => (1, x),
                    Curve::P384 => (2, x),
                    Curve::P521 => (3, x),
                }
            }
            Self::Rsa { modulus, .. } => (4, without_leading_zeros(modulus)),
            Self::MlDsa { parameters, bytes } => match parameters {
                MlDsaParameters::MlDsa44 => (5, bytes),
                MlDsaParameters::MlDsa65 => (6, bytes),
                MlDsaParameters::MlDsa87 => (7, bytes),
            },
        };
        KeyIdentity::new(kind, bytes)
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, bytes) = match self {
            Self::Ed25519(bytes) => ("Ed25519", bytes.as_slice()),
            Self::Ecdsa { point, .. } => ("Ecdsa", &**point),
            Self::Rsa { modulus, .. } => ("Rsa", &**modulus),
            Self::MlDsa { bytes, .. } => ("MlDsa", &**bytes),
        };
        write!(f, "PublicKey::{name}({})", hex::encode(bytes))
    }
}

/// What makes two keys the same key: equal for equal key material, however it is encoded and whatever its scheme.
///
/// A threshold counts keys, and one key under two keyids is one key (TUF §5.3.4, TAP 12). A key on a curve is
/// identified without the sign of its point, and an RSA key by its modulus alone: whoever holds a private key also holds that
/// of the negated point, and that of any other exponent.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyIdentity(Box<[u8]>);

impl KeyIdentity {
    fn new(kind: u8, bytes: &[u8]) -> Self {
        Self([&[kind], bytes].concat().into())
    }
}

impl fmt::Debug for KeyIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyIdentity({})", hex::encode(&self.0))
    }
}

/// The strings that describe a public key in metadata.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetadataKey {
    /// `keytype`.
    pub keytype: &'static str,
    /// `scheme`.
    pub scheme: &'static str,
    /// `keyval.public`.
    pub public: String,
}

fn without_leading_zeros(mut number: &[u8]) -> &[u8] {
    while let Some((0, rest)) = number.split_first() {
        number = rest;
    }
    number
}

fn is_odd(number: &[u8]) -> bool {
    number.last().is_some_and(|last| last & 1 == 1)
}

/// The length in bits of a number without leading zero bytes.
fn bit_length(number: &[u8]) -> usize {
    let unused = number.first().map_or(0, |first| first.leading_zeros());
    let unused = usize::try_from(unused).unwrap_or(0);
    number.len().saturating_mul(8).saturating_sub(unused)
}
