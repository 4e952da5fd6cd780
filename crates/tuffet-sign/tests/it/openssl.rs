//! Keys that OpenSSL makes are read, and keys that we write are read by it.

use std::fs;
use std::path::Path;
use std::process::Command;

use tuffet_core::crypto::{HashAlgorithm, PublicKey, Scheme};
use tuffet_sign::{FileKey, Passphrase, Protection, Signer};

use crate::not_asked;

/// Runs OpenSSL in `directory`; `None` if there is none on this machine.
fn openssl(directory: &Path, arguments: &[&str]) -> Option<String> {
    let output = match Command::new("openssl")
        .args(arguments)
        .current_dir(directory)
        .output()
    {
        Ok(output) => output,
        Err(error) => {
            println!("skipped: openssl cannot be run: {error}");
            return None;
        }
    };
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "openssl {arguments:?}: {errors}");
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

const KINDS: [(&[&str], Scheme); 5] = [
    (&["-algorithm", "ed25519"], Scheme::Ed25519),
    (
        &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
        Scheme::EcdsaP256Sha256,
    ),
    (
        &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"],
        Scheme::EcdsaP384Sha384,
    ),
    (
        &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-521"],
        Scheme::EcdsaP521Sha512,
    ),
    (
        &["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
        Scheme::RsaPss(HashAlgorithm::Sha256),
    ),
];

#[test]
fn keys_made_by_openssl_are_read_plain_and_encrypted() {
    for (kind, scheme) in KINDS {
        for protection in [&[][..], &["-aes256", "-pass", "pass:secret"]] {
            let directory = tempfile::tempdir().unwrap();
            let arguments = [&["genpkey", "-out", "key.pem"], kind, protection].concat();
            if openssl(directory.path(), &arguments).is_none() {
                return;
            }
            let key = FileKey::open(directory.path().join("key.pem"), || {
                assert!(
                    !protection.is_empty(),
                    "asked for the passphrase of a plain file"
                );
                Some(Passphrase::new("secret"))
            })
            .unwrap();
            assert_eq!(key.public().scheme(), scheme);
            let public = openssl(
                directory.path(),
                &[
                    "pkey",
                    "-in",
                    "key.pem",
                    "-passin",
                    "pass:secret",
                    "-pubout",
                ],
            );
            let public = PublicKey::from_pem(&public.unwrap()).unwrap();
            assert_eq!(*key.public().public(), public, "{scheme}");
        }
    }
}

#[test]
fn keys_encrypted_with_scrypt_by_openssl_are_read() {
    let directory = tempfile::tempdir().unwrap();
    let make = ["genpkey", "-algorithm", "ed25519", "-out", "plain.pem"];
    if openssl(directory.path(), &make).is_none() {
        return;
    }
    let encrypt = "pkcs8 -topk8 -in plain.pem -out key.pem -scrypt -passout pass:secret";
    openssl(directory.path(), &encrypt.split(' ').collect::<Vec<_>>());
    let secret = || Some(Passphrase::new("secret"));
    let key = FileKey::open(directory.path().join("key.pem"), secret).unwrap();
    let plain = FileKey::open(directory.path().join("plain.pem"), not_asked).unwrap();
    assert_eq!(key.public(), plain.public());
}

#[test]
fn keys_written_here_are_read_by_openssl() {
    for (_, scheme) in KINDS {
        let directory = tempfile::tempdir().unwrap();
        let key = FileKey::generate(scheme).unwrap();
        let passphrase = Passphrase::new("secret");
        let path = |name: &str| directory.path().join(name);
        key.save(path("plain.pem"), Protection::Plain).unwrap();
        key.save(path("encrypted.pem"), Protection::Passphrase(&passphrase))
            .unwrap();
        for name in ["plain.pem", "encrypted.pem"] {
            let arguments = ["pkey", "-in", name, "-passin", "pass:secret", "-pubout"];
            let Some(public) = openssl(directory.path(), &arguments) else {
                return;
            };
            assert_eq!(
                public,
                key.public().public().to_spki_pem(),
                "{scheme} {name}"
            );
        }
    }
}

#[test]
fn signatures_made_here_are_verified_by_openssl() {
    let hashes = [
        HashAlgorithm::Sha256,
        HashAlgorithm::Sha384,
        HashAlgorithm::Sha512,
    ];
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    let rsa = Scheme::RsaPss(HashAlgorithm::Sha256);
    for kind in [
        Scheme::EcdsaP256Sha256,
        Scheme::EcdsaP384Sha384,
        Scheme::EcdsaP521Sha512,
        rsa,
    ] {
        let key = FileKey::generate(kind).unwrap();
        key.save(path(kind.name()), Protection::Plain).unwrap();
    }
    let schemes = [
        (
            Scheme::EcdsaP256Sha256,
            Scheme::EcdsaP256Sha256,
            HashAlgorithm::Sha256,
        ),
        (
            Scheme::EcdsaP384Sha384,
            Scheme::EcdsaP384Sha384,
            HashAlgorithm::Sha384,
        ),
        (
            Scheme::EcdsaP521Sha512,
            Scheme::EcdsaP521Sha512,
            HashAlgorithm::Sha512,
        ),
    ]
    .into_iter()
    .chain(hashes.map(|hash| (rsa, Scheme::RsaPss(hash), hash)))
    .chain(hashes.map(|hash| (rsa, Scheme::RsaPkcs1v15(hash), hash)));
    for (kind, scheme, hash) in schemes {
        let key = FileKey::open(path(kind.name()), not_asked)
            .unwrap()
            .with_scheme(scheme)
            .unwrap();
        for (name, content) in [
            ("message", b"signed here".to_vec()),
            ("signature", key.sign(b"signed here").unwrap().into_bytes()),
            ("public.pem", key.public().public().to_spki_pem().into()),
        ] {
            fs::write(path(name), content).unwrap();
        }
        let hash = format!("-{hash}");
        let mut arguments = vec![
            "dgst",
            &hash,
            "-verify",
            "public.pem",
            "-signature",
            "signature",
        ];
        if matches!(scheme, Scheme::RsaPss(_)) {
            arguments.extend([
                "-sigopt",
                "rsa_padding_mode:pss",
                "-sigopt",
                "rsa_pss_saltlen:digest",
            ]);
        }
        arguments.push("message");
        match openssl(directory.path(), &arguments) {
            None => return,
            Some(answer) => assert_eq!(answer.trim(), "Verified OK", "{scheme}"),
        }
    }
}

#[test]
fn keys_of_kinds_that_sign_nothing_here_are_refused() {
    let kinds: [&[&str]; 5] = [
        &["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024"],
        &["-algorithm", "RSA-PSS", "-pkeyopt", "rsa_keygen_bits:2048"],
        &[
            "-algorithm",
            "EC",
            "-pkeyopt",
            "ec_paramgen_curve:secp256k1",
        ],
        &["-algorithm", "x25519"],
        &["-algorithm", "ed448"],
    ];
    for kind in kinds {
        let directory = tempfile::tempdir().unwrap();
        let arguments = [&["genpkey", "-out", "key.pem"], kind].concat();
        if openssl(directory.path(), &arguments).is_none() {
            return;
        }
        let error = FileKey::open(directory.path().join("key.pem"), not_asked).unwrap_err();
        assert_eq!(error.code(), "key.format", "{kind:?}: {error}");
    }
}
