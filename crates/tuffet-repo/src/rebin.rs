//! Sharing targets out among another number of bins (TAP 15).
//!
//! All of it is one change, and clients come to see it with one timestamp: before that they read the old bins, whose files stay,
//! and after that the new ones.

use std::collections::{BTreeMap, BTreeSet};

use tuffet_core::crypto::HashAlgorithm;
use tuffet_core::delegation::SuccinctRoles;
use tuffet_core::json::Value;
use tuffet_core::metadata::{DelegatedName, RoleDelegations, RoleName, UnixTime};

use crate::Error;
use crate::delegate::{DelegatedPaths, check_paths};
use crate::document::object_in;
use crate::edit::Edit;
use crate::graph::Graph;
use crate::plan::{Action, Plan};
use crate::repository::Repository;

type Entries = BTreeMap<String, Value>;

impl Repository {
    /// Shares the targets of the bins that a role delegates to out among 2^`bit_length` bins. Bins that are no longer used stay in
    /// snapshot, where no client asks for them, until a rotation of the online keys lets them be dropped.
    ///
    /// # Errors
    /// [`Error::RoleUnsuited`] if the role does not delegate to bins, or has as many already; [`Error::DelegationPaths`] for a
    /// number of bits that is not from 1 to 16.
    pub fn rebin(&self, by: &RoleName, bit_length: u32, now: UnixTime) -> Result<Plan, Error> {
        check_paths(&DelegatedPaths::Bins { bit_length })?;
        let mut edit = Edit::begin(self)?;
        let old = bins(&edit.graph()?, by)?;
        if old.bit_length() == bit_length {
            return Err(Error::RoleUnsuited {
                role: by.clone(),
                why: "delegates to that many bins already",
            });
        }
        let old_names = names(&old);
        let all = entries(&mut edit, &old_names)?;
        let succinct = object_in(edit.open(by, now)?.object("delegations"), "succinct_roles");
        succinct.insert("bit_length".to_owned(), u64::from(bit_length).into());
        let new = bins(&edit.graph()?, by)?;
        let mut shared = share_out(&new, all);
        let new_names = names(&new);
        for name in &new_names {
            let role = RoleName::Delegated(name.clone());
            let period = edit.policy.period(&role);
            edit.create(name, now, period)?;
            let own = shared.remove(name.as_str()).unwrap_or_default();
            *edit.open(&role, now)?.object("targets") = own;
        }
        drop_unused_drafts(&mut edit, &old_names, &new_names);
        edit.actions.push(Action::Delegated {
            role: new.name_prefix().to_owned(),
            by: by.clone(),
            count: new_names.len() as u64,
        });
        edit.finish()
    }
}

fn bins(graph: &Graph, by: &RoleName) -> Result<SuccinctRoles, Error> {
    match graph.delegations_of(by).map(|all| all.roles()) {
        Some(RoleDelegations::Succinct(bins)) => Ok(bins.clone()),
        _ => Err(Error::RoleUnsuited {
            role: by.clone(),
            why: "does not delegate to bins",
        }),
    }
}

fn names(bins: &SuccinctRoles) -> Vec<DelegatedName> {
    let names = bins.names();
    names
        .filter_map(|name| DelegatedName::new(&name).ok())
        .collect()
}

/// The entries of all bins together.
fn entries(edit: &mut Edit, names: &[DelegatedName]) -> Result<Entries, Error> {
    let mut all = Entries::new();
    for name in names {
        let role = RoleName::Delegated(name.clone());
        let document = edit.current(&role)?;
        let listed = document
            .as_ref()
            .and_then(|document| document.member("targets"));
        if let Some(listed) = listed.and_then(Value::as_object) {
            all.extend(listed.clone());
        }
    }
    Ok(all)
}

/// What each bin lists, by its name.
fn share_out(bins: &SuccinctRoles, all: Entries) -> BTreeMap<String, Entries> {
    let crypto = tuffet_crypto::aws_lc();
    let mut shares: BTreeMap<String, Entries> = BTreeMap::new();
    for (path, entry) in all {
        let hash = crypto.digest(HashAlgorithm::Sha256, path.as_bytes());
        if let Some(bin) = bins.bin(&hash) {
            shares
                .entry(bin.as_str().to_owned())
                .or_default()
                .insert(path, entry);
        }
    }
    shares
}

/// A bin that was only begun in the open change and is used no more is forgotten.
fn drop_unused_drafts(edit: &mut Edit, old: &[DelegatedName], new: &[DelegatedName]) {
    let used: BTreeSet<&str> = new.iter().map(DelegatedName::as_str).collect();
    for name in old.iter().filter(|name| !used.contains(name.as_str())) {
        edit.store.remove_draft(&RoleName::Delegated(name.clone()));
    }
}
