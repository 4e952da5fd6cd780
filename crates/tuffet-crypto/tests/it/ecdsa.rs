//! ECDSA: RFC 6979 vectors, the edges of DER and of the numbers, and points that are none.

use tuffet_core::crypto::{PublicKey, Scheme, Verdict};

use crate::support::{Sample, bytes, difference, element, integer, sum};
use crate::vectors::ecdsa::{Numbers, RFC_6979};

pub(crate) fn rfc_6979() -> impl Iterator<Item = Sample> {
    RFC_6979.iter().map(sample)
}

fn sample(numbers: &Numbers) -> Sample {
    let scheme = Scheme::from_name(numbers.scheme).unwrap();
    Sample {
        name: format!("RFC 6979 {} {}", numbers.section, numbers.message),
        scheme,
        public: PublicKey::Ecdsa {
            curve: scheme.curve().unwrap(),
            point: bytes(numbers.public).into(),
        },
        message: numbers.message.into(),
        signature: signature(&bytes(numbers.r), &bytes(numbers.s)),
    }
}

fn signature(r: &[u8], s: &[u8]) -> Vec<u8> {
    element(0x30, &[integer(r), integer(s)].concat())
}

#[test]
fn both_values_of_s_are_accepted() {
    for numbers in RFC_6979 {
        let other = difference(&bytes(numbers.order), &bytes(numbers.s));
        let sample = sample(numbers).with_signature("n - s", signature(&bytes(numbers.r), &other));
        assert_eq!(sample.verdict(), Verdict::Valid, "{}", sample.name);
    }
}

#[test]
fn numbers_outside_the_group_are_refused() {
    for numbers in RFC_6979 {
        let [r, s, order] = [numbers.r, numbers.s, numbers.order].map(bytes);
        let zero = vec![0; r.len()];
        let one = [&zero[1..], &[1]].concat();
        for (what, forged) in [
            ("r = 0", signature(&zero, &s)),
            ("s = 0", signature(&r, &zero)),
            ("r = s = 0", signature(&zero, &zero)),
            ("r = n", signature(&order, &s)),
            ("s = n", signature(&r, &order)),
            ("r + n", signature(&sum(&r, &order), &s)),
            ("s + n", signature(&r, &sum(&s, &order))),
            ("r = 1", signature(&one, &s)),
            ("r and s exchanged", signature(&s, &r)),
            ("r far too long", signature(&[0x7f; 200], &s)),
        ] {
            let sample = sample(numbers).with_signature(what, forged);
            assert_eq!(sample.verdict(), Verdict::Invalid, "{}", sample.name);
        }
    }
}

#[test]
fn only_strict_der_is_accepted() {
    for numbers in RFC_6979 {
        let [r, s] = [numbers.r, numbers.s].map(bytes);
        let pair = [integer(&r), integer(&s)].concat();
        let padded = |number: &[u8]| element(0x02, &[&[0, 0], number].concat());
        let unsigned = |number: &[u8]| element(0x02, number);
        // 0x82 with a length that fits in one byte.
        let mut long_length = element(0x30, &pair);
        let header = long_length.len() - pair.len();
        long_length.splice(..header, [0x30, 0x82, 0x00, pair.len() as u8]);
        for (what, forged) in [
            ("not DER but r and s", [&r[..], &s[..]].concat()),
            (
                "zeros before r",
                element(0x30, &[padded(&r), integer(&s)].concat()),
            ),
            (
                "zeros before s",
                element(0x30, &[integer(&r), padded(&s)].concat()),
            ),
            ("length in long form", long_length),
            (
                "indefinite length",
                [&[0x30, 0x80], &pair[..], &[0, 0]].concat(),
            ),
            (
                "a third number",
                element(0x30, &[pair.clone(), integer(&[1])].concat()),
            ),
            ("one number", element(0x30, &integer(&r))),
            ("set instead of sequence", element(0x31, &pair)),
            (
                "octets instead of a number",
                element(0x30, &[element(0x04, &r), integer(&s)].concat()),
            ),
            (
                "empty number",
                element(0x30, &[element(0x02, &[]), integer(&s)].concat()),
            ),
            ("nothing in it", element(0x30, &[])),
            (
                "bytes after it",
                [element(0x30, &pair), vec![0x05, 0x00]].concat(),
            ),
        ] {
            let sample = sample(numbers).with_signature(what, forged);
            assert_eq!(sample.verdict(), Verdict::Invalid, "{}", sample.name);
        }
        // Without its sign byte a number with the top bit set is negative.
        if r[0] >= 0x80 {
            let negative = element(0x30, &[unsigned(&r), integer(&s)].concat());
            let sample = sample(numbers).with_signature("r negative", negative);
            assert_eq!(sample.verdict(), Verdict::Invalid, "{}", sample.name);
        }
        let whole = signature(&r, &s);
        for length in 0..whole.len() {
            let sample = sample(numbers).with_signature("truncated", &whole[..length]);
            assert_eq!(
                sample.verdict(),
                Verdict::Invalid,
                "{} to {length}",
                sample.name
            );
        }
    }
}

#[test]
fn compressed_points_are_the_same_keys() {
    for numbers in RFC_6979 {
        let mut sample = sample(numbers);
        let PublicKey::Ecdsa { curve, point } = &sample.public else {
            panic!("an ECDSA key");
        };
        let (curve, whole) = (*curve, point.clone());
        let x = &whole[1..][..curve.coordinate_length()];
        let odd = whole[whole.len() - 1] & 1;
        for (form, expected) in [(2 + odd, Verdict::Valid), (3 - odd, Verdict::Invalid)] {
            let point = [&[form], x].concat().into();
            sample.public = PublicKey::Ecdsa { curve, point };
            assert_eq!(sample.verdict(), expected, "{} as form {form}", sample.name);
        }
    }
}

#[test]
fn points_off_the_curve_verify_nothing() {
    for numbers in RFC_6979 {
        let mut sample = sample(numbers);
        let PublicKey::Ecdsa { curve, point } = sample.public.clone() else {
            panic!("an ECDSA key");
        };
        let length = curve.coordinate_length();
        let mut off = point.to_vec();
        off[2 * length] ^= 1;
        let [zeros, ones] = [0x00, 0xff].map(|byte| [&[4], &vec![byte; 2 * length][..]].concat());
        let large = [&[2], &vec![0xff; length][..]].concat();
        for point in [off, zeros, ones, large] {
            sample.public = PublicKey::Ecdsa {
                curve,
                point: point.into(),
            };
            assert_eq!(sample.verdict(), Verdict::Invalid, "{:?}", sample.public);
        }
    }
}
