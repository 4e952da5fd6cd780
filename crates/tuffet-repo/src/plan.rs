//! What an operation would do, before it does it.

mod steps;

use std::fmt;
use std::path::PathBuf;

use tuffet_core::crypto::Digest;
use tuffet_core::metadata::{RoleName, TargetPath, UnixTime, Version};

use crate::keys::KeyName;
use crate::policy::RolePolicy;
use crate::quorum::Need;

pub use steps::Plan;

/// One thing that an operation does.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Action {
    /// A repository is made.
    Created {
        /// Its name.
        name: String,
    },
    /// This copy of the repository trusts what follows this root, and nothing else.
    Adopted {
        /// Its version.
        version: Version,
        /// The SHA-256 of its file.
        sha256: Digest,
        /// The keys of root that it names.
        keys: Vec<KeyName>,
        /// How many of them have to sign the next root.
        threshold: u64,
    },
    /// The policy learns what a key is called.
    Named {
        /// The key.
        key: KeyName,
    },
    /// The next version of a role is opened for change.
    Drafted {
        /// The role.
        role: RoleName,
        /// The version that it will have.
        version: Version,
        /// The version before; `None` for the first.
        from: Option<Version>,
    },
    /// A target is listed.
    TargetAdded {
        /// The target.
        path: TargetPath,
        /// The role that lists it.
        role: RoleName,
        /// Its length in bytes.
        length: u64,
        /// Its digests.
        hashes: Vec<Digest>,
    },
    /// Other clients cannot fetch targets of such names.
    NamesOfUrls {
        /// The first of them.
        path: TargetPath,
        /// How many these are.
        count: u64,
    },
    /// The content of a target that is listed already is kept to be published.
    Staged {
        /// The target.
        path: TargetPath,
        /// The role that lists it.
        role: RoleName,
        /// Its length in bytes.
        length: u64,
    },
    /// A target of one channel is listed in another one, too.
    Promoted {
        /// The target in the one channel.
        from: TargetPath,
        /// The target in the other.
        to: TargetPath,
        /// The role of the other.
        role: RoleName,
        /// Its length in bytes.
        length: u64,
    },
    /// A target is no longer listed.
    TargetRemoved {
        /// The target.
        path: TargetPath,
        /// The role that listed it.
        role: RoleName,
    },
    /// A role is delegated to. For hash bins this is said once for all of them.
    Delegated {
        /// The role, or what the names of its bins begin with.
        role: String,
        /// The role that delegates.
        by: RoleName,
        /// How many roles these are: 1, or the number of bins.
        count: u64,
    },
    /// A role needs another number of signatures.
    Threshold {
        /// The role, or what the names of its bins begin with.
        role: String,
        /// How many it needed.
        from: u64,
        /// How many it needs.
        to: u64,
    },
    /// The policy asks something else of a role.
    Asked {
        /// The role, or what the names of its bins begin with.
        role: String,
        /// What is asked.
        policy: RolePolicy,
    },
    /// A role is no longer delegated to. For hash bins this is said once for all of them.
    Undelegated {
        /// The role, or what the names of its bins begin with.
        role: String,
        /// The role that delegated.
        by: RoleName,
        /// Whether snapshot goes on listing what was published of it.
        listed: bool,
    },
    /// A file that was signed elsewhere is taken over as it is.
    Accepted {
        /// The role.
        role: RoleName,
        /// The version.
        version: Version,
        /// The version before; `None` for the first that is here.
        from: Option<Version>,
    },
    /// A key takes the place of another.
    KeyReplaced {
        /// The role that it may sign.
        role: RoleName,
        /// The key that goes.
        old: KeyName,
        /// The key that comes.
        new: KeyName,
    },
    /// A key is taken out of a role.
    KeyRemoved {
        /// The role that it may no longer sign.
        role: RoleName,
        /// The key.
        key: KeyName,
    },
    /// A signature is attached.
    Signed {
        /// The role.
        role: RoleName,
        /// The version.
        version: Version,
        /// The key.
        key: KeyName,
        /// How many signatures there are now, and are needed.
        needs: Vec<Need>,
    },
    /// Signatures on a draft that was edited count no longer, and are taken off it.
    Discarded {
        /// The role.
        role: RoleName,
        /// The version.
        version: Version,
        /// The keys that had signed it.
        keys: Vec<KeyName>,
    },
    /// Nothing was hashed of new targets that people sign for, because their bytes are not here.
    NotAtHand {
        /// The role.
        role: RoleName,
        /// The first of them.
        path: TargetPath,
        /// How many of the role these are.
        count: u64,
    },
    /// The open change is written to a file for somebody else.
    Sent {
        /// The file.
        to: PathBuf,
        /// Its length in bytes.
        length: u64,
    },
    /// A role goes back to the targets that a version before listed.
    TargetsRestored {
        /// The role.
        role: RoleName,
        /// The version before.
        version: Version,
    },
    /// A version that a thief has made counts no longer: nothing follows it.
    GivenUp {
        /// The role.
        role: RoleName,
        /// The version.
        version: Version,
    },
    /// A role goes back to a version that those who may sign it today have not signed: before a rotation others might have, and somebody
    /// may have put it there.
    RestoredUnsigned {
        /// The role.
        role: RoleName,
        /// The version.
        version: Version,
    },
    /// A role that goes back to former targets goes on delegating otherwise than then.
    DelegationsStay {
        /// The role.
        role: RoleName,
        /// The version before.
        version: Version,
    },
    /// A number is not used, because the published tree holds something else under it that those who may sign have not signed.
    Skipped {
        /// The role.
        role: RoleName,
        /// The version.
        version: Version,
    },
    /// A file in the published tree that is not of this repository gives way to one that is.
    Overwritten {
        /// The role.
        role: RoleName,
        /// The version.
        version: Version,
        /// Whether clients can have accepted the other one, which then refuse everything that follows this one.
        accepted: bool,
    },
    /// A version that another tool or another copy has published is taken over.
    Imported {
        /// The role.
        role: RoleName,
        /// The version.
        version: Version,
    },
    /// A file that another tool has left, and that no client would verify today, is not taken over.
    LeftOut {
        /// The role.
        role: RoleName,
        /// The version.
        version: Version,
    },
    /// A draft is forgotten.
    Dropped {
        /// The role.
        role: RoleName,
        /// The version that it would have had.
        version: Version,
    },
    /// The open change cannot be read; its file is kept under another name.
    PutAside {
        /// Where it is now.
        to: PathBuf,
    },
    /// A draft is again what it was before the last edit.
    Restored {
        /// The role.
        role: RoleName,
        /// The version that it will have.
        version: Version,
    },
    /// A draft becomes a version that never changes again.
    Applied {
        /// The role.
        role: RoleName,
        /// The version.
        version: Version,
    },
    /// The bytes of a target are brought to the published tree.
    Copied {
        /// The target.
        path: TargetPath,
        /// Its length in bytes.
        length: u64,
    },
    /// A new version of a role becomes visible to clients.
    Published {
        /// The role.
        role: RoleName,
        /// The version.
        version: Version,
        /// When it expires.
        expires: UnixTime,
    },
    /// The published tree could not be verified as it was, so nothing was compared with it.
    DestinationUnverified {
        /// The error code.
        code: &'static str,
        /// Why, in words.
        why: String,
    },
    /// The published tree could not be read, so it was not looked for what a thief has left there.
    DestinationUnread {
        /// The error code.
        code: &'static str,
        /// Why, in words.
        why: String,
    },
    /// A role expires before the next publication is due, and clients refuse everything from then on.
    ExpiresEarly {
        /// The role.
        role: RoleName,
        /// When it expires.
        expires: UnixTime,
        /// When the next publication is due.
        due: UnixTime,
    },
    /// Of the hash bins only some were asked whether they expire before the next publication is due.
    BinsAsked {
        /// How many.
        asked: u64,
        /// How many bins there are.
        count: u64,
    },
    /// Versions and targets that nobody needs any more are removed from the published tree.
    Pruned {
        /// How many files or objects.
        count: u64,
        /// Their length in bytes.
        length: u64,
    },
    /// Files in the published tree that nothing in the repository lists, whatever their names look like, stay there.
    Spared {
        /// How many.
        count: u64,
        /// The first of them.
        first: String,
    },
    /// Copies under names without versions and hashes are brought up to date.
    Mirrored {
        /// How many files or objects.
        count: u64,
    },
    /// What is open stays open, and nothing of it is published.
    ChangeLeft,
    /// The open change cannot be read. It stays as it is, and nothing of it is published.
    ChangeUnread {
        /// The error code.
        code: &'static str,
        /// Why, in words.
        why: String,
    },
    /// A target that clients do not find in this role: another role answers for the path, or the search ends before.
    Shadowed {
        /// The target.
        path: TargetPath,
        /// The role that lists it.
        role: RoleName,
        /// The role that answers.
        by: Option<RoleName>,
    },
    /// Between two writes, clients that come just then find keys rotated and refuse; they succeed when they try again.
    Gap,
}

