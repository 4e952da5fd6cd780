//! What the tests share: keys from their parts, and one verdict from two implementations.

use tuffet_core::crypto::{Key, PublicKey, Scheme, Signature, SignatureCheck, Verdict, hex};

/// A signature to verify.
#[derive(Clone, Debug)]
pub(crate) struct Sample {
    pub(crate) name: String,
    pub(crate) scheme: Scheme,
    pub(crate) public: PublicKey,
    pub(crate) message: Vec<u8>,
    pub(crate) signature: Vec<u8>,
}

impl Sample {
    /// The verdict of both implementations, which must be the same.
    pub(crate) fn verdict(&self) -> Verdict {
        verdict(
            &self.name,
            &key(self.scheme, &self.public),
            &self.message,
            &self.signature,
        )
    }

    pub(crate) fn with_signature(&self, what: &str, signature: impl Into<Vec<u8>>) -> Self {
        Self {
            name: format!("{}: {what}", self.name),
            signature: signature.into(),
            ..self.clone()
        }
    }
}

/// The key as metadata would list it.
pub(crate) fn key(scheme: Scheme, public: &PublicKey) -> Key {
    let strings = public.to_metadata(scheme).expect("the key fits the scheme");
    Key::parse(
        strings.keytype,
        strings.scheme,
        Some(&strings.public),
        b"{}",
    )
}

/// The verdict of both implementations, which must be the same.
pub(crate) fn verdict(name: &str, key: &Key, message: &[u8], signature: &[u8]) -> Verdict {
    let signature = Signature {
        keyid: "key".into(),
        bytes: signature.to_vec(),
        raw: b"{}",
    };
    let check = SignatureCheck {
        key,
        message,
        signature: &signature,
    };
    let [aws_lc, pure] =
        [tuffet_crypto::aws_lc(), tuffet_crypto::pure()].map(|crypto| crypto.verify(&check));
    assert_eq!(
        aws_lc, pure,
        "aws-lc (left) and pure Rust (right) disagree about {name}"
    );
    aws_lc
}

pub(crate) fn bytes(text: &str) -> Vec<u8> {
    hex::decode(text).expect("hexadecimal text")
}

/// Big endian numbers of equal length: `left + right`, with the carry in front.
pub(crate) fn sum(left: &[u8], right: &[u8]) -> Vec<u8> {
    assert_eq!(left.len(), right.len());
    let mut carry = 0;
    let mut digits: Vec<u8> = left
        .iter()
        .zip(right)
        .rev()
        .map(|(left, right)| {
            let sum = u16::from(*left) + u16::from(*right) + carry;
            carry = sum >> 8;
            (sum & 0xff) as u8
        })
        .collect();
    digits.push(u8::from(carry != 0));
    digits.reverse();
    digits
}

/// Big endian numbers of equal length: `left - right`, which must not be negative.
pub(crate) fn difference(left: &[u8], right: &[u8]) -> Vec<u8> {
    assert_eq!(left.len(), right.len());
    let mut borrow = 0;
    let mut digits: Vec<u8> = left
        .iter()
        .zip(right)
        .rev()
        .map(|(left, right)| {
            let difference = i16::from(*left) - i16::from(*right) - borrow;
            borrow = i16::from(difference < 0);
            (difference & 0xff) as u8
        })
        .collect();
    assert_eq!(borrow, 0);
    digits.reverse();
    digits
}

/// A DER element with its length in the shortest form.
pub(crate) fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = match content.len() {
        short @ ..0x80 => vec![short as u8],
        middle @ ..0x100 => vec![0x81, middle as u8],
        long => vec![0x82, (long >> 8) as u8, (long & 0xff) as u8],
    };
    [&[tag], length.as_slice(), content].concat()
}

/// A DER integer.
pub(crate) fn integer(number: &[u8]) -> Vec<u8> {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    let mut content = number[zeros..].to_vec();
    if content.first().is_none_or(|first| *first >= 0x80) {
        content.insert(0, 0);
    }
    element(0x02, &content)
}
