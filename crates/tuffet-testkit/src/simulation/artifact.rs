//! Metadata files with everything that the model has to know about them, above all who really signed them.

use std::collections::{BTreeMap, HashMap};
use std::fmt::{self, Write as _};
use std::sync::Arc;

use tuffet_core::crypto::{HashAlgorithm, hex};
use tuffet_core::metadata::{RoleName, UnixTime};

use super::signing::Signing;

/// A role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Root.
    Root,
    /// Timestamp.
    Timestamp,
    /// Snapshot.
    Snapshot,
    /// The top-level targets role.
    Targets,
    /// A delegated role: `a`, `b` and so on, from 16 on `bin-0`, `bin-1` and so on.
    Delegated(u8),
}

/// The number of the first hash bin.
pub(crate) const BIN: u8 = 16;

impl Role {
    /// The name.
    #[must_use]
    pub fn name(self) -> String {
        match self {
            Self::Root => "root".to_owned(),
            Self::Timestamp => "timestamp".to_owned(),
            Self::Snapshot => "snapshot".to_owned(),
            Self::Targets => "targets".to_owned(),
            Self::Delegated(number) if number >= BIN => format!("bin-{:x}", number - BIN),
            Self::Delegated(number) => char::from(b'a' + number).to_string(),
        }
    }

    /// The role of a name of the simulation.
    #[must_use]
    pub fn of(name: &RoleName) -> Self {
        match name {
            RoleName::Root => Self::Root,
            RoleName::Timestamp => Self::Timestamp,
            RoleName::Snapshot => Self::Snapshot,
            RoleName::Targets => Self::Targets,
            RoleName::Delegated(name) => {
                let name = name.as_str();
                let bin = name.strip_prefix("bin-");
                let number = bin.map(|digits| u8::from_str_radix(digits, 16).expect("a bin") + BIN);
                Self::Delegated(number.unwrap_or_else(|| name.as_bytes()[0] - b'a'))
            }
        }
    }

    /// The name as the core knows it.
    #[must_use]
    pub fn role_name(self) -> RoleName {
        crate::name(&self.name())
    }

    fn kind(self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::Timestamp => "timestamp",
            Self::Snapshot => "snapshot",
            Self::Targets | Self::Delegated(_) => "targets",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name())
    }
}

/// A key under one of its ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Named {
    /// The key.
    pub(crate) key: u16,
    /// Which of its ids.
    pub(crate) alias: u8,
}

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "k{}", self.key)?;
        (0..self.alias).try_for_each(|_| f.write_str("'"))
    }
}

/// Who may sign, and how many have to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Grant {
    /// The keys.
    pub(crate) keys: Vec<Named>,
    /// How many different ones.
    pub(crate) threshold: u8,
}

/// What one file says about another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Listed {
    /// The version.
    pub(crate) version: u64,
    /// The length, if it is said.
    pub(crate) length: Option<u64>,
    /// The SHA-256, if it is said.
    pub(crate) hash: Option<[u8; 32]>,
}

/// What is in a target: its length and hash follow from the number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Content(pub(crate) u16);

impl Content {
    /// The bytes.
    #[must_use]
    pub(crate) fn bytes(self) -> Vec<u8> {
        format!("content {}", self.0).into_bytes()
    }
}

/// Which paths a delegation covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Paths {
    /// Those that match [`PATTERNS`] at these places, by bits.
    Patterns(u8),
    /// Those whose hash begins with one of these hexadecimal digits, by bits.
    Prefixes(u16),
}

/// The patterns of delegations.
pub(crate) const PATTERNS: [&str; 6] = ["*", "x/*", "y/*", "*/1", "x/1", "*/*"];

/// The paths that are looked for.
pub(crate) const TARGETS: [&str; 6] = ["top", "x/1", "x/2", "y/1", "y/2", "z/deep/1"];

/// A role that another delegates to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Delegation {
    /// Which.
    pub(crate) role: Role,
    /// Who may sign.
    pub(crate) grant: Grant,
    /// For what.
    pub(crate) paths: Paths,
    /// Whether nothing after it is searched.
    pub(crate) terminating: bool,
}

/// Whom a role delegates to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Delegations {
    /// Nobody.
    None,
    /// Roles by name, in order.
    Named(Vec<Delegation>),
    /// Hash bins (TAP 15).
    Bins {
        /// Who may sign.
        grant: Grant,
        /// How many bits of the hash choose the bin; at most four.
        bits: u8,
    },
}

