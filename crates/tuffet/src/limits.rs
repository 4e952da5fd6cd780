//! `--limit NAME=N`: how much is received, for commands that meet repositories of unusual size.

use clap::Args;
use tuffet_core::trust::Limits;

/// Which limits are others than usual.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct LimitArguments {
    /// Receive up to N instead of the usual: bytes of root, timestamp, snapshot, targets, or of a file whose length is signed
    /// (signed-length); new roots in one go (roots), roles in one search (roles). May be repeated
    #[arg(long = "limit", value_name = "NAME=N", value_parser = parse)]
    limits: Vec<Limit>,
}

/// One limit, and what it is set to.
#[derive(Debug, Clone, Copy)]
struct Limit {
    set: Set,
    to: u64,
}

type Set = fn(&mut Limits, u64);

/// The limits by name. The numbers of roots and roles are at most what a search or a refresh could count to.
const NAMES: [(&str, Set); 7] = [
    ("root", |limits, to| limits.root = to),
    ("timestamp", |limits, to| limits.timestamp = to),
    ("snapshot", |limits, to| limits.snapshot = to),
    ("targets", |limits, to| limits.targets = to),
    ("signed-length", |limits, to| limits.signed_length = to),
    ("roots", |limits, to| limits.roots = count(to)),
    ("roles", |limits, to| limits.roles = count(to)),
];

fn count(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

impl LimitArguments {
    /// The limits with these changes.
    pub(crate) fn limits(&self) -> Limits {
        let mut limits = Limits::default();
        for limit in &self.limits {
            (limit.set)(&mut limits, limit.to);
        }
        limits
    }
}

fn parse(text: &str) -> Result<Limit, String> {
    let names = || NAMES.map(|(name, _)| name).join(", ");
    let form = || {
        let names = names();
        format!("not of the form NAME=N, such as root=1000000; the names are {names}")
    };
    let (name, number) = text.split_once('=').ok_or_else(form)?;
    let known = NAMES.iter().find(|(known, _)| *known == name);
    let (_, set) = known.ok_or_else(form)?;
    let to = number.parse().map_err(|_| form())?;
    Ok(Limit { set: *set, to })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_limit_has_a_name() {
        let limits = NAMES.map(|(name, _)| parse(&format!("{name}=7")).unwrap());
        let arguments = LimitArguments {
            limits: limits.into(),
        };
        let limits = arguments.limits();
        let shown = format!("{limits:?}");
        assert_eq!(shown.matches(": 7").count(), NAMES.len(), "{shown}");
        assert_eq!(shown.matches(": ").count(), NAMES.len(), "{shown}");
        assert_eq!(LimitArguments::default().limits(), Limits::default());
    }

    #[test]
    fn what_is_no_limit_is_refused() {
        for text in ["root", "root=", "root=x", "root=-1", "rot=1", "=1"] {
            assert!(parse(text).unwrap_err().contains("signed-length"), "{text}");
        }
    }
}
