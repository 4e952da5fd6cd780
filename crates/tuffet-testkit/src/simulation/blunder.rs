//! Mistakes of honest people.

use super::artifact::{Body, Draft, Named, Role, Signature};
use super::deviation::Deviations;
use super::repository::{Repository, Tools};

/// A root with a threshold of its own keys and not of the old ones, or the other way round.
pub(crate) fn blunder(repository: &mut Repository, lacking: u8, fresh: u8, tools: &mut Tools<'_>) {
    let version = repository.roots.len() as u64 + 1;
    let old = repository.grants[0].keys.clone();
    let Body::Root {
        mut grants,
        consistent,
    } = repository.root_body()
    else {
        return;
    };
    let new: Vec<Named> = (0..2 + fresh % 2).map(|_| repository.fresh_key()).collect();
    grants[0].keys.clone_from(&new);
    let signers: Vec<Named> = match lacking % 4 {
        0 => new,
        1 => old,
        2 => new.into_iter().chain(old.into_iter().take(1)).collect(),
        _ => old.into_iter().chain(new.into_iter().take(1)).collect(),
    };
    let draft = Draft {
        role: Role::Root,
        version,
        expires: tools.now + 50_000,
        body: Body::Root { grants, consistent },
        signatures: signers.into_iter().map(Signature::honest).collect(),
        padding: 0,
        dsse: tools.wraps(version),
        odd: Deviations::NONE,
    };
    let id = tools.archive.add(draft, tools.signing);
    repository.put_root(version, id);
}
