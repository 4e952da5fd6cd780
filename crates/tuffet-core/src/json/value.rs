//! JSON values that can be built and changed, for authoring and for showing what a file holds.

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use super::canonical::{Controls, push_string};
use super::error::FormatError;
use super::reader::{Kind, Reader};

/// A JSON value in memory of its own.
///
/// Verification does not use it: what was signed is read where it stands. It is for writing
/// metadata, and for changing metadata of which only a part is understood: members that nobody
/// asked for are kept, and come out as they went in (TUF §4).
///
/// Numbers are integers, as in everything that is signed.
///
/// ```
/// use tuffet_core::json::Value;
///
/// let mut value = Value::parse(br#"{"version": 7, "x-unknown": 12345678901234567890123}"#)?;
/// if let Some(version) = value.get_mut("version") {
///     *version = Value::from(8);
/// }
/// assert_eq!(value.canonical(), br#"{"version":8,"x-unknown":12345678901234567890123}"#);
/// # Ok::<(), tuffet_core::json::FormatError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// An integer of any size.
    Integer(Integer),
    /// A string.
    Text(String),
    /// A list of values.
    Array(Vec<Value>),
    /// Members with names, in the order of the canonical form.
    Object(BTreeMap<String, Value>),
}

impl Value {
    /// Reads the one value in `input`.
    ///
    /// # Errors
    /// Those of reading signed JSON: see the [module](super).
    pub fn parse(input: &[u8]) -> Result<Self, FormatError> {
        let mut reader = Reader::new(input)?;
        let value = Self::read(&mut reader)?;
        reader.finish()?;
        Ok(value)
    }

    /// Reads the next value of `reader`.
    ///
    /// # Errors
    /// As for [`Value::parse`].
    pub fn read(reader: &mut Reader<'_>) -> Result<Self, FormatError> {
        reader.signed(Self::tree).map(|(value, _)| value)
    }

    fn tree(reader: &mut Reader<'_>) -> Result<Self, FormatError> {
        Ok(match reader.kind()? {
            Kind::Object => {
                let mut members = BTreeMap::new();
                reader.object(|reader, name| {
                    members.insert(name.decode().into_owned(), Self::tree(reader)?);
                    Ok(())
                })?;
                Self::Object(members)
            }
            Kind::Array => {
                let mut elements = Vec::new();
                reader.array(|reader, _| {
                    elements.push(Self::tree(reader)?);
                    Ok(())
                })?;
                Self::Array(elements)
            }
            Kind::Text => Self::Text(reader.text()?.decode().into_owned()),
            Kind::Number => {
                let span = reader.skip()?;
                let digits = reader.source().get(span.range()).unwrap_or_default();
                Self::Integer(Integer(digits.to_string()))
            }
            Kind::Boolean => Self::Bool(reader.boolean()?),
            Kind::Null => {
                reader.skip()?;
                Self::Null
            }
        })
    }

    /// Returns the canonical form, over which digests and signatures are made.
    ///
    /// It is not JSON if a string holds control characters: to write a file use
    /// [`Value::to_compact_json`].
    #[must_use]
    pub fn canonical(&self) -> Vec<u8> {
        self.written(Layout {
            controls: Controls::Raw,
            pretty: false,
        })
    }

    /// Returns JSON without white space, members in canonical order. It is the canonical form
    /// itself unless a string holds control characters, which are escaped here.
    #[must_use]
    pub fn to_compact_json(&self) -> Vec<u8> {
        self.written(Layout {
            controls: Controls::Escaped,
            pretty: false,
        })
    }

    /// Returns JSON with a line for each member and element, indented by two spaces a level.
    #[must_use]
    pub fn to_pretty_json(&self) -> Vec<u8> {
        self.written(Layout {
            controls: Controls::Escaped,
            pretty: true,
        })
    }

    fn written(&self, layout: Layout) -> Vec<u8> {
        // Objects mostly are longer than this, and growing from nothing takes several steps.
        let mut output = match self {
            Self::Object(_) | Self::Array(_) => Vec::with_capacity(512),
            _ => Vec::new(),
        };
        layout.value(&mut output, self, 0);
        output
    }

