//! Keys on a token of SoftHSM, through PKCS#11.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use tempfile::TempDir;
use tuffet_core::crypto::Scheme;
use tuffet_sign::error::{Origin, PinProblem};
use tuffet_sign::token::{PinState, tokens};
use tuffet_sign::{FileKey, KeyUri, Passphrase, Protection, Secrets, SignError, Signer};

use crate::matrix::{self, kind};
use crate::python;
use crate::surroundings::{again, inside, is_accepted, open_with, refused};

const PIN: &str = "123456";
const OTHER_PIN: &str = "654321";

/// Gives a PIN, and counts how often it was asked for.
#[derive(Default)]
struct Pin(AtomicUsize);

impl Secrets for Pin {
    fn passphrase(&self, _: &Origin) -> Option<Passphrase> {
        panic!("asked for a passphrase")
    }

    fn pin(&self, token: &tuffet_sign::TokenName<'_>) -> Option<Passphrase> {
        assert_eq!(token.label, "test token");
        assert!(!token.serial.is_empty());
        assert!(token.module.exists());
        self.0.fetch_add(1, Ordering::Relaxed);
        Some(Passphrase::new(PIN))
    }
}

/// The library of SoftHSM, where distributions put it.
fn library() -> Option<PathBuf> {
    let places = [
        "/usr/lib/softhsm/libsofthsm2.so",
        "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
        "/usr/lib64/pkcs11/libsofthsm2.so",
        "/usr/local/lib/softhsm/libsofthsm2.so",
        "/opt/homebrew/lib/softhsm/libsofthsm2.so",
    ];
    places.iter().map(PathBuf::from).find(|path| path.is_file())
}

/// A token in a directory of its own.
struct SoftHsm {
    directory: TempDir,
    library: PathBuf,
}

impl SoftHsm {
    /// Makes tokens; `None` if SoftHSM is not installed.
    fn with_tokens(labels: &[&str]) -> Option<Self> {
        let has_tool = Command::new("softhsm2-util")
            .arg("--version")
            .output()
            .is_ok();
        let Some(library) = library().filter(|_| has_tool) else {
            println!("skipped: SoftHSM is not installed");
            return None;
        };
        let directory = tempfile::tempdir().unwrap();
        let tokens = directory.path().join("tokens");
        fs::create_dir(&tokens).unwrap();
        let text = format!("directories.tokendir = {}\n", tokens.display());
        fs::write(directory.path().join("softhsm2.conf"), text).unwrap();
        let made = Self { directory, library };
        for label in labels {
            made.init(label, PIN);
        }
        Some(made)
    }

    fn configuration(&self) -> PathBuf {
        self.directory.path().join("softhsm2.conf")
    }

