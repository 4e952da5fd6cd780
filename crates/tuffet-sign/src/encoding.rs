//! Key files: PKCS#8 (RFC 5958) in PEM, usually encrypted with PBES2 (RFC 8018).

use pkcs8::der::asn1::OctetStringRef;
use pkcs8::der::pem::LineEnding;
use pkcs8::der::{Decode, SecretDocument};
use pkcs8::pkcs5::pbes2::{Kdf, Parameters};
use pkcs8::pkcs5::{self, EncryptionScheme, scrypt};
use pkcs8::{EncryptedPrivateKeyInfo, ObjectIdentifier, PrivateKeyInfoRef};
use tuffet_core::crypto::{Curve, MlDsaParameters};
use zeroize::Zeroizing;

use crate::error::PassphraseProblem;
use crate::passphrase::Passphrase;
use crate::private::KeyForm;

const LABEL_PLAIN: &str = "PRIVATE KEY";
const LABEL_ENCRYPTED: &str = "ENCRYPTED PRIVATE KEY";

/// The most that reading a file may cost: scrypt `N * r * p`, of which each unit mixes 128 bytes.
const SCRYPT_GREATEST: u64 = 1 << 23;
/// The most that reading a file may cost: iterations of PBKDF2.
const PBKDF2_GREATEST: u32 = 10_000_000;

mod oid {
    use super::ObjectIdentifier;

    pub(super) const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
    pub(super) const RSA_ENCRYPTION: ObjectIdentifier =
        ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
    pub(super) const EC_PUBLIC_KEY: ObjectIdentifier =
        ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
    pub(super) const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
    pub(super) const P384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");
    pub(super) const P521: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.35");
    pub(super) const ML_DSA_44: ObjectIdentifier =
        ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.3.17");
    pub(super) const ML_DSA_65: ObjectIdentifier =
        ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.3.18");
    pub(super) const ML_DSA_87: ObjectIdentifier =
        ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.3.19");
}

/// Why the content of a file cannot be read or written.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Problem {
    Format(String),
    Passphrase(PassphraseProblem),
}

impl Problem {
    fn format(what: &str) -> Self {
        Self::Format(what.into())
    }
}

/// Reads a key file; `passphrase` is asked for only if the file is encrypted.
pub(crate) fn read(
    text: &str,
    passphrase: impl FnOnce() -> Option<Passphrase>,
) -> Result<(KeyForm, SecretDocument), Problem> {
    let (label, document) = SecretDocument::from_pem(text.trim_ascii())
        .map_err(|_| Problem::format("it is not one PEM block"))?;
    let document = match label {
        LABEL_PLAIN => document,
        LABEL_ENCRYPTED => decrypt(&document, passphrase)?,
        "RSA PRIVATE KEY" | "EC PRIVATE KEY" | "DSA PRIVATE KEY" | "OPENSSH PRIVATE KEY" => {
            return Err(Problem::Format(format!(
                "its PEM label is `{label}`; convert it to PKCS#8 first, as `openssl pkcs8 -topk8` does"
            )));
        }
        _ => {
            let label: String = label
                .chars()
                .take(40)
                .flat_map(char::escape_debug)
                .collect();
            return Err(Problem::Format(format!("its PEM label is `{label}`")));
        }
    };
    let form = form_of(document.as_bytes())?;
    Ok((form, document))
}

fn decrypt(
    document: &SecretDocument,
    passphrase: impl FnOnce() -> Option<Passphrase>,
) -> Result<SecretDocument, Problem> {
    let encrypted = EncryptedPrivateKeyInfo::<&OctetStringRef>::from_der(document.as_bytes())
        .map_err(|_| Problem::format("it is not an encrypted PKCS#8 document that can be read"))?;
    check_cost(&encrypted.encryption_algorithm)?;
    let passphrase = passphrase().ok_or(Problem::Passphrase(PassphraseProblem::Missing))?;
    let wrong = Problem::Passphrase(PassphraseProblem::Wrong);
    encrypted
        .decrypt(passphrase.as_bytes())
        .map_err(|error| match error {
            // About one wrong passphrase in 256 leaves padding that looks right, and then no document.
            pkcs8::Error::EncryptedPrivateKey(pkcs5::Error::DecryptFailed)
            | pkcs8::Error::Asn1(_) => wrong,
            error => Problem::Format(error.to_string()),
        })
}

