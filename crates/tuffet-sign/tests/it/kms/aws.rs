//! AWS KMS: its interface as a fake speaks it, and where credentials come from.

use base64ct::{Base64, Encoding};
use serde_json::{Value, json};
use tuffet_core::crypto::Scheme;
use tuffet_sign::Signer;

use super::keys::Input;
use super::server::{Asked, Reply, Server};
use super::sigv4;
use super::world::{Call, Fault, Form, TOKEN, World};
use crate::matrix;

const ARN: &str = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";

pub(crate) static FORM: Form = Form {
    name: "aws",
    uri: "awskms:arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    variables: &[
        ("AWS_ENDPOINT_URL_KMS", "URL"),
        ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", TOKEN),
    ],
    schemes: matrix::aws,
    call: |asked| match (
        asked.method.as_str(),
        asked.target.as_str(),
        asked.header("x-amz-target"),
    ) {
        ("POST", "/", "TrentService.GetPublicKey") => Some(Call::Key),
        ("POST", "/", "TrentService.Sign") => Some(Call::Sign),
        _ => None,
    },
    authentic: |asked| {
        asked.header("content-type") == "application/x-amz-json-1.1"
            && sigv4::is_authentic(asked, "AKIDEXAMPLE", TOKEN, "eu-west-1", "kms")
    },
    complaint: |status, text| {
        let (status, kind) = match status {
            403 => (400, "AccessDeniedException"),
            429 => (400, "ThrottlingException"),
            404 => (400, "com.amazonaws.kms#NotFoundException"),
            400 => (400, "ValidationException"),
            status => (status, "KMSInternalException"),
        };
        Reply::Json(status, json!({ "__type": kind, "message": text }))
    },
    key: |asked, pair, _| {
        assert_key(asked);
        let public = pair.public();
        let names: Vec<&str> = matrix::aws()
            .into_iter()
            .filter(|scheme| public.fits(*scheme))
            .map(algorithm)
            .collect();
        Reply::ok(json!({
            "KeyId": ARN,
            "PublicKey": Base64::encode_string(&public.to_spki_der()),
            "KeySpec": "OF_THIS_KEY",
            "KeyUsage": "SIGN_VERIFY",
            "SigningAlgorithms": names,
        }))
    },
    sign: |asked, pair, scheme| {
        assert_key(asked);
        let body = asked.json();
        let name = body["SigningAlgorithm"].as_str()?;
        let content = Base64::decode_vec(body["Message"].as_str()?).ok()?;
        if name != algorithm(scheme) || content.len() > 4096 {
            return None;
        }
        let input = match body["MessageType"].as_str()? {
            "RAW" => Input::Message(&content),
            "DIGEST" => Input::Digest(&content),
            _ => return None,
        };
        let signature = pair.sign(scheme, &input)?;
        Some(json!({
            "KeyId": ARN,
            "Signature": Base64::encode_string(&signature),
            "SigningAlgorithm": name,
        }))
    },
};

fn assert_key(asked: &Asked) {
    assert_eq!(asked.json()["KeyId"], ARN);
}

/// Written down again, so that a slip in one of the two places shows.
fn algorithm(scheme: Scheme) -> &'static str {
    match scheme.name() {
        "ed25519" => "ED25519_SHA_512",
        "ecdsa-sha2-nistp256" => "ECDSA_SHA_256",
        "ecdsa-sha2-nistp384" => "ECDSA_SHA_384",
        "ecdsa-sha2-nistp521" => "ECDSA_SHA_512",
        "rsassa-pss-sha256" => "RSASSA_PSS_SHA_256",
        "rsassa-pss-sha384" => "RSASSA_PSS_SHA_384",
        "rsassa-pss-sha512" => "RSASSA_PSS_SHA_512",
        "rsa-pkcs1v15-sha256" => "RSASSA_PKCS1_V1_5_SHA_256",
        "rsa-pkcs1v15-sha384" => "RSASSA_PKCS1_V1_5_SHA_384",
        "rsa-pkcs1v15-sha512" => "RSASSA_PKCS1_V1_5_SHA_512",
        _ => "ML_DSA_SHAKE_256",
    }
}