/// What a file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Body {
    /// Of root: who speaks for the four roles, in the order root, timestamp, snapshot, targets.
    Root {
        /// Who may sign.
        grants: [Grant; 4],
        /// Whether names carry versions.
        consistent: bool,
    },
    /// Of timestamp.
    Timestamp(Listed),
    /// Of snapshot.
    Snapshot(BTreeMap<Role, Listed>),
    /// Of a targets role.
    Targets {
        /// By place in [`TARGETS`].
        targets: BTreeMap<u8, Content>,
        /// Whom it delegates to.
        delegations: Delegations,
    },
    /// Bytes that are no metadata.
    Garbage,
}

impl Body {
    fn kind(&self) -> &'static str {
        match self {
            Self::Root { .. } => "root",
            Self::Timestamp(_) => "timestamp",
            Self::Snapshot(_) => "snapshot",
            Self::Targets { .. } => "targets",
            Self::Garbage => "",
        }
    }
}

/// An entry of `signatures`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Signature {
    /// Whose it says it is.
    pub(crate) named: Named,
    /// Whose it is; nobody's, if it was made up.
    pub(crate) by: Option<u16>,
}

impl Signature {
    /// One that is what it says.
    #[must_use]
    pub(crate) fn honest(named: Named) -> Self {
        Self {
            named,
            by: Some(named.key),
        }
    }
}

/// What is to become a file.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    /// The role it is made for.
    pub(crate) role: Role,
    /// Its version.
    pub(crate) version: u64,
    /// When it expires.
    pub(crate) expires: i64,
    /// What it says.
    pub(crate) body: Body,
    /// Who signs.
    pub(crate) signatures: Vec<Signature>,
    /// How many spaces follow: other bytes with the same meaning.
    pub(crate) padding: u8,
}

/// A file that exists somewhere.
#[derive(Debug)]
pub(crate) struct Artifact {
    /// How it was made.
    pub(crate) draft: Draft,
    /// Its bytes.
    pub(crate) bytes: Arc<Vec<u8>>,
    /// Their SHA-256.
    pub(crate) hash: [u8; 32],
}

impl Artifact {
    /// Whether it can be read as a file of a role: the type fits, and no keyid signs twice (F-08).
    #[must_use]
    pub(crate) fn is_readable_as(&self, role: Role) -> bool {
        let signatures = &self.draft.signatures;
        let repeated = |place: usize| {
            signatures[..place]
                .iter()
                .any(|before| before.named == signatures[place].named)
        };
        self.draft.body.kind() == role.kind() && !(1..signatures.len()).any(repeated)
    }

    /// How many different keys of a grant have signed under the keyids that the grant knows.
    #[must_use]
    pub(crate) fn count(&self, grant: &Grant) -> u8 {
        let signed = |named: &Named| {
            let mut entries = self.draft.signatures.iter();
            entries.any(|entry| entry.named == *named && entry.by == Some(named.key))
        };
        count(grant, signed)
    }

    /// The same, whatever the keyids.
    #[must_use]
    pub(crate) fn count_whatever_the_keyids(&self, grant: &Grant) -> u8 {
        let signed = |named: &Named| {
            let mut entries = self.draft.signatures.iter();
            entries.any(|entry| entry.by == Some(named.key))
        };
        count(grant, signed)
    }
}

fn count(grant: &Grant, signed: impl Fn(&Named) -> bool) -> u8 {
    let mut keys: Vec<u16> = grant
        .keys
        .iter()
        .filter(|named| signed(named))
        .map(|named| named.key)
        .collect();
    keys.sort_unstable();
    keys.dedup();
    u8::try_from(keys.len()).expect("few keys")
}

/// A file in the [`Archive`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Id(pub(crate) u32);

/// Every file that was ever made, by whomever.
#[derive(Debug, Default)]
pub(crate) struct Archive {
    artifacts: Vec<Artifact>,
    known: HashMap<[u8; 32], Id>,
}

impl Archive {
    /// Makes a file.
    pub(crate) fn add(&mut self, draft: Draft, signing: &dyn Signing) -> Id {
        let bytes = render(&draft, signing);
        self.add_bytes(draft, bytes, signing)
    }

    /// Makes a file that nobody can read.
    pub(crate) fn add_garbage(&mut self, role: Role, bytes: Vec<u8>, signing: &dyn Signing) -> Id {
        let draft = Draft {
            role,
            version: 0,
            expires: 0,
            body: Body::Garbage,
            signatures: Vec::new(),
            padding: 0,
        };
        self.add_bytes(draft, bytes, signing)
    }

    fn add_bytes(&mut self, draft: Draft, bytes: Vec<u8>, signing: &dyn Signing) -> Id {
        let hash = digest(&bytes, signing);
        let next = Id(u32::try_from(self.artifacts.len()).expect("few files"));
        let artifacts = &mut self.artifacts;
        *self.known.entry(hash).or_insert_with(|| {
            artifacts.push(Artifact {
                draft,
                bytes: Arc::new(bytes),
                hash,
            });
            next
        })
    }