impl Action {
    /// The past tense that goes before the sentence: `Signed`, `Published`.
    #[must_use]
    pub fn verb(&self) -> &'static str {
        match self {
            Self::Created { .. } => "Created",
            Self::Adopted { .. } => "Trusts",
            Self::Named { .. } => "Named",
            Self::Drafted { .. } => "Drafted",
            Self::TargetAdded { .. } => "Added",
            Self::Staged { .. } => "Staged",
            Self::Promoted { .. } => "Promoted",
            Self::TargetRemoved { .. } => "Removed",
            Self::Delegated { .. } => "Delegated",
            Self::Threshold { .. } | Self::Asked { .. } => "Set",
            Self::Undelegated { .. } => "Removed",
            Self::Accepted { .. } => "Accepted",
            Self::KeyReplaced { .. } => "Replaced",
            Self::KeyRemoved { .. } => "Removed",
            Self::Signed { .. } => "Signed",
            Self::Discarded { .. } => "Discarded",
            Self::Sent { .. } => "Sent",
            Self::TargetsRestored { .. } | Self::Restored { .. } => "Restored",
            Self::Imported { .. } => "Imported",
            Self::GivenUp { .. } => "Gave",
            Self::Skipped { .. } => "Skipped",
            Self::Overwritten { .. } => "Replaced",
            Self::LeftOut { .. }
            | Self::Spared { .. }
            | Self::ChangeLeft
            | Self::ChangeUnread { .. } => "Left",
            Self::Dropped { .. } | Self::PutAside { .. } => "Dropped",
            Self::Applied { .. } => "Applied",
            Self::Copied { .. } => "Copied",
            Self::Published { .. } => "Published",
            Self::DestinationUnverified { .. }
            | Self::DestinationUnread { .. }
            | Self::NotAtHand { .. } => "Noticed",
            Self::Pruned { .. } => "Pruned",
            Self::Mirrored { .. } => "Copied",
            Self::BinsAsked { .. } => "Looked",
            Self::ExpiresEarly { .. }
            | Self::NamesOfUrls { .. }
            | Self::Shadowed { .. }
            | Self::DelegationsStay { .. }
            | Self::RestoredUnsigned { .. }
            | Self::Gap => "Noticed",
        }
    }
}