    fn run(&self, arguments: &[&str], pin: &str) -> String {
        let output = Command::new("softhsm2-util")
            .args(arguments)
            .args(["--pin", pin])
            .env("SOFTHSM2_CONF", self.configuration())
            .output()
            .unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {errors}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Sets one token more up.
    fn init(&self, label: &str, pin: &str) {
        let init = ["--init-token", "--free", "--so-pin", "87654321"];
        self.run(&[&init[..], &["--label", label]].concat(), pin);
    }

    /// The serial numbers of the tokens that are set up.
    fn serials(&self) -> Vec<String> {
        let shown = self.run(&["--show-slots"], PIN);
        let values = shown.lines().filter_map(|line| {
            let (name, value) = line.split_once(':')?;
            (name.trim() == "Serial number").then(|| value.trim().to_owned())
        });
        values.filter(|serial| !serial.is_empty()).collect()
    }

    /// Puts a key on the token, also under an identifier that another key has already.
    fn import(&self, scheme: Scheme, label: &str, id: &str) {
        self.import_key(&["--token", "test token"], PIN, scheme, label, id);
    }

    /// Puts a key on one of several tokens.
    fn import_to(&self, token: &[&str], pin: &str, label: &str, id: &str) {
        self.import_key(token, pin, Scheme::Ed25519, label, id);
    }

    fn import_key(&self, token: &[&str], pin: &str, scheme: Scheme, label: &str, id: &str) {
        let key = FileKey::generate(scheme).unwrap();
        let path = self.directory.path().join(format!("{label}-{id}.pem"));
        key.save(&path, Protection::Plain).unwrap();
        let path = path.to_string_lossy();
        let import = ["--import", &path, "--label", label, "--id", id, "--force"];
        self.run(&[&import[..], token].concat(), pin);
    }

    /// Runs a test again where the library finds these tokens.
    fn again(&self, test: &str) {
        let pin = self.directory.path().join("pin");
        fs::write(&pin, format!("{PIN}\n")).unwrap();
        again(
            test,
            &[
                ("SOFTHSM2_CONF", self.configuration().as_ref()),
                ("PYKCS11LIB", self.library.as_ref()),
                ("PIN_FILE", pin.as_ref()),
            ],
        );
    }
}

/// A key by its label, with the library of the environment.
fn uri(rest: &str) -> String {
    format!("pkcs11:token=test%20token;{rest}")
}

fn wrong(uri: &str, secrets: &dyn Secrets) -> SignError {
    let uri: KeyUri = uri.parse().unwrap();
    uri.open(secrets).err().unwrap()
}

#[test]
fn a_token_that_shows_another_public_key_than_it_signs_with_signs_nothing() {
    const NAME: &str =
        "tokens::a_token_that_shows_another_public_key_than_it_signs_with_signs_nothing";
    if inside(NAME) {
        let open = |label| open_with(&uri(&format!("object={label}")), &Pin::default());
        let (one, other) = (open("one"), open("other"));
        // Keys are paired by identifier, and both have the same.
        assert_eq!(one.public(), other.public());
        let results = [one, other].map(|key| key.sign(b"message").map(drop));
        let codes = results.map(|result| result.map_err(|error| error.code()));
        assert!(codes.contains(&Ok(())), "{codes:?}");
        assert!(codes.contains(&Err("key.mismatch")), "{codes:?}");
        return;
    }
    let Some(hsm) = SoftHsm::with_tokens(&["test token"]) else {
        return;
    };
    hsm.import(Scheme::EcdsaP256Sha256, "one", "0a");
    hsm.import(Scheme::EcdsaP256Sha256, "other", "0a");
    hsm.again(NAME);
}

#[test]
fn every_scheme_of_a_token_is_accepted() {
    const NAME: &str = "tokens::every_scheme_of_a_token_is_accepted";
    if inside(NAME) {
        for scheme in matrix::tokens() {
            let pin = Pin::default();
            let uri = uri(&format!("object={}?scheme={scheme}", kind(scheme).name()));
            let key = open_with(&uri, &pin);
            is_accepted(&*key, scheme);
            assert_eq!(
                pin.0.load(Ordering::Relaxed),
                1,
                "the PIN is asked for once"
            );
        }
        python::accepts_all();
        let ml_dsa = uri("object=ed25519?scheme=ml-dsa-44%2F1");
        assert_eq!(wrong(&ml_dsa, &Pin::default()).code(), "key.scheme");
        return;
    }
    let Some(token) = SoftHsm::with_tokens(&["test token"]) else {
        return;
    };
    for (place, scheme) in matrix::tokens().into_iter().enumerate() {
        if kind(scheme) == scheme {
            token.import(scheme, scheme.name(), &format!("{:02x}", place + 1));
        }
    }
    token.again(NAME);
}

#[test]
fn a_key_on_a_token_is_exactly_the_one_that_is_named() {
    const NAME: &str = "tokens::a_key_on_a_token_is_exactly_the_one_that_is_named";
    if inside(NAME) {
        let pin = Pin::default();
        let public = |uri: &str| open_with(uri, &pin).public().clone();
        // As securesystemslib names it: identifier 2 unless told otherwise.
        let two = public(&uri("id=%02"));
        assert_eq!(public("hsm:?label=test+token"), two);
        assert_eq!(
            public("hsm:3?label=test+token"),
            public(&uri("object=other;id=%03"))
        );
        assert_ne!(public(&uri("object=other;id=%03")), two);

        let error = wrong(&uri("object=key"), &pin);
        assert_eq!(error.code(), "key.several");
        let error = wrong(&uri("object=key;id=%03"), &pin);
        assert_eq!(error.code(), "key.absent");
        assert!(error.to_string().contains("key (id 02)"), "{error}");
        for (uri, code) in [
            ("pkcs11:id=%02", "key.several"),
            ("pkcs11:token=nothing", "key.absent"),
            (
                "pkcs11:token=test%20token;manufacturer=nobody",
                "key.absent",
            ),
            ("pkcs11:?module-path=/nonexistent.so", "key.token"),
        ] {
            assert_eq!(wrong(uri, &pin).code(), code, "{uri}");
        }
        return;
    }
    let Some(token) = SoftHsm::with_tokens(&["test token", "another token"]) else {
        return;
    };
    token.import(Scheme::EcdsaP256Sha256, "key", "02");
    token.import(Scheme::EcdsaP384Sha384, "other", "03");
    token.import(Scheme::EcdsaP256Sha256, "key", "04");
    token.again(NAME);
}

/// Gives another PIN than the right one.
struct Wrong;

impl Secrets for Wrong {
    fn passphrase(&self, _: &Origin) -> Option<Passphrase> {
        None
    }

