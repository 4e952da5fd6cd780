//! A repository: a directory with a policy.

use std::path::{Path, PathBuf};

use tuffet_core::crypto::{Key, KeyKind};
use tuffet_core::metadata::KeyTable;
use tuffet_sign::PublicKeyInfo;

use crate::Error;
use crate::change::ChangeFile;
use crate::graph::Graph;
use crate::keys::NamedKey;
use crate::layout::Layout;
use crate::lock::Lock;
use crate::policy::{Learned, Policy, Violation};
use crate::store::Store;
use crate::write::{Write, WriteKind, read_bounded};

/// How many digits of a keyid name it.
const SHORTEST_KEYID: usize = 8;

/// The most bytes of the policy: it comes with a push, like everything beside it.
const LARGEST: u64 = 16 * 1024 * 1024;

/// A repository on disk. The value holds the policy as it was when the repository was opened, and what edits through it may do.
#[derive(Debug)]
pub struct Repository {
    layout: Layout,
    policy: Policy,
    private: Vec<PathBuf>,
    discards_signatures: bool,
    only_looks: bool,
    allowed: Vec<Violation>,
    /// Whether keys go without the names of the policy.
    nameless: bool,
}

impl Repository {
    /// Opens the repository in a directory.
    ///
    /// # Errors
    /// [`Error::NotFound`] if there is none, [`Error::PolicyFormat`] if its policy cannot be read.
    pub fn open(directory: &Path) -> Result<Self, Error> {
        let layout = Layout::new(directory);
        let (mut policy, _) = read_policy(&layout)?;
        match ChangeFile::read_learned(&layout.change()) {
            Ok(learned) => learned.apply(&mut policy),
            // Whatever needs the change reads it again and fails then. Dropping it does not.
            Err(Error::Format { .. }) => {}
            Err(error) => return Err(error),
        }
        Ok(Self {
            layout,
            policy,
            private: Vec::new(),
            discards_signatures: false,
            only_looks: false,
            allowed: Vec::new(),
            nameless: false,
        })
    }

    /// No file of this directory becomes a target, as none of the repository itself does: for the place where private keys are.
    #[must_use]
    pub fn keeping_private(mut self, directory: &Path) -> Self {
        self.private.push(directory.to_owned());
        self
    }

    /// Whether an edit may change what somebody has signed. Their signatures are discarded then, and the actions say so; without
    /// this, such an edit ends with [`Error::ChangeSigned`].
    #[must_use]
    pub fn discarding_signatures(self, discards_signatures: bool) -> Self {
        Self {
            discards_signatures,
            ..self
        }
    }

    /// Whether plans are made only to be looked at: then nothing is written to lock the repository, so it may be one that cannot be
    /// written, and none of the plans can be executed.
    #[must_use]
    pub fn only_looking(self, only_looks: bool) -> Self {
        Self { only_looks, ..self }
    }

    /// Lets [`Self::preview_change`] call keys by no names of the policy, such as those that [`Repository::import`] makes up.
    #[must_use]
    pub fn without_key_names(self) -> Self {
        Self {
            nameless: true,
            ..self
        }
    }

    /// Lets what is done through it break these rules of the policy. `tuffet.toml` stays as it is, so whoever opens the repository next
    /// is refused again.
    #[must_use]
    pub fn allowing(mut self, violations: &[Violation]) -> Self {
        self.policy.allow(violations);
        self.allowed.extend_from_slice(violations);
        self
    }

    /// Opens the repository in a directory or in the nearest one above it.
    ///
    /// # Errors
    /// As [`Repository::open`].
    pub fn find(start: &Path) -> Result<Self, Error> {
        start
            .ancestors()
            .find(|directory| Layout::new(directory).policy().exists())
            .map_or_else(|| Err(Error::NotFound(start.to_owned())), Self::open)
    }

