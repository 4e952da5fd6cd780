//! A repository with its people, and a client that reads what it publishes.

mod client;
#[cfg(feature = "object-store")]
mod stores;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use tuffet_core::crypto::Scheme;
use tuffet_core::json::Value;
use tuffet_core::metadata::{DelegatedName, RoleName, TargetPath, UnixTime};
use tuffet_repo::{
    Action, AddTarget, Delegate, DelegatedPaths, Destination, Document, Error, InitOptions,
    NamedKey, Plan, Publish, Repository,
};
use tuffet_sign::{FileKey, Signer};

pub(crate) use client::{Client, versions};
#[cfg(feature = "object-store")]
pub(crate) use stores::{Azure, Gcs, S3, Store};

/// 2026-01-01T00:00:00Z.
pub(crate) const NOW: UnixTime = UnixTime(1_767_225_600);

pub(crate) const DAY: i64 = 86_400;

pub(crate) fn after(days: i64) -> UnixTime {
    UnixTime(NOW.0 + days * DAY)
}

/// A new key; tests end before it matters that it is never given back.
pub(crate) fn key() -> &'static FileKey {
    Box::leak(Box::new(FileKey::generate(Scheme::Ed25519).unwrap()))
}

pub(crate) fn named(name: &str, signer: &dyn Signer) -> NamedKey {
    NamedKey::of(name, signer).unwrap()
}

pub(crate) fn path(text: &str) -> TargetPath {
    TargetPath::new(text).unwrap()
}

pub(crate) fn role(text: &str) -> RoleName {
    RoleName::new(text).unwrap()
}

pub(crate) fn delegated(text: &str) -> DelegatedName {
    DelegatedName::new(text).unwrap()
}

/// Ana, Ben and a vault hold root and targets, two of the three sign; a machine holds the online key.
pub(crate) struct World {
    place: TempDir,
    pub(crate) ana: &'static FileKey,
    pub(crate) ben: &'static FileKey,
    pub(crate) vault: &'static FileKey,
    pub(crate) online: &'static FileKey,
}

impl World {
    /// Keys and an empty place.
    pub(crate) fn empty() -> Self {
        Self {
            place: tempfile::tempdir().unwrap(),
            ana: key(),
            ben: key(),
            vault: key(),
            online: key(),
        }
    }

    /// A repository whose first versions wait to be published.
    pub(crate) fn founded() -> Self {
        Self::empty().found()
    }

    /// The same in a git work tree, whose git directory is beside it.
    pub(crate) fn founded_in_git() -> Self {
        let world = Self::empty();
        fs::create_dir(world.git()).unwrap();
        world.found()
    }

    pub(crate) fn found(self) -> Self {
        let plan = Repository::init(
            &self.directory(),
            &self.options(),
            &[self.ana, self.ben],
            NOW,
        );
        plan.unwrap().execute().unwrap();
        self
    }

    /// A git directory of a work tree that the repository is a directory of.
    pub(crate) fn git(&self) -> PathBuf {
        self.place.path().join(".git")
    }

    /// A repository that is published with one target, `app.tar`.
    pub(crate) fn published() -> Self {
        let world = Self::founded();
        world.publish(NOW);
        world.add("app.tar", b"app 1");
        world.sign();
        world.publish(NOW);
        world
    }

    pub(crate) fn options(&self) -> InitOptions {
        let people = vec![
            named("ana", self.ana),
            named("ben", self.ben),
            named("vault", self.vault),
        ];
        InitOptions::new("acme", people, 2, vec![named("online", self.online)])
    }

    pub(crate) fn directory(&self) -> PathBuf {
        self.place.path().join("acme")
    }

    pub(crate) fn public(&self) -> PathBuf {
        self.place.path().join("public")
    }

    pub(crate) fn repository(&self) -> Repository {
        Repository::open(&self.directory()).unwrap()
    }

    pub(crate) fn file(&self, name: &str, content: &[u8]) -> PathBuf {
        let path = self.place.path().join("files").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path
    }

    /// A repository for edits that take away what was signed.
    pub(crate) fn discarding(&self) -> Repository {
        self.repository().discarding_signatures(true)
    }

    pub(crate) fn add(&self, name: &str, content: &[u8]) {
        let add = AddTarget::new(path(name), self.file(name, content));
        run(self.repository().add_target(&add, NOW));
    }

    /// Targets delegate `ROLE/*` to a role of these keys, one of which has to sign; it waits to be signed.
    pub(crate) fn delegate(&self, role: &str, keys: &[(&str, &dyn Signer)]) {
        let paths = DelegatedPaths::Patterns(vec![format!("{role}/*")]);
        let keys = keys.iter().map(|(name, signer)| named(name, *signer));
        let delegate = Delegate::new(delegated(role), paths, keys.collect());
        run(self.repository().delegate(&delegate, NOW));
    }

