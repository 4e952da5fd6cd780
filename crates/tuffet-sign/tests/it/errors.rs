//! Codes and messages.

use std::error::Error;
use std::io;

use tuffet_core::crypto::Scheme;
use tuffet_core::explain::Explanation;
use tuffet_sign::SignError;
use tuffet_sign::error::{Origin, PassphraseProblem, PinProblem};
use tuffet_sign::explain::CODES;
use tuffet_sign::kms::{KmsError, KmsService};

fn kms(error: impl FnOnce(KmsService, String) -> KmsError) -> SignError {
    error(KmsService::Aws, "something".into()).into()
}

#[test]
fn messages_are_fragments_that_do_not_repeat_their_source() {
    let path = || "keys/root.pem".into();
    let denied = || io::Error::from(io::ErrorKind::PermissionDenied);
    let scheme = Scheme::Ed25519;
    let errors = [
        SignError::Unavailable {
            path: path(),
            source: denied(),
        },
        SignError::Write {
            path: path(),
            source: denied(),
        },
        SignError::Exists { path: path() },
        SignError::Format {
            origin: Origin::File(path()),
            what: "it is not text".into(),
        },
        SignError::Passphrase {
            origin: Origin::Variable("KEY".into()),
            what: PassphraseProblem::Wrong,
        },
        SignError::Variable {
            variable: "KEY".into(),
        },
        SignError::Feature {
            what: "keys on tokens",
            feature: "pkcs11",
        },
        SignError::Agent {
            what: "cannot be reached".into(),
            source: Some(denied()),
        },
        SignError::Program {
            program: path(),
            what: "cannot be run".into(),
            source: Some(denied()),
        },
        SignError::Token {
            what: "there is none".into(),
        },
        SignError::Pin {
            token: "card".into(),
            what: PinProblem::Wrong,
        },
        SignError::Attestation {
            what: "there is no certificate of the key".into(),
        },
        SignError::Absent {
            place: "the ssh-agent".into(),
            what: "it has sam".into(),
        },
        SignError::Several {
            place: "token card".into(),
            count: 2,
        },
        SignError::Scheme { scheme },
        SignError::Uri {
            what: "has no path".into(),
        },
        kms(|service, what| KmsError::Settings { service, what }),
        kms(|service, what| KmsError::Credentials { service, what }),
        kms(|service, said| KmsError::Denied { service, said }),
        kms(|service, said| KmsError::Refused { service, said }),
        kms(|service, what| KmsError::Unreachable { service, what }),
        kms(|service, what| KmsError::Answer { service, what }),
        kms(|service, _| KmsError::TooLong {
            service,
            length: 5000,
            most: 4096,
        }),
        SignError::Failed {
            what: "sign",
            scheme,
        },
        SignError::Mismatch { scheme },
    ];
    let mut codes: Vec<&str> = errors.iter().map(SignError::code).collect();
    for error in &errors {
        let shown = error.to_string();
        assert!(!shown.ends_with('.') && !shown.contains('\n'), "{shown}");
        if let Some(source) = error.source() {
            assert!(!shown.contains(&source.to_string()), "{shown}");
        }
        assert!(error.code().starts_with("key."));
    }
    for code in &codes {
        let explained = |explanation: &&Explanation| explanation.code == *code;
        assert_eq!(CODES.iter().filter(explained).count(), 1, "{code}");
    }
    assert_eq!(codes.len(), CODES.len(), "every code has its error");
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes.len(), errors.len(), "codes are unique");
}
