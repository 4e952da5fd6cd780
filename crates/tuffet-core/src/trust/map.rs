//! Several repositories that must agree (TAP 4).

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec::Vec;

use super::Rejected;
use crate::delegation::Pattern;
use crate::json::{FormatError, Reader, Reason};
use crate::metadata::TargetPath;

/// A map file: which repositories have to agree on which targets. It is part of the client and never fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepositoryMap {
    repositories: BTreeMap<String, Vec<String>>,
    mappings: Vec<Mapping>,
}

/// One entry of a map file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapping {
    /// The paths this entry decides about.
    pub paths: Vec<Pattern>,
    /// The repositories to ask, in this order, each once.
    pub repositories: Vec<String>,
    /// How many of them have to agree.
    pub threshold: u32,
    /// Whether later entries are not looked at for these paths.
    pub terminating: bool,
}

impl RepositoryMap {
    /// Reads a map file.
    ///
    /// # Errors
    /// [`Rejected::Map`]: not the format of TAP 4; a repository name that could not be a directory name; a repository without
    /// a URL or without a declaration; a threshold of zero or above the number of repositories.
    ///
    /// ```
    /// # use tuffet_core::{metadata::TargetPath, trust::RepositoryMap};
    /// let map = RepositoryMap::parse(br#"{
    ///     "repositories": {"vendor": ["https://vendor.example"], "mirror": ["https://mirror.example"]},
    ///     "mapping": [{"paths": ["*"], "repositories": ["vendor", "mirror"], "threshold": 2, "terminating": true}]
    /// }"#).unwrap();
    /// assert_eq!(map.mappings_for(&TargetPath::new("app").unwrap()).count(), 1);
    /// ```
    pub fn parse(bytes: &[u8]) -> Result<Self, Rejected> {
        Self::read(bytes).map_err(|error| Rejected::Map {
            error: Box::new(error),
        })
    }

    /// The repositories and their base URLs, in the order to try them.
    pub fn repositories(&self) -> impl Iterator<Item = (&str, &[String])> {
        self.repositories
            .iter()
            .map(|(name, urls)| (name.as_str(), urls.as_slice()))
    }

    /// All entries, in order.
    #[must_use]
    pub fn mappings(&self) -> &[Mapping] {
        &self.mappings
    }

    /// The entries that decide about a path, in order, up to and including the first terminating one.
    pub fn mappings_for(&self, path: &TargetPath) -> impl Iterator<Item = &Mapping> {
        let mut ended = false;
        self.mappings.iter().filter(move |mapping| {
            let decides = !ended
                && mapping
                    .paths
                    .iter()
                    .any(|pattern| pattern.matches(path.as_str()));
            ended |= decides && mapping.terminating;
            decides
        })
    }

    fn read(bytes: &[u8]) -> Result<Self, FormatError> {
        let (mut repositories, mut mappings) = (None, None);
        let mut reader = Reader::new(bytes)?;
        reader.object(|reader, name| {
            match &*name.decode() {
                "repositories" => repositories = Some(read_repositories(reader)?),
                "mapping" => mappings = Some(read_mappings(reader)?),
                _ => {
                    reader.skip()?;
                }
            }
            Ok(())
        })?;
        reader.finish()?;
        let repositories =
            repositories.ok_or_else(|| FormatError::new(0, Reason::Missing("repositories")))?;
        let mappings: Vec<Mapping> =
            mappings.ok_or_else(|| FormatError::new(0, Reason::Missing("mapping")))?;
        let undeclared = mappings
            .iter()
            .flat_map(|mapping| &mapping.repositories)
            .any(|name| !repositories.contains_key(name));
        if undeclared {
            return Err(
                FormatError::new(0, Reason::Invalid("a repository that is not declared"))
                    .within("mapping"),
            );
        }
        Ok(Self {
            repositories,
            mappings,
        })
    }
}

/// Whether a text can be the name of a repository: up to 64 of `A-Za-z0-9._-`, beginning with a letter or digit. It is also the
/// name of its store's directory, so names that mean something else on some system are refused.
///
/// ```
/// # use tuffet_core::trust::is_repository_name;
/// assert!(is_repository_name("registry.example.org"));
/// assert!(!is_repository_name("../etc") && !is_repository_name("con") && !is_repository_name("a."));
/// ```
#[must_use]
pub fn is_repository_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphanumeric())
        && name.len() <= 64
        && name.chars().all(|character| {
            character.is_ascii_alphanumeric() || matches!(character, '.' | '_' | '-')
        })
        && !name.ends_with('.')
        && !crate::metadata::is_device_name(name)
}

fn read_repositories(
    reader: &mut Reader<'_>,
) -> Result<BTreeMap<String, Vec<String>>, FormatError> {
    let mut repositories = BTreeMap::new();
    reader.object(|reader, name| {
        let key = name.decode().into_owned();
        if !is_repository_name(&key) {
            return Err(FormatError::new(
                name.offset(),
                Reason::Invalid("a repository name that is not A-Za-z0-9._- up to 64"),
            ));
        }
        let offset = reader.offset();
        let urls = read_texts(reader)?;
        if urls.is_empty() {
            return Err(FormatError::new(
                offset,
                Reason::Invalid("a repository without a URL"),
            ));
        }
        repositories.insert(key, urls);
        Ok(())
    })?;
    Ok(repositories)
}

fn read_mappings(reader: &mut Reader<'_>) -> Result<Vec<Mapping>, FormatError> {
    let mut mappings = Vec::new();
    reader.array(|reader, _| {
        mappings.push(read_mapping(reader)?);
        Ok(())
    })?;
    Ok(mappings)
}

fn read_mapping(reader: &mut Reader<'_>) -> Result<Mapping, FormatError> {
    let start = reader.offset();
    let (mut paths, mut repositories, mut threshold, mut terminating) = (None, None, None, None);
    reader.object(|reader, name| {
        match &*name.decode() {
            "paths" => paths = Some(read_texts(reader)?),
            "repositories" => repositories = Some(read_texts(reader)?),
            "threshold" => threshold = Some(reader.unsigned()?),
            "terminating" => terminating = Some(reader.boolean()?),
            _ => {
                reader.skip()?;
            }
        }
        Ok(())
    })?;
    let missing = |name| FormatError::new(start, Reason::Missing(name));
    let mut seen = BTreeSet::new();
    let repositories: Vec<String> = repositories
        .ok_or_else(|| missing("repositories"))?
        .into_iter()
        .filter(|name| seen.insert(name.clone()))
        .collect();
    let threshold = threshold.ok_or_else(|| missing("threshold"))?;
    let threshold = u32::try_from(threshold)
        .ok()
        .filter(|&threshold| threshold >= 1 && threshold as usize <= repositories.len())
        .ok_or_else(|| {
            FormatError::new(
                start,
                Reason::Invalid("a threshold that is zero or above the number of repositories"),
            )
        })?;
    Ok(Mapping {
        paths: paths
            .ok_or_else(|| missing("paths"))?
            .iter()
            .map(|path| Pattern::new(path))
            .collect(),
        repositories,
        threshold,
        terminating: terminating.ok_or_else(|| missing("terminating"))?,
    })
}

fn read_texts(reader: &mut Reader<'_>) -> Result<Vec<String>, FormatError> {
    let mut texts = Vec::new();
    reader.array(|reader, _| {
        texts.push(reader.text()?.decode().into_owned());
        Ok(())
    })?;
    Ok(texts)
}
