//! Reading a key never fails; one that is usable is written in the usual form and is the same key when it is read again.
//!
//! The input is the keytype, the scheme and the public key, separated by line ends.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tuffet_core::crypto::{Key, PublicKey};

fuzz_target!(|text: &str| {
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
});
