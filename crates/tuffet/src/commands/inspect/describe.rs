//! What a metadata file says, as data.

use serde_json::{Value, json};
use tuffet_core::crypto::{HashAlgorithm, Key, KeyKind};
use tuffet_core::metadata::{
    EnvelopeKind, KeyTable, MetaFile, Note, Parsed, PathSet, Role, RoleDelegations, RoleKeys,
    RoleName, Root, Snapshot, TargetFile, Targets, Timestamp, UnixTime,
};
use tuffet_core::trust::{Context, Policy, Rejected, Roots, Uncounted};

/// How many entries of a list that can be of any length are shown.
pub(super) const SHOWN: usize = 50;

/// What a file says.
pub(super) struct Description {
    pub(super) kind: &'static str,
    pub(super) version: u64,
    pub(super) expires: UnixTime,
    pub(super) envelope: &'static str,
    pub(super) bytes: usize,
    pub(super) sha256: String,
    pub(super) signatures: Vec<String>,
    pub(super) tolerances: Vec<Note>,
    pub(super) consistent_snapshot: Option<bool>,
    pub(super) keys: Vec<KeyLine>,
    pub(super) roles: Vec<RoleLine>,
    pub(super) own_quorum: Option<OwnQuorum>,
    /// The files that a timestamp or snapshot lists, at most [`SHOWN`].
    pub(super) files: Vec<(String, MetaFile)>,
    /// The targets, at most [`SHOWN`].
    pub(super) targets: Vec<(String, TargetFile)>,
    /// How many files or targets there are.
    pub(super) listed: Option<u64>,
}

/// A key and whether it can verify anything here.
pub(super) struct KeyLine {
    pub(super) keyid: String,
    pub(super) keytype: String,
    pub(super) scheme: String,
    pub(super) unusable: Option<String>,
}

/// Who may sign for a role, and what it may list.
pub(super) struct RoleLine {
    pub(super) name: String,
    pub(super) threshold: u64,
    pub(super) keyids: Vec<String>,
    /// Patterns or prefixes; for delegated roles only.
    pub(super) paths: Option<Vec<String>>,
    pub(super) terminating: Option<bool>,
}

/// Whether a root is signed by the keys that it names itself.
pub(super) struct OwnQuorum {
    pub(super) have: u64,
    pub(super) need: u64,
    pub(super) counted: Vec<String>,
    pub(super) uncounted: Vec<String>,
}

impl Description {
    fn of<R: Role>(kind: &'static str, bytes: &[u8], file: &Parsed<R>) -> Self {
        let digest = tuffet_crypto::default_provider().digest(HashAlgorithm::Sha256, bytes);
        Self {
            kind,
            version: file.unverified().version().number(),
            expires: file.unverified().expires(),
            envelope: match file.envelope() {
                EnvelopeKind::Json => "json",
                EnvelopeKind::Dsse => "dsse",
            },
            bytes: bytes.len(),
            sha256: digest.to_hex(),
            signatures: file.signature_keyids().map(ToString::to_string).collect(),
            tolerances: file.notes().to_vec(),
            consistent_snapshot: None,
            keys: Vec::new(),
            roles: Vec::new(),
            own_quorum: None,
            files: Vec::new(),
            targets: Vec::new(),
            listed: None,
        }
    }

    pub(super) fn root(bytes: &[u8], file: &Parsed<Root>) -> Self {
        let root = file.unverified();
        let top_level = [
            RoleName::Root,
            RoleName::Timestamp,
            RoleName::Snapshot,
            RoleName::Targets,
        ];
        Self {
            consistent_snapshot: Some(root.consistent_snapshot()),
            keys: key_lines(root.keys()),
            roles: top_level
                .iter()
                .filter_map(|name| Some(RoleLine::of(name.as_str(), root.role(name)?)))
                .collect(),
            own_quorum: own_quorum(bytes),
            ..Self::of("root", bytes, file)
        }
    }

    pub(super) fn timestamp(bytes: &[u8], file: &Parsed<Timestamp>) -> Self {
        let snapshot = file.unverified().snapshot().clone();
        Self {
            files: vec![("snapshot.json".to_owned(), snapshot)],
            listed: Some(1),
            ..Self::of("timestamp", bytes, file)
        }
    }

    pub(super) fn snapshot(bytes: &[u8], file: &Parsed<Snapshot>) -> Self {
        let listed = file.unverified_roles();
        Self {
            listed: Some(file.unverified().len() as u64),
            files: listed
                .take(SHOWN)
                .map(|(role, meta)| (format!("{role}.json"), meta))
                .collect(),
            ..Self::of("snapshot", bytes, file)
        }
    }

    pub(super) fn targets(bytes: &[u8], file: &Parsed<Targets>) -> Self {
        let targets = file.unverified();
        let (keys, roles) = match targets.delegations() {
            None => (Vec::new(), Vec::new()),
            Some(delegations) => (
                key_lines(delegations.keys()),
                delegated(delegations.roles()),
            ),
        };
        Self {
            listed: Some(targets.len() as u64),
            targets: file.unverified_targets().take(SHOWN).collect(),
            keys,
            roles,
            ..Self::of("targets", bytes, file)
        }
    }

