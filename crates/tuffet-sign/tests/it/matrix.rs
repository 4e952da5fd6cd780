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
    let mut table = String::from(
        "| scheme | file, variable | program | ssh-agent | PKCS#11 |\n|---|---|---|---|---|\n",
    );
    for scheme in FILES {
        let cell = |possible: &[Scheme]| match possible.contains(&scheme) {
            true => "✓",
            false => "–",
        };
        let (programs, agents, tokens) = (programs(), agents(), tokens());
        table.push_str(&format!(
            "| `{scheme}` | {} | {} | {} | {} |\n",
            cell(&FILES),
            cell(&programs),
            cell(&agents),
            cell(&tokens),
        ));
    }
    let page = include_str!("../../../../docs/keys.md");
    assert!(
        page.contains(&table),
        "docs/keys.md lacks this table:\n{table}"
    );
}
