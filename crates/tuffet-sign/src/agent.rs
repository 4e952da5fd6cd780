//! Keys of an ssh-agent: those of OpenSSH, and whatever else speaks its protocol, as gpg-agent and password managers do.

mod wire;

use std::env;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use base64ct::{Base64Unpadded, Encoding};
use tuffet_core::crypto::{HashAlgorithm, PublicKey, Scheme};

use crate::error::SignError;
use crate::signer::{PublicKeyInfo, SigningBackend, usual_scheme};
use crate::uri::AgentIdentity;

/// The variable that names the socket of the agent.
const SOCKET: &str = "SSH_AUTH_SOCK";

/// What an agent says of one of its keys.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Identity {
    /// The key; `None` if it is of a kind that signs no metadata.
    pub key: Option<PublicKey>,
    /// What the agent calls it.
    pub comment: String,
    /// The key as SSH writes it.
    blob: Vec<u8>,
}

impl Identity {
    /// What `ssh-add -l` shows: the SHA-256 of the key as SSH writes it.
    #[must_use]
    pub fn fingerprint(&self) -> AgentIdentity {
        AgentIdentity::Fingerprint(self.digest())
    }

    /// The scheme that the agent signs with unless told otherwise; `None` for kinds that sign no metadata.
    #[must_use]
    pub fn scheme(&self) -> Option<Scheme> {
        self.key.as_ref().map(scheme_of)
    }

    fn digest(&self) -> [u8; 32] {
        let digest = tuffet_crypto::default_provider().digest(HashAlgorithm::Sha256, &self.blob);
        digest.as_bytes().try_into().unwrap_or_default()
    }

    fn is(&self, wanted: &AgentIdentity) -> bool {
        match wanted {
            AgentIdentity::Fingerprint(digest) => self.digest() == *digest,
            AgentIdentity::Comment(comment) => self.comment == *comment,
        }
    }
}

/// Lists the keys of the agent that `SSH_AUTH_SOCK` names.
///
/// # Errors
/// [`SignError::Agent`] if there is none, or it does not answer as it should.
pub fn identities() -> Result<Vec<Identity>, SignError> {
    let answer = ask(&socket()?, &wire::identities_request())?;
    read_identities(&answer)
}

/// Reads what an agent answers when it is asked for its keys, without the four bytes of length before it.
///
/// # Errors
/// [`SignError::Agent`] if it is no such answer.
///
/// ```
/// assert_eq!(tuffet_sign::agent::read_identities(&[12, 0, 0, 0, 0]).unwrap(), []);
/// assert!(tuffet_sign::agent::read_identities(&[5]).is_err());
/// ```
pub fn read_identities(answer: &[u8]) -> Result<Vec<Identity>, SignError> {
    wire::identities(answer).map_err(failed)
}

/// Reads what an agent answers when it is asked for a signature, likewise: the signature in the form of metadata.
///
/// # Errors
/// [`SignError::Agent`] if it is no such answer. Whether the signature is a good one is not looked at.
pub fn read_signature(
    answer: &[u8],
    scheme: Scheme,
    key: &PublicKey,
) -> Result<Vec<u8>, SignError> {
    wire::signature(answer, scheme, key).map_err(failed)
}

/// A key that an agent holds. Each signature is asked for over a connection of its own.
#[derive(Debug)]
pub(crate) struct AgentKey {
    socket: PathBuf,
    identity: Identity,
    public: PublicKeyInfo,
}

impl AgentKey {
    pub(crate) fn open(wanted: &AgentIdentity, scheme: Option<Scheme>) -> Result<Self, SignError> {
        let socket = socket()?;
        let all = read_identities(&ask(&socket, &wire::identities_request())?)?;
        let mut fitting: Vec<&Identity> = all.iter().filter(|one| one.is(wanted)).collect();
        let place = || "the ssh-agent".to_owned();
        let (Some(identity), true) = (fitting.pop(), fitting.is_empty()) else {
            return Err(match fitting.len() {
                0 => SignError::Absent {
                    place: place(),
                    what: listing(&all),
                },
                others => SignError::Several {
                    place: place(),
                    count: others.saturating_add(1),
                },
            });
        };
        let Some(key) = identity.key.clone() else {
            return Err(SignError::Agent {
                what: "has the key, but it is of a kind that signs no metadata".into(),
                source: None,
            });
        };
        let scheme = scheme.unwrap_or_else(|| scheme_of(&key));
        if wire::sign_request(&[], &[], scheme).is_none() {
            return Err(SignError::Scheme { scheme });
        }
        Ok(Self {
            socket,
            public: PublicKeyInfo::new(scheme, key)?,
            identity: identity.clone(),
        })
    }
}

impl SigningBackend for AgentKey {
    fn public_key(&self) -> &PublicKeyInfo {
        &self.public
    }

    fn sign_unconfirmed(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        let scheme = self.public.scheme();
        let request = wire::sign_request(&self.identity.blob, message, scheme)
            .ok_or_else(|| failed("takes no message as long as this one"))?;
        let answer = ask(&self.socket, &request)?;
        read_signature(&answer, scheme, self.public.public())
    }
}

/// An agent does not sign with PSS.
fn scheme_of(key: &PublicKey) -> Scheme {
    match key {
        PublicKey::Rsa { .. } => Scheme::RsaPkcs1v15(HashAlgorithm::Sha256),
        key => usual_scheme(key),
    }
}

/// What there is, for whoever looked for something else.
fn listing(all: &[Identity]) -> String {
    const SHOWN: usize = 8;
    if all.is_empty() {
        return "it has no identity at all".into();
    }
    let names = all.iter().take(SHOWN).map(|one| {
        let comment: String = one
            .comment
            .chars()
            .take(40)
            .flat_map(char::escape_debug)
            .collect();
        format!(
            "{comment} (SHA256:{})",
            Base64Unpadded::encode_string(&one.digest())
        )
    });
    let names: Vec<String> = names.collect();
    let more = if all.len() > SHOWN { " and others" } else { "" };
    format!("it has {}{more}", names.join(", "))
}

fn failed(what: &str) -> SignError {
    SignError::Agent {
        what: what.into(),
        source: None,
    }
}

fn socket() -> Result<PathBuf, SignError> {
    match env::var_os(SOCKET) {
        Some(path) if !path.is_empty() => Ok(path.into()),
        _ => Err(failed("is not known: SSH_AUTH_SOCK is not set")),
    }
}

/// Sends a request and reads the answer, of which the length is taken off.
///
/// There is no time limit: an agent may ask its owner, or wait for a finger on a key.
fn ask(socket: &Path, request: &[u8]) -> Result<Vec<u8>, SignError> {
    let because = |what: &str| {
        let what = what.to_owned();
        move |source| SignError::Agent {
            what,
            source: Some(source),
        }
    };
    let mut stream = UnixStream::connect(socket).map_err(because("cannot be reached"))?;
    stream
        .write_all(request)
        .map_err(because("does not take a request"))?;
    let mut length = [0; 4];
    let read = |result: std::io::Result<()>| result.map_err(because("does not answer"));
    read(stream.read_exact(&mut length))?;
    let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
    if length > wire::LONGEST {
        return Err(failed("sends an answer that is longer than any can be"));
    }
    let mut answer = vec![0; length];
    read(stream.read_exact(&mut answer))?;
    Ok(answer)
}