/// Refuses files whose passphrase takes minutes or gigabytes to try, and parameters that mean nothing.
fn check_cost(scheme: &EncryptionScheme) -> Result<(), Problem> {
    let parameters = scheme
        .pbes2()
        .ok_or(Problem::format("its encryption is older than PBES2"))?;
    let sound = match &parameters.kdf {
        Kdf::Scrypt(scrypt) => {
            let cost = scrypt
                .cost_parameter
                .checked_mul(scrypt.block_size.into())
                .and_then(|cost| cost.checked_mul(scrypt.parallelization.into()));
            cost.is_some_and(|cost| (1..=SCRYPT_GREATEST).contains(&cost))
        }
        Kdf::Pbkdf2(pbkdf2) => (1..=PBKDF2_GREATEST).contains(&pbkdf2.iteration_count),
        _ => false,
    };
    if sound {
        Ok(())
    } else {
        Err(Problem::format(
            "its key derivation is too costly or not a known one",
        ))
    }
}

fn form_of(der: &[u8]) -> Result<KeyForm, Problem> {
    let info = PrivateKeyInfoRef::from_der(der)
        .map_err(|_| Problem::format("it is not a PKCS#8 document"))?;
    match info.algorithm.oid {
        oid::ED25519 => Ok(KeyForm::Ed25519),
        oid::RSA_ENCRYPTION => Ok(KeyForm::Rsa),
        oid::ML_DSA_44 => Ok(KeyForm::MlDsa(MlDsaParameters::MlDsa44)),
        oid::ML_DSA_65 => Ok(KeyForm::MlDsa(MlDsaParameters::MlDsa65)),
        oid::ML_DSA_87 => Ok(KeyForm::MlDsa(MlDsaParameters::MlDsa87)),
        oid::EC_PUBLIC_KEY => match info.algorithm.parameters_oid() {
            Ok(oid::P256) => Ok(KeyForm::Ecdsa(Curve::P256)),
            Ok(oid::P384) => Ok(KeyForm::Ecdsa(Curve::P384)),
            Ok(oid::P521) => Ok(KeyForm::Ecdsa(Curve::P521)),
            _ => Err(Problem::format(
                "its curve is none of P-256, P-384 and P-521",
            )),
        },
        other => Err(Problem::Format(format!(
            "its algorithm {other} is not supported"
        ))),
    }
}

/// Writes a PKCS#8 document as it is.
pub(crate) fn write_plain(der: &[u8]) -> Result<Zeroizing<String>, Problem> {
    to_pem(LABEL_PLAIN, der)
}

/// Writes a PKCS#8 document encrypted with AES-256, under a key that scrypt derives from the passphrase.
pub(crate) fn write_encrypted(
    der: &[u8],
    passphrase: &Passphrase,
) -> Result<Zeroizing<String>, Problem> {
    // N = 2^14 is the most that OpenSSL reads without being told to use more memory.
    const LOG_N: u8 = 14;
    const R: u32 = 8;
    const P: u32 = 1;
    if passphrase.is_empty() {
        return Err(Problem::Passphrase(PassphraseProblem::Empty));
    }
    let failed = |_| Problem::format("it cannot be encrypted");
    let (mut salt, mut iv) = ([0; 16], [0; 16]);
    aws_lc_rs::rand::fill(&mut salt)
        .and_then(|()| aws_lc_rs::rand::fill(&mut iv))
        .map_err(|_| Problem::format("there are no random numbers"))?;
    let cost =
        scrypt::Params::new(LOG_N, R, P).map_err(|_| Problem::format("it cannot be encrypted"))?;
    let parameters = Parameters::generate_scrypt_aes256cbc(cost, &salt, iv)
        .map_err(|_| Problem::format("it cannot be encrypted"))?;
    let encrypted = PrivateKeyInfoRef::from_der(der)
        .map_err(pkcs8::Error::from)
        .and_then(|info| info.encrypt_with_params(parameters, passphrase.as_bytes()))
        .map_err(failed)?;
    to_pem(LABEL_ENCRYPTED, encrypted.as_bytes())
}

fn to_pem(label: &'static str, der: &[u8]) -> Result<Zeroizing<String>, Problem> {
    SecretDocument::try_from(der)
        .and_then(|document| document.to_pem(label, LineEnding::LF))
        .map_err(|_| Problem::format("it cannot be written as PEM"))
}
