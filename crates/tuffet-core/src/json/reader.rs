//! The pull reader.

mod structure;
mod tokens;

use alloc::format;
use alloc::vec::Vec;
use core::fmt;
use core::str;

use super::error::{FormatError, Reason};
use super::index::{Index, SignedSpan, Span};
use super::order::{Arrangement, Member};
use super::text::Text;

/// The type of a JSON value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Members with names.
    Object,
    /// A list of values.
    Array,
    /// A string.
    Text,
    /// A number.
    Number,
    /// `true` or `false`.
    Boolean,
    /// `null`.
    Null,
}

/// Reads one JSON document, value by value, without building a tree.
///
/// The caller asks for the value it needs next. Everything the document holds is checked, also
/// what is skipped: see the [module](super) for the rules.
///
/// A method that finds a value of another type reports [`Reason::Expected`], or for an integer
/// [`Reason::IntegerRange`], and leaves the value where it is, to be skipped or read in another
/// way. Any other error is final: the reader then behaves as if the document had ended, so that a
/// caller who ignores the error cannot be led to see a structure which the document does not have.
/// A document has been read when [`Reader::finish`] says so.
///
/// ```
/// use tuffet_core::json::{FormatError, Reader};
///
/// let mut reader = Reader::new(br#"{"length": 3, "name": "x", "extra": [1.5, null]}"#)?;
/// let (mut length, mut name) = (None, None);
/// reader.object(|reader, member| {
///     match member.decode().as_ref() {
///         "length" => length = Some(reader.unsigned()?),
///         "name" => name = Some(reader.text()?.decode()),
///         _ => drop(reader.skip()?),
///     }
///     Ok(())
/// })?;
/// reader.finish()?;
/// assert_eq!((length, name.as_deref()), (Some(3), Some("x")));
/// # Ok::<(), FormatError>(())
/// ```
pub struct Reader<'a> {
    text: &'a str,
    position: usize,
    depth: usize,
    signed: bool,
    canonical: bool,
    /// Members of the objects being read; each object uses the part from its own base on.
    members: Vec<Member>,
    /// How to arrange objects whose members are not in order, if that is asked for.
    arrangement: Option<Arrangement>,
}

impl<'a> Reader<'a> {
    /// Starts reading `input`.
    ///
    /// # Errors
    /// [`Reason::TooLarge`] above 4 GiB, [`Reason::ByteOrderMark`] and [`Reason::NotUtf8`].
    pub fn new(input: &'a [u8]) -> Result<Self, FormatError> {
        if u32::try_from(input.len()).is_err() {
            return Err(FormatError::new(0, Reason::TooLarge));
        }
        if input.starts_with(b"\xef\xbb\xbf") {
            return Err(FormatError::new(0, Reason::ByteOrderMark));
        }
        let text = str::from_utf8(input)
            .map_err(|error| FormatError::new(error.valid_up_to(), Reason::NotUtf8))?;
        Ok(Self {
            text,
            position: 0,
            depth: 0,
            signed: false,
            canonical: true,
            members: Vec::new(),
            arrangement: None,
        })
    }

    /// Returns how many bytes have been read.
    #[must_use]
    pub fn offset(&self) -> usize {
        self.position
    }

    /// Looks at the type of the next value without reading it.
    ///
    /// # Errors
    /// [`Reason::Truncated`] if there is no value, [`Reason::Syntax`] if it is not JSON.
    pub fn kind(&mut self) -> Result<Kind, FormatError> {
        self.whitespace();
        match self.peek() {
            Some(b'{') => Ok(Kind::Object),
            Some(b'[') => Ok(Kind::Array),
            Some(b'"') => Ok(Kind::Text),
            Some(b'-' | b'0'..=b'9') => Ok(Kind::Number),
            Some(b't' | b'f') => Ok(Kind::Boolean),
            Some(b'n') => Ok(Kind::Null),
            _ => Err(self.unexpected("not a JSON value")),
        }
    }

