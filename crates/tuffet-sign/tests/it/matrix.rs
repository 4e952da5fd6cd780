//! Every scheme that a place can sign with: a signature of each is accepted by the core and by python-tuf.
//!
//! The tests of the places take their schemes from here, and so does the table of docs/keys.md.

use tuffet_core::crypto::{HashAlgorithm, Scheme};

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

/// Those of AWS KMS: all there are.
pub(crate) fn aws() -> Vec<Scheme> {
    Scheme::ALL.to_vec()
}

/// Those of Google Cloud KMS, which has neither P-521 nor SHA-384 with RSA.
pub(crate) fn gcp() -> Vec<Scheme> {
    let possible = |scheme: &Scheme| match scheme {
        Scheme::RsaPss(hash) | Scheme::RsaPkcs1v15(hash) => *hash != HashAlgorithm::Sha384,
        scheme => *scheme != Scheme::EcdsaP521Sha512,
    };
    Scheme::ALL.into_iter().filter(possible).collect()
}

/// Those of Azure Key Vault.
pub(crate) fn azure() -> Vec<Scheme> {
    let possible = |scheme: &Scheme| *scheme != Scheme::Ed25519;
    vault().into_iter().filter(possible).collect()
}

/// Those of Vault.
pub(crate) fn vault() -> Vec<Scheme> {
    tokens()
}

/// One scheme for each kind of key, under which a key is made.
pub(crate) fn kind(scheme: Scheme) -> Scheme {
    match scheme {
        Scheme::RsaPss(_) | Scheme::RsaPkcs1v15(_) => Scheme::RsaPss(HashAlgorithm::Sha256),
        scheme => scheme,
    }
}

/// Those of a program that signs with OpenSSL. That of the oldest supported distributions has no ML-DSA.
pub(crate) fn programs() -> Vec<Scheme> {
    tokens()
}

#[test]
fn the_documentation_has_the_table() {
    let places = [
        ("file, variable", FILES.to_vec()),
        ("program", programs()),
        ("ssh-agent", agents()),
        ("PKCS#11", tokens()),
        ("AWS KMS", aws()),
        ("Google Cloud KMS", gcp()),
        ("Azure Key Vault", azure()),
        ("Vault", vault()),
    ];
    let names = places.each_ref().map(|(name, _)| *name).join(" | ");
    let mut table = format!(
        "| scheme | {names} |\n|---|{}\n",
        "---|".repeat(places.len())
    );
    for scheme in Scheme::ALL {
        let cells = places
            .each_ref()
            .map(|(_, possible)| match possible.contains(&scheme) {
                true => "✓",
                false => "–",
            });
        table.push_str(&format!("| `{scheme}` | {} |\n", cells.join(" | ")));
    }
    let page = include_str!("../../../../docs/keys.md");
    assert!(
        page.contains(&table),
        "docs/keys.md lacks this table:\n{table}"
    );
}
