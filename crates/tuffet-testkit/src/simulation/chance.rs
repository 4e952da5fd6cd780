//! Chance that comes out alike every time: SplitMix64.

/// A source of numbers made from a seed.
#[derive(Debug, Clone)]
pub struct Chance(u64);

impl Chance {
    /// The numbers of a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        scramble(self.0)
    }

    /// A number below `end`, which is above zero.
    pub fn below(&mut self, end: u64) -> u64 {
        self.number() % end
    }

    /// A byte.
    pub fn byte(&mut self) -> u8 {
        (self.number() >> 56) as u8
    }

    /// Whether the one case in so many has come.
    pub fn one_in(&mut self, cases: u64) -> bool {
        self.below(cases) == 0
    }
}

pub(super) fn scramble(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
