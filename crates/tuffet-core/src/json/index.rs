//! Where values stand, so that they can be read when they are needed and not before.

use alloc::vec::Vec;
use core::ops::Range;
use core::str;

use super::order::Member;
use super::text::Text;

/// The range of bytes a value occupies in the input, without white space around it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Span {
    /// First byte of the value.
    pub start: u32,
    /// First byte behind the value.
    pub end: u32,
}

impl Span {
    /// Makes a span of two positions in an input a reader has accepted, which are below 4 GiB.
    pub(super) fn between(start: usize, end: usize) -> Self {
        let narrow = |position| u32::try_from(position).unwrap_or(u32::MAX);
        Self {
            start: narrow(start),
            end: narrow(end),
        }
    }

    /// Returns the bytes of the value; `None` if `input` is too short to be the input the span
    /// was made for.
    #[must_use]
    pub fn of(self, input: &[u8]) -> Option<&[u8]> {
        input.get(self.range())
    }

    pub(super) fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }

    /// Takes the span of a name for what it is: a string without its quotes.
    pub(super) fn name(self, text: &str) -> Option<Text<'_>> {
        let raw = text.get(self.range())?;
        let offset = (self.start as usize).checked_sub(1)?;
        Some(Text::new(raw, offset, raw.contains('\\')))
    }
}

/// The bytes of a signed value, as [`Reader::signed`](super::Reader::signed) found them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SignedSpan {
    /// Where the value stands.
    pub span: Span,
    /// Whether the bytes are the canonical form already, so that they are what was signed and
    /// need no copy.
    pub canonical: bool,
}

/// The members of one object, sorted by name, as positions in the input.
///
/// Takes 16 bytes a member, whatever the member holds. The input itself is not kept: give the
/// same bytes to [`Index::find`] as to the reader.
///
/// ```
/// use tuffet_core::json::Reader;
///
/// let input = br#"{"b.txt": {"length": 2}, "a.txt": {"length": 1}}"#;
/// let index = Reader::new(input)?.index(|reader, _name| reader.skip().map(drop))?;
/// let span = index.find(input, "a.txt").unwrap();
/// assert_eq!(span.of(input).unwrap(), br#"{"length": 1}"#);
/// assert_eq!(index.find(input, "c.txt"), None);
/// # Ok::<(), tuffet_core::json::FormatError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Index {
    members: Vec<Member>,
    escaped: bool,
}

impl Index {
    /// Makes an index of members that are in order.
    pub(super) fn new(mut members: Vec<Member>, escaped: bool) -> Self {
        members.shrink_to_fit();
        Self { members, escaped }
    }

    /// Returns the number of members.
    #[must_use]
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Tells whether there are no members.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Finds the value of the member called `name`, in time logarithmic in the number of members.
    #[must_use]
    pub fn find(&self, input: &[u8], name: &str) -> Option<Span> {
        let found = self.members.binary_search_by(|member| {
            let raw = member.name.of(input).unwrap_or_default();
            if self.escaped && raw.contains(&b'\\') {
                let text = Text::new(str::from_utf8(raw).unwrap_or_default(), 0, true);
                text.compare_str(name)
            } else {
                raw.cmp(name.as_bytes())
            }
        });
        self.members.get(found.ok()?).map(|member| member.value)
    }

    /// Returns the name and value of the member at `position` in the order of names.
    #[must_use]
    pub fn entry<'a>(&self, input: &'a [u8], position: usize) -> Option<(Text<'a>, Span)> {
        let member = self.members.get(position)?;
        let raw = str::from_utf8(member.name.of(input)?).ok()?;
        let offset = (member.name.start as usize).checked_sub(1)?;
        let name = Text::new(raw, offset, self.escaped && raw.contains('\\'));
        Some((name, member.value))
    }

    /// Walks over names and values in the order of names.
    pub fn iter<'a>(&self, input: &'a [u8]) -> impl Iterator<Item = (Text<'a>, Span)> {
        (0..self.members.len()).filter_map(move |position| self.entry(input, position))
    }
}
