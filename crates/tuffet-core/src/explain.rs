//! The long form of every error code of this crate: what happened, why it matters, what to do.

use alloc::string::String;

/// The long form of an error code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Explanation {
    /// The code, such as `rollback.timestamp`.
    pub code: &'static str,
    /// What happened.
    pub what: &'static str,
    /// Why it matters.
    pub why: &'static str,
    /// What to do.
    pub fix: &'static str,
}

/// The explanation of a code of this crate.
///
/// ```
/// let explanation = tuffet_core::explain::find("rollback.timestamp").unwrap();
/// assert!(explanation.why.contains("replayed"));
/// ```
#[must_use]
pub fn find(code: &str) -> Option<&'static Explanation> {
    CODES.iter().find(|explanation| explanation.code == code)
}

/// The codes that are similar to one that does not exist, for a hint.
pub fn similar(code: &str) -> impl Iterator<Item = &'static str> {
    let family = String::from(code.split('.').next().unwrap_or(code));
    CODES
        .iter()
        .map(|explanation| explanation.code)
        .filter(move |known| known.starts_with(family.as_str()))
}

/// One explanation for each role of a family.
macro_rules! explanations {
    ($($family:literal [$($suffix:literal),+] $what:literal $why:literal $fix:literal)+) => {
        &[$($(Explanation { code: concat!($family, ".", $suffix), what: $what, why: $why, fix: $fix }),+),+]
    };
}

