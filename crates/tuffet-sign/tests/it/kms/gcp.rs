//! Google Cloud KMS: its interface as a fake speaks it, and where tokens come from.

use std::path::Path;

use base64ct::{Base64, Base64UrlUnpadded, Encoding};
use serde_json::{Value, json};
use tuffet_core::crypto::{HashAlgorithm, PublicKey, Scheme};
use tuffet_sign::Signer;

use super::keys::{self, Input};
use super::server::{Reply, Server};
use super::world::{Call, Fault, Form, NOW, TOKEN, World};
use crate::matrix;

const NAME: &str = "projects/p/locations/global/keyRings/r/cryptoKeys/k/cryptoKeyVersions/1";

pub(crate) static FORM: Form = Form {
    name: "gcp",
    uri: "gcpkms:projects/p/locations/global/keyRings/r/cryptoKeys/k/cryptoKeyVersions/1",
    variables: &[
        ("TUFFET_GCPKMS_ENDPOINT", "URL"),
        ("GOOGLE_OAUTH_ACCESS_TOKEN", TOKEN),
    ],
    schemes: matrix::gcp,
    call: |asked| {
        let rest = asked.path().strip_prefix("/v1/")?.strip_prefix(NAME)?;
        match (asked.method.as_str(), rest) {
            ("GET", "/publicKey") => Some(Call::Key),
            ("POST", ":asymmetricSign") => Some(Call::Sign),
            _ => None,
        }
    },
    authentic: |asked| asked.header("authorization") == format!("Bearer {TOKEN}"),
    complaint: |status, text| {
        let kind = match status {
            403 => "PERMISSION_DENIED",
            404 => "NOT_FOUND",
            429 => "RESOURCE_EXHAUSTED",
            400 => "INVALID_ARGUMENT",
            _ => "UNAVAILABLE",
        };
        let error = json!({ "code": status, "message": text, "status": kind });
        Reply::Json(status, json!({ "error": error }))
    },
    key: |asked, pair, scheme| {
        let mut answer = json!({
            "name": NAME,
            "algorithm": algorithm(scheme),
            "protectionLevel": "HSM",
        });
        let public = pair.public();
        let raw = asked.field("publicKeyFormat") == "NIST_PQC";
        match (public, raw) {
            (PublicKey::MlDsa { bytes, .. }, true) => {
                answer["publicKeyFormat"] = json!("NIST_PQC");
                answer["publicKey"] = json!({
                    "data": Base64::encode_string(&bytes),
                    "crc32cChecksum": crc32c(&bytes),
                });
            }
            (PublicKey::MlDsa { .. }, false) | (_, true) => {
                return (FORM.complaint)(400, "another format is needed");
            }
            (public, false) => {
                let pem = public.to_spki_pem();
                answer["pemCrc32c"] = json!(crc32c(pem.as_bytes()));
                answer["pem"] = json!(pem);
            }
        }
        Reply::ok(answer)
    },
    sign: |asked, pair, scheme| {
        let body = asked.json();
        let bytes = |value: &Value| Base64::decode_vec(value.as_str()?).ok();
        let mut answer = json!({ "name": NAME, "protectionLevel": "HSM" });
        let (content, checksum, field) = match keys::hash_of(scheme) {
            Some(hash) => (
                bytes(&body["digest"][hash.name()])?,
                &body["digestCrc32c"],
                "verifiedDigestCrc32c",
            ),
            None => (
                bytes(&body["data"])?,
                &body["dataCrc32c"],
                "verifiedDataCrc32c",
            ),
        };
        if *checksum != crc32c(&content) {
            return None;
        }
        answer[field] = json!(true);
        let input = match keys::hash_of(scheme) {
            Some(_) => Input::Digest(&content),
            None => Input::Message(&content),
        };
        let signature = pair.sign(scheme, &input)?;
        answer["signature"] = json!(Base64::encode_string(&signature));
        answer["signatureCrc32c"] = json!(crc32c(&signature));
        Some(answer)
    },
};

