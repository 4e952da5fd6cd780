//! Repositories that others have published. They are not part of the project: `TUFFET_TESTDATA` names their folder, else
//! `../shared/testdata` beside the project.

use std::fs;
use std::path::{Path, PathBuf};

use tuffet_core::json::Value;
use tuffet_core::metadata::UnixTime;

/// One repository, read from one of its initial roots.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) folder: PathBuf,
    pub(crate) root: String,
    pub(crate) metadata: String,
    pub(crate) targets: String,
    pub(crate) now: i64,
    pub(crate) strict: bool,
    /// The targets, and one that is not there.
    pub(crate) paths: Vec<String>,
}

/// Every case, from every initial root, forgiving and strict; none without the collection.
pub(crate) fn cases() -> Vec<Case> {
    let folder = std::env::var_os("TUFFET_TESTDATA").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/testdata"),
        PathBuf::from,
    );
    let Ok(entries) = fs::read_dir(&folder) else {
        println!("skipped: no test data in {}", folder.display());
        return Vec::new();
    };
    let mut folders: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    folders
        .iter()
        .flat_map(|folder| of_folder(folder))
        .collect()
}

fn of_folder(folder: &Path) -> Vec<Case> {
    let Ok(bytes) = fs::read(folder.join("case.json")) else {
        return Vec::new();
    };
    let value = Value::parse(&bytes).unwrap();
    let text = |value: &Value, name: &str| value.get(name).unwrap().as_str().unwrap().to_owned();
    let list = |name: &str| value.get(name).unwrap().as_array().unwrap();
    let mut paths: Vec<String> = list("targets")
        .iter()
        .map(|target| text(target, "path"))
        .collect();
    paths.sort();
    paths.dedup();
    paths.push("no/such/target".to_owned());
    let roots = list("initial_roots").iter().map(|root| text(root, "file"));
    roots
        .flat_map(|root| [(root.clone(), false), (root, true)])
        .map(|(root, strict)| Case {
            name: text(&value, "name"),
            folder: folder.to_path_buf(),
            root,
            metadata: text(&value, "metadata_path"),
            targets: text(&value, "targets_path"),
            now: UnixTime::parse(&text(&value, "reference_time")).unwrap().0,
            strict,
            paths: paths.clone(),
        })
        .collect()
}

/// What the hosts are told of the cases.
pub(crate) fn described(cases: &[Case]) -> Value {
    let describe = |case: &Case| -> Value {
        [
            ("name", Value::from(case.name.as_str())),
            ("root", case.root.as_str().into()),
            ("metadata", case.metadata.as_str().into()),
            ("targets", case.targets.as_str().into()),
            ("now", u64::try_from(case.now).unwrap().into()),
            ("strict", case.strict.into()),
            (
                "paths",
                case.paths
                    .iter()
                    .map(|path| Value::from(path.as_str()))
                    .collect(),
            ),
        ]
        .into_iter()
        .collect()
    };
    cases.iter().map(describe).collect()
}
