//! Taking edits back.
//!
//! Before an edit changes the open change, the file of it is kept beside it in `undo/NUMBER.json`; the change itself says how many
//! edits made it. So a change that was dropped, published or begun anew leaves nothing behind that could be mistaken for its past.

use std::collections::BTreeSet;

use tuffet_core::metadata::{KeyId, RoleName, Version};

use super::ChangeFile;
use crate::Error;
use crate::document::Document;
use crate::keys::KeyName;
use crate::numbers::GivenUp;
use crate::plan::{Action, Plan};
use crate::policy::Learned;
use crate::repository::Repository;
use crate::store::Store;
use crate::write::{Write, WriteKind, read_bounded};

/// How many edits of one change can be taken back.
const KEPT: u64 = 32;

/// The largest change of which earlier states are kept, in bytes.
const LARGEST: u64 = 16 * 1024 * 1024;

impl Repository {
    /// Takes back the last edit of the open change. What people have signed since then is not taken from them, unless
    /// [`Repository::discarding_signatures`] allows it.
    ///
    /// # Errors
    /// [`Error::NoChange`]; [`Error::NothingToUndo`] for a change that no edit here has made, or none that is remembered, and for an edit
    /// whose version is sealed already, because a publication has broken off;
    /// [`Error::ChangeSigned`] if somebody has signed since the edit.
    pub fn undo(&self) -> Result<Plan, Error> {
        let lock = self.lock()?;
        let store = Store::load(self.layout())?;
        if !store.has_change() {
            return Err(Error::NoChange);
        }
        let path = self.layout().before_edit(store.edits);
        let bytes = match store.edits {
            0 => None,
            _ => read_bounded(&path, LARGEST)?,
        };
        let bytes = bytes.ok_or(Error::NothingToUndo)?;
        let before = ChangeFile::parse(&bytes).map_err(|error| Error::format(&path, error))?;
        // The state before is believed no more than the change that is open.
        store.without_drafts().take(before.clone())?;
        if !is_open(&store, &before)? {
            return Err(Error::NothingToUndo);
        }
        let mut actions = actions(&store, &before);
        for (role, keyids) in signed_since(&store, &before) {
            let keys = keyids.iter().map(|keyid| self.policy().key_name(keyid));
            let keys: Vec<KeyName> = keys.collect();
            if !self.discards_signatures() {
                let lost = vec![(role, keys)];
                return Err(Error::ChangeSigned { lost });
            }
            let version = store.draft(&role).and_then(Document::version);
            actions.push(Action::Discarded {
                version: version.unwrap_or(Version::FIRST),
                role,
                keys,
            });
        }
        let write = if before.drafts.is_empty() {
            store.remove_change()
        } else {
            Write::file(self.layout().change(), WriteKind::Replace(bytes))
        };
        let kept = Write::file(path, WriteKind::Remove);
        // What cannot be tidied up keeps nobody from taking back.
        let note = crate::sweep::note_content(&store).unwrap_or_default();
        Ok(Plan {
            actions,
            steps: vec![note.into_iter().collect(), vec![write], vec![kept]],
            lock: Some(lock),
        })
    }
}

/// Counts one more edit, and says which files keep what was before it.
pub(crate) fn keep(store: &mut Store) -> Result<Vec<Write>, Error> {
    let layout = store.layout().clone();
    let before = match read_bounded(&layout.change(), LARGEST)? {
        // It is larger.
        Some(before) if before.is_empty() => {
            store.edits = 0;
            return Ok(Vec::new());
        }
        Some(before) => before,
        None => ChangeFile::to_bytes(
            std::iter::empty(),
            &Learned::default(),
            &GivenUp::default(),
            0,
        ),
    };
    store.edits = store.edits.saturating_add(1);
    let keep = Write::file(layout.before_edit(store.edits), WriteKind::Replace(before));
    let forget = store
        .edits
        .checked_sub(KEPT)
        .map(|number| Write::file(layout.before_edit(number), WriteKind::Remove));
    Ok(std::iter::once(keep).chain(forget).collect())
}

/// Whether all that was edited since is still open: what is sealed stays sealed.
fn is_open(store: &Store, before: &ChangeFile) -> Result<bool, Error> {
    let now = ChangeFile::read(&store.layout().change())?;
    let all = now.drafts.iter();
    let mut sealed = all.filter(|(role, _)| store.draft(role).is_none());
    Ok(sealed.all(|(role, draft)| before.drafts.get(role) == Some(draft)))
}

/// The signatures that would be lost.
fn signed_since(store: &Store, before: &ChangeFile) -> Vec<(RoleName, Vec<KeyId>)> {
    let since = |(role, draft): (&RoleName, &Document)| {
        let then = before.drafts.get(role);
        let keyids = draft.signature_keyids();
        let mut keyids: Vec<KeyId> = keyids.filter_map(|keyid| KeyId::new(keyid).ok()).collect();
        let stays =
            |keyid: &KeyId| draft.signature(keyid) == then.and_then(|then| then.signature(keyid));
        keyids.retain(|keyid| !stays(keyid));
        (!keyids.is_empty()).then(|| (role.clone(), keyids))
    };
    // Signatures made elsewhere came with the edit.
    let here = store.drafts().filter(|(_, draft)| !draft.is_exact());
    here.filter_map(since).collect()
}

fn actions(store: &Store, before: &ChangeFile) -> Vec<Action> {
    let drafted = store.drafts().map(|(role, _)| role);
    let roles: BTreeSet<&RoleName> = drafted.chain(before.drafts.keys()).collect();
    let action = |role: &RoleName| {
        let now = store.draft(role);
        let then = before.drafts.get(role);
        let version = then.or(now).and_then(Document::version);
        let (role, version) = (role.clone(), version.unwrap_or(Version::FIRST));
        match (now, then) {
            (Some(now), Some(then)) if now == then => None,
            (_, Some(_)) => Some(Action::Restored { role, version }),
            _ => Some(Action::Dropped { role, version }),
        }
    };
    roles.into_iter().filter_map(action).collect()
}
