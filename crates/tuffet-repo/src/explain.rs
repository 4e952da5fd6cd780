//! The long form of every error code of this crate: what happened, why it matters, what to do.

use tuffet_core::explain::Explanation;

/// The explanation of a code of this crate; codes of refused metadata are those of [`tuffet_core::explain`].
///
/// ```
/// let explanation = tuffet_repo::explain::find("signatures.missing").unwrap();
/// assert!(explanation.fix.contains("sign"));
/// ```
#[must_use]
pub fn find(code: &str) -> Option<&'static Explanation> {
    CODES.iter().find(|explanation| explanation.code == code)
}

macro_rules! explanations {
    ($($code:literal $what:literal $why:literal $fix:literal)+) => {
        &[$(Explanation { code: $code, what: $what, why: $why, fix: $fix }),+]
    };
}

/// Every code of this crate.
pub const CODES: &[Explanation] = explanations! {
    "repo.exists"
    "The directory holds a repository, or metadata of one, already."
    "A second beginning would be a second root with the same version, and clients can only trust one."
    "Choose another directory, or open the repository that is there."
    "repo.not-found"
    "Neither the directory nor one above it holds tuffet.toml."
    "Nothing else marks a repository, so that nothing is read that was not meant."
    "Go to the repository, name its directory, or make one with init."
    "repo.locked"
    "Another operation on the same repository is at work."
    "Two edits at once could use the same version for different content."
    "Wait until the other operation has ended. The lock ends with its process."
    "repo.io"
    "A file cannot be read or written; the message names it and gives the system's reason."
    "What was written before is whole: the repository is as it was, or as it will be when the operation is repeated."
    "Remove the cause, such as a full disk or missing permissions, and repeat the operation."
    "repo.format"
    "A metadata file of the repository is not what it has to be; the message names the file and the field."
    "Nothing is built on a file that clients would refuse."
    "Restore the file from version control or from the published tree. A broken draft can be dropped with the open change."
    "policy.format"
    "tuffet.toml cannot be read; the message names the line."
    "It decides what may be published, so nothing in it is guessed."
    "Correct the line."
    "policy.threshold"
    "A role needs fewer signatures than the policy asks for."
    "The threshold is how many keys an attacker has to steal."
    "Raise the threshold of the role, or change the policy in tuffet.toml if that is what you want."
    "policy.too-few-keys"
    "A role has fewer different keys than it needs signatures."
    "Nobody could sign for it any more, and for root that is for ever."
    "Add keys, or lower the threshold. One key under two names counts once."
    "policy.online-key"
    "A key that automation holds would sign root or targets."
    "Whoever breaks into the automation could then sign whatever clients install."
    "Use keys of people for root and targets. If it has to be, set allow-online = true in tuffet.toml."
    "key.name"
    "The name of a key is made of other characters than letters, digits, dot, dash and underscore, or is too long."
    "Names stand in files, messages and commands."
    "Choose another name."
    "key.unknown"
    "No key has this name, and no role has a key with this id."
    "A key that is guessed may be the wrong one."
    "Check the spelling; names of keys stand in tuffet.toml. Of a keyid at least eight digits are needed."
    "key.ambiguous"
    "Several keyids begin with these digits."
    "A key that is guessed may be the wrong one."
    "Give more digits, or the name."
    "key.duplicate"
    "The role has this key already."
    "Two entries for one key would look like two people and count as one."
    "Use another key."
    "key.not-there"
    "None of the roles has the key that is to be replaced."
    "Nothing would change, and the old key would stay in force elsewhere unnoticed."
    "Look at the keys of the roles, and name the roles that you mean."
    "key.not-needed"
    "Nothing in the open change is to be signed by this key."
    "A signature that nobody asked for does not count; the wrong key may be in use."
    "Look at the open change: it says whose signatures it waits for."
    "signatures.missing"
    "A role has fewer signatures than it needs; the message says which, and whose would count."
    "Clients refuse what a threshold of keys has not signed. A new root needs the word of the old root's keys too."
    "Let the people in the message sign, then publish again. For snapshot and timestamp, give the online key."
    "change.none"
    "There is no open change."
    "There is nothing to sign or to drop."
    "Edit something first: add a target, delegate, rotate a key."
    "change.stale"
    "While the change was open, somebody else has sealed the version that its draft would become."
    "One version with two contents looks like an attack to clients."
    "Drop the change and edit again; the new draft begins with the latest version."
    "change.foreign"
    "The change was made in another repository, or on other versions than this copy of the repository has."
    "Signing it could vouch for something that does not follow what you know."
    "Bring your copy of the repository up to date and receive the change again. If it still does not fit, ask where it comes from."
    "change.differs"
    "A change is open here, and the one that came says something else."
    "Signatures belong to one content; two changes cannot be put together without somebody deciding what they say."
    "Publish or drop the one that is open, then receive the other; or ask its author to make it again on top."
    "version.reused"
    "A version exists already with other bytes."
    "A version never changes once it is written: clients that have seen the one would take the other for an attack."
    "Publish a new version. If two copies of the repository have been edited, bring them together first."
    "role.unknown"
    "There is no role of this name, or nobody delegates to it."
    "What a role signs counts only because another role delegates to it."
    "Check the spelling, or delegate to the role first."
    "role.exists"
    "The role delegates to one of this name already."
    "Names are unique among the roles that one role delegates to."
    "Choose another name."
    "role.name"
    "The name of a role has characters that file names or URLs cannot hold everywhere, or is like another one."
    "Clients and servers would read such names in different ways."
    "Use letters, digits, dot, dash, underscore and tilde."
    "role.unsuited"
    "The operation is not for this role; the message says why."
    "Every role has one task, so that a stolen key cannot do more than that."
    "Choose the role that has this task."
    "role.empty"
    "A role is delegated to and has no metadata."
    "Clients that look for a target of this role would stop with an error."
    "Let the role be signed and publish both together."
    "role.paths"
    "A delegation covers nothing, or is written in a way that clients read differently."
    "Who is asked for a path must not depend on the client."
    "Use patterns of `*`, `?` and plain text, lower-case digits of a SHA-256, or 1 to 16 bits for bins."
    "role.removed"
    "A role would disappear from snapshot."
    "Clients take that for a rollback and refuse, because what the role said would be forgotten."
    "Leave it listed: that costs nothing. To drop it for good, rotate a key of snapshot in the same change, which makes clients forget."
    "target.exists"
    "The role lists this path already, with another content."
    "Whoever has downloaded the one would get the other under the same name."
    "Choose another path, or say that the entry is to be replaced."
    "target.not-listed"
    "The role does not list this target."
    "Another role may list it."
    "Check the spelling and the role."
    "target.name"
    "The path cannot become the name of a file on every platform; the message says why."
    "Clients save targets under their paths, and an unsafe one could leave the directory meant for it."
    "Choose another path."
    "target.outside-delegation"
    "The path is outside what is delegated to the role."
    "Clients never ask this role for the path, so the entry would have no effect."
    "Choose a path that the delegation covers, or let the delegating role delegate more."
    "target.custom"
    "The custom data is no JSON object."
    "The specification asks for an object, and some clients refuse anything else."
    "Wrap the data in an object."
    "target.content-changed"
    "A file is not what it was when it was looked at."
    "What is signed has to be what is published."
    "Add the target again."
    "target.content-missing"
    "The bytes of a target are neither staged in .tuffet/objects nor published."
    "Clients would find a target that they cannot download."
    "Add the target again from its file, or copy the published targets to the destination first."
    "publish.no-destination"
    "Nobody said where to publish."
    "There is no default, so that nothing comes to light by accident."
    "Name a directory or a store such as s3://BUCKET/PREFIX, or set publish-to in tuffet.toml."
    "publish.inside"
    "The destination is the repository, or holds it, or is where its private files are."
    "Drafts, staged files and perhaps a private key would be served to everybody."
    "Publish to a directory of its own, such as public."
    "publish.place"
    "The text names no place to publish to; the message says what is wrong with it."
    "Nothing is written to a place that was guessed."
    "Name a directory, s3://BUCKET/PREFIX, gs://BUCKET/PREFIX or az://CONTAINER/PREFIX. Credentials and accounts come from the environment."
    "publish.unsupported"
    "The place is in an object store, and this build of tuffet speaks to none."
    "The feature object-store was left out when it was compiled."
    "Use a build that has the feature, or publish to a directory and copy it: metadata/timestamp.json last."
    "publish.store-settings"
    "It is not clear how the store is to be reached; the message names the setting."
    "Account, region, endpoint and credentials come from the environment, so that they are in no command line and no file of the repository."
    "Set the variables that docs/publishing.md lists for the store."
    "publish.store"
    "The object store did not do what it was asked; the message names the object and gives the reason of the store."
    "Objects are written whole or not at all, the timestamp last, so clients see the old repository or the new one."
    "Remove the cause, such as missing permissions or a missing bucket, and publish again: what is there already is not sent twice."
    "publish.overtaken"
    "Somebody else has published to the same place since the tree was read."
    "Both cannot be the next version. What the others published is what clients see, and this publication has changed nothing of it."
    "Get the versions of the others into this copy of the repository, such as with git pull, and publish again."
    "publish.refused"
    "The result could not be verified."
    "Nothing is published that a client would not accept."
    "This is an error in tuffet: please report it."
};

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// The codes that errors have, read from where they are given.
    fn given() -> BTreeSet<&'static str> {
        let source = include_str!("error.rs");
        source
            .lines()
            .filter_map(|line| line.split_once("=> \"")?.1.split_once('"'))
            .map(|(code, _)| code)
            .filter(|code| code.contains('.') && !code.contains(' '))
            .collect()
    }

    #[test]
    fn every_code_is_explained_once() {
        let codes: BTreeSet<&str> = CODES.iter().map(|explanation| explanation.code).collect();
        assert_eq!(codes.len(), CODES.len());
        assert_eq!(codes, given());
    }
}
