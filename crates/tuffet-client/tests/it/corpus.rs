//! Repositories that others have published, at the time they were current.
//!
//! They are not part of the project: `TUFFET_TESTDATA` names their folder, else `../shared/testdata` beside the project.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tuffet_client::blocking::Updater;
use tuffet_client::{
    Destination, DirectoryStore, Error, FixedClock, Notice, Policy, Rejected, Source, TargetPath,
    TrustAnchor, UnixTime,
};
use tuffet_core::crypto::HashAlgorithm;
use tuffet_core::json::Value;
use tuffet_core::metadata::{RoleName, Tolerance, ToleranceSet};

/// The number of checks when the whole collection is there: one for each case and initial root.
const ALL_CHECKS: usize = 21;

/// The cases, or why there are none.
fn cases() -> Option<Vec<Case>> {
    let folder = std::env::var_os("TUFFET_TESTDATA").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/testdata"),
        PathBuf::from,
    );
    let Ok(entries) = fs::read_dir(&folder) else {
        println!("skipped: no test data in {}", folder.display());
        return None;
    };
    let mut cases: Vec<Case> = entries
        .filter_map(|entry| Case::read(entry.unwrap().path()))
        .collect();
    cases.sort_by(|one, other| one.name.cmp(&other.name));
    Some(cases)
}

struct Case {
    name: String,
    folder: PathBuf,
    value: Value,
}

impl Case {
    fn read(folder: PathBuf) -> Option<Self> {
        let bytes = fs::read(folder.join("case.json")).ok()?;
        let value = Value::parse(&bytes).unwrap();
        let name = value.get("name").unwrap().as_str().unwrap().to_owned();
        Some(Self {
            name,
            folder,
            value,
        })
    }

    fn text(&self, name: &str) -> &str {
        self.value.get(name).unwrap().as_str().unwrap()
    }

    fn array(&self, name: &str) -> &[Value] {
        self.value.get(name).unwrap().as_array().unwrap()
    }

    fn time(&self) -> UnixTime {
        UnixTime::parse(self.text("reference_time")).unwrap()
    }

    fn initial_roots(&self) -> impl Iterator<Item = &str> {
        self.array("initial_roots")
            .iter()
            .map(|root| root.get("file").unwrap().as_str().unwrap())
    }

    fn expected_versions(&self) -> BTreeMap<String, u64> {
        let versions = self.value.get("expected_versions").unwrap();
        let versions = versions.as_object().unwrap().iter();
        versions
            .map(|(role, version)| (role.clone(), version.as_u64().unwrap()))
            .collect()
    }

    fn updater(&self, root: &str, store: &Path, policy: Policy) -> (Updater, Arc<AtomicUsize>) {
        let requests = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&requests);
        let anchor = TrustAnchor::Root(fs::read(self.folder.join(root)).unwrap());
        let place = |name: &str| {
            self.folder
                .join(self.text(name))
                .to_str()
                .unwrap()
                .to_owned()
        };
        let updater = Updater::builder(anchor, DirectoryStore::new(store))
            .source(Source::new(place("metadata_path"), place("targets_path")))
            .clock(FixedClock(self.time()))
            .policy(policy)
            .observer(move |notice: &Notice<'_>| {
                if matches!(notice, Notice::Request { .. }) {
                    counter.fetch_add(1, Ordering::Relaxed);
                }
            })
            .build()
            .unwrap();
        (updater, requests)
    }
}

