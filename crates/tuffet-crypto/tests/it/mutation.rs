//! Damaged signatures, keys and messages: whatever the verdict, both implementations give the same.

use std::sync::LazyLock;

use proptest::prelude::*;
use proptest::sample::Index;
use tuffet_core::crypto::{Key, PublicKey, Scheme, hex};

use crate::agreement::valid_samples;
use crate::support::{Sample, verdict};

static SAMPLES: LazyLock<Vec<Sample>> = LazyLock::new(valid_samples);

#[derive(Clone, Debug)]
enum Damage {
    Set(Index, u8),
    Flip(Index, u8),
    Remove(Index),
    Insert(Index, u8),
    Swap(Index, Index),
    Replace(Vec<u8>),
}

impl Damage {
    fn apply(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Replace(other) => bytes.clone_from(other),
            Self::Insert(at, byte) => bytes.insert(at.index(bytes.len() + 1), *byte),
            _ if bytes.is_empty() => {}
            Self::Set(at, byte) => *at.get_mut(bytes) = *byte,
            Self::Flip(at, bit) => *at.get_mut(bytes) ^= 1 << bit,
            Self::Remove(at) => drop(bytes.remove(at.index(bytes.len()))),
            Self::Swap(one, two) => {
                let length = bytes.len();
                bytes.swap(one.index(length), two.index(length));
            }
        }
    }
}

fn damage() -> impl Strategy<Value = Damage> {
    prop_oneof![
        4 => (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Damage::Set(at, byte)),
        4 => (any::<Index>(), 0..8_u8).prop_map(|(at, bit)| Damage::Flip(at, bit)),
        2 => any::<Index>().prop_map(Damage::Remove),
        2 => (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Damage::Insert(at, byte)),
        1 => any::<(Index, Index)>().prop_map(|(one, two)| Damage::Swap(one, two)),
        1 => prop::collection::vec(any::<u8>(), 0..150).prop_map(Damage::Replace),
    ]
}

/// The bytes that make up a key, put through `damage`.
fn damaged_key(public: &PublicKey, damage: &[Damage]) -> PublicKey {
    let apply = |bytes: &[u8]| {
        let mut bytes = bytes.to_vec();
        damage.iter().for_each(|damage| damage.apply(&mut bytes));
        bytes
    };
    match public {
        PublicKey::Ed25519(bytes) => {
            let mut bytes = apply(bytes);
            bytes.resize(32, 0);
            PublicKey::Ed25519(bytes.try_into().unwrap())
        }
        PublicKey::Ecdsa { curve, point } => PublicKey::Ecdsa {
            curve: *curve,
            point: apply(point).into(),
        },
        PublicKey::Rsa { modulus, exponent } => PublicKey::Rsa {
            modulus: apply(modulus).into(),
            exponent: exponent.clone(),
        },
        PublicKey::MlDsa { parameters, bytes } => PublicKey::MlDsa {
            parameters: *parameters,
            bytes: apply(bytes).into(),
        },
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn providers_agree_on_damaged_input(
        which in any::<Index>(),
        signature in prop::collection::vec(damage(), 0..3),
        key in prop_oneof![3 => Just(Vec::new()), 1 => prop::collection::vec(damage(), 1..3)],
        message in prop::option::weighted(0.2, damage()),
    ) {
        let mut sample = which.get(SAMPLES.as_slice()).clone();
        signature.iter().for_each(|damage| damage.apply(&mut sample.signature));
        message.iter().for_each(|damage| damage.apply(&mut sample.message));
        sample.public = damaged_key(&sample.public, &key);
        let _ = sample.verdict();
    }

    #[test]
    fn providers_agree_on_damaged_der_of_signatures(
        which in any::<Index>(),
        damage in prop::collection::vec(damage(), 1..4),
        header in 0..10_usize,
    ) {
        let ecdsa: Vec<&Sample> = SAMPLES.iter().filter(|sample| sample.scheme.curve().is_some()).collect();
        let mut sample = which.get(&ecdsa).to_owned().clone();
        // The structure is in the first bytes; the rest are numbers.
        let rest = sample.signature.split_off(header);
        damage.iter().for_each(|damage| damage.apply(&mut sample.signature));
        sample.signature.extend(rest);
        let _ = sample.verdict();
    }

    #[test]
    fn providers_agree_on_arbitrary_ed25519(
        public in any::<[u8; 32]>(),
        signature in prop::collection::vec(any::<u8>(), 64),
        message in prop::collection::vec(any::<u8>(), 0..8),
    ) {
        let key = Key::parse("ed25519", Scheme::Ed25519.name(), Some(&hex::encode(&public)), b"{}");
        let _ = verdict("arbitrary bytes", &key, &message, &signature);
    }
}
