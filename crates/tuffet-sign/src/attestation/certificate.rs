//! X.509 certificates (RFC 5280), as far as attestation needs them.

use pkcs8::der::asn1::{AnyRef, BitStringRef, OctetStringRef};
use pkcs8::der::{Decode, Header, Reader, SliceReader, Tag, Tagged, pem};
use tuffet_core::crypto::{HashAlgorithm, PublicKey, Scheme};

use crate::signer::PublicKeyInfo;

/// The longest text that certificates are read from, and how many of them at most.
const LONGEST: usize = 64 * 1024;
const MOST: usize = 8;

const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";

/// `basicConstraints`.
const BASIC_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 0x13];

/// An extension: the bytes of its identifier, and what it says.
type Extension = (Vec<u8>, Vec<u8>);

/// A certificate: what was signed, and by which algorithm.
pub(super) struct Certificate {
    pub(super) der: Vec<u8>,
    signed: Vec<u8>,
    algorithm: Vec<u8>,
    signature: Vec<u8>,
    /// The key that it is about; `None` if it is of a kind that signs no metadata.
    pub(super) key: Option<PublicKey>,
    issuer: Vec<u8>,
    subject: Vec<u8>,
    extensions: Vec<Extension>,
}

/// Reads all certificates of a text; what stands between them is ignored, as everywhere.
pub(super) fn read_all(text: &str) -> Result<Vec<Certificate>, String> {
    if text.len() > LONGEST {
        return Err("the certificates are longer than 64 KiB".into());
    }
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(begin) = rest.find(BEGIN) {
        let block = rest.get(begin..).unwrap_or_default();
        let end = block.find(END).and_then(|end| end.checked_add(END.len()));
        let end = end.ok_or("a certificate has no end")?;
        let (block, after) = block
            .split_at_checked(end)
            .ok_or("a certificate has no end")?;
        let (_, der) = pem::decode_vec(block.as_bytes()).map_err(|_| "a certificate is not PEM")?;
        found.push(Certificate::read(&der).map_err(|_| "a certificate is not X.509")?);
        if found.len() > MOST {
            return Err("there are more than 8 certificates".into());
        }
        rest = after;
    }
    Ok(found)
}

impl Certificate {
    fn read(der: &[u8]) -> Result<Self, pkcs8::der::Error> {
        let outer = AnyRef::from_der(der)?;
        outer.tag().assert_eq(Tag::Sequence)?;
        let mut parts = SliceReader::new(outer.value())?;
        let signed = parts.tlv_bytes()?;
        let algorithm = parts.tlv_bytes()?;
        let signature = BitStringRef::decode(&mut parts)?;
        // Signatures are whole bytes, and how many bits count is not signed.
        let signature = signature.as_bytes().ok_or(Tag::BitString.value_error())?;
        parts.finish()?;
        let mut read = Self {
            der: der.to_vec(),
            signed: signed.to_vec(),
            algorithm: algorithm.to_vec(),
            signature: signature.to_vec(),
            key: None,
            issuer: Vec::new(),
            subject: Vec::new(),
            extensions: Vec::new(),
        };
        read.read_signed(AnyRef::from_der(signed)?.value())?;
        Ok(read)
    }

    /// The members of `TBSCertificate` in their order.
    fn read_signed(&mut self, content: &[u8]) -> Result<(), pkcs8::der::Error> {
        let mut parts = SliceReader::new(content)?;
        // The version; without it there are no extensions, and so no attestation.
        parts.tlv_bytes()?;
        let _serial = parts.tlv_bytes()?;
        // The same stands beside the signature, where nobody has signed it (RFC 5280 §4.1.1.2).
        if parts.tlv_bytes()? != self.algorithm {
            return Err(Tag::Sequence.value_error().into());
        }
        self.algorithm = identifier(&self.algorithm)?;
        self.issuer = parts.tlv_bytes()?.to_vec();
        let _validity = parts.tlv_bytes()?;
        self.subject = parts.tlv_bytes()?.to_vec();
        self.key = PublicKey::from_spki_der(parts.tlv_bytes()?).ok();
        while !parts.is_finished() {
            let part = parts.tlv_bytes()?;
            // [3] EXPLICIT; before it may be identifiers that nobody uses.
            if part.first() == Some(&0xa3) {
                let list = value(part)?;
                self.extensions = extensions(value(list)?)?;
            }
        }
        parts.finish()
    }

