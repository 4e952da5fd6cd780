//! The other envelope: DSSE (TAP 17), for which no canonical form is needed.

use base64ct::{Base64, Encoding as _};
use tuffet_core::json::Value;
use tuffet_core::metadata::pre_authentication_encoding;
use tuffet_sign::{SignError, Signer};

use crate::document::Document;
use crate::keys;

/// Writes a document in a DSSE envelope, signed by these signers. Signatures made for the other envelope are left out.
///
/// # Errors
/// What keeps a signer from signing.
pub fn to_dsse(document: &Document, signers: &[&dyn Signer]) -> Result<Vec<u8>, SignError> {
    let payload = document.signed().to_compact_json();
    let message = pre_authentication_encoding(&payload);
    let mut signatures = Vec::new();
    for signer in signers {
        let signature = signer.sign_canonical(&message)?;
        signatures.push(Value::from_iter([
            ("keyid", Value::from(keys::keyid(signer.public()).as_str())),
            (
                "sig",
                Value::from(Base64::encode_string(signature.as_bytes())),
            ),
        ]));
    }
    Ok(Value::from_iter([
        ("payload", Value::from(Base64::encode_string(&payload))),
        ("payloadType", Value::from("application/vnd.tuf+json")),
        ("signatures", Value::Array(signatures)),
    ])
    .to_compact_json())
}
