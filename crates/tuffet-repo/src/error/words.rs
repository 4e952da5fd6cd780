//! The words of errors that are more than one sentence with gaps.

use std::fmt;

use tuffet_core::crypto::Digest;
use tuffet_core::metadata::{RoleName, Version};

use crate::keys::KeyName;
use crate::quorum::Need;

/// Which roles wait for whose signatures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingSignatures(pub Vec<(RoleName, Version, Vec<Need>)>);

impl fmt::Display for MissingSignatures {
    /// `root v2 has 1 of 2 by root version 1 (ana a1f0c3d2 or ben 5be2190f)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unmet = |needs: &'_ [Need]| -> Vec<Need> {
            needs
                .iter()
                .filter(|need| !need.is_met())
                .cloned()
                .collect()
        };
        for (place, (role, version, needs)) in self.0.iter().enumerate() {
            if place > 0 {
                f.write_str("; ")?;
            }
            write!(f, "{role} v{version} has ")?;
            for (place, need) in unmet(needs).iter().enumerate() {
                if place > 0 {
                    f.write_str(", and ")?;
                }
                write!(f, "{need}")?;
                let names = need.waits_for();
                if !names.is_empty() {
                    write!(f, " (waiting for {names})")?;
                }
            }
        }
        Ok(())
    }
}

pub(super) fn join(keys: &[KeyName]) -> String {
    let names: Vec<String> = keys.iter().map(ToString::to_string).collect();
    names.join(", ")
}

/// Which roles are signed by whom.
pub(super) fn signed(lost: &[(RoleName, Vec<KeyName>)]) -> String {
    let all = lost.iter();
    let all = all.map(|(role, keys)| format!("{role} is signed by {}", join(keys)));
    all.collect::<Vec<String>>().join("; ")
}

/// A text without what could be a password in it.
pub(super) fn shown(text: &str) -> String {
    let scheme = text
        .split_once("://")
        .map_or(0, |(scheme, _)| scheme.len().saturating_add(3));
    let (scheme, rest) = text.split_at_checked(scheme).unwrap_or(("", text));
    let rest = rest.rsplit_once('@').map_or(rest, |(_, rest)| rest);
    format!("`{}{}`", scheme, rest.escape_debug())
}

pub(super) fn overtaken(sealed: Option<Version>) -> String {
    match sealed {
        Some(sealed) => format!("v{sealed} is the latest"),
        None => "its role has no versions".to_owned(),
    }
}

pub(super) fn ahead(root: Option<Version>) -> String {
    match root {
        Some(root) => format!(
            "; clients follow root v{root} of this publication already, and as long as nobody publishes again they refuse whatever its keys have not signed"
        ),
        None => String::new(),
    }
}

pub(super) fn last_one(last: Option<Version>) -> String {
    match last {
        Some(last) => format!("here is v{last}"),
        None => "is none, so it may be at most v1000000".to_owned(),
    }
}

pub(super) fn here(own: Option<Version>) -> String {
    match own {
        Some(own) => format!("and the last one here is v{own}"),
        None => "and there is none here".to_owned(),
    }
}

pub(super) fn covered(covers: &[String]) -> String {
    if covers.is_empty() {
        "nothing on the way from targets covers it".to_owned()
    } else {
        format!("its delegation covers {}", covers.join(", "))
    }
}

pub(super) fn instead(found: Option<&Digest>) -> String {
    match found {
        Some(found) => format!("metadata/ has {} in its place", found.to_hex()),
        None => "no root in metadata/ leads from it to the last one".to_owned(),
    }
}