    /// Ana and Ben sign the open change.
    pub(crate) fn sign(&self) {
        run(self.repository().sign(&[self.ana, self.ben]));
    }

    pub(crate) fn plan(&self, online: &[&dyn Signer], now: UnixTime) -> Result<Plan, Error> {
        self.repository()
            .publish(&Publish::to(self.public()), online, now)
    }

    /// Publishes somewhere else.
    pub(crate) fn plan_to(&self, place: &Destination, now: UnixTime) -> Result<Plan, Error> {
        let publish = Publish::to(place.clone());
        self.repository().publish(&publish, &[self.online], now)
    }

    pub(crate) fn publish(&self, now: UnixTime) -> Vec<Action> {
        run(self.plan(&[self.online], now))
    }

    /// A client that has the first root and nothing else.
    pub(crate) fn client(&self) -> Client {
        Client::new(fs::read(self.metadata("1.root.json")).unwrap())
    }

    pub(crate) fn metadata(&self, name: &str) -> PathBuf {
        self.public().join("metadata").join(name)
    }

    pub(crate) fn document(&self, name: &str) -> Document {
        Document::parse(&fs::read(self.metadata(name)).unwrap()).unwrap()
    }

    /// Copies both trees, to go on from the same point in several ways.
    pub(crate) fn fork(&self) -> Self {
        let place = tempfile::tempdir().unwrap();
        copy(self.place.path(), place.path());
        Self { place, ..*self }
    }

    /// Edits the draft of a role by hand, as somebody with an editor could.
    pub(crate) fn edit_draft(&self, role: &str, edit: impl FnOnce(&mut Document)) {
        self.edit_change(|drafts| {
            let draft = drafts.get_mut(role).unwrap();
            let mut document = Document::parse(&draft.to_compact_json()).unwrap();
            document.clear_signatures();
            edit(&mut document);
            *draft = Value::parse(&document.to_bytes()).unwrap();
        });
    }

    /// Edits the drafts of the open change by hand.
    pub(crate) fn edit_change(&self, edit: impl FnOnce(&mut BTreeMap<String, Value>)) {
        let path = self.change();
        let mut change = Value::parse(&fs::read(&path).unwrap()).unwrap();
        edit(
            change
                .get_mut("drafts")
                .and_then(Value::as_object_mut)
                .unwrap(),
        );
        fs::write(path, change.to_compact_json()).unwrap();
    }

    /// Gives a delegated role of the open change another name by hand, as another program could have called it.
    pub(crate) fn rename(&self, by: &str, from: &str, to: &str) {
        self.edit_change(|drafts| {
            if let Some(draft) = drafts.remove(from) {
                drafts.insert(to.to_owned(), draft);
            }
            let delegator = drafts.get_mut(by).unwrap();
            let text = String::from_utf8(delegator.to_compact_json()).unwrap();
            let name = |name: &str| format!(r#""name":"{name}""#);
            let renamed = text.replace(&name(from), &name(to));
            assert_ne!(renamed, text);
            *delegator = Value::parse(renamed.as_bytes()).unwrap();
        });
    }

    /// The only staged file of this length.
    #[cfg(feature = "object-store")]
    pub(crate) fn staged(&self, length: u64) -> PathBuf {
        let objects = self.directory().join(".tuffet/objects");
        let all = files(&objects).into_iter().map(|name| objects.join(name));
        let mut found = all.filter(|path| fs::metadata(path).unwrap().len() == length);
        found.next().unwrap()
    }

    /// The file of the open change.
    pub(crate) fn change(&self) -> PathBuf {
        self.directory().join(".tuffet/change.json")
    }
}

/// Plans and executes.
pub(crate) fn run(plan: Result<Plan, Error>) -> Vec<Action> {
    plan.unwrap().execute().unwrap()
}

/// The code of the error that planning ended in.
pub(crate) fn code<T>(result: Result<T, Error>) -> &'static str {
    match result {
        Ok(_) => "no error",
        Err(error) => error.code(),
    }
}

/// Every file below a directory, by its path relative to it.
pub(crate) fn files(directory: &Path) -> Vec<String> {
    let mut all = Vec::new();
    let mut open = vec![directory.to_owned()];
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(next).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                all.push(
                    path.strip_prefix(directory)
                        .unwrap()
                        .to_str()
                        .unwrap()
                        .replace('\\', "/"),
                );
            }
        }
    }
    all.sort();
    all
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            fs::copy(&path, &target).unwrap();
            let modified = fs::metadata(&path).unwrap().modified().unwrap();
            let copied = fs::File::options().write(true).open(&target).unwrap();
            copied.set_modified(modified).unwrap();
        }
    }
}
