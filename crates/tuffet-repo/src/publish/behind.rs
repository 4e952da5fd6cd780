//! A copy of the repository that has not got what others have published.

use tuffet_core::metadata::{RoleName, Version};
use tuffet_core::trust::TrustedView;

use super::release::Place;
use super::timestamp_name;
use crate::Error;
use crate::numbers::FURTHEST;
use crate::store::Store;

/// Refuses to publish from a copy that is behind: what it has is older than what clients see, and genuine, so that nothing it could publish
/// would be accepted. Where a key of snapshot or timestamp leaves, clients forget; and numbers that leap are a thief's, whom the checks
/// that follow name.
pub(super) fn require_up_to_date(place: &Place<'_>) -> Result<(), Error> {
    let Some(view) = place.last.view() else {
        return Ok(());
    };
    let published = view.timestamp().version();
    let own = place.store.timestamp()?;
    let own = own.and_then(|timestamp| timestamp.version());
    if own >= Some(published)
        || leaps(place.store, own, view)
        || place.online_key_leaves()? == Some(true)
    {
        return Ok(());
    }
    Err(Error::Behind {
        at: Box::new(place.published.metadata(&timestamp_name())),
        published,
        own,
    })
}

/// Whether a version is so far above the last one here that no honest publisher has made those between.
fn leaps(store: &Store, timestamp: Option<Version>, view: &TrustedView) -> bool {
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