    /// What an extension says.
    pub(super) fn extension(&self, identifier: &[u8]) -> Option<&[u8]> {
        let found = self
            .extensions
            .iter()
            .find(|(other, _)| other == identifier);
        found.map(|(_, value)| value.as_slice())
    }

    /// Whether it may sign other certificates.
    pub(super) fn is_authority(&self) -> bool {
        // SEQUENCE { BOOLEAN TRUE, … }
        self.extension(BASIC_CONSTRAINTS)
            .and_then(|constraints| value(constraints).ok())
            .is_some_and(|content| content.starts_with(&[0x01, 0x01, 0xff]))
    }

    /// Whether `issuer` has signed it.
    pub(super) fn is_signed_by(&self, issuer: &Self) -> bool {
        const RSA_SHA256: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b];
        const RSA_SHA384: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0c];
        const RSA_SHA512: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0d];
        const ECDSA_SHA256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];
        const ECDSA_SHA384: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x03];
        const ED25519: &[u8] = &[0x2b, 0x65, 0x70];
        let scheme = match self.algorithm.as_slice() {
            RSA_SHA256 => Scheme::RsaPkcs1v15(HashAlgorithm::Sha256),
            RSA_SHA384 => Scheme::RsaPkcs1v15(HashAlgorithm::Sha384),
            RSA_SHA512 => Scheme::RsaPkcs1v15(HashAlgorithm::Sha512),
            ECDSA_SHA256 => Scheme::EcdsaP256Sha256,
            ECDSA_SHA384 => Scheme::EcdsaP384Sha384,
            ED25519 => Scheme::Ed25519,
            _ => return false,
        };
        let key = issuer
            .key
            .clone()
            .map(|key| PublicKeyInfo::new(scheme, key));
        let Some(Ok(key)) = key else {
            return false;
        };
        self.issuer == issuer.subject && key.confirm(&self.signed, &self.signature).is_ok()
    }
}

/// The content of a tagged value.
fn value(der: &[u8]) -> Result<&[u8], pkcs8::der::Error> {
    let mut reader = SliceReader::new(der)?;
    let header = Header::decode(&mut reader)?;
    let content = reader.read_slice(header.length())?;
    reader.finish()?;
    Ok(content)
}

/// The bytes of the object identifier that a sequence begins with.
fn identifier(sequence: &[u8]) -> Result<Vec<u8>, pkcs8::der::Error> {
    let mut parts = SliceReader::new(value(sequence)?)?;
    let identifier = AnyRef::decode(&mut parts)?;
    identifier.tag().assert_eq(Tag::ObjectIdentifier)?;
    Ok(identifier.value().to_vec())
}

fn extensions(list: &[u8]) -> Result<Vec<Extension>, pkcs8::der::Error> {
    let mut parts = SliceReader::new(list)?;
    let mut found = Vec::new();
    while !parts.is_finished() {
        let extension = parts.tlv_bytes()?;
        let mut members = SliceReader::new(value(extension)?)?;
        let name = AnyRef::decode(&mut members)?;
        name.tag().assert_eq(Tag::ObjectIdentifier)?;
        // Whether it is critical is left out where it is not.
        if Tag::peek(&members)? == Tag::Boolean {
            members.tlv_bytes()?;
        }
        let content = <&OctetStringRef>::decode(&mut members)?;
        members.finish()?;
        found.push((name.value().to_vec(), content.as_bytes().to_vec()));
    }
    Ok(found)
}