    /// The members of the JSON result.
    pub(super) fn to_json(&self, file: &str, now: UnixTime) -> Value {
        let keys: Vec<Value> = self.keys.iter().map(KeyLine::to_json).collect();
        let roles: Vec<Value> = self.roles.iter().map(RoleLine::to_json).collect();
        let tolerances: Vec<Value> = self
            .tolerances
            .iter()
            .map(|note| json!({"name": note.tolerance.name(), "field": note.field}))
            .collect();
        let files: Vec<Value> = self.files.iter().map(file_json).collect();
        let targets: Vec<Value> = self.targets.iter().map(target_json).collect();
        json!({
            "file": file,
            "trusted": false,
            "type": self.kind,
            "version": self.version,
            "expires": self.expires.to_string(),
            "expired": self.expires <= now,
            "envelope": self.envelope,
            "length": self.bytes,
            "sha256": self.sha256,
            "consistent_snapshot": self.consistent_snapshot,
            "keys": keys,
            "roles": roles,
            "signatures": self.signatures,
            "own_quorum": self.own_quorum.as_ref().map(OwnQuorum::to_json),
            "listed": self.listed,
            "files": files,
            "targets": targets,
            "tolerances": tolerances,
        })
    }
}

impl KeyLine {
    fn to_json(&self) -> Value {
        json!({
            "keyid": self.keyid,
            "keytype": self.keytype,
            "scheme": self.scheme,
            "usable": self.unusable.is_none(),
            "why": self.unusable,
        })
    }
}

impl RoleLine {
    fn of(name: &str, keys: &RoleKeys) -> Self {
        Self {
            name: name.to_owned(),
            threshold: keys.threshold,
            keyids: keys.keyids.iter().map(ToString::to_string).collect(),
            paths: None,
            terminating: None,
        }
    }

    fn to_json(&self) -> Value {
        json!({
            "name": self.name,
            "threshold": self.threshold,
            "keyids": self.keyids,
            "paths": self.paths,
            "terminating": self.terminating,
        })
    }
}

impl OwnQuorum {
    pub(super) fn is_met(&self) -> bool {
        self.have >= self.need
    }

    fn to_json(&self) -> Value {
        json!({
            "have": self.have,
            "need": self.need,
            "met": self.is_met(),
            "counted": self.counted,
            "uncounted": self.uncounted,
        })
    }
}

fn file_json((name, meta): &(String, MetaFile)) -> Value {
    json!({"name": name, "version": meta.version.number(), "length": meta.length})
}

fn target_json((path, target): &(String, TargetFile)) -> Value {
    let hashes: serde_json::Map<String, Value> = target
        .hashes
        .digests()
        .iter()
        .map(|digest| (digest.algorithm().name().to_owned(), digest.to_hex().into()))
        .collect();
    json!({"path": path, "length": target.length, "hashes": hashes})
}

fn key_lines(keys: &KeyTable) -> Vec<KeyLine> {
    let line = |key: &Key| match key.kind() {
        KeyKind::Usable { .. } => None,
        KeyKind::Opaque { why } => Some(why.to_string()),
    };
    keys.iter()
        .map(|(keyid, key)| KeyLine {
            keyid: keyid.to_string(),
            keytype: key.keytype().to_owned(),
            scheme: key.scheme().to_owned(),
            unusable: line(key),
        })
        .collect()
}

fn delegated(roles: &RoleDelegations) -> Vec<RoleLine> {
    match roles {
        RoleDelegations::Named(roles) => roles
            .iter()
            .map(|role| RoleLine {
                paths: Some(match &role.paths {
                    PathSet::Patterns(patterns) => patterns
                        .iter()
                        .map(|pattern| pattern.as_str().to_owned())
                        .collect(),
                    PathSet::HashPrefixes(prefixes) => prefixes
                        .iter()
                        .map(|prefix| format!("sha256 {}…", prefix.as_str()))
                        .collect(),
                    PathSet::Nothing => Vec::new(),
                }),
                terminating: Some(role.terminating),
                ..RoleLine::of(role.name.as_str(), &role.keys)
            })
            .collect(),
        RoleDelegations::Succinct(bins) => {
            let prefix = bins.name_prefix();
            let count = 1_u64 << bins.bit_length();
            vec![RoleLine {
                paths: Some(vec![format!("{count} bins by hash of the path")]),
                terminating: Some(true),
                ..RoleLine::of(&format!("{prefix}-*"), bins.keys())
            }]
        }
    }
}

/// Every signature is checked, so that each key that signed is named.
fn own_quorum(bytes: &[u8]) -> Option<OwnQuorum> {
    let policy = {
        let mut policy = Policy::default();
        policy.exhaustive_signatures = true;
        policy
    };
    let cx = Context {
        crypto: tuffet_crypto::default_provider(),
        policy: &policy,
        now: UnixTime(0),
    };
    let lines = |uncounted: &[Uncounted]| uncounted.iter().map(ToString::to_string).collect();
    match Roots::trust(bytes.to_vec(), cx) {
        Ok(roots) => {
            let quorum = roots.trusted().quorum();
            Some(OwnQuorum {
                have: quorum.have(),
                need: quorum.need,
                counted: quorum
                    .counted
                    .iter()
                    .map(|key| key.keyid.to_string())
                    .collect(),
                uncounted: lines(&quorum.uncounted),
            })
        }
        Err(Rejected::Threshold {
            have,
            need,
            uncounted,
            ..
        }) => Some(OwnQuorum {
            have,
            need,
            counted: Vec::new(),
            uncounted: lines(&uncounted),
        }),
        Err(_) => None,
    }
}
