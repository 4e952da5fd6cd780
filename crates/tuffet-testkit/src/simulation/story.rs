//! What happens in a trace, in words, for whoever reads one that failed.

use super::artifact::{Archive, Draft, Id};
use super::client::{End, Report};
use super::model::Rules;
use super::network::Served;
use super::repository::Repository;

/// What kind of client it is, and of what.
pub(crate) fn rules_in_words(rules: &Rules) -> String {
    let refused: Vec<&str> = rules.refuse.codes().collect();
    format!(
        "a client {} and refuses {refused:?}, {} roots and {} roles at a time, roots from {} and snapshots from {}",
        if rules.strict {
            "that is strict about its disk"
        } else {
            "that forgives its disk"
        },
        rules.roots,
        rules.roles,
        rules.least_root,
        rules.least_snapshot
    )
}

/// What is published now.
pub(crate) fn published_in_words(archive: &Archive, now: i64, repository: &Repository) -> String {
    let one = |id: Id| served_in_words(archive, now, Served::File(id));
    let mut files = vec![
        one(*repository.roots.last().expect("a root")),
        one(repository.timestamp),
        one(repository.snapshot),
    ];
    files.extend(repository.roles.values().map(|role| one(role.current)));
    format!("published: {}", files.join("; "))
}

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
        dsse,
        ..
    } = &archive.get(id).draft;
    let signatures: Vec<String> = signatures
        .iter()
        .map(|entry| match entry.by {
            Some(key) if key == entry.named.key => entry.named.to_string(),
            Some(key) => format!("{} made by k{key}", entry.named),
            None => format!("{} made up", entry.named),
        })
        .zip(signatures)
        .map(|(words, entry)| match entry.moved {
            true => words + " over another envelope",
            false => words,
        })
        .collect();
    let life = expires - now;
    let odd = archive.get(id).deviations.codes();
    let odd: Vec<String> = odd.map(|code| format!(" {code}")).collect();
    format!(
        "{role} {version}{}{} signed {}, for {life} s",
        if *dsse { " in DSSE" } else { "" },
        odd.concat(),
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
