//! The implementation in Rust alone, from the RustCrypto and dalek crates.

use alloc::boxed::Box;

use ml_dsa::{EncodedVerifyingKey, MlDsa44, MlDsa65, MlDsa87, MlDsaParams, VerifyingKey};
use rsa::signature::Verifier;
use rsa::signature::hazmat::PrehashVerifier;
use rsa::{BoxedUint, PublicKey};
use sha2::digest::{FixedOutputReset, const_oid::AssociatedOid};
use sha2::{Sha256, Sha384, Sha512};
use tuffet_core::crypto::{
    Crypto, Curve, Digest, HashAlgorithm, Hasher, MlDsaParameters, SignatureCheck, Verdict,
};

use crate::verify::{self, Algorithms, OTHER_SALT_LENGTHS, RsaKey};

pub(crate) struct Pure;

impl Crypto for Pure {
    fn digest(&self, algorithm: HashAlgorithm, bytes: &[u8]) -> Digest {
        let mut running = Running::new(algorithm);
        running.update(bytes);
        running.finish()
    }

    fn hasher(&self, algorithm: HashAlgorithm) -> Box<dyn Hasher> {
        Box::new(Running::new(algorithm))
    }

    fn verify(&self, check: &SignatureCheck<'_>) -> Verdict {
        verify::verdict(self, check)
    }
}

enum Running {
    Sha256(Sha256),
    Sha384(Sha384),
    Sha512(Sha512),
}

impl Running {
    fn new(algorithm: HashAlgorithm) -> Self {
        match algorithm {
            HashAlgorithm::Sha256 => Self::Sha256(Sha256::default()),
            HashAlgorithm::Sha384 => Self::Sha384(Sha384::default()),
            HashAlgorithm::Sha512 => Self::Sha512(Sha512::default()),
        }
    }

    fn finish(self) -> Digest {
        use sha2::Digest as _;
        match self {
            Self::Sha256(state) => Digest::sha256(state.finalize().into()),
            Self::Sha384(state) => Digest::sha384(state.finalize().into()),
            Self::Sha512(state) => Digest::sha512(state.finalize().into()),
        }
    }
}

impl Hasher for Running {
    fn update(&mut self, bytes: &[u8]) {
        use sha2::Digest as _;
        match self {
            Self::Sha256(state) => state.update(bytes),
            Self::Sha384(state) => state.update(bytes),
            Self::Sha512(state) => state.update(bytes),
        }
    }

    fn finish(self: Box<Self>) -> Digest {
        Self::finish(*self)
    }
}

impl Algorithms for Pure {
    fn ed25519(&self, public: &[u8; 32], message: &[u8], signature: &[u8]) -> bool {
        let Ok(signature) = ed25519_dalek::Signature::from_slice(signature) else {
            return false;
        };
        ed25519_dalek::VerifyingKey::from_bytes(public)
            .is_ok_and(|key| key.verify_strict(message, &signature).is_ok())
    }

    fn ecdsa(&self, curve: Curve, point: &[u8], message: &[u8], signature: &[u8]) -> bool {
        macro_rules! verify_on {
            ($curve:ident) => {{
                let Ok(signature) = $curve::ecdsa::DerSignature::from_bytes(signature) else {
                    return false;
                };
                $curve::ecdsa::VerifyingKey::from_sec1_bytes(point)
                    .is_ok_and(|key| key.verify(message, &signature).is_ok())
            }};
        }
        match curve {
            Curve::P256 => verify_on!(p256),
            Curve::P384 => verify_on!(p384),
            Curve::P521 => verify_on!(p521),
        }
    }

    fn rsa_pss(
        &self,
        hash: HashAlgorithm,
        key: RsaKey<'_>,
        message: &[u8],
        signature: &[u8],
    ) -> bool {
        match hash {
            HashAlgorithm::Sha256 => rsa_pss::<Sha256>(key, message, signature),
            HashAlgorithm::Sha384 => rsa_pss::<Sha384>(key, message, signature),
            HashAlgorithm::Sha512 => rsa_pss::<Sha512>(key, message, signature),
        }
    }

    fn rsa_pkcs1v15(
        &self,
        hash: HashAlgorithm,
        key: RsaKey<'_>,
        message: &[u8],
        signature: &[u8],
    ) -> bool {
        match hash {
            HashAlgorithm::Sha256 => rsa_pkcs1v15::<Sha256>(key, message, signature),
            HashAlgorithm::Sha384 => rsa_pkcs1v15::<Sha384>(key, message, signature),
            HashAlgorithm::Sha512 => rsa_pkcs1v15::<Sha512>(key, message, signature),
        }
    }

    fn ml_dsa(
        &self,
        parameters: MlDsaParameters,
        public: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> bool {
        match parameters {
            MlDsaParameters::MlDsa44 => ml_dsa::<MlDsa44>(public, message, signature),
            MlDsaParameters::MlDsa65 => ml_dsa::<MlDsa65>(public, message, signature),
            MlDsaParameters::MlDsa87 => ml_dsa::<MlDsa87>(public, message, signature),
        }
    }
}

fn rsa_key(key: RsaKey<'_>) -> Option<PublicKey> {
    // The sizes aws-lc accepts.
    const SIZES: core::ops::RangeInclusive<usize> = 2048..=8192;
    let number = |bytes: &[u8]| BoxedUint::from_be_slice_vartime(bytes);
    if key.modulus.len() > *SIZES.end() {
        return None;
    }
    PublicKey::new_with_size_limits(number(key.modulus), number(key.exponent), SIZES).ok()
}

fn rsa_pss<D: sha2::Digest + FixedOutputReset>(
    key: RsaKey<'_>,
    message: &[u8],
    signature: &[u8],
) -> bool {
    let (Some(public), Ok(signature)) = (rsa_key(key), rsa::pss::Signature::try_from(signature))
    else {
        return false;
    };
    let digest = D::digest(message);
    let length = digest.len();
    let others = OTHER_SALT_LENGTHS.into_iter().map(usize::from);
    core::iter::once(length)
        .chain(greatest_salt(&public, length))
        .chain(others)
        .any(|salt| {
            rsa::pss::VerifyingKey::<D>::new_with_salt_len(public.clone(), salt)
                .verify_prehash(&digest, &signature)
                .is_ok()
        })
}

/// The greatest salt length that RFC 8017 §9.1.1 leaves room for.
fn greatest_salt(key: &PublicKey, digest: usize) -> Option<usize> {
    use rsa::traits::PublicKeyParts;
    let bits = usize::try_from(key.n().bit_width()).ok()?;
    bits.checked_sub(1)?
        .div_ceil(8)
        .checked_sub(digest)?
        .checked_sub(2)
}

fn rsa_pkcs1v15<D: sha2::Digest + AssociatedOid>(
    key: RsaKey<'_>,
    message: &[u8],
    signature: &[u8],
) -> bool {
    let (Some(public), Ok(signature)) =
        (rsa_key(key), rsa::pkcs1v15::Signature::try_from(signature))
    else {
        return false;
    };
    rsa::pkcs1v15::VerifyingKey::<D>::new(public)
        .verify(message, &signature)
        .is_ok()
}

fn ml_dsa<P: MlDsaParams>(public: &[u8], message: &[u8], signature: &[u8]) -> bool {
    let (Ok(public), Ok(signature)) = (
        EncodedVerifyingKey::<P>::try_from(public),
        ml_dsa::Signature::<P>::try_from(signature),
    ) else {
        return false;
    };
    VerifyingKey::<P>::decode(&public)
        .verify(message, &signature)
        .is_ok()
}
