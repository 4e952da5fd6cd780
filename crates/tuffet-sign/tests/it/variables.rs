//! Keys in environment variables, and the same in files.

use std::fs;

use tuffet_sign::error::{Origin, PassphraseProblem};
use tuffet_sign::{FileKey, KeyUri, Passphrase, Protection, Secrets, SignError, Signer};

use crate::matrix::{self, kind};
use crate::python;
use crate::surroundings::{again, inside, is_accepted, open, open_with, refused};

#[test]
fn every_scheme_of_a_file_or_variable_is_accepted() {
    const NAME: &str = "variables::every_scheme_of_a_file_or_variable_is_accepted";
    if inside(NAME) {
        for scheme in matrix::FILES {
            let variable = kind(scheme).name().replace(['-', '/'], "_");
            is_accepted(&*open(&format!("env:{variable}?scheme={scheme}")), scheme);
        }
        python::accepts_all();
        assert_eq!(refused("env:EMPTY").code(), "key.format");
        assert_eq!(refused("env:UNSET").code(), "key.variable");
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let mut variables = vec![("EMPTY".to_owned(), String::new())];
    for scheme in matrix::FILES {
        let path = directory.path().join(kind(scheme).name().replace('/', "_"));
        if kind(scheme) == scheme {
            let key = FileKey::generate(scheme).unwrap();
            key.save(&path, Protection::Plain).unwrap();
            let variable = scheme.name().replace(['-', '/'], "_");
            variables.push((variable, fs::read_to_string(&path).unwrap()));
        }
        let uri = format!("file:{}?scheme={scheme}", path.display());
        is_accepted(&*open(&uri), scheme);
    }
    python::accepts_all();
    let variables: Vec<_> = variables
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_ref()))
        .collect();
    again(NAME, &variables);
}

/// Gives one passphrase, for one variable.
struct Given;

impl Secrets for Given {
    fn passphrase(&self, origin: &Origin) -> Option<Passphrase> {
        assert_eq!(*origin, Origin::Variable("KEY".into()));
        Some(Passphrase::new("secret"))
    }

    fn pin(&self, _: &tuffet_sign::TokenName<'_>) -> Option<Passphrase> {
        panic!("asked for a PIN")
    }
}

#[test]
fn a_variable_may_hold_an_encrypted_key() {
    const NAME: &str = "variables::a_variable_may_hold_an_encrypted_key";
    if inside(NAME) {
        let key = open_with("env:KEY", &Given);
        is_accepted(&*key, key.public().scheme());
        let error = refused("env:KEY");
        assert!(matches!(
            error,
            SignError::Passphrase {
                what: PassphraseProblem::Missing,
                ..
            }
        ));
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("key.pem");
    let key = FileKey::generate(tuffet_core::crypto::Scheme::Ed25519).unwrap();
    key.save(&path, Protection::Passphrase(&Passphrase::new("secret")))
        .unwrap();
    let text = fs::read_to_string(&path).unwrap();
    again(NAME, &[("KEY", text.as_ref())]);
}

#[test]
fn a_scheme_of_another_kind_of_key_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("key.pem");
    let key = FileKey::generate(tuffet_core::crypto::Scheme::Ed25519).unwrap();
    key.save(&path, Protection::Plain).unwrap();
    let uri = format!("file:{}?scheme=rsa-pkcs1v15-sha256", path.display());
    assert_eq!(refused(&uri).code(), "key.scheme");
    assert!(uri.parse::<KeyUri>().is_ok());
}
