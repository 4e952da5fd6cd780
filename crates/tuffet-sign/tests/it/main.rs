//! Signing keys: schemes, URIs, every place that signs, and what OpenSSL makes of them.

#[cfg(unix)]
mod agents;
mod attestations;
mod backends;
mod errors;
mod files;
#[cfg(feature = "kms")]
mod kms;
mod kms_uris;
mod matrix;
mod openssl;
#[cfg(unix)]
mod programs;
mod python;
mod schemes;
mod surroundings;
#[cfg(feature = "pkcs11")]
mod tokens;
mod uris;
mod variables;

use tuffet_sign::Passphrase;

/// For files that must not need a passphrase.
fn not_asked() -> Option<Passphrase> {
    panic!("asked for a passphrase")
}
