//! What both implementations decide the same way, before any arithmetic.

use tuffet_core::crypto::{
    Curve, HashAlgorithm, MlDsaParameters, PublicKey, Scheme, SignatureCheck, Verdict,
};

use crate::ed25519;

/// The algorithms an implementation has to provide. Each says whether the signature is valid.
pub(crate) trait Algorithms {
    /// Ed25519 without the rules of [`ed25519::acceptable`], which are checked before.
    fn ed25519(&self, public: &[u8; 32], message: &[u8], signature: &[u8]) -> bool;

    /// ECDSA with the hash of the curve's size and strict DER signatures.
    fn ecdsa(&self, curve: Curve, point: &[u8], message: &[u8], signature: &[u8]) -> bool;

    /// RSASSA-PSS with salts of the length of the digest, of the greatest length, and of [`OTHER_SALT_LENGTHS`].
    fn rsa_pss(
        &self,
        hash: HashAlgorithm,
        key: RsaKey<'_>,
        message: &[u8],
        signature: &[u8],
    ) -> bool;

    /// RSASSA-PKCS1-v1_5.
    fn rsa_pkcs1v15(
        &self,
        hash: HashAlgorithm,
        key: RsaKey<'_>,
        message: &[u8],
        signature: &[u8],
    ) -> bool;

    /// ML-DSA in pure mode with an empty context.
    fn ml_dsa(
        &self,
        parameters: MlDsaParameters,
        public: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> bool;
}

/// The numbers of an RSA key, big endian.
#[derive(Clone, Copy)]
pub(crate) struct RsaKey<'a> {
    pub(crate) modulus: &'a [u8],
    pub(crate) exponent: &'a [u8],
}

/// Salt lengths in bytes that tools use beside the length of the digest and the greatest one: none, and those of
/// SHA-1 (the default of ASN.1) and of the SHA-2 family whatever the hash of the message.
///
/// aws-lc must be told the length, so the list is what keeps both implementations to the same set.
pub(crate) const OTHER_SALT_LENGTHS: [u16; 6] = [0, 20, 28, 32, 48, 64];

/// Answers a [`SignatureCheck`].
pub(crate) fn verdict(algorithms: &impl Algorithms, check: &SignatureCheck<'_>) -> Verdict {
    let Some((scheme, public)) = check.key.usable() else {
        return Verdict::Unsupported;
    };
    match holds(
        algorithms,
        scheme,
        public,
        check.message,
        &check.signature.bytes,
    ) {
        Some(true) => Verdict::Valid,
        Some(false) => Verdict::Invalid,
        None => Verdict::Unsupported,
    }
}

fn holds(
    algorithms: &impl Algorithms,
    scheme: Scheme,
    public: &PublicKey,
    message: &[u8],
    signature: &[u8],
) -> Option<bool> {
    let valid = match (scheme, public) {
        (Scheme::Ed25519, PublicKey::Ed25519(public)) => {
            ed25519::acceptable(public, signature) && algorithms.ed25519(public, message, signature)
        }
        (
            Scheme::EcdsaP256Sha256 | Scheme::EcdsaP384Sha384 | Scheme::EcdsaP521Sha512,
            PublicKey::Ecdsa { curve, point },
        ) => scheme.curve() == Some(*curve) && algorithms.ecdsa(*curve, point, message, signature),
        (Scheme::RsaPss(hash), PublicKey::Rsa { modulus, exponent }) => {
            algorithms.rsa_pss(hash, RsaKey { modulus, exponent }, message, signature)
        }
        (Scheme::RsaPkcs1v15(hash), PublicKey::Rsa { modulus, exponent }) => {
            algorithms.rsa_pkcs1v15(hash, RsaKey { modulus, exponent }, message, signature)
        }
        (
            Scheme::MlDsa44 | Scheme::MlDsa65 | Scheme::MlDsa87,
            PublicKey::MlDsa { parameters, bytes },
        ) => {
            scheme.ml_dsa_parameters() == Some(*parameters)
                && algorithms.ml_dsa(*parameters, bytes, message, signature)
        }
        _ => return None,
    };
    Some(valid)
}