/// Refreshes, compares every version, downloads every listed target and compares its bytes, and does so again after a restart.
fn check_accepted(case: &Case, root: &str) {
    let directory = tempfile::tempdir().unwrap();
    let (store, targets) = (directory.path().join("store"), directory.path().join("out"));
    let (updater, requests) = case.updater(root, &store, Policy::default());
    let context = format!("{} from {root}", case.name);
    let view = updater
        .refresh()
        .unwrap_or_else(|error| panic!("{context}: {error}"));

    let mut versions = BTreeMap::from([
        ("root".to_owned(), view.root().version().number()),
        ("timestamp".to_owned(), view.timestamp().version().number()),
        ("snapshot".to_owned(), view.snapshot().version().number()),
        ("targets".to_owned(), view.targets().version().number()),
    ]);
    versions.extend(
        view.snapshot()
            .roles()
            .filter(|(role, _)| *role != RoleName::Targets)
            .map(|(role, listed)| (role.as_str().to_owned(), listed.version.number())),
    );
    for (role, expected) in case.expected_versions() {
        assert_eq!(versions.get(&role), Some(&expected), "{context}: {role}");
    }

    let mut seen = BTreeSet::new();
    for target in case.array("targets") {
        // A path that two roles list belongs to the first of them.
        if !seen.insert(target.get("path").unwrap().as_str().unwrap()) {
            continue;
        }
        let path = TargetPath::new(target.get("path").unwrap().as_str().unwrap()).unwrap();
        let found = updater
            .find(&path)
            .unwrap_or_else(|error| panic!("{context}: {path}: {error}"));
        assert_eq!(
            found.role.as_str(),
            target.get("role").unwrap().as_str().unwrap()
        );
        let destination = Destination::below(&targets);
        let first = updater
            .download(&found, &destination)
            .unwrap_or_else(|error| panic!("{context}: {path}: {error}"));
        let bytes = fs::read(&first.path).unwrap();
        assert_eq!(
            bytes.len() as u64,
            target.get("length").unwrap().as_u64().unwrap()
        );
        let crypto = tuffet_crypto::default_provider();
        for (algorithm, expected) in target.get("hashes").unwrap().as_object().unwrap() {
            let algorithm = HashAlgorithm::from_name(algorithm).unwrap();
            let digest = crypto.digest(algorithm, &bytes).to_hex();
            assert_eq!(
                Some(digest.as_str()),
                expected.as_str(),
                "{context}: {path}"
            );
        }
        let proof = updater.proof(&found).unwrap();
        assert_eq!(proof.steps.last().unwrap().role, found.role);

        let before = requests.load(Ordering::Relaxed);
        let second = updater.download(&found, &destination).unwrap();
        assert!(second.from_cache && !first.from_cache);
        assert_eq!(requests.load(Ordering::Relaxed), before);
    }

    // A new process asks for a newer root and for the timestamp, and finds everything else in the store.
    let (updater, requests) = case.updater(root, &store, Policy::default());
    updater.refresh().unwrap();
    assert_eq!(requests.load(Ordering::Relaxed), 2, "{context}");
}

fn refused(case: &Case, root: &str, policy: Policy) -> Error {
    let directory = tempfile::tempdir().unwrap();
    let (updater, _) = case.updater(root, directory.path(), policy);
    match updater.refresh() {
        Ok(_) => panic!("{} from {root} was accepted", case.name),
        Err(error) => error,
    }
}

#[test]
fn every_published_repository_gives_the_stated_result_from_every_initial_root() {
    let Some(cases) = cases() else { return };
    let mut checks = 0;
    for case in &cases {
        for root in case.initial_roots() {
            match (case.name.as_str(), case.text("expect")) {
                ("keyless-fulcio-2026-01", _) => check_keyless(case, root),
                (_, "ok") => check_accepted(case, root),
                (_, "expired") => {
                    let error = refused(case, root, Policy::default());
                    assert_eq!(error.code(), "expired.root");
                }
                (name, expect) => panic!("{name} expects {expect}"),
            }
            checks += 1;
        }
    }
    println!("{checks} checks");
    assert_eq!(checks, ALL_CHECKS);
}

/// Signed with identities instead of keys: refused, and the error says which kind of key did not count.
fn check_keyless(case: &Case, root: &str) {
    let error = refused(case, root, Policy::default());
    assert_eq!(error.code(), "threshold.root");
    assert!(matches!(
        error.rejected(),
        Some(Rejected::Threshold { have: 0, .. })
    ));
    let text = error.to_string();
    assert!(
        text.contains("sigstore-oidc") && text.contains("Fulcio"),
        "{text}"
    );
}

