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
/// would be accepted. Where a key of snapshot or timestamp leaves, clients forget; and numbers that leap are a thief's, whom the checks
/// that follow name.
pub(super) fn require_up_to_date(place: &Place<'_>) -> Result<(), Error> {
    let Some(view) = place.last.view() else {
        return Ok(());
    };
    let published = view.timestamp().version();
    let own = place.store.timestamp()?;
    let own = own.and_then(|timestamp| timestamp.version());
    if own > Some(published)
        || is_the_same(place)?
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
    // The same number may have been used here, too, by a publication that broke off or was overtaken.
    let listed = view.snapshot().listing();
    let lacking = listed.iter().find_map(|entry| {
        let file = entry.file();
        let role = RoleName::new(file.strip_suffix(".json")?).ok()?;
        let (listed, own) = (entry.version()?, place.store.head(&role));
        (own < Some(listed)).then_some((role, listed, own))
    });
    match lacking {
        Some((role, published, own)) => Err(Error::Behind {
            at: Box::new(place.published.metadata(&file_name(&role, Some(published)))),
            published,
            own,
        }),
        None => Ok(()),
    }
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