    /// Reads an object, calling `member` with each name. `member` has to read the value.
    ///
    /// # Errors
    /// Those of the document, [`Reason::DuplicateName`], and those of `member`, with the name
    /// added to their path.
    pub fn object(
        &mut self,
        mut member: impl FnMut(&mut Self, Text<'a>) -> Result<(), FormatError>,
    ) -> Result<(), FormatError> {
        let mut object = self.open_object()?;
        while let Some(name) = self.next_name(&mut object)? {
            let start = self.position;
            let outcome = member(self, name);
            let member = self.check_member(outcome, start, name)?;
            self.members.push(member);
        }
        self.close_object(&object)
    }

    /// Reads an object as [`Reader::object`] does, and remembers where its members stand.
    ///
    /// # Errors
    /// Those of [`Reader::object`].
    pub fn index(
        &mut self,
        mut entry: impl FnMut(&mut Self, Text<'a>) -> Result<(), FormatError>,
    ) -> Result<Index, FormatError> {
        let mut object = self.open_object()?;
        let mut members = Vec::new();
        while let Some(name) = self.next_name(&mut object)? {
            let start = self.position;
            let outcome = entry(self, name);
            members.push(self.check_member(outcome, start, name)?);
        }
        self.put_in_order(&object, &mut members)?;
        Ok(Index::new(members, object.escaped))
    }

    /// Reads an array, calling `element` with each position. `element` has to read the value.
    ///
    /// # Errors
    /// Those of the document and those of `element`, with the position added to their path.
    pub fn array(
        &mut self,
        mut element: impl FnMut(&mut Self, usize) -> Result<(), FormatError>,
    ) -> Result<(), FormatError> {
        self.open(Kind::Array, "an array")?;
        let mut count = 0_usize;
        while self.next_element(count == 0)? {
            let start = self.position;
            let outcome = element(self, count).and_then(|()| self.check_progress(start));
            if let Err(error) = outcome {
                self.spend();
                return Err(error.within(&format!("[{count}]")));
            }
            count = count.saturating_add(1);
        }
        Ok(())
    }

    /// Reads a string.
    ///
    /// # Errors
    /// [`Reason::Expected`], [`Reason::LoneSurrogate`], [`Reason::Syntax`],
    /// [`Reason::Truncated`].
    pub fn text(&mut self) -> Result<Text<'a>, FormatError> {
        self.expect_kind(Kind::Text, "a string")?;
        self.string()
    }

    /// Reads an integer from 0 to the largest signed 64-bit integer.
    ///
    /// # Errors
    /// [`Reason::Expected`] also for numbers with a fraction or an exponent,
    /// [`Reason::IntegerRange`], [`Reason::NegativeZero`], [`Reason::LeadingZero`].
    pub fn unsigned(&mut self) -> Result<u64, FormatError> {
        const WHAT: &str = "an integer";
        self.expect_kind(Kind::Number, WHAT)?;
        let start = self.position;
        let (number, is_integer) = self.number()?;
        let value = number
            .parse::<u64>()
            .ok()
            .filter(|value| i64::try_from(*value).is_ok());
        let reason = match value {
            Some(value) => return Ok(value),
            None if !is_integer => Reason::Expected(WHAT),
            None if number == "-0" => Reason::NegativeZero,
            None => Reason::IntegerRange,
        };
        self.position = start;
        Err(FormatError::new(start, reason))
    }

    /// Reads `true` or `false`.
    ///
    /// # Errors
    /// [`Reason::Expected`], [`Reason::Syntax`], [`Reason::Truncated`].
    pub fn boolean(&mut self) -> Result<bool, FormatError> {
        self.expect_kind(Kind::Boolean, "true or false")?;
        let value = self.peek() == Some(b't');
        self.literal(if value { "true" } else { "false" })?;
        Ok(value)
    }

    /// Reads a value of any type, checks it like any other and returns where it stands.
    ///
    /// # Errors
    /// Those of the document.
    pub fn skip(&mut self) -> Result<Span, FormatError> {
        self.spanned(Self::pass).map(|((), span)| span)
    }

    /// Calls `read` and returns where the value it read stands.
    ///
    /// # Errors
    /// Those of `read`.
    pub fn spanned<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, FormatError>,
    ) -> Result<(T, Span), FormatError> {
        self.whitespace();
        let start = self.position;
        let value = read(self)?;
        Ok((value, Span::between(start, self.position)))
    }

