//! Braces, brackets, commas, colons, and the order of names.

use core::cmp::Ordering;

use super::super::MAX_DEPTH;
use super::super::error::{FormatError, Reason};
use super::super::index::{Span, sort_by_name};
use super::super::scan::Members;
use super::super::text::Text;
use super::{Kind, Reader};

/// What has been seen of the object being read.
pub(super) struct Progress<'a> {
    pub(super) open: usize,
    pub(super) previous: Option<&'a str>,
    pub(super) ordered: bool,
    pub(super) escaped: bool,
    /// Whether the reader is to collect names out of order; an index has them anyway.
    pub(super) collect: bool,
    pub(super) base: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn open(&mut self, kind: Kind, what: &'static str) -> Result<(), FormatError> {
        self.expect_kind(kind, what)?;
        if self.depth >= MAX_DEPTH {
            return Err(self.refuse(self.position, Reason::TooDeep));
        }
        self.depth = self.depth.saturating_add(1);
        self.advance(1);
        Ok(())
    }

    pub(super) fn close(&mut self) {
        self.depth = self.depth.saturating_sub(1);
        self.advance(1);
    }

    pub(super) fn open_object(&mut self, collect: bool) -> Result<Progress<'a>, FormatError> {
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
    pub(super) fn next_name(
        &mut self,
        object: &mut Progress<'a>,
    ) -> Result<Option<Text<'a>>, FormatError> {
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
            Some(previous) if object.escaped => Text::new(previous, 0, true).compare(&name),
            Some(previous) => previous.cmp(name.raw()),
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
        object.previous = Some(name.raw());
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

    pub(super) fn close_object(&mut self, object: &Progress<'a>) -> Result<(), FormatError> {
        if object.ordered {
            return Ok(());
        }
        let names = self.names.get_mut(object.base..).unwrap_or_default();
        let repeated = sort_by_name(self.text, object.escaped, names, |name| *name);
        self.names.truncate(object.base);
        self.refuse_repeated(repeated)
    }

    pub(super) fn refuse_repeated(&mut self, repeated: Option<Span>) -> Result<(), FormatError> {
        match repeated.and_then(|span| span.name(self.text)) {
            Some(name) => Err(self.refuse(name.offset(), Reason::duplicate(&name.decode()))),
            None => Ok(()),
        }
    }

    /// Reads up to the next element and tells whether there is one, or reads the closing bracket.
    pub(super) fn next_element(&mut self, first: bool) -> Result<bool, FormatError> {
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
    pub(super) fn check_member(
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
    pub(super) fn check_progress(&mut self, start: usize) -> Result<(), FormatError> {
        if self.position > start {
            Ok(())
        } else {
            Err(self.unexpected("value that nothing reads"))
        }
    }
}
