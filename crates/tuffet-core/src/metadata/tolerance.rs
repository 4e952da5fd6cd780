//! What reading forgives, each by name, so that a strict policy can refuse it by name.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// A deviation from the specification that real repositories contain and that reading forgives by default.
///
/// The table with the reasons is `docs/tolerances.md`; [`crate::trust::Policy::refuse`] turns any of them into an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
#[non_exhaustive]
pub enum Tolerance {
    /// `expires` with a fraction of a second or a numeric offset (F-13, A-11).
    ExpiresForm,
    /// An ECDSA public key as a hexadecimal point instead of PEM (F-12).
    HexPoint,
    /// A keytype that names the curve, such as `ecdsa-sha2-nistp256` (F-10).
    KeytypeAlias,
    /// An RSA key as PEM `RSA PUBLIC KEY` or an ed25519 key as PEM (F-11, F-12).
    KeyForm,
    /// A keyid that is not the SHA-256 of its key (F-07, F-25, A-01).
    KeyidMismatch,
    /// A role that names a keyid which its file does not define.
    KeyidUndefined,
    /// A signature whose value is empty or not hexadecimal (F-09, A-06).
    SignatureForm,
    /// A `spec_version` with two numbers instead of three (F-20, A-12).
    SpecVersionForm,
    /// Roles in root beyond the four and mirrors (F-24, A-09).
    ExtraRole,
    /// `custom` that is not an object (F-40, A-35).
    CustomForm,
    /// Snapshot lists files that are not targets roles, such as `root.json` (F-30).
    SnapshotExtra,
    /// A hash algorithm that this implementation does not know beside one that it does.
    HashUnknown,
}

impl Tolerance {
    /// Every tolerance there is.
    pub const ALL: [Self; 12] = [
        Self::ExpiresForm,
        Self::HexPoint,
        Self::KeytypeAlias,
        Self::KeyForm,
        Self::KeyidMismatch,
        Self::KeyidUndefined,
        Self::SignatureForm,
        Self::SpecVersionForm,
        Self::ExtraRole,
        Self::CustomForm,
        Self::SnapshotExtra,
        Self::HashUnknown,
    ];

    /// The stable name, as in the error code `strict.NAME` and in `--refuse NAME`.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.code().strip_prefix("strict.").unwrap_or("")
    }

    /// The error code of a refusal of this tolerance.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::ExpiresForm => "strict.expires-form",
            Self::HexPoint => "strict.hex-point",
            Self::KeytypeAlias => "strict.keytype-alias",
            Self::KeyForm => "strict.key-form",
            Self::KeyidMismatch => "strict.keyid-mismatch",
            Self::KeyidUndefined => "strict.keyid-undefined",
            Self::SignatureForm => "strict.signature-form",
            Self::SpecVersionForm => "strict.spec-version-form",
            Self::ExtraRole => "strict.extra-role",
            Self::CustomForm => "strict.custom-form",
            Self::SnapshotExtra => "strict.snapshot-extra",
            Self::HashUnknown => "strict.hash-unknown",
        }
    }

    /// The tolerance with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|tolerance| tolerance.name() == name)
    }
}

/// A set of tolerances.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ToleranceSet(u16);

impl ToleranceSet {
    /// No tolerance.
    pub const NONE: Self = Self(0);

    /// Every tolerance.
    #[must_use]
    pub fn all() -> Self {
        Tolerance::ALL.into_iter().fold(Self::NONE, Self::with)
    }

    /// The set with one more tolerance in it.
    #[must_use]
    pub fn with(self, tolerance: Tolerance) -> Self {
        Self(self.0 | (1_u16 << tolerance as u8))
    }

    /// Whether the tolerance is in the set.
    #[must_use]
    pub fn contains(self, tolerance: Tolerance) -> bool {
        self.0 & (1_u16 << tolerance as u8) != 0
    }
}

/// A tolerance that was needed to read a file, and the field that needed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// What was forgiven.
    pub tolerance: Tolerance,
    /// Where, as a dotted path such as `signed.expires`.
    pub field: String,
}

/// How many notes are kept for one file: a million odd entries must not become a million notes.
const NOTES_KEPT: usize = 64;

/// How many characters of a field's name are kept in a note.
const FIELD_KEPT: usize = 300;

/// The first characters of a field's name.
fn cut(field: String) -> String {
    if field.len() <= FIELD_KEPT {
        return field;
    }
    field.chars().take(FIELD_KEPT).chain(['…']).collect()
}

/// Collects the notes of one file.
#[derive(Debug, Default)]
pub struct Notes(Vec<Note>);

impl Notes {
    /// Adds a note; of each tolerance at least the first is kept, however many there are.
    /// The field is named only then, and not at any length: names come from files that nobody has vouched for.
    pub(crate) fn add(&mut self, tolerance: Tolerance, field: impl FnOnce() -> String) {
        if self.0.len() < NOTES_KEPT || !self.0.iter().any(|note| note.tolerance == tolerance) {
            self.0.push(Note {
                tolerance,
                field: cut(field()),
            });
        }
    }

    /// Calls `read`, and says of the notes it adds that they are about something within `segment`.
    pub(crate) fn within<T>(
        &mut self,
        segment: impl FnOnce() -> String,
        read: impl FnOnce(&mut Self) -> T,
    ) -> T {
        let before = self.0.len();
        let outcome = read(self);
        if let Some(added) = self.0.get_mut(before..).filter(|added| !added.is_empty()) {
            let segment = segment();
            for note in added {
                note.field = cut(format!("{segment}.{}", note.field));
            }
        }
        outcome
    }

    pub(crate) fn into_vec(self) -> Vec<Note> {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tolerance_has_a_name_of_its_own_and_a_bit_of_its_own() {
        for (place, tolerance) in Tolerance::ALL.into_iter().enumerate() {
            assert_eq!(tolerance as usize, place);
            assert_eq!(Tolerance::from_name(tolerance.name()), Some(tolerance));
            let set = ToleranceSet::NONE.with(tolerance);
            let held = Tolerance::ALL
                .into_iter()
                .filter(|&other| set.contains(other))
                .count();
            assert_eq!((set.contains(tolerance), held), (true, 1));
        }
    }

    #[test]
    fn a_flood_of_notes_keeps_every_kind() {
        let mut notes = Notes::default();
        for _ in 0..1000 {
            notes.add(Tolerance::CustomForm, || "a".into());
        }
        notes.add(Tolerance::HashUnknown, || "b".into());
        let kept = notes.into_vec();
        assert_eq!(kept.len(), NOTES_KEPT + 1);
        assert_eq!(
            kept.last().map(|note| note.tolerance),
            Some(Tolerance::HashUnknown)
        );
    }
}
