//! What a user trusts: a name, where the repository is, and the root that trust begins with.
//!
//! One directory for each name, below `tuffet/trust` in the configuration directory:
//!
//! | file | holds |
//! |---|---|
//! | `trust.toml` | where each repository is |
//! | `map.json` | the TAP 4 map, if several repositories stand under the name |
//! | `REPOSITORY.root.json` | the root that trust in the repository begins with |

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tuffet_core::crypto::HashAlgorithm;
use tuffet_core::metadata::{Root, UnixTime};
use tuffet_core::trust::{Context, Policy, RepositoryMap, Roots, Verified, is_repository_name};
use tuffet_files::Readers;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::interrupt;

/// The form of `trust.toml` that this version writes, and the only one it reads.
const FORM: u32 = 1;

/// A name and what stands under it.
pub(crate) struct Entry {
    /// The name.
    pub(crate) name: String,
    /// The repositories; one, unless there is a map.
    pub(crate) repositories: Vec<Source>,
    /// The bytes of the map file over them.
    pub(crate) map: Option<Vec<u8>>,
}

/// A repository and the root that trust in it begins with.
pub(crate) struct Source {
    /// Its name in the map; the name of the entry when there is no map.
    pub(crate) name: String,
    /// Where its metadata is, in the order to try.
    pub(crate) metadata: Vec<String>,
    /// Where its targets are, in the order to try.
    pub(crate) targets: Vec<String>,
    /// The bytes of the trusted root.
    pub(crate) root: Vec<u8>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    map: Option<String>,
    repository: Vec<FileSource>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileSource {
    name: String,
    metadata: Vec<String>,
    targets: Vec<String>,
    root: String,
}

impl Entry {
    /// Reads the entry of a name.
    ///
    /// # Errors
    /// `trust.unknown`, `trust.file`, `file.read`.
    pub(crate) fn load(trust: &Path, name: &str) -> Result<Self, Failure> {
        check_name(name)?;
        let directory = trust.join(name);
        let path = directory.join("trust.toml");
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(unknown(trust, name));
            }
            Err(error) => return Err(Failure::reading(&path, &error)),
        };
        let damaged = |cause: String| {
            let message = format!("{} cannot be understood", path.display());
            Failure::new("trust.file", Exit::Failed, message).cause(cause)
        };
        let file: File =
            toml::from_str(&text).map_err(|error| damaged(error.message().to_owned()))?;
        if file.version != FORM {
            return Err(damaged(format!("its form {} is not {FORM}", file.version)));
        }
        let read = |name: &str| {
            let path = directory.join(name);
            fs::read(&path).map_err(|error| Failure::reading(&path, &error))
        };
        let mut repositories = Vec::new();
        for source in file.repository {
            repositories.push(Source {
                root: read(&source.root)?,
                name: source.name,
                metadata: source.metadata,
                targets: source.targets,
            });
        }
        if repositories.is_empty() {
            return Err(damaged("it names no repository".to_owned()));
        }
        Ok(Self {
            name: name.to_owned(),
            repositories,
            map: file.map.as_deref().map(read).transpose()?,
        })
    }

    /// The names that are trusted.
    ///
    /// # Errors
    /// `file.read`.
    pub(crate) fn names(trust: &Path) -> Result<Vec<String>, Failure> {
        let entries = match fs::read_dir(trust) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(Failure::reading(trust, &error)),
        };
        let mut names: Vec<String> = entries
            .filter_map(Result::ok)
            .filter(|entry| entry.path().join("trust.toml").is_file())
            .filter_map(|entry| entry.file_name().into_string().ok())
            .filter(|name| check_name(name).is_ok())
            .collect();
        names.sort();
        Ok(names)
    }

    /// Writes the entry: complete or not at all, and never over another one.
    ///
    /// # Errors
    /// `trust.exists`, `file.write`.
    pub(crate) fn save(&self, trust: &Path) -> Result<(), Failure> {
        let place = trust.join(&self.name);
        if place.exists() {
            let message = format!("{} is trusted already", self.name);
            return Err(Failure::new("trust.exists", Exit::Conflict, message));
        }
        let failed = |error: std::io::Error| Failure::writing(&place, &error);
        let _shield = interrupt::shield(interrupt::WRITES);
        fs::create_dir_all(trust).map_err(failed)?;
        let draft = tempfile::Builder::new()
            .prefix(".draft-")
            .tempdir_in(trust)
            .map_err(failed)?;
        for (name, bytes) in self.files()? {
            tuffet_files::create(&draft.path().join(name), &bytes, Readers::Umask)
                .map_err(failed)?;
        }
        fs::rename(draft.path(), &place)
            .and_then(|()| tuffet_files::sync_directory(trust))
            .map_err(failed)
    }

    fn files(&self) -> Result<Vec<(String, Vec<u8>)>, Failure> {
        let mut files = Vec::new();
        let mut sources = Vec::new();
        for source in &self.repositories {
            let root = format!("{}.root.json", source.name);
            files.push((root.clone(), source.root.clone()));
            sources.push(FileSource {
                name: source.name.clone(),
                metadata: source.metadata.clone(),
                targets: source.targets.clone(),
                root,
            });
        }
        if let Some(map) = &self.map {
            files.push(("map.json".to_owned(), map.clone()));
        }
        let file = File {
            version: FORM,
            map: self.map.as_ref().map(|_| "map.json".to_owned()),
            repository: sources,
        };
        let text = toml::to_string(&file).map_err(|error| {
            Failure::new(
                "trust.file",
                Exit::Failed,
                "the entry cannot be written as TOML",
            )
            .cause(error)
        })?;
        files.push(("trust.toml".to_owned(), text.into_bytes()));
        Ok(files)
    }

    /// The map over the repositories.
    ///
    /// # Errors
    /// `map.format`.
    pub(crate) fn map(&self) -> Result<Option<RepositoryMap>, Failure> {
        let map = self.map.as_deref().map(RepositoryMap::parse);
        map.transpose().map_err(|rejected| Failure::from(&rejected))
    }
}

