//! Private keys in memory.

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::error::{KeyRejected, Unspecified};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{self, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, ECDSA_P521_SHA512_ASN1_SIGNING,
    EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair, ML_DSA_44_SIGNING,
    ML_DSA_65_SIGNING, ML_DSA_87_SIGNING, PqdsaKeyPair, PqdsaSigningAlgorithm, RSA_PKCS1_SHA256,
    RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RSA_PSS_SHA256, RSA_PSS_SHA384, RSA_PSS_SHA512,
    RsaEncoding,
};
use tuffet_core::crypto::{Curve, HashAlgorithm, MlDsaParameters, Scheme};
use zeroize::Zeroizing;

/// What kind of private key a file holds; for RSA the scheme is not part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyForm {
    Ed25519,
    Ecdsa(Curve),
    Rsa,
    MlDsa(MlDsaParameters),
}

impl KeyForm {
    pub(crate) fn of(scheme: Scheme) -> Self {
        match scheme {
            Scheme::Ed25519 => Self::Ed25519,
            Scheme::EcdsaP256Sha256 => Self::Ecdsa(Curve::P256),
            Scheme::EcdsaP384Sha384 => Self::Ecdsa(Curve::P384),
            Scheme::EcdsaP521Sha512 => Self::Ecdsa(Curve::P521),
            Scheme::RsaPss(_) | Scheme::RsaPkcs1v15(_) => Self::Rsa,
            Scheme::MlDsa44 => Self::MlDsa(MlDsaParameters::MlDsa44),
            Scheme::MlDsa65 => Self::MlDsa(MlDsaParameters::MlDsa65),
            Scheme::MlDsa87 => Self::MlDsa(MlDsaParameters::MlDsa87),
        }
    }
}

/// A private key that can sign. The library erases it when it is dropped.
pub(crate) enum PrivateKey {
    Ed25519(Ed25519KeyPair),
    Ecdsa(EcdsaKeyPair),
    Rsa(rsa::KeyPair),
    MlDsa(PqdsaKeyPair),
}

impl PrivateKey {
    /// Makes a new key; RSA keys have 3072 bits.
    pub(crate) fn generate(form: KeyForm) -> Result<Self, Unspecified> {
        Ok(match form {
            KeyForm::Ed25519 => Self::Ed25519(Ed25519KeyPair::generate()?),
            KeyForm::Ecdsa(curve) => Self::Ecdsa(EcdsaKeyPair::generate(ecdsa(curve))?),
            KeyForm::Rsa => Self::Rsa(rsa::KeyPair::generate(KeySize::Rsa3072)?),
            KeyForm::MlDsa(parameters) => Self::MlDsa(PqdsaKeyPair::generate(ml_dsa(parameters))?),
        })
    }

    /// Reads a PKCS#8 document of the given form.
    pub(crate) fn from_pkcs8(form: KeyForm, der: &[u8]) -> Result<Self, KeyRejected> {
        Ok(match form {
            KeyForm::Ed25519 => Self::Ed25519(Ed25519KeyPair::from_pkcs8(der)?),
            KeyForm::Ecdsa(curve) => Self::Ecdsa(EcdsaKeyPair::from_pkcs8(ecdsa(curve), der)?),
            KeyForm::Rsa => Self::Rsa(rsa::KeyPair::from_pkcs8(der)?),
            KeyForm::MlDsa(parameters) => {
                Self::MlDsa(PqdsaKeyPair::from_pkcs8(ml_dsa(parameters), der)?)
            }
        })
    }

    /// Writes a PKCS#8 document of version 1, which other tools read.
    pub(crate) fn to_pkcs8(&self) -> Result<Zeroizing<Vec<u8>>, Unspecified> {
        let document = match self {
            Self::Ed25519(pair) => pair.to_pkcs8v1()?,
            Self::Ecdsa(pair) => pair.to_pkcs8v1()?,
            Self::Rsa(pair) => {
                let der: Pkcs8V1Der<'_> = pair.as_der()?;
                return Ok(Zeroizing::new(der.as_ref().to_vec()));
            }
            Self::MlDsa(pair) => pair.to_pkcs8v1()?,
        };
        Ok(Zeroizing::new(document.as_ref().to_vec()))
    }

