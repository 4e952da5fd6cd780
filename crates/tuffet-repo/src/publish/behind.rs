//! A copy of the repository that has not got what others have published.

use tuffet_core::metadata::{Listing, RoleName, Version};
use tuffet_core::trust::TrustedView;

use super::release::Place;
use super::timestamp_name;
use crate::Error;
use crate::layout::file_name;
use crate::numbers::FURTHEST;
use crate::quorum::is_version_of_any;
use crate::store::Store;
use crate::tree::Tree as _;

/// Refuses to publish from a copy that is behind: what it has is older than what clients see, and genuine, so that nothing it could publish
/// would be accepted, or would take out what others have put in. Where a key of snapshot or timestamp leaves, clients forget the versions of
/// these two, but not what is published; and numbers that leap are a thief's, whom the checks that follow name. Files that are named in
/// `replace` do not matter where nobody has signed them.
pub(super) fn require_up_to_date(place: &Place<'_>, replace: &[String]) -> Result<(), Error> {
    let Some(view) = place.last.view() else {
        return Ok(());
    };
    let published = view.timestamp().version();
    let own = place.store.timestamp()?;
    let own = own.and_then(|timestamp| timestamp.version());
    if leaps(place.store, own, view) {
        return Ok(());
    }
    let same = is_the_same(place)?;
    if own < Some(published) && place.online_key_leaves()? != Some(true) {
        return Err(Error::Behind {
            at: Box::new(place.published.metadata(&timestamp_name())),
            published,
            own,
        });
    }
    // The same numbers may have been used here, too, by publications that broke off or were overtaken. Where this copy was the last to
    // publish, or has all that was, that was found out then, but for what is edited since.
    let listing = view.snapshot().listing();
    for entry in listing.iter() {
        let role = entry.file().strip_suffix(".json").map(RoleName::new);
        let (Some(Ok(role)), Some(listed)) = (role, entry.version()) else {
            continue;
        };
        if !same || place.store.draft(&role).is_some() {
            require_listed(place, &listing, &role, listed, replace)?;
        }
    }
    Ok(())
}

/// Refuses a copy that lacks a version that clients see, or has another one of the same number.
fn require_listed(
    place: &Place<'_>,
    listing: &Listing<'_>,
    role: &RoleName,
    listed: Version,
    replace: &[String],
) -> Result<(), Error> {
    let name = file_name(role, Some(listed));
    let at = || place.published.metadata(&name);
    let own = place.store.head(role);
    if place.store.given_up().has(role, listed) {
        return Ok(());
    }
    if own < Some(listed) {
        return Err(Error::Behind {
            at: Box::new(at()),
            published: listed,
            own,
        });
    }
    let here = place.store.found(role, listed)?;
    let differs = |bytes: &Vec<u8>| !listing.identifies(role, bytes, tuffet_crypto::aws_lc());
    if !here.as_ref().is_some_and(differs) {
        return Ok(());
    }
    let signed = |bytes: Vec<u8>| is_version_of_any(role, listed, &bytes, place.graph);
    if replace.contains(&name) && !place.published.file(&name)?.is_some_and(signed) {
        return Ok(());
    }
    Err(Error::VersionReused { at: at() })
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
