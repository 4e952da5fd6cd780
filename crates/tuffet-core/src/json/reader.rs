//! The pull reader.

use alloc::format;
use alloc::vec::Vec;
use core::cmp::Ordering;
use core::str;

use super::MAX_DEPTH;
use super::error::{FormatError, Reason};
use super::index::{Index, Member, SignedSpan, Span, sort_by_name};
use super::scan::{self, Members};
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
/// A method that finds a value of another type reports [`Reason::Expected`] and leaves the value
/// where it is, to be skipped or read in another way. Any other error is final: the reader then
/// behaves as if the document had ended, so that a caller who ignores the error cannot be led to
/// see a structure which the document does not have.
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
#[derive(Debug)]
pub struct Reader<'a> {
    text: &'a str,
    position: usize,
    depth: usize,
    signed: bool,
    canonical: bool,
    /// Names of the objects being read whose members are not in order; each object uses the part
    /// from its own base on.
    names: Vec<Span>,
    /// Where objects whose members are not in order begin, if that is of interest.
    unordered: Option<Vec<u32>>,
}

/// What has been seen of the object being read.
struct Progress<'a> {
    open: usize,
    previous: Option<Text<'a>>,
    ordered: bool,
    escaped: bool,
    /// Whether the reader is to collect names out of order; an index has them anyway.
    collect: bool,
    base: usize,
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
            names: Vec::new(),
            unordered: None,
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
        let mut progress = self.open_object(true)?;
        while let Some(name) = self.next_name(&mut progress)? {
            let start = self.position;
            let outcome = member(self, name);
            self.check_member(outcome, start, name)?;
        }
        self.close_object(&progress)
    }

    /// Reads an object as [`Reader::object`] does, and remembers where its members stand.
    ///
    /// # Errors
    /// Those of [`Reader::object`].
    pub fn index(
        &mut self,
        mut entry: impl FnMut(&mut Self, Text<'a>) -> Result<(), FormatError>,
    ) -> Result<Index, FormatError> {
        let mut progress = self.open_object(false)?;
        let mut members = Vec::new();
        while let Some(name) = self.next_name(&mut progress)? {
            let start = self.position;
            let outcome = entry(self, name);
            self.check_member(outcome, start, name)?;
            members.push(Member {
                name: name.span(),
                value: Span::between(start, self.position),
            });
        }
        if !progress.ordered {
            let span = |member: &Member| member.name;
            let repeated = sort_by_name(self.text, progress.escaped, &mut members, span);
            self.refuse_repeated(repeated)?;
        }
        Ok(Index::new(members, progress.escaped))
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

    /// Calls `read` for a value that is signed: numbers have to be integers, and the answer tells
    /// whether the bytes are canonical JSON already.
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

    /// Has the reader remember where objects out of order begin.
    pub(super) fn note_unordered(&mut self) {
        self.unordered = Some(Vec::new());
    }

    /// Returns where objects out of order begin, in no particular order.
    pub(super) fn take_unordered(&mut self) -> Vec<u32> {
        self.unordered.take().unwrap_or_default()
    }

    /// Reads a number and returns how it is written, and whether it is an integer.
    pub(super) fn number_text(&mut self) -> Result<(&'a str, bool), FormatError> {
        self.expect_kind(Kind::Number, "a number")?;
        self.number()
    }

    /// Reads `null`.
    pub(super) fn null(&mut self) -> Result<(), FormatError> {
        self.expect_kind(Kind::Null, "null")?;
        self.literal("null")
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

/// Structure: braces, brackets, commas, colons and the order of names.
impl<'a> Reader<'a> {
    fn open(&mut self, kind: Kind, what: &'static str) -> Result<(), FormatError> {
        self.expect_kind(kind, what)?;
        if self.depth >= MAX_DEPTH {
            return Err(self.refuse(self.position, Reason::TooDeep));
        }
        self.depth = self.depth.saturating_add(1);
        self.advance(1);
        Ok(())
    }

    fn close(&mut self) {
        self.depth = self.depth.saturating_sub(1);
        self.advance(1);
    }

    fn open_object(&mut self, collect: bool) -> Result<Progress<'a>, FormatError> {
        self.open(Kind::Object, "an object")?;
        Ok(Progress {
            open: self.position.saturating_sub(1),
            previous: None,
            ordered: true,
            escaped: false,
            collect,
            base: self.names.len(),
        })
    }

    /// Reads up to the next value and returns its name, or reads the closing brace.
    fn next_name(&mut self, object: &mut Progress<'a>) -> Result<Option<Text<'a>>, FormatError> {
        self.whitespace();
        match self.peek() {
            Some(b'}') => {
                self.close();
                return Ok(None);
            }
            Some(b',') if object.previous.is_some() => {
                self.advance(1);
                self.whitespace();
            }
            Some(b'"') if object.previous.is_none() => {}
            _ if object.previous.is_some() => {
                return Err(self.unexpected("no comma or brace after a member"));
            }
            _ => {}
        }
        if self.peek() != Some(b'"') {
            return Err(self.unexpected("no member name where one has to be"));
        }
        let name = self.string()?;
        self.note_name(object, name)?;
        self.whitespace();
        if self.peek() != Some(b':') {
            return Err(self.unexpected("no colon after a member name"));
        }
        self.advance(1);
        self.whitespace();
        Ok(Some(name))
    }

    fn note_name(&mut self, object: &mut Progress<'a>, name: Text<'a>) -> Result<(), FormatError> {
        object.escaped |= name.is_escaped();
        let order = match object.previous {
            Some(previous) => previous.compare(&name),
            None => Ordering::Less,
        };
        if order == Ordering::Equal {
            return Err(self.refuse(name.offset(), Reason::duplicate(&name.decode())));
        }
        if order == Ordering::Greater && object.ordered {
            self.lose_order(object, name);
        }
        if !object.ordered && object.collect {
            self.names.push(name.span());
        }
        object.previous = Some(name);
        Ok(())
    }

    /// Notes that `name` comes before a name already seen. From now on names have to be
    /// remembered to find duplicates; those seen so far are read again.
    #[cold]
    fn lose_order(&mut self, object: &mut Progress<'a>, name: Text<'a>) {
        object.ordered = false;
        self.canonical = false;
        if let Some(unordered) = &mut self.unordered {
            unordered.push(Span::between(object.open, object.open).start);
        }
        if object.collect {
            let seen = self
                .text
                .as_bytes()
                .get(..name.offset())
                .unwrap_or_default();
            self.names
                .extend(Members::new(seen, object.open).map(|member| member.name));
        }
    }

    fn close_object(&mut self, object: &Progress<'a>) -> Result<(), FormatError> {
        if object.ordered {
            return Ok(());
        }
        let names = self.names.get_mut(object.base..).unwrap_or_default();
        let repeated = sort_by_name(self.text, object.escaped, names, |name| *name);
        self.names.truncate(object.base);
        self.refuse_repeated(repeated)
    }

    fn refuse_repeated(&mut self, repeated: Option<Span>) -> Result<(), FormatError> {
        match repeated.and_then(|span| span.name(self.text)) {
            Some(name) => Err(self.refuse(name.offset(), Reason::duplicate(&name.decode()))),
            None => Ok(()),
        }
    }

    /// Reads up to the next element and tells whether there is one, or reads the closing bracket.
    fn next_element(&mut self, first: bool) -> Result<bool, FormatError> {
        self.whitespace();
        match self.peek() {
            Some(b']') => {
                self.close();
                return Ok(false);
            }
            Some(b',') if !first => {
                self.advance(1);
                self.whitespace();
            }
            Some(_) if first => {}
            _ => return Err(self.unexpected("no comma or bracket after an element")),
        }
        if matches!(self.peek(), Some(b']' | b',')) {
            return Err(self.unexpected("no value where one has to be"));
        }
        Ok(true)
    }

    #[inline]
    fn check_member(
        &mut self,
        outcome: Result<(), FormatError>,
        start: usize,
        name: Text<'a>,
    ) -> Result<(), FormatError> {
        match outcome.and_then(|()| self.check_progress(start)) {
            Ok(()) => Ok(()),
            Err(error) => {
                self.spend();
                Err(error.within(&name.decode()))
            }
        }
    }

    #[inline]
    fn check_progress(&mut self, start: usize) -> Result<(), FormatError> {
        if self.position > start {
            Ok(())
        } else {
            Err(self.unexpected("value that nothing reads"))
        }
    }
}

/// Tokens.
impl<'a> Reader<'a> {
    #[inline]
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.position).copied()
    }

    #[inline]
    fn advance(&mut self, bytes: usize) {
        self.position = self.position.saturating_add(bytes);
    }

    #[inline]
    fn whitespace(&mut self) {
        let after = scan::after_whitespace(self.text.as_bytes(), self.position);
        self.canonical &= after == self.position;
        self.position = after;
    }

    fn expect_kind(&mut self, kind: Kind, what: &'static str) -> Result<(), FormatError> {
        if self.kind()? == kind {
            Ok(())
        } else {
            Err(FormatError::new(self.position, Reason::Expected(what)))
        }
    }

    /// Reads a string; the reader stands at its opening quote.
    fn string(&mut self) -> Result<Text<'a>, FormatError> {
        let open = self.position;
        let start = open.saturating_add(1);
        let mut escaped = false;
        self.position = start;
        loop {
            self.position = scan::special(self.text.as_bytes(), self.position);
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => {
                    escaped = true;
                    self.escape()?;
                }
                _ => return Err(self.unexpected("control character in a string")),
            }
        }
        let raw = self.text.get(start..self.position).unwrap_or_default();
        self.advance(1);
        Ok(Text::new(raw, open, escaped))
    }

    /// Reads an escape; the reader stands at its backslash.
    fn escape(&mut self) -> Result<(), FormatError> {
        let start = self.position;
        self.advance(1);
        match self.peek() {
            Some(b'"' | b'\\') => self.advance(1),
            Some(b'/' | b'b' | b'f' | b'n' | b'r' | b't') => {
                self.canonical = false;
                self.advance(1);
            }
            Some(b'u') => {
                self.canonical = false;
                self.advance(1);
                self.unicode_escape(start)?;
            }
            _ => return Err(self.unexpected("unknown escape in a string")),
        }
        Ok(())
    }

    fn unicode_escape(&mut self, start: usize) -> Result<(), FormatError> {
        match self.hexadecimal()? {
            0xd800..=0xdbff => {
                let rest = self.text.get(self.position..).unwrap_or_default();
                if rest.starts_with("\\u") {
                    self.advance(2);
                    if (0xdc00..=0xdfff).contains(&self.hexadecimal()?) {
                        return Ok(());
                    }
                }
                Err(self.refuse(start, Reason::LoneSurrogate))
            }
            0xdc00..=0xdfff => Err(self.refuse(start, Reason::LoneSurrogate)),
            _ => Ok(()),
        }
    }

    fn hexadecimal(&mut self) -> Result<u32, FormatError> {
        let mut unit = 0_u32;
        for _ in 0..4 {
            let digit = self.peek().and_then(|byte| char::from(byte).to_digit(16));
            let Some(digit) = digit else {
                return Err(self.unexpected("escape without four hexadecimal digits"));
            };
            unit = (unit << 4) | digit;
            self.advance(1);
        }
        Ok(unit)
    }

    /// Reads a number; the reader stands at its first byte.
    fn number(&mut self) -> Result<(&'a str, bool), FormatError> {
        let start = self.position;
        if self.peek() == Some(b'-') {
            self.advance(1);
        }
        let integer = self.position;
        self.digits()?;
        let has_leading_zero = self.text.as_bytes().get(integer) == Some(&b'0');
        if has_leading_zero && self.position > integer.saturating_add(1) {
            return Err(self.refuse(start, Reason::LeadingZero));
        }
        let is_integer = !matches!(self.peek(), Some(b'.' | b'e' | b'E'));
        if !is_integer {
            if self.signed {
                return Err(self.refuse(start, Reason::FloatInSigned));
            }
            self.fraction_and_exponent()?;
        }
        let number = self.text.get(start..self.position).unwrap_or_default();
        if self.signed && number == "-0" {
            return Err(self.refuse(start, Reason::NegativeZero));
        }
        Ok((number, is_integer))
    }

    fn fraction_and_exponent(&mut self) -> Result<(), FormatError> {
        if self.peek() == Some(b'.') {
            self.advance(1);
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.advance(1);
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.advance(1);
            }
            self.digits()?;
        }
        Ok(())
    }

    /// Reads one or more digits.
    fn digits(&mut self) -> Result<(), FormatError> {
        let rest = self
            .text
            .as_bytes()
            .get(self.position..)
            .unwrap_or_default();
        let length = rest
            .iter()
            .position(|byte| !byte.is_ascii_digit())
            .unwrap_or(rest.len());
        if length == 0 {
            return Err(self.unexpected("number without digits"));
        }
        self.advance(length);
        Ok(())
    }

    fn literal(&mut self, literal: &'static str) -> Result<(), FormatError> {
        let rest = self
            .text
            .as_bytes()
            .get(self.position..)
            .unwrap_or_default();
        if rest.starts_with(literal.as_bytes()) {
            self.advance(literal.len());
            Ok(())
        } else if literal.as_bytes().starts_with(rest) {
            Err(self.refuse(self.text.len(), Reason::Truncated))
        } else {
            Err(self.unexpected("not a JSON value"))
        }
    }

    /// Reports that the next byte must not be there, or is missing.
    #[cold]
    fn unexpected(&mut self, what: &'static str) -> FormatError {
        let reason = if self.peek().is_some() {
            Reason::Syntax(what)
        } else {
            Reason::Truncated
        };
        self.refuse(self.position, reason)
    }

    #[cold]
    fn refuse(&mut self, offset: usize, reason: Reason) -> FormatError {
        self.spend();
        FormatError::new(offset, reason)
    }

    /// Makes every later call fail.
    fn spend(&mut self) {
        self.position = self.text.len();
        self.depth = self.depth.saturating_add(1);
    }
}
