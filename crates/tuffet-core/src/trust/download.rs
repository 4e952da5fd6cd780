//! Checking the bytes of a target while they arrive (TUF §5.7.3).

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use super::Rejected;
use crate::crypto::{Crypto, Digest, Hasher};
use crate::metadata::{Hashes, TargetFile, TargetPath};

/// A target whose bytes are being checked: length and every listed hash.
pub struct TargetCheck {
    path: TargetPath,
    length: u64,
    received: u64,
    hashers: Vec<(Digest, Box<dyn Hasher>)>,
    hashes: Hashes,
}

impl fmt::Debug for TargetCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TargetCheck")
            .field("path", &self.path)
            .field("length", &self.length)
            .field("received", &self.received)
            .finish_non_exhaustive()
    }
}

impl TargetCheck {
    pub(super) fn new(path: TargetPath, target: &TargetFile, crypto: &dyn Crypto) -> Self {
        let hashers = target
            .hashes
            .digests()
            .iter()
            .map(|digest| (*digest, crypto.hasher(digest.algorithm())))
            .collect();
        Self {
            path,
            length: target.length,
            received: 0,
            hashers,
            hashes: target.hashes.clone(),
        }
    }

    /// How many bytes are still to come.
    #[must_use]
    pub fn remaining(&self) -> u64 {
        self.length.saturating_sub(self.received)
    }

    /// Takes the next bytes.
    ///
    /// # Errors
    /// [`Rejected::TargetLength`] as soon as there is one byte too many; nothing of this piece was taken then.
    pub fn update(&mut self, bytes: &[u8]) -> Result<(), Rejected> {
        let received = self.received.saturating_add(bytes.len() as u64);
        if received > self.length {
            return Err(self.wrong_length(received));
        }
        self.received = received;
        self.hashers
            .iter_mut()
            .for_each(|(_, hasher)| hasher.update(bytes));
        Ok(())
    }

    /// Ends the bytes.
    ///
    /// # Errors
    /// [`Rejected::TargetLength`] if bytes are missing, [`Rejected::TargetHash`] if they are not the ones vouched for.
    pub fn finish(self) -> Result<VerifiedTarget, Rejected> {
        if self.received != self.length {
            return Err(self.wrong_length(self.received));
        }
        for (expected, hasher) in self.hashers {
            if hasher.finish() != expected {
                return Err(Rejected::TargetHash {
                    path: self.path,
                    algorithm: expected.algorithm(),
                });
            }
        }
        Ok(VerifiedTarget {
            path: self.path,
            length: self.length,
            hashes: self.hashes,
        })
    }

    fn wrong_length(&self, received: u64) -> Rejected {
        Rejected::TargetLength {
            path: self.path.clone(),
            expected: self.length,
            received,
        }
    }
}

/// The witness that the bytes of a target were checked; there is no other way to make one (rule O-04).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedTarget {
    path: TargetPath,
    length: u64,
    hashes: Hashes,
}

impl VerifiedTarget {
    /// The path.
    #[must_use]
    pub fn path(&self) -> &TargetPath {
        &self.path
    }

    /// The length in bytes.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.length
    }

    /// The digests that were compared.
    #[must_use]
    pub fn hashes(&self) -> &Hashes {
        &self.hashes
    }
}
