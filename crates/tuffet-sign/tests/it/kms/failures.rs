//! What every service has in common: all schemes, and everything that can go wrong.

use std::ffi::OsStr;
use std::time::Duration;

use serde_json::json;
use tuffet_core::crypto::Scheme;
use tuffet_sign::kms::KmsSigner;
use tuffet_sign::{SignError, Signer};

use super::server::{Reply, Server};
use super::world::{Call, Fault, Form, TOKEN, World};
use super::{aws, azure, gcp, vault};
use crate::python;
use crate::surroundings::{again, inside, is_accepted, open};

pub(crate) const ALL: [&Form; 4] = [&aws::FORM, &gcp::FORM, &azure::FORM, &vault::FORM];

/// Runs for every service, with a key that all of them have.
fn each(check: impl Fn(World)) {
    for form in ALL {
        println!("{}", form.name);
        check(World::new(form, Scheme::EcdsaP256Sha256));
    }
}

fn is(error: &SignError, code: &str) {
    assert_eq!(error.code(), code, "{error}");
    shows_no_secret(&format!("{error} {error:?}"));
}

fn shows_no_secret(text: &str) {
    assert!(!text.contains(&TOKEN[..12]), "{text}");
}

#[test]
fn every_scheme_that_a_service_has_signs() {
    for form in ALL {
        for scheme in (form.schemes)() {
            let world = World::new(form, scheme);
            let signer = world
                .open()
                .unwrap_or_else(|error| panic!("{} {scheme}: {error}", form.name));
            world.key_is_that_of(&signer);
            for message in [&b""[..], b"message", &[b'm'; 3000]] {
                let signature = signer
                    .sign(message)
                    .unwrap_or_else(|error| panic!("{} {scheme}: {error}", form.name));
                signer
                    .public()
                    .confirm(message, signature.as_bytes())
                    .unwrap();
            }
            is_accepted(&signer, scheme);
            // One request for the key and one for each signature. Google's keys of ML-DSA take two.
            let twice = form.name == "gcp" && scheme.ml_dsa_parameters().is_some();
            assert_eq!(world.server.count(), 5 + usize::from(twice));
        }
    }
    python::accepts_all();
}

#[test]
fn an_rsa_key_signs_with_pss_unless_the_uri_says_otherwise() {
    for form in ALL {
        let rsa = Scheme::from_name("rsassa-pss-sha256").unwrap();
        let mut world = World::new(form, rsa);
        world.uri = form.uri.to_owned();
        assert_eq!(
            world.open().unwrap().public().scheme(),
            rsa,
            "{}",
            form.name
        );
        world.uri = format!("{}?scheme=ed25519", form.uri);
        is(&world.open().unwrap_err(), "key.scheme");
    }
}

#[test]
fn who_may_not_is_told_so_once() {
    each(|world| {
        world.fault(
            Call::Key,
            Fault::Reply((world.form().complaint)(403, "you may not read it.")),
        );
        let error = world.open().unwrap_err();
        is(&error, "key.kms.denied");
        assert!(
            error.to_string().ends_with("you may not read it"),
            "{error}"
        );

        let signer = world.open().unwrap();
        let before = world.server.count();
        world.fault(
            Call::Sign,
            Fault::Reply((world.form().complaint)(403, "you may not sign")),
        );
        is(&signer.sign(b"x").unwrap_err(), "key.kms.denied");
        assert_eq!(world.server.count(), before + 1);
        assert!(world.clock.waits().is_empty());
    });
}

#[test]
fn a_key_that_is_not_there_is_not_asked_for_again() {
    each(|world| {
        world.fault(
            Call::Key,
            Fault::Reply((world.form().complaint)(404, "no such key")),
        );
        // Google's keys of ML-DSA have to be asked for in another form before it is known that there is none.
        world.fault(
            Call::Key,
            Fault::Reply((world.form().complaint)(404, "no such key")),
        );
        let error = world.open().unwrap_err();
        is(&error, "key.kms.refused");
        assert!(error.to_string().contains("no such key"), "{error}");
        assert!(world.clock.waits().is_empty());
    });
}