impl fmt::Display for Action {
    /// What follows the [verb](Action::verb).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Created { name } => write!(f, "repository {name}"),
            Self::Adopted {
                version,
                sha256,
                keys,
                threshold,
            } => {
                let keys: Vec<String> = keys.iter().map(ToString::to_string).collect();
                let (sha256, keys) = (sha256.to_hex(), keys.join(", "));
                write!(f, "root v{version}, SHA-256 {sha256}, signed by {threshold} of {keys}")
            }
            Self::Named { key } => write!(f, "key {key}"),
            Self::Drafted {
                role,
                version,
                from: Some(from),
            } => write!(f, "{role} v{from} → v{version}"),
            Self::Drafted { role, version, .. } => write!(f, "{role} v{version}"),
            Self::TargetAdded {
                path, role, length, ..
            } => write!(f, "{path} ({length} bytes) to {role}"),
            Self::Staged { path, role, length } => {
                write!(f, "{path} ({length} bytes), which {role} lists already")
            }
            Self::Promoted {
                from, to, length, ..
            } => write!(f, "{from} to {to} ({length} bytes)"),
            Self::TargetRemoved { path, role } => write!(f, "{path} from {role}"),
            Self::Delegated { role, by, count: 1 } => write!(f, "from {by} to {role}"),
            Self::Delegated { role, by, count } => write!(f, "from {by} to {count} bins of {role}"),
            Self::Threshold { role, from, to } => {
                write!(f, "the threshold of {role} from {from} to {to}")
            }
            Self::Asked { role, policy } => write!(
                f,
                "{role} in tuffet.toml to at least {} signatures, valid for {}",
                policy.threshold, policy.period
            ),
            Self::Undelegated { role, by, listed } => {
                write!(f, "the delegation of {by} to {role}")?;
                if *listed {
                    f.write_str("; snapshot goes on listing its last version until a key of snapshot or timestamp is rotated, and clients no longer ask for it")?;
                }
                Ok(())
            }
            Self::Accepted {
                role,
                version,
                from: Some(from),
            } => write!(f, "{role} v{from} → v{version} as it was signed elsewhere"),
            Self::Accepted { role, version, .. } => {
                write!(f, "{role} v{version} as it was signed elsewhere")
            }
            Self::KeyReplaced { role, old, new } => write!(f, "{old} by {new} for {role}"),
            Self::KeyRemoved { role, key } => write!(f, "{key} from {role}"),
            Self::Signed {
                role,
                version,
                key,
                needs,
            } => {
                write!(f, "{role} v{version} by {key}")?;
                needs.iter().try_for_each(|need| write!(f, ", {need}"))
            }
            Self::Discarded { role, version, keys } => {
                let keys: Vec<String> = keys.iter().map(ToString::to_string).collect();
                write!(f, "what was signed of {role} v{version} by {}", keys.join(", "))
            }
            Self::NotAtHand { role, path, count } => {
                and_more(f, path, *count)?;
                write!(f, " of {role} are not here, so nobody has hashed again what is signed")
            }
            Self::NamesOfUrls { path, count } => {
                and_more(f, path, *count)?;
                f.write_str(": `%` and `#` mean something in a URL, and no other client is known to fetch targets of such names")
            }
            Self::BinsAsked { asked, count } => write!(
                f,
                "at {asked} of {count} bins for those that expire early; tuffet status looks at all"
            ),
            Self::Sent { to, length } => {
                write!(f, "the open change ({length} bytes) to {}", to.display())
            }
            Self::TargetsRestored { role, version } => write!(f, "{role} to what v{version} listed"),
            Self::GivenUp { role, version } => write!(f, "up {role} v{version}"),
            Self::RestoredUnsigned { role, version } => write!(
                f,
                "{role} v{version} is not signed by those who may sign it today: compare every target of it"
            ),
            Self::DelegationsStay { role, version } => write!(
                f,
                "{role} delegates otherwise than its v{version} did, and goes on doing so: look at every delegation of it"
            ),
            Self::Skipped { role, version } => write!(
                f,
                "{role} v{version}: where it is published lies something else under that name"
            ),
            Self::Overwritten {
                role,
                version,
                accepted,
            } => {
                write!(f, "what was published as {role} v{version}")?;
                if *accepted {
                    f.write_str(": clients that have accepted it need a new first root by another way")?;
                }
                Ok(())
            }
            Self::LeftOut { role, version } => write!(f, "{role} v{version}, which is not current"),
            Self::Imported { role, version } => write!(f, "{role} v{version}"),
            Self::PutAside { to } => write!(
                f,
                "the open change, which cannot be read; its file is now {}",
                to.display()
            ),
            Self::Dropped { role, version } => write!(f, "the draft of {role} v{version}"),
            Self::Restored { role, version } => {
                write!(f, "the draft of {role} v{version} as it was before")
            }
            Self::Applied { role, version } => write!(f, "{role} v{version}"),
            Self::Copied { path, length } => write!(f, "{path} ({length} bytes)"),
            Self::Published {
                role,
                version,
                expires,
            } => write!(f, "{role} v{version}, expires {expires}"),
            Self::DestinationUnverified { why, .. } => {
                write!(f, "what is published now does not verify: {why}")
            }
            Self::DestinationUnread { why, .. } => write!(
                f,
                "what is published could not be looked at, and publishing may meet files that a thief has left: {why}"
            ),
            Self::ExpiresEarly { role, expires, due } => write!(
                f,
                "{role} expires at {expires}, before the next publication is due at {due}: renew it now"
            ),
            Self::Pruned { count: 1, length } => write!(f, "1 file ({length} bytes)"),
            Self::Pruned { count, length } => write!(f, "{count} files ({length} bytes)"),
            Self::Spared { count: 1, first } => write!(f, "{first}, which is not of this repository"),
            Self::Spared { count, first } => {
                write!(f, "{count} files that are not of this repository, such as {first}")
            }
            Self::Mirrored { count: 1 } => f.write_str("1 file to a name without a version"),
            Self::Mirrored { count } => write!(f, "{count} files to names without versions"),
            Self::Shadowed {
                path,
                role,
                by: Some(by),
            } => write!(f, "clients find {path} in {by}, not in {role}"),
            Self::Shadowed { path, role, .. } => {
                write!(f, "clients do not come to {role} when they look for {path}")
            }
            Self::ChangeLeft => f.write_str("the open change as it is"),
            Self::ChangeUnread { why, .. } => {
                write!(f, "the open change as it is, which cannot be gone on with: {why}")
            }
            Self::Gap => f.write_str(
                "clients that come between the last two writes refuse and have to try again; they would not if the old keys signed too",
            ),
        }
    }
}

fn and_more(f: &mut fmt::Formatter<'_>, path: &TargetPath, count: u64) -> fmt::Result {
    write!(f, "{path}")?;
    match count.saturating_sub(1) {
        0 => Ok(()),
        more => write!(f, " and {more} more"),
    }
}
