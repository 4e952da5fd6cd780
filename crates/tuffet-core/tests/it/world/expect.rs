//! The exact errors that tests expect, in short.

use tuffet_core::json::Reason;
use tuffet_core::metadata::KeyId;
use tuffet_core::trust::{Rejected, Signers, Uncounted, UncountedReason};

use super::keys::TestKey;
use super::{NOW, name, time, version};

/// A key that was not counted, and why.
pub(crate) fn uncounted(key: &TestKey, reason: UncountedReason) -> Uncounted {
    Uncounted {
        keyid: KeyId::new(&key.keyid).expect("a keyid"),
        reason,
    }
}

/// Keys that did not sign.
pub(crate) fn not_signed(keys: &[&TestKey]) -> Vec<Uncounted> {
    keys.iter()
        .map(|key| uncounted(key, UncountedReason::NotSigned))
        .collect()
}

/// Too few keys; `uncounted` in the order of the role's keyids.
pub(crate) fn threshold(
    role: &str,
    signers: Signers,
    [have, need]: [u64; 2],
    uncounted: Vec<Uncounted>,
) -> Rejected {
    Rejected::Threshold {
        role: name(role),
        signers,
        have,
        need,
        uncounted,
    }
}

/// A top-level role of root 1 that its one key did not sign.
pub(crate) fn unsigned(role: &str, reason: UncountedReason) -> Rejected {
    threshold(
        role,
        Signers::Root(version(1)),
        [0, 1],
        vec![uncounted(&TestKey::new(role), reason)],
    )
}

/// A timestamp that too few of the keys that root 1 names have signed.
pub(crate) fn timestamp_by(have: u64, need: u64, uncounted: Vec<Uncounted>) -> Rejected {
    let signers = Signers::Root(version(1));
    threshold("timestamp", signers, [have, need], uncounted)
}

pub(crate) fn rollback(role: &str, trusted: u64, offered: u64) -> Rejected {
    Rejected::Rollback {
        role: name(role),
        trusted: version(trusted),
        offered: version(offered),
    }
}

pub(crate) fn wrong_version(role: &str, expected: u64, offered: u64) -> Rejected {
    Rejected::Version {
        role: name(role),
        expected: version(expected),
        offered: version(offered),
    }
}

/// A role that expired at this date.
pub(crate) fn expired(role: &str, number: u64, at: &str) -> Rejected {
    Rejected::Expired {
        role: name(role),
        version: version(number),
        expires: time(at),
        now: time(NOW),
    }
}

pub(crate) fn length(role: &str, expected: u64, exact: bool, received: u64) -> Rejected {
    Rejected::Length {
        role: name(role),
        expected,
        exact,
        received,
    }
}

/// Asserts that a file was refused as malformed, where and why.
#[track_caller]
pub(crate) fn assert_format(rejected: &Rejected, role: &str, path: &str, reason: &Reason) {
    let Rejected::Format {
        role: refused,
        error,
    } = rejected
    else {
        panic!("not a format error: {rejected:?}");
    };
    assert_eq!(
        (refused.as_str(), error.path.as_str(), &error.reason),
        (role, path, reason)
    );
}
