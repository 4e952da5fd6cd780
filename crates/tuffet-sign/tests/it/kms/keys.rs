//! Private keys on the other side: what a service does with them.

use std::sync::OnceLock;

use aws_lc_rs::digest::{self, Digest};
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{self, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, ECDSA_P521_SHA512_ASN1_SIGNING,
    EcdsaKeyPair, Ed25519KeyPair, KeyPair, ML_DSA_44_SIGNING, ML_DSA_65_SIGNING, ML_DSA_87_SIGNING,
    PqdsaKeyPair, RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RSA_PSS_SHA256,
    RSA_PSS_SHA384, RSA_PSS_SHA512, RsaEncoding,
};
use base64ct::{Base64, Encoding};
use tuffet_core::crypto::{HashAlgorithm, PublicKey, Scheme};

pub(crate) enum Pair {
    Ed25519(Ed25519KeyPair),
    Ecdsa(EcdsaKeyPair),
    Rsa(rsa::KeyPair),
    MlDsa(PqdsaKeyPair),
}

/// What a service is given to sign.
pub(crate) enum Input<'a> {
    Message(&'a [u8]),
    Digest(&'a [u8]),
}

impl Pair {
    /// A new key; RSA keys are all the same one, because making them takes long.
    pub(crate) fn new(scheme: Scheme) -> Self {
        let ecdsa = |algorithm| Self::Ecdsa(EcdsaKeyPair::generate(algorithm).unwrap());
        let ml_dsa = |algorithm| Self::MlDsa(PqdsaKeyPair::generate(algorithm).unwrap());
        match scheme {
            Scheme::Ed25519 => Self::Ed25519(Ed25519KeyPair::generate().unwrap()),
            Scheme::EcdsaP256Sha256 => ecdsa(&ECDSA_P256_SHA256_ASN1_SIGNING),
            Scheme::EcdsaP384Sha384 => ecdsa(&ECDSA_P384_SHA384_ASN1_SIGNING),
            Scheme::EcdsaP521Sha512 => ecdsa(&ECDSA_P521_SHA512_ASN1_SIGNING),
            Scheme::RsaPss(_) | Scheme::RsaPkcs1v15(_) => {
                Self::Rsa(rsa::KeyPair::from_pkcs8(rsa_pkcs8()).unwrap())
            }
            Scheme::MlDsa44 => ml_dsa(&ML_DSA_44_SIGNING),
            Scheme::MlDsa65 => ml_dsa(&ML_DSA_65_SIGNING),
            Scheme::MlDsa87 => ml_dsa(&ML_DSA_87_SIGNING),
        }
    }

    pub(crate) fn public(&self) -> PublicKey {
        let der: PublicKeyX509Der<'_> = match self {
            Self::Ed25519(pair) => pair.public_key().as_der().unwrap(),
            Self::Ecdsa(pair) => pair.public_key().as_der().unwrap(),
            Self::Rsa(pair) => pair.public_key().as_der().unwrap(),
            Self::MlDsa(pair) => pair.public_key().as_der().unwrap(),
        };
        PublicKey::from_spki_der(der.as_ref()).unwrap()
    }

    /// Signs as a service does; `None` if this kind of key does not sign such an input.
    pub(crate) fn sign(&self, scheme: Scheme, input: &Input<'_>) -> Option<Vec<u8>> {
        match (self, input) {
            (Self::Ed25519(pair), Input::Message(message)) => {
                Some(pair.sign(message).as_ref().to_vec())
            }
            (Self::MlDsa(pair), Input::Message(message)) => {
                let mut signature = vec![0; pair.algorithm().signature_len()];
                pair.sign(message, &mut signature).unwrap();
                Some(signature)
            }
            (Self::Ed25519(_) | Self::MlDsa(_), Input::Digest(_)) => None,
            (Self::Ecdsa(pair), input) => {
                let digest = digest_of(scheme, input)?;
                Some(pair.sign_digest(&digest).ok()?.as_ref().to_vec())
            }
            (Self::Rsa(pair), input) => {
                let digest = digest_of(scheme, input)?;
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign_digest(encoding(scheme)?, &digest, &mut signature)
                    .ok()?;
                Some(signature)
            }
        }
    }
}

/// A key file of a service account.
pub(crate) fn rsa_pem() -> String {
    let body = Base64::encode_string(rsa_pkcs8());
    format!(
        "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
        lines(&body)
    )
}

fn lines(text: &str) -> String {
    let lines: Vec<&str> = text
        .as_bytes()
        .chunks(64)
        .map(|line| std::str::from_utf8(line).unwrap())
        .collect();
    lines.join("\n")
}

fn rsa_pkcs8() -> &'static [u8] {
    static KEY: OnceLock<Vec<u8>> = OnceLock::new();
    KEY.get_or_init(|| {
        let pair = rsa::KeyPair::generate(KeySize::Rsa2048).unwrap();
        let der: Pkcs8V1Der<'_> = pair.as_der().unwrap();
        der.as_ref().to_vec()
    })
}

pub(crate) fn hash_of(scheme: Scheme) -> Option<HashAlgorithm> {
    match scheme {
        Scheme::EcdsaP256Sha256 => Some(HashAlgorithm::Sha256),
        Scheme::EcdsaP384Sha384 => Some(HashAlgorithm::Sha384),
        Scheme::EcdsaP521Sha512 => Some(HashAlgorithm::Sha512),
        Scheme::RsaPss(hash) | Scheme::RsaPkcs1v15(hash) => Some(hash),
        _ => None,
    }
}

fn digest_of(scheme: Scheme, input: &Input<'_>) -> Option<Digest> {
    let algorithm = match hash_of(scheme)? {
        HashAlgorithm::Sha256 => &digest::SHA256,
        HashAlgorithm::Sha384 => &digest::SHA384,
        HashAlgorithm::Sha512 => &digest::SHA512,
    };
    match input {
        Input::Message(message) => Some(digest::digest(algorithm, message)),
        Input::Digest(bytes) => Digest::import_less_safe(bytes, algorithm).ok(),
    }
}

fn encoding(scheme: Scheme) -> Option<&'static dyn RsaEncoding> {
    use HashAlgorithm::{Sha256, Sha384, Sha512};
    Some(match scheme {
        Scheme::RsaPss(Sha256) => &RSA_PSS_SHA256,
        Scheme::RsaPss(Sha384) => &RSA_PSS_SHA384,
        Scheme::RsaPss(Sha512) => &RSA_PSS_SHA512,
        Scheme::RsaPkcs1v15(Sha256) => &RSA_PKCS1_SHA256,
        Scheme::RsaPkcs1v15(Sha384) => &RSA_PKCS1_SHA384,
        Scheme::RsaPkcs1v15(Sha512) => &RSA_PKCS1_SHA512,
        _ => return None,
    })
}

/// Whether the key of `rsa_pem` signed that: such signatures are the same each time.
pub(crate) fn verify_rs256(message: &[u8], signature: &[u8]) -> bool {
    let pair = rsa::KeyPair::from_pkcs8(rsa_pkcs8()).unwrap();
    let mut expected = vec![0; pair.public_modulus_len()];
    pair.sign(
        &RSA_PKCS1_SHA256,
        &SystemRandom::new(),
        message,
        &mut expected,
    )
    .unwrap();
    expected == signature
}
