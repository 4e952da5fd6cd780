//! Public keys on tokens, put together from their attributes.

use cryptoki::object::{Attribute, AttributeType, ObjectClass, ObjectHandle};
use cryptoki::session::Session;
use pkcs8::der::Decode;
use pkcs8::der::asn1::OctetStringRef;
use tuffet_core::crypto::{Curve, PublicKey};

use super::failed;
use crate::der;
use crate::error::SignError;

/// What says which key an object is, and what it is called.
const NAMES: [AttributeType; 2] = [AttributeType::Id, AttributeType::Label];

/// Everything a public key is made of.
const PARTS: [AttributeType; 5] = [
    AttributeType::PublicKeyInfo,
    AttributeType::EcParams,
    AttributeType::EcPoint,
    AttributeType::Modulus,
    AttributeType::PublicExponent,
];

/// The public half of a private key: of the object beside it, or of what the private object says itself.
pub(super) fn public_key(session: &Session, private: ObjectHandle) -> Result<PublicKey, SignError> {
    let names = session.get_attributes(private, &NAMES).map_err(failed)?;
    let mut candidates = Vec::new();
    // Tokens pair the two by identifier; a key without one is paired by its label.
    let pairing = names.into_iter().find(|name| match name {
        Attribute::Id(bytes) | Attribute::Label(bytes) => !bytes.is_empty(),
        _ => false,
    });
    if let Some(name) = pairing {
        let class = Attribute::Class(ObjectClass::PUBLIC_KEY);
        candidates = session.find_objects(&[class, name]).map_err(failed)?;
    }
    candidates.push(private);
    candidates
        .into_iter()
        .find_map(|object| read(session, object))
        .ok_or_else(|| SignError::Token {
            what: "it does not show the public half of the key, or the key is of a kind that signs no metadata"
                .into(),
        })
}

/// The public key that an object shows.
pub(super) fn read(session: &Session, object: ObjectHandle) -> Option<PublicKey> {
    from_parts(&session.get_attributes(object, &PARTS).ok()?)
}

fn from_parts(parts: &[Attribute]) -> Option<PublicKey> {
    let (mut info, mut curve, mut point, mut modulus, mut exponent) =
        (None, None, None, None, None);
    for part in parts {
        match part {
            Attribute::PublicKeyInfo(bytes) if !bytes.is_empty() => info = Some(bytes),
            Attribute::EcParams(bytes) => curve = Some(bytes),
            Attribute::EcPoint(bytes) => point = Some(bytes),
            Attribute::Modulus(bytes) => modulus = Some(bytes),
            Attribute::PublicExponent(bytes) => exponent = Some(bytes),
            _ => {}
        }
    }
    if let Some(key) = info.and_then(|info| PublicKey::from_spki_der(info).ok()) {
        return Some(key);
    }
    if let (Some(modulus), Some(exponent)) = (modulus, exponent) {
        let key = PublicKey::Rsa {
            modulus: modulus.as_slice().into(),
            exponent: exponent.as_slice().into(),
        };
        return der::checked(&key).ok();
    }
    let (curve, point) = (curve?, point?);
    // The standard wants a point wrapped in an octet string; some tokens leave the wrapping out.
    let unwrapped = <&OctetStringRef>::from_der(point).ok();
    let points = [
        unwrapped.map(|point| point.as_bytes()),
        Some(point.as_slice()),
    ];
    points
        .into_iter()
        .flatten()
        .find_map(|point| der::checked(&on_curve(curve, point)?).ok())
}

/// A point with the parameters of its curve in DER: an object identifier, or a name as text.
fn on_curve(curve: &[u8], point: &[u8]) -> Option<PublicKey> {
    const P256: &[u8] = &[0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
    const P384: &[u8] = &[0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22];
    const P521: &[u8] = &[0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x23];
    const ED25519: &[u8] = &[0x06, 0x03, 0x2b, 0x65, 0x70];
    /// As GnuPG and cards that follow it name it.
    const ED25519_GNU: &[u8] = &[
        0x06, 0x09, 0x2b, 0x06, 0x01, 0x04, 0x01, 0xda, 0x47, 0x0f, 0x01,
    ];
    const ED25519_NAME: &[u8] = b"\x13\x0cedwards25519";
    let curve = match curve {
        P256 => Curve::P256,
        P384 => Curve::P384,
        P521 => Curve::P521,
        ED25519 | ED25519_GNU | ED25519_NAME => {
            return point.try_into().map(PublicKey::Ed25519).ok();
        }
        _ => return None,
    };
    Some(PublicKey::Ecdsa {
        curve,
        point: point.into(),
    })
}

/// What an object is called: its label and its identifier in hexadecimal digits.
pub(super) fn names(session: &Session, object: ObjectHandle) -> (String, String) {
    let (mut label, mut id) = (String::new(), String::new());
    for name in session.get_attributes(object, &NAMES).unwrap_or_default() {
        match name {
            Attribute::Label(bytes) => label = String::from_utf8_lossy(&bytes).into_owned(),
            Attribute::Id(bytes) => id = tuffet_core::crypto::hex::encode(&bytes),
            _ => {}
        }
    }
    (label, id)
}

/// What private keys there are, for whoever looked for another.
pub(super) fn listing(session: &Session) -> String {
    const SHOWN: usize = 8;
    let class = Attribute::Class(ObjectClass::PRIVATE_KEY);
    let objects = session.find_objects(&[class]).unwrap_or_default();
    let shown = objects.iter().take(SHOWN).map(|object| {
        let (label, id) = names(session, *object);
        format!("{} (id {id})", label.escape_debug())
    });
    let shown: Vec<String> = shown.collect();
    match shown.is_empty() {
        true => "it has no private key at all".into(),
        false => format!("it has {}", shown.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(parts: &[Attribute]) -> Option<PublicKey> {
        from_parts(parts)
    }

    #[test]
    fn points_are_read_wrapped_and_bare() {
        let ed25519 = |point: Vec<u8>| {
            key(&[
                Attribute::EcParams(vec![0x06, 0x03, 0x2b, 0x65, 0x70]),
                Attribute::EcPoint(point),
            ])
        };
        let wrapped = [&[4, 32][..], &[7; 32]].concat();
        assert_eq!(ed25519(wrapped), Some(PublicKey::Ed25519([7; 32])));
        assert_eq!(ed25519(vec![7; 32]), Some(PublicKey::Ed25519([7; 32])));
        assert_eq!(ed25519(vec![7; 31]), None);
    }

    #[test]
    fn keys_of_other_kinds_are_none() {
        assert_eq!(key(&[]), None);
        let secp256k1 = vec![0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x0a];
        assert_eq!(
            key(&[
                Attribute::EcParams(secp256k1),
                Attribute::EcPoint(vec![2; 33])
            ]),
            None
        );
        let short = [
            Attribute::Modulus(vec![0xff; 64]),
            Attribute::PublicExponent(vec![1, 0, 1]),
        ];
        assert_eq!(key(&short), None);
    }
}
