//! What a change teaches the policy, once it is applied: names of keys, what is asked of roles, and which roles are no more.

use std::collections::{BTreeMap, BTreeSet};

use tuffet_core::json::Value;
use tuffet_core::metadata::{KeyId, RoleDelegations, RoleName};

use super::{KeyPolicy, Period, Policy, RolePolicy};
use crate::graph::Graph;
use crate::keys::NamedKey;

/// Additions to a policy. They are kept with the change, so that a change that is dropped leaves nothing behind.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Learned {
    keys: BTreeMap<String, KeyPolicy>,
    roles: BTreeMap<String, RolePolicy>,
    /// Roles that nobody delegates to any more.
    forgotten: BTreeSet<String>,
}

impl Learned {
    pub(crate) fn name_key(&mut self, key: &NamedKey, online: bool) {
        self.keys
            .insert(key.name().to_owned(), KeyPolicy::new(key, online));
    }

    pub(crate) fn ask_of(&mut self, role: &str, policy: RolePolicy) {
        self.forgotten.remove(role);
        self.roles.insert(role.to_owned(), policy);
    }

    pub(crate) fn forget(&mut self, role: &str) {
        self.roles.remove(role);
        self.forgotten.insert(role.to_owned());
    }

    /// The roles that are no more.
    pub(crate) fn forgotten(&self) -> impl Iterator<Item = &str> {
        self.forgotten.iter().map(String::as_str)
    }

    /// Whether something is asked of this role.
    pub(crate) fn asks_of(&self, role: &str) -> bool {
        self.roles.contains_key(role)
    }