    /// Calls `read` and returns what it read and the bytes of it.
    ///
    /// # Errors
    /// Those of `read`.
    pub fn raw<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, FormatError>,
    ) -> Result<(T, &'a [u8]), FormatError> {
        let (value, span) = self.spanned(read)?;
        Ok((value, span.of(self.text.as_bytes()).unwrap_or_default()))
    }

    /// Calls `read` for a value that is signed: numbers have to be integers, and the answer tells
    /// whether the bytes are canonical JSON already.
    ///
    /// ```
    /// use tuffet_core::json::{FormatError, Reader, canonicalize};
    ///
    /// let input = br#"{"signed": {"version":1}, "signatures": []}"#;
    /// let mut signed = None;
    /// let mut reader = Reader::new(input)?;
    /// reader.object(|reader, name| {
    ///     if name.equals("signed") {
    ///         signed = Some(reader.signed(Reader::skip)?.1);
    ///         Ok(())
    ///     } else {
    ///         reader.skip().map(drop)
    ///     }
    /// })?;
    /// reader.finish()?;
    ///
    /// let signed = signed.expect("the document above has it");
    /// let bytes = signed.span.of(input).expect("the span is of this input");
    /// assert!(signed.canonical);
    /// assert_eq!(canonicalize(bytes)?, bytes);
    /// # Ok::<(), FormatError>(())
    /// ```
    ///
    /// # Errors
    /// Those of `read`, [`Reason::FloatInSigned`] and [`Reason::NegativeZero`].
    pub fn signed<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, FormatError>,
    ) -> Result<(T, SignedSpan), FormatError> {
        self.whitespace();
        let around = (self.signed, self.canonical);
        (self.signed, self.canonical) = (true, true);
        let start = self.position;
        let outcome = read(self).and_then(|value| self.check_progress(start).map(|()| value));
        let canonical = self.canonical;
        self.signed = around.0;
        self.canonical = around.1 && canonical;
        match outcome {
            Ok(value) => {
                let span = Span::between(start, self.position);
                Ok((value, SignedSpan { span, canonical }))
            }
            Err(error) => {
                self.spend();
                Err(error)
            }
        }
    }

    /// Ends reading: only white space may follow.
    ///
    /// # Errors
    /// [`Reason::Trailing`] if something else follows, [`Reason::Truncated`] if the reader
    /// reported an error before or is inside a value.
    pub fn finish(mut self) -> Result<(), FormatError> {
        self.whitespace();
        if self.position < self.text.len() {
            Err(FormatError::new(self.position, Reason::Trailing))
        } else if self.depth > 0 {
            Err(FormatError::new(self.position, Reason::Truncated))
        } else {
            Ok(())
        }
    }

    /// Has the reader remember how to put objects in order that are not.
    pub(super) fn arrange(&mut self) {
        self.arrangement = Some(Arrangement::default());
    }

    /// Returns how to put objects in order that are not.
    pub(super) fn arrangement(&mut self) -> Arrangement {
        self.arrangement.take().unwrap_or_default().seal()
    }

    /// Returns all the reader was given.
    pub(super) fn source(&self) -> &'a str {
        self.text
    }

    fn pass(&mut self) -> Result<(), FormatError> {
        match self.kind()? {
            Kind::Object => self.object(|reader, _| reader.pass()),
            Kind::Array => self.array(|reader, _| reader.pass()),
            Kind::Text => self.string().map(drop),
            Kind::Number => self.number().map(drop),
            Kind::Boolean => self.boolean().map(drop),
            Kind::Null => self.literal("null"),
        }
    }
}

impl fmt::Debug for Reader<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Reader")
            .field("offset", &self.position)
            .field("length", &self.text.len())
            .finish_non_exhaustive()
    }
}
