//! Strings, numbers and literals.

use super::super::error::{FormatError, Reason};
use super::super::scan;
use super::super::text::Text;
use super::{Kind, Reader};

impl<'a> Reader<'a> {
    #[inline]
    pub(super) fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.position).copied()
    }

    #[inline]
    pub(super) fn advance(&mut self, bytes: usize) {
        self.position = self.position.saturating_add(bytes);
    }

    #[inline]
    pub(super) fn whitespace(&mut self) {
        let after = scan::after_whitespace(self.text.as_bytes(), self.position);
        self.canonical &= after == self.position;
        self.position = after;
    }

    pub(super) fn expect_kind(
        &mut self,
        kind: Kind,
        what: &'static str,
    ) -> Result<(), FormatError> {
        if self.kind()? == kind {
            Ok(())
        } else {
            Err(FormatError::new(self.position, Reason::Expected(what)))
        }
    }

    /// Reads a string; the reader stands at its opening quote.
    #[inline(always)]
    pub(super) fn string(&mut self) -> Result<Text<'a>, FormatError> {
        let open = self.position;
        let escaped = self.pass_string()?;
        let raw = self
            .text
            .get(open.saturating_add(1)..self.position.saturating_sub(1));
        Ok(Text::new(raw.unwrap_or_default(), open, escaped))
    }

    /// Reads a string and tells whether it has escapes.
    #[inline(never)]
    fn pass_string(&mut self) -> Result<bool, FormatError> {
        let mut escaped = false;
        self.advance(1);
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
        self.advance(1);
        Ok(escaped)
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
                if "\\u".starts_with(rest) {
                    return Err(self.refuse(self.text.len(), Reason::Truncated));
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
    pub(super) fn number(&mut self) -> Result<(&'a str, bool), FormatError> {
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

    pub(super) fn literal(&mut self, literal: &'static str) -> Result<(), FormatError> {
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
    pub(super) fn unexpected(&mut self, what: &'static str) -> FormatError {
        let reason = if self.peek().is_some() {
            Reason::Syntax(what)
        } else {
            Reason::Truncated
        };
        self.refuse(self.position, reason)
    }

    #[cold]
    pub(super) fn refuse(&mut self, offset: usize, reason: Reason) -> FormatError {
        self.spend();
        FormatError::new(offset, reason)
    }

    /// Makes every later call fail.
    pub(super) fn spend(&mut self) {
        self.position = self.text.len();
        self.depth = self.depth.saturating_add(1);
    }
}
