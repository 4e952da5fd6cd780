//! Messages that hold names which somebody else chose.

use core::fmt::{self, Formatter, Write};

/// Writes a message with its control characters escaped: the name of a role or a target must not speak to a terminal.
pub(super) fn escaped(
    f: &mut Formatter<'_>,
    message: impl FnOnce(&mut Escaping<'_, '_>) -> fmt::Result,
) -> fmt::Result {
    message(&mut Escaping(f))
}

pub(super) struct Escaping<'f, 'b>(&'f mut Formatter<'b>);

impl Write for Escaping<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for part in text.split_inclusive(char::is_control) {
            let plain = part.trim_end_matches(char::is_control);
            self.0.write_str(plain)?;
            for control in part.chars().filter(|character| character.is_control()) {
                write!(self.0, "{}", control.escape_unicode())?;
            }
        }
        Ok(())
    }
}
