//! The messages of the ssh-agent protocol (draft-ietf-sshm-ssh-agent), as far as they are needed: list, sign.
//!
//! A message is its length in four bytes, one byte that says what it is, and its content. Everything in it that has a length is
//! a length in four bytes and as many bytes. What an agent sends is not trusted: every length is checked against what is there.

use tuffet_core::crypto::{Curve, HashAlgorithm, PublicKey, Scheme};

use super::Identity;
use crate::der;

/// The longest message that is sent or read, in bytes: agents do not take longer ones either.
pub(super) const LONGEST: usize = 256 * 1024;

const FAILURE: u8 = 5;
const REQUEST_IDENTITIES: u8 = 11;
const IDENTITIES_ANSWER: u8 = 12;
const SIGN_REQUEST: u8 = 13;
const SIGN_RESPONSE: u8 = 14;

/// Flags of a sign request: which hash an RSA key is to use.
const RSA_SHA2_256: u32 = 2;
const RSA_SHA2_512: u32 = 4;

/// The request for the list of identities, with its length.
pub(super) fn identities_request() -> Vec<u8> {
    framed(&[REQUEST_IDENTITIES]).unwrap_or_default()
}

/// The request for a signature, with its length; `None` if it is too long for an agent or the scheme is none of SSH.
pub(super) fn sign_request(blob: &[u8], message: &[u8], scheme: Scheme) -> Option<Vec<u8>> {
    let flags = match scheme {
        Scheme::RsaPkcs1v15(HashAlgorithm::Sha256) => RSA_SHA2_256,
        Scheme::RsaPkcs1v15(HashAlgorithm::Sha512) => RSA_SHA2_512,
        scheme if format_of(scheme).is_some() => 0,
        _ => return None,
    };
    let mut content = vec![SIGN_REQUEST];
    for part in [blob, message] {
        content.extend(u32::try_from(part.len()).ok()?.to_be_bytes());
        content.extend(part);
    }
    content.extend(flags.to_be_bytes());
    framed(&content)
}

fn framed(content: &[u8]) -> Option<Vec<u8>> {
    if content.len() > LONGEST {
        return None;
    }
    let length = u32::try_from(content.len()).ok()?;
    Some([&length.to_be_bytes(), content].concat())
}

/// Reads the answer to a request for identities; keys that are of no use here have no `key`.
pub(super) fn identities(answer: &[u8]) -> Result<Vec<Identity>, &'static str> {
    let mut reader = expect(answer, IDENTITIES_ANSWER)?;
    let count = reader.number()?;
    let mut identities = Vec::new();
    for _ in 0..count {
        let blob = reader.string()?;
        let comment = String::from_utf8_lossy(reader.string()?).into_owned();
        identities.push(Identity {
            key: public_key(blob),
            comment,
            blob: blob.to_vec(),
        });
    }
    reader.end()?;
    Ok(identities)
}

/// Reads the answer to a request for a signature: the signature in the form of metadata.
pub(super) fn signature(
    answer: &[u8],
    scheme: Scheme,
    key: &PublicKey,
) -> Result<Vec<u8>, &'static str> {
    let mut reader = expect(answer, SIGN_RESPONSE)?;
    let mut parts = Reader(reader.string()?);
    reader.end()?;
    let format = parts.string()?;
    if Some(format) != format_of(scheme).map(str::as_bytes) {
        return Err("signs with another algorithm than the one asked for");
    }
    let bytes = parts.string()?;
    parts.end()?;
    match key {
        PublicKey::Ecdsa { .. } => {
            let mut numbers = Reader(bytes);
            let (r, s) = (numbers.string()?, numbers.string()?);
            numbers.end()?;
            der::ecdsa_signature(r, s).ok_or("sends a signature that is none")
        }
        // Some agents leave zeros at the beginning out.
        PublicKey::Rsa { modulus, .. } => {
            let missing = modulus.len().checked_sub(bytes.len());
            let missing = missing.ok_or("sends a signature that is longer than its key")?;
            Ok([&vec![0; missing], bytes].concat())
        }
        _ => Ok(bytes.to_vec()),
    }
}

/// How SSH calls the signatures of a scheme, if it has them.
fn format_of(scheme: Scheme) -> Option<&'static str> {
    Some(match scheme {
        Scheme::Ed25519 => "ssh-ed25519",
        Scheme::EcdsaP256Sha256 => "ecdsa-sha2-nistp256",
        Scheme::EcdsaP384Sha384 => "ecdsa-sha2-nistp384",
        Scheme::EcdsaP521Sha512 => "ecdsa-sha2-nistp521",
        Scheme::RsaPkcs1v15(HashAlgorithm::Sha256) => "rsa-sha2-256",
        Scheme::RsaPkcs1v15(HashAlgorithm::Sha512) => "rsa-sha2-512",
        _ => return None,
    })
}

/// The content of an answer of that kind.
fn expect(answer: &[u8], kind: u8) -> Result<Reader<'_>, &'static str> {
    match answer.split_first() {
        Some((first, content)) if *first == kind => Ok(Reader(content)),
        Some((&FAILURE, _)) => Err("refuses"),
        _ => Err("sends another answer than the one asked for"),
    }
}

/// The key in a blob; `None` for kinds that are of no use here: certificates, security keys, DSA, RSA keys too short.
fn public_key(blob: &[u8]) -> Option<PublicKey> {
    read_public_key(blob).ok().flatten()
}

fn read_public_key(blob: &[u8]) -> Result<Option<PublicKey>, &'static str> {
    let mut reader = Reader(blob);
    let kind = reader.string()?;
    let curve = match kind {
        b"ecdsa-sha2-nistp256" => Some((Curve::P256, b"nistp256")),
        b"ecdsa-sha2-nistp384" => Some((Curve::P384, b"nistp384")),
        b"ecdsa-sha2-nistp521" => Some((Curve::P521, b"nistp521")),
        _ => None,
    };
    let key = match (kind, curve) {
        (b"ssh-ed25519", _) => reader.string()?.try_into().map(PublicKey::Ed25519).ok(),
        (b"ssh-rsa", _) => {
            let (exponent, modulus) = (reader.string()?, reader.string()?);
            Some(PublicKey::Rsa {
                modulus: modulus.into(),
                exponent: exponent.into(),
            })
        }
        (_, Some((curve, name))) => (reader.string()? == name).then_some(PublicKey::Ecdsa {
            curve,
            point: reader.string()?.into(),
        }),
        _ => return Ok(None),
    };
    reader.end()?;
    Ok(key.and_then(|key| der::checked(&key).ok()))
}

/// What is left to be read.
struct Reader<'a>(&'a [u8]);

const SHORT: &str = "sends an answer that ends too early";

impl<'a> Reader<'a> {
    fn number(&mut self) -> Result<u32, &'static str> {
        let (bytes, rest) = self.0.split_first_chunk::<4>().ok_or(SHORT)?;
        self.0 = rest;
        Ok(u32::from_be_bytes(*bytes))
    }

    fn string(&mut self) -> Result<&'a [u8], &'static str> {
        let length = usize::try_from(self.number()?).map_err(|_| SHORT)?;
        let (bytes, rest) = self.0.split_at_checked(length).ok_or(SHORT)?;
        self.0 = rest;
        Ok(bytes)
    }

    fn end(&self) -> Result<(), &'static str> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err("sends an answer with more in it than there should be")
        }
    }
}

#[cfg(test)]
mod tests;