/// Every code of this crate.
pub const CODES: &[Explanation] = explanations! {
    "format" ["root", "timestamp", "snapshot", "targets", "delegated"]
    "The file is not what the specification says such a file is; the message names the byte and the field."
    "A file that can be read in two ways can be verified in one way and used in the other."
    "If the repository is yours, write the file with a tool that follows the specification; else report it to its operator. A proxy that answers with a web page has the same effect: look at what the URL returns."
    "threshold" ["root", "timestamp", "snapshot", "targets", "delegated"]
    "Too few of the keys that may sign for this role have signed the file. The message lists every key that did not count, and why."
    "Whoever made this file does not hold enough of the keys: it may be forged, or a stolen key may be at work."
    "Do not use the repository until its operator has an explanation. Operators: collect the missing signatures and publish again; after a rotation of root, both the old and the new keys have to sign it."
    "version" ["root", "timestamp", "snapshot", "targets", "delegated"]
    "The file has another version than the one that is listed for it or that its name says."
    "Files of different moments have been mixed, which can combine old and new in a way that never existed."
    "Usually a half-finished upload or a cache: try again later. Operators: upload every file before timestamp.json."
    "rollback" ["root"]
    "This machine has trusted a newer root than the repository leads to now."
    "Keys that the newer root removed would count again. A mirror withholds the newer root and this machine has lost its own copy of the way there, or the repository was begun anew."
    "Try again later or another mirror: every version from the trust anchor on has to be served for ever. If the repository was begun anew, remove this trust and add it again from a root that you have checked."
    "rollback" ["timestamp", "snapshot", "targets", "delegated"]
    "The repository offers an older version than this machine has seen before."
    "An old but genuine file is being replayed: by an attacker who wants old, vulnerable software installed, or by a cache that kept the file for too long, or after a restore from backup."
    "Operators: serve timestamp.json with Cache-Control: no-cache; after a restore, publish new versions above the ones clients have seen, or rotate the timestamp and snapshot keys, which makes clients forget."
    "rollback" ["removed"]
    "Snapshot no longer lists a role that it listed before."
    "Hiding a role is a way to roll it back: what it said is forgotten and a lower version can come later."
    "Operators: keep every role in snapshot; to drop one for good, rotate the snapshot key."
    "expired" ["root", "timestamp", "snapshot", "targets", "delegated"]
    "The file is past its date."
    "Somebody may be withholding newer files so that this machine does not learn of updates; or nobody has signed in time."
    "Check that this machine's clock is right, then try again later or another mirror. Operators: sign the role again and publish."
    "length" ["root", "timestamp", "snapshot", "targets", "delegated"]
    "The file does not have the length that was signed for it, or it is longer than this client is ready to receive."
    "An endless file fills disks and memory; a file of another length is not the one that was signed."
    "If the message speaks of a limit and the repository is honest, raise that: tuffet get and tuffet verify take --limit NAME=BYTES, with root, timestamp, snapshot or targets, or signed-length for a length that is signed. Else treat the source as broken or hostile."
    "hash" ["snapshot", "targets", "delegated", "root", "timestamp"]
    "The bytes of the file are not those whose digest was signed."
    "The file was changed on the way, or belongs to another moment of the repository."
    "Try another mirror. Operators: never write other bytes under a version that was published before."
    "missing" ["root", "timestamp", "snapshot", "targets", "delegated"]
    "The repository does not have a file that it must have."
    "A role that is withheld could hide what it says; the client does not guess."
    "Check the URL. Operators: upload the file under the name in the message."
    "missing" ["entry"]
    "A role is delegated to, but snapshot does not list it."
    "Without an entry in snapshot nothing says which version of the role is current."
    "Operators: publish a snapshot that lists the role, or remove the delegation."
    "missing" ["target"]
    "The repository lists a target and does not have it under any of the names it may have."
    "Nothing was downloaded. What is trusted has not changed."
    "Check the URL of the targets. Operators: upload the target before the metadata that lists it, with consistent snapshots under HASH.NAME."
    "backstop" ["root", "snapshot"]
    "The version is below the one that the application knows to have existed."
    "On a machine without a history this is what a rollback looks like."
    "Treat the source as stale or hostile; try another mirror."
    "backstop" ["timestamp", "targets", "delegated"]
    "The version is below the one that the application knows to have existed."
    "On a machine without a history this is what a rollback looks like."
    "Treat the source as stale or hostile; try another mirror."
    "target" ["not-found"]
    "No role lists a target of this name."
    "Only names that the repository vouches for can be downloaded."
    "Check the spelling, upper and lower case and directories included; a role can only list names that its delegation covers."
    "target" ["search-limit"]
    "The search ended at the limit on the number of roles."
    "A chain of delegations without an end would keep the client busy for ever."
    "If the repository is honest, raise the limit on roles: tuffet get takes --limit roles=N."
    "audit" ["limit"]
    "The repository delegates to more roles than an audit visits, or deeper than any search goes."
    "The work has to be bounded by the size of what was published, or a small hostile repository could keep an auditor busy for ever. What was not visited was not verified."
    "Search for the targets that matter with tuffet get --explain; operators: delegate less deeply, and to each role from one place."
    "length" ["target"]
    "The target does not have the length that its role vouches for."
    "It is not the file that was signed, or the answer would never have ended."
    "Nothing was saved. Try another mirror; operators: upload the target again."
    "hash" ["target"]
    "The bytes of the target are not those that its role vouches for."
    "The file was changed after it was signed: it must not be used."
    "Nothing was saved. Try another mirror; operators: compare the upload with what was signed."
    "map" ["disagreement"]
    "Too few repositories agree on the target."
    "The map file demands agreement so that no single repository can decide alone."
    "Find out which repository differs, and why, before you use the target."
    "map" ["format"]
    "The map file is not what TAP 4 says it is; the message names the byte and the field."
    "It decides which repositories are believed, so nothing in it is guessed."
    "Correct the map file."
    "clock" ["back"]
    "The clock of this machine is behind the last successful refresh."
    "With a wrong clock, files that have expired look valid."
    "Set the clock. If the last refresh was made with a clock ahead of time, remove the record file of the store."
    "cache" ["corrupt"]
    "A stored file cannot be trusted, and the policy is strict about it."
    "Without the stored file there is no floor below which versions may not go."
    "Find out who changed the store; then remove the file and refresh."
    "offline" ["missing"]
    "A file that is needed is not stored, and the mode is offline."
    "Offline, only what was verified before can be used."
    "Refresh once with a connection, or bring a bundle."
    "strict" ["expires-form"]
    "expires has a fraction of a second or a numeric offset; the specification asks for YYYY-MM-DDTHH:MM:SSZ (TUF 4.2.3)."
    "A strict policy forgives no deviation."
    "Operators: write the date in the plain form. Users: do without strict for this repository."
    "strict" ["hex-point"]
    "An ECDSA key is written as a hexadecimal point; the specification asks for PEM (TUF 4.2.2)."
    "A strict policy forgives no deviation."
    "Operators: write the key as PEM in the next root. Users: do without strict for this repository."
    "strict" ["keytype-alias"]
    "A keytype names the curve, as in ecdsa-sha2-nistp256; the specification's name is ecdsa (TUF 4.2.2)."
    "A strict policy forgives no deviation."
    "Operators: write keytype ecdsa in the next root. Users: do without strict for this repository."
    "strict" ["key-form"]
    "An RSA key is written as RSA PUBLIC KEY, or an ed25519 key as PEM (TUF 4.2.2)."
    "A strict policy forgives no deviation."
    "Operators: write the key in the specification's form in the next root. Users: do without strict for this repository."
    "strict" ["keyid-mismatch"]
    "A keyid is not the SHA-256 of its key (TUF 4.3)."
    "A strict policy forgives no deviation."
    "Operators: use the hash of the key as its id in the next root. Users: do without strict for this repository."
    "strict" ["keyid-undefined"]
    "A role names a keyid that its file does not define."
    "A strict policy forgives no deviation."
    "Operators: define the key or remove its id from the role. Users: do without strict for this repository."
    "strict" ["signature-form"]
    "A signature is empty or not hexadecimal."
    "A strict policy forgives no deviation."
    "Operators: publish without the placeholder. Users: do without strict for this repository."
    "strict" ["spec-version-form"]
    "spec_version has two numbers instead of three (TUF 4.3)."
    "A strict policy forgives no deviation."
    "Operators: write the full version, such as 1.0.34. Users: do without strict for this repository."
    "strict" ["extra-role"]
    "Root lists a role that the specification does not know."
    "A strict policy forgives no deviation."
    "Operators: remove the role. Users: do without strict for this repository."
    "strict" ["custom-form"]
    "custom is not an object (TUF 4.5)."
    "A strict policy forgives no deviation."
    "Operators: wrap the value in an object. Users: do without strict for this repository."
    "strict" ["snapshot-extra"]
    "Snapshot lists a file that is not a targets role (TUF 4.4)."
    "A strict policy forgives no deviation."
    "Operators: list only targets roles. Users: do without strict for this repository."
    "strict" ["hash-unknown"]
    "A hash by an unknown algorithm stands beside one by a known one."
    "A strict policy forgives no deviation."
    "Operators: list sha256 or sha512 only. Users: do without strict for this repository."
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metadata::Tolerance;
    use alloc::collections::BTreeSet;

    #[test]
    fn every_code_is_explained_once() {
        let codes: BTreeSet<&str> = CODES.iter().map(|explanation| explanation.code).collect();
        assert_eq!(codes.len(), CODES.len());
        for tolerance in Tolerance::ALL {
            assert!(find(tolerance.code()).is_some(), "{}", tolerance.code());
        }
    }

    #[test]
    fn an_unknown_code_has_similar_ones() {
        assert!(find("rollback.nothing").is_none());
        assert_eq!(similar("rollback.nothing").count(), 6);
    }
}
