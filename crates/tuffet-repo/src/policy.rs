//! `tuffet.toml`: what is meant to be so, and what keys are called.
//!
//! The keys and thresholds that clients go by are those of the signed metadata. The policy names the keys, says how long each
//! role is valid, and gives the thresholds below which nothing is published.

mod attested;
mod learned;
mod text;
mod violation;

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use tuffet_core::crypto::{Key, KeyIdentity, KeyKind, Scheme};
use tuffet_core::metadata::{KeyId, KeyTable, RoleKeys, RoleName, Root, UnixTime};
use tuffet_sign::PublicKeyInfo;

use crate::Error;
use crate::keys::{KeyName, NamedKey};
use crate::publish::Destination;

pub use attested::AttestationPolicy;
pub(crate) use learned::Learned;
pub use violation::Violation;

/// The policy of a repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub struct Policy {
    /// The version of this format.
    pub format: u32,
    /// What the repository is called.
    pub name: String,
    /// Where it is published; a directory is one relative to the repository.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub publish_to: Option<Destination>,
    /// Whether copies are published under names without versions and hashes, for clients that know no consistent snapshots.
    #[serde(default, skip_serializing_if = "is_false")]
    pub unversioned_copies: bool,
    /// Whether keys of automation may sign root and targets.
    #[serde(default, skip_serializing_if = "is_false")]
    pub allow_online: bool,
    /// Which roles only take keys that a token vouches for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attestation: Option<AttestationPolicy>,
    /// What is asked of each role, by its name.
    pub roles: BTreeMap<String, RolePolicy>,
    /// The keys, by what people call them.
    #[serde(default)]
    pub keys: BTreeMap<String, KeyPolicy>,
}

/// What is asked of a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub struct RolePolicy {
    /// The lowest threshold that may be published.
    pub threshold: u64,
    /// How long a version is valid.
    pub period: Period,
    /// Whether it is signed elsewhere, so that nobody here can renew it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub external: bool,
}

impl RolePolicy {
    /// A role that is signed here.
    #[must_use]
    pub fn new(threshold: u64, period: Period) -> Self {
        Self {
            threshold,
            period,
            external: false,
        }
    }
}

/// A key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub struct KeyPolicy {
    /// Its keyid.
    pub keyid: String,
    /// Its signature scheme.
    pub scheme: String,
    /// The public key, as in metadata.
    pub public: String,
    /// Whether automation holds it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub online: bool,
    /// The certificates by which a token vouches for it, in PEM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attestation: Option<String>,
    /// Keyids of the keys that it replaced.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub former: Vec<String>,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_false(value: &bool) -> bool {
    !*value
}

impl KeyPolicy {
    pub(crate) fn new(key: &NamedKey, online: bool) -> Self {
        Self {
            online,
            attestation: key.attestation().map(str::to_owned),
            ..Self::of(&key.keyid(), key.key())
        }
    }

    /// A key of people under the keyid that metadata has it under.
    pub(crate) fn of(keyid: &KeyId, key: &PublicKeyInfo) -> Self {
        Self {
            keyid: keyid.as_str().to_owned(),
            scheme: key.scheme().name().to_owned(),
            public: key.metadata().public.clone(),
            online: false,
            attestation: None,
            former: Vec::new(),
        }
    }

    /// The key under the name that it has in the policy.
    fn named(&self, name: &str) -> Option<NamedKey> {
        let key = NamedKey::new(name, self.key()?).ok()?;
        Some(match &self.attestation {
            Some(chain) => key.with_attestation(chain),
            None => key,
        })
    }

    fn key(&self) -> Option<PublicKeyInfo> {
        let scheme = Scheme::from_name(&self.scheme)?;
        let key = Key::parse(scheme.keytype(), scheme.name(), Some(&self.public), &[]);
        match key.kind() {
            KeyKind::Usable { scheme, public } => PublicKeyInfo::new(*scheme, public.clone()).ok(),
            KeyKind::Opaque { .. } => None,
        }
    }
}

