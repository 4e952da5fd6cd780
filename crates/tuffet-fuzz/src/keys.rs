//! Keys as metadata, agents and people name them.

use tuffet_core::crypto::{Key, PublicKey, Scheme};
use tuffet_sign::agent::{read_identities, read_signature};
use tuffet_sign::{KeyUri, PublicKeyInfo};

use crate::text;

/// Reading a key never fails; one that is usable is written in the usual form and is the same key when it is read again.
///
/// The input is the keytype, the scheme and the public key, separated by line ends.
pub fn key(input: &[u8]) {
    let Some(text) = text(input) else { return };
    let mut parts = text.splitn(3, '\n');
    let mut next = || parts.next();
    let (keytype, scheme, public) = (
        next().unwrap_or_default(),
        next().unwrap_or_default(),
        next(),
    );
    let key = Key::parse(keytype, scheme, public, text.as_bytes());
    assert_eq!((key.keytype(), key.scheme()), (keytype, scheme));
    assert!(!key.to_string().contains('\n'));
    let Some((scheme, public)) = key.usable() else {
        return;
    };
    assert!(public.fits(scheme));
    assert_eq!(
        PublicKey::from_spki_der(&public.to_spki_der()).as_ref(),
        Ok(public)
    );
    let written = public.to_metadata(scheme).expect("the key fits its scheme");
    let again = Key::parse(
        written.keytype,
        written.scheme,
        Some(&written.public),
        b"{}",
    );
    assert_eq!(again.usable(), Some((scheme, public)));
    assert!(again.legacy().is_empty());
}

/// Whatever an ssh-agent sends is read or refused; a key that is accepted is one that metadata can name.
pub fn agent(answer: &[u8]) {
    let Ok(identities) = read_identities(answer) else {
        for scheme in Scheme::ALL {
            let key = PublicKey::Ed25519([7; 32]);
            if let Ok(signature) = read_signature(answer, scheme, &key) {
                assert!(signature.len() <= answer.len());
            }
        }
        return;
    };
    // Each takes eight bytes at least, whatever number the agent says there are.
    assert!(identities.len() <= answer.len() / 8);
    for identity in identities {
        if let (Some(key), Some(scheme)) = (&identity.key, identity.scheme()) {
            assert!(PublicKeyInfo::new(scheme, key.clone()).is_ok());
        }
    }
}

/// A key URI that is read is written as text that means the same key.
pub fn uri(input: &[u8]) {
    let Some(Ok(uri)) = text(input).map(str::parse::<KeyUri>) else {
        return;
    };
    let written = uri.to_string();
    assert_eq!(
        written.parse::<KeyUri>().as_ref().ok(),
        Some(&uri),
        "{written}"
    );
}
