//! The implementation by aws-lc.

use alloc::boxed::Box;

use aws_lc_rs::digest;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P384_SHA384_ASN1, ECDSA_P521_SHA512_ASN1, ED25519, ML_DSA_44,
    ML_DSA_65, ML_DSA_87, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384,
    RSA_PKCS1_2048_8192_SHA512, RSA_PSS_2048_8192_SHA256, RSA_PSS_2048_8192_SHA384,
    RSA_PSS_2048_8192_SHA512, RsaParameters, RsaPssSaltLength, RsaPublicKeyComponents,
    UnparsedPublicKey, VerificationAlgorithm,
};
use tuffet_core::crypto::{
    Crypto, Curve, Digest, HashAlgorithm, Hasher, MlDsaParameters, SignatureCheck, Verdict,
};

use crate::verify::{self, Algorithms, OTHER_SALT_LENGTHS, RsaKey};

pub(crate) struct AwsLc;

impl Crypto for AwsLc {
    fn digest(&self, algorithm: HashAlgorithm, bytes: &[u8]) -> Digest {
        let name = digest_algorithm(algorithm);
        finished(algorithm, digest::digest(name, bytes))
    }

    fn hasher(&self, algorithm: HashAlgorithm) -> Box<dyn Hasher> {
        Box::new(Running {
            algorithm,
            context: digest::Context::new(digest_algorithm(algorithm)),
        })
    }

    fn verify(&self, check: &SignatureCheck<'_>) -> Verdict {
        verify::verdict(self, check)
    }
}

struct Running {
    algorithm: HashAlgorithm,
    context: digest::Context,
}

impl Hasher for Running {
    fn update(&mut self, bytes: &[u8]) {
        self.context.update(bytes);
    }

    fn finish(self: Box<Self>) -> Digest {
        finished(self.algorithm, self.context.finish())
    }
}

fn digest_algorithm(algorithm: HashAlgorithm) -> &'static digest::Algorithm {
    match algorithm {
        HashAlgorithm::Sha256 => &digest::SHA256,
        HashAlgorithm::Sha384 => &digest::SHA384,
        HashAlgorithm::Sha512 => &digest::SHA512,
    }
}

/// Takes over a digest of the algorithm's length, which aws-lc hands out as a slice.
fn finished(algorithm: HashAlgorithm, value: digest::Digest) -> Digest {
    fn filled<const N: usize>(from: &[u8]) -> [u8; N] {
        let mut bytes = [0; N];
        for (to, from) in bytes.iter_mut().zip(from) {
            *to = *from;
        }
        bytes
    }
    match algorithm {
        HashAlgorithm::Sha256 => Digest::sha256(filled(value.as_ref())),
        HashAlgorithm::Sha384 => Digest::sha384(filled(value.as_ref())),
        HashAlgorithm::Sha512 => Digest::sha512(filled(value.as_ref())),
    }
}

impl Algorithms for AwsLc {
    fn ed25519(&self, public: &[u8; 32], message: &[u8], signature: &[u8]) -> bool {
        verify_raw(&ED25519, public, message, signature)
    }

    fn ecdsa(&self, curve: Curve, point: &[u8], message: &[u8], signature: &[u8]) -> bool {
        let algorithm = match curve {
            Curve::P256 => &ECDSA_P256_SHA256_ASN1,
            Curve::P384 => &ECDSA_P384_SHA384_ASN1,
            Curve::P521 => &ECDSA_P521_SHA512_ASN1,
        };
        verify_raw(algorithm, point, message, signature)
    }

    fn rsa_pss(
        &self,
        hash: HashAlgorithm,
        key: RsaKey<'_>,
        message: &[u8],
        signature: &[u8],
    ) -> bool {
        let by_salt = match hash {
            HashAlgorithm::Sha256 => &PSS_SHA256,
            HashAlgorithm::Sha384 => &PSS_SHA384,
            HashAlgorithm::Sha512 => &PSS_SHA512,
        };
        let digest = digest::digest(digest_algorithm(hash), message);
        by_salt
            .iter()
            .any(|parameters| verify_rsa(parameters, key, &digest, signature))
    }

    fn rsa_pkcs1v15(
        &self,
        hash: HashAlgorithm,
        key: RsaKey<'_>,
        message: &[u8],
        signature: &[u8],
    ) -> bool {
        let parameters = match hash {
            HashAlgorithm::Sha256 => &RSA_PKCS1_2048_8192_SHA256,
            HashAlgorithm::Sha384 => &RSA_PKCS1_2048_8192_SHA384,
            HashAlgorithm::Sha512 => &RSA_PKCS1_2048_8192_SHA512,
        };
        let digest = digest::digest(digest_algorithm(hash), message);
        verify_rsa(parameters, key, &digest, signature)
    }

    fn ml_dsa(
        &self,
        parameters: MlDsaParameters,
        public: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> bool {
        let algorithm = match parameters {
            MlDsaParameters::MlDsa44 => &ML_DSA_44,
            MlDsaParameters::MlDsa65 => &ML_DSA_65,
            MlDsaParameters::MlDsa87 => &ML_DSA_87,
        };
        verify_raw(algorithm, public, message, signature)
    }
}

fn verify_raw(
    algorithm: &'static dyn VerificationAlgorithm,
    public: &[u8],
    message: &[u8],
    signature: &[u8],
) -> bool {
    UnparsedPublicKey::new(algorithm, public)
        .verify(message, signature)
        .is_ok()
}

fn verify_rsa(
    parameters: &'static RsaParameters,
    key: RsaKey<'_>,
    digest: &digest::Digest,
    signature: &[u8],
) -> bool {
    let components = RsaPublicKeyComponents {
        n: key.modulus,
        e: key.exponent,
    };
    components
        .to_parsed_public_key(parameters)
        .is_ok_and(|key| key.verify_digest_sig(digest, signature).is_ok())
}

/// RSASSA-PSS parameters for each salt length, the likely ones first.
type BySalt = [RsaParameters; 2 + OTHER_SALT_LENGTHS.len()];

macro_rules! by_salt {
    ($parameters:expr) => {
        [
            $parameters,
            $parameters.with_pss_salt_length(RsaPssSaltLength::Max),
            $parameters.with_pss_salt_length(RsaPssSaltLength::Custom(OTHER_SALT_LENGTHS[0])),
            $parameters.with_pss_salt_length(RsaPssSaltLength::Custom(OTHER_SALT_LENGTHS[1])),
            $parameters.with_pss_salt_length(RsaPssSaltLength::Custom(OTHER_SALT_LENGTHS[2])),
            $parameters.with_pss_salt_length(RsaPssSaltLength::Custom(OTHER_SALT_LENGTHS[3])),
            $parameters.with_pss_salt_length(RsaPssSaltLength::Custom(OTHER_SALT_LENGTHS[4])),
            $parameters.with_pss_salt_length(RsaPssSaltLength::Custom(OTHER_SALT_LENGTHS[5])),
        ]
    };
}

static PSS_SHA256: BySalt = by_salt!(RSA_PSS_2048_8192_SHA256);
static PSS_SHA384: BySalt = by_salt!(RSA_PSS_2048_8192_SHA384);
static PSS_SHA512: BySalt = by_salt!(RSA_PSS_2048_8192_SHA512);
