//! The interface to anything that can sign.

use tuffet_core::crypto::{
    Curve, HashAlgorithm, Key, KeyIdentity, MetadataKey, MlDsaParameters, PublicKey, Scheme,
    Signature, SignatureCheck, Verdict, signed_message,
};

use crate::error::SignError;

/// One private key, wherever it is kept.
pub trait Signer: Send + Sync {
    /// The public half, as metadata lists it.
    fn public(&self) -> &PublicKeyInfo;

    /// Signs `message` as it is.
    ///
    /// An implementation hands out only signatures that [`PublicKeyInfo::confirm`] accepts.
    ///
    /// # Errors
    /// [`SignError::Failed`] if no signature could be made, [`SignError::Mismatch`] if the one made does not verify,
    /// and whatever keeps the key from being reached.
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError>;

    /// Signs the canonical form of a `signed` object: the message is the one of [`signed_message`].
    ///
    /// # Errors
    /// As [`sign`](Self::sign).
    fn sign_canonical(&self, canonical: &[u8]) -> Result<Vec<u8>, SignError> {
        let crypto = tuffet_crypto::default_provider();
        self.sign(&signed_message(self.public().scheme(), canonical, crypto))
    }
}

impl<S: Signer + ?Sized> Signer for Box<S> {
    fn public(&self) -> &PublicKeyInfo {
        (**self).public()
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        (**self).sign(message)
    }
}

/// Has a key sign a random message that is no metadata, and verifies the signature.
///
/// # Errors
/// As [`Signer::sign`].
///
/// ```
/// use tuffet_core::crypto::Scheme;
/// use tuffet_sign::{FileKey, try_out};
///
/// try_out(&FileKey::generate(Scheme::Ed25519)?)?;
/// # Ok::<(), tuffet_sign::SignError>(())
/// ```
pub fn try_out(signer: &dyn Signer) -> Result<(), SignError> {
    let mut message = [0; 64];
    // Metadata begins with a brace, so nobody can be made to sign any in this way.
    let (text, random) = message.split_at_mut(TRY_OUT.len());
    text.copy_from_slice(TRY_OUT);
    aws_lc_rs::rand::fill(random).map_err(|_| SignError::Failed {
        what: "make a random message",
        scheme: signer.public().scheme(),
    })?;
    let signature = signer.sign(&message)?;
    signer.public().confirm(&message, &signature)
}

const TRY_OUT: &[u8; 32] = b"tuffet tries this signing key:\n\n";

/// The scheme that a key signs with unless told otherwise.
pub(crate) fn usual_scheme(key: &PublicKey) -> Scheme {
    match key {
        PublicKey::Ed25519(_) => Scheme::Ed25519,
        PublicKey::Ecdsa { curve, .. } => match curve {
            Curve::P256 => Scheme::EcdsaP256Sha256,
            Curve::P384 => Scheme::EcdsaP384Sha384,
            Curve::P521 => Scheme::EcdsaP521Sha512,
        },
        PublicKey::Rsa { .. } => Scheme::RsaPss(HashAlgorithm::Sha256),
        PublicKey::MlDsa { parameters, .. } => match parameters {
            MlDsaParameters::MlDsa44 => Scheme::MlDsa44,
            MlDsaParameters::MlDsa65 => Scheme::MlDsa65,
            MlDsaParameters::MlDsa87 => Scheme::MlDsa87,
        },
    }
}

/// The public half of a signing key, with the scheme it is bound to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKeyInfo {
    scheme: Scheme,
    public: PublicKey,
    metadata: MetadataKey,
    key: Key,
}

impl PublicKeyInfo {
    /// Binds a public key to its scheme.
    ///
    /// # Errors
    /// [`SignError::Scheme`] if keys of that kind do not sign with the scheme.
    pub fn new(scheme: Scheme, public: PublicKey) -> Result<Self, SignError> {
        let metadata = public
            .to_metadata(scheme)
            .ok_or(SignError::Scheme { scheme })?;
        let key = Key::parse(
            metadata.keytype,
            metadata.scheme,
            Some(&metadata.public),
            &[],
        );
        Ok(Self {
            scheme,
            public,
            metadata,
            key,
        })
    }

    /// The scheme of every signature.
    #[must_use]
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The public key.
    #[must_use]
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// The value by which a threshold tells keys apart.
    #[must_use]
    pub fn identity(&self) -> KeyIdentity {
        self.public.identity()
    }

    /// The strings that describe the key in metadata.
    #[must_use]
    pub fn metadata(&self) -> &MetadataKey {
        &self.metadata
    }

    /// Verifies a signature of this key over `message`.
    ///
    /// # Errors
    /// [`SignError::Mismatch`] if it is not one.
    pub fn confirm(&self, message: &[u8], signature: &[u8]) -> Result<(), SignError> {
        let signature = Signature {
            keyid: "".into(),
            bytes: signature.to_vec(),
            raw: &[],
        };
        let verdict = tuffet_crypto::default_provider().verify(&SignatureCheck {
            key: &self.key,
            message,
            signature: &signature,
        });
        match verdict {
            Verdict::Valid => Ok(()),
            Verdict::Invalid | Verdict::Unsupported => Err(SignError::Mismatch {
                scheme: self.scheme,
            }),
        }
    }
}
