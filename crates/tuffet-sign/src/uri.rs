//! Names of keys, as users write them.

mod text;
mod token;

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use base64ct::{Base64Unpadded, Encoding};
use tuffet_core::crypto::Scheme;

use crate::error::{Origin, SignError};
use crate::file::FileKey;
use crate::kms::KmsUri;
use crate::program::ProgramKey;
use crate::secrets::Secrets;
use crate::signer::Signer;
use text::Refusal;
pub use token::TokenUri;

/// Where a private key is found.
///
/// | URI | the key |
/// |---|---|
/// | `file:PATH`, `file2:PATH`, a path alone | a PKCS#8 file in PEM; the path is taken literally |
/// | `env:VARIABLE` | the same text in an environment variable |
/// | `exec:PROGRAM?arg=…&arg=…` | whatever a program reaches, asked for each signature |
/// | `pkcs11:token=…;object=…;id=…?module-path=…&pin-source=…` | a key on a token (RFC 7512) |
/// | `hsm:NUMBER?label=…` | the same, as securesystemslib names it |
/// | `ssh-agent:SHA256:…`, `ssh-agent:COMMENT` | an identity of an ssh-agent |
/// | `awskms:`, `gcpkms:`, `azurekms:`, `vault:`, `hv:` | a key of a key management service |
///
/// All of them take `?scheme=NAME`, for keys that can sign with several: RSA keys. What is between `?` and `&`, and the names
/// of programs and identities, are percent encoded. A path whose first component has a colon in it is written with
/// `file:` or `./` in front. No URI has a secret in it.
///
/// ```
/// use tuffet_sign::KeyUri;
///
/// let uri: KeyUri = "file:keys/root.pem".parse().unwrap();
/// assert_eq!(uri, "keys/root.pem".parse().unwrap());
/// assert_eq!(uri.to_string(), "file:keys/root.pem");
///
/// let uri = "pkcs11:object=root?module-path=/usr/lib/opensc-pkcs11.so&scheme=rsassa-pss-sha256";
/// assert_eq!(uri.parse::<KeyUri>().unwrap().to_string(), uri);
///
/// assert_eq!("other:1".parse::<KeyUri>().unwrap_err().code(), "key.uri");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeyUri {
    /// A PKCS#8 file in PEM.
    File {
        /// The file.
        path: PathBuf,
        /// The scheme, where a key can have several.
        scheme: Option<Scheme>,
    },
    /// The text of such a file in an environment variable.
    Env {
        /// The name of the variable: letters, digits and `_`.
        variable: String,
        /// The scheme, where a key can have several.
        scheme: Option<Scheme>,
    },
    /// A program that signs.
    Exec {
        /// The program: a path, or a name that is looked for in `PATH`.
        program: PathBuf,
        /// What it is given on its command line.
        arguments: Vec<String>,
        /// The scheme, where a key can have several.
        scheme: Option<Scheme>,
    },
    /// A key on a token that is reached by PKCS#11.
    Token {
        /// Which key of which token.
        token: TokenUri,
        /// The scheme, where a key can have several.
        scheme: Option<Scheme>,
    },
    /// An identity of an ssh-agent.
    Agent {
        /// Which one.
        identity: AgentIdentity,
        /// The scheme, where a key can have several.
        scheme: Option<Scheme>,
    },
    /// A key of a key management service.
    Kms(KmsUri),
}

/// How an identity of an ssh-agent is chosen.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AgentIdentity {
    /// By the SHA-256 of its public key, as `ssh-add -l` shows it.
    Fingerprint([u8; 32]),
    /// By its comment, which one identity only may have.
    Comment(String),
}

/// What a fingerprint begins with.
const FINGERPRINT: &str = "SHA256:";

