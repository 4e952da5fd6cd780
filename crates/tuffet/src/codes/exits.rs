//! How commands end that fail with a code.

use crate::exit::Exit;

/// The ends of the codes that are this, or that begin with this where it ends with a dot. The first that fits says it. A debug build
/// stops where a command ends otherwise, so the tests of all commands are tests of this table.
const ENDS: &[(&str, &[Exit])] = &[
    ("anchor.", &[Exit::Untrusted]),
    ("audit.limit", &[Exit::Untrusted]),
    ("backstop.", &[Exit::Untrusted]),
    ("cache.corrupt", &[Exit::Untrusted]),
    ("cancelled", &[Exit::Interrupted, Exit::Terminated]),
    ("change.elsewhere", &[Exit::Untrusted]),
    ("change.foreign", &[Exit::Untrusted]),
    ("change.role", &[Exit::Untrusted]),
    ("change.signature", &[Exit::Untrusted]),
    ("change.none", &[Exit::Usage]),
    ("change.no-edit", &[Exit::Usage]),
    ("change.", &[Exit::Conflict]),
    ("channel.unknown", &[Exit::NotFound]),
    ("clock.back", &[Exit::Stale]),
    ("disk.exists", &[Exit::Conflict]),
    ("disk.", &[Exit::Network]),
    ("doctor.", &[Exit::Findings]),
    ("expired.", &[Exit::Stale]),
    ("expires.soon", &[Exit::Findings]),
    ("explain.unknown", &[Exit::NotFound]),
    ("file.read", &[Exit::NotFound, Exit::Network]),
    ("file.too-large", &[Exit::Usage]),
    ("file.unlisted", &[Exit::Findings]),
    ("file.write", &[Exit::Network]),
    ("format.", &[Exit::Untrusted]),
    ("git.failed", &[Exit::Network, Exit::Conflict]),
    ("git.no-change", &[Exit::NotFound]),
    ("git.timeout", &[Exit::Network]),
    ("hash.", &[Exit::Untrusted]),
    ("inspect.type", &[Exit::Failed]),
    ("internal.panic", &[Exit::Failed]),
    ("key.ambiguous", &[Exit::Usage]),
    ("key.duplicate", &[Exit::Usage]),
    ("key.exists", &[Exit::Conflict]),
    ("key.kms.unreachable", &[Exit::Network]),
    ("key.mismatch", &[Exit::Untrusted]),
    ("key.name", &[Exit::Usage]),
    ("key.not-needed", &[Exit::Usage]),
    ("key.not-there", &[Exit::Usage]),
    ("key.scheme", &[Exit::Usage]),
    ("key.unknown", &[Exit::NotFound]),
    ("key.uri", &[Exit::Usage]),
    ("key.write", &[Exit::Network]),
    ("key.", &[Exit::Key]),
    ("lab.failed", &[Exit::Failed]),
    ("length.", &[Exit::Untrusted]),
    ("lock.timeout", &[Exit::Conflict]),
    ("lock.unavailable", &[Exit::Network]),
    ("map.disagreement", &[Exit::Untrusted]),
    ("map.format", &[Exit::Failed]),
    ("missing.", &[Exit::Untrusted]),
    ("misuse", &[Exit::Usage]),
    ("network.", &[Exit::Network]),
    ("offline.", &[Exit::NotFound]),
    ("policy.format", &[Exit::Failed]),
    ("policy.", &[Exit::Usage]),
    ("publish.behind", &[Exit::Conflict]),
    ("publish.diverged", &[Exit::Conflict]),
    ("publish.overtaken", &[Exit::Conflict]),
    ("publish.refused", &[Exit::Failed]),
    ("publish.store", &[Exit::Network]),
    ("publish.timestamp", &[Exit::Untrusted]),
    ("publish.", &[Exit::Usage]),
    ("recover.keys", &[Exit::Usage]),
    ("recover.too-late", &[Exit::Key]),
    ("recover.version", &[Exit::NotFound]),
    ("repo.exists", &[Exit::Conflict]),
    ("repo.format", &[Exit::Failed]),
    ("repo.io", &[Exit::Network]),
    ("repo.locked", &[Exit::Conflict]),
    ("repo.not-found", &[Exit::NotFound]),
    ("repo.unsigned", &[Exit::Untrusted]),
    ("role.unknown", &[Exit::NotFound]),
    ("role.", &[Exit::Usage]),
    ("rollback.", &[Exit::Untrusted]),
    (
        "serve.listen",
        &[Exit::Usage, Exit::Network, Exit::Conflict],
    ),
    ("serve.repository", &[Exit::Usage]),
    ("signature.uncounted", &[Exit::Findings]),
    ("signatures.missing", &[Exit::NeedsSignatures]),
    ("store.", &[Exit::Network]),
    ("strict.", &[Exit::Untrusted]),
    ("target.content-changed", &[Exit::Conflict]),
    ("target.content-differs", &[Exit::Conflict]),
    ("target.content-missing", &[Exit::Failed]),
    ("target.missing", &[Exit::Untrusted]),
    ("target.not-found", &[Exit::NotFound]),
    ("target.not-listed", &[Exit::NotFound]),
    ("target.outside", &[Exit::Findings]),
    ("target.path", &[Exit::Network]),
    ("target.search-limit", &[Exit::NotFound]),
    ("target.unlisted", &[Exit::NotFound]),
    ("target.", &[Exit::Usage]),
    ("threshold.", &[Exit::Untrusted]),
    ("tour.step", &[Exit::Failed]),
    ("trust.exists", &[Exit::Conflict]),
    ("trust.file", &[Exit::Failed]),
    ("trust.unknown", &[Exit::NotFound]),
    ("trust.voices", &[Exit::Findings]),
    ("usage.declined", &[Exit::Failed]),
    ("usage.", &[Exit::Usage]),
    ("verify.layout", &[Exit::NotFound]),
    ("version.reused", &[Exit::Conflict]),
    ("version.taken", &[Exit::Conflict]),
    ("version.", &[Exit::Untrusted]),
];

/// How a command ends that fails with this code; several if that depends.
pub(crate) fn exits(code: &str) -> &'static [Exit] {
    let fits = |known: &str| code == known || (known.ends_with('.') && code.starts_with(known));
    let found = ENDS.iter().find(|(known, _)| fits(known));
    found.map_or(&[], |(_, exits)| exits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_an_end_and_every_end_a_code() {
        let codes: Vec<&str> = super::super::all()
            .map(|explanation| explanation.code)
            .collect();
        for code in &codes {
            assert!(!exits(code).is_empty(), "{code}");
        }
        for (known, _) in ENDS {
            let fits = |code: &&&str| {
                **code == *known || (known.ends_with('.') && code.starts_with(known))
            };
            assert!(codes.iter().any(|code| fits(&code)), "{known}");
        }
    }
}
