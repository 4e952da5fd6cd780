//! Whether the clock can be right.

use serde_json::json;
use tuffet_core::metadata::UnixTime;

use super::Report;
use crate::moment;

/// No clock can be right that is before this program was written: 2026-11-01.
const EARLIEST: UnixTime = UnixTime(1_793_491_200);

/// How far two clocks may be apart, in seconds.
#[cfg(feature = "pkcs11")]
const APART: u64 = 300;

/// Looks at the clock of the machine.
pub(super) fn look(report: &mut Report, now: UnixTime) {
    let shown = moment::absolute(now);
    report.row("clock", "machine", &shown);
    report.fact("clocks", json!({"of": "machine", "time": now.to_string()}));
    if now < EARLIEST {
        let what = format!(
            "the clock of this machine says {shown}, which is before this program was made"
        );
        report.find("doctor.clock", what);
    }
}

/// Compares another clock with it.
#[cfg(feature = "pkcs11")]
pub(super) fn compare(report: &mut Report, of: &str, time: UnixTime, now: UnixTime) {
    let shown = moment::absolute(time);
    report.row("clock", of, &shown);
    report.fact("clocks", json!({"of": of, "time": time.to_string()}));
    if time.0.abs_diff(now.0) > APART {
        let what = format!(
            "the clock of {of} says {shown}, that of this machine {}",
            moment::absolute(now)
        );
        report.find("doctor.clock", what);
    }
}
