//! The rules for Ed25519 that implementations disagree about, in one place for both.
//!
//! RFC 8032 leaves open whether keys and nonces of small order, and encodings that are not canonical, are
//! accepted. With a key of small order one signature is valid for many messages; so we refuse all of them. What
//! remains is checked alike by both implementations: `S` is below the group order, and `R` equals the encoding
//! of `[S]B - [k]A`, without multiplication by the cofactor.

/// The field prime, `2^255 - 19`, little endian.
const PRIME: [u8; 32] = {
    let mut bytes = [0xff; 32];
    bytes[0] = 0xed;
    bytes[31] = 0x7f;
    bytes
};

/// The y coordinates of all eight points of small order, little endian: 1 (order 1), -1 (order 2), 0 (order 4) and
/// the two of order 8. The sign of x is not part of them, since the negative of such a point is another.
const SMALL_ORDER: [[u8; 32]; 5] = [
    {
        let mut one = [0; 32];
        one[0] = 1;
        one
    },
    {
        let mut minus_one = PRIME;
        minus_one[0] = 0xec;
        minus_one
    },
    [0; 32],
    [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98,
        0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53,
        0xfc, 0x05,
    ],
    [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67,
        0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac,
        0x03, 0x7a,
    ],
];

/// Whether a signature is worth verifying: it is 64 bytes long, and neither the key nor the signature's `R` is
/// of small order or not canonically encoded.
pub(crate) fn acceptable(public: &[u8; 32], signature: &[u8]) -> bool {
    signature.len() == 64
        && signature
            .first_chunk::<32>()
            .is_some_and(|r| sound_point(r) && sound_point(public))
}

fn sound_point(encoded: &[u8; 32]) -> bool {
    let mut y = *encoded;
    if let Some(last) = y.last_mut() {
        *last &= 0x7f;
    }
    y.iter().rev().lt(PRIME.iter().rev()) && !SMALL_ORDER.contains(&y)
}