    fn pin(&self, _: &tuffet_sign::TokenName<'_>) -> Option<Passphrase> {
        Some(Passphrase::new("000000"))
    }
}

#[test]
fn pins_are_asked_for_or_read_and_wrong_ones_are_told_from_missing_ones() {
    const NAME: &str =
        "tokens::pins_are_asked_for_or_read_and_wrong_ones_are_told_from_missing_ones";
    if inside(NAME) {
        let key = uri("object=key");
        let problem = |error: SignError| match error {
            SignError::Pin { what, .. } => what,
            error => panic!("{error}"),
        };
        assert_eq!(problem(wrong(&key, &Wrong)), PinProblem::Wrong);
        assert_eq!(problem(refused(&key)), PinProblem::Missing);
        let file = std::env::var("PIN_FILE").unwrap();
        // Nobody is asked when a file has it; `Wrong` would not do.
        let with_file = format!("{key}?pin-source=file:{file}");
        is_accepted(&*open_with(&with_file, &Wrong), Scheme::Ed25519);
        let missing = format!("{key}?pin-source=/nonexistent");
        assert_eq!(refused(&missing).code(), "key.unavailable");

        let library = std::env::var("PYKCS11LIB").unwrap();
        let found = tokens(Path::new(&library)).unwrap();
        let token = found.iter().find(|token| token.initialized).unwrap();
        assert_eq!(
            (token.label.as_str(), token.wants_pin),
            ("test token", true)
        );
        // SoftHSM counts no tries; what matters is that the state is read.
        assert!(
            matches!(token.pin, PinState::Good | PinState::Low),
            "{token:?}"
        );
        let key = token.keys.first().unwrap();
        assert_eq!((key.label.as_str(), key.id.as_str()), ("key", "0a"));
        assert_eq!(key.scheme(), Some(Scheme::Ed25519));
        return;
    }
    let Some(token) = SoftHsm::with_tokens(&["test token"]) else {
        return;
    };
    token.import(Scheme::Ed25519, "key", "0a");
    token.again(NAME);
}

/// The PINs of tokens by their serial numbers, for tokens that have nothing else of their own.
struct Pins(Vec<(String, &'static str)>, AtomicUsize);

impl Secrets for Pins {
    fn passphrase(&self, _: &Origin) -> Option<Passphrase> {
        panic!("asked for a passphrase")
    }

    fn pin(&self, token: &tuffet_sign::TokenName<'_>) -> Option<Passphrase> {
        self.1.fetch_add(1, Ordering::Relaxed);
        let known = self.0.iter().find(|(serial, _)| serial == token.serial);
        known.map(|(_, pin)| Passphrase::new(*pin))
    }
}

#[test]
fn of_two_tokens_with_the_same_label_the_serial_number_tells() {
    const NAME: &str = "tokens::of_two_tokens_with_the_same_label_the_serial_number_tells";
    if inside(NAME) {
        let library = std::env::var("PYKCS11LIB").unwrap();
        let found = tokens(Path::new(&library)).unwrap();
        let with = |id: &str| {
            let has = |token: &&tuffet_sign::token::TokenReport| {
                token.keys.iter().any(|key| key.id == id)
            };
            let mut all = found.iter().filter(has);
            let token = all.next().unwrap();
            assert_eq!(
                (token.label.as_str(), all.next().is_none()),
                ("test token", true)
            );
            token.serial.clone()
        };
        let (one, other) = (with("0a"), with("0b"));
        assert_ne!(one, other);
        let pins = Pins(
            vec![(one.clone(), PIN), (other.clone(), OTHER_PIN)],
            AtomicUsize::new(0),
        );
        // The label alone is the name of neither, and nobody is asked for a PIN that might go to the wrong one.
        for uri in [uri("object=key"), "hsm:10?label=test+token".to_owned()] {
            assert_eq!(wrong(&uri, &pins).code(), "key.several", "{uri}");
        }
        assert_eq!(pins.1.load(Ordering::Relaxed), 0);
        let open = |serial: &str| open_with(&uri(&format!("serial={serial};object=key")), &pins);
        let (first, second) = (open(&one), open(&other));
        assert_ne!(first.public(), second.public());
        is_accepted(&*first, Scheme::Ed25519);
        is_accepted(&*second, Scheme::Ed25519);
        assert_eq!(pins.1.load(Ordering::Relaxed), 2, "each has its own PIN");
        // The PIN of the one is not tried on the other.
        let swapped = Pins(vec![(other.clone(), OTHER_PIN)], AtomicUsize::new(0));
        let error = wrong(&uri(&format!("serial={one};object=key")), &swapped);
        assert_eq!(error.code(), "key.pin");
        let error = wrong(&uri("serial=0000;object=key"), &pins);
        assert_eq!(error.code(), "key.absent");
        return;
    }
    let Some(token) = SoftHsm::with_tokens(&["test token"]) else {
        return;
    };
    token.import(Scheme::Ed25519, "key", "0a");
    let first = token.serials();
    token.init("test token", OTHER_PIN);
    let mut both = token.serials();
    both.retain(|serial| !first.contains(serial));
    let [second] = both.as_slice() else {
        panic!("{both:?}");
    };
    token.import_to(&["--serial", second], OTHER_PIN, "key", "0b");
    token.again(NAME);
}

#[test]
fn a_key_that_wants_its_pin_for_every_signature_gets_it_and_nobody_is_asked_again() {
    const NAME: &str =
        "tokens::a_key_that_wants_its_pin_for_every_signature_gets_it_and_nobody_is_asked_again";
    if inside(NAME) {
        let pin = Pin::default();
        for scheme in ["rsa-pkcs1v15-sha256", "rsassa-pss-sha256"] {
            let scheme = Scheme::from_name(scheme).unwrap();
            let key = open_with(&uri(&format!("object=strict?scheme={scheme}")), &pin);
            for _ in 0..3 {
                is_accepted(&*key, scheme);
            }
        }
        assert_eq!(
            pin.0.load(Ordering::Relaxed),
            2,
            "once for each time a key is opened"
        );
        return;
    }
    let Some(token) = SoftHsm::with_tokens(&["test token"]) else {
        return;
    };
    let mut make = Command::new("pkcs11-tool");
    make.arg("--module").arg(&token.library);
    make.args([
        "--token-label",
        "test token",
        "--login",
        "--pin",
        PIN,
        "--keypairgen",
    ]);
    make.args([
        "--key-type",
        "rsa:2048",
        "--label",
        "strict",
        "--id",
        "05",
        "--always-auth",
    ]);
    match make.env("SOFTHSM2_CONF", token.configuration()).output() {
        Err(error) => println!("skipped: pkcs11-tool cannot be run: {error}"),
        Ok(output) => {
            assert!(output.status.success(), "{output:?}");
            token.again(NAME);
        }
    }
}
