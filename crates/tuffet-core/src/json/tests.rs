//! The rules of the module, one by one.

mod canonical;
mod errors;
mod syntax;

use super::{FormatError, Reader, Reason};

/// Reads a whole document as unsigned JSON.
fn read(input: &[u8]) -> Result<(), FormatError> {
    let mut reader = Reader::new(input)?;
    reader.skip()?;
    reader.finish()
}

/// Reads a whole document as signed JSON.
fn read_signed(input: &[u8]) -> Result<bool, FormatError> {
    let mut reader = Reader::new(input)?;
    let (_, signed) = reader.signed(Reader::skip)?;
    reader.finish()?;
    Ok(signed.canonical)
}

fn reason(outcome: Result<(), FormatError>) -> Option<Reason> {
    outcome.err().map(|error| error.reason)
}
