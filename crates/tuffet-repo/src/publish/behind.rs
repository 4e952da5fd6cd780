//! A copy of the repository that has not got what others have published.

use tuffet_core::metadata::{RoleName, Version};
use tuffet_core::trust::TrustedView;

use super::release::Place;
use super::timestamp_name;
use crate::Error;
use crate::layout::file_name;
use crate::numbers::FURTHEST;
use crate::store::Store;

/// Refuses to publish from a copy that is behind: what it has is older than what clients see, and genuine, so that nothing it could publish
/// would be accepted, or would take out what others have put in. Files that are named in `replace` do not matter. Where a key of snapshot or timestamp leaves, clients forget; and numbers that leap are a thief's, whom the checks
/// that follow name.
pub(super) fn require_up_to_date(place: &Place<'_>, replace: &[String]) -> Result<(), Error> {
    let Some(view) = place.last.view() else {
        return Ok(());
    };
    let published = view.timestamp().version();
    let own = place.store.timestamp()?;
    let own = own.and_then(|timestamp| timestamp.version());
    if is_the_same(place)?
        || leaps(place.store, own, view)
        || place.online_key_leaves()? == Some(true)
    {
        return Ok(());
    }
    if own < Some(published) {
        return Err(Error::Behind {
            at: Box::new(place.published.metadata(&timestamp_name())),
            published,
            own,
        });
    }
    // The same numbers may have been used here, too, by publications that broke off or were overtaken.
    let listing = view.snapshot().listing();
    for entry in listing.iter() {
        let role = entry.file().strip_suffix(".json").map(RoleName::new);
        let (Some(Ok(role)), Some(listed)) = (role, entry.version()) else {
            continue;
        };
        let name = file_name(&role, Some(listed));
        let at = || Box::new(place.published.metadata(&name));
        let own = place.store.head(&role);
        if own < Some(listed) {
            return Err(Error::Behind {
                at: at(),
                published: listed,
                own,
            });
        }
        let forgotten = place.store.given_up().has(&role, listed) || replace.contains(&name);
        let here = place.store.found(&role, listed)?;
        let differs = |bytes: &Vec<u8>| !listing.identifies(&role, bytes, tuffet_crypto::aws_lc());
        if !forgotten && here.as_ref().is_some_and(differs) {
            return Err(Error::VersionReused { at: *at() });
        }
    }
    Ok(())
}

fn is_the_same(place: &Place<'_>) -> Result<bool, Error> {
    Ok(place.store.timestamp_bytes()?.as_deref() == place.published.timestamp())
}

/// Whether a version is so far above the last one here that no honest publisher has made those between.
pub(super) fn leaps(store: &Store, timestamp: Option<Version>, view: &TrustedView) -> bool {
    let far = |published: Version, own: Option<Version>| {
        let own = own.map_or(0, Version::number);
        published.number().saturating_sub(own) > FURTHEST
    };
    let snapshot = view.snapshot().version();
    let mut listed = view.snapshot().listing().iter();
    far(view.timestamp().version(), timestamp)
        || far(snapshot, store.head(&RoleName::Snapshot))
        || listed.any(|entry| {
            let file = entry.file();
            let name = file.strip_suffix(".json").unwrap_or_default();
            entry
                .version()
                .is_some_and(|version| far(version, store.head_of(name)))
        })
}
