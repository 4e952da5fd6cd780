//! What kinds of trouble there are.

/// What kind of trouble an error is, for exit codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Class {
    /// What was asked for cannot be done so.
    Usage,
    /// Not trustworthy.
    Untrustworthy,
    /// Something that was named is not there.
    NotFound,
    /// Something is past its date.
    Stale,
    /// People have to sign first.
    NeedsSignatures,
    /// Files cannot be read or written.
    Io,
    /// Somebody else was quicker.
    Conflict,
    /// A key cannot be used.
    Key,
    /// Anything else.
    Failed,
}
