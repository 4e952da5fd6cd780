//! Azure Key Vault: its interface as a fake speaks it, and where tokens come from.

use base64ct::{Base64UrlUnpadded, Encoding};
use serde_json::{Value, json};
use tuffet_core::crypto::{Curve, PublicKey, Scheme};
use tuffet_sign::Signer;

use super::keys::Input;
use super::server::{Asked, Reply, Server};
use super::world::{Call, Fault, Form, TOKEN, World};
use crate::matrix;

const PATH: &str = "/keys/root/0123456789abcdef";
const ID: &str = "https://tuf.vault.azure.net/keys/root/0123456789abcdef";

pub(crate) static FORM: Form = Form {
    name: "azure",
    uri: "azurekms://tuf.vault.azure.net/keys/root/0123456789abcdef",
    variables: &[
        ("TUFFET_AZUREKMS_ENDPOINT", "URL"),
        ("AZURE_ACCESS_TOKEN", TOKEN),
    ],
    schemes: matrix::azure,
    call: |asked| {
        if asked.field("api-version") != "7.4" {
            return None;
        }
        match (asked.method.as_str(), asked.path().strip_prefix(PATH)?) {
            ("GET", "") => Some(Call::Key),
            ("POST", "/sign") => Some(Call::Sign),
            _ => None,
        }
    },
    authentic: |asked| asked.header("authorization") == format!("Bearer {TOKEN}"),
    complaint: |status, text| {
        let kind = match status {
            403 => "Forbidden",
            404 => "KeyNotFound",
            429 => "Throttled",
            400 => "BadParameter",
            _ => "InternalServerError",
        };
        Reply::Json(
            status,
            json!({ "error": { "code": kind, "message": text } }),
        )
    },
    key: |_, pair, _| {
        Reply::ok(json!({ "key": web_key(&pair.public()), "attributes": { "enabled": true } }))
    },
    sign: |asked, pair, scheme| {
        let body = asked.json();
        if body["alg"] != algorithm(scheme) {
            return None;
        }
        let digest = Base64UrlUnpadded::decode_vec(body["value"].as_str()?).ok()?;
        let mut signature = pair.sign(scheme, &Input::Digest(&digest))?;
        if let Some(curve) = scheme.curve() {
            signature = side_by_side(&signature, curve);
        }
        Some(json!({ "kid": ID, "value": url64(&signature) }))
    },
};

fn algorithm(scheme: Scheme) -> &'static str {
    match scheme.name() {
        "ecdsa-sha2-nistp256" => "ES256",
        "ecdsa-sha2-nistp384" => "ES384",
        "ecdsa-sha2-nistp521" => "ES512",
        "rsassa-pss-sha256" => "PS256",
        "rsassa-pss-sha384" => "PS384",
        "rsassa-pss-sha512" => "PS512",
        "rsa-pkcs1v15-sha256" => "RS256",
        "rsa-pkcs1v15-sha384" => "RS384",
        "rsa-pkcs1v15-sha512" => "RS512",
        other => panic!("{other}"),
    }
}

fn url64(bytes: &[u8]) -> String {
    Base64UrlUnpadded::encode_string(bytes)
}

fn web_key(public: &PublicKey) -> Value {
    let operations = json!(["sign", "verify"]);
    match public {
        PublicKey::Rsa { modulus, exponent } => json!({
            "kid": ID, "kty": "RSA-HSM", "key_ops": operations,
            "n": url64(modulus), "e": url64(exponent),
        }),
        PublicKey::Ecdsa { curve, point } => {
            let (x, y) = point[1..].split_at(curve.coordinate_length());
            let name = match curve {
                Curve::P256 => "P-256",
                Curve::P384 => "P-384",
                Curve::P521 => "P-521",
            };
            json!({
                "kid": ID, "kty": "EC-HSM", "key_ops": operations,
                "crv": name, "x": url64(x), "y": url64(y),
            })
        }
        _ => json!({ "kid": ID, "kty": "oct" }),
    }
}