/// Checks a root against its own keys, every signature of it.
///
/// # Errors
/// Why it cannot be a root of trust.
pub(crate) fn verified_root(root: &[u8], now: UnixTime) -> Result<Verified<Root>, Failure> {
    let mut policy = Policy::default();
    policy.exhaustive_signatures = true;
    let cx = Context {
        crypto: tuffet_crypto::default_provider(),
        policy: &policy,
        now,
    };
    Roots::trust(root.to_vec(), cx)
        .map(|roots| roots.trusted().clone())
        .map_err(|rejected| Failure::from(&rejected))
}

/// The SHA-256 of the bytes of a root, which people compare.
pub(crate) fn fingerprint(root: &[u8]) -> String {
    tuffet_crypto::default_provider()
        .digest(HashAlgorithm::Sha256, root)
        .to_hex()
}

/// Checks that a name can be a directory on every system and is nothing that could be mistaken for a URL.
///
/// # Errors
/// `usage.arguments`.
pub(crate) fn check_name(name: &str) -> Result<(), Failure> {
    if is_repository_name(name) {
        return Ok(());
    }
    Err(
        Failure::usage(format!("{name:?} cannot be the name of a repository"))
            .fix("use up to 64 of A-Z a-z 0-9 . _ -, beginning with a letter or digit"),
    )
}

fn unknown(trust: &Path, name: &str) -> Failure {
    let failure = Failure::new(
        "trust.unknown",
        Exit::NotFound,
        format!("no trusted repository is called {name}"),
    );
    match Entry::names(trust).unwrap_or_default().as_slice() {
        [] => failure.fix(format!("tuffet trust add {name} URL --root FILE")),
        names => failure.fix(format!("trusted are: {}", names.join(", "))),
    }
}

/// Where metadata and targets are, below a base URL or in a local directory.
///
/// # Errors
/// `usage.arguments` when a local directory does not exist.
pub(crate) fn bases(base: &str) -> Result<(String, String), Failure> {
    let url = url_of(base)?;
    let (place, query) = match url.split_once('?') {
        Some((place, query)) => (place, format!("?{query}")),
        None => (url.as_str(), String::new()),
    };
    let place = place.trim_end_matches('/');
    let parent = place.strip_suffix("/metadata").unwrap_or(place);
    let source = tuffet_client::Source::at(&format!("{parent}{query}"));
    Ok((source.metadata().to_owned(), source.targets().to_owned()))
}

/// Checks that a URL could be asked for.
///
/// # Errors
/// `usage.arguments`.
pub(crate) fn check_url(url: &str) -> Result<(), Failure> {
    let refused = |why: &dyn std::fmt::Display| {
        let shown = tuffet_client::without_secrets(url);
        Failure::usage(format!("{shown} is not a URL that can be asked for"))
            .cause(why)
            .fix("give a URL such as https://dl.example/tuf, or a directory that exists")
    };
    let scheme = url.split_once("://").map_or("", |(scheme, _)| scheme);
    if !["https", "http", "file"].contains(&scheme) {
        return Err(refused(&"the scheme must be https, http or file"));
    }
    let source = tuffet_client::Source::new(url, url);
    source.check().map_err(|error| refused(&error))
}

/// A URL as it is, a local directory as a `file:` URL.
///
/// # Errors
/// As for [`bases`].
pub(crate) fn url_of(text: &str) -> Result<String, Failure> {
    if text.contains("://") {
        check_url(text)?;
        return Ok(text.to_owned());
    }
    let path = PathBuf::from(text);
    let absolute = path.canonicalize().map_err(|error| {
        Failure::reading(&path, &error)
            .fix("give a URL such as https://dl.example, or a directory that exists")
    })?;
    let parts: Vec<String> = absolute
        .iter()
        .filter_map(|part| part.to_str())
        .filter(|part| *part != "/")
        .map(|part| tuffet_core::trust::percent_encode(part, false))
        .collect();
    Ok(format!("file:///{}", parts.join("/")))
}
