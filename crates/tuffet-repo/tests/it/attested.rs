//! Roles that only take keys which a token vouches for.

use std::fs;
use std::path::Path;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, CustomExtension, DistinguishedName,
    DnType, IsCa, KeyPair,
};
use tuffet_core::crypto::Scheme;
use tuffet_repo::{Delegate, DelegatedPaths, NamedKey};
use tuffet_sign::{FileKey, Protection, Signer};

use crate::support::{NOW, World, code, delegated, named, run};

/// A maker, and a token of his.
struct Maker(CertifiedIssuer<'static, KeyPair>);

fn parameters(name: &str, is_ca: IsCa) -> CertificateParams {
    let mut parameters = CertificateParams::new([]).unwrap();
    parameters.distinguished_name = DistinguishedName::new();
    parameters.distinguished_name.push(DnType::CommonName, name);
    parameters.is_ca = is_ca;
    parameters
}

impl Maker {
    fn new(name: &str) -> Self {
        let root = parameters(name, IsCa::Ca(BasicConstraints::Unconstrained));
        Self(CertifiedIssuer::self_signed(root, KeyPair::generate().unwrap()).unwrap())
    }

    fn root(&self) -> String {
        self.0.pem()
    }

    /// The certificates of a key that a token of this maker has made, with that touch policy.
    fn attest(&self, key: &FileKey, touch: u8) -> String {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("key.pem");
        key.save(&path, Protection::Plain).unwrap();
        let key = KeyPair::from_pem(&fs::read_to_string(&path).unwrap()).unwrap();

        let token = parameters("a token", IsCa::Ca(BasicConstraints::Constrained(0)));
        let token =
            CertifiedIssuer::signed_by(token, KeyPair::generate().unwrap(), &self.0).unwrap();
        let mut slot = parameters("a slot", IsCa::NoCa);
        let policy = [1, 3, 6, 1, 4, 1, 41482, 3, 8];
        let policy = CustomExtension::from_oid_content(&policy, vec![3, touch]);
        slot.custom_extensions.push(policy);
        let slot = slot.signed_by(&key, &token).unwrap();
        format!("{}{}", slot.pem(), token.pem())
    }
}

const TOUCH_NEVER: u8 = 1;
const TOUCH_ALWAYS: u8 = 2;

/// A repository in which `edge` takes keys of tokens, and `strict` those that want a touch.
fn asking(maker: &Maker) -> World {
    let world = World::published();
    let path = world.directory().join("tuffet.toml");
    let policy = format!(
        "{}\n[attestation]\nrequire-attested = [\"edge\"]\nrequire-touch = [\"strict\"]\nroots = '''\n{}'''\n",
        fs::read_to_string(&path).unwrap(),
        maker.root()
    );
    fs::write(&path, policy).unwrap();
    world
}

fn delegate(role: &str, key: NamedKey) -> Delegate {
    let patterns = DelegatedPaths::Patterns(vec![format!("{role}/*")]);
    Delegate::new(delegated(role), patterns, vec![key])
}

#[test]
fn a_role_that_takes_keys_of_tokens_takes_no_others() {
    let (maker, other) = (Maker::new("a maker"), Maker::new("another"));
    let world = asking(&maker);
    let [sam, lin] = [(); 2].map(|()| FileKey::generate(Scheme::EcdsaP256Sha256).unwrap());
    let plan = |role: &str, chain: Option<String>| {
        let key = named("sam", &sam);
        let key = match &chain {
            Some(chain) => key.with_attestation(chain),
            None => key,
        };
        code(world.repository().delegate(&delegate(role, key), NOW))
    };
    let refused = "policy.not-attested";
    assert_eq!(plan("edge", None), refused);
    assert_eq!(plan("edge", Some(String::new())), refused);
    assert_eq!(plan("edge", Some(other.attest(&sam, TOUCH_NEVER))), refused);
    assert_eq!(plan("edge", Some(maker.attest(&lin, TOUCH_NEVER))), refused);
    assert_eq!(
        plan("edge", Some(maker.attest(&sam, TOUCH_NEVER))),
        "no error"
    );
    assert_eq!(
        plan("strict", Some(maker.attest(&sam, TOUCH_NEVER))),
        refused
    );
    assert_eq!(
        plan("strict", Some(maker.attest(&sam, TOUCH_ALWAYS))),
        "no error"
    );
    assert_eq!(plan("free", None), "no error");
}

#[test]
fn the_word_of_a_token_stays_with_the_key_and_travels_with_the_change() {
    let maker = Maker::new("a maker");
    let world = asking(&maker);
    let sam = FileKey::generate(Scheme::EcdsaP256Sha256).unwrap();
    let chain = maker.attest(&sam, TOUCH_ALWAYS);
    let (ben, stranger) = (world.fork(), world.fork());
    let key = named("sam", &sam).with_attestation(&chain);
    run(world.repository().delegate(&delegate("strict", key), NOW));
    let change = world.repository().export_change().unwrap();

    // Ben judges by the roots in his own tuffet.toml.
    let receive = |world: &World| {
        let repository = world.repository();
        code(repository.receive_change(&change, Path::new("change.tuf")))
    };
    assert_eq!(receive(&ben), "no error");
    let path = stranger.directory().join("tuffet.toml");
    let text = fs::read_to_string(&path).unwrap();
    let other = Maker::new("another").root();
    fs::write(&path, text.replace(&maker.root(), &other)).unwrap();
    assert_eq!(receive(&stranger), "policy.not-attested");

    run(world.repository().sign(&[world.ana, world.ben, &sam]));
    world.publish(NOW);
    let repository = world.repository();
    let known = &repository.policy().keys["sam"];
    assert_eq!(known.attestation.as_deref(), Some(chain.as_str()));
    // It is no part of what clients see.
    let published = fs::read_to_string(world.metadata("3.targets.json")).unwrap();
    assert!(
        published.contains(named("sam", &sam).keyid().as_str()),
        "{published}"
    );
    assert!(!published.contains("CERTIFICATE"), "{published}");
    // Later edits need not say it again.
    world.add("app.tar.2", b"app 2");
    assert_eq!(sam.public().scheme(), Scheme::EcdsaP256Sha256);
}
