//! Signatures that have just been made and confirmed, for whoever comes across the same ones again in the same command.

use std::collections::HashMap;

use tuffet_core::crypto::{
    Crypto, Digest, HashAlgorithm, Hasher, PublicKey, Scheme, SignatureCheck, Verdict,
};

use crate::document::Document;

/// An implementation of the algorithms that recalls good signatures: of the same bytes, by the same key, over the same message. All
/// others it has verified. A publication signs tens of thousands of bins, and then has the core look at every one of them.
pub(crate) struct Recall<'d> {
    crypto: &'d dyn Crypto,
    /// By the bytes of the signature.
    known: HashMap<Vec<u8>, Known<'d>>,
}

/// What a signature is known to be one of.
struct Known<'d> {
    public: &'d PublicKey,
    scheme: Scheme,
    message: &'d [u8],
}

impl<'d> Recall<'d> {
    /// Recalls what is known of the signatures of these documents.
    pub(crate) fn of(
        documents: impl IntoIterator<Item = &'d Document>,
        crypto: &'d dyn Crypto,
    ) -> Self {
        let documents = documents.into_iter();
        let known = documents.flat_map(|document| {
            let message = document.confirmed_message();
            document
                .confirmed()
                .filter_map(move |(public, scheme, signature)| {
                    let message = message?;
                    let known = Known {
                        public,
                        scheme,
                        message,
                    };
                    Some((signature, known))
                })
        });
        Self {
            crypto,
            known: known.collect(),
        }
    }

    fn recalls(&self, check: &SignatureCheck<'_>) -> bool {
        let known = self.known.get(check.signature.bytes.as_slice());
        known.is_some_and(|known| {
            check.key.usable() == Some((known.scheme, known.public))
                && check.message == known.message
        })
    }
}

impl Crypto for Recall<'_> {
    fn digest(&self, algorithm: HashAlgorithm, bytes: &[u8]) -> Digest {
        self.crypto.digest(algorithm, bytes)
    }

    fn hasher(&self, algorithm: HashAlgorithm) -> Box<dyn Hasher> {
        self.crypto.hasher(algorithm)
    }

    fn verify(&self, check: &SignatureCheck<'_>) -> Verdict {
        if self.recalls(check) {
            return Verdict::Valid;
        }
        self.crypto.verify(check)
    }
}

#[cfg(test)]
mod tests {
    use tuffet_core::crypto::{Key, Signature};
    use tuffet_core::metadata::{UnixTime, Version};
    use tuffet_sign::{FileKey, Signer};

    use super::*;

    /// Verifies nothing.
    struct Nobody;

    impl Crypto for Nobody {
        fn digest(&self, algorithm: HashAlgorithm, bytes: &[u8]) -> Digest {
            tuffet_crypto::aws_lc().digest(algorithm, bytes)
        }

        fn hasher(&self, algorithm: HashAlgorithm) -> Box<dyn Hasher> {
            tuffet_crypto::aws_lc().hasher(algorithm)
        }

        fn verify(&self, _: &SignatureCheck<'_>) -> Verdict {
            Verdict::Unsupported
        }
    }

    fn verdict(recall: &Recall<'_>, signer: &FileKey, message: &[u8], bytes: &[u8]) -> Verdict {
        let key = signer.public().metadata();
        recall.verify(&SignatureCheck {
            key: &Key::parse(key.keytype, key.scheme, Some(&key.public), &[]),
            message,
            signature: &Signature {
                keyid: "".into(),
                bytes: bytes.to_vec(),
                raw: &[],
            },
        })
    }

    #[test]
    fn only_the_same_signature_of_the_same_key_over_the_same_message_is_recalled() {
        let key = || FileKey::generate(Scheme::Ed25519).unwrap();
        let (ana, ben) = (key(), key());
        let unsigned = Document::new("targets", Version::FIRST, UnixTime(0));
        let signed = unsigned.sign(&[&ana]).unwrap();
        let signature = ana.sign(&signed.canonical()).unwrap().into_bytes();
        let mut other = signature.clone();
        other[0] ^= 1;
        let message = signed.canonical();
        let recall = Recall::of([&signed], &Nobody);
        let unknown = Verdict::Unsupported;
        assert_eq!(verdict(&recall, &ana, &message, &signature), Verdict::Valid);
        assert_eq!(verdict(&recall, &ben, &message, &signature), unknown);
        assert_eq!(verdict(&recall, &ana, b"{}", &signature), unknown);
        assert_eq!(verdict(&recall, &ana, &message, &other), unknown);
        assert_eq!(verdict(&recall, &ana, b"", b""), unknown);
    }

    #[test]
    fn a_document_that_was_changed_or_only_read_is_not_recalled() {
        let ana = FileKey::generate(Scheme::Ed25519).unwrap();
        let mut document = Document::new("targets", Version::FIRST, UnixTime(0));
        document = document.sign(&[&ana]).unwrap();
        let signature = ana.sign(&document.canonical()).unwrap().into_bytes();
        let read = Document::parse(&document.to_bytes()).unwrap();
        let message = document.canonical();
        document.set("version", 2.into());
        for document in [read, document] {
            let recall = Recall::of([&document], &Nobody);
            let verdict = verdict(&recall, &ana, &message, &signature);
            assert_eq!(verdict, Verdict::Unsupported);
        }
    }
}
