//! What a draft says that the version before it does not: complete, because people sign what they are shown.

use std::collections::BTreeMap;
use std::fmt;

use tuffet_core::json::Value;

use super::names::{KeyNames, WithNames};

/// A place in the signed part of a file at which two versions differ.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Difference {
    /// The names of the members on the way, such as `targets`, `app.tar`, `length`. An element of an array that has a name goes
    /// by it.
    pub place: Vec<String>,
    /// Whether this is about the order of the elements there: before and after are their names then.
    pub order: bool,
    /// What stood there; `None` if nothing did.
    pub before: Option<Value>,
    /// What stands there; `None` if nothing does any more.
    pub after: Option<Value>,
}

impl fmt::Display for Difference {
    /// `+ targets › app.tar = {…}`, `- …`, `~ version: 1 → 2`, `~ order of delegations › roles: […] → […]`. Values, and names that
    /// are not plain, are JSON in plain ASCII, so nothing in them can pass for something else.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(&KeyNames::default(), f)
    }
}

impl Difference {
    /// The same as text, with names in the place of the keyids that have some: `ana (a1f0c3d2…)`.
    pub fn with_names<'a>(&'a self, names: &'a KeyNames) -> impl fmt::Display + 'a {
        WithNames {
            difference: self,
            names,
        }
    }

    pub(super) fn write(&self, names: &KeyNames, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |value: &Value| names.value(value, shown).unwrap_or_else(|| shown(value));
        let place = self.place.iter();
        let place = place.map(|name| names.shown(name).unwrap_or_else(|| shown_name(name)));
        let place: Vec<String> = place.collect();
        let order = if self.order { "order of " } else { "" };
        let place = format!("{order}{}", place.join(" › "));
        match (&self.before, &self.after) {
            (None, Some(after)) => write!(f, "+ {place} = {}", shown(after)),
            (Some(before), None) => write!(f, "- {place} = {}", shown(before)),
            (Some(before), Some(after)) => {
                write!(f, "~ {place}: {} → {}", shown(before), shown(after))
            }
            (None, None) => write!(f, "{place}"),
        }
    }
}

fn shown(value: &Value) -> String {
    let json = value.to_compact_json();
    let mut text = String::with_capacity(json.len());
    let mut last = ' ';
    for character in String::from_utf8_lossy(&json).chars() {
        // Letters that look alike or are not seen at all, and gaps that look like the end of a line.
        if character.is_ascii_graphic() || (character == ' ' && last != ' ') {
            text.push(character);
        } else {
            for unit in character.encode_utf16(&mut [0; 2]) {
                text.push_str(&format!("\\u{unit:04x}"));
            }
        }
        last = character;
    }
    text
}

fn shown_name(name: &str) -> String {
    let plain = !name.is_empty()
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '/' | '*' | '?'));
    if plain {
        name.to_owned()
    } else {
        shown(&Value::from(name))
    }
}

/// Every difference between two values, in the order of the places.
///
/// ```
/// use tuffet_core::json::Value;
/// let parse = |text: &str| Value::parse(text.as_bytes()).unwrap();
/// let (before, after) = (parse(r#"{"version":1,"x":[1]}"#), parse(r#"{"version":2,"x":[1]}"#));
/// let all = tuffet_repo::differences(Some(&before), &after);
/// assert_eq!(all[0].to_string(), "~ version: 1 → 2");
/// assert_eq!(all.len(), 1);
/// ```
#[must_use]
pub fn differences(before: Option<&Value>, after: &Value) -> Vec<Difference> {
    let mut all = Vec::new();
    let nothing = Value::Object(BTreeMap::new());
    compare(&mut Vec::new(), before.unwrap_or(&nothing), after, &mut all);
    all
}

fn compare(place: &mut Vec<String>, before: &Value, after: &Value, all: &mut Vec<Difference>) {
    if before == after {
        return;
    }
    match (before, after) {
        (Value::Object(before), Value::Object(after)) => members(place, before, after, all),
        (Value::Array(old), Value::Array(new)) => match (named(old), named(new)) {
            (Some(old), Some(new)) => {
                members(place, &old.members, &new.members, all);
                if old.order != new.order {
                    all.push(Difference {
                        order: true,
                        ..difference(place, Some(&old.order()), Some(&new.order()))
                    });
                }
            }
            _ => all.push(difference(place, Some(before), Some(after))),
        },
        _ => all.push(difference(place, Some(before), Some(after))),
    }
}

fn members(
    place: &mut Vec<String>,
    before: &BTreeMap<String, Value>,
    after: &BTreeMap<String, Value>,
    all: &mut Vec<Difference>,
) {
    let mut names: Vec<&String> = before.keys().chain(after.keys()).collect();
    names.sort_unstable();
    names.dedup();
    for name in names {
        place.push(name.clone());
        match (before.get(name), after.get(name)) {
            (Some(before), Some(after)) => compare(place, before, after, all),
            (before, after) => all.push(difference(place, before, after)),
        }
        place.pop();
    }
}

fn difference(place: &[String], before: Option<&Value>, after: Option<&Value>) -> Difference {
    Difference {
        place: place.to_vec(),
        order: false,
        before: before.cloned(),
        after: after.cloned(),
    }
}

/// The elements of an array by their names.
struct Named {
    members: BTreeMap<String, Value>,
    order: Vec<String>,
}

impl Named {
    fn order(&self) -> Value {
        self.order
            .iter()
            .map(|name| Value::from(name.as_str()))
            .collect()
    }
}

/// `None` unless every element has a name of its own; an empty array has nothing that lacks one.
fn named(elements: &[Value]) -> Option<Named> {
    let (mut members, mut order) = (BTreeMap::new(), Vec::new());
    for element in elements {
        let name = element.get("name")?.as_str()?.to_owned();
        order.push(name.clone());
        if members.insert(name, element.clone()).is_some() {
            return None;
        }
    }
    Some(Named { members, order })
}
