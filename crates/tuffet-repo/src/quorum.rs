//! How many signatures a document has, and how many it needs.

use std::fmt;

use tuffet_core::metadata::{RoleName, Root, Snapshot, Targets, Timestamp, UnixTime};
use tuffet_core::trust::{self, Context, Quorum, Signers, count_signatures};

use crate::Error;
use crate::graph::{Authority, Graph};
use crate::keys::KeyName;
use crate::policy::Policy;

/// How many keys of one set have signed a document.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Need {
    /// Whose keys these are. A new root needs two sets: the old root's and its own.
    pub signers: Signers,
    /// How many different keys have signed.
    pub have: u64,
    /// How many have to.
    pub need: u64,
    /// The keys that have signed.
    pub signed: Vec<KeyName>,
    /// The keys that have not, or whose signature does not count.
    pub missing: Vec<KeyName>,
}

impl Need {
    /// Whether enough have signed.
    #[must_use]
    pub fn is_met(&self) -> bool {
        self.have >= self.need
    }
}

impl fmt::Display for Need {
    /// `1 of 2 by root version 3`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} by {}", self.have, self.need, self.signers)
    }
}

/// Counts the signatures of a file for every set of keys whose word it needs.
pub(crate) fn needs(
    role: &RoleName,
    bytes: &[u8],
    graph: &Graph,
    policy: &Policy,
) -> Result<Vec<Need>, Error> {
    let authorities = graph.authorities(role);
    authorities
        .iter()
        .map(|authority| need(role, bytes, authority, policy))
        .collect()
}

pub(crate) fn need(
    role: &RoleName,
    bytes: &[u8],
    authority: &Authority<'_>,
    policy: &Policy,
) -> Result<Need, Error> {
    let mut every = trust::Policy::default();
    every.exhaustive_signatures = true;
    let context = Context {
        crypto: tuffet_crypto::aws_lc(),
        policy: &every,
        // Counting does not look at expiries.
        now: UnixTime(0),
    };
    let count = match role {
        RoleName::Root => count_signatures::<Root>,
        RoleName::Timestamp => count_signatures::<Timestamp>,
        RoleName::Snapshot => count_signatures::<Snapshot>,
        RoleName::Targets | RoleName::Delegated(_) => count_signatures::<Targets>,
    };
    let quorum: Quorum = count(
        role.clone(),
        bytes.to_vec(),
        authority.signers.clone(),
        authority.table,
        authority.keys,
        context,
    )
    .map_err(|error| Error::Refused {
        what: "counting signatures",
        error: Box::new(error.into()),
    })?;
    let (have, need) = (quorum.have(), quorum.need);
    let counted = quorum.counted.iter().map(|key| &key.keyid);
    let uncounted = quorum.uncounted.iter().map(|key| &key.keyid);
    Ok(Need {
        signers: quorum.signers,
        have,
        need,
        signed: counted.map(|keyid| policy.key_name(keyid)).collect(),
        missing: uncounted.map(|keyid| policy.key_name(keyid)).collect(),
    })
}
