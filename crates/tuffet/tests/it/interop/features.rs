//! The rows of the tables: what repositories can be made of.

use tuffet_core::crypto::{HashAlgorithm, Scheme};

/// Something that one repository shows. Others, and the scripts that write with them, know it by its [name](Feature::name).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Feature {
    /// Every role signs with this scheme.
    Scheme(Scheme),
    /// A root that two of three keys sign, each of another kind.
    Quorum,
    Hashes(&'static [HashAlgorithm]),
    /// Snapshot and timestamp list versions, and neither lengths nor hashes.
    VersionsOnly,
    /// Without consistent snapshots.
    Plain,
    Paths,
    Prefixes,
    Bins,
    Nested,
    Terminating,
    Directories,
    OddTargets,
    /// Target names with `%` and `#` in them.
    UrlTargets,
    OddRoles,
    RotatedRoot,
    RotatedOnline,
    ManyRoots,
    ExpiredRoot,
    /// Files that say version 1.0 of the specification.
    OldVersion,
    /// Made by the commands of tuffet as people type them.
    Commands,
    Expired,
    ReplacedKey,
}

const SHA256: &[HashAlgorithm] = &[HashAlgorithm::Sha256];
const SHA512: &[HashAlgorithm] = &[HashAlgorithm::Sha512];
const BOTH: &[HashAlgorithm] = &[HashAlgorithm::Sha256, HashAlgorithm::Sha512];

const OTHERS: [Feature; 23] = [
    Feature::Quorum,
    Feature::Hashes(SHA256),
    Feature::Hashes(SHA512),
    Feature::Hashes(BOTH),
    Feature::VersionsOnly,
    Feature::Plain,
    Feature::Paths,
    Feature::Prefixes,
    Feature::Bins,
    Feature::Nested,
    Feature::Terminating,
    Feature::Directories,
    Feature::OddTargets,
    Feature::UrlTargets,
    Feature::OddRoles,
    Feature::RotatedRoot,
    Feature::RotatedOnline,
    Feature::ManyRoots,
    Feature::ExpiredRoot,
    Feature::OldVersion,
    Feature::Commands,
    Feature::Expired,
    Feature::ReplacedKey,
];

/// Those that are read by others, all or a handful that stands for them.
pub(crate) fn written_here(all: bool) -> Vec<Feature> {
    let schemes = Scheme::ALL.into_iter().map(Feature::Scheme);
    let chosen = |feature: &Feature| all || feature.stands_for_others();
    schemes.chain(OTHERS).filter(chosen).collect()
}

/// Those that are written by others.
pub(crate) fn written_elsewhere(all: bool) -> Vec<Feature> {
    let here = |feature: &Feature| {
        matches!(
            feature,
            Feature::ExpiredRoot
                | Feature::OldVersion
                | Feature::Commands
                | Feature::Expired
                | Feature::ReplacedKey
        )
    };
    let mut features = written_here(all);
    features.retain(|feature| !here(feature));
    features
}

impl Feature {
    fn stands_for_others(&self) -> bool {
        matches!(
            self,
            Self::Scheme(Scheme::EcdsaP256Sha256 | Scheme::MlDsa65)
                | Self::Plain
                | Self::Bins
                | Self::Nested
                | Self::OddTargets
                | Self::RotatedOnline
                | Self::OldVersion
                | Self::Commands
                | Self::Expired
        )
    }

    /// What scripts call it.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Scheme(scheme) => scheme.name(),
            Self::Quorum => "quorum",
            Self::Hashes(SHA256) => "sha256",
            Self::Hashes(SHA512) => "sha512",
            Self::Hashes(_) => "sha256-sha512",
            Self::VersionsOnly => "versions-only",
            Self::Plain => "plain",
            Self::Paths => "paths",
            Self::Prefixes => "prefixes",
            Self::Bins => "bins",
            Self::Nested => "nested",
            Self::Terminating => "terminating",
            Self::Directories => "directories",
            Self::OddTargets => "odd-targets",
            Self::UrlTargets => "url-targets",
            Self::OddRoles => "odd-roles",
            Self::RotatedRoot => "rotated-root",
            Self::RotatedOnline => "rotated-online",
            Self::ManyRoots => "many-roots",
            Self::ExpiredRoot => "expired-root",
            Self::OldVersion => "old-version",
            Self::Commands => "commands",
            Self::Expired => "expired",
            Self::ReplacedKey => "replaced-key",
        }
    }

    /// What the table calls it.
    pub(crate) fn title(&self) -> String {
        let title = match self {
            Self::Scheme(scheme) => return format!("keys: `{}`", scheme.name()),
            Self::Quorum => "keys: root by 2 of 3, each of another kind",
            Self::Hashes(SHA256) => "hashes of targets: SHA-256",
            Self::Hashes(SHA512) => "hashes of targets: SHA-512 alone",
            Self::Hashes(_) => "hashes of targets: both",
            Self::VersionsOnly => "snapshot and timestamp list versions alone",
            Self::Plain => "without consistent snapshots",
            Self::Paths => "delegation by patterns",
            Self::Prefixes => "delegation by hash prefixes",
            Self::Bins => "delegation to succinct hash bins (TAP 15)",
            Self::Nested => "delegations three deep",
            Self::Terminating => "a terminating delegation ends the search",
            Self::Directories => "targets in directories",
            Self::OddTargets => "target names with blanks, signs and letters beyond ASCII",
            Self::UrlTargets => "target names with `%` and `#`, which mean something in a URL",
            Self::OddRoles => "role names with blanks and letters beyond ASCII",
            Self::RotatedRoot => "roots: every key of root replaced, one by one",
            Self::RotatedOnline => "roots: timestamp, snapshot and targets have new keys",
            Self::ManyRoots => "roots: 20 versions",
            Self::ExpiredRoot => "roots: all but the newest expired",
            Self::OldVersion => "files that say `spec_version` 1.0 and not 1.0.34",
            Self::Commands => {
                "what the commands make: channels, a team, a promotion, a rotated key"
            }
            Self::Expired => "an expired timestamp is refused",
            Self::ReplacedKey => "what a replaced key has signed is refused",
        };
        title.to_owned()
    }
}
