//! The interface to anything that can sign.

use tuffet_core::crypto::{
    Curve, HashAlgorithm, Key, KeyIdentity, MetadataKey, MlDsaParameters, PublicKey, Scheme,
    Signature, SignatureCheck, Verdict, signed_message,
};

use crate::error::SignError;

/// One private key, wherever it is kept, for whoever wants signatures of it.
///
/// Nobody implements this trait: whatever is a [`SigningBackend`] is a signer. So all signatures are verified in one place, once,
/// and no implementation can hand out one that is not:
///
/// ```compile_fail,E0119
/// use tuffet_sign::{ConfirmedSignature, PublicKeyInfo, SignError, Signer, SigningBackend};
///
/// struct Liar(PublicKeyInfo, ConfirmedSignature);
///
/// impl SigningBackend for Liar {
///     fn public_key(&self) -> &PublicKeyInfo {
///         &self.0
///     }
///     fn sign_unconfirmed(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
///         Ok(vec![0; 64])
///     }
/// }
///
/// impl Signer for Liar {
///     fn public(&self) -> &PublicKeyInfo {
///         &self.0
///     }
///     fn sign(&self, message: &[u8]) -> Result<ConfirmedSignature, SignError> {
///         Ok(self.1.clone()) // of another message
///     }
///     fn sign_canonical(&self, canonical: &[u8]) -> Result<ConfirmedSignature, SignError> {
///         Ok(self.1.clone())
///     }
/// }
/// ```
pub trait Signer: SigningBackend {
    /// The public half, as metadata lists it.
    fn public(&self) -> &PublicKeyInfo;

    /// Signs `message` as it is.
    ///
    /// # Errors
    /// [`SignError::Failed`] if no signature could be made, [`SignError::Mismatch`] if the one made does not verify,
    /// and whatever keeps the key from being reached.
    fn sign(&self, message: &[u8]) -> Result<ConfirmedSignature, SignError>;

    /// Signs the canonical form of a `signed` object: the message is the one of [`signed_message`].
    ///
    /// # Errors
    /// As [`sign`](Self::sign).
    fn sign_canonical(&self, canonical: &[u8]) -> Result<ConfirmedSignature, SignError>;
}

/// What can sign with one private key: the part of a [`Signer`] that depends on where the key is kept, and that is not believed.
///
/// ```
/// use tuffet_core::crypto::Scheme;
/// use tuffet_sign::{FileKey, PublicKeyInfo, SignError, Signer, SigningBackend};
///
/// /// Declares a key and signs with another.
/// struct Confused {
///     declared: PublicKeyInfo,
///     used: FileKey,
/// }
///
/// impl SigningBackend for Confused {
///     fn public_key(&self) -> &PublicKeyInfo {
///         &self.declared
///     }
///
///     fn sign_unconfirmed(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
///         self.used.sign_unconfirmed(message)
///     }
/// }
///
/// let confused = Confused {
///     declared: FileKey::generate(Scheme::Ed25519)?.public().clone(),
///     used: FileKey::generate(Scheme::Ed25519)?,
/// };
/// assert_eq!(confused.sign(b"message").unwrap_err().code(), "key.mismatch");
/// # Ok::<(), SignError>(())
/// ```
pub trait SigningBackend: Send + Sync {
    /// The public key that it declares: every signature has to verify against this one.
    fn public_key(&self) -> &PublicKeyInfo;

    /// Makes a signature of `message` as it is, in the form of metadata, which nobody has verified. Use [`Signer::sign`] to get one.
    ///
    /// # Errors
    /// [`SignError::Failed`] if no signature could be made, and whatever keeps the key from being reached.
    fn sign_unconfirmed(&self, message: &[u8]) -> Result<Vec<u8>, SignError>;
}

impl<B: SigningBackend> Signer for B {
    fn public(&self) -> &PublicKeyInfo {
        self.public_key()
    }

    fn sign(&self, message: &[u8]) -> Result<ConfirmedSignature, SignError> {
        let key = self.public_key();
        key.confirm(message, &self.sign_unconfirmed(message)?)
    }

    fn sign_canonical(&self, canonical: &[u8]) -> Result<ConfirmedSignature, SignError> {
        // Asked for once: the message is made for the scheme of the key that confirms.
        let key = self.public_key();
        let crypto = tuffet_crypto::default_provider();
        let message = signed_message(key.scheme(), canonical, crypto);
        key.confirm(&message, &self.sign_unconfirmed(&message)?)
    }
}

impl<B: SigningBackend + ?Sized> SigningBackend for Box<B> {
    fn public_key(&self) -> &PublicKeyInfo {
        (**self).public_key()
    }

    fn sign_unconfirmed(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        (**self).sign_unconfirmed(message)
    }
}

/// A signature that was verified: the bytes, and the public key and scheme by which they are one.
///
/// Only [`PublicKeyInfo::confirm`] makes it, so who has one need not verify it again. The message is not part of it: it is the one
/// that was given to [`Signer::sign`] or to `confirm`.
///
/// ```compile_fail,E0451
/// use tuffet_core::crypto::{PublicKey, Scheme};
/// use tuffet_sign::ConfirmedSignature;
///
/// let made_up = ConfirmedSignature {
///     public: PublicKey::Ed25519([0; 32]),
///     scheme: Scheme::Ed25519,
///     bytes: vec![0; 64],
/// };
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfirmedSignature {
    public: PublicKey,
    scheme: Scheme,
    bytes: Vec<u8>,
}

impl ConfirmedSignature {
    /// The public key that it was verified with.
    #[must_use]
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// The scheme that it was verified with.
    #[must_use]
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The signature in the form of metadata.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The signature alone, of which nothing is known any more.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

/// Has a key sign a random message that is no metadata.
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
    signer.sign(&message).map(drop)
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

    /// Verifies a signature of this key over `message`: the one place where a [`ConfirmedSignature`] is made.
    ///
    /// # Errors
    /// [`SignError::Mismatch`] if it is not one.
    pub fn confirm(
        &self,
        message: &[u8],
        signature: &[u8],
    ) -> Result<ConfirmedSignature, SignError> {
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
            Verdict::Valid => Ok(ConfirmedSignature {
                public: self.public.clone(),
                scheme: self.scheme,
                bytes: signature.bytes,
            }),
            Verdict::Invalid | Verdict::Unsupported => Err(SignError::Mismatch {
                scheme: self.scheme,
            }),
        }
    }
}
