//! The transit engine of Vault: its interface as a fake speaks it, and where tokens come from.

use std::sync::Arc;

use base64ct::{Base64, Encoding};
use serde_json::{Value, json};
use tuffet_core::crypto::{HashAlgorithm, PublicKey, Scheme};
use tuffet_sign::Signer;

use super::keys::{self, Input};
use super::server::{Reply, Server};
use super::world::{Call, Fault, Form, TOKEN, World};
use crate::matrix;

pub(crate) static FORM: Form = Form {
    name: "vault",
    uri: "vault:team/transit/release/3",
    variables: &[("VAULT_ADDR", "URL"), ("VAULT_TOKEN", TOKEN)],
    schemes: matrix::vault,
    call: |asked| match (asked.method.as_str(), asked.target.as_str()) {
        ("GET", "/v1/team/transit/keys/release") => Some(Call::Key),
        ("POST", "/v1/team/transit/sign/release") => Some(Call::Sign),
        _ => None,
    },
    authentic: |asked| asked.header("x-vault-token") == TOKEN,
    complaint: |status, text| Reply::Json(status, json!({ "errors": [text] })),
    key: |_, pair, _| {
        let (kind, public) = match pair.public() {
            PublicKey::Ed25519(bytes) => ("ed25519", Base64::encode_string(&bytes)),
            PublicKey::Rsa { .. } => ("rsa-2048", pair.public().to_spki_pem()),
            _ => ("ecdsa", pair.public().to_spki_pem()),
        };
        Reply::ok(json!({
            "request_id": "1",
            "data": {
                "type": kind,
                "latest_version": 4,
                "supports_signing": true,
                "keys": {
                    "3": { "name": "x", "public_key": public, "creation_time": "2026-01-01T00:00:00Z" },
                    "4": { "name": "x", "public_key": "AAAA" },
                },
            },
        }))
    },
    sign: |asked, pair, scheme| {
        let body = asked.json();
        let input = Base64::decode_vec(body["input"].as_str()?).ok()?;
        let hash = match keys::hash_of(scheme) {
            Some(HashAlgorithm::Sha256) => json!("sha2-256"),
            Some(HashAlgorithm::Sha384) => json!("sha2-384"),
            Some(HashAlgorithm::Sha512) => json!("sha2-512"),
            None => Value::Null,
        };
        let (padding, salt) = match scheme {
            Scheme::RsaPss(_) => (json!("pss"), json!("hash")),
            Scheme::RsaPkcs1v15(_) => (json!("pkcs1v15"), Value::Null),
            _ => (Value::Null, Value::Null),
        };
        if body["key_version"] != 3
            || body["hash_algorithm"] != hash
            || body["signature_algorithm"] != padding
            || body["salt_length"] != salt
        {
            return None;
        }
        let input = match body["prehashed"].as_bool() {
            Some(true) => Input::Digest(&input),
            _ => Input::Message(&input),
        };
        let signature = Base64::encode_string(&pair.sign(scheme, &input)?);
        Some(json!({ "data": { "signature": format!("vault:v3:{signature}"), "key_version": 3 } }))
    },
};

fn world() -> World {
    World::new(&FORM, Scheme::Ed25519)
}

fn signs(world: &World) {
    let signer = world.open().unwrap();
    signer.sign(b"message").unwrap();
    world.key_is_that_of(&signer);
}

#[test]
fn the_token_may_be_in_the_file_that_vault_login_leaves() {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join(".vault-token"), format!("{TOKEN}\n")).unwrap();
    signs(
        &world()
            .unset("VAULT_TOKEN")
            .set("HOME", home.path().to_str().unwrap()),
    );

    let error = world().unset("VAULT_TOKEN").open().unwrap_err();
    assert_eq!(error.code(), "key.kms.credentials");
}

#[test]
fn the_names_that_openbao_has_for_the_variables_are_read_too() {
    let world = world();
    let url = world.server.url();
    let world = world
        .unset("VAULT_ADDR")
        .unset("VAULT_TOKEN")
        .set("BAO_ADDR", url)
        .set("BAO_TOKEN", TOKEN);
    signs(&world);
}

#[test]
fn namespaces_are_sent_along() {
    let world = world().set("VAULT_NAMESPACE", "team/a");
    signs(&world);
    for asked in world.server.asked() {
        assert_eq!(asked.header("x-vault-namespace"), "team/a");
        assert_eq!(asked.header("x-vault-request"), "true");
    }
}

