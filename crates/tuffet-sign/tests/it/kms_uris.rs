//! Names of keys in key management services.

use proptest::prelude::*;
use tuffet_core::crypto::Scheme;
use tuffet_sign::kms::{KmsService, KmsUri};

fn parsed(text: &str) -> KmsUri {
    let uri: KmsUri = text
        .parse()
        .unwrap_or_else(|error| panic!("{text}: {error}"));
    assert_eq!(
        uri.to_string().parse::<KmsUri>().unwrap(),
        uri,
        "{text} as {uri}"
    );
    uri
}

const ARN: &str = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
const GCP: &str = "projects/p/locations/global/keyRings/r/cryptoKeys/k/cryptoKeyVersions/1";

#[test]
fn keys_of_aws_are_named_by_id_alias_and_arn() {
    for (text, id, region) in [
        (
            "awskms:1234abcd-12ab-34cd-56ef-1234567890ab".to_owned(),
            "1234abcd-12ab-34cd-56ef-1234567890ab",
            None,
        ),
        ("awskms:mrk-1234abcd".to_owned(), "mrk-1234abcd", None),
        (
            "awskms:alias/team/tuf_root".to_owned(),
            "alias/team/tuf_root",
            None,
        ),
        (
            "awskms:alias/x?region=eu-west-1".to_owned(),
            "alias/x",
            Some("eu-west-1"),
        ),
        (format!("awskms:{ARN}"), ARN, Some("eu-west-1")),
        (
            format!("awskms:{ARN}?region=eu-west-1"),
            ARN,
            Some("eu-west-1"),
        ),
        (
            "awskms:arn:aws-us-gov:kms:us-gov-west-1:1:alias/x".to_owned(),
            "arn:aws-us-gov:kms:us-gov-west-1:1:alias/x",
            Some("us-gov-west-1"),
        ),
    ] {
        let KmsUri::Aws(key) = parsed(&text) else {
            panic!("{text}")
        };
        assert_eq!((key.id(), key.region()), (id, region));
    }
    assert_eq!(
        parsed(&format!("awskms:{ARN}?region=eu-west-1")).to_string(),
        format!("awskms:{ARN}")
    );
}

#[test]
fn the_forms_of_securesystemslib_are_read() {
    let KmsUri::Gcp(key) = parsed(&format!("gcpkms:{GCP}")) else {
        panic!()
    };
    assert_eq!(key.name(), GCP);
    let KmsUri::Azure(key) = parsed("azurekms://Tuf.vault.azure.net/keys/root/0123456789abcdef")
    else {
        panic!()
    };
    assert_eq!(
        (key.host(), key.name(), key.version()),
        ("tuf.vault.azure.net", "root", "0123456789abcdef")
    );
    assert_eq!(
        parsed("azurekms:tuf.managedhsm.azure.net/keys/root/0").to_string(),
        "azurekms://tuf.managedhsm.azure.net/keys/root/0"
    );
    let KmsUri::Vault(key) = parsed("hv:release/3") else {
        panic!()
    };
    assert_eq!(
        (key.mount(), key.name(), key.version()),
        ("transit", "release", 3)
    );
    assert_eq!(parsed("hv:release/3"), parsed("vault:transit/release/3"));
    assert_eq!(parsed("hv:release/3"), parsed("vault:release/3"));
    let KmsUri::Vault(key) = parsed("vault:team/a/release/12") else {
        panic!()
    };
    assert_eq!(
        (key.mount(), key.name(), key.version()),
        ("team/a", "release", 12)
    );
}

#[test]
fn a_scheme_is_chosen_by_a_parameter() {
    for text in [
        "awskms:alias/x?region=eu-west-1&scheme=",
        "awskms:x?scheme=",
        "hv:x/1?scheme=",
    ] {
        for scheme in Scheme::ALL {
            assert_eq!(parsed(&format!("{text}{scheme}")).scheme(), Some(scheme));
        }
    }
    assert_eq!(parsed("awskms:x").scheme(), None);
}

#[test]
fn services_are_known_by_their_keys() {
    for (text, service) in [
        ("awskms:x".to_owned(), KmsService::Aws),
        (format!("gcpkms:{GCP}"), KmsService::Gcp),
        (
            "azurekms://a.vault.azure.cn/keys/a/0".to_owned(),
            KmsService::Azure,
        ),
        ("vault:a/1".to_owned(), KmsService::Vault),
    ] {
        assert_eq!(parsed(&text).service(), service);
        assert!(KmsUri::has_scheme(text.split(':').next().unwrap()));
    }
}

