//! What happens in a trace, in words, for whoever reads one that failed.

use super::artifact::{Archive, Draft};
use super::client::{End, Report};
use super::network::Served;

/// What a mirror serves.
pub(crate) fn served_in_words(archive: &Archive, now: i64, served: Served) -> String {
    let Served::File(id) = served else {
        return format!("{served:?}");
    };
    let Draft {
        role,
        version,
        expires,
        signatures,
        ..
    } = &archive.get(id).draft;
    let signatures: Vec<String> = signatures
        .iter()
        .map(|entry| match entry.by {
            Some(key) if key == entry.named.key => entry.named.to_string(),
            Some(key) => format!("{} made by k{key}", entry.named),
            None => format!("{} made up", entry.named),
        })
        .collect();
    let life = expires - now;
    format!(
        "{role} {version} signed {}, for {life} s",
        signatures.join(" ")
    )
}

/// What a client did.
pub(crate) fn in_words(report: &Report) -> String {
    let refreshed = match &report.refreshed {
        Ok(_) => "refreshed".to_owned(),
        Err(End::Refused(code)) => format!("refused, {code}"),
        Err(other) => format!("{other:?}"),
    };
    let found: Vec<String> = report
        .found
        .iter()
        .map(|found| match found {
            Ok(target) => format!("found in {}, {:?}", target.role, target.checked),
            Err(end) => format!("{end:?}"),
        })
        .collect();
    format!(
        "{refreshed}; {} writes; searches: {found:?}",
        report.writes.len()
    )
}