    /// Returns the member called `name`, if this is an object that has it.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.as_object()?.get(name)
    }

    /// Returns the member called `name` for changing it.
    #[must_use]
    pub fn get_mut(&mut self, name: &str) -> Option<&mut Value> {
        self.as_object_mut()?.get_mut(name)
    }

    /// Tells whether this is `null`.
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// Returns the truth value, if this is one.
    #[must_use]
    pub fn as_bool(&self) -> Option<bool> {
        if let Self::Bool(value) = self {
            Some(*value)
        } else {
            None
        }
    }

    /// Returns the integer, if this is one and it fits.
    #[must_use]
    pub fn as_u64(&self) -> Option<u64> {
        if let Self::Integer(value) = self {
            value.as_u64()
        } else {
            None
        }
    }

    /// Returns the string, if this is one.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        if let Self::Text(value) = self {
            Some(value)
        } else {
            None
        }
    }

    /// Returns the elements, if this is an array.
    #[must_use]
    pub fn as_array(&self) -> Option<&[Value]> {
        if let Self::Array(elements) = self {
            Some(elements)
        } else {
            None
        }
    }

    /// Returns the elements for changing them.
    #[must_use]
    pub fn as_array_mut(&mut self) -> Option<&mut Vec<Value>> {
        if let Self::Array(elements) = self {
            Some(elements)
        } else {
            None
        }
    }

    /// Returns the members, if this is an object.
    #[must_use]
    pub fn as_object(&self) -> Option<&BTreeMap<String, Value>> {
        if let Self::Object(members) = self {
            Some(members)
        } else {
            None
        }
    }

    /// Returns the members for changing them.
    #[must_use]
    pub fn as_object_mut(&mut self) -> Option<&mut BTreeMap<String, Value>> {
        if let Self::Object(members) = self {
            Some(members)
        } else {
            None
        }
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<u64> for Value {
    fn from(value: u64) -> Self {
        Self::Integer(Integer::from(value))
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(value.to_string())
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl FromIterator<Value> for Value {
    fn from_iter<I: IntoIterator<Item = Value>>(elements: I) -> Self {
        Self::Array(elements.into_iter().collect())
    }
}

impl<N: Into<String>> FromIterator<(N, Value)> for Value {
    fn from_iter<I: IntoIterator<Item = (N, Value)>>(members: I) -> Self {
        Self::Object(
            members
                .into_iter()
                .map(|(name, value)| (name.into(), value))
                .collect(),
        )
    }
}

/// An integer as it is written in decimal, of any size.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Integer(String);

impl Integer {
    /// Returns the digits, with a sign if negative.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the value, if it is not negative and fits.
    #[must_use]
    pub fn as_u64(&self) -> Option<u64> {
        self.0.parse().ok()
    }

    /// Returns the value, if it fits.
    #[must_use]
    pub fn as_i64(&self) -> Option<i64> {
        self.0.parse().ok()
    }
}

impl From<u64> for Integer {
    fn from(value: u64) -> Self {
        Self(value.to_string())
    }
}

impl From<i64> for Integer {
    fn from(value: i64) -> Self {
        Self(value.to_string())
    }
}

impl fmt::Display for Integer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// How a value is written.
#[derive(Clone, Copy)]
struct Layout {
    controls: Controls,
    pretty: bool,
}

impl Layout {
    fn value(self, output: &mut Vec<u8>, value: &Value, level: usize) {
        match value {
            Value::Null => output.extend_from_slice(b"null"),
            Value::Bool(true) => output.extend_from_slice(b"true"),
            Value::Bool(false) => output.extend_from_slice(b"false"),
            Value::Integer(integer) => output.extend_from_slice(integer.as_str().as_bytes()),
            Value::Text(text) => push_string(output, text, self.controls),
            Value::Array(elements) => {
                self.list(output, b"[]", level, elements, |output, element, level| {
                    self.value(output, element, level);
                })
            }
            Value::Object(members) => self.list(
                output,
                b"{}",
                level,
                members,
                |output, (name, value), level| {
                    push_string(output, name, self.controls);
                    output.extend_from_slice(if self.pretty { b": " } else { b":" });
                    self.value(output, value, level);
                },
            ),
        }
    }

    fn list<T>(
        self,
        output: &mut Vec<u8>,
        [open, close]: &[u8; 2],
        level: usize,
        items: impl IntoIterator<Item = T>,
        mut item: impl FnMut(&mut Vec<u8>, T, usize),
    ) {
        let inner = level.saturating_add(1);
        let mut is_empty = true;
        output.push(*open);
        for each in items {
            if !is_empty {
                output.push(b',');
            }
            is_empty = false;
            self.line(output, inner);
            item(output, each, inner);
        }
        if !is_empty {
            self.line(output, level);
        }
        output.push(*close);
    }

    fn line(self, output: &mut Vec<u8>, level: usize) {
        if self.pretty {
            output.push(b'\n');
            output.extend(core::iter::repeat_n(b' ', level.saturating_mul(2)));
        }
    }
}
