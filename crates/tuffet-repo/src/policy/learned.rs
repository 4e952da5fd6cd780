//! What a change teaches the policy, once it is applied: names of keys, and what is asked of new roles.

use std::collections::BTreeMap;

use tuffet_core::json::Value;
use tuffet_core::metadata::KeyId;

use super::{KeyPolicy, Period, Policy, RolePolicy};
use crate::keys::NamedKey;

/// Additions to a policy. They are kept with the change, so that a change that is dropped leaves nothing behind.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Learned {
    keys: BTreeMap<String, KeyPolicy>,
    roles: BTreeMap<String, RolePolicy>,
}

impl Learned {
    pub(crate) fn name_key(&mut self, key: &NamedKey, online: bool) {
        self.keys
            .insert(key.name().to_owned(), KeyPolicy::new(key, online));
    }

    pub(crate) fn ask_of(&mut self, role: &str, policy: RolePolicy) {
        self.roles.insert(role.to_owned(), policy);
    }

    /// The names of keys, and the keyids that they stand for.
    pub(crate) fn named(&self) -> impl Iterator<Item = (String, KeyId)> + '_ {
        let keys = self.keys.iter();
        keys.filter_map(|(name, key)| Some((name.clone(), KeyId::new(&key.keyid).ok()?)))
    }

    /// What it would change of what the policy says already; edits only add to a policy, so a change that does is not honest.
    pub(crate) fn contradicts(&self, policy: &Policy) -> Option<&'static str> {
        let asks_otherwise = |(name, role): (&String, &RolePolicy)| {
            policy.roles.get(name).is_some_and(|known| known != role)
        };
        if self.roles.iter().any(asks_otherwise) {
            return Some("it changes what tuffet.toml asks of a role");
        }
        let held_otherwise = |key: &KeyPolicy| {
            policy
                .keys
                .values()
                .any(|known| known.keyid == key.keyid && known.online != key.online)
        };
        self.keys
            .values()
            .any(held_otherwise)
            .then_some("it changes whether a key is one of automation")
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.keys.is_empty() && self.roles.is_empty()
    }

    /// The policy as it will be.
    pub(crate) fn apply(&self, policy: &mut Policy) {
        for (name, key) in &self.keys {
            let known = key.key().and_then(|info| NamedKey::new(name, info).ok());
            if let Some(known) = known {
                policy.name_key(&known, key.online);
            }
        }
        policy.roles.extend(self.roles.clone());
    }

    pub(crate) fn keys_to_value(&self) -> Value {
        let value = |key: &KeyPolicy| {
            Value::from_iter([
                ("keyid", Value::from(key.keyid.as_str())),
                ("online", Value::from(key.online)),
                ("public", Value::from(key.public.as_str())),
                ("scheme", Value::from(key.scheme.as_str())),
            ])
        };
        let members = self.keys.iter();
        members
            .map(|(name, key)| (name.as_str(), value(key)))
            .collect()
    }

    pub(crate) fn roles_to_value(&self) -> Value {
        let value = |role: &RolePolicy| {
            Value::from_iter([
                ("period", Value::from(role.period.to_string())),
                ("threshold", Value::from(role.threshold)),
            ])
        };
        let members = self.roles.iter();
        members
            .map(|(name, role)| (name.as_str(), value(role)))
            .collect()
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
                former: Vec::new(),
            };
            NamedKey::new(name, key.key()?).ok()?;
            Some((name.clone(), key))
        };
        let role = |(name, value): (&String, &Value)| {
            let policy = RolePolicy {
                threshold: value.get("threshold")?.as_u64()?,
                period: Period::parse(value.get("period")?.as_str()?)?,
            };
            Some((name.clone(), policy))
        };
        Some(Self {
            keys: keys.iter().map(key).collect::<Option<_>>()?,
            roles: roles.iter().map(role).collect::<Option<_>>()?,
        })
    }
}
