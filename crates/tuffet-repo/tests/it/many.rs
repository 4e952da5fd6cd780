//! Five of nine: nine people whose keys are all of different kinds, and every wrong way to their signatures.

use std::path::Path;

use tempfile::TempDir;
use tuffet_core::crypto::{HashAlgorithm, Scheme};
use tuffet_core::metadata::{RoleName, TargetPath};
use tuffet_repo::{AddTarget, Error, InitOptions, NamedKey, Plan, Publish, Repository, RotateKey};
use tuffet_sign::{FileKey, Signer};

use crate::support::{Client, NOW, code, key, named, run};

/// Nine schemes, one for each person.
const SCHEMES: [Scheme; 9] = [
    Scheme::Ed25519,
    Scheme::EcdsaP256Sha256,
    Scheme::EcdsaP384Sha384,
    Scheme::EcdsaP521Sha512,
    Scheme::RsaPss(HashAlgorithm::Sha256),
    Scheme::RsaPkcs1v15(HashAlgorithm::Sha512),
    Scheme::MlDsa44,
    Scheme::MlDsa65,
    Scheme::MlDsa87,
];

/// A repository that five of the nine sign, and what is published of it.
struct Nine {
    place: TempDir,
    people: Vec<FileKey>,
    online: &'static FileKey,
}

impl Nine {
    fn founded() -> Self {
        let generate = |scheme| FileKey::generate(scheme).unwrap();
        let nine = Self {
            place: tempfile::tempdir().unwrap(),
            people: SCHEMES.map(generate).into(),
            online: key(),
        };
        let keys: Vec<NamedKey> = nine
            .people
            .iter()
            .zip(0..)
            .map(|(key, number)| named(&format!("p{number}"), key))
            .collect();
        let online = vec![named("online", nine.online)];
        let options = InitOptions::new("nine", keys, 5, online);
        run(Repository::init(
            &nine.directory("nine"),
            &options,
            &nine.signers(0..5),
            NOW,
        ));
        nine
    }

    fn published() -> Self {
        let nine = Self::founded();
        run(nine.publish());
        nine
    }

    fn directory(&self, name: &str) -> std::path::PathBuf {
        self.place.path().join(name)
    }

    fn repository(&self) -> Repository {
        Repository::open(&self.directory("nine")).unwrap()
    }

    fn signers(&self, numbers: std::ops::Range<usize>) -> Vec<&dyn Signer> {
        self.people[numbers]
            .iter()
            .map(|key| key as &dyn Signer)
            .collect()
    }

    fn publish(&self) -> Result<Plan, Error> {
        let public = Publish::to(self.directory("public"));
        self.repository().publish(&public, &[self.online], NOW)
    }

    fn add(&self, name: &str) {
        let file = self.directory(name);
        std::fs::write(&file, name).unwrap();
        let add = AddTarget::new(TargetPath::new(name).unwrap(), file);
        run(self.repository().add_target(&add, NOW));
    }

    fn sign(&self, numbers: std::ops::Range<usize>) {
        run(self.repository().sign(&self.signers(numbers)));
    }

    /// How many have signed a role of the open change, for each set of keys that it needs.
    fn have(&self, role: &RoleName) -> Vec<(u64, u64)> {
        let change = self.repository().change().unwrap();
        let draft = change
            .drafts
            .iter()
            .find(|draft| draft.role == *role)
            .unwrap();
        draft
            .needs
            .iter()
            .map(|need| (need.have, need.need))
            .collect()
    }
}

fn receive(nine: &Nine, change: &[u8]) -> Result<Plan, Error> {
    nine.repository()
        .receive_change(change, Path::new("change.tuf"))
}