const P256: Scheme = Scheme::EcdsaP256Sha256;

fn world() -> World {
    World::new(&FORM, P256)
}

/// Without the credentials of the environment.
fn bare() -> World {
    world()
        .unset("AWS_ACCESS_KEY_ID")
        .unset("AWS_SECRET_ACCESS_KEY")
}

fn given(expiration: &str) -> Value {
    json!({
        "Code": "Success",
        "AccessKeyId": "AKIDEXAMPLE",
        "SecretAccessKey": TOKEN,
        "Token": "session-token",
        "Expiration": expiration,
    })
}

fn signs(world: &World) {
    let signer = world.open().unwrap();
    signer.sign(b"message").unwrap();
    world.key_is_that_of(&signer);
}

#[test]
fn messages_are_sent_whole_as_far_as_they_may_and_as_digests_beyond() {
    let world = world();
    let signer = world.open().unwrap();
    for (length, kind) in [
        (0, "RAW"),
        (4096, "RAW"),
        (4097, "DIGEST"),
        (200_000, "DIGEST"),
    ] {
        signer.sign(&vec![b'x'; length]).unwrap();
        let last = world.server.asked().pop().unwrap();
        assert_eq!(last.json()["MessageType"], kind, "{length}");
    }
}

#[test]
fn what_cannot_be_signed_as_a_digest_is_refused_without_being_sent() {
    for scheme in [Scheme::Ed25519, Scheme::MlDsa65] {
        let world = World::new(&FORM, scheme);
        let signer = world.open().unwrap();
        let error = signer.sign(&[0; 4097]).unwrap_err();
        assert_eq!(error.code(), "key.kms.too-long", "{error}");
        assert_eq!(world.server.count(), 1);
        // What stands for metadata with ML-DSA is short, however long the metadata is.
        assert_eq!(
            signer.sign_canonical(&[b' '; 100_000]).is_ok(),
            scheme == Scheme::MlDsa65
        );
    }
}

#[test]
fn a_session_token_and_the_time_are_signed_and_sent() {
    let world = world().set("AWS_SESSION_TOKEN", "session-token");
    signs(&world);
    for asked in world.server.asked() {
        assert_eq!(asked.header("x-amz-date"), "20261127T230000Z");
        assert_eq!(asked.header("x-amz-security-token"), "session-token");
        assert!(
            asked
                .header("authorization")
                .contains(";x-amz-security-token;")
        );
    }
}

#[test]
fn a_wrong_secret_is_denied() {
    let world = world().set("AWS_SECRET_ACCESS_KEY", "wrong");
    assert_eq!(world.open().unwrap_err().code(), "key.kms.denied");
}

#[test]
fn the_region_comes_from_the_uri_the_environment_or_the_profile() {
    let directory = tempfile::tempdir().unwrap();
    let config = directory.path().join("config");
    std::fs::write(
        &config,
        "[default]\nregion = us-west-1\n[profile ops]\nregion=eu-west-1\n",
    )
    .unwrap();
    let config = config.to_str().unwrap();
    for (uri, variables) in [
        (
            "awskms:alias/x?region=eu-west-1",
            &[("AWS_REGION", "us-east-1")][..],
        ),
        ("awskms:alias/x", &[("AWS_REGION", "eu-west-1")]),
        ("awskms:alias/x", &[("AWS_DEFAULT_REGION", "eu-west-1")]),
        (
            "awskms:alias/x",
            &[("AWS_CONFIG_FILE", config), ("AWS_PROFILE", "ops")],
        ),
    ] {
        let mut world = variables
            .iter()
            .fold(world(), |world, (name, value)| world.set(name, *value));
        world.uri = uri.to_owned();
        // The fake insists on its ARN, so that only the signature with its region is seen here.
        world.fault(
            Call::Key,
            Fault::Reply((FORM.complaint)(404, "region is right")),
        );
        let error = world.open().unwrap_err();
        assert_eq!(
            error.to_string(),
            "AWS KMS refuses the request: NotFoundException: region is right",
            "{uri}"
        );
    }
    let mut world = world();
    world.uri = "awskms:alias/x".to_owned();
    let error = world.open().unwrap_err();
    assert_eq!(error.code(), "key.kms.settings");
    assert!(error.to_string().contains("AWS_REGION"), "{error}");
}

