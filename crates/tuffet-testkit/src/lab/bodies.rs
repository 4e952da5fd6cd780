//! Answers without an end.

use super::{APP, Attack, Body, Class, Lab, Script, Site};

pub(super) fn attacks() -> Vec<Attack> {
    vec![
        endless("endless-root", "a next root without an end", |lab| {
            of_role(lab, "2.root.json", None)
        }),
        endless("endless-timestamp", "a timestamp without an end", |lab| {
            of_role(lab, "timestamp.json", None)
        }),
        endless(
            "endless-timestamp-declared",
            "a timestamp that says to be a terabyte long",
            |lab| of_role(lab, "timestamp.json", Some(1 << 40)),
        ),
        endless("endless-snapshot", "a snapshot without an end", |lab| {
            of_role(lab, "1.snapshot.json", None)
        }),
        endless("endless-targets", "a targets role without an end", |lab| {
            of_role(lab, "1.targets.json", None)
        }),
        endless(
            "endless-unlisted-length",
            "a snapshot without an end whose length nobody has signed",
            |lab| {
                let mut honest = lab.repository();
                honest.listing = crate::Listing::VersionOnly;
                honest.write();
                let site = Site::of(&honest).endless("1.snapshot.json", None);
                Script::of(&honest).refuses(site, CODES)
            },
        ),
        endless("endless-target", "a target without an end", |lab| {
            let honest = lab.repository();
            let mut site = Site::of(&honest);
            for body in site.targets.values_mut() {
                *body = endless_after(body, None);
            }
            Script::of(&honest).refuses(site, &["length.target", "network.truncated"])
        }),
    ]
}

/// What ours says when bytes do not end: too long, or too slow to come to an end.
const CODES: &[&str] = &[
    "length.root",
    "length.timestamp",
    "length.snapshot",
    "length.targets",
];

fn endless(id: &'static str, what: &'static str, play: fn(&Lab) -> Script) -> Attack {
    Attack {
        id,
        class: Class::EndlessData,
        what,
        advisories: &[],
        play,
    }
}

fn of_role(lab: &Lab, file: &str, declared: Option<u64>) -> Script {
    let honest = lab.repository();
    let site = Site::of(&honest).endless(file, declared);
    Script::of(&honest)
        .refuses_target(site, APP, CODES)
        .accepts(&honest, b"app 1")
}

fn endless_after(body: &Body, declared: Option<u64>) -> Body {
    let head = match body {
        Body::Bytes(bytes) | Body::Endless { head: bytes, .. } => bytes.clone(),
    };
    Body::Endless { head, declared }
}

impl Site {
    /// The same, with a metadata file that does not end where it did; one that is not there is nothing but the rest.
    fn endless(mut self, file: &str, declared: Option<u64>) -> Self {
        let empty = Body::Bytes(Vec::new());
        let body = endless_after(self.metadata.get(file).unwrap_or(&empty), declared);
        self.metadata.insert(file.to_owned(), body);
        self
    }
}
