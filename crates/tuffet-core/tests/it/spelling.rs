//! JSON values to test with, and the many ways to write one of them down.

use proptest::prelude::*;
use proptest::sample::select;
use tuffet_core::json::Value;

/// Pieces of strings that have been trouble somewhere: escapes, control characters, names that
/// differ only in normalisation, characters whose order differs between UTF-8 and UTF-16.
const PIECES: [&str; 24] = [
    "a",
    "b",
    "aa",
    "A",
    "\"",
    "\\",
    "/",
    "\n",
    "\t",
    "\0",
    "\u{1f}",
    "\u{7f}",
    "n",
    "u0061",
    "é",
    "e\u{301}",
    "\u{ffff}",
    "\u{10000}",
    "\u{1f600}",
    "\u{e000}",
    "\u{2028}",
    "{",
    ":",
    "long enough for several words",
];

/// Strings, mostly short and made of troublesome pieces.
pub(crate) fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => prop::collection::vec(select(&PIECES[..]), 0..4).prop_map(|pieces| pieces.concat()),
        1 => any::<String>(),
    ]
}

fn integer() -> impl Strategy<Value = Value> {
    let written = prop_oneof![
        3 => (-20_i64..20).prop_map(|number| number.to_string()),
        1 => any::<i64>().prop_map(|number| number.to_string()),
        1 => any::<u64>().prop_map(|number| number.to_string()),
        1 => "-?[1-9][0-9]{0,40}",
    ];
    written.prop_map(|written| Value::parse(written.as_bytes()).expect("an integer"))
}

/// Values of every kind, nested a few levels deep.
pub(crate) fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        1 => Just(Value::Null),
        1 => any::<bool>().prop_map(Value::from),
        2 => integer(),
        3 => text().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            1 => prop::collection::vec(inner.clone(), 0..6).prop_map(Value::Array),
            2 => prop::collection::btree_map(text(), inner, 0..6).prop_map(Value::Object),
        ]
    })
}

/// Writes values in spellings picked by a seed: white space, order of members, escapes.
pub(crate) struct Speller {
    state: u64,
}

impl Speller {
    pub(crate) fn new(seed: u64) -> Self {
        Self { state: seed | 1 }
    }

    fn pick(&mut self, below: usize) -> usize {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        (self.state >> 33) as usize % below
    }

    fn space(&mut self, output: &mut String) {
        if self.pick(3) == 0 {
            let spaces = ["", " ", "\n", "\t", "\r\n", "          "];
            output.push_str(spaces[self.pick(spaces.len())]);
        }
    }

    /// Spells `value`.
    pub(crate) fn spell(&mut self, value: &Value) -> String {
        let mut output = String::new();
        self.value(&mut output, value);
        output
    }

    fn value(&mut self, output: &mut String, value: &Value) {
        self.space(output);
        match value {
            Value::Null => output.push_str("null"),
            Value::Bool(truth) => output.push_str(if *truth { "true" } else { "false" }),
            Value::Integer(integer) => output.push_str(integer.as_str()),
            Value::Text(text) => self.text(output, text),
            Value::Array(elements) => {
                output.push('[');
                for (position, element) in elements.iter().enumerate() {
                    if position > 0 {
                        output.push(',');
                    }
                    self.value(output, element);
                }
                self.space(output);
                output.push(']');
            }
            Value::Object(members) => {
                let mut members: Vec<_> = members.iter().collect();
                if self.pick(2) == 0 {
                    for last in (1..members.len()).rev() {
                        let other = self.pick(last + 1);
                        members.swap(last, other);
                    }
                }
                output.push('{');
                for (position, (name, value)) in members.into_iter().enumerate() {
                    if position > 0 {
                        output.push(',');
                    }
                    self.space(output);
                    self.text(output, name);
                    self.space(output);
                    output.push(':');
                    self.value(output, value);
                }
                self.space(output);
                output.push('}');
            }
        }
        self.space(output);
    }

    fn text(&mut self, output: &mut String, text: &str) {
        output.push('"');
        for character in text.chars() {
            let plain = !matches!(character, '"' | '\\' | '\0'..='\u{1f}');
            match self.pick(8) {
                0 => self.unicode_escape(output, character),
                1 if character == '/' => output.push_str("\\/"),
                _ if plain => output.push(character),
                _ => match character {
                    '"' => output.push_str("\\\""),
                    '\\' => output.push_str("\\\\"),
                    '\n' => output.push_str("\\n"),
                    '\t' => output.push_str("\\t"),
                    _ => self.unicode_escape(output, character),
                },
            }
        }
        output.push('"');
    }

    fn unicode_escape(&mut self, output: &mut String, character: char) {
        for unit in character.encode_utf16(&mut [0; 2]) {
            let digits = if self.pick(2) == 0 {
                format!("{unit:04x}")
            } else {
                format!("{unit:04X}")
            };
            output.push_str("\\u");
            output.push_str(&digits);
        }
    }
}