#[test]
fn what_names_no_key_is_refused_without_repeating_it() {
    for text in [
        "",
        "awskms",
        "file:s3cret",
        "awskms:",
        "awskms:s3cret key",
        "awskms:alias/",
        "awskms:../s3cret",
        "awskms:arn:aws:s3:eu-west-1:1:key/s3cret",
        "awskms:arn:aws:kms:eu-west-1:x:key/s3cret",
        "awskms:arn:aws:kms:eu-west-1:1:key/a:s3cret",
        "awskms:arn:aws:kms::1:key/a",
        "awskms:arn:aws:kms:eu-west-1:1:key/a?region=us-east-1",
        "awskms:a?region=evil.example/",
        "awskms:a?region=-a",
        "awskms:a?region=",
        "awskms:a?region=a&region=a",
        "awskms:a?scheme=rsa",
        "awskms:a?scheme=ed25519&scheme=ed25519",
        "awskms:a?token=s3cret",
        "awskms:a?",
        "gcpkms:projects/p",
        "gcpkms:projects/p/locations/global/keyRings/r/cryptoKeys/k",
        "gcpkms:projects/p/locations/global/keyRings/r/cryptoKeys/k/cryptoKeyVersions/1/x",
        "gcpkms:projects/p?/locations/global/keyRings/r/cryptoKeys/k/cryptoKeyVersions/1",
        "gcpkms:projects//locations/global/keyRings/r/cryptoKeys/k/cryptoKeyVersions/1",
        "azurekms://tuf.vault.azure.net/keys/root",
        "azurekms://tuf.vault.azure.net/keys/root/",
        "azurekms://tuf.vault.azure.net/keys/root/0/",
        "azurekms://tuf.vault.azure.net/secrets/root/0",
        "azurekms://tuf.vault.azure.net:8443/keys/root/0",
        "azurekms://evil.example/keys/root/0",
        "azurekms://a.b.vault.azure.net/keys/root/0",
        "azurekms://vault.azure.net/keys/root/0",
        "azurekms://tuf.vault.azure.net.evil.example/keys/root/0",
        "azurekms://s3cret@tuf.vault.azure.net/keys/root/0",
        "azurekms://tuf.vault.azure.net/keys/root/0?region=eu-west-1",
        "vault:release",
        "vault:release/0",
        "vault:release/01",
        "vault:release/+1",
        "vault:release/4294967296",
        "vault:/release/1",
        "vault:../sys/release/1",
        "vault:a//release/1",
        "vault:a?b/release/1",
        "hv:mount/release/1",
        "hv:release",
    ] {
        let error = text.parse::<KmsUri>().expect_err(text);
        assert_eq!(error.code(), "key.uri", "{text}");
        assert!(!error.to_string().contains("s3cret"), "{error}");
    }
    assert!(
        format!("awskms:{}", "a".repeat(5000))
            .parse::<KmsUri>()
            .is_err()
    );
}

fn any_query() -> impl Strategy<Value = String> {
    prop::option::of(prop::sample::select(Scheme::ALL.to_vec()))
        .prop_map(|scheme| scheme.map_or(String::new(), |scheme| format!("?scheme={scheme}")))
}

fn any_text() -> impl Strategy<Value = String> {
    let name = || "[a-zA-Z0-9-]{1,8}";
    let aws = prop_oneof![
        "[a-f0-9-]{1,36}",
        "alias/[a-zA-Z0-9/_-]{1,12}",
        "arn:aws(-cn)?:kms:[a-z]{2}-[a-z]{3,5}-[1-9]:[0-9]{1,12}:(key|alias)/[a-z0-9-]{1,12}",
    ]
    .prop_map(|id| format!("awskms:{id}"));
    let gcp = prop::array::uniform5("[a-zA-Z0-9_-]{1,8}").prop_map(|[a, b, c, d, e]| {
        format!(
            "gcpkms:projects/{a}/locations/{b}/keyRings/{c}/cryptoKeys/{d}/cryptoKeyVersions/{e}"
        )
    });
    let azure = (name(), name(), "[0-9a-f]{1,32}").prop_map(|(vault, key, version)| {
        format!("azurekms://{vault}.vault.azure.net/keys/{key}/{version}")
    });
    let vault = (
        "([a-z0-9_.-]{0,3}[a-z]/){0,3}[a-z0-9_.-]{0,3}[a-z]",
        1..u32::MAX,
    )
        .prop_map(|(path, version)| format!("vault:{path}/{version}"));
    let text = prop_oneof![aws, gcp, azure, vault];
    (text, any_query()).prop_map(|(text, query)| text + &query)
}

proptest! {
    #[test]
    fn what_is_written_is_read_as_the_same_key(text in any_text()) {
        let uri: KmsUri = text.parse().unwrap();
        let written = uri.to_string();
        prop_assert_eq!(written.parse::<KmsUri>().unwrap(), uri);
    }

    #[test]
    fn any_text_is_a_uri_that_can_be_written_or_an_error(
        text in r"(awskms|gcpkms|azurekms|vault|hv):(//)?([a-z]{0,3}|[/:?&=.%0-9]|arn:aws:kms:|\.vault\.azure\.net|/keys/|region=|scheme=|\PC){0,10}",
    ) {
        match text.parse::<KmsUri>() {
            Ok(uri) => prop_assert_eq!(uri.to_string().parse::<KmsUri>().unwrap(), uri),
            Err(error) => prop_assert_eq!(error.code(), "key.uri"),
        }
    }
}