    /// The public half as DER SubjectPublicKeyInfo.
    pub(crate) fn public_der(&self) -> Result<Vec<u8>, Unspecified> {
        let der: PublicKeyX509Der<'_> = match self {
            Self::Ed25519(pair) => pair.public_key().as_der()?,
            Self::Ecdsa(pair) => pair.public_key().as_der()?,
            Self::Rsa(pair) => pair.public_key().as_der()?,
            Self::MlDsa(pair) => pair.public_key().as_der()?,
        };
        Ok(der.as_ref().to_vec())
    }

    /// Signs with a scheme of the key's form; another scheme is an error.
    pub(crate) fn sign(&self, scheme: Scheme, message: &[u8]) -> Result<Vec<u8>, Unspecified> {
        match (self, scheme) {
            (Self::Ed25519(pair), Scheme::Ed25519) => Ok(pair.try_sign(message)?.as_ref().to_vec()),
            (
                Self::Ecdsa(pair),
                Scheme::EcdsaP256Sha256 | Scheme::EcdsaP384Sha384 | Scheme::EcdsaP521Sha512,
            ) => Ok(pair.sign(&SystemRandom::new(), message)?.as_ref().to_vec()),
            (Self::Rsa(pair), Scheme::RsaPss(hash)) => sign_rsa(pair, pss(hash), message),
            (Self::Rsa(pair), Scheme::RsaPkcs1v15(hash)) => sign_rsa(pair, pkcs1v15(hash), message),
            (Self::MlDsa(pair), Scheme::MlDsa44 | Scheme::MlDsa65 | Scheme::MlDsa87) => {
                let mut signature = vec![0; pair.algorithm().signature_len()];
                let length = pair.sign(message, &mut signature)?;
                signature.truncate(length);
                Ok(signature)
            }
            _ => Err(Unspecified),
        }
    }
}

fn sign_rsa(
    pair: &rsa::KeyPair,
    encoding: &'static dyn RsaEncoding,
    message: &[u8],
) -> Result<Vec<u8>, Unspecified> {
    let mut signature = vec![0; pair.public_modulus_len()];
    pair.sign(encoding, &SystemRandom::new(), message, &mut signature)?;
    Ok(signature)
}

fn ecdsa(curve: Curve) -> &'static EcdsaSigningAlgorithm {
    match curve {
        Curve::P256 => &ECDSA_P256_SHA256_ASN1_SIGNING,
        Curve::P384 => &ECDSA_P384_SHA384_ASN1_SIGNING,
        Curve::P521 => &ECDSA_P521_SHA512_ASN1_SIGNING,
    }
}

fn ml_dsa(parameters: MlDsaParameters) -> &'static PqdsaSigningAlgorithm {
    match parameters {
        MlDsaParameters::MlDsa44 => &ML_DSA_44_SIGNING,
        MlDsaParameters::MlDsa65 => &ML_DSA_65_SIGNING,
        MlDsaParameters::MlDsa87 => &ML_DSA_87_SIGNING,
    }
}

/// The salt is as long as the digest, which every verifier accepts.
fn pss(hash: HashAlgorithm) -> &'static dyn RsaEncoding {
    match hash {
        HashAlgorithm::Sha256 => &RSA_PSS_SHA256,
        HashAlgorithm::Sha384 => &RSA_PSS_SHA384,
        HashAlgorithm::Sha512 => &RSA_PSS_SHA512,
    }
}

fn pkcs1v15(hash: HashAlgorithm) -> &'static dyn RsaEncoding {
    match hash {
        HashAlgorithm::Sha256 => &RSA_PKCS1_SHA256,
        HashAlgorithm::Sha384 => &RSA_PKCS1_SHA384,
        HashAlgorithm::Sha512 => &RSA_PKCS1_SHA512,
    }
}
