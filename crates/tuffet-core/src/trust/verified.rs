//! From parsed to verified: the only place where a [`Verified`] is made.

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::{Context, Rejected, Signers, Uncounted, UncountedReason};
use crate::crypto::{
    HashAlgorithm, Key, KeyIdentity, KeyKind, PublicKey, Scheme, Signature, SignatureCheck,
    Verdict, signed_message,
};
use crate::json::canonicalize;
use crate::metadata::{
    KeyId, KeyTable, Listing, MetaFile, Note, Parsed, Role, RoleKeys, RoleName, SignatureEntry,
    Snapshot, TargetFile, TargetPath, Targets,
};
use crate::metadata::{Tolerance, UnixTime, Version};

/// A metadata file that a threshold of the right keys has signed. Cheap to clone.
///
/// There is no public way to make one but to verify one.
#[derive(Debug)]
pub struct Verified<R>(Arc<Inner<R>>);

#[derive(Debug)]
struct Inner<R> {
    role: RoleName,
    content: R,
    received: Arc<Vec<u8>>,
    payload: Option<Vec<u8>>,
    quorum: Quorum,
    notes: Vec<Note>,
}

impl<R> Clone for Verified<R> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<R: Role> Verified<R> {
    /// The role this file was verified for.
    #[must_use]
    pub fn role(&self) -> &RoleName {
        &self.0.role
    }

    /// The version.
    #[must_use]
    pub fn version(&self) -> Version {
        self.0.content.version()
    }

    /// When the file stops being valid.
    #[must_use]
    pub fn expires(&self) -> UnixTime {
        self.0.content.expires()
    }

    /// The content.
    #[must_use]
    pub fn content(&self) -> &R {
        &self.0.content
    }

    /// The bytes as received.
    #[must_use]
    pub fn received(&self) -> &Arc<Vec<u8>> {
        &self.0.received
    }

    /// Whose signatures were counted.
    #[must_use]
    pub fn quorum(&self) -> &Quorum {
        &self.0.quorum
    }

    /// What reading forgave.
    #[must_use]
    pub fn notes(&self) -> &[Note] {
        &self.0.notes
    }

    pub(super) fn check_expiry(&self, cx: &Context<'_>) -> Result<(), Rejected> {
        let (expires, now) = (self.expires(), cx.now);
        // Expiring at this very second is expired.
        if expires > now {
            return Ok(());
        }
        Err(Rejected::Expired {
            role: self.role().clone(),
            version: self.version(),
            expires,
            now,
        })
    }

    /// Refuses the tolerances that the policy refuses, for a file that was read as a floor and is to be used.
    pub(super) fn check_tolerances(&self, cx: &Context<'_>) -> Result<(), Rejected> {
        check_tolerances(self.role(), self.notes(), cx)
    }

    /// The bytes that the spans of the content refer to.
    pub(super) fn document(&self) -> &[u8] {
        self.0.payload.as_deref().unwrap_or(&self.0.received)
    }
}

impl Verified<Targets> {
    /// What this role says about a target.
    #[must_use]
    pub fn target(&self, path: &TargetPath) -> Option<TargetFile> {
        self.content().target(self.document(), path.as_str())
    }

    /// Every target this role lists, in the order of the paths.
    pub fn targets(&self) -> impl Iterator<Item = (String, TargetFile)> + '_ {
        self.content().iter(self.document())
    }
}

impl Verified<Snapshot> {
    /// What the snapshot says about a targets role.
    #[must_use]
    pub fn listed(&self, role: &RoleName) -> Option<MetaFile> {
        self.content().role(self.document(), role)
    }

    /// What the snapshot lists, as it stands in its bytes.
    #[must_use]
    pub fn listing(&self) -> Listing<'_> {
        Listing::new(self.content(), self.document())
    }

    /// Every targets role the snapshot lists, in the order of their file names.
    pub fn roles(&self) -> impl Iterator<Item = (RoleName, MetaFile)> + '_ {
        self.content().roles(self.document())
    }
}

/// Which keys of a role have signed, and what became of the others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quorum {
    /// Who names the keys.
    pub signers: Signers,
    /// How many different keys have to sign.
    pub need: u64,
    /// The keys that were counted. Unless the policy is exhaustive, counting stops at `need`.
    pub counted: Vec<Counted>,
    /// The keys that were looked at and not counted.
    pub uncounted: Vec<Uncounted>,
}

/// A key that was counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counted {
    /// Its id.
    pub keyid: KeyId,
    /// The scheme it signed with.
    pub scheme: Scheme,
}

impl Quorum {
    /// How many different keys have signed.
    #[must_use]
    pub fn have(&self) -> u64 {
        self.counted.len() as u64
    }

    /// Whether the threshold is met.
    #[must_use]
    pub fn is_met(&self) -> bool {
        self.have() >= self.need
    }

    fn require(self, role: &RoleName) -> Result<Self, Rejected> {
        if self.is_met() {
            return Ok(self);
        }
        let (have, need) = (self.have(), self.need);
        Err(Rejected::Threshold {
            role: role.clone(),
            signers: self.signers,
            have,
            need,
            uncounted: self.uncounted,
        })
    }
}

