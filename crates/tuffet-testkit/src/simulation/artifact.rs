//! Metadata files with everything that the model has to know about them, above all who really signed them.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Arc;

use tuffet_core::crypto::HashAlgorithm;
use tuffet_core::metadata::RoleName;

use super::deviation::{Deviation, Deviations};
use super::render::render;
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

/// What is in a target: its length and hashes follow from the number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Content {
    /// The number.
    pub(crate) number: u16,
    /// The hashes that are listed.
    pub(crate) hashes: Listing,
}

/// Which hashes of a target are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Listing {
    /// SHA-256.
    Short,
    /// SHA-512.
    Long,
    /// Both.
    Both,
}

impl Listing {
    /// The one that a die shows.
    #[must_use]
    pub(crate) fn drawn(die: u16) -> Self {
        [Self::Short, Self::Short, Self::Long, Self::Both][usize::from(die) % 4]
    }
}

impl Content {
    /// The bytes.
    #[must_use]
    pub(crate) fn bytes(self) -> Vec<u8> {
        format!("content {}", self.number).into_bytes()
    }

    /// The hashes that are listed, in the order of their names.
    #[must_use]
    pub(crate) fn listed_hashes(self, signing: &dyn Signing) -> Vec<(&'static str, Vec<u8>)> {
        let hash = |name, algorithm| {
            let digest = signing.crypto().digest(algorithm, &self.bytes());
            (name, digest.as_bytes().to_vec())
        };
        let (short, long) = (HashAlgorithm::Sha256, HashAlgorithm::Sha512);
        match self.hashes {
            Listing::Short => vec![hash("sha256", short)],
            Listing::Long => vec![hash("sha512", long)],
            Listing::Both => vec![hash("sha256", short), hash("sha512", long)],
        }
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
    pub(super) fn kind(&self) -> &'static str {
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
    /// Whether it was made over the same content in the other envelope: then it says nothing here.
    pub(crate) moved: bool,
}

impl Signature {
    /// One that is what it says.
    #[must_use]
    pub(crate) fn honest(named: Named) -> Self {
        Self {
            named,
            by: Some(named.key),
            moved: false,
        }
    }

    /// Whether it is that of its key over this very file.
    fn is_true(&self) -> bool {
        self.by == Some(self.named.key) && !self.moved
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
    /// Whether it comes in an envelope by DSSE (TAP 17).
    pub(crate) dsse: bool,
    /// Where it deviates from the specification, as far as a file like it can.
    pub(crate) odd: Deviations,
}

impl Draft {
    /// The deviations that a file like this one can have.
    fn possible(&self) -> Deviations {
        use Deviation::{
            CustomForm, ExpiresForm, ExtraRole, HashUnknown, HexPoint, KeyForm, KeyidUndefined,
            KeytypeAlias, SignatureForm, SnapshotExtra, SpecVersionForm,
        };
        let hash = |listed: &Listed| listed.hash.is_some();
        let of_keys = [HexPoint, KeytypeAlias, KeyForm, KeyidUndefined];
        let mut possible = Deviations::of(&[ExpiresForm, SignatureForm, SpecVersionForm]);
        match &self.body {
            Body::Root { .. } => possible = possible.with(&of_keys).with(&[ExtraRole]),
            Body::Timestamp(listed) if hash(listed) => possible = possible.with(&[HashUnknown]),
            Body::Timestamp(_) => {}
            Body::Snapshot(listed) => {
                possible = possible.with(&[SnapshotExtra]);
                if listed.values().any(hash) {
                    possible = possible.with(&[HashUnknown]);
                }
            }
            Body::Targets {
                targets,
                delegations,
            } => {
                if !targets.is_empty() {
                    possible = possible.with(&[CustomForm, HashUnknown]);
                }
                if *delegations != Delegations::None {
                    possible = possible.with(&of_keys);
                }
            }
            Body::Garbage => return Deviations::NONE,
        }
        possible
    }

    /// Whether it defines a key under an id that is not the first of its ids.
    fn has_alias(&self) -> bool {
        let alias = |grant: &Grant| grant.keys.iter().any(|named| named.alias > 0);
        match &self.body {
            Body::Root { grants, .. } => grants.iter().any(alias),
            Body::Targets { delegations, .. } => match delegations {
                Delegations::None => false,
                Delegations::Named(roles) => roles.iter().any(|role| alias(&role.grant)),
                Delegations::Bins { grant, .. } => alias(grant),
            },
            Body::Timestamp(_) | Body::Snapshot(_) | Body::Garbage => false,
        }
    }
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
    /// Where it deviates from the specification.
    pub(crate) deviations: Deviations,
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
            entries.any(|entry| entry.named == *named && entry.is_true())
        };
        count(grant, signed)
    }

    /// The same, whatever the keyids.
    #[must_use]
    pub(crate) fn count_whatever_the_keyids(&self, grant: &Grant) -> u8 {
        let signed = |named: &Named| {
            let mut entries = self.draft.signatures.iter();
            entries.any(|entry| entry.by == Some(named.key) && !entry.moved)
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
    /// Whether the first id of a key is its hash (F-07), as a strict policy asks for; short ones are faster.
    pub(crate) hashed: bool,
    artifacts: Vec<Artifact>,
    known: HashMap<[u8; 32], Id>,
}

impl Archive {
    /// Makes a file.
    pub(crate) fn add(&mut self, mut draft: Draft, signing: &dyn Signing) -> Id {
        draft.odd = draft.odd.only(draft.possible());
        let bytes = render(&draft, self.hashed, signing);
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
            dsse: false,
            odd: Deviations::NONE,
        };
        self.add_bytes(draft, bytes, signing)
    }

    fn add_bytes(&mut self, draft: Draft, bytes: Vec<u8>, signing: &dyn Signing) -> Id {
        let hash = digest(&bytes, signing);
        let next = Id(u32::try_from(self.artifacts.len()).expect("few files"));
        let artifacts = &mut self.artifacts;
        let mismatch = self.hashed && draft.has_alias();
        *self.known.entry(hash).or_insert_with(|| {
            let deviations = if mismatch {
                draft.odd.with(&[Deviation::KeyidMismatch])
            } else {
                draft.odd
            };
            artifacts.push(Artifact {
                deviations,
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
