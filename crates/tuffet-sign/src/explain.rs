//! The long form of every error code of this crate.

use tuffet_core::explain::Explanation;

/// Every code of this crate: what happened, why it matters, what to do.
///
/// ```
/// assert!(tuffet_sign::explain::CODES.iter().any(|explanation| explanation.code == "key.passphrase"));
/// ```
pub const CODES: &[Explanation] = &[
    Explanation {
        code: "key.unavailable",
        what: "The key file cannot be read.",
        why: "Without the key nothing can be signed.",
        fix: "Check the path, that the medium is there, and the permissions.",
    },
    Explanation {
        code: "key.write",
        what: "The key file cannot be written.",
        why: "A key that is not on disk is lost when the program ends.",
        fix: "Check the directory, the space on the disk and the permissions.",
    },
    Explanation {
        code: "key.exists",
        what: "A file of this name exists already.",
        why: "Writing over it could destroy the only copy of a key.",
        fix: "Choose another name, or move the old file away.",
    },
    Explanation {
        code: "key.format",
        what: "The file is not a private key in PKCS#8 PEM that can be used here.",
        why: "A key that is read wrongly signs for nobody.",
        fix: "Convert it with `openssl pkcs8 -topk8`, or use a key of a supported kind.",
    },
    Explanation {
        code: "key.passphrase",
        what: "The passphrase is missing, wrong or empty.",
        why: "The key cannot be decrypted, and an empty passphrase protects nothing.",
        fix: "Give the right passphrase, at the prompt or with --passphrase-file.",
    },
    Explanation {
        code: "key.scheme",
        what: "The key does not sign with this scheme.",
        why: "Metadata binds each key to one scheme.",
        fix: "Use a scheme of the key's own kind.",
    },
    Explanation {
        code: "key.uri",
        what: "The key's URI has an unknown scheme, names a host, or has no path.",
        why: "No key can be found by it.",
        fix: "Use file:PATH, or a plain path.",
    },
    Explanation {
        code: "key.failed",
        what: "The cryptographic library made no key or no signature.",
        why: "Nothing was signed.",
        fix: "Try again; if it happens again, check the machine.",
    },
    Explanation {
        code: "key.mismatch",
        what: "The signature does not verify against the declared public key.",
        why: "Clients would refuse the file; a key or a device may be mixed up or broken.",
        fix: "Check which key is in use before you sign again.",
    },
];
