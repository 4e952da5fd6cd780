//! A description as text for people.

use tuffet_core::metadata::UnixTime;

use super::describe::{Description, KeyLine, RoleLine, SHOWN};
use crate::moment;
use crate::text::{self, columns, short, visible};

/// The whole description.
pub(super) fn text(description: &Description, now: UnixTime) -> String {
    let mut lines = head(description, now);
    section(&mut lines, "keys", description.keys.iter().map(key));
    section(&mut lines, "roles", description.roles.iter().map(role));
    section(&mut lines, "files", files(description));
    section(&mut lines, "targets", targets(description));
    let signatures = description.signatures.iter();
    section(
        &mut lines,
        "signatures by",
        signatures.map(|keyid| vec![visible(keyid)]),
    );
    own_quorum(&mut lines, description);
    let tolerances = description.tolerances.iter();
    section(
        &mut lines,
        "needs tolerance for",
        tolerances.map(|note| vec![note.tolerance.name().to_owned(), visible(&note.field)]),
    );
    lines.join("\n")
}

fn head(description: &Description, now: UnixTime) -> Vec<String> {
    let mut rows = vec![
        row("expires", expiry(description.expires, now)),
        row("length", text::size(description.bytes as u64)),
        row("sha256", text::grouped(&description.sha256)),
        row("envelope", description.envelope.to_owned()),
    ];
    if let Some(consistent) = description.consistent_snapshot {
        let answer = if consistent { "yes" } else { "no" };
        rows.push(row("consistent snapshot", answer.to_owned()));
    }
    let title = format!(
        "{} version {} (read, not verified)",
        description.kind, description.version
    );
    let mut lines = vec![title];
    lines.extend(columns(&rows).into_iter().map(|line| format!("  {line}")));
    lines
}

fn row(name: &str, value: String) -> Vec<String> {
    vec![name.to_owned(), value]
}

fn expiry(expires: UnixTime, now: UnixTime) -> String {
    let when = moment::both(expires, now);
    if expires <= now {
        format!("EXPIRED {when}")
    } else {
        when
    }
}

fn section(lines: &mut Vec<String>, title: &str, rows: impl Iterator<Item = Vec<String>>) {
    let rows: Vec<Vec<String>> = rows.collect();
    if rows.is_empty() {
        return;
    }
    lines.push(String::new());
    lines.push(title.to_owned());
    lines.extend(columns(&rows).into_iter().map(|line| format!("  {line}")));
}

fn key(key: &KeyLine) -> Vec<String> {
    let use_of = match &key.unusable {
        None => "usable".to_owned(),
        Some(why) => format!("never counts: {why}"),
    };
    let kind = if key.keytype == key.scheme {
        visible(&key.scheme)
    } else {
        format!("{}/{}", visible(&key.keytype), visible(&key.scheme))
    };
    vec![short(&key.keyid), kind, use_of]
}

fn role(role: &RoleLine) -> Vec<String> {
    let keyids: Vec<String> = role.keyids.iter().map(|keyid| short(keyid)).collect();
    let mut cells = vec![
        visible(&role.name),
        format!("{} of {}", role.threshold, role.keyids.len()),
        keyids.join(" "),
    ];
    if let Some(paths) = &role.paths {
        let paths: Vec<String> = paths.iter().map(|path| visible(path)).collect();
        cells.push(paths.join(" "));
    }
    if role.terminating == Some(true) {
        cells.push("terminating".to_owned());
    }
    cells
}

fn files(description: &Description) -> impl Iterator<Item = Vec<String>> {
    let rows = description.files.iter().map(|(name, meta)| {
        let length = meta.length.map_or_else(String::new, text::size);
        vec![visible(name), format!("version {}", meta.version), length]
    });
    rows.chain(more(description, description.files.len()))
}

fn targets(description: &Description) -> impl Iterator<Item = Vec<String>> {
    let rows = description.targets.iter().map(|(path, target)| {
        let digests = target.hashes.digests().iter();
        let digests: Vec<String> = digests
            .map(|digest| format!("{} {}…", digest.algorithm(), short(&digest.to_hex())))
            .collect();
        vec![visible(path), text::size(target.length), digests.join(" ")]
    });
    rows.chain(more(description, description.targets.len()))
}

/// A line for what is not shown.
fn more(description: &Description, shown: usize) -> Option<Vec<String>> {
    let all = description.listed.unwrap_or(0);
    let rest = all.saturating_sub(shown as u64);
    (shown == SHOWN && rest > 0).then(|| vec![format!("… and {rest} more")])
}

fn own_quorum(lines: &mut Vec<String>, description: &Description) {
    let Some(quorum) = &description.own_quorum else {
        return;
    };
    lines.push(String::new());
    let verdict = if quorum.is_met() { "met" } else { "NOT met" };
    lines.push(format!(
        "own quorum {verdict}: {} valid signatures, {} needed",
        quorum.have, quorum.need
    ));
    for keyid in &quorum.counted {
        lines.push(format!("  {} counted", short(keyid)));
    }
    for key in &quorum.uncounted {
        lines.push(format!("  {}", text::wrap(&visible(key), text::WIDTH, 4)));
    }
}
