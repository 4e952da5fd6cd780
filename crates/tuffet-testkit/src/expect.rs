//! The exact errors that tests expect, in short.

use tuffet_core::json::Reason;
use tuffet_core::metadata::KeyId;
use tuffet_core::trust::{Rejected, Signers, Uncounted, UncountedReason};

use crate::keys::TestKey;
use crate::{NOW, name, time, version};

/// A key that was not counted, and why.
pub fn uncounted(key: &TestKey, reason: UncountedReason) -> Uncounted {
    Uncounted {
        keyid: KeyId::new(&key.keyid).expect("a keyid"),
        reason,
    }
}

/// Keys that did not sign.
pub fn not_signed(keys: &[&TestKey]) -> Vec<Uncounted> {
    keys.iter()
        .map(|key| uncounted(key, UncountedReason::NotSigned))
        .collect()
}

/// Too few keys; `uncounted` in the order of the role's keyids.
pub fn threshold(
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
pub fn unsigned(role: &str, reason: UncountedReason) -> Rejected {
    threshold(
        role,
        Signers::Root(version(1)),
        [0, 1],
        vec![uncounted(&TestKey::new(role), reason)],
    )
}

/// A timestamp that too few of the keys that root 1 names have signed.
pub fn timestamp_by(have: u64, need: u64, uncounted: Vec<Uncounted>) -> Rejected {
    let signers = Signers::Root(version(1));
    threshold("timestamp", signers, [have, need], uncounted)
}

/// A version that goes back.
pub fn rollback(role: &str, trusted: u64, offered: u64) -> Rejected {
    Rejected::Rollback {
        role: name(role),
        trusted: version(trusted),
        offered: version(offered),
    }
}

/// Another version than the one that was asked for.
pub fn wrong_version(role: &str, expected: u64, offered: u64) -> Rejected {
    Rejected::Version {
        role: name(role),
        expected: version(expected),
        offered: version(offered),
    }
}

/// A role that expired at this date.
pub fn expired(role: &str, number: u64, at: &str) -> Rejected {
    Rejected::Expired {
        role: name(role),
        version: version(number),
        expires: time(at),
        now: time(NOW),
    }
}

/// Another length than the exact one, or than the most.
pub fn length(role: &str, expected: u64, exact: bool, received: u64) -> Rejected {
    Rejected::Length {
        role: name(role),
        expected,
        exact,
        received,
    }
}

/// Asserts that a file was refused as malformed, where and why.
#[track_caller]
pub fn assert_format(rejected: &Rejected, role: &str, path: &str, reason: &Reason) {
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
