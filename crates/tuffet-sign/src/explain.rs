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
        what: "The file or variable holds no private key in PKCS#8 PEM that can be used here.",
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
        what: "The key's URI is of an unknown kind, lacks a part, or has one that is not known or must not be there.",
        why: "A part that is ignored could mean another key than the one you meant.",
        fix: "Use a path, or file:, env:, exec:, pkcs11:, hsm:, ssh-agent: or the URI of a key service, as docs/keys.md shows.",
    },
    Explanation {
        code: "key.variable",
        what: "The environment variable is not set, or not to text.",
        why: "The key was to be taken from it.",
        fix: "Set it to the PEM text of the key; in CI, from a secret that only this job may read.",
    },
    Explanation {
        code: "key.feature",
        what: "This build has no code for keys of this kind.",
        why: "Kinds of keys can be left out when the program is built.",
        fix: "Use a build with the cargo feature that is named, such as pkcs11 or kms.",
    },
    Explanation {
        code: "key.agent",
        what: "The ssh-agent cannot be reached, refuses, or answers with something that is no answer.",
        why: "The key is in its hands.",
        fix: "Check that SSH_AUTH_SOCK names a running agent, and that ssh-add -l lists the key; an agent may ask before it signs.",
    },
    Explanation {
        code: "key.program",
        what: "The signing program cannot be run, fails, or answers with something that is no answer.",
        why: "The key is in its hands.",
        fix: "Run it by hand with a request of docs/keys.md on its stdin; what it says on stderr is shown above.",
    },
    Explanation {
        code: "key.token",
        what: "The PKCS#11 library or the token cannot be used, or refuses.",
        why: "The key is on the token.",
        fix: "Check module-path, that the token is plugged in, and that no other program holds it: tuffet key doctor",
    },
    Explanation {
        code: "key.pin",
        what: "The PIN of the token is missing, wrong or locked.",
        why: "The token does not sign without it, and locks itself after a few wrong ones; so none is tried twice.",
        fix: "Give the right PIN, at the prompt, with --pin-file or by pin-source; a locked one is reset with its PUK.",
    },
    Explanation {
        code: "key.attestation",
        what: "The certificates do not show that the key was made on a token of a maker you trust, or the key is not as it has to be.",
        why: "A key that may have been copied, or that signs without a touch, is easier to steal than it looks.",
        fix: "Give the certificate of the key, those between it and the maker, and the root of the maker; or make the key again on the token.",
    },
    Explanation {
        code: "key.absent",
        what: "There is no such key in the agent or on the token.",
        why: "Another key must not sign in its place.",
        fix: "tuffet key doctor lists what is there; check the name, and that the right token is plugged in.",
    },
    Explanation {
        code: "key.several",
        what: "More than one key fits the URI.",
        why: "Which of them is meant cannot be guessed.",
        fix: "Add a part to the URI that only one of them has: id, object, token, or the fingerprint.",
    },
    Explanation {
        code: "key.kms.settings",
        what: "A setting for the key management service is missing or makes no sense: region, endpoint, proxy or file of authorities.",
        why: "A request would go nowhere, or to somebody else.",
        fix: "Set the variable that is named; docs/kms.md lists those of each service.",
    },
    Explanation {
        code: "key.kms.credentials",
        what: "There are no credentials for the key management service, or they cannot be read.",
        why: "The service lets only those sign whom it knows.",
        fix: "Log in with the vendor's own tool, or set the variables of docs/kms.md; in CI, give the job an identity.",
    },
    Explanation {
        code: "key.kms.denied",
        what: "The key management service, or who hands out tokens for it, does not let these credentials do this.",
        why: "Nothing was signed.",
        fix: "Give the identity the two rights of docs/kms.md: to read the public key and to sign. Check that the clock is right and the credentials have not expired.",
    },
    Explanation {
        code: "key.kms.refused",
        what: "The key management service refuses the request: there is no such key or version, it is disabled, or it is not for signing.",
        why: "Nothing was signed.",
        fix: "Compare the key URI with what the service lists; check region, state and purpose of the key.",
    },
    Explanation {
        code: "key.kms.unreachable",
        what: "The key management service cannot be reached, or turned away several attempts.",
        why: "Nothing was signed; what waits for signatures can be signed later.",
        fix: "Check network, HTTPS_PROXY, NO_PROXY and TUFFET_CA_FILE, and the state of the service; then try again.",
    },
    Explanation {
        code: "key.kms.answer",
        what: "The answer is not one of the key management service: another key, a wrong checksum, not JSON, or too long.",
        why: "Something between here and the service answers in its place, or an endpoint is wrong.",
        fix: "Check the endpoint variables of docs/kms.md, and proxies that change what passes.",
    },
    Explanation {
        code: "key.kms.too-long",
        what: "The key management service signs nothing of this length with this kind of key.",
        why: "Ed25519 has to see all of what it signs, and the service takes no more.",
        fix: "Use an ECDSA, RSA or ML-DSA key for this role, or delegate, so that its metadata gets shorter.",
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
