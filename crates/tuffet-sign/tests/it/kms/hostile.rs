//! Answers with anything in them: they are errors, or make no difference; nothing that does not verify is handed out.

use std::sync::{Mutex, OnceLock, PoisonError};

use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};
use tuffet_core::crypto::Scheme;
use tuffet_sign::Signer;
use tuffet_sign::kms::KmsSigner;

use super::failures::ALL;
use super::server::Reply;
use super::world::{Call, Fault, World};

const SCHEME: Scheme = Scheme::EcdsaP256Sha256;

/// A service with its right answers, which are then spoilt.
struct Subject {
    world: World,
    signer: KmsSigner,
    key: Value,
    signature: Value,
}

impl Subject {
    fn new(world: World) -> Self {
        let signer = world.open().unwrap();
        signer.sign(b"message").unwrap();
        let asked = world.server.asked();
        let form = world.form();
        let Reply::Json(200, key) = (form.key)(&asked[0], world.pair(), SCHEME) else {
            panic!("no key");
        };
        let signature = (form.sign)(&asked[1], world.pair(), SCHEME).unwrap();
        Self {
            world,
            signer,
            key,
            signature,
        }
    }
}

/// All services, one at a time: making them anew for every case would use up the ports.
fn subjects() -> &'static Mutex<Vec<Subject>> {
    static SUBJECTS: OnceLock<Mutex<Vec<Subject>>> = OnceLock::new();
    SUBJECTS.get_or_init(|| {
        let subjects = ALL.map(|form| Subject::new(World::new(form, SCHEME)));
        Mutex::new(subjects.into())
    })
}

/// The JSON pointers of a value and of everything in it.
fn pointers(value: &Value, here: &str, found: &mut Vec<String>) {
    found.push(here.to_owned());
    let inner: Vec<(String, &Value)> = match value {
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| (name.clone(), value))
            .collect(),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .map(|(index, value)| (index.to_string(), value))
            .collect(),
        _ => Vec::new(),
    };
    for (name, value) in inner {
        pointers(value, &format!("{here}/{name}"), found);
    }
}

fn spoilt(value: &Value, place: Index, with: &Value) -> Value {
    let mut places = Vec::new();
    pointers(value, "", &mut places);
    let mut value = value.clone();
    let place: &String = place.get(&places);
    *value.pointer_mut(place).unwrap() = with.clone();
    value
}

fn anything() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        r"\PC{0,12}".prop_map(Value::from),
        "[A-Za-z0-9+/_-]{0,100}={0,2}".prop_map(Value::from),
        "-----BEGIN PUBLIC KEY-----\n[A-Za-z0-9+/]{0,80}\n-----END PUBLIC KEY-----\n"
            .prop_map(Value::from),
        "vault:v[0-9]{0,2}:[A-Za-z0-9+/]{0,40}".prop_map(Value::from),
        prop::collection::vec(any::<u8>(), 0..4).prop_map(Value::from),
        Just(json!({ "data": {}, "keys": [] })),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn spoilt_answers_are_errors_or_make_no_difference(
        service in any::<Index>(),
        place in any::<Index>(),
        with in anything(),
        of_key in any::<bool>(),
    ) {
        let subjects = subjects().lock().unwrap_or_else(PoisonError::into_inner);
        let subject = service.get(&subjects);
        let world = &subject.world;
        world.forget_faults();
        let result = if of_key {
            let answer = spoilt(&subject.key, place, &with);
            world.fault(Call::Key, Fault::Reply(Reply::ok(answer)));
            world.open().map(|signer| {
                let same = signer.public() == subject.signer.public();
                // Whoever declares another key than the one that signs gets nothing signed.
                same || signer
                    .sign(b"message")
                    .is_err_and(|error| error.code() == "key.mismatch")
            })
        } else {
            let answer = spoilt(&subject.signature, place, &with);
            world.fault(Call::Sign, Fault::Reply(Reply::ok(answer)));
            let public = subject.signer.public();
            subject
                .signer
                .sign(b"message")
                .map(|signature| public.confirm(b"message", signature.as_bytes()).is_ok())
        };
        match result {
            Ok(sound) => prop_assert!(sound),
            Err(error) => {
                let code = error.code();
                prop_assert!(code.starts_with("key."), "{}", code);
                prop_assert!(code != "key.kms.unreachable", "{}", error);
            }
        }
    }
}