/// Which tolerances a case needs: those that a strict policy refuses, one after the other, until nothing is refused any more.
fn needed_tolerances(case: &Case, root: &str) -> BTreeSet<&'static str> {
    let mut needed = BTreeSet::new();
    let mut policy = Policy::strict();
    loop {
        let directory = tempfile::tempdir().unwrap();
        let (updater, _) = case.updater(root, directory.path(), policy.clone());
        let paths = case
            .array("targets")
            .iter()
            .map(|target| TargetPath::new(target.get("path").unwrap().as_str().unwrap()).unwrap());
        let result = updater.refresh().and_then(|_| {
            paths
                .map(|path| updater.find(&path))
                .collect::<Result<Vec<_>, _>>()
        });
        let Err(error) = result else { return needed };
        let Some(Rejected::Strict { note, .. }) = error.rejected() else {
            needed.insert(error.code());
            return needed;
        };
        assert_eq!(note.tolerance.code(), error.code());
        assert!(!note.field.is_empty() && needed.insert(error.code()));
        policy.refuse = Tolerance::ALL
            .into_iter()
            .filter(|tolerance| !needed.contains(tolerance.code()))
            .fold(ToleranceSet::NONE, ToleranceSet::with);
    }
}

const OLD: &str = "expires-form hex-point keytype-alias snapshot-extra spec-version-form";
const MIDDLE: &str = "keytype-alias snapshot-extra spec-version-form";

/// Which tolerances each case needs from each initial root: what a search of the files for each deviation finds.
const NEEDED: [(&str, u64, &str); ALL_CHECKS] = [
    ("docker-2024-12", 1, "keyid-mismatch signature-form"),
    ("keyless-fulcio-2026-01", 1, "signature-form"),
    (
        "law-san-mateo-2025-06",
        1,
        "keyid-mismatch snapshot-extra spec-version-form",
    ),
    (
        "law-san-mateo-2026-07-expired-root",
        1,
        "keyid-mismatch spec-version-form",
    ),
    ("ml-dsa-44-2026-08", 1, ""),
    ("sigstore-prod-2021-06", 1, OLD),
    ("sigstore-prod-2022-05", 1, OLD),
    ("sigstore-prod-2022-05", 3, OLD),
    ("sigstore-prod-2022-10", 1, OLD),
    ("sigstore-prod-2022-10", 5, MIDDLE),
    ("sigstore-prod-2023-05", 1, OLD),
    ("sigstore-prod-2023-05", 5, MIDDLE),
    ("sigstore-prod-2024-08", 1, OLD),
    ("sigstore-prod-2024-08", 5, MIDDLE),
    (
        "sigstore-prod-2025-02-keyid-mismatch",
        5,
        "keyid-mismatch keytype-alias snapshot-extra spec-version-form",
    ),
    (
        "sigstore-prod-2026-08",
        1,
        "expires-form hex-point keyid-mismatch keytype-alias signature-form snapshot-extra spec-version-form",
    ),
    (
        "sigstore-prod-2026-08",
        5,
        "keyid-mismatch keytype-alias signature-form snapshot-extra spec-version-form",
    ),
    (
        "sigstore-prod-2026-08",
        12,
        "signature-form snapshot-extra spec-version-form",
    ),
    (
        "sigstore-staging-2026-08",
        1,
        "keyid-mismatch keytype-alias signature-form spec-version-form",
    ),
    ("tuf-demo-2026-08", 1, "keyid-mismatch signature-form"),
    ("tuf-on-ci-0.11", 1, "signature-form"),
];

#[test]
fn strict_mode_refuses_exactly_what_each_published_repository_deviates_in() {
    let Some(cases) = cases() else { return };
    let mut checks = 0;
    for case in &cases {
        for root in case.initial_roots() {
            let (_, _, needed) = NEEDED
                .iter()
                .find(|(name, version, _)| {
                    *name == case.name && root == format!("metadata/{version}.root.json")
                })
                .unwrap_or_else(|| panic!("{} {root} is not in the table", case.name));
            let mut expected: BTreeSet<String> = needed
                .split_whitespace()
                .map(|name| format!("strict.{name}"))
                .collect();
            // With everything forgiven, these two are refused in the default mode too.
            let refused = match case.name.as_str() {
                "keyless-fulcio-2026-01" => Some("threshold.root"),
                "law-san-mateo-2026-07-expired-root" => Some("expired.root"),
                _ => None,
            };
            expected.extend(refused.map(str::to_owned));
            let found = needed_tolerances(case, root);
            assert!(
                found
                    .iter()
                    .copied()
                    .eq(expected.iter().map(String::as_str)),
                "{} from {root}: {found:?}",
                case.name
            );
            checks += 1;
        }
    }
    assert_eq!(checks, ALL_CHECKS);
}