#[test]
fn profiles_give_credentials() {
    let directory = tempfile::tempdir().unwrap();
    let credentials = directory.path().join("credentials");
    let text = format!(
        "# comment\n[default]\naws_access_key_id=OTHER\naws_secret_access_key=OTHER\n\n\
         [ops] \n aws_nested = x\naws_access_key_id = AKIDEXAMPLE\nAWS_SECRET_ACCESS_KEY = {TOKEN}\n\
         aws_session_token=session-token\n[late]\naws_access_key_id=OTHER\n"
    );
    std::fs::write(&credentials, text).unwrap();
    let path = credentials.to_str().unwrap();
    let chosen = |name: &str| {
        bare()
            .set("AWS_SHARED_CREDENTIALS_FILE", path)
            .set("AWS_PROFILE", name)
            .set("AWS_EC2_METADATA_DISABLED", "true")
    };
    signs(&chosen("ops"));
    assert_eq!(
        chosen("default").open().unwrap_err().code(),
        "key.kms.denied"
    );
    for (name, what) in [
        ("late", "no aws_secret_access_key"),
        ("none", "no profile none"),
    ] {
        let error = chosen(name).open().unwrap_err();
        assert_eq!(error.code(), "key.kms.credentials");
        assert!(error.to_string().contains(what), "{error}");
    }
}

#[test]
fn profiles_that_work_in_other_ways_are_named() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::create_dir(directory.path().join(".aws")).unwrap();
    std::fs::write(
        directory.path().join(".aws/config"),
        "[profile sso]\nsso_session = corp\n",
    )
    .unwrap();
    let world = bare()
        .set("HOME", directory.path().to_str().unwrap())
        .set("AWS_PROFILE", "sso");
    let error = world.open().unwrap_err();
    assert_eq!(error.code(), "key.kms.credentials");
    assert!(error.to_string().contains("sso_session"), "{error}");
}

#[test]
fn a_web_identity_is_exchanged_for_credentials_and_again_when_they_run_out() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("token");
    std::fs::write(&file, "workload-token\n").unwrap();
    let tokens = Server::new(|asked| {
        let sound = asked.method == "POST"
            && asked.field("Action") == "AssumeRoleWithWebIdentity"
            && asked.field("Version") == "2011-06-15"
            && asked.field("RoleArn") == "arn:aws:iam::1:role/signer"
            && asked.field("RoleSessionName") == "tuffet"
            && asked.field("WebIdentityToken") == "workload-token";
        if !sound {
            let error = "<ErrorResponse><Error><Code>AccessDenied</Code>\
                         <Message>not you with workload-token</Message></Error></ErrorResponse>";
            return Reply::Text(403, error.to_owned());
        }
        Reply::Text(
            200,
            format!(
                "<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><Credentials>\
                 <AccessKeyId>AKIDEXAMPLE</AccessKeyId><SecretAccessKey>{TOKEN}</SecretAccessKey>\
                 <SessionToken>session-token</SessionToken><Expiration>2026-11-28T00:00:00Z</Expiration>\
                 </Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>"
            ),
        )
    });
    let world = bare()
        .set("AWS_ENDPOINT_URL_STS", tokens.url())
        .set("AWS_WEB_IDENTITY_TOKEN_FILE", file.to_str().unwrap())
        .set("AWS_ROLE_ARN", "arn:aws:iam::1:role/signer");
    let signer = world.open().unwrap();
    signer.sign(b"message").unwrap();
    assert_eq!(tokens.count(), 1);
    world.clock.pass(3600 - 60);
    signer.sign(b"message").unwrap();
    assert_eq!(tokens.count(), 2);

    let error = world.set("AWS_ROLE_ARN", "other").open().unwrap_err();
    assert_eq!(error.code(), "key.kms.denied");
    assert!(!error.to_string().contains("workload-token"), "{error}");
}