/// A parsed file on its way to being verified, with the verdicts on its signatures so far.
pub(super) struct Candidate<'c, R> {
    role: RoleName,
    parsed: Parsed<R>,
    cx: Context<'c>,
    /// A root is checked against two sets of keys that mostly are the same: no signature is computed twice. Keys of one identity
    /// differ in what they verify.
    verdicts: Vec<(PublicKey, Scheme, usize, bool)>,
}

impl<'c, R: Role> Candidate<'c, R> {
    /// Reads the bytes and refuses the tolerances that the policy refuses.
    pub(super) fn read(role: RoleName, bytes: Vec<u8>, cx: Context<'c>) -> Result<Self, Rejected> {
        let candidate = Self::read_stored(role, bytes, cx)?;
        check_tolerances(&candidate.role, &candidate.parsed.notes, &cx)?;
        Ok(candidate)
    }

    /// Reads the bytes of a stored file: it is a floor for versions also under a policy that has become stricter.
    pub(super) fn read_stored(
        role: RoleName,
        bytes: Vec<u8>,
        cx: Context<'c>,
    ) -> Result<Self, Rejected> {
        let parsed = match Parsed::parse(bytes) {
            Ok(parsed) => parsed,
            Err(error) => {
                return Err(Rejected::Format {
                    role,
                    error: Box::new(error),
                });
            }
        };
        Ok(Self {
            role,
            parsed,
            cx,
            verdicts: Vec::new(),
        })
    }

    pub(super) fn content(&self) -> &R {
        &self.parsed.content
    }

    /// Requires that a threshold of these keys has signed.
    pub(super) fn require(
        &mut self,
        signers: Signers,
        keys: &KeyTable,
        role: &RoleKeys,
    ) -> Result<Quorum, Rejected> {
        self.count(signers, keys, role).require(&self.role)
    }

    pub(super) fn require_version(&self, expected: Version) -> Result<(), Rejected> {
        let offered = self.content().version();
        if offered == expected {
            Ok(())
        } else {
            Err(Rejected::Version {
                role: self.role.clone(),
                expected,
                offered,
            })
        }
    }

    /// Refuses keyids that are not the hash of their key, if the policy does (F-25, A-01).
    pub(super) fn require_keyids(&self, keys: &KeyTable, field: &str) -> Result<(), Rejected> {
        if !self.cx.policy.refuse.contains(Tolerance::KeyidMismatch) {
            return Ok(());
        }
        for (keyid, key) in keys.iter() {
            let canonical = canonicalize(key.raw()).unwrap_or(Cow::Borrowed(key.raw()));
            if self
                .cx
                .crypto
                .digest(HashAlgorithm::Sha256, &canonical)
                .to_hex()
                != keyid.as_str()
            {
                let note = Note {
                    tolerance: Tolerance::KeyidMismatch,
                    field: format!("signed.{field}.{keyid}"),
                };
                return Err(Rejected::Strict {
                    role: self.role.clone(),
                    note,
                });
            }
        }
        Ok(())
    }

    pub(super) fn into_parsed(self) -> Parsed<R> {
        self.parsed
    }

    /// How many of these keys have signed, under any keyids. That makes nothing trusted.
    pub(super) fn signed_whatever_the_keyids(&self, keys: &KeyTable, role: &RoleKeys) -> u64 {
        let mut signed: Vec<KeyIdentity> = Vec::new();
        for keyid in &role.keyids {
            let Some(key) = keys.key(keyid.as_str()) else {
                continue;
            };
            let KeyKind::Usable { scheme, public } = key.kind() else {
                continue;
            };
            let mut entries = self.parsed.signatures.iter();
            let identity = public.identity();
            if !signed.contains(&identity)
                && entries.any(|entry| self.verify(key, *scheme, entry) == Ok(true))
            {
                signed.push(identity);
            }
        }
        signed.len() as u64
    }

    /// The one way from parsed to verified: a quorum of the right keys, counted over these very bytes.
    pub(super) fn seal(self, quorum: Quorum) -> Verified<R> {
        let Parsed {
            content,
            received,
            payload,
            notes,
            ..
        } = self.parsed;
        Verified(Arc::new(Inner {
            role: self.role,
            content,
            received,
            payload,
            quorum,
            notes,
        }))
    }

    fn count(&mut self, signers: Signers, keys: &KeyTable, role: &RoleKeys) -> Quorum {
        let mut quorum = Quorum {
            signers,
            need: role.threshold,
            counted: Vec::new(),
            uncounted: Vec::new(),
        };
        let mut seen: Vec<KeyIdentity> = Vec::new();
        for keyid in &role.keyids {
            if quorum.is_met() && !self.cx.policy.exhaustive_signatures {
                break;
            }
            match self.check(keyid, keys) {
                Ok((identity, _)) if seen.contains(&identity) => {
                    quorum.uncounted.push(Uncounted {
                        keyid: keyid.clone(),
                        reason: UncountedReason::SameKey,
                    });
                }
                Ok((identity, scheme)) => {
                    seen.push(identity);
                    quorum.counted.push(Counted {
                        keyid: keyid.clone(),
                        scheme,
                    });
                }
                Err(reason) => quorum.uncounted.push(Uncounted {
                    keyid: keyid.clone(),
                    reason,
                }),
            }
        }
        quorum
    }

