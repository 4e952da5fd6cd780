//! Codes and messages.

use std::error::Error;
use std::io;

use tuffet_core::crypto::Scheme;
use tuffet_sign::SignError;
use tuffet_sign::error::PassphraseProblem;

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
            path: path(),
            what: "it is not text".into(),
        },
        SignError::Passphrase {
            path: path(),
            what: PassphraseProblem::Wrong,
        },
        SignError::Scheme { scheme },
        SignError::Uri {
            what: "has no path".into(),
        },
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
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes.len(), errors.len(), "codes are unique");
}
