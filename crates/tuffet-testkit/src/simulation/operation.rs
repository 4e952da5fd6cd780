//! What happens in a trace. The numbers are taken modulo whatever there is when the operation happens, so that a trace still
//! means something when operations are left out.

use std::fmt;

use super::chance::Chance;

/// One step of a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(
    missing_docs,
    reason = "the members are dice; what they decide stands where they are used"
)]
pub enum Operation {
    /// The repository publishes: roles by bits, a target by place, how long the new files live.
    Publish { roles: u8, target: u8, life: u8 },
    /// Keys of a top-level role are replaced, or get other ids.
    Rotate {
        role: u8,
        fresh: u8,
        threshold: u8,
        alias: u8,
    },
    /// A new root that lacks signatures is published by mistake.
    Blunder { lacking: u8, fresh: u8 },
    /// A role delegates to another.
    Delegate {
        from: u8,
        to: u8,
        paths: u16,
        threshold: u8,
        terminating: u8,
    },
    /// A role delegates to nobody any more.
    Undelegate { from: u8 },
    /// A role delegates to hash bins.
    Rebin { from: u8, bits: u8 },
    /// Another way of listing files: with and without length and hash.
    Relist { style: u8 },
    /// What is written deviates from the specification in small ways from now on.
    Deviate { how: u8, roots: u8 },
    /// The client forgives other deviations from now on.
    Insist { refuse: u8 },
    /// Names carry versions from now on, or do not.
    Consistent { yes: u8 },
    /// Timestamp and snapshot get new keys and begin at version 1 again.
    Recover { life: u8 },
    /// Time passes: a while, or until a role expires at this very second.
    Pass { time: u8 },
    /// The attacker gets a key.
    Steal { role: u8, key: u8 },
    /// The attacker gets all keys of timestamp and snapshot.
    StealOnline,
    /// The attacker makes a file with the keys at hand, and lists it as far as keys allow.
    Forge {
        role: u8,
        version: u8,
        expiry: u8,
        content: u8,
        signers: u8,
        upstream: u8,
    },
    /// An older file of the same role is served again.
    Replay { at: u8, pick: u8 },
    /// Any file is served in the place of another.
    Mix { at: u8, pick: u8 },
    /// A file with the same meaning and other bytes, or with fewer signatures.
    Tamper { at: u8, how: u8, which: u8 },
    /// A file is not served.
    Withhold { at: u8, how: u8 },
    /// The attacker is gone from the mirror.
    Leave,
    /// The client's disk loses or damages something.
    Rot { item: u8, how: u8 },
    /// A new release of the program that embeds the client brings a newer root along.
    Release { root: u8 },
    /// The client refreshes, searches, downloads.
    Update {
        mirrors: u8,
        clock: u8,
        crash: u8,
        paths: [u8; 2],
        body: u8,
        offline: u8,
        audit: u8,
    },
    /// Two other repositories are asked about the same target, with a map file (TAP 4).
    Consult { map: u8, path: u8, seed: u8 },
    /// Everything is put right; the client must come to the present state.
    Heal,
}

impl Operation {
    /// Draws one.
    #[must_use]
    pub fn draw(chance: &mut Chance) -> Self {
        let kind = chance.below(100);
        let mut die = || chance.byte();
        match kind {
            0..=10 => Self::Publish {
                roles: die(),
                target: die(),
                life: die(),
            },
            11..=15 => Self::Rotate {
                role: die(),
                fresh: die(),
                threshold: die(),
                alias: die(),
            },
            16 => Self::Blunder {
                lacking: die(),
                fresh: die(),
            },
            17..=21 => Self::Delegate {
                from: die(),
                to: die(),
                paths: u16::from_be_bytes([die(), die()]),
                threshold: die(),
                terminating: die(),
            },
            22 => Self::Undelegate { from: die() },
            23 => Self::Rebin {
                from: die(),
                bits: die(),
            },
            24 => match die() % 4 {
                0 => Self::Consistent { yes: die() },
                _ => Self::Relist { style: die() },
            },
            25 => Self::Recover { life: die() },
            26..=30 => Self::Pass { time: die() },
            31 => match die() % 2 {
                0 => Self::Insist { refuse: die() },
                _ => Self::Deviate {
                    how: die(),
                    roots: die(),
                },
            },
            32..=35 => Self::Steal {
                role: die(),
                key: die(),
            },
            36 => Self::StealOnline,
            37..=45 => Self::Forge {
                role: die(),
                version: die(),
                expiry: die(),
                content: die(),
                signers: die(),
                upstream: die(),
            },
            46..=48 => Self::Replay {
                at: die(),
                pick: die(),
            },
            49..=50 => Self::Mix {
                at: die(),
                pick: die(),
            },
            51..=54 => Self::Tamper {
                at: die(),
                how: die(),
                which: die(),
            },
            55..=57 => Self::Withhold {
                at: die(),
                how: die(),
            },
            58..=61 => Self::Leave,
            62..=63 => Self::Rot {
                item: die(),
                how: die(),
            },
            64 => Self::Heal,
            65 => match die() % 4 {
                0 => Self::Consult {
                    map: die(),
                    path: die(),
                    seed: die(),
                },
                _ => Self::Release { root: die() },
            },
            _ => Self::Update {
                mirrors: die(),
                clock: die(),
                crash: die(),
                paths: [die(), die()],
                body: die(),
                offline: die(),
                audit: die(),
            },
        }
    }

    /// The name, for counting.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Publish { .. } => "publish",
            Self::Rotate { .. } => "rotate",
            Self::Blunder { .. } => "blunder",
            Self::Delegate { .. } => "delegate",
            Self::Undelegate { .. } => "undelegate",
            Self::Rebin { .. } => "rebin",
            Self::Relist { .. } => "relist",
            Self::Deviate { .. } => "deviate",
            Self::Insist { .. } => "insist",
            Self::Consistent { .. } => "consistent",
            Self::Recover { .. } => "recover",
            Self::Pass { .. } => "pass",
            Self::Steal { .. } => "steal",
            Self::StealOnline => "steal-online",
            Self::Forge { .. } => "forge",
            Self::Replay { .. } => "replay",
            Self::Mix { .. } => "mix",
            Self::Tamper { .. } => "tamper",
            Self::Withhold { .. } => "withhold",
            Self::Leave => "leave",
            Self::Rot { .. } => "rot",
            Self::Release { .. } => "release",
            Self::Update { .. } => "update",
            Self::Consult { .. } => "consult",
            Self::Heal => "heal",
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}