#[test]
fn containers_get_credentials_from_their_platform() {
    let platform = Server::new(|asked| {
        let sound = asked.method == "GET"
            && asked.target == "/v2/credentials?id=1"
            && asked.header("authorization") == "container-token";
        if sound {
            Reply::ok(given("2026-11-28T05:00:00Z"))
        } else {
            Reply::Text(401, String::new())
        }
    });
    let url = format!("{}/v2/credentials?id=1", platform.url());
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("token");
    std::fs::write(&file, "container-token").unwrap();
    let world = || bare().set("AWS_CONTAINER_CREDENTIALS_FULL_URI", url.clone());
    signs(&world().set("AWS_CONTAINER_AUTHORIZATION_TOKEN", "container-token"));
    signs(&world().set(
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
        file.to_str().unwrap(),
    ));
    assert_eq!(world().open().unwrap_err().code(), "key.kms.denied");

    let elsewhere = bare().set("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://10.0.0.1/x");
    assert_eq!(elsewhere.open().unwrap_err().code(), "key.kms.settings");
}

#[test]
fn machines_get_credentials_by_a_session_of_the_metadata_service() {
    let metadata = Server::new(
        |asked| match (asked.method.as_str(), asked.target.as_str()) {
            ("PUT", "/latest/api/token") => {
                let lifetime = asked.header("x-aws-ec2-metadata-token-ttl-seconds");
                assert!(!lifetime.is_empty());
                Reply::Text(200, "session".to_owned())
            }
            _ if asked.header("x-aws-ec2-metadata-token") != "session" => {
                Reply::Text(401, String::new())
            }
            ("GET", "/latest/meta-data/iam/security-credentials/") => {
                Reply::Text(200, "signer\n".to_owned())
            }
            ("GET", "/latest/meta-data/iam/security-credentials/signer") => {
                Reply::ok(given("2026-11-28T05:00:00Z"))
            }
            _ => Reply::Text(404, String::new()),
        },
    );
    signs(&bare().set("AWS_EC2_METADATA_SERVICE_ENDPOINT", metadata.url()));
    assert_eq!(metadata.count(), 3);
}

#[test]
fn without_credentials_it_is_said_where_they_were_looked_for() {
    let world = bare().set("AWS_EC2_METADATA_DISABLED", "true");
    let error = world.open().unwrap_err();
    assert_eq!(error.code(), "key.kms.credentials");
    assert_eq!(world.server.count(), 0);

    let half = world.set("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE");
    let error = half.open().unwrap_err();
    assert!(
        error.to_string().contains("AWS_SECRET_ACCESS_KEY"),
        "{error}"
    );
}

#[test]
fn keys_for_other_uses_and_other_algorithms_are_refused() {
    for (edit, code) in [
        (
            (|value| value["KeyUsage"] = json!("ENCRYPT_DECRYPT")) as fn(&mut Value),
            "key.kms.refused",
        ),
        (
            |value| value["SigningAlgorithms"] = json!(["SM2DSA"]),
            "key.kms.refused",
        ),
        (|value| value["PublicKey"] = json!("AAAA"), "key.kms.answer"),
        (|value| value["PublicKey"] = json!("*"), "key.kms.answer"),
        (|value| *value = json!({}), "key.kms.answer"),
    ] {
        let world = world();
        world.fault(Call::Key, Fault::Edit(edit));
        let error = world.open().unwrap_err();
        assert_eq!(error.code(), code, "{error}");
    }
    let world = world();
    let signer = world.open().unwrap();
    world.fault(
        Call::Sign,
        Fault::Edit(|value| value["SigningAlgorithm"] = json!("ECDSA_SHA_512")),
    );
    assert_eq!(
        signer.sign(b"message").unwrap_err().code(),
        "key.kms.answer"
    );
}

#[test]
fn throttling_comes_with_status_400_and_is_waited_for() {
    let world = world();
    world.fault(Call::Key, Fault::Reply((FORM.complaint)(429, "slow down")));
    world.open().unwrap();
    assert_eq!(world.clock.waits().len(), 1);
}
