//! Key URIs.

use std::path::PathBuf;

use proptest::prelude::*;
use tuffet_core::crypto::{HashAlgorithm, Scheme};
use tuffet_sign::{AgentIdentity, FileKey, KeyUri, NoSecrets, Protection, Signer, TokenUri};

const PSS: Scheme = Scheme::RsaPss(HashAlgorithm::Sha256);

fn parsed(text: &str) -> KeyUri {
    let uri: KeyUri = text
        .parse()
        .unwrap_or_else(|error| panic!("{text}: {error}"));
    assert_eq!(
        uri.to_string().parse::<KeyUri>().unwrap(),
        uri,
        "{text} as {uri}"
    );
    uri
}

#[test]
fn files_are_named_by_uri_or_path() {
    for (text, path) in [
        ("root.pem", "root.pem"),
        ("/keys/root.pem", "/keys/root.pem"),
        ("//server/root.pem", "//server/root.pem"),
        ("./a:b", "./a:b"),
        ("a/b:c", "a/b:c"),
        ("1a:b", "1a:b"),
        ("C:\\keys\\root.pem", "C:\\keys\\root.pem"),
        ("root.pem?scheme=ed25519", "root.pem?scheme=ed25519"),
        ("file:root.pem", "root.pem"),
        ("file:/keys/root.pem", "/keys/root.pem"),
        ("file:///keys/root.pem", "/keys/root.pem"),
        ("file:////server/root.pem", "//server/root.pem"),
        ("file:a%20b", "a%20b"),
        ("file:a:b", "a:b"),
        ("file:a?b", "a?b"),
        ("file:a?scheme=", "a"),
        ("file:a?scheme=x?scheme=", "a?scheme=x"),
        ("file2:keys/root.pem", "keys/root.pem"),
    ] {
        assert_eq!(parsed(text), KeyUri::file(path), "{text}");
    }
}

#[test]
fn a_scheme_is_chosen_by_a_parameter() {
    let scheme = Some(PSS);
    let path = "key.pem".into();
    assert_eq!(
        parsed("file:key.pem?scheme=rsassa-pss-sha256"),
        KeyUri::File { path, scheme }
    );
    for text in [
        "env:KEY?scheme=rsassa-pss-sha256",
        "exec:sign?arg=a&scheme=rsassa-pss-sha256",
        "pkcs11:?scheme=rsassa-pss-sha256",
        "hsm:?scheme=rsassa-pss-sha256",
        "ssh-agent:sam?scheme=rsassa-pss-sha256",
    ] {
        match parsed(text) {
            KeyUri::Env { scheme, .. }
            | KeyUri::Exec { scheme, .. }
            | KeyUri::Token { scheme, .. }
            | KeyUri::Agent { scheme, .. } => assert_eq!(scheme, Some(PSS), "{text}"),
            other => panic!("{text}: {other}"),
        }
    }
}

#[test]
fn programs_get_their_arguments_decoded() {
    let uri = parsed("exec:/opt/a%20b/sign?arg=--key&arg=a%26b=c%3F&arg=");
    let KeyUri::Exec {
        program, arguments, ..
    } = uri
    else {
        panic!("{uri}");
    };
    assert_eq!(program, PathBuf::from("/opt/a b/sign"));
    assert_eq!(arguments, ["--key", "a&b=c?", ""]);
}

#[test]
fn tokens_are_named_as_rfc_7512_does() {
    let uri = "pkcs11:token=The%20Software%20PKCS%2311%20Softtoken;manufacturer=Snake%20Oil;serial=;\
               object=my-key;type=private;id=%69%95%3E?module-path=/usr/lib/m.so&pin-source=file:/run/pin";
    let KeyUri::Token {
        token,
        scheme: None,
    } = parsed(uri)
    else {
        panic!("{uri}");
    };
    let mut expected = TokenUri::default();
    expected.token = Some("The Software PKCS#11 Softtoken".into());
    expected.manufacturer = Some("Snake Oil".into());
    expected.serial = Some("".into());
    expected.object = Some("my-key".into());
    expected.id = Some(vec![0x69, 0x95, 0x3e]);
    expected.module = Some("/usr/lib/m.so".into());
    expected.pin_source = Some("/run/pin".into());
    assert_eq!(token, expected);
}