    /// The directory.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.layout.directory()
    }

    /// The policy, with what the open change adds to it.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Where the key of automation lies, if somebody has put one there: outside the published tree and of version control.
    #[must_use]
    pub fn online_key_path(&self) -> PathBuf {
        self.layout.online_key()
    }

    /// The public key of this name, of this keyid, or of the only keyid that begins with these digits, eight at the least.
    ///
    /// # Errors
    /// [`Error::KeyUnknown`], [`Error::KeyAmbiguous`].
    pub fn key(&self, name: &str) -> Result<NamedKey, Error> {
        if let Some(key) = self.policy.key(name) {
            return Ok(key);
        }
        let graph = Graph::load(&Store::load(&self.layout)?)?;
        self.key_in(&graph, name)
    }

    pub(crate) fn key_in(&self, graph: &Graph, name: &str) -> Result<NamedKey, Error> {
        if let Some(key) = self.policy.key(name) {
            return Ok(key);
        }
        let roots = [graph.root(), graph.old_root()];
        let tables = roots.into_iter().flatten().map(|root| root.keys());
        let tables = tables.chain(graph.delegations().map(|(_, all)| all.keys()));
        let mut found: Vec<(String, PublicKeyInfo)> = Vec::new();
        for (keyid, key) in tables.flat_map(KeyTable::iter) {
            let id = keyid.as_str();
            let named = id == name || (name.len() >= SHORTEST_KEYID && id.starts_with(name));
            let known = found.iter().any(|(other, _)| other == id);
            if let (true, false, Some(info)) = (named, known, info(key)) {
                found.push((id.to_owned(), info));
            }
        }
        let unknown = || Error::KeyUnknown(name.to_owned());
        match found.as_slice() {
            [] => Err(unknown()),
            [(id, info)] => {
                let keyid = tuffet_core::metadata::KeyId::new(id).map_err(|_| unknown())?;
                let called = self.policy.key_name(&keyid).name;
                let called = called.filter(|name| self.policy.keys.contains_key(name));
                let short: String = id.chars().take(SHORTEST_KEYID).collect();
                NamedKey::new(&called.unwrap_or(short), info.clone())
            }
            _ => Err(Error::KeyAmbiguous(name.to_owned())),
        }
    }

    /// The policy in its file, without what the open change adds to it, as far as it is to be kept.
    pub(crate) fn written_policy(&self) -> Result<Policy, Error> {
        let (mut policy, _) = read_policy(&self.layout)?;
        policy.allow(&self.allowed);
        if self.nameless {
            policy.keys.clear();
        }
        Ok(policy)
    }

    /// The same repository as if nothing were open in it, to look at.
    pub(crate) fn without_change(&self) -> Result<Self, Error> {
        Ok(Self {
            layout: self.layout.clone(),
            policy: self.written_policy()?,
            private: Vec::new(),
            discards_signatures: false,
            only_looks: true,
            allowed: self.allowed.clone(),
            nameless: self.nameless,
        })
    }

    /// The policy with what a change adds to it.
    pub(crate) fn policy_with(&self, learned: &Learned) -> Policy {
        let mut policy = self.policy.clone();
        learned.apply(&mut policy);
        policy
    }

    /// The directories besides its own of which nothing becomes a target.
    pub(crate) fn private(&self) -> &[PathBuf] {
        &self.private
    }

    pub(crate) fn discards_signatures(&self) -> bool {
        self.discards_signatures
    }

    pub(crate) fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Keeps others from changing the repository.
    pub(crate) fn lock(&self) -> Result<Lock, Error> {
        if self.only_looks {
            Lock::look(&self.layout)
        } else {
            Lock::take(&self.layout)
        }
    }

    /// The write by which the file of the policy learns something; what people wrote into it meanwhile stays.
    pub(crate) fn write_policy(&self, learned: &Learned) -> Result<Option<Write>, Error> {
        if learned.is_empty() {
            return Ok(None);
        }
        let (mut policy, old) = read_policy(&self.layout)?;
        learned.apply(&mut policy);
        let text = policy.rewrite(&old);
        Ok((text != old)
            .then(|| Write::file(self.layout.policy(), WriteKind::Replace(text.into_bytes()))))
    }
}

/// The policy in the file, and the text of the file.
fn read_policy(layout: &Layout) -> Result<(Policy, String), Error> {
    let path = layout.policy();
    let bytes = read_bounded(&path, LARGEST)?;
    let bytes = bytes.ok_or_else(|| Error::NotFound(layout.directory().to_owned()))?;
    let malformed = |why| Error::PolicyFormat {
        path: path.clone(),
        why,
    };
    let text = String::from_utf8(bytes).map_err(|_| malformed("it is not UTF-8".to_owned()))?;
    let policy = Policy::parse(&text).map_err(malformed)?;
    Ok((policy, text))
}

/// The key, if signatures of it can be verified.
pub(crate) fn info(key: &Key) -> Option<PublicKeyInfo> {
    match key.kind() {
        KeyKind::Usable { scheme, public } => PublicKeyInfo::new(*scheme, public.clone()).ok(),
        KeyKind::Opaque { .. } => None,
    }
}