fn algorithm(scheme: Scheme) -> &'static str {
    match scheme.name() {
        "ed25519" => "EC_SIGN_ED25519",
        "ecdsa-sha2-nistp256" => "EC_SIGN_P256_SHA256",
        "ecdsa-sha2-nistp384" => "EC_SIGN_P384_SHA384",
        "rsassa-pss-sha256" => "RSA_SIGN_PSS_2048_SHA256",
        "rsassa-pss-sha512" => "RSA_SIGN_PSS_4096_SHA512",
        "rsa-pkcs1v15-sha256" => "RSA_SIGN_PKCS1_2048_SHA256",
        "rsa-pkcs1v15-sha512" => "RSA_SIGN_PKCS1_4096_SHA512",
        "ml-dsa-44/1" => "PQ_SIGN_ML_DSA_44",
        "ml-dsa-65/1" => "PQ_SIGN_ML_DSA_65",
        "ml-dsa-87/1" => "PQ_SIGN_ML_DSA_87",
        other => panic!("{other}"),
    }
}

/// By a table, and not bit by bit as in the signer.
fn crc32c(bytes: &[u8]) -> String {
    let mut table = [0_u32; 256];
    for (index, entry) in table.iter_mut().enumerate() {
        *entry = u32::try_from(index).unwrap();
        for _ in 0..8 {
            let low = *entry & 1;
            *entry >>= 1;
            if low == 1 {
                *entry ^= 0x82f6_3b78;
            }
        }
    }
    let crc = bytes.iter().fold(!0_u32, |crc, byte| {
        (crc >> 8) ^ table[usize::from((crc as u8) ^ byte)]
    });
    (!crc).to_string()
}

fn world() -> World {
    World::new(&FORM, Scheme::EcdsaP256Sha256)
}

fn bare() -> World {
    world().unset("GOOGLE_OAUTH_ACCESS_TOKEN")
}

fn with_file(content: &Value) -> (tempfile::TempDir, World) {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("credentials.json");
    std::fs::write(&file, content.to_string()).unwrap();
    let world = bare().set("GOOGLE_APPLICATION_CREDENTIALS", file.to_str().unwrap());
    (directory, world)
}

fn token() -> Reply {
    Reply::ok(json!({ "access_token": TOKEN, "expires_in": 3600, "token_type": "Bearer" }))
}

fn refused() -> Reply {
    Reply::Json(
        400,
        json!({ "error": "invalid_grant", "error_description": "not you" }),
    )
}

fn signs(world: &World) {
    let signer = world.open().unwrap();
    signer.sign(b"message").unwrap();
    world.key_is_that_of(&signer);
}

#[test]
fn a_version_of_a_key_signs_with_its_own_algorithm_only() {
    let mut world = World::new(&FORM, Scheme::RsaPss(HashAlgorithm::Sha256));
    world.uri = format!("{}?scheme=rsa-pkcs1v15-sha256", FORM.uri);
    assert_eq!(world.open().unwrap_err().code(), "key.scheme");
    world.uri = FORM.uri.to_owned();
    assert_eq!(
        world.open().unwrap().public().scheme().name(),
        "rsassa-pss-sha256"
    );
}

#[test]
fn messages_that_are_not_hashed_have_a_longest() {
    let world = World::new(&FORM, Scheme::Ed25519);
    let signer = world.open().unwrap();
    signer.sign(&[b'x'; 65_536]).unwrap();
    let error = signer.sign(&[b'x'; 65_537]).unwrap_err();
    assert_eq!(error.code(), "key.kms.too-long");
}

#[test]
fn keys_of_ml_dsa_are_taken_in_both_formats() {
    let world = World::new(&FORM, Scheme::MlDsa44);
    signs(&world);
    // As PEM at once, if the service learns to.
    let world = World::new(&FORM, Scheme::MlDsa44);
    let expected = world.open().unwrap();
    let pem = expected.public().public().to_spki_pem();
    let reply = json!({ "name": NAME, "algorithm": "PQ_SIGN_ML_DSA_44", "pem": pem });
    world.fault(Call::Key, Fault::Reply(Reply::ok(reply)));
    assert_eq!(world.open().unwrap().public(), expected.public());
}