#[test]
fn forms_of_securesystemslib_mean_the_same_keys() {
    for (theirs, ours) in [
        ("hsm:", "pkcs11:id=%02"),
        ("hsm:3?", "pkcs11:id=%03"),
        (
            "hsm:2?label=YubiKey+PIV+%2315835999",
            "pkcs11:token=YubiKey%20PIV%20%2315835999;id=%02",
        ),
        (
            "hsm:255?manufacturerID=a&model=b&serialNumber=c",
            "pkcs11:manufacturer=a;model=b;serial=c;id=%FF",
        ),
        ("file2:/keys/root.pem", "file:/keys/root.pem"),
    ] {
        assert_eq!(parsed(theirs), parsed(ours), "{theirs}");
        assert_eq!(parsed(theirs).to_string(), ours);
    }
}

#[test]
fn identities_of_an_agent_are_named_by_fingerprint_or_comment() {
    let fingerprint = "ssh-agent:SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let KeyUri::Agent { identity, .. } = parsed(fingerprint) else {
        panic!("{fingerprint}");
    };
    assert_eq!(identity, AgentIdentity::Fingerprint([0; 32]));
    for (text, comment) in [
        ("ssh-agent:sam@host", "sam@host"),
        ("ssh-agent:sam%20b%3f", "sam b?"),
        ("ssh-agent:sam b", "sam b"),
        ("ssh-agent:SHA256%3Asam", "SHA256:sam"),
    ] {
        let KeyUri::Agent { identity, .. } = parsed(text) else {
            panic!("{text}");
        };
        assert_eq!(identity, AgentIdentity::Comment(comment.into()));
    }
}

#[test]
fn other_uris_are_refused_without_repeating_what_may_be_secret() {
    for (text, what) in [
        ("", "has no path"),
        ("file:", "has no path"),
        ("a\0b", "zero byte"),
        ("file://host/key.pem", "names a host"),
        ("file:a?scheme=rsa", "none of ed25519,"),
        ("other:1234", "has scheme `other`"),
        ("env:", "letters, digits"),
        ("env:A B", "letters, digits"),
        ("env:A?b=1234", "not `scheme`"),
        ("env:A?scheme=ed25519&scheme=ed25519", "`scheme` twice"),
        ("exec:", "has no program"),
        ("exec:a?1234", "without `=`"),
        ("exec:a?pin=1234", "neither `arg` nor `scheme`"),
        ("exec:a?arg=%4", "`%` without"),
        ("exec:a?arg=%+4", "`%` without"),
        ("exec:a?arg=%ff", "not UTF-8"),
        ("pkcs11:token=x?pin-value=1234", "has a PIN in it"),
        ("pkcs11:pin-value=1234", "has a PIN in it"),
        ("pkcs11:token=x?pin-source=|echo%201234", "is a command"),
        ("pkcs11:token=x?pin-source=file://host/1234", "names a host"),
        ("pkcs11:token=a;token=b", "`token` twice"),
        ("pkcs11:type=cert", "neither private nor public"),
        ("pkcs11:slot-id=1", "attribute `slot-id`"),
        ("pkcs11:?module-name=x", "parameter `module-name`"),
        ("pkcs11:id=", "empty `id`"),
        ("hsm:256", "not a number"),
        ("hsm:2?pin=1234", "parameter `pin`"),
        ("ssh-agent:", "names no identity"),
        ("ssh-agent:SHA256:AAAA", "fingerprint"),
    ] {
        let error = text.parse::<KeyUri>().unwrap_err();
        assert_eq!(error.code(), "key.uri");
        assert!(error.to_string().contains(what), "{text}: {error}");
        assert!(!error.to_string().contains("1234"), "{error}");
    }
}