impl KeyUri {
    /// A key file.
    #[must_use]
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self::File {
            path: path.into(),
            scheme: None,
        }
    }

    /// The scheme that it asks for, if it does.
    #[must_use]
    pub fn scheme(&self) -> Option<Scheme> {
        match self {
            Self::File { scheme, .. }
            | Self::Env { scheme, .. }
            | Self::Exec { scheme, .. }
            | Self::Token { scheme, .. }
            | Self::Agent { scheme, .. } => *scheme,
            Self::Kms(uri) => uri.scheme(),
        }
    }

    /// The same key with that scheme.
    #[must_use]
    pub fn with_scheme(mut self, chosen: Scheme) -> Self {
        match &mut self {
            Self::File { scheme, .. }
            | Self::Env { scheme, .. }
            | Self::Exec { scheme, .. }
            | Self::Token { scheme, .. }
            | Self::Agent { scheme, .. } => *scheme = Some(chosen),
            Self::Kms(uri) => uri.set_scheme(chosen),
        }
        self
    }

    /// Opens the key. `secrets` are asked for only if the key needs one.
    ///
    /// # Errors
    /// [`SignError::Feature`] if this build has no code for keys of that kind, else whatever keeps the key from being reached.
    pub fn open(&self, secrets: &dyn Secrets) -> Result<Box<dyn Signer>, SignError> {
        match self {
            Self::File { path, scheme } => {
                let origin = Origin::File(path.clone());
                let key = FileKey::open(path, || secrets.passphrase(&origin))?;
                Ok(Box::new(with_scheme(key, *scheme)?))
            }
            Self::Env { variable, scheme } => {
                let origin = Origin::Variable(variable.clone());
                let key = FileKey::from_variable(variable, || secrets.passphrase(&origin))?;
                Ok(Box::new(with_scheme(key, *scheme)?))
            }
            Self::Exec {
                program,
                arguments,
                scheme,
            } => {
                let key = ProgramKey::open(program.clone(), arguments.clone(), *scheme)?;
                Ok(Box::new(key))
            }
            #[cfg(feature = "pkcs11")]
            Self::Token { token, scheme } => {
                let key = crate::token::TokenKey::open(token, *scheme, secrets)?;
                Ok(Box::new(key))
            }
            #[cfg(not(feature = "pkcs11"))]
            Self::Token { .. } => Err(SignError::Feature {
                what: "keys on tokens",
                feature: "pkcs11",
            }),
            #[cfg(unix)]
            Self::Agent { identity, scheme } => {
                let key = crate::agent::AgentKey::open(identity, *scheme)?;
                Ok(Box::new(key))
            }
            #[cfg(not(unix))]
            Self::Agent { .. } => Err(SignError::Feature {
                what: "an ssh-agent",
                feature: "none on this system",
            }),
            #[cfg(feature = "kms")]
            Self::Kms(uri) => {
                let settings = crate::kms::KmsSettings::from_environment();
                Ok(Box::new(crate::kms::KmsSigner::open(uri, &settings)?))
            }
            #[cfg(not(feature = "kms"))]
            Self::Kms(_) => Err(SignError::Feature {
                what: "keys in key management services",
                feature: "kms",
            }),
        }
    }

    fn parse(text: &str) -> Result<Self, Refusal> {
        let Some((kind, rest)) = split_kind(text) else {
            return text::path(text).map(Self::file);
        };
        match kind {
            "file" | "file2" => parse_file(rest),
            "env" => parse_env(rest),
            "exec" => parse_exec(rest),
            "pkcs11" => TokenUri::parse(rest).map(|(token, scheme)| Self::Token { token, scheme }),
            "hsm" => TokenUri::parse_hsm(rest).map(|(token, scheme)| Self::Token { token, scheme }),
            "ssh-agent" => parse_agent(rest),
            kind if KmsUri::has_scheme(kind) => KmsUri::parse(text).map(Self::Kms),
            kind => Err(format!(
                "has scheme `{kind}`, which is none that is known; a path with a colon in it is written with `./` in front"
            )),
        }
    }
}

impl FromStr for KeyUri {
    type Err = SignError;

    fn from_str(text: &str) -> Result<Self, SignError> {
        Self::parse(text).map_err(|what| SignError::Uri { what })
    }
}