    /// A file.
    #[must_use]
    pub(crate) fn get(&self, id: Id) -> &Artifact {
        &self.artifacts[id.0 as usize]
    }

    /// The file with these bytes.
    #[must_use]
    pub(crate) fn find(&self, bytes: &[u8], signing: &dyn Signing) -> Option<Id> {
        self.known.get(&digest(bytes, signing)).copied()
    }

    /// All files, in the order they were made.
    pub(crate) fn all(&self) -> impl ExactSizeIterator<Item = &Artifact> {
        self.artifacts.iter()
    }
}

/// The SHA-256 of bytes.
pub(crate) fn digest(bytes: &[u8], signing: &dyn Signing) -> [u8; 32] {
    let digest = signing.crypto().digest(HashAlgorithm::Sha256, bytes);
    let mut hash = [0; 32];
    hash.copy_from_slice(digest.as_bytes());
    hash
}

fn render(draft: &Draft, signing: &dyn Signing) -> Vec<u8> {
    let signed = Canonical(signing)
        .signed(draft)
        .expect("a string takes anything");
    let mut file = String::with_capacity(signed.len() + 128);
    file.push_str("{\"signatures\":[");
    for (place, signature) in draft.signatures.iter().enumerate() {
        let value = match signature.by {
            Some(key) => signing.sign(key, signed.as_bytes()),
            None => vec![0x5a; 12],
        };
        let comma = if place > 0 { "," } else { "" };
        let (keyid, value) = (signature.named, hex::encode(&value));
        write!(file, "{comma}{{\"keyid\":\"{keyid}\",\"sig\":\"{value}\"}}").expect("a string");
    }
    file.push_str("],\"signed\":");
    file.push_str(&signed);
    file.push('}');
    file.extend((0..draft.padding).map(|_| ' '));
    file.into_bytes()
}

/// Writes the canonical form at once: members in order, no white space.
struct Canonical<'s>(&'s dyn Signing);

