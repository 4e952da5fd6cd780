//! Why a document was refused, and where.

use alloc::format;
use alloc::string::String;
use core::fmt;

/// Longest piece of a document quoted in an error, in characters.
const QUOTED: usize = 80;

/// A document that is not what it has to be: where it went wrong and why.
///
/// The path is built while the error travels outwards through
/// [`Reader::object`](super::Reader::object) and [`Reader::array`](super::Reader::array), so a
/// document without errors pays nothing for it.
///
/// ```
/// use tuffet_core::json::{Reader, Reason};
///
/// let mut reader = Reader::new(br#"{"roles": [1, "two"]}"#)?;
/// let error = reader
///     .object(|reader, _| reader.array(|reader, _| reader.unsigned().map(drop)))
///     .unwrap_err();
/// assert_eq!(error.path, "roles[1]");
/// assert_eq!(error.reason, Reason::Expected("an integer"));
/// assert_eq!(error.to_string(), "expected an integer in roles[1] at byte 14");
/// # Ok::<(), tuffet_core::json::FormatError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormatError {
    /// Byte offset into the input the reader was given.
    pub offset: usize,
    /// Members and elements leading to the place, as `signed.roles.root.keyids[2]`; empty for the
    /// outermost value. Control characters in names are escaped and long names are cut.
    pub path: String,
    /// What is wrong.
    pub reason: Reason,
}

impl FormatError {
    /// Reports `reason` at `offset`, at the outermost level.
    #[must_use]
    pub fn new(offset: usize, reason: Reason) -> Self {
        Self {
            offset,
            path: String::new(),
            reason,
        }
    }

    /// Puts `segment` in front of the path: a member name, or `[3]` for an element.
    #[must_use]
    pub fn within(mut self, segment: &str) -> Self {
        let separator = if self.path.is_empty() || self.path.starts_with('[') {
            ""
        } else {
            "."
        };
        self.path = format!("{}{separator}{}", quoted(segment), self.path);
        self
    }

    /// Names the kind of error in a form that stays the same between releases.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.reason.code()
    }
}

impl fmt::Display for FormatError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.reason)?;
        if !self.path.is_empty() {
            write!(formatter, " in {}", self.path)?;
        }
        write!(formatter, " at byte {}", self.offset)
    }
}

impl core::error::Error for FormatError {}

/// What is wrong with a document.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// The bytes are not UTF-8.
    NotUtf8,
    /// The document begins with a byte order mark.
    ByteOrderMark,
    /// The document is longer than positions can express (4 GiB).
    TooLarge,
    /// Objects and arrays are nested more than [`MAX_DEPTH`](super::MAX_DEPTH) deep.
    TooDeep,
    /// The document ends in the middle of a value.
    Truncated,
    /// Something other than white space follows the value.
    Trailing,
    /// The text is not JSON.
    Syntax(&'static str),
    /// Two members of one object have the same name once escapes are resolved; holds the name,
    /// cut to 80 characters.
    DuplicateName(String),
    /// A string holds half of a surrogate pair, which no text can contain.
    LoneSurrogate,
    /// A number with a fraction or an exponent appears where the canonical form is needed.
    FloatInSigned,
    /// The integer is written `-0`, a second spelling of zero.
    NegativeZero,
    /// A number begins with a superfluous zero.
    LeadingZero,
    /// The integer is negative or above the largest signed 64-bit integer.
    IntegerRange,
    /// The value has another type than the one needed.
    Expected(&'static str),
    /// A member that has to be there is not.
    Missing(&'static str),
    /// The value has the right type and no acceptable content.
    Invalid(&'static str),
}

impl Reason {
    /// Reports the name that appears twice.
    pub(super) fn duplicate(name: &str) -> Self {
        Self::DuplicateName(name.chars().take(QUOTED).collect())
    }

    fn code(&self) -> &'static str {
        match self {
            Self::NotUtf8 => "format.utf8",
            Self::ByteOrderMark => "format.byte-order-mark",
            Self::TooLarge => "format.size",
            Self::TooDeep => "format.depth",
            Self::Truncated => "format.truncated",
            Self::Trailing => "format.trailing",
            Self::Syntax(_) => "format.syntax",
            Self::DuplicateName(_) => "format.duplicate-name",
            Self::LoneSurrogate => "format.surrogate",
            Self::FloatInSigned => "format.float",
            Self::NegativeZero => "format.negative-zero",
            Self::LeadingZero => "format.leading-zero",
            Self::IntegerRange => "format.integer-range",
            Self::Expected(_) => "format.type",
            Self::Missing(_) => "format.missing",
            Self::Invalid(_) => "format.invalid",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotUtf8 => formatter.write_str("bytes that are not UTF-8"),
            Self::ByteOrderMark => formatter.write_str("byte order mark before the document"),
            Self::TooLarge => formatter.write_str("document longer than 4 GiB"),
            Self::TooDeep => {
                write!(
                    formatter,
                    "objects and arrays nested more than {} deep",
                    super::MAX_DEPTH
                )
            }
            Self::Truncated => formatter.write_str("document ends in the middle of a value"),
            Self::Trailing => formatter.write_str("unexpected bytes after the document"),
            Self::Syntax(what) | Self::Invalid(what) => formatter.write_str(what),
            Self::DuplicateName(name) => {
                write!(formatter, "member name \"{}\" appears twice", quoted(name))
            }
            Self::LoneSurrogate => formatter.write_str("escape of half a surrogate pair"),
            Self::FloatInSigned => {
                formatter.write_str("number with a fraction or exponent, which cannot be signed")
            }
            Self::NegativeZero => formatter.write_str("integer written as -0"),
            Self::LeadingZero => formatter.write_str("number with a leading zero"),
            Self::IntegerRange => write!(formatter, "integer outside 0 to {}", i64::MAX),
            Self::Expected(what) => write!(formatter, "expected {what}"),
            Self::Missing(name) => write!(formatter, "member \"{name}\" is missing"),
        }
    }
}

/// Makes a name from a document fit to be shown: a hostile one may hold terminal commands or
/// fill a log.
fn quoted(name: &str) -> String {
    let mut characters = name.chars();
    let mut shown = String::new();
    for character in characters.by_ref().take(QUOTED) {
        if character.is_control() {
            shown.extend(character.escape_unicode());
        } else {
            shown.push(character);
        }
    }
    if characters.next().is_some() {
        shown.push('…');
    }
    shown
}
