//! What a token's maker vouches for: that a key was made on the token and cannot leave it, and when it wants PIN and touch.
//!
//! This is the attestation of YubiKeys for their PIV keys: a certificate of the key that the token has signed, and the certificates
//! that lead from the token's own key to its maker.

mod certificate;

use std::fmt;

use tuffet_core::crypto::PublicKey;

use crate::error::SignError;
use certificate::Certificate;

/// A key that a token vouches for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Attestation {
    /// The key.
    pub key: PublicKey,
    /// The serial number of the token.
    pub serial: Option<u64>,
    /// The version of the token's firmware.
    pub firmware: Option<[u8; 3]>,
    /// When the key wants the PIN.
    pub pin: PinPolicy,
    /// When the key wants to be touched.
    pub touch: TouchPolicy,
}

/// When a key wants a PIN.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum PinPolicy {
    /// Never.
    Never,
    /// Once, as long as the token is plugged in.
    Once,
    /// For every signature.
    Always,
    /// The token says something else.
    Other,
}

/// When a key wants to be touched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TouchPolicy {
    /// Never: whoever has the PIN and a way to the token signs.
    Never,
    /// For every signature.
    Always,
    /// For a signature, and those in the next seconds.
    Cached,
    /// The token says something else.
    Other,
}

/// The extensions of attestation, below 1.3.6.1.4.1.41482.3.
mod extension {
    pub(super) const FIRMWARE: &[u8] = &[0x2b, 6, 1, 4, 1, 0x82, 0xc4, 0x0a, 3, 3];
    pub(super) const SERIAL: &[u8] = &[0x2b, 6, 1, 4, 1, 0x82, 0xc4, 0x0a, 3, 7];
    pub(super) const POLICY: &[u8] = &[0x2b, 6, 1, 4, 1, 0x82, 0xc4, 0x0a, 3, 8];
}

impl Attestation {
    /// Verifies that `roots` vouch for a key: `chain` begins with the certificate of the key, and the others are those between.
    /// Both are certificates in PEM, one after the other. The certificate of a single token may be a root, too.
    ///
    /// Dates are not looked at: tokens have no clock, and write fixed ones.
    ///
    /// # Errors
    /// [`SignError::Attestation`] if one of them cannot be read, no way leads to a root, or the token says nothing of PIN and touch.
    ///
    /// ```
    /// let error = tuffet_sign::Attestation::verify("", "").unwrap_err();
    /// assert_eq!(error.code(), "key.attestation");
    /// ```
    pub fn verify(chain: &str, roots: &str) -> Result<Self, SignError> {
        Self::check(chain, roots).map_err(|what| SignError::Attestation { what })
    }

    fn check(chain: &str, roots: &str) -> Result<Self, String> {
        let (chain, roots) = (certificate::read_all(chain)?, certificate::read_all(roots)?);
        let mut between = chain.iter();
        let first = between.next().ok_or("there is no certificate of the key")?;
        if roots.is_empty() {
            return Err("no root is given that is trusted to vouch for tokens".into());
        }
        if !leads_to(first, between.as_slice(), &roots) {
            return Err("the certificates do not lead from the key to a trusted root".into());
        }
        Self::read(first)
    }

    fn read(certificate: &Certificate) -> Result<Self, String> {
        let key = certificate.key.clone();
        let key = key.ok_or("the key is of a kind that signs no metadata")?;
        let policy = certificate.extension(extension::POLICY);
        let policy = policy
            .ok_or("the certificate is not an attestation: it says nothing of PIN and touch")?;
        let (pin, touch) = match policy {
            [pin, touch] => (*pin, *touch),
            _ => return Err("what the certificate says of PIN and touch cannot be read".into()),
        };
        let firmware = certificate.extension(extension::FIRMWARE);
        Ok(Self {
            key,
            serial: certificate.extension(extension::SERIAL).and_then(number),
            firmware: firmware.and_then(|bytes| bytes.try_into().ok()),
            pin: match pin {
                1 => PinPolicy::Never,
                2 => PinPolicy::Once,
                3 => PinPolicy::Always,
                _ => PinPolicy::Other,
            },
            touch: match touch {
                1 => TouchPolicy::Never,
                2 => TouchPolicy::Always,
                3 => TouchPolicy::Cached,
                _ => TouchPolicy::Other,
            },
        })
    }

    /// Whether every signature needs somebody who touches the token, or has just done so.
    #[must_use]
    pub fn wants_touch(&self) -> bool {
        matches!(self.touch, TouchPolicy::Always | TouchPolicy::Cached)
    }
}

/// Whether a way leads from a certificate to a root. Each one on the way is used once, so the way ends.
fn leads_to(first: &Certificate, between: &[Certificate], roots: &[Certificate]) -> bool {
    let mut current = first;
    let mut left: Vec<&Certificate> = between.iter().collect();
    loop {
        if roots.iter().any(|root| current.is_signed_by(root)) {
            return true;
        }
        let next = left.iter().position(|other| {
            // A certificate of a key must not vouch for another key.
            other.is_authority() && other.der != current.der && current.is_signed_by(other)
        });
        match next {
            Some(place) => current = left.swap_remove(place),
            None => return false,
        }
    }
}

/// A small INTEGER in DER.
fn number(der: &[u8]) -> Option<u64> {
    let ([tag, length], digits) = der.split_first_chunk::<2>()?;
    if *tag != 0x02 || usize::from(*length) != digits.len() || digits.len() > 8 {
        return None;
    }
    let value = |sum: u64, digit: &u8| sum.checked_mul(256)?.checked_add(u64::from(*digit));
    digits.iter().try_fold(0, value)
}

impl fmt::Display for Attestation {
    /// `token 28751258, firmware 5.4.3, PIN always, touch never`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("token")?;
        if let Some(serial) = self.serial {
            write!(f, " {serial}")?;
        }
        if let Some([major, minor, patch]) = self.firmware {
            write!(f, ", firmware {major}.{minor}.{patch}")?;
        }
        write!(f, ", PIN {}, touch {}", self.pin, self.touch)
    }
}

impl fmt::Display for PinPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Never => "never",
            Self::Once => "once",
            Self::Always => "always",
            Self::Other => "unknown",
        })
    }
}

impl fmt::Display for TouchPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Never => "never",
            Self::Always => "always",
            Self::Cached => "cached",
            Self::Other => "unknown",
        })
    }
}
