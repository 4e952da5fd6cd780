//! Whatever an ssh-agent sends is read or refused; a key that is accepted is one that metadata can name.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tuffet_core::crypto::{PublicKey, Scheme};
use tuffet_sign::PublicKeyInfo;
use tuffet_sign::agent::{read_identities, read_signature};

fuzz_target!(|answer: &[u8]| {
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
});
