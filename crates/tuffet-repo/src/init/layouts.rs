//! Defaults for what repositories are commonly for.

use tuffet_core::metadata::DelegatedName;

use super::{BinOptions, InitOptions};
use crate::policy::Period;

/// What a repository is for: periods, channels and bins to begin with, each of which can be set otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum InitLayout {
    /// Releases of a program: channels `stable` and `beta`, signed by people, a timestamp every day.
    App,
    /// A registry of packages: 256 hash bins, signed by automation, which publishes all the time.
    Registry,
    /// Roots of trust for other systems: few targets that change rarely, long periods.
    Sigstore,
    /// A network without a connection: people sign everything by hand, for months.
    AirGap,
}

impl InitLayout {
    /// Every layout.
    pub const ALL: [Self; 4] = [Self::App, Self::Registry, Self::Sigstore, Self::AirGap];

    /// What it is called on the command line.
    ///
    /// ```
    /// use tuffet_repo::InitLayout;
    /// assert_eq!(InitLayout::from_name("app"), Some(InitLayout::App));
    /// assert!(InitLayout::ALL.iter().all(|layout| InitLayout::from_name(layout.name()) == Some(*layout)));
    /// ```
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::App => "app",
            Self::Registry => "registry",
            Self::Sigstore => "sigstore",
            Self::AirGap => "airgap",
        }
    }

    /// The layout of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|layout| layout.name() == name)
    }

    /// Whether people sign snapshot and timestamp if no key of automation is given.
    #[must_use]
    pub const fn is_by_hand(self) -> bool {
        matches!(self, Self::AirGap)
    }

    /// How many days versions of root, targets, snapshot and timestamp are valid.
    const fn days(self) -> [u32; 4] {
        match self {
            Self::App => [365, 90, 7, 1],
            Self::Registry => [365, 365, 1, 1],
            Self::Sigstore => [182, 182, 21, 7],
            Self::AirGap => [1095, 365, 365, 90],
        }
    }
}

impl InitOptions {
    /// Takes over the periods, channels and bins of a layout.
    #[must_use]
    pub fn layout(mut self, layout: InitLayout) -> Self {
        let [root, targets, snapshot, timestamp] = layout.days().map(Period::days);
        self.root.period = root;
        self.targets.period = targets;
        self.snapshot.period = snapshot;
        self.timestamp.period = timestamp;
        let channels: &[&str] = match layout {
            InitLayout::App => &["stable", "beta"],
            _ => &[],
        };
        let names = channels.iter().map(|name| DelegatedName::new(name));
        self.channels = names.filter_map(Result::ok).collect();
        self.bins = (layout == InitLayout::Registry).then(|| BinOptions {
            bit_length: 8,
            period: Period::days(30),
        });
        self
    }

    /// People sign snapshot and timestamp too, by hand.
    #[must_use]
    pub fn by_hand(mut self) -> Self {
        self.by_hand = true;
        for role in [&mut self.snapshot, &mut self.timestamp] {
            role.keys.clone_from(&self.root.keys);
            role.threshold = 1;
        }
        self
    }
}