    /// The names of keys, and the keyids that they stand for.
    pub(crate) fn named(&self) -> impl Iterator<Item = (String, KeyId)> + '_ {
        let keys = self.keys.iter();
        keys.filter_map(|(name, key)| Some((name.clone(), KeyId::new(&key.keyid).ok()?)))
    }

    /// Whether a key is to be known by this name.
    pub(crate) fn names(&self, name: &str) -> bool {
        self.keys.contains_key(name)
    }

    /// What is asked of new roles.
    pub(crate) fn asked(&self) -> impl Iterator<Item = (&str, RolePolicy)> {
        self.roles.iter().map(|(name, role)| (name.as_str(), *role))
    }

    /// What of it belongs to drafts of these roles: names of keys that are used, and what is asked of roles that they delegate to.
    pub(crate) fn needed_by(mut self, graph: &Graph, drafted: impl Fn(&RoleName) -> bool) -> Self {
        self.keys.retain(|_, key| graph.holds(&key.keyid));
        let new = graph.delegations().filter(|(by, _)| drafted(by));
        let new: BTreeSet<&str> = new
            .flat_map(|(_, delegations)| match delegations.roles() {
                RoleDelegations::Named(roles) => {
                    roles.iter().map(|role| role.name.as_str()).collect()
                }
                RoleDelegations::Succinct(bins) => vec![bins.name_prefix()],
            })
            .collect();
        let of_root = |name: &str| {
            let role = RoleName::new(name).ok();
            drafted(&RoleName::Root) && !matches!(role, None | Some(RoleName::Delegated(_)))
        };
        self.roles
            .retain(|name, _| new.contains(name.as_str()) || of_root(name));
        self
    }

    /// What it would change of what the policy says already. Edits only add to a policy, except that a key that is replaced may
    /// leave its name to the new one, and that a threshold may become the one that people sign; a change that does more is not
    /// honest.
    pub(crate) fn contradicts(
        &self,
        policy: &Policy,
        before: &Graph,
        after: &Graph,
    ) -> Option<&'static str> {
        for (name, role) in &self.roles {
            // One that is lower than what the policy asks is refused by the policy itself.
            let agreed = |known: &RolePolicy| {
                let signed = after.named_in(name).into_iter();
                (known.period, known.external) == (role.period, role.external)
                    && signed.map(|(_, keys)| keys.threshold).min() == Some(role.threshold)
            };
            let differs = |known: &RolePolicy| known != role && !agreed(known);
            if role.threshold < 1 || policy.roles.get(name).is_some_and(differs) {
                return Some("it changes what tuffet.toml asks of a role");
            }
        }
        let removed =
            |name: &String| !before.named_in(name).is_empty() && after.named_in(name).is_empty();
        if !self.forgotten.iter().all(removed) {
            return Some("it makes tuffet.toml forget a role that is not removed");
        }
        for (name, key) in &self.keys {
            let replaced =
                |known: &KeyPolicy| before.holds(&known.keyid) && !after.holds(&known.keyid);
            if policy
                .keys
                .get(name)
                .is_some_and(|known| known.keyid != key.keyid && !replaced(known))
            {
                return Some("it gives the name of a key to another key");
            }
            if policy
                .keys
                .values()
                .any(|known| known.keyid == key.keyid && known.online != key.online)
            {
                return Some("it changes whether a key is one of automation");
            }
        }
        None
    }

    /// Gives a policy the certificates of the keys, and nothing else: they count only as far as its own roots vouch for them.
    pub(crate) fn vouch(&self, policy: &mut Policy) {
        for (name, key) in &self.keys {
            if key.attestation.is_none() {
                continue;
            }
            let known = policy
                .keys
                .values_mut()
                .find(|known| known.keyid == key.keyid);
            match known {
                Some(known) if known.attestation.is_none() => {
                    known.attestation.clone_from(&key.attestation);
                }
                Some(_) => {}
                // No name has a space in it, so this one is free.
                None => {
                    policy
                        .keys
                        .insert(format!("{name} (received)"), key.clone());
                }
            }
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.keys.is_empty() && self.roles.is_empty() && self.forgotten.is_empty()
    }

    /// The policy as it will be.
    pub(crate) fn apply(&self, policy: &mut Policy) {
        for (name, key) in &self.keys {
            if let Some(known) = key.named(name) {
                policy.name_key(&known, key.online);
            }
        }
        policy.roles.extend(self.roles.clone());
        policy
            .roles
            .retain(|name, _| !self.forgotten.contains(name));
    }

    pub(crate) fn keys_to_value(&self) -> Value {
        let value = |key: &KeyPolicy| {
            let attestation = key.attestation.as_deref();
            let members = [
                ("keyid", Value::from(key.keyid.as_str())),
                ("online", Value::from(key.online)),
                ("public", Value::from(key.public.as_str())),
                ("scheme", Value::from(key.scheme.as_str())),
            ];
            let attestation = attestation.map(|chain| ("attestation", Value::from(chain)));
            members.into_iter().chain(attestation).collect::<Value>()
        };
        let members = self.keys.iter();
        members
            .map(|(name, key)| (name.as_str(), value(key)))
            .collect()
    }

    pub(crate) fn roles_to_value(&self) -> Value {
        let value = |role: &RolePolicy| {
            let external = role.external.then(|| ("external", Value::from(true)));
            let always = [
                ("period", Value::from(role.period.to_string())),
                ("threshold", Value::from(role.threshold)),
            ];
            always.into_iter().chain(external).collect::<Value>()
        };
        let asked = self.roles.iter();
        let asked = asked.map(|(name, role)| (name.as_str(), value(role)));
        let forgotten = self.forgotten().map(|name| (name, Value::Null));
        asked.chain(forgotten).collect()
    }

    /// `None` if a key or a role is not what it has to be.
    pub(crate) fn from_values(
        keys: &BTreeMap<String, Value>,
        roles: &BTreeMap<String, Value>,
    ) -> Option<Self> {
        let key = |(name, value): (&String, &Value)| {
            let text = |member| Some(value.get(member)?.as_str()?.to_owned());
            let key = KeyPolicy {
                keyid: text("keyid")?,
                scheme: text("scheme")?,
                public: text("public")?,
                online: value.get("online")?.as_bool()?,
                // It is verified where the policy asks for it.
                attestation: text("attestation"),
                former: Vec::new(),
            };
            let named = NamedKey::new(name, key.key()?).ok()?;
            // Keyids are what people are shown, so a key cannot come under that of another.
            (named.keyid().as_str() == key.keyid).then(|| (name.clone(), key))
        };
        let role = |(name, value): (&String, &Value)| {
            let policy = RolePolicy {
                threshold: value.get("threshold")?.as_u64()?,
                period: Period::parse(value.get("period")?.as_str()?)?,
                external: match value.get("external") {
                    Some(external) => external.as_bool()?,
                    None => false,
                },
            };
            Some((name.clone(), policy))
        };
        let (gone, asked): (Vec<_>, Vec<_>) =
            roles.iter().partition(|(_, value)| **value == Value::Null);
        Some(Self {
            keys: keys.iter().map(key).collect::<Option<_>>()?,
            roles: asked.into_iter().map(role).collect::<Option<_>>()?,
            forgotten: gone.into_iter().map(|(name, _)| name.clone()).collect(),
        })
    }
}
