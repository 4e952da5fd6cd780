//! What was sealed before and becomes visible only now: by a publication that broke off, or because the place is new.

use tuffet_core::metadata::{RoleName, UnixTime};

use super::release::{Place, Release};
use crate::Error;
use crate::document::Document;
use crate::plan::Action;

/// What is said of versions that nobody has made just now and that clients have not seen; of roots the last one.
pub(super) fn late(place: &Place<'_>, release: &Release) -> Result<Vec<Action>, Error> {
    let mut actions = Vec::new();
    let view = place.last.view();
    let root = release.staged(&RoleName::Root).map(|root| root.version);
    for staged in &release.files {
        let Some(version) = staged.version.filter(|_| staged.news.is_none()) else {
            continue;
        };
        let seen = match &staged.role {
            RoleName::Root if root != Some(staged.version) => continue,
            RoleName::Root => view.map(|view| view.root().version()),
            RoleName::Snapshot => view.map(|view| view.snapshot().version()),
            role => place.visible(role)?,
        };
        if seen != Some(version) {
            let document = Document::parse(&staged.bytes).ok();
            let expires = document.and_then(|document| document.expires());
            actions.push(Action::Published {
                role: staged.role.clone(),
                version,
                expires: expires.unwrap_or(UnixTime(0)),
            });
        }
    }
    Ok(actions)
}
