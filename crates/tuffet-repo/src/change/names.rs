//! Names of keys in what people are shown before they sign.

use std::collections::BTreeMap;
use std::fmt;

use tuffet_core::json::Value;

use super::Difference;
use crate::keys::NamedKey;
use crate::policy::{Learned, Policy};

/// What this copy calls keys, by keyid. Whoever writes metadata chooses its keyids, so a name is given only where nothing that is shown
/// lists another key under the keyid.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeyNames {
    /// The name and the public key of each keyid.
    known: BTreeMap<String, (String, String)>,
    /// The public key that is listed under a keyid; `None` if there are several, or one that cannot be read.
    listed: BTreeMap<String, Option<String>>,
}

impl KeyNames {
    /// The names of a policy, but for those that it is to learn: what somebody else's change calls a key stands for nobody's word.
    pub(crate) fn of(policy: &Policy, learned: &Learned) -> Self {
        let keys = policy.keys.iter();
        let keys = keys.filter(|(name, _)| !learned.names(name));
        let keys = keys.map(|(name, key)| (key.keyid.clone(), (name.clone(), key.public.clone())));
        Self {
            known: keys.collect(),
            listed: BTreeMap::new(),
        }
    }

    /// Adds keys that are called something elsewhere, unless their keyids or their names stand for something already.
    pub fn add(&mut self, keys: impl IntoIterator<Item = NamedKey>) {
        for key in keys {
            let taken = self.known.values().any(|(name, _)| name == key.name());
            let keyid = key.keyid().as_str().to_owned();
            if !taken && !self.known.contains_key(&keyid) {
                let public = key.key().metadata().public.clone();
                self.known.insert(keyid, (key.name().to_owned(), public));
            }
        }
    }

    /// Takes note of the keys that the signed part of a root or targets file lists.
    pub fn see(&mut self, signed: &Value) {
        let delegations = signed.get("delegations");
        let tables = [Some(signed), delegations].into_iter().flatten();
        let tables = tables.filter_map(|holder| holder.get("keys")?.as_object());
        for (keyid, key) in tables.flatten() {
            let public = key.get("keyval").and_then(|keyval| keyval.get("public"));
            let public = public.and_then(Value::as_str).map(str::to_owned);
            let listed = self
                .listed
                .entry(keyid.clone())
                .or_insert_with(|| public.clone());
            if *listed != public {
                *listed = None;
            }
        }
    }

    /// `ana (a1f0c3d2…)`. No name and no JSON in plain ASCII can look like that.
    pub(super) fn shown(&self, keyid: &str) -> Option<String> {
        let (name, public) = self.known.get(keyid)?;
        let differs = |listed: &Option<String>| listed.as_ref() != Some(public);
        if self.listed.get(keyid).is_some_and(differs) {
            return None;
        }
        let short: String = keyid.chars().take(8).collect();
        Some(format!("{name} ({short}…)"))
    }

    /// A value with names in the place of keyids; `None` if it holds none that has a name.
    pub(super) fn value(&self, value: &Value, plain: fn(&Value) -> String) -> Option<String> {
        if self.known.is_empty() {
            return None;
        }
        let within = |value: &Value| self.value(value, plain);
        match value {
            Value::Text(text) => self.shown(text),
            Value::Array(all) => {
                let texts: Vec<Option<String>> = all.iter().map(within).collect();
                texts.iter().any(Option::is_some).then(|| {
                    let pairs = texts.into_iter().zip(all);
                    let texts = pairs.map(|(text, value)| text.unwrap_or_else(|| plain(value)));
                    format!("[{}]", texts.collect::<Vec<_>>().join(","))
                })
            }
            Value::Object(all) => {
                let mut any = false;
                let mut texts = Vec::new();
                for (name, value) in all {
                    let (known, text) = (self.shown(name), within(value));
                    any |= known.is_some() || text.is_some();
                    let name = known.unwrap_or_else(|| plain(&Value::from(name.as_str())));
                    texts.push(format!("{name}:{}", text.unwrap_or_else(|| plain(value))));
                }
                any.then(|| format!("{{{}}}", texts.join(",")))
            }
            _ => None,
        }
    }
}

/// A difference as people see it, with the names of keys.
pub(super) struct WithNames<'a> {
    pub(super) difference: &'a Difference,
    pub(super) names: &'a KeyNames,
}

impl fmt::Display for WithNames<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.difference.write(self.names, f)
    }
}

#[cfg(test)]
mod tests {
    use tuffet_core::crypto::{PublicKey, Scheme};
    use tuffet_sign::PublicKeyInfo;

    use super::*;
    use crate::differences;

    fn key(name: &str, byte: u8) -> NamedKey {
        let key = PublicKeyInfo::new(Scheme::Ed25519, PublicKey::Ed25519([byte; 32])).unwrap();
        NamedKey::new(name, key).unwrap()
    }

    fn lines(after: &Value, names: &KeyNames) -> Vec<String> {
        let all = differences(None, after);
        all.iter()
            .map(|one| one.with_names(names).to_string())
            .collect()
    }

    #[test]
    fn keys_that_have_names_are_shown_by_them() {
        let (ana, ben) = (key("ana", 1), key("ben", 2));
        let (one, other) = (ana.keyid(), ben.keyid());
        let mut names = KeyNames::default();
        names.add([ana.clone()]);
        let root = Value::from_iter([
            ("keys", Value::from_iter([(one.as_str(), ana.to_value())])),
            (
                "x",
                [one.as_str(), other.as_str()]
                    .map(Value::from)
                    .into_iter()
                    .collect(),
            ),
        ]);
        names.see(&root);
        let short: String = one.as_str().chars().take(8).collect();
        let shown = lines(&root, &names);
        let table = format!("+ keys = {{ana ({short}…):{{\"keytype\"");
        assert!(shown[0].starts_with(&table), "{shown:?}");
        assert_eq!(shown[1], format!("+ x = [ana ({short}…),\"{other}\"]"));
        let plain: Vec<String> = differences(None, &root)
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(lines(&root, &KeyNames::default()), plain);
    }

    #[test]
    fn a_keyid_that_stands_for_another_key_gets_no_name() {
        let (ana, thief) = (key("ana", 1), key("thief", 3));
        let keyid = ana.keyid();
        let table = Value::from_iter([(keyid.as_str(), thief.to_value())]);
        for signed in [
            Value::from_iter([("keys", table.clone())]),
            Value::from_iter([("delegations", Value::from_iter([("keys", table.clone())]))]),
        ] {
            let mut names = KeyNames::default();
            names.add([ana.clone()]);
            names.see(&signed);
            assert!(!lines(&signed, &names).concat().contains("ana"));
        }
    }

    #[test]
    fn a_name_that_the_policy_gives_is_not_given_twice() {
        let mut names = KeyNames::default();
        names.add([key("ana", 1), key("ana", 2)]);
        assert!(names.shown(key("ana", 1).keyid().as_str()).is_some());
        assert!(names.shown(key("ana", 2).keyid().as_str()).is_none());
    }
}
