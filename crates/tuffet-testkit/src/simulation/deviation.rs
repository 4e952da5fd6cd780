//! Small deviations from the specification, which readers forgive and strict ones refuse (`docs/tolerances.md`).

use super::model::Code;

/// One of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Deviation {
    /// A date with an offset.
    ExpiresForm,
    /// A key as a point in hexadecimal.
    HexPoint,
    /// A keytype that names the curve.
    KeytypeAlias,
    /// An ed25519 key as PEM.
    KeyForm,
    /// A keyid that is not the hash of its key.
    KeyidMismatch,
    /// A keyid that the file does not define.
    KeyidUndefined,
    /// A signature without a value.
    SignatureForm,
    /// A version of the specification with two numbers.
    SpecVersionForm,
    /// A role that root does not need.
    ExtraRole,
    /// Custom data that is no object.
    CustomForm,
    /// A file in snapshot that is no targets role.
    SnapshotExtra,
    /// A hash of an unknown kind beside one that is known.
    HashUnknown,
}

/// All of them, with the code of a refusal.
const ALL: [(Deviation, Code); 12] = [
    (Deviation::ExpiresForm, "strict.expires-form"),
    (Deviation::HexPoint, "strict.hex-point"),
    (Deviation::KeytypeAlias, "strict.keytype-alias"),
    (Deviation::KeyForm, "strict.key-form"),
    (Deviation::KeyidMismatch, "strict.keyid-mismatch"),
    (Deviation::KeyidUndefined, "strict.keyid-undefined"),
    (Deviation::SignatureForm, "strict.signature-form"),
    (Deviation::SpecVersionForm, "strict.spec-version-form"),
    (Deviation::ExtraRole, "strict.extra-role"),
    (Deviation::CustomForm, "strict.custom-form"),
    (Deviation::SnapshotExtra, "strict.snapshot-extra"),
    (Deviation::HashUnknown, "strict.hash-unknown"),
];

/// Any of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Deviations(u16);

impl Deviations {
    /// None.
    pub(crate) const NONE: Self = Self(0);

    /// These.
    #[must_use]
    pub(crate) fn of(these: &[Deviation]) -> Self {
        Self::NONE.with(these)
    }

    /// All.
    #[must_use]
    pub(crate) fn all() -> Self {
        Self((1 << ALL.len()) - 1)
    }

    /// The one that a die shows.
    #[must_use]
    pub(crate) fn drawn(die: u8) -> Self {
        Self(1 << (usize::from(die) % ALL.len()))
    }

    /// These, too.
    #[must_use]
    pub(crate) fn with(self, these: &[Deviation]) -> Self {
        let bits = these.iter().fold(0, |bits, one| bits | 1 << *one as u16);
        Self(self.0 | bits)
    }

    /// Those of another set, too.
    #[must_use]
    pub(crate) fn and(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }

    /// Those that are in both.
    #[must_use]
    pub(crate) fn only(self, others: Self) -> Self {
        Self(self.0 & others.0)
    }

    /// Those that are not this one.
    #[must_use]
    pub(crate) fn without(self, one: Deviation) -> Self {
        Self(self.0 & !(1 << one as u16))
    }

    /// Whether this one is there.
    #[must_use]
    pub(crate) fn contains(self, one: Deviation) -> bool {
        self.0 >> one as u16 & 1 == 1
    }

    /// The codes with which they are refused.
    pub(crate) fn codes(self) -> impl Iterator<Item = Code> {
        let there = move |(one, _): &(Deviation, Code)| self.contains(*one);
        ALL.into_iter().filter(there).map(|(_, code)| code)
    }
}
