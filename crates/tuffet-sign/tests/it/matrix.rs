//! Every scheme that a place can sign with, as a table: a signature of each is accepted by the core.
//!
//! | scheme | file, env | exec | ssh-agent | PKCS#11 | AWS KMS | Google Cloud KMS | Azure Key Vault | Vault |
//! |---|---|---|---|---|---|---|---|---|
//! | ed25519 | yes | yes | yes | yes | yes | yes | – | yes |
//! | ecdsa on P-256, P-384 | yes | yes | yes | yes | yes | yes | yes | yes |
//! | ecdsa on P-521 | yes | yes | yes | yes | yes | – | yes | yes |
//! | rsassa-pss-sha256, -sha512 | yes | yes | – | yes | yes | yes | yes | yes |
//! | rsassa-pss-sha384 | yes | yes | – | yes | yes | – | yes | yes |
//! | rsa-pkcs1v15-sha256, -sha512 | yes | yes | yes | yes | yes | yes | yes | yes |
//! | rsa-pkcs1v15-sha384 | yes | yes | – | yes | yes | – | yes | yes |
//! | ml-dsa-44, -65, -87 | yes | yes | – | – | yes | yes | – | – |
//!
//! The last four are the lists of the fakes in `kms`.

use tuffet_core::crypto::{HashAlgorithm, PublicKey, Scheme};

const HASHES: [HashAlgorithm; 3] = [
    HashAlgorithm::Sha256,
    HashAlgorithm::Sha384,
    HashAlgorithm::Sha512,
];

/// Those of files: all there are.
pub(crate) const FILES: [Scheme; 13] = Scheme::ALL;

/// Those of an ssh-agent.
pub(crate) fn agents() -> Vec<Scheme> {
    let possible = |scheme: &Scheme| match scheme {
        Scheme::RsaPkcs1v15(hash) => *hash != HashAlgorithm::Sha384,
        Scheme::RsaPss(_) => false,
        scheme => scheme.ml_dsa_parameters().is_none(),
    };
    Scheme::ALL.into_iter().filter(possible).collect()
}

/// Those of PKCS#11.
pub(crate) fn tokens() -> Vec<Scheme> {
    let possible = |scheme: &Scheme| scheme.ml_dsa_parameters().is_none();
    Scheme::ALL.into_iter().filter(possible).collect()
}

/// One scheme for each kind of key, under which a key is made.
pub(crate) fn kind(scheme: Scheme) -> Scheme {
    match scheme {
        Scheme::RsaPss(_) | Scheme::RsaPkcs1v15(_) => Scheme::RsaPss(HashAlgorithm::Sha256),
        scheme => scheme,
    }
}

#[test]
fn the_table_has_every_scheme_once() {
    assert_eq!(agents().len(), 6);
    assert_eq!(tokens().len(), 10);
    let rsa = PublicKey::Rsa {
        modulus: [0xff; 256].into(),
        exponent: [1, 0, 1].into(),
    };
    for hash in HASHES {
        assert!(rsa.fits(Scheme::RsaPss(hash)) && rsa.fits(Scheme::RsaPkcs1v15(hash)));
    }
}
