//! What can go wrong, by name.

mod class;
mod code;
mod words;

use std::io;
use std::path::{Path, PathBuf};

use tuffet_core::crypto::Digest;
use tuffet_core::json::FormatError;
use tuffet_core::metadata::{NameError, RoleName, TargetPath, Version};
use tuffet_core::trust;
use tuffet_sign::SignError;

use crate::keys::KeyName;
use crate::write::Address;

pub use class::Class;
pub use words::MissingSignatures;
use words::{ahead, covered, here, instead, join, last_one, overtaken, shown, signed};

/// Why an operation was not planned or not finished.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is a repository already.
    #[error("{} holds a repository already", .0.display())]
    Exists(PathBuf),
    /// There is no repository, neither here nor in a directory above.
    #[error("{} is not in a repository: there is no tuffet.toml", .0.display())]
    NotFound(PathBuf),
    /// Another operation is at work.
    #[error("another operation on the repository is at work: {} is locked", .0.display())]
    Locked(PathBuf),
    /// A file cannot be read or written.
    #[error("{doing} {}", path.display())]
    Io {
        /// What was tried: `cannot read`.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A metadata file of the repository is malformed.
    #[error("{} is malformed", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// Where and why.
        #[source]
        error: FormatError,
    },
    /// The policy is malformed.
    #[error("{} is malformed: {why}", path.display())]
    PolicyFormat {
        /// The file.
        path: PathBuf,
        /// What is wrong, and on which line.
        why: String,
    },
    /// A threshold below the one of the policy.
    #[error("{role} has threshold {threshold}, but the policy asks for at least {floor}")]
    BelowPolicy {
        /// The role.
        role: RoleName,
        /// Its threshold.
        threshold: u64,
        /// The threshold of the policy.
        floor: u64,
    },
    /// A threshold that the keys of the role cannot reach.
    #[error("{role} has {keys} different keys, but needs signatures of {threshold}")]
    TooFewKeys {
        /// The role.
        role: RoleName,
        /// How many different keys it has.
        keys: u64,
        /// Its threshold.
        threshold: u64,
    },
    /// A key of automation may sign root or targets, and the policy does not say that it may.
    #[error("{key} is an online key, and {role} is not to be signed by one")]
    OnlineKey {
        /// The role.
        role: RoleName,
        /// The key.
        key: KeyName,
    },
    /// The policy asks for keys that a token vouches for, and this is none.
    #[error("{key} may not sign {role}, which takes keys of tokens only: {why}")]
    NotAttested {
        /// The role.
        role: RoleName,
        /// The key.
        key: KeyName,
        /// What is missing.
        why: String,
    },
    /// A name for a key that is not plain.
    #[error("`{}` cannot be the name of a key: letters, digits, dot, dash and underscore can", .0.escape_debug())]
    KeyName(String),
    /// A key that nobody has named and no role has.
    #[error("no key is called `{}`", .0.escape_debug())]
    KeyUnknown(String),
    /// The first digits of more than one keyid.
    #[error("more than one keyid begins with `{}`", .0.escape_debug())]
    KeyAmbiguous(String),
    /// A key that is there already.
    #[error("{key} is a key of {role} already")]
    KeyDuplicate {
        /// The role.
        role: RoleName,
        /// The key.
        key: KeyName,
    },
    /// No role that the operation is about has the key.
    #[error("{0} is a key of none of these roles")]
    KeyNotThere(KeyName),
    /// A key that cannot sign anything of the open change.
    #[error("nothing in the open change is to be signed by {0}")]
    KeyNotNeeded(KeyName),
    /// A key did not sign.
    #[error("{key} did not sign {role}")]
    Signer {
        /// The role.
        role: RoleName,
        /// The key.
        key: KeyName,
        /// What kept it from signing.
        #[source]
        error: Box<SignError>,
    },
    /// Too few people have signed.
    #[error("signatures are missing: {0}")]
    SignaturesMissing(MissingSignatures),
    /// There is no open change.
    #[error("there is no open change")]
    NoChange,
    /// An open change lies where whoever may push can put one.
    #[error("an open change lies in {}, which a push can bring", path.display())]
    ChangeElsewhere {
        /// Where it is.
        path: PathBuf,
        /// Where one of this copy is.
        own: PathBuf,
    },
    /// No edit of the open change can be taken back.
    #[error("no edit of the open change can be taken back")]
    NothingToUndo,
    /// Somebody has signed what an edit or an undo would change.
    #[error("signatures would be lost: {}", signed(.lost))]
    ChangeSigned {
        /// The roles, and the keys that have signed each.
        lost: Vec<(RoleName, Vec<KeyName>)>,
    },
    /// A signature in a change that came is none of the key that it is said to be of.
    #[error("the signature of {key} on {role} in the change does not verify")]
    ChangeSignature {
        /// The role.
        role: RoleName,
        /// The key.
        key: KeyName,
    },
    /// A change that is not one of this copy of the repository.
    #[error("the change is not one of this repository: {why}")]
    ChangeForeign {
        /// What does not fit.
        why: &'static str,
    },
    /// Another change is open than the one that came.
    #[error("another change is open here: the two differ in {role}")]
    ChangeDiffers {
        /// A role that they say different things about.
        role: RoleName,
    },
    /// A draft of a role that this change is not to touch.
    #[error("the change holds a draft of {role}, which was not asked for")]
    ChangeRole {
        /// The role.
        role: RoleName,
    },
    /// A draft says something else than what was shown to those who sign it.
    #[error("the draft of {role} is not what was shown, so it was not signed")]
    ChangeNotShown {
        /// The role.
        role: RoleName,
    },
    /// The version of a draft was used by somebody else in the meantime.
    #[error("the draft of {role} v{version} was overtaken: {}", overtaken(*.sealed))]
    Stale {
        /// The role.
        role: RoleName,
        /// The version of the draft.
        version: Version,
        /// The highest version that is sealed.
        sealed: Option<Version>,
    },
    /// A change that was published with this content: there is nothing to do.
    #[error("this change is already published as {role} v{version}: there is nothing to do")]
    ChangePublished {
        /// A role of it.
        role: RoleName,
        /// The version that it has become.
        version: Version,
    },
    /// A version that exists with other bytes.
    #[error("{at} exists with another content, and a version never changes")]
    VersionReused {
        /// The file or object.
        at: Address,
    },
    /// A publication of the open change has broken off, so its versions are used up.
    #[error(
        "a publication of the open change has broken off: its versions are used up, and clients may have seen them"
    )]
    ChangeSealed,
    /// Somebody else has published another version under a number that a publication of this copy has used, which broke off or was
    /// overtaken: what this copy has under it can never be published.
    #[error(
        "somebody else has published another {role} v{version} than the one that is here and was never published: {at}"
    )]
    Diverged {
        /// The role.
        role: RoleName,
        /// The version.
        version: Version,
        /// The file or object.
        at: Box<Address>,
    },
    /// Where the repository is published, the timestamp does not say how far clients have come.
    #[error("{at} {why}, so that nobody can tell from it how far clients have come")]
    TimestampLost {
        /// The file or object.
        at: Box<Address>,
        /// What is wrong with it.
        why: String,
    },
    /// This copy of the repository has not got what others have published.
    #[error("this copy is behind what is published: {at} is v{published}, {}", here(*.own))]
    Behind {
        /// The file or object.
        at: Box<Address>,
        /// The version that clients see.
        published: Version,
        /// The last version that is here.
        own: Option<Version>,
    },
    /// So many files lie under the names of the next versions that no free number was found.
    #[error(
        "{count} files that nobody of this repository has signed are in the way of the next version, up to {at}"
    )]
    VersionsTaken {
        /// The last of them that was looked at.
        at: Address,
        /// How many these are.
        count: u64,
    },
    /// A version that is too far above the last one.
    #[error("{role} v{offered} skips too many versions: the last one {}", last_one(*.last))]
    VersionFar {
        /// The role.
        role: RoleName,
        /// The version.
        offered: Version,
        /// The last version that is here.
        last: Option<Version>,
    },
    /// Every number that other programs can hold exactly is used up.
    #[error("{role} has no next version: {}", last_one(*.last))]
    VersionsUsedUp {
        /// The role.
        role: RoleName,
        /// The last version that is here.
        last: Option<Version>,
    },
    /// Versions would be given up that clients have seen and go on remembering.
    #[error(
        "{role} v{version} cannot be given up: clients that have seen it would refuse every lower version"
    )]
    VersionRemembered {
        /// The role.
        role: RoleName,
        /// The version.
        version: Version,
    },
    /// Somebody else has published between the making of a plan and its execution.
    #[error("somebody else has published in the meantime: {at} is not what it was{}", ahead(*.root))]
    Overtaken {
        /// The file or object.
        at: Box<Address>,
        /// A root of this publication that was written before, and that clients follow.
        root: Option<Version>,
    },
    /// A role that nobody delegates to.
    #[error("there is no role {0}")]
    RoleUnknown(RoleName),
    /// A role that is delegated to already.
    #[error("{by} delegates to {role} already")]
    RoleExists {
        /// The role.
        role: String,
        /// The role that delegates.
        by: RoleName,
    },
    /// A name for a role that would cause trouble in file names or URLs.
    #[error("`{}` cannot be the name of a role: {why}", name.escape_debug())]
    RoleNameUnsafe {
        /// The name.
        name: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A role that this operation is not for.
    #[error("{role} {why}")]
    RoleUnsuited {
        /// The role.
        role: RoleName,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A role that is signed elsewhere.
    #[error("{role} is signed elsewhere, by {}: it is not edited here", join(.by))]
    RoleExternal {
        /// The role.
        role: RoleName,
        /// The keys that may sign it.
        by: Vec<KeyName>,
    },
    /// A role that is delegated to and has no metadata, so that clients fail when they come to it.
    #[error("{by} delegates to {role}, which has no metadata yet")]
    RoleEmpty {
        /// The role.
        role: RoleName,
        /// The role that delegates.
        by: RoleName,
    },
    /// Paths of a delegation that implementations read in different ways, or not at all.
    #[error("`{}` cannot be delegated: {why}", what.escape_debug())]
    DelegationPaths {
        /// The pattern, prefix or number.
        what: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A name that no channel has.
    #[error("there is no channel {}", .0.escape_debug())]
    ChannelUnknown(String),
    /// A role would leave snapshot without a rotation of its key.
    #[error("snapshot has to list {role} until its key is rotated")]
    RoleRemoved {
        /// The role.
        role: RoleName,
    },
    /// A target that is listed already with another content.
    #[error("{role} lists {path} already")]
    TargetExists {
        /// The target.
        path: TargetPath,
        /// The role that lists it.
        role: RoleName,
    },
    /// A target that the role does not list.
    #[error("{role} does not list {path}")]
    TargetNotListed {
        /// The target.
        path: TargetPath,
        /// The role.
        role: RoleName,
    },
    /// A target that no role lists.
    #[error("no role lists {0}")]
    TargetUnlisted(TargetPath),
    /// A target path that cannot safely become a file.
    #[error("{path} cannot be the path of a target")]
    TargetName {
        /// The path.
        path: TargetPath,
        /// What is wrong with it.
        source: NameError,
    },
    /// A target outside what is delegated to the role (F-47).
    #[error("{role} may not sign {path}: {}", covered(.covers))]
    TargetOutside {
        /// The target.
        path: TargetPath,
        /// The role.
        role: RoleName,
        /// What is delegated to it.
        covers: Vec<String>,
    },
    /// A target whose copy without a hash would look like one with a hash.
    #[error("{0} begins like a name with a hash, so it can have no copy without one")]
    CopyName(TargetPath),
    /// A file that is not for the public.
    #[error("{} cannot become a target: {why}", file.display())]
    TargetPrivate {
        /// The file.
        file: PathBuf,
        /// What it is, or where it lies.
        why: &'static str,
    },
    /// Custom data that is not an object.
    #[error("the custom data of {0} is not a JSON object")]
    TargetCustom(TargetPath),
    /// A file changed between being looked at and being copied.
    #[error("{at} is not what it was when it was added")]
    ContentChanged {
        /// The file or object.
        at: Address,
    },
    /// The staged bytes of a target are not what is about to be signed.
    #[error("{} is not what {role} says of {path}, so nothing was signed", file.display())]
    ContentDiffers {
        /// The target.
        path: TargetPath,
        /// The role that lists it.
        role: RoleName,
        /// The staged file.
        file: PathBuf,
    },
    /// The bytes of a target are neither staged nor published.
    #[error("the content of {path} is neither staged nor published: {} is missing", object.display())]
    ContentMissing {
        /// The target.
        path: TargetPath,
        /// Where it would be staged.
        object: PathBuf,
    },
    /// Nobody said where to publish.
    #[error("there is no place to publish to")]
    NoDestination,
    /// A place that would publish the repository with all that is private in it.
    #[error("{} is the repository itself, which holds what is not for the public", .0.display())]
    DestinationInside(PathBuf),
    /// A text that names no place to publish to.
    #[error("{} is no place to publish to: {why}", shown(.text))]
    DestinationUnknown {
        /// The text.
        text: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A place in an object store, in a build that knows none.
    #[error("{0} cannot be reached: this build has no object stores")]
    StoreUnsupported(String),
    /// It is not clear how an object store is to be reached.
    #[error("{bucket} cannot be reached with these settings")]
    StoreSettings {
        /// The bucket.
        bucket: String,
        /// What is wrong with them.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// An object store did not do what was asked.
    #[error("{doing} {object}")]
    Store {
        /// What was tried: `cannot read`.
        doing: &'static str,
        /// The object.
        object: String,
        /// What the store says.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A client would refuse what was to be published.
    #[error("a client would refuse this ({what})")]
    Refused {
        /// What was tried: `verifying from the first root`.
        what: &'static str,
        /// Why.
        #[source]
        error: Box<trust::Error>,
    },
    /// Keys go and nothing takes their place.
    #[error("{} has no replacement", join(missing))]
    RecoveryKeys {
        /// The keys.
        missing: Vec<KeyName>,
    },
    /// Too few keys of root are left to sign another root.
    #[error("too few keys of root are left to sign another root")]
    RecoveryTooLate,
    /// A copy of a repository that nobody has told which root to trust.
    #[error("{} does not know which root to trust: root v{version}, the first that is there, has SHA-256 {}", directory.display(), sha256.to_hex())]
    AnchorUnknown {
        /// The directory of the copy.
        directory: PathBuf,
        /// The version of the first root that is there.
        version: Version,
        /// The SHA-256 of its file.
        sha256: Digest,
    },
    /// The root that this copy trusts is not in `metadata/`, or the last root does not follow it without a gap.
    #[error("the root v{version} that this copy trusts, SHA-256 {}, is not there: {}", expected.to_hex(), instead(found.as_deref()))]
    AnchorDiffers {
        /// Its version.
        version: Version,
        /// Its SHA-256.
        expected: Box<Digest>,
        /// The SHA-256 of what is in its place.
        found: Option<Box<Digest>>,
    },
    /// The root that this copy remembers is not part of what it would trust from now on.
    #[error(
        "this copy remembers root v{version}, which is not among the roots up to v{last}: keys that it has replaced would count again"
    )]
    AnchorLeft {
        /// The version of the root that is remembered.
        version: Version,
        /// The version of the last root that is there.
        last: Version,
    },
    /// A version in `metadata/` that too few keys have signed.
    #[error("{role} v{version} in metadata/ is not signed by those who may sign it")]
    HeadUnsigned {
        /// The role.
        role: RoleName,
        /// The version.
        version: Version,
    },
    /// A version that a role is to go back to was never sealed here.
    #[error("this repository has no {role} v{version}")]
    RecoveryVersion {
        /// The role.
        role: RoleName,
        /// The version.
        version: Version,
    },
}

impl Error {
    pub(crate) fn io(doing: &'static str, path: &Path, source: io::Error) -> Self {
        Self::Io {
            doing,
            path: path.to_owned(),
            source,
        }
    }

    pub(crate) fn format(path: &Path, error: FormatError) -> Self {
        Self::Format {
            path: path.to_owned(),
            error,
        }
    }
}