#[test]
fn what_was_damaged_on_the_way_is_refused() {
    for edit in [
        (|value| value["pemCrc32c"] = json!("1")) as fn(&mut Value),
        |value| value["name"] = json!(NAME.replace("/1", "/2")),
        |value| value["pem"] = json!("x"),
        |value| *value = json!([]),
    ] {
        let world = world();
        world.fault(Call::Key, Fault::Edit(edit));
        assert_eq!(world.open().unwrap_err().code(), "key.kms.answer");
    }
    let world = world();
    let signer = world.open().unwrap();
    for edit in [
        (|value| value["signatureCrc32c"] = json!("1")) as fn(&mut Value),
        |value| value["verifiedDigestCrc32c"] = json!(false),
        |value| value["name"] = json!(NAME.replace("/1", "/2")),
        |value| value["signature"] = json!("*"),
    ] {
        world.fault(Call::Sign, Fault::Edit(edit));
        assert_eq!(signer.sign(b"x").unwrap_err().code(), "key.kms.answer");
    }
    signer.sign(b"x").unwrap();
}

#[test]
fn keys_that_tuf_does_not_know_are_refused() {
    let world = world();
    world.fault(
        Call::Key,
        Fault::Edit(|value| value["algorithm"] = json!("EC_SIGN_SECP256K1_SHA256")),
    );
    assert_eq!(world.open().unwrap_err().code(), "key.kms.refused");
}

#[test]
fn a_service_account_asserts_itself_with_its_key() {
    let tokens = Server::new(|asked| {
        let assertion = asked.field("assertion");
        let parts: Vec<&str> = assertion.split('.').collect();
        let [header, claims, signature] = parts[..] else {
            return refused();
        };
        let read = |part| -> Value {
            serde_json::from_slice(&Base64UrlUnpadded::decode_vec(part).unwrap()).unwrap()
        };
        let (head, said) = (read(header), read(claims));
        let message = format!("{header}.{claims}");
        let signature = Base64UrlUnpadded::decode_vec(signature).unwrap();
        let sound = asked.field("grant_type") == "urn:ietf:params:oauth:grant-type:jwt-bearer"
            && head == json!({ "alg": "RS256", "typ": "JWT", "kid": "key-1" })
            && said["iss"] == "signer@p.iam.example"
            && said["scope"] == "https://www.googleapis.com/auth/cloudkms"
            && said["aud"].as_str().unwrap().ends_with("/token")
            && said["iat"] == NOW.0
            && said["exp"] == NOW.0 + 3600
            && keys::verify_rs256(message.as_bytes(), &signature);
        if sound { token() } else { refused() }
    });
    let file = |email: &str, key: &str| {
        json!({
            "type": "service_account",
            "project_id": "p",
            "private_key_id": "key-1",
            "private_key": key,
            "client_email": email,
            "token_uri": format!("{}/token", tokens.url()),
        })
    };
    let (_directory, world) = with_file(&file("signer@p.iam.example", &keys::rsa_pem()));
    signs(&world);
    assert_eq!(tokens.count(), 1);

    let (_directory, world) = with_file(&file("other@p.iam.example", &keys::rsa_pem()));
    let error = world.open().unwrap_err();
    assert_eq!(
        error.to_string(),
        "Google Cloud KMS denies access: invalid_grant: not you"
    );

    let (_directory, world) = with_file(&file("signer@p.iam.example", "no key: s3cret"));
    let error = world.open().unwrap_err();
    assert_eq!(error.code(), "key.kms.credentials");
    assert!(!error.to_string().contains("s3cret"), "{error}");
}