/// The two numbers of a DER signature, each as long as a coordinate.
fn side_by_side(der: &[u8], curve: Curve) -> Vec<u8> {
    let length = curve.coordinate_length();
    // The length of the sequence takes a second byte for P-521.
    let mut rest = if der[1] == 0x81 { &der[3..] } else { &der[2..] };
    let mut raw = Vec::new();
    for _ in 0..2 {
        let (number, tail) = rest[2..].split_at(usize::from(rest[1]));
        let number = number.strip_prefix(&[0]).unwrap_or(number);
        raw.resize(raw.len() + length - number.len(), 0);
        raw.extend_from_slice(number);
        rest = tail;
    }
    raw
}

fn world() -> World {
    World::new(&FORM, Scheme::EcdsaP256Sha256)
}

fn bare() -> World {
    world().unset("AZURE_ACCESS_TOKEN")
}

fn signs(world: &World) {
    let signer = world.open().unwrap();
    signer.sign(b"message").unwrap();
    world.key_is_that_of(&signer);
}

#[test]
fn the_key_that_answers_has_to_be_the_one_that_was_asked_for() {
    for edit in [
        (|value| value["key"]["kid"] = json!("https://tuf.vault.azure.net/keys/root/other"))
            as fn(&mut Value),
        |value| value["key"]["kid"] = json!(""),
        |value| value["key"]["crv"] = json!("P-256K"),
        |value| value["key"]["kty"] = json!("oct"),
        |value| value["key"]["x"] = json!("*"),
        |value| value["key"]["x"] = json!(""),
        |value| value["key"]["x"] = json!(url64(&[1; 33])),
        |value| value["key"] = json!({}),
    ] {
        let world = world();
        world.fault(Call::Key, Fault::Edit(edit));
        let error = world.open().unwrap_err();
        assert_eq!(error.code(), "key.kms.answer", "{error}");
    }
    let world = world();
    let signer = world.open().unwrap();
    for edit in [
        (|value| value["kid"] = json!("https://tuf.vault.azure.net/keys/other/0123456789abcdef"))
            as fn(&mut Value),
        |value| value["value"] = json!(url64(&[1; 63])),
        |value| value["value"] = json!("*"),
    ] {
        world.fault(Call::Sign, Fault::Edit(edit));
        assert_eq!(signer.sign(b"x").unwrap_err().code(), "key.kms.answer");
    }
    world.fault(
        Call::Sign,
        Fault::Edit(|value| value["value"] = json!(url64(&[0; 64]))),
    );
    assert_eq!(signer.sign(b"x").unwrap_err().code(), "key.mismatch");
}

#[test]
fn keys_that_are_disabled_or_for_other_uses_are_refused() {
    for edit in [
        (|value| value["attributes"]["enabled"] = json!(false)) as fn(&mut Value),
        |value| value["key"]["key_ops"] = json!(["wrapKey"]),
    ] {
        let world = world();
        world.fault(Call::Key, Fault::Edit(edit));
        assert_eq!(world.open().unwrap_err().code(), "key.kms.refused");
    }
}

#[test]
fn coordinates_may_come_without_leading_zeros() {
    // Points with a short coordinate are one in 256; a key is made until there is one.
    for _ in 0..20_000 {
        let world_key = super::keys::Pair::new(Scheme::EcdsaP256Sha256).public();
        let PublicKey::Ecdsa { point, .. } = &world_key else {
            unreachable!()
        };
        let (x, y) = point[1..].split_at(32);
        if x[0] != 0 {
            continue;
        }
        let world = world();
        let key = json!({
            "kid": ID, "kty": "EC", "crv": "P-256", "x": url64(&x[1..]), "y": url64(y),
        });
        world.fault(Call::Key, Fault::Reply(Reply::ok(json!({ "key": key }))));
        assert_eq!(*world.open().unwrap().public().public(), world_key);
        return;
    }
    panic!("no short coordinate in 20,000 keys");
}

fn directory(proof: fn(&Asked) -> bool) -> Server {
    Server::new(move |asked| {
        let sound = asked.method == "POST"
            && asked.target == "/tenant/oauth2/v2.0/token"
            && asked.field("grant_type") == "client_credentials"
            && asked.field("client_id") == "client"
            && asked.field("scope") == "https://vault.azure.net/.default"
            && proof(asked);
        if sound {
            Reply::ok(json!({ "access_token": TOKEN, "expires_in": 3600 }))
        } else {
            let text = format!("AADSTS700016: no {}", asked.field("client_secret"));
            Reply::Json(
                400,
                json!({ "error": "unauthorized_client", "error_description": text }),
            )
        }
    })
}

