//! Strings as they stand in the document, decoded only on demand.

use alloc::borrow::Cow;
use alloc::string::String;
use core::cmp::Ordering;
use core::fmt;
use core::str::Chars;

use super::index::Span;

/// A JSON string borrowed from the document, known to be well formed.
///
/// Comparing never allocates, and comparisons look at what the string means, not at how it is
/// escaped:
///
/// ```
/// use tuffet_core::json::Reader;
///
/// let text = Reader::new(br#""caf\u00e9""#)?.text()?;
/// assert!(text.equals("café"));
/// assert_eq!(text.decode(), "café");
/// assert_eq!(text.raw(), r"caf\u00e9");
/// # Ok::<(), tuffet_core::json::FormatError>(())
/// ```
#[derive(Clone, Copy)]
pub struct Text<'a> {
    raw: &'a str,
    offset: u32,
    escaped: bool,
}

impl<'a> Text<'a> {
    /// Wraps what stands between the quotes; `raw` must have passed the reader's checks, and
    /// `offset` is where the opening quote stands.
    pub(super) fn new(raw: &'a str, offset: usize, escaped: bool) -> Self {
        Self {
            raw,
            offset: Span::between(offset, offset).start,
            escaped,
        }
    }

    /// Returns what stands between the quotes, escapes included.
    #[must_use]
    pub fn raw(&self) -> &'a str {
        self.raw
    }

    /// Returns the string with its escapes resolved; borrowed if there are none.
    #[must_use]
    pub fn decode(&self) -> Cow<'a, str> {
        if !self.escaped {
            return Cow::Borrowed(self.raw);
        }
        let mut decoded = String::with_capacity(self.raw.len());
        decoded.extend(self.characters());
        Cow::Owned(decoded)
    }

    /// Tells whether the string, escapes resolved, is `other`.
    #[must_use]
    pub fn equals(&self, other: &str) -> bool {
        self.compare_str(other) == Ordering::Equal
    }

    /// Orders two strings by the code points of what they mean, which is the order of members in
    /// canonical JSON.
    #[must_use]
    pub fn compare(&self, other: &Text<'_>) -> Ordering {
        if self.escaped || other.escaped {
            self.characters().cmp(other.characters())
        } else {
            self.raw.cmp(other.raw)
        }
    }

    /// Orders the string and `other` by code points.
    #[must_use]
    pub fn compare_str(&self, other: &str) -> Ordering {
        if self.escaped {
            self.characters().cmp(other.chars())
        } else {
            self.raw.cmp(other)
        }
    }

    /// Returns where the opening quote stands, in bytes from the start of the input.
    #[must_use]
    pub fn offset(&self) -> usize {
        self.offset as usize
    }

    /// Returns where what stands between the quotes is.
    pub(super) fn span(&self) -> Span {
        let start = self.offset().saturating_add(1);
        Span::between(start, start.saturating_add(self.raw.len()))
    }

    /// Tells whether there are escapes to resolve.
    pub(super) fn is_escaped(&self) -> bool {
        self.escaped
    }

    /// Walks over the characters with escapes resolved.
    pub(super) fn characters(&self) -> Characters<'a> {
        Characters {
            rest: self.raw.chars(),
        }
    }
}

impl fmt::Debug for Text<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Text({:?})", self.decode())
    }
}

/// Characters of a well-formed string, escapes resolved.
#[derive(Clone)]
pub(super) struct Characters<'a> {
    rest: Chars<'a>,
}

impl Characters<'_> {
    fn unit(&mut self) -> Option<u32> {
        let (digits, rest) = self.rest.as_str().split_at_checked(4)?;
        self.rest = rest.chars();
        u32::from_str_radix(digits, 16).ok()
    }

    fn unicode_escape(&mut self) -> Option<char> {
        let unit = self.unit()?;
        if !(0xd800..0xdc00).contains(&unit) {
            return char::from_u32(unit);
        }
        self.rest = self.rest.as_str().strip_prefix("\\u")?.chars();
        let units = [u16::try_from(unit).ok()?, u16::try_from(self.unit()?).ok()?];
        char::decode_utf16(units).next()?.ok()
    }
}

impl Iterator for Characters<'_> {
    type Item = char;

    fn next(&mut self) -> Option<char> {
        let character = self.rest.next()?;
        if character != '\\' {
            return Some(character);
        }
        match self.rest.next()? {
            'b' => Some('\u{8}'),
            'f' => Some('\u{c}'),
            'n' => Some('\n'),
            'r' => Some('\r'),
            't' => Some('\t'),
            'u' => self.unicode_escape(),
            itself => Some(itself),
        }
    }
}