#[test]
fn the_token_of_another_provider_is_exchanged_and_may_lead_to_a_service_account() {
    let provider = Server::new(|asked| {
        let sound =
            asked.target == "/id?audience=x" && asked.header("authorization") == "bearer job";
        if sound {
            Reply::ok(json!({ "value": "subject" }))
        } else {
            Reply::Text(401, String::new())
        }
    });
    let exchange = Server::new(|asked| match asked.path() {
        "/v1/token" => {
            let sound = asked.field("grant_type")
                == "urn:ietf:params:oauth:grant-type:token-exchange"
                && asked.field("audience") == "//iam.googleapis.com/pool"
                && asked.field("subject_token") == "subject"
                && asked.field("subject_token_type") == "urn:ietf:params:oauth:token-type:jwt"
                && asked.field("requested_token_type")
                    == "urn:ietf:params:oauth:token-type:access_token";
            let scope = asked.field("scope");
            match scope.rsplit('/').next() {
                Some("cloudkms") if sound => token(),
                Some("cloud-platform") if sound => {
                    Reply::ok(json!({ "access_token": "federated", "expires_in": 60 }))
                }
                _ => refused(),
            }
        }
        "/sa:generateAccessToken" if asked.header("authorization") == "Bearer federated" => {
            Reply::ok(json!({ "accessToken": TOKEN, "expireTime": "2026-11-28T00:00:00Z" }))
        }
        _ => Reply::Text(404, String::new()),
    });
    let directory = tempfile::tempdir().unwrap();
    let in_file = |name: &str, text: &str| {
        let path = directory.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let plain = json!({ "file": in_file("plain", "subject\n") });
    let in_json = json!({
        "file": in_file("json", r#"{"token":"subject"}"#),
        "format": { "type": "json", "subject_token_field_name": "token" },
    });
    let asked_for = json!({
        "url": format!("{}/id?audience=x", provider.url()),
        "headers": { "Authorization": "bearer job" },
        "format": { "type": "json", "subject_token_field_name": "value" },
    });
    let file = |source: &Value, impersonated: bool| {
        let mut file = json!({
            "type": "external_account",
            "audience": "//iam.googleapis.com/pool",
            "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
            "token_url": format!("{}/v1/token", exchange.url()),
            "credential_source": source,
        });
        if impersonated {
            let url = format!("{}/sa:generateAccessToken", exchange.url());
            file["service_account_impersonation_url"] = json!(url);
        }
        file
    };
    for source in [&plain, &in_json, &asked_for] {
        for impersonated in [false, true] {
            let (_directory, world) = with_file(&file(source, impersonated));
            signs(&world);
        }
    }
    for (source, code) in [
        (
            json!({ "file": directory.path().join("absent") }),
            "key.kms.credentials",
        ),
        (
            json!({ "environment_id": "aws1", "url": "http://169.254.169.254/x" }),
            "key.kms.credentials",
        ),
        (
            json!({ "url": "http://provider.example/x" }),
            "key.kms.settings",
        ),
        (
            json!({ "file": in_file("wrong", "other") }),
            "key.kms.denied",
        ),
    ] {
        let (_directory, world) = with_file(&file(&source, false));
        let error = world.open().unwrap_err();
        assert_eq!(error.code(), code, "{error}");
    }
}

#[test]
fn machines_get_tokens_from_the_metadata_service_and_again_when_they_run_out() {
    let metadata = Server::new(|asked| {
        let sound = asked.path() == "/computeMetadata/v1/instance/service-accounts/default/token"
            && asked.header("metadata-flavor") == "Google";
        if sound {
            token()
        } else {
            Reply::Text(403, String::new())
        }
    });
    let host = metadata.url().replace("http://", "");
    let world = bare().set("GCE_METADATA_HOST", host);
    let signer = world.open().unwrap();
    for _ in 0..3 {
        signer.sign(b"message").unwrap();
    }
    assert_eq!(metadata.count(), 1);
    world.clock.pass(3600);
    signer.sign(b"message").unwrap();
    assert_eq!(metadata.count(), 2);
}

#[test]
fn files_that_hold_no_credentials_are_refused_without_showing_them() {
    for content in [
        json!({ "type": "service_account", "private_key": "s3cret" }),
        json!({ "type": "s3cret" }),
        json!("s3cret"),
        json!({}),
    ] {
        let (_directory, world) = with_file(&content);
        let error = world.open().unwrap_err();
        assert_eq!(error.code(), "key.kms.credentials");
        assert!(!error.to_string().contains("s3cret"), "{error}");
    }
    let missing = bare().set("GOOGLE_APPLICATION_CREDENTIALS", "/nowhere/x.json");
    assert_eq!(missing.open().unwrap_err().code(), "key.kms.credentials");
}

#[test]
fn the_file_that_gcloud_leaves_is_found() {
    let home = tempfile::tempdir().unwrap();
    let directory = home.path().join(Path::new(".config/gcloud"));
    std::fs::create_dir_all(&directory).unwrap();
    std::fs::write(
        directory.join("application_default_credentials.json"),
        json!({ "type": "unheard-of" }).to_string(),
    )
    .unwrap();
    let error = bare()
        .set("HOME", home.path().to_str().unwrap())
        .open()
        .unwrap_err();
    assert!(
        error
            .to_string()
            .contains("application_default_credentials.json"),
        "{error}"
    );
}
