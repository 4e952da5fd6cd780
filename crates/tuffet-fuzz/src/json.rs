//! Our reader and our canonical form against serde_json.

use std::fmt::Write as _;

use serde_json::Value as Theirs;
use tuffet_core::json::{Value, canonicalize};

/// What `serde_json` reads; `None` if it cannot hold a number.
pub(crate) fn theirs(bytes: &[u8]) -> Option<Theirs> {
    match serde_json::from_slice(bytes) {
        Ok(value) => Some(value),
        // Integers that no double can hold are beyond it; ours have any size.
        Err(error) if error.to_string().starts_with("number out of range") => None,
        Err(error) => panic!("serde_json accepts what the strict reader accepts: {error}"),
    }
}

/// Whatever our reader accepts, serde_json accepts with the same value.
pub fn json(input: &[u8]) {
    let Ok(ours) = Value::parse(input) else {
        return;
    };
    // Integers beyond 64 bits become floats there; comparing floats of equal text is exact all the same.
    assert_eq!(theirs(input), theirs(&ours.to_compact_json()));
}

/// The canonical form is a function of the value alone, its own canonical form, and what a writer of its own says.
pub fn canonical(input: &[u8]) {
    let canonical = canonicalize(input);
    let value = Value::parse(input);
    let (Ok(canonical), Ok(value)) = (canonical, value) else {
        return;
    };
    assert_eq!(
        &*canonical,
        value.canonical(),
        "the span writer and the tree writer agree"
    );
    let compact = value.to_compact_json();
    assert_eq!(
        &*canonicalize(&compact).expect("what is written can be read"),
        &*canonical
    );
    if let Ok(twice) = canonicalize(&canonical) {
        assert_eq!(twice, canonical);
    }
    let mut written = String::new();
    if theirs(input).is_some_and(|value| write(&value, &mut written)) {
        assert_eq!(&*canonical, written.as_bytes(), "serde_json agrees");
    }
}

/// The canonical form by the words of OLPC: members in the order of their code points, and of escapes two. Whether it could be
/// written: where there are integers beyond 64 bits it cannot.
fn write(value: &Theirs, out: &mut String) -> bool {
    match value {
        Theirs::Number(number) if number.is_f64() => return false,
        Theirs::String(text) => quote(text, out),
        Theirs::Null | Theirs::Bool(_) | Theirs::Number(_) => {
            write!(out, "{value}").expect("a string");
        }
        Theirs::Array(values) => {
            out.push('[');
            for (place, value) in values.iter().enumerate() {
                out.push_str(if place > 0 { "," } else { "" });
                if !write(value, out) {
                    return false;
                }
            }
            out.push(']');
        }
        Theirs::Object(members) => {
            let mut members: Vec<(&String, &Theirs)> = members.iter().collect();
            members.sort_unstable_by(|one, other| one.0.chars().cmp(other.0.chars()));
            out.push('{');
            for (place, (name, value)) in members.into_iter().enumerate() {
                out.push_str(if place > 0 { "," } else { "" });
                quote(name, out);
                out.push(':');
                if !write(value, out) {
                    return false;
                }
            }
            out.push('}');
        }
    }
    true
}

fn quote(text: &str, out: &mut String) {
    out.push('"');
    out.push_str(&text.replace('\\', "\\\\").replace('"', "\\\""));
    out.push('"');
}
