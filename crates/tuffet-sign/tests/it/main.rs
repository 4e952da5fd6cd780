//! Signing keys: schemes, files, URIs, and what OpenSSL makes of them.

mod errors;
mod files;
mod openssl;
mod schemes;
mod uris;

use tuffet_sign::Passphrase;

/// For files that must not need a passphrase.
fn not_asked() -> Option<Passphrase> {
    panic!("asked for a passphrase")
}
