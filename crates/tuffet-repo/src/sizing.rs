//! What a number of bins costs: bytes for each client, signatures for each publication.

use tuffet_core::crypto::Digest;
use tuffet_core::metadata::{TargetPath, UnixTime, Version};

use crate::builder;

/// A repository to be: how much it holds and how often it changes.
///
/// ```
/// let sizing = tuffet_repo::Sizing { targets: 1_000_000, path_length: 40, changes: 100 };
/// let one = sizing.with_bins(0);
/// let many = sizing.with_bins(12);
/// assert!(many.first_visit * 50 < one.first_visit);
/// assert_eq!(one.signatures, 3);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sizing {
    /// How many targets there are.
    pub targets: u64,
    /// How many bytes their paths have on average.
    pub path_length: u64,
    /// How many targets one publication adds or changes.
    pub changes: u64,
}

/// What clients and the publisher have to do with so many bins. Sizes are in bytes, with one Ed25519 signature on each file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Sizes {
    /// The bits of the hash that choose the bin; 0 for one role without bins.
    pub bits: u32,
    /// The number of bins, or 1.
    pub bins: u64,
    /// The length of one role that lists targets.
    pub role: u64,
    /// The length of snapshot.
    pub snapshot: u64,
    /// What a client that has nothing fetches to look up one target, without root.
    pub first_visit: u64,
    /// What a client that comes back after a publication fetches to look up one target: timestamp, snapshot, and the role as often
    /// as the publication touched it, on average.
    pub next_visit: u64,
    /// How many files a publication signs, on average.
    pub signatures: u64,
}

impl Sizing {
    /// What 2^`bits` bins cost, up to 2^24.
    #[must_use]
    pub fn with_bins(&self, bits: u32) -> Sizes {
        let bits = bits.min(24);
        let bins = 1_u64.checked_shl(bits).unwrap_or(1);
        let unit = Unit::measured(self.path_length);
        let share = self.targets.div_ceil(bins);
        let role = unit.role.saturating_add(unit.entry.saturating_mul(share));
        let snapshot = unit
            .snapshot
            .saturating_add(unit.listed.saturating_mul(bins));
        let touched = touched(bins, self.changes);
        // With bins there is the role that delegates to them, which does not change.
        let above = if bits == 0 { 0 } else { unit.role };
        let online = unit.timestamp.saturating_add(snapshot);
        let again = scaled(role, touched / to_float(bins));
        Sizes {
            bits,
            bins,
            role,
            snapshot,
            first_visit: online.saturating_add(above).saturating_add(role),
            next_visit: online.saturating_add(again),
            signatures: scaled(1, touched.ceil()).saturating_add(2),
        }
    }
}

/// How many of the bins are touched on average when so many targets change.
fn touched(bins: u64, changes: u64) -> f64 {
    let bins = to_float(bins);
    bins * (1.0 - (1.0 - 1.0 / bins).powf(to_float(changes)))
}

#[expect(clippy::cast_precision_loss, reason = "an estimate")]
fn to_float(number: u64) -> f64 {
    number as f64
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "an estimate, and never negative"
)]
fn scaled(number: u64, factor: f64) -> u64 {
    (number as f64 * factor).round() as u64
}

/// The lengths of the parts of metadata files, as this crate writes them.
struct Unit {
    /// A targets role without targets.
    role: u64,
    /// One target.
    entry: u64,
    /// A snapshot without roles.
    snapshot: u64,
    /// One role in a snapshot.
    listed: u64,
    timestamp: u64,
}

/// What one signature adds to a file: keyid and Ed25519 signature in hexadecimal, and what stands around them.
const SIGNATURE: u64 = 216;

impl Unit {
    fn measured(path_length: u64) -> Self {
        let expires = UnixTime(1_800_000_000);
        let version = Version::FIRST;
        let length = |document: crate::Document| document.to_bytes().len() as u64;
        let path = usize::try_from(path_length.clamp(1, 4096)).unwrap_or(1);
        let targets = |count: usize| {
            let mut targets = builder::Targets::new(version, expires);
            for number in 0..count {
                let name = format!("{}{number}", "p".repeat(path.saturating_sub(1)));
                if let Ok(path) = TargetPath::new(&name) {
                    let digest = Digest::sha256([0; 32]);
                    targets = targets.target(&path, 12_345_678, &[digest], None);
                }
            }
            length(targets.build())
        };
        let snapshot = |count: usize| {
            let mut snapshot = builder::Snapshot::new(version, expires);
            for number in 0..count {
                let name = format!("bins-{number:04}");
                if let Ok(role) = tuffet_core::metadata::RoleName::new(&name) {
                    snapshot = snapshot.list(&role, version, Some(&[0; 1000]));
                }
            }
            length(snapshot.build())
        };
        let timestamp = builder::Timestamp::new(version, expires, version, Some(&[0; 1000]));
        let signed = |length: u64| length.saturating_add(SIGNATURE);
        Self {
            role: signed(targets(0)),
            entry: targets(2).saturating_sub(targets(1)),
            snapshot: signed(snapshot(0)),
            listed: snapshot(2).saturating_sub(snapshot(1)),
            timestamp: signed(length(timestamp.build())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_touched_bins_are_never_more_than_the_changes_or_the_bins() {
        for bits in [0, 4, 10, 16] {
            for changes in [1, 100, 100_000] {
                let sizing = Sizing {
                    targets: 1_000_000,
                    path_length: 40,
                    changes,
                };
                let sizes = sizing.with_bins(bits);
                assert!(sizes.signatures <= changes.min(sizes.bins) + 2, "{sizes:?}");
                assert!(sizes.signatures >= 3, "{sizes:?}");
            }
        }
    }

    #[test]
    fn a_role_is_as_long_as_it_was_said_to_be() {
        let unit = Unit::measured(40);
        // {"hashes":{"sha256":"…"},"length":12345678} and its name.
        assert!((150..200).contains(&unit.entry), "{}", unit.entry);
        assert!((120..180).contains(&unit.listed), "{}", unit.listed);
    }
}