impl Canonical<'_> {
    fn signed(&self, draft: &Draft) -> Result<String, fmt::Error> {
        let mut text = String::with_capacity(512);
        let out = &mut text;
        write!(out, "{{\"_type\":\"{}\"", draft.body.kind())?;
        match &draft.body {
            Body::Root { consistent, .. } => write!(out, ",\"consistent_snapshot\":{consistent}")?,
            Body::Targets { delegations, .. } => self.delegations(out, delegations)?,
            _ => {}
        }
        write!(out, ",\"expires\":\"{}\"", UnixTime(draft.expires))?;
        match &draft.body {
            Body::Root { grants, .. } => self.grants(out, grants)?,
            Body::Timestamp(listed) => meta(out, [(Role::Snapshot, listed)])?,
            Body::Snapshot(listed) => {
                meta(out, listed.iter().map(|(role, listed)| (*role, listed)))?
            }
            Body::Targets { .. } | Body::Garbage => {}
        }
        out.push_str(",\"spec_version\":\"1.0.34\"");
        if let Body::Targets { targets, .. } = &draft.body {
            self.targets(out, targets)?;
        }
        write!(out, ",\"version\":{}}}", draft.version)?;
        Ok(text)
    }

    fn keys<'k>(&self, out: &mut String, keys: impl Iterator<Item = &'k Named>) -> fmt::Result {
        let mut keys: Vec<(String, u16)> =
            keys.map(|named| (named.to_string(), named.key)).collect();
        keys.sort_unstable();
        keys.dedup();
        out.push_str("\"keys\":{");
        for (place, (keyid, key)) in keys.iter().enumerate() {
            let comma = if place > 0 { "," } else { "" };
            let public = self.0.public(*key);
            write!(
                out,
                "{comma}\"{keyid}\":{{\"keytype\":\"ed25519\",\"keyval\":{{\"public\":\"{public}\"}},\"scheme\":\"ed25519\"}}"
            )?;
        }
        out.push('}');
        Ok(())
    }

    fn grants(&self, out: &mut String, grants: &[Grant; 4]) -> fmt::Result {
        let [root, timestamp, snapshot, targets] = grants;
        out.push(',');
        self.keys(out, grants.iter().flat_map(|grant| &grant.keys))?;
        out.push_str(",\"roles\":{");
        let roles = [("root", root), ("snapshot", snapshot), ("targets", targets)];
        for (name, grant) in roles {
            write!(out, "\"{name}\":{{")?;
            self.grant(out, grant)?;
            out.push_str("},");
        }
        out.push_str("\"timestamp\":{");
        self.grant(out, timestamp)?;
        out.push_str("}}");
        Ok(())
    }

    fn grant(&self, out: &mut String, grant: &Grant) -> fmt::Result {
        self.keyids(out, grant)?;
        write!(out, ",\"threshold\":{}", grant.threshold)
    }

    fn keyids(&self, out: &mut String, grant: &Grant) -> fmt::Result {
        out.push_str("\"keyids\":[");
        for (place, named) in grant.keys.iter().enumerate() {
            let comma = if place > 0 { "," } else { "" };
            write!(out, "{comma}\"{named}\"")?;
        }
        out.push(']');
        Ok(())
    }

    fn delegations(&self, out: &mut String, delegations: &Delegations) -> fmt::Result {
        match delegations {
            Delegations::None => return Ok(()),
            Delegations::Named(roles) => {
                out.push_str(",\"delegations\":{");
                self.keys(out, roles.iter().flat_map(|role| &role.grant.keys))?;
                out.push_str(",\"roles\":[");
                for (place, role) in roles.iter().enumerate() {
                    if place > 0 {
                        out.push(',');
                    }
                    self.delegation(out, role)?;
                }
                out.push_str("]}");
            }
            Delegations::Bins { grant, bits } => {
                out.push_str(",\"delegations\":{");
                self.keys(out, grant.keys.iter())?;
                write!(out, ",\"succinct_roles\":{{\"bit_length\":{bits},")?;
                self.keyids(out, grant)?;
                write!(
                    out,
                    ",\"name_prefix\":\"bin\",\"threshold\":{}}}}}",
                    grant.threshold
                )?;
            }
        }
        Ok(())
    }

    fn delegation(&self, out: &mut String, delegation: &Delegation) -> fmt::Result {
        out.push('{');
        self.keyids(out, &delegation.grant)?;
        write!(out, ",\"name\":\"{}\",", delegation.role)?;
        let (member, paths): (&str, Vec<String>) = match delegation.paths {
            Paths::Patterns(bits) => {
                let chosen = (0..PATTERNS.len()).filter(|place| bits & 1 << place != 0);
                (
                    "paths",
                    chosen.map(|place| PATTERNS[place].to_owned()).collect(),
                )
            }
            Paths::Prefixes(bits) => {
                let chosen = (0..16).filter(|digit| bits & 1 << digit != 0);
                (
                    "path_hash_prefixes",
                    chosen.map(|digit| format!("{digit:x}")).collect(),
                )
            }
        };
        let paths: Vec<String> = paths.iter().map(|path| format!("\"{path}\"")).collect();
        write!(out, "\"{member}\":[{}],", paths.join(","))?;
        let (terminating, threshold) = (delegation.terminating, delegation.grant.threshold);
        write!(
            out,
            "\"terminating\":{terminating},\"threshold\":{threshold}}}"
        )
    }

    fn targets(&self, out: &mut String, targets: &BTreeMap<u8, Content>) -> fmt::Result {
        let mut entries: Vec<(&str, Content)> = targets
            .iter()
            .map(|(place, content)| (TARGETS[usize::from(*place)], *content))
            .collect();
        entries.sort_unstable_by_key(|(path, _)| *path);
        out.push_str(",\"targets\":{");
        for (place, (path, content)) in entries.into_iter().enumerate() {
            let comma = if place > 0 { "," } else { "" };
            let bytes = content.bytes();
            let (hash, length) = (hex::encode(&digest(&bytes, self.0)), bytes.len());
            write!(
                out,
                "{comma}\"{path}\":{{\"hashes\":{{\"sha256\":\"{hash}\"}},\"length\":{length}}}"
            )?;
        }
        out.push('}');
        Ok(())
    }
}

fn meta<'l>(out: &mut String, listed: impl IntoIterator<Item = (Role, &'l Listed)>) -> fmt::Result {
    let mut entries: Vec<(String, &Listed)> = listed
        .into_iter()
        .map(|(role, listed)| (role.name() + ".json", listed))
        .collect();
    entries.sort_unstable_by(|one, other| one.0.cmp(&other.0));
    out.push_str(",\"meta\":{");
    for (place, (file, listed)) in entries.iter().enumerate() {
        let comma = if place > 0 { "," } else { "" };
        write!(out, "{comma}\"{file}\":{{")?;
        if let Some(hash) = &listed.hash {
            write!(out, "\"hashes\":{{\"sha256\":\"{}\"}},", hex::encode(hash))?;
        }
        if let Some(length) = listed.length {
            write!(out, "\"length\":{length},")?;
        }
        write!(out, "\"version\":{}}}", listed.version)?;
    }
    out.push('}');
    Ok(())
}