#[test]
fn keys_of_key_services_are_named_and_wait_for_their_feature() {
    for text in [
        "awskms:alias/root",
        "gcpkms:projects/p/locations/l/keyRings/r/cryptoKeys/k/cryptoKeyVersions/1",
        "azurekms://name.vault.azure.net/keys/root/0123",
        "hv:root/1",
    ] {
        assert!(matches!(parsed(text), KeyUri::Kms(_)), "{text}");
    }
}

#[test]
fn a_uri_opens_its_key() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("key.pem");
    let key = FileKey::generate(Scheme::Ed25519).unwrap();
    key.save(&path, Protection::Plain).unwrap();
    let signer = KeyUri::file(path).open(&NoSecrets).unwrap();
    assert_eq!(signer.public(), key.public());
    let signature = signer.sign(b"message").unwrap();
    key.public()
        .confirm(b"message", signature.as_bytes())
        .unwrap();
}

fn any_scheme() -> impl Strategy<Value = Option<Scheme>> {
    prop_oneof![
        Just(None),
        prop::sample::select(Scheme::ALL.to_vec()).prop_map(Some)
    ]
}

/// Text that a URI can hold: not empty, without zero bytes, with characters that have a meaning in URIs.
fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        r"[^\x00]{1,12}",
        "[a/:?&=%#;+@ ]{1,12}",
        Just("?scheme=".to_owned()),
        Just("//?scheme=ed25519".to_owned()),
        Just("SHA256:".to_owned()),
    ]
}

fn any_token() -> impl Strategy<Value = TokenUri> {
    let option = || prop::option::of(any_text());
    let fields = (option(), option(), option(), option(), option());
    let id = prop::option::of(prop::collection::vec(any::<u8>(), 1..6));
    (fields, id, option(), option()).prop_map(|(fields, id, module, pin)| {
        let mut token = TokenUri::default();
        (
            token.token,
            token.manufacturer,
            token.model,
            token.serial,
            token.object,
        ) = fields;
        token.id = id;
        token.module = module.map(PathBuf::from);
        token.pin_source = pin.map(PathBuf::from);
        token
    })
}

fn any_uri() -> impl Strategy<Value = KeyUri> {
    let file = (any_text(), any_scheme()).prop_map(|(path, scheme)| KeyUri::File {
        path: path.into(),
        scheme,
    });
    let env = ("[A-Z_0-9]{1,8}", any_scheme())
        .prop_map(|(variable, scheme)| KeyUri::Env { variable, scheme });
    let exec = (
        any_text(),
        prop::collection::vec(any_text(), 0..4),
        any_scheme(),
    )
        .prop_map(|(program, arguments, scheme)| KeyUri::Exec {
            program: program.into(),
            arguments,
            scheme,
        });
    let token =
        (any_token(), any_scheme()).prop_map(|(token, scheme)| KeyUri::Token { token, scheme });
    let identity = prop_oneof![
        any::<[u8; 32]>().prop_map(AgentIdentity::Fingerprint),
        any_text().prop_map(AgentIdentity::Comment),
    ];
    let agent =
        (identity, any_scheme()).prop_map(|(identity, scheme)| KeyUri::Agent { identity, scheme });
    prop_oneof![file, env, exec, token, agent]
}

proptest! {
    #[test]
    fn what_is_written_is_read_as_the_same_key(uri in any_uri()) {
        let text = uri.to_string();
        prop_assert_eq!(text.parse::<KeyUri>().unwrap(), uri, "{}", text);
    }

    #[test]
    fn any_text_is_a_uri_that_can_be_written_or_an_error(
        text in r"(file:|env:|exec:|pkcs11:|hsm:|ssh-agent:|x:|)([a-z]{0,3}|[;?&=%/:0-9a-f]|token=|id=|scheme=|SHA256:|\PC){0,10}",
    ) {
        match text.parse::<KeyUri>() {
            Ok(uri) => prop_assert_eq!(uri.to_string().parse::<KeyUri>().unwrap(), uri),
            Err(error) => prop_assert_eq!(error.code(), "key.uri"),
        }
    }
}