/// How long a version of a role is valid: a whole number of days, hours or minutes, from a minute to ten years.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Period {
    seconds: u32,
}

/// Ten years: a root that is withheld freezes clients until it expires, so it has to expire some day (K-05).
const LONGEST: u32 = 3653 * 86_400;

impl Period {
    /// So many days, from one to 3653.
    #[must_use]
    pub const fn days(days: u32) -> Self {
        let days = if days == 0 { 1 } else { days };
        let seconds = days.saturating_mul(86_400);
        Self {
            seconds: if seconds > LONGEST { LONGEST } else { seconds },
        }
    }

    /// Reads `365d`, `12h` or `30m`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let unit = match text.chars().next_back()? {
            'd' => 86_400,
            'h' => 3600,
            'm' => 60,
            _ => return None,
        };
        let digits = text.get(..text.len().checked_sub(1)?)?;
        if !digits.bytes().all(|digit| digit.is_ascii_digit()) {
            return None;
        }
        let seconds = digits.parse::<u32>().ok()?.checked_mul(unit)?;
        (60..=LONGEST)
            .contains(&seconds)
            .then_some(Self { seconds })
    }

    /// The length in seconds.
    #[must_use]
    pub const fn seconds(self) -> u32 {
        self.seconds
    }

    /// The moment that is this much later.
    #[must_use]
    pub fn after(self, now: UnixTime) -> UnixTime {
        UnixTime(now.0.saturating_add(i64::from(self.seconds)))
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.seconds {
            seconds if seconds % 86_400 == 0 => write!(f, "{}d", seconds / 86_400),
            seconds if seconds % 3600 == 0 => write!(f, "{}h", seconds / 3600),
            seconds => write!(f, "{}m", seconds / 60),
        }
    }
}

impl TryFrom<String> for Period {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text).ok_or_else(|| {
            format!("`{text}` is not a period such as 365d, 12h or 30m, from 1m to 3653d")
        })
    }
}

impl From<Period> for String {
    fn from(period: Period) -> Self {
        period.to_string()
    }
}

impl Policy {
    pub(crate) fn new(name: &str) -> Self {
        Self {
            format: 1,
            name: name.to_owned(),
            publish_to: None,
            unversioned_copies: false,
            allow_online: false,
            attestation: None,
            roles: BTreeMap::new(),
            keys: BTreeMap::new(),
        }
    }