#[test]
fn a_service_in_a_hurry_is_asked_again_later() {
    each(|world| {
        let signer = world.open().unwrap();
        for _ in 0..3 {
            world.fault(
                Call::Sign,
                Fault::Reply((world.form().complaint)(429, "slow down")),
            );
        }
        signer.sign(b"x").unwrap();
        let waits = world.clock.waits();
        assert_eq!(waits.len(), 3);
        assert!(waits[0] < waits[1] && waits[1] < waits[2], "{waits:?}");
        assert!(waits[2] <= Duration::from_secs(1), "{waits:?}");
    });
}

#[test]
fn a_service_may_say_how_much_later() {
    each(|world| {
        let later = Reply::With(503, "retry-after: 7", String::new());
        world.fault(Call::Key, Fault::Reply(later));
        world.open().unwrap();
        assert_eq!(world.clock.waits(), [Duration::from_secs(7)]);
    });
}

#[test]
fn a_service_that_stays_broken_is_given_up() {
    each(|world| {
        for _ in 0..4 {
            world.fault(
                Call::Key,
                Fault::Reply((world.form().complaint)(503, "maintenance")),
            );
        }
        let error = world.open().unwrap_err();
        is(&error, "key.kms.unreachable");
        assert!(error.to_string().contains("status 503: "), "{error}");
        assert!(error.to_string().contains("maintenance"), "{error}");
        assert_eq!((world.server.count(), world.clock.waits().len()), (4, 3));
        world.open().unwrap();
    });
}

#[test]
fn a_connection_that_breaks_is_made_again() {
    each(|world| {
        let signer = world.open().unwrap();
        world.fault(Call::Sign, Fault::Reply(Reply::Nothing));
        signer.sign(b"x").unwrap();
        assert_eq!(world.clock.waits().len(), 1);
    });
}

#[test]
fn a_service_that_does_not_answer_is_given_up() {
    each(|world| {
        for _ in 0..4 {
            world.fault(Call::Key, Fault::Reply(Reply::Never));
        }
        let settings = world.settings().timeout(Duration::from_millis(50));
        let error = KmsSigner::open(&world.uri.parse().unwrap(), &settings).unwrap_err();
        is(&error, "key.kms.unreachable");
        assert!(error.to_string().contains("takes too long"), "{error}");
        assert_eq!(world.clock.waits().len(), 3);
    });
}

#[test]
fn nobody_there_is_unreachable() {
    each(|mut world| {
        let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", closed.local_addr().unwrap());
        drop(closed);
        let here = world.server.url();
        for value in world.variables.values_mut() {
            *value = value.replace(&here, &url);
        }
        is(&world.open().unwrap_err(), "key.kms.unreachable");
        assert_eq!(world.clock.waits().len(), 3);
    });
}

#[test]
fn signatures_of_another_key_are_not_handed_out() {
    each(|world| {
        let signer = world.open().unwrap();
        world.fault(Call::Sign, Fault::OtherKey);
        is(&signer.sign(b"x").unwrap_err(), "key.mismatch");
        signer.sign(b"x").unwrap();
    });
}

#[test]
fn signatures_of_another_message_are_not_handed_out() {
    each(|world| {
        let signer = world.open().unwrap();
        let earlier = world.server.count();
        signer.sign(b"one").unwrap();
        let asked = &world.server.asked()[earlier];
        let replayed = (world.form().sign)(asked, world.pair(), Scheme::EcdsaP256Sha256).unwrap();
        world.fault(Call::Sign, Fault::Reply(Reply::ok(replayed)));
        is(&signer.sign(b"other").unwrap_err(), "key.mismatch");
    });
}

#[test]
fn another_key_in_place_of_the_declared_one_signs_nothing_for_it() {
    each(|world| {
        world.fault(Call::Key, Fault::OtherKey);
        let signer = world.open().unwrap();
        is(&signer.sign(b"x").unwrap_err(), "key.mismatch");
    });
}