    fn check(
        &mut self,
        keyid: &KeyId,
        keys: &KeyTable,
    ) -> Result<(KeyIdentity, Scheme), UncountedReason> {
        let key = keys.key(keyid.as_str()).ok_or(UncountedReason::Undefined)?;
        let (scheme, public) = match key.kind() {
            KeyKind::Usable { scheme, public } => (*scheme, public),
            // A key kind that nobody can verify here never counts, signature or not.
            KeyKind::Opaque { .. } => {
                return Err(UncountedReason::Unsupported(format!("{key}")));
            }
        };
        let (place, entry) = self
            .parsed
            .signatures
            .iter()
            .enumerate()
            .find(|(_, signature)| signature.keyid == *keyid)
            .ok_or(UncountedReason::NotSigned)?;
        if entry.bytes.is_empty() {
            return Err(UncountedReason::NoValue);
        }
        let known = self
            .verdicts
            .iter()
            .find(|(of, with, at, _)| of == public && *with == scheme && *at == place);
        let valid = match known {
            Some(&(.., valid)) => valid,
            None => {
                let valid = self.verify(key, scheme, entry)?;
                self.verdicts.push((public.clone(), scheme, place, valid));
                valid
            }
        };
        if valid {
            Ok((public.identity(), scheme))
        } else {
            Err(UncountedReason::Invalid)
        }
    }

    fn verify(
        &self,
        key: &Key,
        scheme: Scheme,
        entry: &SignatureEntry,
    ) -> Result<bool, UncountedReason> {
        let signature = Signature {
            keyid: Cow::Borrowed(entry.keyid.as_str()),
            bytes: entry.bytes.clone(),
            raw: entry.span.of(&self.parsed.received).unwrap_or_default(),
        };
        let message = signed_message(scheme, self.parsed.message(), self.cx.crypto);
        match self.cx.crypto.verify(&SignatureCheck {
            key,
            message: &message,
            signature: &signature,
        }) {
            Verdict::Valid => Ok(true),
            Verdict::Invalid => Ok(false),
            Verdict::Unsupported => Err(UncountedReason::Unsupported(format!(
                "unsupported key: this build has no {scheme}"
            ))),
        }
    }
}

/// Counts the signatures of a file by these keys without trusting it: for authoring, where files are half signed for a while. The
/// file as it was read for that comes with the answer.
///
/// With [`Policy::exhaustive_signatures`](super::Policy::exhaustive_signatures) every key is looked at; else counting stops at the
/// threshold.
///
/// # Errors
/// [`Rejected::Format`], [`Rejected::Strict`]. Too few signatures are no error here: see [`Quorum::is_met`].
pub fn count_signatures<R: Role>(
    role: RoleName,
    bytes: Vec<u8>,
    signers: Signers,
    keys: &KeyTable,
    role_keys: &RoleKeys,
    cx: Context<'_>,
) -> Result<(Quorum, Parsed<R>), Rejected> {
    let mut candidate = Candidate::<R>::read(role, bytes, cx)?;
    let quorum = candidate.count(signers, keys, role_keys);
    Ok((quorum, candidate.into_parsed()))
}

fn check_tolerances(role: &RoleName, notes: &[Note], cx: &Context<'_>) -> Result<(), Rejected> {
    match notes
        .iter()
        .find(|note| cx.policy.refuse.contains(note.tolerance))
    {
        Some(note) => Err(Rejected::Strict {
            role: role.clone(),
            note: note.clone(),
        }),
        None => Ok(()),
    }
}

/// Checks bytes against what another file says about them, before anything is parsed (C-31, C-41).
pub(super) fn check_listed(
    role: &RoleName,
    bytes: &[u8],
    listed: &MetaFile,
    cx: &Context<'_>,
) -> Result<(), Rejected> {
    if let Some(expected) = listed.length {
        check_length(role, bytes, expected, true)?;
    }
    match listed
        .hashes
        .as_ref()
        .and_then(|hashes| hashes.mismatch(bytes, cx.crypto))
    {
        Some(algorithm) => Err(Rejected::Hash {
            role: role.clone(),
            algorithm,
        }),
        None => Ok(()),
    }
}

/// Refuses bytes beyond a limit, or of another length than the exact one.
pub(super) fn check_length(
    role: &RoleName,
    bytes: &[u8],
    expected: u64,
    exact: bool,
) -> Result<(), Rejected> {
    let received = bytes.len() as u64;
    let fits = if exact {
        received == expected
    } else {
        received <= expected
    };
    if fits {
        return Ok(());
    }
    Err(Rejected::Length {
        role: role.clone(),
        expected,
        exact,
        received,
    })
}