    /// Reads `tuffet.toml`. The error says what is wrong and on which line.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let policy: Self = toml::from_str(text).map_err(|error| malformed(text, &error))?;
        if policy.format != 1 {
            return Err(format!(
                "format {} is of a later version of tuffet",
                policy.format
            ));
        }
        for (name, key) in &policy.keys {
            if key.key().is_none() {
                return Err(format!(
                    "keys.{name} is no public key of its scheme {}",
                    key.scheme
                ));
            }
        }
        Ok(policy)
    }

    pub(crate) fn to_toml(&self) -> String {
        toml::to_string(self).expect("every member has a form in TOML")
    }

    /// Changes the text of the policy so that it says this and keeps what people wrote around it.
    pub(crate) fn rewrite(&self, text: &str) -> String {
        text::rewrite(self, text)
    }

    /// How long versions of a role are valid; 30 days for a role that the policy does not list. A bin goes by what the names of
    /// all its bins begin with.
    #[must_use]
    pub fn period(&self, role: &RoleName) -> Period {
        self.asked(role)
            .map_or(Period::days(30), |role| role.period)
    }

    /// Whether a role is signed elsewhere.
    #[must_use]
    pub fn is_external(&self, role: &RoleName) -> bool {
        self.asked(role).is_some_and(|role| role.external)
    }

    fn asked(&self, role: &RoleName) -> Option<&RolePolicy> {
        let name = role.as_str();
        let bins = name.rsplit_once('-').map(|(prefix, _)| prefix);
        self.roles.get(name).or_else(|| self.roles.get(bins?))
    }

    /// The key of this name.
    #[must_use]
    pub fn key(&self, name: &str) -> Option<NamedKey> {
        self.keys.get(name)?.named(name)
    }

    /// What the key with this id is called, or was called before it was replaced.
    #[must_use]
    pub fn key_name(&self, keyid: &KeyId) -> KeyName {
        let current = |key: &KeyPolicy| key.keyid == keyid.as_str();
        let former = |key: &KeyPolicy| key.former.iter().any(|old| old == keyid.as_str());
        let name = self
            .keys
            .iter()
            .find_map(|(name, key)| current(key).then(|| name.clone()))
            .or_else(|| {
                self.keys
                    .iter()
                    .find_map(|(name, key)| former(key).then(|| format!("{name} (former)")))
            });
        KeyName {
            keyid: keyid.clone(),
            name,
        }
    }

    /// Takes a key in, in the place of what had its name. Returns whether that changed anything.
    pub(crate) fn name_key(&mut self, key: &NamedKey, online: bool) -> bool {
        let mut entry = KeyPolicy::new(key, online);
        if let Some(old) = self.keys.get(key.name()) {
            entry.former.clone_from(&old.former);
            entry.online |= old.online;
            if old.keyid == entry.keyid {
                entry.attestation = entry.attestation.or_else(|| old.attestation.clone());
                entry.former.retain(|former| *former != entry.keyid);
            } else {
                entry.former.push(old.keyid.clone());
            }
            if *old == entry {
                return false;
            }
        }
        self.keys.insert(key.name().to_owned(), entry);
        true
    }

    /// Refuses a root that the policy forbids.
    pub(crate) fn check_root(&self, root: &Root) -> Result<(), Error> {
        for role in [
            RoleName::Root,
            RoleName::Targets,
            RoleName::Snapshot,
            RoleName::Timestamp,
        ] {
            if let Some(keys) = root.role(&role) {
                self.check_role(&role, keys, root.keys())?;
            }
        }
        Ok(())
    }

    /// Refuses a threshold below that of the policy or above the number of keys, keys of automation where they do not belong
    /// (K-01, O-03), and keys without the attestation that is asked for.
    pub(crate) fn check_role(
        &self,
        role: &RoleName,
        keys: &RoleKeys,
        table: &KeyTable,
    ) -> Result<(), Error> {
        let floor = self
            .roles
            .get(role.as_str())
            .map_or(1, |role| role.threshold);
        if keys.threshold < floor {
            return Err(Error::BelowPolicy {
                role: role.clone(),
                threshold: keys.threshold,
                floor,
            });
        }
        let mut identities: Vec<KeyIdentity> = Vec::new();
        for keyid in &keys.keyids {
            let Some(KeyKind::Usable { public, .. }) = table.key(keyid.as_str()).map(Key::kind)
            else {
                continue;
            };
            if matches!(role, RoleName::Root | RoleName::Targets)
                && !self.allow_online
                && self.is_online(&public.identity())
            {
                return Err(Error::OnlineKey {
                    role: role.clone(),
                    key: self.key_name(keyid),
                });
            }
            self.check_attestation(role, keyid, &public.identity())?;
            identities.push(public.identity());
        }
        identities.sort_unstable();
        identities.dedup();
        if (identities.len() as u64) < keys.threshold {
            return Err(Error::TooFewKeys {
                role: role.clone(),
                keys: identities.len() as u64,
                threshold: keys.threshold,
            });
        }
        Ok(())
    }

    fn is_online(&self, identity: &KeyIdentity) -> bool {
        self.keys
            .values()
            .filter(|key| key.online)
            .filter_map(KeyPolicy::key)
            .any(|key| key.identity() == *identity)
    }
}

/// What is wrong with a policy, in one line; the library draws the place in several.
fn malformed(text: &str, error: &toml::de::Error) -> String {
    let why = error.message().lines().map(str::trim);
    let why = why.collect::<Vec<_>>().join("; ");
    let before = error.span().and_then(|span| text.get(..span.start));
    match before {
        Some(before) => format!(
            "line {}: {why}",
            before.matches('\n').count().saturating_add(1)
        ),
        None => why,
    }
}

#[cfg(test)]
mod tests;
