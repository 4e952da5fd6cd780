//! Where values stand, so that they can be read when they are needed and not before.

use alloc::vec::Vec;
use core::cmp::Ordering;
use core::ops::Range;
use core::str;

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

    /// Adds the quotes to the span of a name.
    pub(super) fn quoted(self) -> Self {
        Self {
            start: self.start.saturating_sub(1),
            end: self.end.saturating_add(1),
        }
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

/// Where the name (without its quotes) and the value of a member stand.
#[derive(Clone, Copy, Debug)]
pub(super) struct Member {
    pub(super) name: Span,
    pub(super) value: Span,
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

/// Up to this many names are sorted where they are.
const FEW: usize = 32;

/// Sorts `items` by the names found at their spans, and returns the later one of two equal names
/// if there are any. `escaped` tells whether any of the names holds an escape.
pub(super) fn sort_by_name<T: Copy>(
    text: &str,
    escaped: bool,
    items: &mut [T],
    span: impl Fn(&T) -> Span,
) -> Option<Span> {
    let compare = |left: &T, right: &T| {
        let (left, right) = (span(left), span(right));
        if escaped {
            match (left.name(text), right.name(text)) {
                (Some(left), Some(right)) => left.compare(&right),
                (left, right) => left.is_some().cmp(&right.is_some()),
            }
        } else {
            left.of(text.as_bytes()).cmp(&right.of(text.as_bytes()))
        }
    };
    if !escaped && items.len() > FEW {
        return sort_many(text.as_bytes(), items, &span, compare);
    }
    items.sort_unstable_by(compare);
    let mut pairs = items.iter().zip(items.iter().skip(1));
    let (left, right) = pairs.find(|(left, right)| compare(left, right) == Ordering::Equal)?;
    Some(later(span(left), span(right)))
}

/// Sorts with the first bytes in which the names differ kept beside each item: most comparisons
/// are then decided without a visit to the input, which for a million names is several times as
/// fast.
fn sort_many<T: Copy>(
    bytes: &[u8],
    items: &mut [T],
    span: impl Fn(&T) -> Span,
    compare: impl Fn(&T, &T) -> Ordering,
) -> Option<Span> {
    let name = |item: &T| span(item).of(bytes).unwrap_or_default();
    let first = items.first().map(name).unwrap_or_default();
    let shared = items.iter().fold(first.len(), |shared, item| {
        let pairs = first.iter().take(shared).zip(name(item));
        pairs.take_while(|(left, right)| left == right).count()
    });
    let leading = |item: &T| {
        let mut leading = [0; 8];
        leading
            .iter_mut()
            .zip(name(item).iter().skip(shared))
            .for_each(|(to, from)| *to = *from);
        u64::from_be_bytes(leading)
    };
    let mut keyed: Vec<(u64, T)> = items.iter().map(|item| (leading(item), *item)).collect();
    let compare = |left: &(u64, T), right: &(u64, T)| {
        left.0
            .cmp(&right.0)
            .then_with(|| compare(&left.1, &right.1))
    };
    keyed.sort_unstable_by(compare);
    items
        .iter_mut()
        .zip(&keyed)
        .for_each(|(to, (_, from))| *to = *from);
    let mut pairs = keyed.iter().zip(keyed.iter().skip(1));
    let (left, right) = pairs.find(|(left, right)| compare(left, right) == Ordering::Equal)?;
    Some(later(span(&left.1), span(&right.1)))
}

fn later(left: Span, right: Span) -> Span {
    if left.start > right.start {
        left
    } else {
        right
    }
}
