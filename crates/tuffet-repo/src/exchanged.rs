//! Files of one role under the name of another.
//!
//! A file does not name its role, so one of a role is signed just as well for every other role that has the same keys, such as the bin
//! beside it. Whoever can write where the files are needs no key to put `7.bin-0.json` in the place of `7.bin-1.json`, laid out in
//! another way or without leaving the first one where it was. Clients do not accept it, because snapshot lists hashes; but here it would pass
//! for a version of somebody else that is in the way, or for the last one.

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use tuffet_core::crypto::{Digest, HashAlgorithm};
use tuffet_core::metadata::{Listing, RoleName, Version};

use crate::Error;
use crate::change::digest;
use crate::document::Document;
use crate::graph::Graph;
use crate::layout::file_name;
use crate::publish::Published;
use crate::quorum::is_signed_by_any;
use crate::store::Store;
use crate::tree::Tree as _;

/// What roles say here in versions that clients have seen.
pub(crate) struct Exchanged<'l> {
    listed: Listing<'l>,
    /// By number, once it was needed.
    said: RefCell<BTreeMap<Version, Rc<Said>>>,
    /// Who may sign what today, once it was needed.
    graph: OnceCell<Graph>,
    /// What publications of this copy have sealed that have not come to their end, once it was needed.
    used: OnceCell<BTreeMap<String, String>>,
}

/// What the files of one number say, of the roles that clients have seen in that version or in a later one.
#[derive(Default)]
struct Said {
    /// The roles that say it, by the SHA-256 of what they sign.
    by: BTreeMap<Digest, Vec<RoleName>>,
    /// The roles whose file is not here.
    absent: Vec<RoleName>,
    /// The roles whose file is not certain to be theirs, once it was needed.
    uncertain: OnceCell<Vec<RoleName>>,
}

impl<'l> Exchanged<'l> {
    /// Of the versions up to those that a snapshot lists.
    pub(crate) fn of(listed: Listing<'l>) -> Self {
        Self {
            listed,
            said: RefCell::default(),
            graph: OnceCell::new(),
            used: OnceCell::new(),
        }
    }

    /// Whether these bytes say what another role has said in this version, while clients have not seen this role in it. Roles that are
    /// published together may say the same, such as empty bins.
    pub(crate) fn says_what_another_said(
        &self,
        store: &Store,
        role: &RoleName,
        version: Version,
        bytes: &[u8],
    ) -> Result<bool, Error> {
        if self.listed.version(role) >= Some(version) {
            return Ok(false);
        }
        let Some(own) = says(bytes, version) else {
            return Ok(false);
        };
        Ok(self.said(store, version)?.by.contains_key(&own))
    }

    /// Whether a sealed version is the file of another role, or may be: what another role said in it is not here any more, nor where it is
    /// published, if that is known. What this copy has sealed itself is beyond that doubt.
    pub(crate) fn is_of_another(
        &self,
        store: &Store,
        published: Option<&Published>,
        role: &RoleName,
        version: Version,
        bytes: &[u8],
    ) -> Result<bool, Error> {
        if self.says_what_another_said(store, role, version, bytes)? {
            return Ok(true);
        }
        if self.listed.version(role) >= Some(version) || self.is_own(store, role, version, bytes)? {
            return Ok(false);
        }
        let said = self.said(store, version)?;
        let name = |other: &RoleName| file_name(other, Some(version));
        let mut names = Vec::new();
        let uncertain = self.uncertain(store, version, &said)?;
        for other in said.absent.iter().chain(uncertain) {
            if is_signed_by_any(other, bytes, self.graph(store)?) {
                names.push(name(other));
            }
        }
        let Some(published) = published else {
            return Ok(!names.is_empty());
        };
        published.fetch(names.iter().map(String::as_str))?;
        let own = says(bytes, version);
        for name in &names {
            let there = published.file(name)?;
            let there = there.and_then(|bytes| says(&bytes, version));
            if there.is_none() || there == own {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether a publication of this copy has sealed this version, and has not come to its end.
    fn is_own(
        &self,
        store: &Store,
        role: &RoleName,
        version: Version,
        bytes: &[u8],
    ) -> Result<bool, Error> {
        let used = match self.used.get() {
            Some(used) => used,
            None => {
                let used = crate::publish::all_used(store.layout())?;
                self.used.get_or_init(|| used)
            }
        };
        Ok(used.get(&file_name(role, Some(version))) == Some(&digest(bytes)))
    }

    fn said(&self, store: &Store, version: Version) -> Result<Rc<Said>, Error> {
        if let Some(said) = self.said.borrow().get(&version) {
            return Ok(Rc::clone(said));
        }
        let mut said = Said::default();
        for entry in self.listed.iter() {
            let file = entry.file();
            let role = file.strip_suffix(".json").map(RoleName::new);
            let Some(Ok(role @ (RoleName::Targets | RoleName::Delegated(_)))) = role else {
                continue;
            };
            if entry.version() < Some(version) {
                continue;
            }
            let bytes = store.found(&role, version)?;
            match bytes.and_then(|bytes| says(&bytes, version)) {
                Some(digest) => said.by.entry(digest).or_default().push(role),
                None => said.absent.push(role),
            }
        }
        let said = Rc::new(said);
        self.said.borrow_mut().insert(version, Rc::clone(&said));
        Ok(said)
    }

    /// The roles that are not known to have published the file of this number that is here: it, too, may have been put there, to hide
    /// where theirs has gone.
    fn uncertain<'s>(
        &self,
        store: &Store,
        version: Version,
        said: &'s Said,
    ) -> Result<&'s [RoleName], Error> {
        if let Some(uncertain) = said.uncertain.get() {
            return Ok(uncertain);
        }
        let mut uncertain = Vec::new();
        for roles in said.by.values() {
            for role in roles {
                let bytes = store.found(role, version)?.unwrap_or_default();
                let certain = if self.listed.version(role) == Some(version) {
                    let crypto = tuffet_crypto::aws_lc();
                    self.listed.identifies(role, &bytes, crypto)
                } else {
                    roles.len() == 1 && is_signed_by_any(role, &bytes, self.graph(store)?)
                };
                if !certain {
                    uncertain.push(role.clone());
                }
            }
        }
        Ok(said.uncertain.get_or_init(|| uncertain))
    }

    fn graph(&self, store: &Store) -> Result<&Graph, Error> {
        if let Some(graph) = self.graph.get() {
            return Ok(graph);
        }
        let graph = Graph::load(&store.without_drafts())?;
        Ok(self.graph.get_or_init(|| graph))
    }
}

/// The SHA-256 of what is signed in a file that says to be this version, in canonical form: however the file is laid out, its signatures
/// are good.
fn says(bytes: &[u8], version: Version) -> Option<Digest> {
    let document = Document::parse(bytes).ok()?;
    let own = document.version() == Some(version);
    let canonical = own.then(|| document.canonical())?;
    Some(tuffet_crypto::aws_lc().digest(HashAlgorithm::Sha256, &canonical))
}
