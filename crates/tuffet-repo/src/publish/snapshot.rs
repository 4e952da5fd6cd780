//! The next snapshot as a difference to the one before: of tens of thousands of entries a publication changes a few, and the others
//! are copied as they stand.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use tuffet_core::delegation::SuccinctRoles;
use tuffet_core::json::{FormatError, Value};
use tuffet_core::metadata::{
    Listing, Parsed, Role as _, RoleDelegations, RoleName, Snapshot, UnixTime, Version,
};
use tuffet_core::trust::{TrustedView, Verified};

use crate::Error;
use crate::builder;
use crate::document::Document;
use crate::graph::Graph;
use crate::store::{Store, require_version};

/// What becomes of the files that a snapshot lists, by their names; `None` for one that is listed no more.
pub(super) type Changes = BTreeMap<String, Option<Value>>;

/// The last sealed snapshot; somebody who may has signed it.
#[derive(Debug)]
pub(super) struct Before {
    pub(super) bytes: Arc<Vec<u8>>,
    content: Content,
}

#[derive(Debug)]
enum Content {
    /// It is the one that clients see, which was verified as they do it.
    Seen(Verified<Snapshot>),
    /// It is another one, whose signatures were counted.
    Counted(Parsed<Snapshot>),
}

impl Before {
    /// Reads the snapshot. `seen` is what was verified of the published tree: no signature is verified twice.
    pub(super) fn read(store: &Store, seen: Option<&TrustedView>) -> Result<Option<Self>, Error> {
        let Some(version) = store.head(&RoleName::Snapshot) else {
            return Ok(None);
        };
        let bytes = store.sealed_unread(&RoleName::Snapshot, version)?;
        let seen = seen.map(TrustedView::snapshot);
        if let Some(seen) = seen.filter(|seen| **seen.received() == bytes) {
            require_version(&RoleName::Snapshot, version, Some(seen.version()))?;
            let content = Content::Seen(seen.clone());
            let bytes = Arc::clone(seen.received());
            return Ok(Some(Self { bytes, content }));
        }
        crate::heads::require_snapshot_signed(store, version, &bytes)?;
        let parsed = Parsed::<Snapshot>::parse(bytes.clone());
        let parsed = parsed.map_err(|error| malformed(store, version, error))?;
        let own = parsed.unverified().version();
        require_version(&RoleName::Snapshot, version, Some(own))?;
        let content = Content::Counted(parsed);
        let bytes = Arc::new(bytes);
        Ok(Some(Self { bytes, content }))
    }

    /// Whether clients see this very snapshot.
    pub(super) fn is_seen(&self) -> bool {
        matches!(self.content, Content::Seen(_))
    }

    pub(super) fn listing(&self) -> Listing<'_> {
        match &self.content {
            Content::Seen(verified) => verified.listing(),
            Content::Counted(parsed) => parsed.unverified_listing(),
        }
    }

    pub(super) fn version(&self) -> Version {
        self.snapshot().version()
    }

    pub(super) fn expires(&self) -> UnixTime {
        self.snapshot().expires()
    }

    fn snapshot(&self) -> &Snapshot {
        match &self.content {
            Content::Seen(verified) => verified.content(),
            Content::Counted(parsed) => parsed.unverified(),
        }
    }

    /// The next snapshot, without version, expiry and signatures of its own.
    pub(super) fn next(&self, changes: &Changes) -> Result<Document, FormatError> {
        let listing = self.listing();
        if !listing.is_canonical() || listing.text().contains(&b'\\') {
            return self.next_in_full(changes);
        }
        let (before, behind) = listing.around();
        let mut document = Document::parse(&[before, b"{}", behind].concat())?;
        document.keep("meta", merged(listing, changes));
        Ok(document)
    }

    /// The same for a snapshot that was laid out by somebody else, or whose names need escapes.
    fn next_in_full(&self, changes: &Changes) -> Result<Document, FormatError> {
        let mut document = Document::parse(&self.bytes)?;
        apply(document.object("meta"), changes);
        Ok(document)
    }
}

/// The first snapshot.
pub(super) fn first(changes: &Changes) -> Document {
    let mut document = builder::Snapshot::new(Version::FIRST, UnixTime(0)).build();
    apply(document.object("meta"), changes);
    document
}

fn apply(meta: &mut BTreeMap<String, Value>, changes: &Changes) {
    for (file, entry) in changes {
        match entry {
            Some(entry) => meta.insert(file.clone(), entry.clone()),
            None => meta.remove(file),
        };
    }
}

/// The entries and the changes as one object, in the order of the names. The listing is canonical and nothing in it is escaped, so that
/// what lies between two changes is copied in one piece.
fn merged(listing: Listing<'_>, changes: &Changes) -> Vec<u8> {
    let text = listing.text();
    let mut object = Merged {
        text: Vec::with_capacity(text.len().saturating_add(1 << 16)),
        from: text,
        same: 0..0,
    };
    let mut changes = changes.iter().peekable();
    // Behind the brace, and then behind the comma after each entry.
    let mut start = 1_usize;
    for entry in listing.iter() {
        let file = entry.file();
        let marks = r#""":"#.len();
        let length = file
            .len()
            .saturating_add(marks)
            .saturating_add(entry.text().len());
        let place = start..start.saturating_add(length);
        start = place.end.saturating_add(1);
        while let Some((earlier, change)) = changes.next_if(|(name, _)| name.as_str() < &*file) {
            object.change(earlier, change.as_ref());
        }
        match changes.next_if(|(name, _)| name.as_str() == &*file) {
            Some((same, change)) => object.change(same, change.as_ref()),
            None => object.keep(place),
        }
    }
    for (later, change) in changes {
        object.change(later, change.as_ref());
    }
    object.finish()
}