#[test]
fn k03_any_five_of_nine_are_enough_and_four_are_not() {
    let nine = Nine::published();
    let public = nine.directory("public");
    let root = std::fs::read(public.join("metadata/1.root.json")).unwrap();
    for first in 0..5 {
        let name = format!("app-{first}");
        nine.add(&name);
        nine.sign(first..first + 4);
        assert_eq!(nine.have(&RoleName::Targets), [(4, 5)]);
        assert_eq!(code(nine.publish()), "signatures.missing");
        // The same four again are still four.
        assert!(run(nine.repository().sign(&nine.signers(first..first + 4))).is_empty());
        assert_eq!(nine.have(&RoleName::Targets), [(4, 5)]);
        nine.sign(first + 4..first + 5);
        run(nine.publish());
        Client::new(root.clone()).get(&public, NOW, &name).unwrap();
    }
}

#[test]
fn k03_the_old_threshold_and_the_new_one_are_counted_apart() {
    let nine = Nine::published();
    let replacements: Vec<FileKey> = (0..5)
        .map(|_| FileKey::generate(Scheme::Ed25519).unwrap())
        .collect();
    for (number, new) in replacements.iter().enumerate() {
        let rotate = RotateKey::new(&format!("p{number}"), named(&format!("p{number}-2"), new));
        run(nine.repository().rotate_key(&rotate, NOW));
    }
    let new: Vec<&dyn Signer> = replacements.iter().map(|key| key as &dyn Signer).collect();
    run(nine.repository().sign(&new));
    // Five of the new root's keys have signed; of the old one's nobody has.
    assert_eq!(nine.have(&RoleName::Root), [(0, 5), (5, 5)]);
    assert_eq!(code(nine.publish()), "signatures.missing");
    nine.sign(5..9);
    assert_eq!(nine.have(&RoleName::Root), [(4, 5), (9, 5)]);
    assert_eq!(code(nine.publish()), "signatures.missing");
    nine.sign(0..1);
    assert_eq!(nine.have(&RoleName::Root), [(5, 5), (9, 5)]);
    run(nine.publish());
}

#[test]
fn every_wrong_way_to_a_quorum_is_refused_with_its_code() {
    let nine = Nine::published();
    nine.add("app");
    // A key that nobody named, and one that is named twice for one role.
    assert_eq!(code(nine.repository().sign(&[key()])), "key.not-needed");
    let twice = vec![
        named("one", &nine.people[0]),
        named("other", &nine.people[0]),
    ];
    let options = InitOptions::new("twice", twice, 2, vec![named("online", nine.online)]);
    assert_eq!(
        code(Repository::init(
            &nine.directory("twice"),
            &options,
            &[],
            NOW
        )),
        "key.duplicate"
    );
    // A signature that was made for another version counts for none.
    nine.sign(0..4);
    let early = nine.repository().export_change().unwrap();
    let changed = nine.repository().discarding_signatures(true);
    run(changed.remove_target(&TargetPath::new("app").unwrap(), None, NOW));
    nine.add("more");
    assert_eq!(
        nine.have(&RoleName::Targets),
        [(0, 5)],
        "the edit took the signatures away"
    );
    assert_eq!(code(receive(&nine, &early)), "change.differs");
    let (payload, _) = nine.repository().payload(&RoleName::Targets, "p0").unwrap();
    let other = nine.people[0].sign(b"something else").unwrap();
    let attach = |signature: &[u8]| {
        nine.repository()
            .attach_signature(&RoleName::Targets, "p0", signature)
    };
    assert_eq!(code(attach(other.as_bytes())), "key.mismatch");
    run(attach(nine.people[0].sign(&payload).unwrap().as_bytes()));
    assert_eq!(nine.have(&RoleName::Targets), [(1, 5)]);
    // A change of another repository of the same name.
    let stranger = Nine::published();
    stranger.add("app");
    let foreign = stranger.repository().export_change().unwrap();
    run(nine.repository().drop_change());
    assert_eq!(code(receive(&nine, &foreign)), "change.foreign");
    // One that was published already.
    nine.add("app");
    nine.sign(0..5);
    let done = nine.repository().export_change().unwrap();
    run(nine.publish());
    assert_eq!(code(receive(&nine, &done)), "change.published");
}
