//! How a token makes the signatures of a scheme: from the message, or from its digest.

use std::borrow::Cow;

use cryptoki::mechanism::eddsa::{EddsaParams, EddsaSignatureScheme};
use cryptoki::mechanism::rsa::{PkcsMgfType, PkcsPssParams};
use cryptoki::mechanism::{Mechanism, MechanismType};
use cryptoki::types::Ulong;
use tuffet_core::crypto::{HashAlgorithm, Scheme};

use crate::der;
use crate::error::SignError;

/// The way a token signs with a scheme.
#[derive(Debug, Clone, Copy)]
pub(super) struct Way {
    scheme: Scheme,
    /// Whether the token computes the digest.
    token_hashes: bool,
}

/// Chooses a way that the token knows. Digests are preferred: every token can sign them, and metadata may be long. Where the
/// message has to come in parts, it is the other way round: mechanisms that hash take parts, others need not.
pub(super) fn way(
    scheme: Scheme,
    known: &[MechanismType],
    in_parts: bool,
) -> Result<Way, SignError> {
    [in_parts, !in_parts]
        .into_iter()
        .map(|token_hashes| Way {
            scheme,
            token_hashes,
        })
        .find(|way| way.kind().is_some_and(|kind| known.contains(&kind)))
        .ok_or(SignError::Scheme { scheme })
}

impl Way {
    /// What the token calls it; `None` if there is no such way.
    fn kind(self) -> Option<MechanismType> {
        use HashAlgorithm::{Sha256, Sha384, Sha512};
        Some(match (self.scheme, self.token_hashes) {
            (Scheme::Ed25519, true) => MechanismType::EDDSA,
            (
                Scheme::EcdsaP256Sha256 | Scheme::EcdsaP384Sha384 | Scheme::EcdsaP521Sha512,
                false,
            ) => MechanismType::ECDSA,
            (Scheme::EcdsaP256Sha256, true) => MechanismType::ECDSA_SHA256,
            (Scheme::EcdsaP384Sha384, true) => MechanismType::ECDSA_SHA384,
            (Scheme::EcdsaP521Sha512, true) => MechanismType::ECDSA_SHA512,
            (Scheme::RsaPkcs1v15(_), false) => MechanismType::RSA_PKCS,
            (Scheme::RsaPkcs1v15(Sha256), true) => MechanismType::SHA256_RSA_PKCS,
            (Scheme::RsaPkcs1v15(Sha384), true) => MechanismType::SHA384_RSA_PKCS,
            (Scheme::RsaPkcs1v15(Sha512), true) => MechanismType::SHA512_RSA_PKCS,
            (Scheme::RsaPss(_), false) => MechanismType::RSA_PKCS_PSS,
            (Scheme::RsaPss(Sha256), true) => MechanismType::SHA256_RSA_PKCS_PSS,
            (Scheme::RsaPss(Sha384), true) => MechanismType::SHA384_RSA_PKCS_PSS,
            (Scheme::RsaPss(Sha512), true) => MechanismType::SHA512_RSA_PKCS_PSS,
            (Scheme::Ed25519, false) | (Scheme::MlDsa44 | Scheme::MlDsa65 | Scheme::MlDsa87, _) => {
                return None;
            }
        })
    }

    /// The same with its parameters.
    pub(super) fn mechanism(self) -> Mechanism<'static> {
        use HashAlgorithm::{Sha256, Sha384, Sha512};
        match (self.scheme, self.token_hashes) {
            (Scheme::EcdsaP256Sha256, true) => Mechanism::EcdsaSha256,
            (Scheme::EcdsaP384Sha384, true) => Mechanism::EcdsaSha384,
            (Scheme::EcdsaP521Sha512, true) => Mechanism::EcdsaSha512,
            (
                Scheme::EcdsaP256Sha256 | Scheme::EcdsaP384Sha384 | Scheme::EcdsaP521Sha512,
                false,
            ) => Mechanism::Ecdsa,
            (Scheme::RsaPkcs1v15(_), false) => Mechanism::RsaPkcs,
            (Scheme::RsaPkcs1v15(Sha256), true) => Mechanism::Sha256RsaPkcs,
            (Scheme::RsaPkcs1v15(Sha384), true) => Mechanism::Sha384RsaPkcs,
            (Scheme::RsaPkcs1v15(Sha512), true) => Mechanism::Sha512RsaPkcs,
            (Scheme::RsaPss(hash), false) => Mechanism::RsaPkcsPss(pss(hash)),
            (Scheme::RsaPss(hash @ Sha256), true) => Mechanism::Sha256RsaPkcsPss(pss(hash)),
            (Scheme::RsaPss(hash @ Sha384), true) => Mechanism::Sha384RsaPkcsPss(pss(hash)),
            (Scheme::RsaPss(hash @ Sha512), true) => Mechanism::Sha512RsaPkcsPss(pss(hash)),
            // No way of ML-DSA is ever chosen.
            (Scheme::Ed25519 | Scheme::MlDsa44 | Scheme::MlDsa65 | Scheme::MlDsa87, _) => {
                Mechanism::Eddsa(EddsaParams::new(EddsaSignatureScheme::Ed25519))
            }
        }
    }

    /// What is given to the token.
    pub(super) fn input(self, message: &[u8]) -> Cow<'_, [u8]> {
        if self.token_hashes {
            return message.into();
        }
        let hash = match self.scheme {
            Scheme::RsaPss(hash) | Scheme::RsaPkcs1v15(hash) => hash,
            Scheme::EcdsaP384Sha384 => HashAlgorithm::Sha384,
            Scheme::EcdsaP521Sha512 => HashAlgorithm::Sha512,
            _ => HashAlgorithm::Sha256,
        };
        let digest = tuffet_crypto::default_provider().digest(hash, message);
        let prefix: &[u8] = match self.scheme {
            Scheme::RsaPkcs1v15(hash) => digest_info(hash),
            _ => &[],
        };
        [prefix, digest.as_bytes()].concat().into()
    }

    /// The signature in the form of metadata; `None` if the token gave none.
    pub(super) fn output(self, signature: Vec<u8>) -> Option<Vec<u8>> {
        if self.scheme.curve().is_some() {
            return der::ecdsa_signature_of_halves(&signature);
        }
        Some(signature)
    }
}

/// The salt is as long as the digest, as everywhere.
fn pss(hash: HashAlgorithm) -> PkcsPssParams {
    let (hash_alg, mgf, length) = match hash {
        HashAlgorithm::Sha256 => (MechanismType::SHA256, PkcsMgfType::MGF1_SHA256, 32),
        HashAlgorithm::Sha384 => (MechanismType::SHA384, PkcsMgfType::MGF1_SHA384, 48),
        HashAlgorithm::Sha512 => (MechanismType::SHA512, PkcsMgfType::MGF1_SHA512, 64),
    };
    PkcsPssParams {
        hash_alg,
        mgf,
        s_len: Ulong::new(length),
    }
}

/// What stands before a digest in PKCS#1 v1.5 (RFC 8017 §9.2, note 1).
fn digest_info(hash: HashAlgorithm) -> &'static [u8] {
    match hash {
        HashAlgorithm::Sha256 => &[
            0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02,
            0x01, 0x05, 0x00, 0x04, 0x20,
        ],
        HashAlgorithm::Sha384 => &[
            0x30, 0x41, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02,
            0x02, 0x05, 0x00, 0x04, 0x30,
        ],
        HashAlgorithm::Sha512 => &[
            0x30, 0x51, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02,
            0x03, 0x05, 0x00, 0x04, 0x40,
        ],
    }
}