fn application(server: &Server) -> World {
    bare()
        .set("AZURE_AUTHORITY_HOST", server.url())
        .set("AZURE_TENANT_ID", "tenant")
        .set("AZURE_CLIENT_ID", "client")
}

#[test]
fn a_client_secret_gets_a_token() {
    let server = directory(|asked| asked.field("client_secret") == "s3cret+/&=");
    signs(&application(&server).set("AZURE_CLIENT_SECRET", "s3cret+/&="));

    let error = application(&server)
        .set("AZURE_CLIENT_SECRET", "wrong-s3cret")
        .open()
        .unwrap_err();
    assert_eq!(error.code(), "key.kms.denied");
    assert!(!error.to_string().contains("s3cret"), "{error}");

    let without = application(&server)
        .set("AZURE_CLIENT_SECRET", "x")
        .unset("AZURE_TENANT_ID");
    let error = without.open().unwrap_err();
    assert_eq!(error.code(), "key.kms.credentials");
    assert!(error.to_string().contains("AZURE_TENANT_ID"), "{error}");
}

#[test]
fn the_federated_token_of_a_workload_gets_a_token_and_is_read_anew() {
    let server = directory(|asked| {
        asked.field("client_assertion") == "workload"
            && asked.field("client_assertion_type")
                == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    });
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("token");
    std::fs::write(&file, "workload\n").unwrap();
    let world = application(&server).set("AZURE_FEDERATED_TOKEN_FILE", file.to_str().unwrap());
    let signer = world.open().unwrap();
    signer.sign(b"message").unwrap();
    assert_eq!(server.count(), 1);
    std::fs::write(&file, "changed").unwrap();
    world.clock.pass(3600);
    assert_eq!(
        signer.sign(b"message").unwrap_err().code(),
        "key.kms.denied"
    );
    std::fs::write(&file, "workload").unwrap();
    signer.sign(b"message").unwrap();
}

#[test]
fn machines_and_application_services_get_tokens_for_their_identity() {
    let metadata = Server::new(|asked| {
        let machine = asked.path() == "/metadata/identity/oauth2/token"
            && asked.field("api-version") == "2018-02-01"
            && asked.header("metadata") == "true";
        let service = asked.path() == "/msi/token"
            && asked.field("api-version") == "2019-08-01"
            && asked.header("x-identity-header") == "header";
        let sound = asked.field("resource") == "https://vault.azure.net"
            && matches!(asked.field("client_id").as_str(), "" | "client");
        if sound && (machine || service) {
            Reply::ok(json!({ "access_token": TOKEN, "expires_in": "3599" }))
        } else {
            Reply::Text(404, String::new())
        }
    });
    let world = || bare().set("AZURE_POD_IDENTITY_AUTHORITY_HOST", metadata.url());
    signs(&world());
    signs(&world().set("AZURE_CLIENT_ID", "client"));
    signs(
        &bare()
            .set("IDENTITY_ENDPOINT", format!("{}/msi/token", metadata.url()))
            .set("IDENTITY_HEADER", "header"),
    );
    let world = world();
    let signer = world.open().unwrap();
    let before = metadata.count();
    world.clock.pass(3600);
    signer.sign(b"message").unwrap();
    assert_eq!(metadata.count(), before + 1);
}

#[test]
fn a_managed_hsm_gets_tokens_of_its_own() {
    let metadata = Server::new(|asked| {
        if asked.field("resource") == "https://managedhsm.azure.net" {
            Reply::ok(json!({ "access_token": TOKEN, "expires_in": "3599" }))
        } else {
            Reply::Text(404, String::new())
        }
    });
    let mut world = bare().set("AZURE_POD_IDENTITY_AUTHORITY_HOST", metadata.url());
    world.uri = FORM.uri.replace("tuf.vault", "tuf.managedhsm");
    signs(&world);
}
