//! Public keys in PEM and DER: SubjectPublicKeyInfo (RFC 5280 §4.1) and `RSAPublicKey` (RFC 8017 §A.1.1).

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;

use base64ct::{Base64, Encoding};
use der::asn1::{AnyRef, BitStringRef, UintRef};
use der::{Decode, ErrorKind, Reader, SliceReader, Tag, Tagged};

use super::key::OpaqueReason;
use super::public::PublicKey;
use super::scheme::{Curve, MlDsaParameters};

pub(super) const LABEL_SPKI: &str = "PUBLIC KEY";
pub(super) const LABEL_RSA: &str = "RSA PUBLIC KEY";

/// Tags of the elements written here.
mod tag {
    pub(super) const INTEGER: u8 = 0x02;
    pub(super) const BIT_STRING: u8 = 0x03;
    pub(super) const OBJECT_IDENTIFIER: u8 = 0x06;
    pub(super) const SEQUENCE: u8 = 0x30;
}

/// Algorithm identifiers, as the contents of the DER object identifier.
mod oid {
    pub(super) const EC_PUBLIC_KEY: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
    pub(super) const P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
    pub(super) const P384: &[u8] = &[0x2b, 0x81, 0x04, 0x00, 0x22];
    pub(super) const P521: &[u8] = &[0x2b, 0x81, 0x04, 0x00, 0x23];
    pub(super) const ED25519: &[u8] = &[0x2b, 0x65, 0x70];
    pub(super) const RSA_ENCRYPTION: &[u8] =
        &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
    pub(super) const ML_DSA_44: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x03, 0x11];
    pub(super) const ML_DSA_65: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x03, 0x12];
    pub(super) const ML_DSA_87: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x03, 0x13];
}

/// Splits one PEM block into its label and content.
///
/// White space around the block and between its lines is ignored, whatever the line ends and widths: keys in
/// metadata went through many tools. Anything else beside the block is refused.
pub(super) fn read_pem(text: &str) -> Result<(&str, Vec<u8>), OpaqueReason> {
    const NOT_PEM: OpaqueReason = OpaqueReason::Malformed("it is not one PEM block");
    let text = text.trim_ascii();
    let (label, rest) = text
        .strip_prefix("-----BEGIN ")
        .and_then(|rest| rest.split_once("-----"))
        .ok_or(NOT_PEM)?;
    let body = rest
        .strip_suffix("-----")
        .and_then(|rest| rest.strip_suffix(label))
        .and_then(|rest| rest.strip_suffix("-----END "))
        .ok_or(NOT_PEM)?;
    let encoded: String = body.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    let content = Base64::decode_vec(&encoded)
        .map_err(|_| OpaqueReason::Malformed("its PEM block is not base64"))?;
    Ok((label, content))
}

/// Writes one PEM block with lines of 64 characters and a final newline.
pub(super) fn write_pem(label: &str, content: &[u8]) -> String {
    let mut pem = "-----BEGIN ".to_owned();
    pem.push_str(label);
    pem.push_str("-----\n");
    let mut rest = Base64::encode_string(content);
    while !rest.is_empty() {
        let next = rest.split_off(rest.len().min(64));
        pem.push_str(&rest);
        pem.push('\n');
        rest = next;
    }
    pem.push_str("-----END ");
    pem.push_str(label);
    pem.push_str("-----\n");
    pem
}

struct SubjectPublicKeyInfo<'a> {
    algorithm: &'a [u8],
    parameters: Option<AnyRef<'a>>,
    key: &'a [u8],
}

fn split_spki(der: &[u8]) -> Result<SubjectPublicKeyInfo<'_>, der::Error> {
    let mut reader = SliceReader::new(der)?;
    let info = reader.sequence(|reader| {
        let (algorithm, parameters) = reader.sequence(|reader| {
            let algorithm = AnyRef::decode(reader)?;
            algorithm.tag().assert_eq(Tag::ObjectIdentifier)?;
            let parameters = if reader.is_finished() {
                None
            } else {
                Some(AnyRef::decode(reader)?)
            };
            Ok::<_, der::Error>((algorithm.value(), parameters))
        })?;
        let key = BitStringRef::decode(reader)?
            .as_bytes()
            .ok_or(ErrorKind::Value {
                tag: Tag::BitString,
            })?;
        Ok::<_, der::Error>(SubjectPublicKeyInfo {
            algorithm,
            parameters,
            key,
        })
    })?;
    reader.finish()?;
    Ok(info)
}

