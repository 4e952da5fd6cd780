//! A targets role of any size, written entry by entry without a tree of it.

use std::fmt;
use std::io;

use tuffet_core::crypto::Digest;
use tuffet_core::json::{Value, canonicalize};
use tuffet_core::metadata::{TargetPath, UnixTime, Version};
use tuffet_sign::{SignError, Signer};

use crate::delegate::Delegate;
use crate::document::SPEC_VERSION;
use crate::keys;
use crate::targets;

/// Writes a targets role entry by entry. Memory: the bytes of the file, once.
///
/// ```
/// use tuffet_core::crypto::Digest;
/// use tuffet_core::metadata::{TargetPath, UnixTime, Version};
/// use tuffet_repo::builder::TargetsStream;
///
/// let mut stream = TargetsStream::new(Version::FIRST, UnixTime(2_000_000_000), None);
/// for number in 0..3 {
///     stream.push(&TargetPath::new(&format!("file-{number}"))?, 5, &[Digest::sha256([0; 32])])?;
/// }
/// let mut file = Vec::new();
/// stream.finish(&[], &mut file)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct TargetsStream {
    signed: Vec<u8>,
    version: Version,
    last: Option<TargetPath>,
}

/// Targets have to come in the order of their paths, each once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disorder {
    /// The path that came too late.
    pub path: TargetPath,
}

impl fmt::Display for Disorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "target {} does not come after the one before it",
            self.path
        )
    }
}

impl std::error::Error for Disorder {}

impl TargetsStream {
    /// Begins a role, with delegations if there are any.
    #[must_use]
    pub fn new(version: Version, expires: UnixTime, delegate: Option<&Delegate>) -> Self {
        let mut signed = br#"{"_type":"targets","#.to_vec();
        if let Some(delegate) = delegate {
            let mut role = super::Targets::new(version, expires)
                .delegate(delegate)
                .build();
            signed.extend_from_slice(br#""delegations":"#);
            let delegations = Value::Object(role.object("delegations").clone());
            signed.append(&mut delegations.to_compact_json());
            signed.push(b',');
        }
        signed.extend_from_slice(
            format!(r#""expires":"{expires}","spec_version":"{SPEC_VERSION}","targets":{{"#)
                .as_bytes(),
        );
        Self {
            signed,
            version,
            last: None,
        }
    }

    /// Lists a target.
    ///
    /// # Errors
    /// [`Disorder`] if the path does not come after the last one in the order of its bytes.
    pub fn push(
        &mut self,
        path: &TargetPath,
        length: u64,
        hashes: &[Digest],
    ) -> Result<(), Disorder> {
        if self
            .last
            .as_ref()
            .is_some_and(|last| last.as_str() >= path.as_str())
        {
            return Err(Disorder { path: path.clone() });
        }
        if self.last.is_some() {
            self.signed.push(b',');
        }
        self.signed
            .append(&mut Value::from(path.as_str()).to_compact_json());
        self.signed.push(b':');
        targets::write_entry(&mut self.signed, length, hashes);
        self.last = Some(path.clone());
        Ok(())
    }

    /// Signs the role and writes its file.
    ///
    /// # Errors
    /// What keeps a signer from signing, and what keeps `file` from being written.
    pub fn finish(self, signers: &[&dyn Signer], file: &mut impl io::Write) -> io::Result<()> {
        let Self {
            mut signed,
            version,
            ..
        } = self;
        signed.extend_from_slice(format!(r#"}},"version":{version}}}"#).as_bytes());
        // Borrowed, unless a path holds control characters.
        let message = canonicalize(&signed).map_err(io::Error::other)?;
        let sign = |signer: &&dyn Signer| -> Result<Value, SignError> {
            let signature = signer.sign_canonical(&message)?;
            Ok(Value::from_iter([
                ("keyid", Value::from(keys::keyid(signer.public()).as_str())),
                (
                    "sig",
                    Value::from(tuffet_core::crypto::hex::encode(signature.as_bytes())),
                ),
            ]))
        };
        let signatures: Value = signers
            .iter()
            .map(sign)
            .collect::<Result<Vec<Value>, SignError>>()
            .map(Value::Array)
            .map_err(io::Error::other)?;
        file.write_all(br#"{"signatures":"#)?;
        file.write_all(&signatures.to_compact_json())?;
        file.write_all(br#","signed":"#)?;
        file.write_all(&signed)?;
        file.write_all(b"}")
    }
}