/// An object while it is being written, mostly of what stands in another one.
struct Merged<'t> {
    text: Vec<u8>,
    from: &'t [u8],
    /// Where the last entries stand there, which are not written yet.
    same: Range<usize>,
}

impl Merged<'_> {
    /// The entry that stands there stays as it is.
    fn keep(&mut self, entry: Range<usize>) {
        // One comma lies between neighbours.
        if self.same.is_empty() || self.same.end.saturating_add(1) != entry.start {
            self.catch_up();
            self.same = entry;
        } else {
            self.same.end = entry.end;
        }
    }

    fn change(&mut self, file: &str, entry: Option<&Value>) {
        self.catch_up();
        if let Some(entry) = entry {
            self.member(&Value::from(file).to_compact_json());
            self.text.push(b':');
            self.text.extend_from_slice(&entry.to_compact_json());
        }
    }

    fn catch_up(&mut self) {
        let same = std::mem::take(&mut self.same);
        let same = self.from.get(same).unwrap_or_default();
        if !same.is_empty() {
            self.member(same);
        }
    }

    fn member(&mut self, begin: &[u8]) {
        self.text
            .push(if self.text.is_empty() { b'{' } else { b',' });
        self.text.extend_from_slice(begin);
    }

    fn finish(mut self) -> Vec<u8> {
        self.catch_up();
        if self.text.is_empty() {
            self.text.push(b'{');
        }
        self.text.push(b'}');
        self.text
    }
}

/// The roles that somebody delegates to, for telling of many names whether they are among them.
pub(super) struct Delegated<'g> {
    named: BTreeMap<&'g str, &'g RoleName>,
    bins: Vec<(&'g RoleName, &'g SuccinctRoles)>,
}

impl<'g> Delegated<'g> {
    pub(super) fn of(graph: &'g Graph) -> Self {
        let mut all = Self {
            named: BTreeMap::from([(RoleName::Targets.as_str(), &RoleName::Root)]),
            bins: Vec::new(),
        };
        for (by, delegations) in graph.delegations() {
            match delegations.roles() {
                RoleDelegations::Named(roles) => {
                    let names = roles.iter().map(|role| (role.name.as_str(), by));
                    all.named.extend(names);
                }
                RoleDelegations::Succinct(bins) => all.bins.push((by, bins)),
            }
        }
        all
    }

    /// Who delegates to a role of this name.
    pub(super) fn by(&self, name: &str) -> Option<&'g RoleName> {
        let bins = || self.bins.iter().find(|(_, bins)| bins.contains(name));
        let named = self.named.get(name).copied();
        named.or_else(|| bins().map(|(by, _)| *by))
    }

    /// The names that are not among these, each with who delegates to it. Bins are counted before they are named.
    pub(super) fn without(&self, listing: Option<Listing<'_>>) -> Vec<(String, &'g RoleName)> {
        let listed = |name: &str| {
            let role = RoleName::new(name).ok();
            listing
                .zip(role)
                .is_some_and(|(listing, role)| listing.version(&role).is_some())
        };
        let named = self.named.iter();
        let mut missing: Vec<_> = named
            .filter(|(name, _)| !listed(name))
            .map(|(name, by)| ((*name).to_owned(), *by))
            .collect();
        for (by, bins) in &self.bins {
            let files = listing.into_iter().flat_map(|listing| listing.iter());
            let among = files.filter(|file| {
                let file = file.file();
                file.strip_suffix(".json")
                    .is_some_and(|name| bins.contains(name))
            });
            if among.count() as u64 != 1_u64 << bins.bit_length() {
                let names = bins.names().filter(|name| !listed(name));
                missing.extend(names.map(|name| (name, *by)));
            }
        }
        let mut seen = BTreeSet::new();
        missing.retain(|(name, _)| seen.insert(name.clone()));
        missing
    }
}

fn malformed(store: &Store, version: Version, error: FormatError) -> Error {
    Error::format(&store.sealed_path(&RoleName::Snapshot, version), error)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshot(meta: &str) -> Parsed<Snapshot> {
        let file = format!(
            r#"{{"signatures":[],"signed":{{"_type":"snapshot","expires":"2030-01-01T00:00:00Z","meta":{meta},"spec_version":"1.0.34","version":7}}}}"#
        );
        Parsed::parse(file.into_bytes()).unwrap()
    }

    /// Every set of changes of five files of which three are listed.
    #[test]
    fn a_snapshot_is_merged_as_if_it_were_written_anew() {
        let names = ["a.json", "b.json", "c.json", "\u{e9}\".json", "z.json"];
        for listed in 0..1_u32 << names.len() {
            for changed in 0..3_u32.pow(5) {
                let entry = |version: u64| Value::from_iter([("version", Value::from(version))]);
                let mut meta = BTreeMap::new();
                let mut changes = Changes::new();
                let mut rest = changed;
                for (place, name) in names.iter().enumerate() {
                    // What is escaped is not listed: then the whole snapshot is written anew.
                    if listed & (1 << place) != 0 && !name.contains('"') {
                        meta.insert((*name).to_owned(), entry(place as u64 + 1));
                    }
                    match rest % 3 {
                        0 => {}
                        1 => drop(changes.insert((*name).to_owned(), None)),
                        _ => drop(changes.insert((*name).to_owned(), Some(entry(99)))),
                    }
                    rest /= 3;
                }
                let text = Value::Object(meta.clone()).to_compact_json();
                let before = snapshot(&String::from_utf8(text).unwrap());
                let merged = merged(before.unverified_listing(), &changes);
                apply(&mut meta, &changes);
                assert_eq!(
                    String::from_utf8(merged).unwrap(),
                    String::from_utf8(Value::Object(meta).to_compact_json()).unwrap()
                );
            }
        }
    }
}