#[test]
fn answers_that_are_none_are_refused() {
    each(|world| {
        let signer = world.open().unwrap();
        for fault in [
            || Fault::Half,
            || Fault::Reply(Reply::Endless),
            || Fault::Reply(Reply::Text(200, "<html>log in</html>".to_owned())),
            || Fault::Reply(Reply::Text(200, String::new())),
            || Fault::Reply(Reply::ok(json!({}))),
            || Fault::Reply(Reply::ok(json!({ "data": [] }))),
            || Fault::Reply(Reply::Text(204, String::new())),
            || Fault::Reply(Reply::Text(304, String::new())),
        ] as [fn() -> Fault; 8]
        {
            world.fault(Call::Key, fault());
            is(&world.open().unwrap_err(), "key.kms.answer");
            world.fault(Call::Sign, fault());
            is(&signer.sign(b"x").unwrap_err(), "key.kms.answer");
        }
        assert!(world.clock.waits().is_empty());
    });
}

#[test]
fn redirects_are_not_followed() {
    let elsewhere = Server::new(|_| Reply::ok(json!({})));
    let header: &'static str =
        Box::leak(format!("location: {}/x", elsewhere.url()).into_boxed_str());
    each(|world| {
        for status in [301, 302, 303, 307, 308] {
            let reply = Reply::With(status, header, String::new());
            world.fault(Call::Key, Fault::Reply(reply));
            is(&world.open().unwrap_err(), "key.kms.answer");
        }
    });
    assert_eq!(elsewhere.count(), 0);
}

#[test]
fn a_service_that_repeats_the_token_does_not_get_it_into_the_error() {
    each(|world| {
        for text in [
            TOKEN.to_owned(),
            format!("Bearer {TOKEN} is bad"),
            format!("no {}", &TOKEN[2..]),
        ] {
            for status in [400, 403, 404, 503] {
                for _ in 0..4 {
                    world.fault(
                        Call::Key,
                        Fault::Reply((world.form().complaint)(status, &text)),
                    );
                }
                let error = world.open().unwrap_err();
                shows_no_secret(&format!("{error} {error:?}"));
                world.forget_faults();
            }
        }
    });
}

#[test]
fn debug_output_has_no_secrets() {
    each(|world| {
        shows_no_secret(&format!(
            "{:?} {:?}",
            world.open().unwrap(),
            world.settings()
        ));
    });
}

#[test]
fn the_settings_may_name_the_endpoint() {
    each(|mut world| {
        let here = world.server.url();
        for value in world.variables.values_mut() {
            *value = value.replace(&here, "https://elsewhere.invalid");
        }
        let settings = world.settings().endpoint(&here);
        let uri = world.uri.parse().unwrap();
        let signer = KmsSigner::open(&uri, &settings).unwrap();
        world.key_is_that_of(&signer);
        let settings = world.settings().endpoint("http://10.0.0.1");
        is(
            &KmsSigner::open(&uri, &settings).unwrap_err(),
            "key.kms.settings",
        );
    });
}

#[test]
fn tokens_that_cannot_be_sent_are_not() {
    for form in [&gcp::FORM, &azure::FORM, &vault::FORM] {
        let world = World::new(form, Scheme::EcdsaP256Sha256);
        let (name, _) = form.variables[1];
        let error = world.set(name, "two\nlines").open().unwrap_err();
        assert_eq!(error.code(), "key.kms.unreachable");
        assert!(!error.to_string().contains("lines"), "{error}");
    }
}

#[test]
fn key_uris_open_keys_with_what_the_environment_says() {
    const TEST: &str = "kms::failures::key_uris_open_keys_with_what_the_environment_says";
    if inside(TEST) {
        let uri = std::env::var("TUFFET_TEST_KEY").unwrap();
        is_accepted(&open(&uri), Scheme::EcdsaP256Sha256);
        return;
    }
    each(|world| {
        let variables: Vec<(&str, &OsStr)> = world
            .variables
            .iter()
            .map(|(name, value)| (name.as_str(), OsStr::new(value)))
            .chain([("TUFFET_TEST_KEY", OsStr::new(&world.uri))])
            .collect();
        // Whoever runs the tests may have credentials of their own.
        again(TEST, &variables);
        assert_eq!(world.server.count(), 2);
    });
}