#[test]
fn without_an_address_nothing_is_asked() {
    let error = world().unset("VAULT_ADDR").open().unwrap_err();
    assert_eq!(error.code(), "key.kms.settings");
    let error = world()
        .set("VAULT_ADDR", "http://vault.example:8200")
        .open()
        .unwrap_err();
    assert_eq!(error.code(), "key.kms.settings");
    assert!(error.to_string().contains("plain http"), "{error}");
}

#[test]
fn versions_that_are_not_there_or_not_the_one_that_was_asked_for_are_refused() {
    for (edit, code) in [
        (
            (|value| value["data"]["keys"] = json!({ "4": {} })) as fn(&mut Value),
            "key.kms.refused",
        ),
        (
            |value| value["data"]["supports_signing"] = json!(false),
            "key.kms.refused",
        ),
        (
            |value| value["data"]["keys"]["3"] = json!({}),
            "key.kms.answer",
        ),
        (
            |value| value["data"]["keys"]["3"] = json!(1_600_000_000),
            "key.kms.answer",
        ),
        (|value| value["data"] = json!(null), "key.kms.answer"),
    ] {
        let world = world();
        world.fault(Call::Key, Fault::Edit(edit));
        let error = world.open().unwrap_err();
        assert_eq!(error.code(), code, "{error}");
    }
    let world = world();
    let signer = world.open().unwrap();
    for edit in [
        (|value| {
            let text = value["data"]["signature"]
                .as_str()
                .unwrap()
                .replace(":v3:", ":v4:");
            value["data"]["signature"] = json!(text);
        }) as fn(&mut Value),
        |value| value["data"]["signature"] = json!("vault:v3"),
        |value| value["data"]["signature"] = json!("vault:v3:*"),
        |value| value["data"]["signature"] = json!(null),
    ] {
        world.fault(Call::Sign, Fault::Edit(edit));
        assert_eq!(signer.sign(b"x").unwrap_err().code(), "key.kms.answer");
    }
}

#[test]
fn a_workload_logs_in_with_its_token_and_again_when_that_runs_out() {
    // The login is at the same place as the engine; this one is a door in front of it.
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("jwt");
    std::fs::write(&file, "workload-token").unwrap();
    for (method, set) in [("kubernetes", false), ("jwt/ci", true)] {
        let behind = Arc::new(World::new(&FORM, Scheme::Ed25519));
        let key = Arc::clone(&behind);
        let path = format!("/v1/auth/{method}/login");
        let door = Server::new(move |asked| {
            if asked.target != path {
                return key.answer(asked);
            }
            if asked.json() == json!({ "role": "signer", "jwt": "workload-token" }) {
                Reply::ok(json!({ "auth": { "client_token": TOKEN, "lease_duration": 600 } }))
            } else {
                Reply::Json(400, json!({ "errors": ["workload-token is not known"] }))
            }
        });
        let mut world = world()
            .unset("VAULT_TOKEN")
            .set("VAULT_ADDR", door.url())
            .set("TUFFET_VAULT_ROLE", "signer")
            .set("TUFFET_VAULT_JWT_FILE", file.to_str().unwrap());
        if set {
            world = world.set("TUFFET_VAULT_AUTH", method);
        }
        let logins = || {
            door.asked()
                .iter()
                .filter(|asked| asked.target.ends_with("/login"))
                .count()
        };
        let signer = world.open().unwrap();
        signer.sign(b"message").unwrap();
        behind.key_is_that_of(&signer);
        assert_eq!(logins(), 1);
        world.clock.pass(600);
        signer.sign(b"message").unwrap();
        assert_eq!(logins(), 2);

        let error = world.set("TUFFET_VAULT_ROLE", "other").open().unwrap_err();
        assert_eq!(error.to_string(), "Vault denies access");
    }
    let odd = world()
        .unset("VAULT_TOKEN")
        .set("TUFFET_VAULT_ROLE", "signer");
    let odd = odd
        .set("TUFFET_VAULT_JWT_FILE", file.to_str().unwrap())
        .set("TUFFET_VAULT_AUTH", "../sys");
    assert_eq!(odd.open().unwrap_err().code(), "key.kms.settings");
}
