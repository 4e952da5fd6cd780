//! Signature schemes: the exact algorithm a key signs with.

use core::fmt;

use super::hash::HashAlgorithm;

/// A signature scheme (TUF §4.2.2), bound to its key by the metadata that lists the key.
///
/// Exhaustive on purpose: a new scheme is one that every backend has to implement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scheme {
    /// Ed25519 (RFC 8032), strict verification.
    Ed25519,
    /// ECDSA on P-256 with SHA-256, DER signatures.
    EcdsaP256Sha256,
    /// ECDSA on P-384 with SHA-384, DER signatures.
    EcdsaP384Sha384,
    /// ECDSA on P-521 with SHA-512, DER signatures.
    EcdsaP521Sha512,
    /// RSASSA-PSS, with MGF1 on the same hash.
    RsaPss(HashAlgorithm),
    /// RSASSA-PKCS1-v1_5.
    RsaPkcs1v15(HashAlgorithm),
    /// ML-DSA-44 (FIPS 204) over the prefixed message of TAP 21, version 1.
    MlDsa44,
    /// ML-DSA-65 (FIPS 204) over the prefixed message of TAP 21, version 1.
    MlDsa65,
    /// ML-DSA-87 (FIPS 204) over the prefixed message of TAP 21, version 1.
    MlDsa87,
}

impl Scheme {
    /// All schemes.
    pub const ALL: [Self; 13] = [
        Self::Ed25519,
        Self::EcdsaP256Sha256,
        Self::EcdsaP384Sha384,
        Self::EcdsaP521Sha512,
        Self::RsaPss(HashAlgorithm::Sha256),
        Self::RsaPss(HashAlgorithm::Sha384),
        Self::RsaPss(HashAlgorithm::Sha512),
        Self::RsaPkcs1v15(HashAlgorithm::Sha256),
        Self::RsaPkcs1v15(HashAlgorithm::Sha384),
        Self::RsaPkcs1v15(HashAlgorithm::Sha512),
        Self::MlDsa44,
        Self::MlDsa65,
        Self::MlDsa87,
    ];

    /// The `scheme` string in metadata.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ed25519 => "ed25519",
            Self::EcdsaP256Sha256 => "ecdsa-sha2-nistp256",
            Self::EcdsaP384Sha384 => "ecdsa-sha2-nistp384",
            Self::EcdsaP521Sha512 => "ecdsa-sha2-nistp521",
            Self::RsaPss(HashAlgorithm::Sha256) => "rsassa-pss-sha256",
            Self::RsaPss(HashAlgorithm::Sha384) => "rsassa-pss-sha384",
            Self::RsaPss(HashAlgorithm::Sha512) => "rsassa-pss-sha512",
            Self::RsaPkcs1v15(HashAlgorithm::Sha256) => "rsa-pkcs1v15-sha256",
            Self::RsaPkcs1v15(HashAlgorithm::Sha384) => "rsa-pkcs1v15-sha384",
            Self::RsaPkcs1v15(HashAlgorithm::Sha512) => "rsa-pkcs1v15-sha512",
            Self::MlDsa44 => "ml-dsa-44/1",
            Self::MlDsa65 => "ml-dsa-65/1",
            Self::MlDsa87 => "ml-dsa-87/1",
        }
    }

    /// The scheme of that exact name, if it is a supported one.
    ///
    /// ```
    /// use tuffet_core::crypto::Scheme;
    /// assert_eq!(Scheme::from_name("ed25519"), Some(Scheme::Ed25519));
    /// assert_eq!(Scheme::from_name("rsassa-pss-sha1"), None);
    /// ```
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scheme| scheme.name() == name)
    }

    /// The `keytype` string this project writes for keys of the scheme.
    #[must_use]
    pub const fn keytype(self) -> &'static str {
        match self {
            Self::Ed25519 => "ed25519",
            Self::EcdsaP256Sha256 | Self::EcdsaP384Sha384 | Self::EcdsaP521Sha512 => "ecdsa",
            Self::RsaPss(_) | Self::RsaPkcs1v15(_) => "rsa",
            Self::MlDsa44 | Self::MlDsa65 | Self::MlDsa87 => "ml-dsa",
        }
    }

    /// The curve of the scheme's keys, for ECDSA.
    #[must_use]
    pub const fn curve(self) -> Option<Curve> {
        match self {
            Self::EcdsaP256Sha256 => Some(Curve::P256),
            Self::EcdsaP384Sha384 => Some(Curve::P384),
            Self::EcdsaP521Sha512 => Some(Curve::P521),
            _ => None,
        }
    }

    /// The parameter set of the scheme's keys, for ML-DSA.
    #[must_use]
    pub const fn ml_dsa_parameters(self) -> Option<MlDsaParameters> {
        match self {
            Self::MlDsa44 => Some(MlDsaParameters::MlDsa44),
            Self::MlDsa65 => Some(MlDsaParameters::MlDsa65),
            Self::MlDsa87 => Some(MlDsaParameters::MlDsa87),
            _ => None,
        }
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// An elliptic curve of the ECDSA schemes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Curve {
    /// NIST P-256.
    P256,
    /// NIST P-384.
    P384,
    /// NIST P-521.
    P521,
}

impl Curve {
    /// The length of a coordinate, or of a scalar, in bytes.
    #[must_use]
    pub const fn coordinate_length(self) -> usize {
        match self {
            Self::P256 => 32,
            Self::P384 => 48,
            Self::P521 => 66,
        }
    }
}

/// A parameter set of ML-DSA (FIPS 204 §4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MlDsaParameters {
    /// ML-DSA-44, security category 2.
    MlDsa44,
    /// ML-DSA-65, security category 3.
    MlDsa65,
    /// ML-DSA-87, security category 5.
    MlDsa87,
}

impl MlDsaParameters {
    /// The length of a public key in bytes.
    #[must_use]
    pub const fn public_key_length(self) -> usize {
        match self {
            Self::MlDsa44 => 1312,
            Self::MlDsa65 => 1952,
            Self::MlDsa87 => 2592,
        }
    }

    /// The length of a signature in bytes.
    #[must_use]
    pub const fn signature_length(self) -> usize {
        match self {
            Self::MlDsa44 => 2420,
            Self::MlDsa65 => 3309,
            Self::MlDsa87 => 4627,
        }
    }
}
