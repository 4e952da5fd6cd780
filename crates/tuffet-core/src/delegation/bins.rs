//! Succinct hash bins (TAP 15).

use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;

use crate::crypto::Digest;
use crate::json::{FormatError, Reader, Reason};
use crate::metadata::{DelegatedName, RoleKeys, RoleKeysFields};

/// 2^`bit_length` roles with one set of keys, each covering an equal share of the hashes of target paths.
///
/// The bins are never listed: their number may be four thousand million.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SuccinctRoles {
    keys: RoleKeys,
    bit_length: u32,
    name_prefix: Arc<str>,
}

impl SuccinctRoles {
    /// Who may sign for every bin.
    #[must_use]
    pub fn keys(&self) -> &RoleKeys {
        &self.keys
    }

    /// How many leading bits of the hash choose the bin: 1 to 32.
    #[must_use]
    pub fn bit_length(&self) -> u32 {
        self.bit_length
    }

    /// What the names of all bins begin with.
    #[must_use]
    pub fn name_prefix(&self) -> &str {
        &self.name_prefix
    }

    /// The name of the bin that covers a path with this SHA-256.
    #[must_use]
    pub fn bin(&self, hash: &Digest) -> Option<DelegatedName> {
        let (first, _) = hash.as_bytes().split_first_chunk::<4>()?;
        let number =
            u32::from_be_bytes(*first).checked_shr(32_u32.checked_sub(self.bit_length)?)?;
        DelegatedName::new(&self.name(number)).ok()
    }

    /// The names of the bins, in the order of their numbers.
    pub fn names(&self) -> impl Iterator<Item = String> + '_ {
        (0..=self.last()).map(|number| self.name(number))
    }

    /// Whether a role of this name is one of the bins: lower-case digits, exactly as many as the last bin has.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        let Some(digits) = name
            .strip_prefix(&*self.name_prefix)
            .and_then(|rest| rest.strip_prefix('-'))
        else {
            return false;
        };
        digits.len() == self.digits()
            && digits
                .bytes()
                .all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'))
            && u32::from_str_radix(digits, 16).is_ok_and(|number| number <= self.last())
    }

    fn last(&self) -> u32 {
        u32::MAX
            .checked_shr(32_u32.saturating_sub(self.bit_length))
            .unwrap_or(0)
    }

    fn digits(&self) -> usize {
        self.bit_length.div_ceil(4) as usize
    }

    fn name(&self, number: u32) -> String {
        format!(
            "{}-{number:0width$x}",
            self.name_prefix,
            width = self.digits()
        )
    }

    pub(crate) fn parse(reader: &mut Reader<'_>) -> Result<Self, FormatError> {
        let start = reader.offset();
        let mut keys = RoleKeysFields::default();
        let (mut bit_length, mut name_prefix) = (None, None);
        reader.object(|reader, name| {
            match &*name.decode() {
                "bit_length" => {
                    let offset = reader.offset();
                    let bits = u32::try_from(reader.unsigned()?)
                        .ok()
                        .filter(|bits| (1..=32).contains(bits));
                    bit_length = Some(bits.ok_or_else(|| {
                        FormatError::new(offset, Reason::Invalid("a bit length outside 1 to 32"))
                    })?);
                }
                "name_prefix" => {
                    let text = reader.text()?;
                    let prefix = text.decode();
                    if prefix.is_empty() || prefix.contains('\0') {
                        return Err(FormatError::new(
                            text.offset(),
                            Reason::Invalid("a bin name prefix that is empty or contains NUL"),
                        ));
                    }
                    name_prefix = Some(Arc::from(&*prefix));
                }
                other => {
                    if !keys.member(reader, other)? {
                        reader.skip()?;
                    }
                }
            }
            Ok(())
        })?;
        let missing = |name| FormatError::new(start, Reason::Missing(name));
        Ok(Self {
            keys: keys.finish(start)?,
            bit_length: bit_length.ok_or_else(|| missing("bit_length"))?,
            name_prefix: name_prefix.ok_or_else(|| missing("name_prefix"))?,
        })
    }
}

#[cfg(test)]
mod tests;