/// Reads a SubjectPublicKeyInfo of any supported kind.
pub(super) fn read_spki(der: &[u8]) -> Result<PublicKey, OpaqueReason> {
    let info =
        split_spki(der).map_err(|_| OpaqueReason::Malformed("it is not a SubjectPublicKeyInfo"))?;
    let absent = info.parameters.is_none();
    let null = info
        .parameters
        .is_some_and(|p| p.tag() == Tag::Null && p.value().is_empty());
    match info.algorithm {
        oid::ED25519 if absent => PublicKey::new_ed25519(info.key),
        oid::RSA_ENCRYPTION if absent || null => read_rsa(info.key),
        oid::ML_DSA_44 if absent => PublicKey::new_ml_dsa(MlDsaParameters::MlDsa44, info.key),
        oid::ML_DSA_65 if absent => PublicKey::new_ml_dsa(MlDsaParameters::MlDsa65, info.key),
        oid::ML_DSA_87 if absent => PublicKey::new_ml_dsa(MlDsaParameters::MlDsa87, info.key),
        oid::EC_PUBLIC_KEY => PublicKey::new_ecdsa(named_curve(info.parameters)?, info.key),
        oid::ED25519 | oid::RSA_ENCRYPTION | oid::ML_DSA_44 | oid::ML_DSA_65 | oid::ML_DSA_87 => {
            Err(OpaqueReason::Malformed(
                "its algorithm has unexpected parameters",
            ))
        }
        _ => Err(OpaqueReason::Malformed(
            "its SubjectPublicKeyInfo names an unsupported algorithm",
        )),
    }
}

fn named_curve(parameters: Option<AnyRef<'_>>) -> Result<Curve, OpaqueReason> {
    let name = parameters
        .filter(|parameters| parameters.tag() == Tag::ObjectIdentifier)
        .ok_or(OpaqueReason::Malformed("its curve is not a named one"))?;
    match name.value() {
        oid::P256 => Ok(Curve::P256),
        oid::P384 => Ok(Curve::P384),
        oid::P521 => Ok(Curve::P521),
        _ => Err(OpaqueReason::Malformed("its curve is not a supported one")),
    }
}

/// Reads an `RSAPublicKey`.
pub(super) fn read_rsa(der: &[u8]) -> Result<PublicKey, OpaqueReason> {
    fn split(der: &[u8]) -> Result<(UintRef<'_>, UintRef<'_>), der::Error> {
        let mut reader = SliceReader::new(der)?;
        let pair = reader.sequence(|reader| {
            Ok::<_, der::Error>((UintRef::decode(reader)?, UintRef::decode(reader)?))
        })?;
        reader.finish()?;
        Ok(pair)
    }
    let (modulus, exponent) =
        split(der).map_err(|_| OpaqueReason::Malformed("it is not an RSA public key"))?;
    PublicKey::new_rsa(modulus.as_bytes(), exponent.as_bytes())
}

/// Writes the SubjectPublicKeyInfo of a key.
pub(super) fn write_spki(key: &PublicKey) -> Vec<u8> {
    const NULL: &[u8] = &[0x05, 0x00];
    let (algorithm, parameters, content) = match key {
        PublicKey::Ed25519(bytes) => (oid::ED25519, Vec::new(), bytes.to_vec()),
        PublicKey::Ecdsa { curve, point } => {
            let name = match curve {
                Curve::P256 => oid::P256,
                Curve::P384 => oid::P384,
                Curve::P521 => oid::P521,
            };
            (
                oid::EC_PUBLIC_KEY,
                element(tag::OBJECT_IDENTIFIER, name),
                point.to_vec(),
            )
        }
        PublicKey::Rsa { modulus, exponent } => (
            oid::RSA_ENCRYPTION,
            NULL.to_vec(),
            write_rsa(modulus, exponent),
        ),
        PublicKey::MlDsa { parameters, bytes } => {
            let algorithm = match parameters {
                MlDsaParameters::MlDsa44 => oid::ML_DSA_44,
                MlDsaParameters::MlDsa65 => oid::ML_DSA_65,
                MlDsaParameters::MlDsa87 => oid::ML_DSA_87,
            };
            (algorithm, Vec::new(), bytes.to_vec())
        }
    };
    let identifier = [element(tag::OBJECT_IDENTIFIER, algorithm), parameters].concat();
    let bits = [&[0x00], content.as_slice()].concat();
    element(
        tag::SEQUENCE,
        &[
            element(tag::SEQUENCE, &identifier),
            element(tag::BIT_STRING, &bits),
        ]
        .concat(),
    )
}

/// Writes an `RSAPublicKey`.
pub(super) fn write_rsa(modulus: &[u8], exponent: &[u8]) -> Vec<u8> {
    element(
        tag::SEQUENCE,
        &[unsigned(modulus), unsigned(exponent)].concat(),
    )
}

/// One DER element: tag, length in its shortest form, content.
fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut der = alloc::vec![tag];
    match u8::try_from(content.len()) {
        Ok(short) if short < 0x80 => der.push(short),
        _ => {
            let length = content.len().to_be_bytes();
            let significant = length.iter().copied().skip_while(|byte| *byte == 0);
            // usize has at most 16 bytes on any platform.
            let count = significant
                .clone()
                .fold(0x80_u8, |count, _| count.saturating_add(1));
            der.push(count);
            der.extend(significant);
        }
    }
    der.extend_from_slice(content);
    der
}

/// A DER integer from big endian bytes.
fn unsigned(bytes: &[u8]) -> Vec<u8> {
    let mut content = Vec::new();
    let significant = bytes.iter().copied().skip_while(|byte| *byte == 0);
    if significant.clone().next().is_none_or(|first| first >= 0x80) {
        content.push(0x00);
    }
    content.extend(significant);
    element(tag::INTEGER, &content)
}