impl fmt::Display for KeyUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, scheme } => {
                let path = path.to_string_lossy();
                f.write_str(&text::file_uri(&path))?;
                match scheme {
                    // What looks like a scheme at the end of a path is none if nothing follows the last one.
                    None if path.contains(SCHEME_OF_FILE) => f.write_str(SCHEME_OF_FILE),
                    scheme => f.write_str(&text::scheme_query(*scheme)),
                }
            }
            Self::Env { variable, scheme } => {
                write!(f, "env:{variable}{}", text::scheme_query(*scheme))
            }
            Self::Exec {
                program,
                arguments,
                scheme,
            } => {
                let program = program.to_string_lossy();
                write!(f, "exec:{}", text::encode(program.as_bytes(), "/:"))?;
                let arguments = arguments
                    .iter()
                    .map(|argument| format!("arg={}", text::encode(argument.as_bytes(), "/:")));
                let scheme = scheme.map(|scheme| format!("scheme={scheme}"));
                let parameters: Vec<String> = arguments.chain(scheme).collect();
                if parameters.is_empty() {
                    return Ok(());
                }
                write!(f, "?{}", parameters.join("&"))
            }
            Self::Token { token, scheme } => token.write(f, *scheme),
            Self::Agent { identity, scheme } => {
                write!(f, "ssh-agent:{identity}{}", text::scheme_query(*scheme))
            }
            Self::Kms(uri) => uri.fmt(f),
        }
    }
}

impl fmt::Display for AgentIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fingerprint(digest) => {
                write!(f, "{FINGERPRINT}{}", Base64Unpadded::encode_string(digest))
            }
            // A colon is encoded, so that no comment looks like a fingerprint.
            Self::Comment(comment) => f.write_str(&text::encode(comment.as_bytes(), "@/")),
        }
    }
}

/// The scheme of a URI (RFC 3986 §3.1) and the rest. One letter is a drive of Windows.
fn split_kind(text: &str) -> Option<(&str, &str)> {
    let (kind, rest) = text.split_once(':')?;
    let valid = kind.starts_with(|first: char| first.is_ascii_alphabetic())
        && kind
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'));
    (valid && kind.len() > 1).then_some((kind, rest))
}

/// Paths are literal, so only this, at their end, is not part of them.
const SCHEME_OF_FILE: &str = "?scheme=";

fn parse_file(rest: &str) -> Result<KeyUri, Refusal> {
    let (path, scheme) = match rest.rsplit_once(SCHEME_OF_FILE) {
        None => (rest, None),
        Some((path, "")) => (path, None),
        Some((path, name)) => (path, Some(text::scheme(name)?)),
    };
    Ok(KeyUri::File {
        path: text::local_path(path)?.into(),
        scheme,
    })
}

fn parse_env(rest: &str) -> Result<KeyUri, Refusal> {
    let (variable, scheme) = text::split_scheme(rest)?;
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if variable.is_empty() || !variable.chars().all(fits) {
        return Err("has a variable that is not made of letters, digits and `_`".into());
    }
    Ok(KeyUri::Env {
        variable: variable.into(),
        scheme,
    })
}

fn parse_exec(rest: &str) -> Result<KeyUri, Refusal> {
    let (program, query) = rest.split_once('?').unwrap_or((rest, ""));
    let program = text::decode_text(program)?;
    if program.is_empty() {
        return Err("has no program".into());
    }
    let (mut arguments, mut scheme) = (Vec::new(), None);
    for parameter in text::parameters(query) {
        match parameter? {
            ("arg", argument) => arguments.push(text::decode_text(argument)?),
            ("scheme", name) => {
                let name = text::decode_text(name)?;
                text::set_once(&mut scheme, text::scheme(&name)?, "scheme")?;
            }
            _ => return Err("has a parameter that is neither `arg` nor `scheme`".into()),
        }
    }
    Ok(KeyUri::Exec {
        program: program.into(),
        arguments,
        scheme,
    })
}

fn parse_agent(rest: &str) -> Result<KeyUri, Refusal> {
    let (identity, scheme) = text::split_scheme(rest)?;
    let identity = match identity.strip_prefix(FINGERPRINT) {
        Some(digest) => {
            let mut bytes = [0; 32];
            let read = Base64Unpadded::decode(digest, &mut bytes).map(<[u8]>::len);
            if read != Ok(bytes.len()) {
                return Err("has a fingerprint that is not the one of `ssh-add -l`".into());
            }
            AgentIdentity::Fingerprint(bytes)
        }
        None => AgentIdentity::Comment(text::decode_text(identity)?),
    };
    if matches!(&identity, AgentIdentity::Comment(comment) if comment.is_empty()) {
        return Err("names no identity of the agent".into());
    }
    Ok(KeyUri::Agent { identity, scheme })
}

fn with_scheme(key: FileKey, scheme: Option<Scheme>) -> Result<FileKey, SignError> {
    match scheme {
        None => Ok(key),
        Some(scheme) => key.with_scheme(scheme),
    }
}
