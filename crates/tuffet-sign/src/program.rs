//! Keys in the hands of a program: `exec:`.
//!
//! The program is started once for the public key and once for each signature, without a shell. It gets one JSON object on its
//! stdin and answers with one on its stdout; what it writes to stderr is talk for people. `docs/keys.md` has the protocol.

use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::{io, thread};

use base64ct::{Base64, Encoding};
use tuffet_core::crypto::{PublicKey, Scheme};
use tuffet_core::json::Value;

use crate::der;
use crate::error::SignError;
use crate::signer::{PublicKeyInfo, SigningBackend};

/// The longest answer that is read, in bytes. The signature of the largest scheme takes a tenth of it.
const LONGEST: u64 = 64 * 1024;

/// A key that a program signs with.
#[derive(Debug)]
pub(crate) struct ProgramKey {
    program: PathBuf,
    arguments: Vec<String>,
    public: PublicKeyInfo,
}

impl ProgramKey {
    /// Asks the program for its public key.
    pub(crate) fn open(
        program: PathBuf,
        arguments: Vec<String>,
        scheme: Option<Scheme>,
    ) -> Result<Self, SignError> {
        let wanted = scheme.map(|scheme| ("scheme", scheme.name().into()));
        let answer = ask(&program, &arguments, "public", wanted)?;
        let wrong = |what: String| failed(&program, what, None);
        let text = |member: &str| {
            let text = answer.get(member).and_then(Value::as_str);
            text.ok_or_else(|| wrong(format!("answers without text `{member}`")))
        };
        let name = text("scheme")?;
        let given = Scheme::from_name(name)
            .ok_or_else(|| wrong("answers with a scheme that is not known".into()))?;
        if let Some(scheme) = scheme.filter(|scheme| *scheme != given) {
            return Err(SignError::Scheme { scheme });
        }
        let key = PublicKey::from_pem(text("public")?)
            .map_err(|why| why.to_string())
            .and_then(|key| der::checked(&key))
            .map_err(|why| {
                wrong(format!(
                    "answers with a public key that cannot be used: {why}"
                ))
            })?;
        Ok(Self {
            public: PublicKeyInfo::new(given, key)?,
            program,
            arguments,
        })
    }
}

impl SigningBackend for ProgramKey {
    fn public_key(&self) -> &PublicKeyInfo {
        &self.public
    }

    fn sign_unconfirmed(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        let members = [
            ("scheme", self.public.scheme().name().into()),
            ("public", self.public.public().to_spki_pem().into()),
            ("message", Base64::encode_string(message).into()),
        ];
        let answer = ask(&self.program, &self.arguments, "sign", members)?;
        let signature = answer.get("signature").and_then(Value::as_str);
        let signature = signature.and_then(|text| Base64::decode_vec(text).ok());
        signature.ok_or_else(|| {
            let what = "answers without a `signature` in base64";
            failed(&self.program, what.into(), None)
        })
    }
}

fn failed(program: &Path, what: String, source: Option<io::Error>) -> SignError {
    SignError::Program {
        program: program.to_path_buf(),
        what,
        source,
    }
}

/// Starts the program, gives it a request, and reads its answer.
fn ask(
    program: &Path,
    arguments: &[String],
    what: &str,
    members: impl IntoIterator<Item = (&'static str, Value)>,
) -> Result<Value, SignError> {
    let common = [("format", Value::from(1)), ("request", what.into())];
    let mut request = Value::from_iter(common.into_iter().chain(members)).to_compact_json();
    request.push(b'\n');
    let child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| failed(program, "cannot be run".into(), Some(error)))?;
    let (answer, status) = converse(child, &request)
        .map_err(|error| failed(program, "cannot be talked to".into(), Some(error)))?;
    let wrong = |what: &str| failed(program, what.into(), None);
    if answer.len() as u64 > LONGEST {
        return Err(wrong("answers with more than 64 KiB"));
    }
    let value = Value::parse(&answer);
    if let Some(error) = value
        .as_ref()
        .ok()
        .and_then(|value| value.get("error")?.as_str())
    {
        let error: String = error
            .chars()
            .take(200)
            .flat_map(char::escape_debug)
            .collect();
        return Err(failed(program, format!("says: {error}"), None));
    }
    if !status.success() {
        return Err(failed(program, format!("ends with {status}"), None));
    }
    value.map_err(|_| wrong("answers with something that is no JSON object"))
}

/// Writes the request while the answer is read, so that neither waits for the other for ever.
fn converse(mut child: Child, request: &[u8]) -> io::Result<(Vec<u8>, ExitStatus)> {
    let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
    let mut answer = Vec::new();
    let talk = thread::scope(|scope| {
        let writer = scope.spawn(move || match stdin {
            Some(mut stdin) => stdin.write_all(request),
            None => Ok(()),
        });
        // One byte more tells a longer answer from one of exactly that length.
        let read = match stdout {
            Some(stdout) => stdout
                .take(LONGEST.saturating_add(1))
                .read_to_end(&mut answer),
            None => Ok(0),
        };
        if read.is_err() || answer.len() as u64 > LONGEST {
            // It may wait for ever to be read to the end.
            child.kill()?;
        }
        let written = writer.join().unwrap_or(Ok(()));
        read.map(|_| ()).and(written)
    });
    let status = child.wait()?;
    match talk {
        // A program may know its answer before it has read all of the request.
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error),
        _ => Ok((answer, status)),
    }
}
