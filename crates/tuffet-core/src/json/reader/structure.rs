//! Braces, brackets, commas, colons, and the order of names.

use core::cmp::Ordering;
use core::mem::take;

use super::super::MAX_DEPTH;
use super::super::error::{FormatError, Reason};
use super::super::index::Span;
use super::super::order::{Member, sort_by_name};
use super::super::text::Text;
use super::{Kind, Reader};

/// What has been seen of the object being read.
pub(super) struct Object<'a> {
    open: usize,
    previous: Option<&'a str>,
    ordered: bool,
    pub(super) escaped: bool,
    base: usize,
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

    pub(super) fn open_object(&mut self) -> Result<Object<'a>, FormatError> {
        let base = self.members.len();
        self.open(Kind::Object, "an object")?;
        let open = self.position.saturating_sub(1);
        Ok(Object {
            open,
            previous: None,
            ordered: true,
            escaped: false,
            base,
        })
    }

    /// Reads up to the next value and returns its name, or reads the closing brace.
    pub(super) fn next_name(
        &mut self,
        object: &mut Object<'a>,
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

    fn note_name(&mut self, object: &mut Object<'a>, name: Text<'a>) -> Result<(), FormatError> {
        object.escaped |= name.is_escaped();
        if object.ordered {
            let order = match object.previous {
                Some(previous) if object.escaped => Text::new(previous, 0, true).compare(&name),
                Some(previous) => previous.cmp(name.raw()),
                None => Ordering::Less,
            };
            match order {
                Ordering::Less => {}
                Ordering::Equal => {
                    let reason = Reason::duplicate(&name.decode());
                    return Err(self.refuse(name.offset(), reason));
                }
                Ordering::Greater => {
                    object.ordered = false;
                    self.canonical = false;
                }
            }
        }
        object.previous = Some(name.raw());
        Ok(())
    }

    pub(super) fn close_object(&mut self, object: &Object<'a>) -> Result<(), FormatError> {
        if !object.ordered {
            let mut all = take(&mut self.members);
            let outcome = self.put_in_order(object, all.get_mut(object.base..).unwrap_or_default());
            self.members = all;
            outcome?;
        }
        self.members.truncate(object.base);
        Ok(())
    }

    /// Sorts the members of an object that has ended, unless they are in order already, and
    /// refuses names that occur twice.
    pub(super) fn put_in_order(
        &mut self,
        object: &Object<'a>,
        members: &mut [Member],
    ) -> Result<(), FormatError> {
        if object.ordered {
            return Ok(());
        }
        let repeated = sort_by_name(self.text, object.escaped, members);
        if let Some(name) = repeated.and_then(|span| span.name(self.text)) {
            return Err(self.refuse(name.offset(), Reason::duplicate(&name.decode())));
        }
        if let Some(arrangement) = &mut self.arrangement {
            arrangement.add(object.open, members);
        }
        Ok(())
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
        Ok(true)
    }

    #[inline]
    pub(super) fn check_member(
        &mut self,
        outcome: Result<(), FormatError>,
        start: usize,
        name: Text<'a>,
    ) -> Result<Member, FormatError> {
        match outcome.and_then(|()| self.check_progress(start)) {
            Ok(()) => Ok(Member {
                name: name.span(),
                value: Span::between(start, self.position),
            }),
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
