//! Digests: FIPS 180-4 examples, and streaming.

use proptest::prelude::*;
use tuffet_core::crypto::{Digest, HashAlgorithm};

const EXAMPLES: [(HashAlgorithm, &[u8], &str); 6] = [
    (
        HashAlgorithm::Sha256,
        b"",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    ),
    (
        HashAlgorithm::Sha256,
        b"abc",
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    ),
    (
        HashAlgorithm::Sha384,
        b"",
        "38b060a751ac96384cd9327eb1b1e36a21fdb71114be07434c0cc7bf63f6e1da274edebfe76f65fbd51ad2f14898b95b",
    ),
    (
        HashAlgorithm::Sha384,
        b"abc",
        "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7",
    ),
    (
        HashAlgorithm::Sha512,
        b"",
        "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e",
    ),
    (
        HashAlgorithm::Sha512,
        b"abc",
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
    ),
];

#[test]
fn digests_are_those_of_fips_180() {
    for (algorithm, message, expected) in EXAMPLES {
        let expected = Digest::from_hex(algorithm, expected).unwrap();
        assert_eq!(tuffet_crypto::aws_lc().digest(algorithm, message), expected);
        assert_eq!(tuffet_crypto::pure().digest(algorithm, message), expected);
    }
}

#[test]
fn the_default_is_aws_lc() {
    let default: *const () = std::ptr::from_ref(tuffet_crypto::default_provider()).cast();
    let aws_lc: *const () = std::ptr::from_ref(tuffet_crypto::aws_lc()).cast();
    assert_eq!(default, aws_lc);
}

proptest! {
    #[test]
    fn digests_do_not_depend_on_pieces_or_implementation(
        pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 0..6),
    ) {
        let whole = pieces.concat();
        for algorithm in HashAlgorithm::ALL {
            let expected = tuffet_crypto::aws_lc().digest(algorithm, &whole);
            prop_assert_eq!(expected.algorithm(), algorithm);
            prop_assert_eq!(tuffet_crypto::pure().digest(algorithm, &whole), expected);
            for crypto in [tuffet_crypto::aws_lc(), tuffet_crypto::pure()] {
                let mut hasher = crypto.hasher(algorithm);
                for piece in &pieces {
                    hasher.update(piece);
                }
                prop_assert_eq!(hasher.finish(), expected);
            }
        }
    }
}
