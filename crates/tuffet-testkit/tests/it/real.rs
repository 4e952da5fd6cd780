//! Keys and repositories that are real.

use ed25519_dalek::{Signer as _, SigningKey};
use tuffet_core::crypto::{Crypto, hex};
use tuffet_core::metadata::UnixTime;
use tuffet_core::trust::{Answer, Context, Mode, Policy, Refresh, Step, TrustAnchor};
use tuffet_testkit::simulation::{Core, Signing, play};
use tuffet_testkit::{NOW, Repository, time};

/// Ed25519 keys by number, verified by the provider that clients use.
pub(crate) struct Ed25519;

impl Ed25519 {
    fn key(key: u16) -> SigningKey {
        let mut seed = [7; 32];
        seed[..2].copy_from_slice(&key.to_be_bytes());
        SigningKey::from_bytes(&seed)
    }
}

impl Signing for Ed25519 {
    fn crypto(&self) -> &'static dyn Crypto {
        tuffet_crypto::default_provider()
    }

    fn public(&self, key: u16) -> String {
        hex::encode(Self::key(key).verifying_key().as_bytes())
    }

    fn sign(&self, key: u16, message: &[u8]) -> Vec<u8> {
        Self::key(key).sign(message).to_vec()
    }
}

#[test]
fn traces_go_the_same_way_with_real_signatures() {
    for seed in 0..12 {
        if let Err(failure) = play(seed, &Ed25519, || Core) {
            panic!("{failure}");
        }
    }
}

#[test]
fn a_real_repository_can_be_read_with_the_real_provider() {
    let repository = Repository::real();
    let policy = Policy::default();
    let context = Context {
        crypto: tuffet_crypto::default_provider(),
        policy: &policy,
        now: time(NOW),
    };
    let anchor = TrustAnchor::Root(repository.root.bytes());
    let mut refresh = Refresh::new(anchor, Mode::Online, context);
    loop {
        let answer = match refresh.step() {
            Step::Done => break,
            Step::Load(_) => Answer::Absent,
            Step::Store(_) => Answer::Stored,
            Step::Fetch(fetch) => repository
                .files
                .get(&fetch.file.url_path())
                .map_or(Answer::Absent, |bytes| Answer::Bytes(bytes.clone())),
        };
        refresh.answer(answer).expect("a good repository");
    }
    let view = refresh.finish().expect("done");
    assert_eq!(view.targets().targets().count(), 1);
    assert!(view.fresh_until() > UnixTime(0));
}
