//! How many signatures a document has, and how many it needs.

use std::fmt;

use tuffet_core::crypto::{Crypto, Key, KeyKind};
use tuffet_core::metadata::{
    Parsed, Role, RoleName, Root, Snapshot, Targets, Timestamp, UnixTime, Version,
};
use tuffet_core::trust::{self, Context, Quorum, Signers, count_signatures};

use crate::Error;
use crate::document::Document;
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

    /// Whose signatures it waits for: `ana and ben` when both have to sign, `ana or ben` when one of them is enough, `2 of ana,
    /// ben, lin`. Empty when it is met, or when nobody is left who could sign.
    #[must_use]
    pub fn waits_for(&self) -> String {
        if self.is_met() {
            return String::new();
        }
        let names: Vec<String> = self.missing.iter().map(ToString::to_string).collect();
        match self.need.saturating_sub(self.have) {
            all if names.len() as u64 <= all => names.join(" and "),
            1 => names.join(" or "),
            some => format!("{some} of {}", names.join(", ")),
        }
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

/// Counts the signatures of a document for every set of keys whose word it needs, and verifies none that is known to be good.
pub(crate) fn needs_of(
    role: &RoleName,
    document: &Document,
    graph: &Graph,
    policy: &Policy,
) -> Result<Vec<Need>, Error> {
    let authorities = graph.authorities(role);
    let known: Option<Vec<Need>> = authorities
        .iter()
        .map(|authority| known_need(document, authority, policy))
        .collect();
    match known {
        Some(known) => Ok(known),
        None => needs(role, &document.to_bytes(), graph, policy),
    }
}

/// The need of one set of keys, if every signature under one of its keyids is known to be good.
fn known_need(document: &Document, authority: &Authority<'_>, policy: &Policy) -> Option<Need> {
    let (mut counted, mut signed, mut missing) = (Vec::new(), Vec::new(), Vec::new());
    for keyid in &authority.keys.keyids {
        let mut signatures = document.signature_keyids();
        match authority.table.key(keyid.as_str()).map(Key::kind) {
            Some(KeyKind::Usable { scheme, public })
                if document.is_confirmed(keyid, public, *scheme) =>
            {
                let identity = public.identity();
                // One key counts once, whatever it is called.
                if counted.contains(&identity) {
                    missing.push(policy.key_name(keyid));
                } else {
                    counted.push(identity);
                    signed.push(policy.key_name(keyid));
                }
            }
            _ if signatures.any(|other| other == keyid.as_str()) => return None,
            _ => missing.push(policy.key_name(keyid)),
        }
    }
    Some(Need {
        signers: authority.signers.clone(),
        have: counted.len() as u64,
        need: authority.keys.threshold,
        signed,
        missing,
    })
}

pub(crate) fn need(
    role: &RoleName,
    bytes: &[u8],
    authority: &Authority<'_>,
    policy: &Policy,
) -> Result<Need, Error> {
    Ok(named(count(role, bytes, authority)?, policy))
}

/// A quorum with the names that people have given to the keys.
pub(crate) fn named(quorum: Quorum, policy: &Policy) -> Need {
    let (have, need) = (quorum.have(), quorum.need);
    let counted = quorum.counted.iter().map(|key| &key.keyid);
    let uncounted = quorum.uncounted.iter().map(|key| &key.keyid);
    Need {
        signers: quorum.signers,
        have,
        need,
        signed: counted.map(|keyid| policy.key_name(keyid)).collect(),
        missing: uncounted.map(|keyid| policy.key_name(keyid)).collect(),
    }
}

/// Whether a file that may be anything is metadata of the role with all signatures that it needs.
pub(crate) fn is_signed(role: &RoleName, bytes: &[u8], graph: &Graph, policy: &Policy) -> bool {
    let all = needs(role, bytes, graph, policy);
    all.is_ok_and(|all| !all.is_empty() && all.iter().all(Need::is_met))
}

/// The same for those who may sign the role before the open change or after it: some of them have signed enough.
pub(crate) fn is_signed_by_any(role: &RoleName, bytes: &[u8], graph: &Graph) -> bool {
    let met = |authority: &Authority<'_>| {
        count(role, bytes, authority).is_ok_and(|quorum| quorum.is_met())
    };
    graph.signatories(role).iter().any(met)
}

/// Whether a file that may be anything can have been accepted under the name of this version: those have signed it, and it says to be
/// that version. A copy of another one is signed just as well.
pub(crate) fn is_version_of_any(
    role: &RoleName,
    version: Version,
    bytes: &[u8],
    graph: &Graph,
) -> bool {
    says_version(role, version, bytes) && is_signed_by_any(role, bytes, graph)
}

