//! Strict JSON: a pull reader over borrowed bytes and the canonical form that is signed.
//!
//! Two programs that read one signed file differently are a way to attack one of them, so there
//! is one way to read a file here and nothing ambiguous passes (TUF §4.1). Refused anywhere in a
//! document:
//!
//! * bytes that are not UTF-8, a byte order mark, anything after the value;
//! * two members with the same name in one object, compared after escapes are resolved;
//! * escapes of half a surrogate pair, and control characters that are not escaped;
//! * more than [`MAX_DEPTH`] objects and arrays inside each other;
//! * whatever else RFC 8259 does not allow, such as comments, `NaN` or numbers with leading zeros.
//!
//! Inside the value that is signed, numbers are integers: fractions, exponents and `-0` are
//! refused, because the canonical form has no spelling for them. Integers may have any number of
//! digits as long as nobody asks for their value; [`Reader::unsigned`] takes those that fit a
//! signed 64-bit integer.
//!
//! Nothing is normalised: neither Unicode nor hexadecimal case, PEM or dates.
//!
//! Reading takes time proportional to the bytes received, but for sorting the members of objects
//! that are not in order. It takes memory for the objects that are open, 16 bytes a member, and
//! for an [`Index`].

#![cfg_attr(
    not(test),
    deny(
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects,
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic
    )
)]

mod canonical;
mod error;
mod index;
mod order;
mod reader;
mod scan;
#[cfg(test)]
mod tests;
mod text;
mod value;

pub use canonical::canonicalize;
pub use error::{FormatError, Reason};
pub use index::{Index, SignedSpan, Span};
pub use reader::{Kind, Reader};
pub use text::Text;
pub use value::{Integer, Value};

/// How many objects and arrays may be open at the same time.
pub const MAX_DEPTH: usize = 64;