/// Whether a file that may be anything says to be this version.
pub(crate) fn says_version(role: &RoleName, version: Version, bytes: &[u8]) -> bool {
    fn own<R: Role>(bytes: &[u8]) -> Option<Version> {
        let file = Parsed::<R>::parse(bytes.to_vec()).ok()?;
        Some(file.unverified().version())
    }
    let own = match role {
        RoleName::Root => own::<Root>(bytes),
        RoleName::Timestamp => own::<Timestamp>(bytes),
        RoleName::Snapshot => own::<Snapshot>(bytes),
        RoleName::Targets | RoleName::Delegated(_) => own::<Targets>(bytes),
    };
    own == Some(version)
}

/// Counts the signatures of a file for one set of keys.
pub(crate) fn count(
    role: &RoleName,
    bytes: &[u8],
    authority: &Authority<'_>,
) -> Result<Quorum, Error> {
    Ok(match role {
        RoleName::Root => count_as::<Root>(role, bytes, authority)?.0,
        RoleName::Timestamp => count_as::<Timestamp>(role, bytes, authority)?.0,
        RoleName::Snapshot => count_as::<Snapshot>(role, bytes, authority)?.0,
        RoleName::Targets | RoleName::Delegated(_) => {
            count_as::<Targets>(role, bytes, authority)?.0
        }
    })
}

/// Counts the signatures of a file of a known kind for one set of keys; the file comes with it, as it was read.
pub(crate) fn count_as<R: Role>(
    role: &RoleName,
    bytes: &[u8],
    authority: &Authority<'_>,
) -> Result<(Quorum, Parsed<R>), Error> {
    count_with(tuffet_crypto::aws_lc(), role, bytes, authority)
}

/// The same for whoever has the signatures verified by something else.
pub(crate) fn count_with<R: Role>(
    crypto: &dyn Crypto,
    role: &RoleName,
    bytes: &[u8],
    authority: &Authority<'_>,
) -> Result<(Quorum, Parsed<R>), Error> {
    let mut every = trust::Policy::default();
    every.exhaustive_signatures = true;
    let context = Context {
        crypto,
        policy: &every,
        // Counting does not look at expiries.
        now: UnixTime(0),
    };
    count_signatures::<R>(
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
    })
}

#[cfg(test)]
mod tests {
    use tuffet_core::crypto::{PublicKey, Scheme};
    use tuffet_core::metadata::{KeyId, Version};
    use tuffet_sign::{FileKey, PublicKeyInfo, Signer};

    use super::*;
    use crate::builder;
    use crate::keys::NamedKey;

    /// A key of the same holder is the same for the threshold, but clients verify with the value that is listed.
    #[test]
    fn a_signature_that_was_just_made_counts_for_the_value_that_signed() {
        let signer = FileKey::generate(Scheme::Ed25519).unwrap();
        let PublicKey::Ed25519(mut bytes) = signer.public().public().clone() else {
            panic!("another kind of key")
        };
        bytes[31] ^= 0x80;
        let mirrored = PublicKeyInfo::new(Scheme::Ed25519, PublicKey::Ed25519(bytes)).unwrap();
        assert_eq!(mirrored.identity(), signer.public().identity());
        for (listed, have) in [(signer.public().clone(), 1), (mirrored, 0)] {
            let listed = NamedKey::new("ana", listed).unwrap();
            let keyid = listed.keyid();
            let mut root = builder::Root::new(Version::FIRST, UnixTime(0));
            for role in ["root", "timestamp", "snapshot", "targets"] {
                let role = RoleName::new(role).unwrap();
                root = root.role(&role, std::slice::from_ref(&listed), 1);
            }
            let mut document = root.build();
            document.sign_as(&keyid, &signer).unwrap();
            let bytes = document.to_bytes();
            let parsed = Parsed::<Root>::parse(bytes.clone()).unwrap();
            let root = parsed.unverified();
            let authority = Authority {
                signers: Signers::Root(Version::FIRST),
                table: root.keys(),
                keys: root.role(&RoleName::Root).unwrap(),
            };
            let policy = Policy::new("");
            let known = known_need(&document, &authority, &policy);
            assert_eq!(known.map(|need| need.have), (have == 1).then_some(1));
            let counted = count(&RoleName::Root, &bytes, &authority).unwrap();
            assert_eq!(counted.have(), have);
        }
    }

    #[test]
    fn who_is_waited_for_depends_on_how_many_are_lacking() {
        let name = |name: &str| KeyName {
            keyid: KeyId::new("0123456789").unwrap(),
            name: Some(name.to_owned()),
        };
        for (have, need, missing, expected) in [
            (0, 2, &["ana", "ben"][..], "ana 01234567 and ben 01234567"),
            (1, 2, &["ana", "ben"], "ana 01234567 or ben 01234567"),
            (
                0,
                2,
                &["a", "b", "c"],
                "2 of a 01234567, b 01234567, c 01234567",
            ),
            (1, 2, &["ana"], "ana 01234567"),
            (1, 2, &[], ""),
            (2, 2, &["ana"], ""),
        ] {
            let need = Need {
                signers: Signers::Root(Version::FIRST),
                have,
                need,
                signed: Vec::new(),
                missing: missing.iter().map(|one| name(one)).collect(),
            };
            assert_eq!(need.waits_for(), expected);
        }
    }
}
