//! `tuffet trust add`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::json;
use tuffet_core::metadata::Root;
use tuffet_core::trust::{RepositoryMap, RootHolders, Verified};

use super::{AddArguments, show};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::run::App;
use crate::trusted::{self, Entry, Source};
use crate::whole;

/// Runs the command.
pub(super) fn run(arguments: &AddArguments, app: &App) -> Result<Exit, Failure> {
    trusted::check_name(&arguments.name)?;
    let entry = match &arguments.map {
        Some(map) => from_map(arguments, map)?,
        None => from_url(arguments)?,
    };
    let mut roots = Vec::new();
    for source in &entry.repositories {
        roots.push(trusted::verified_root(&source.root, app.now)?);
    }
    if let Some(map) = entry.map()? {
        check_voices(&map, &entry, &roots, app)?;
    }
    let dry = arguments.dry_run.dry_run;
    if !dry {
        entry.save(&app.options.places.trust()?)?;
    }
    let verb = if dry { "Would trust" } else { "Trusted" };
    for (source, root) in entry.repositories.iter().zip(&roots) {
        app.console
            .status(verb, show::headline(&entry, source, root));
        for line in show::fingerprint_lines(source) {
            app.console.status("", line);
        }
        for line in show::key_lines(root) {
            app.console.status("", line);
        }
    }
    if app.console.json {
        let mut object = show::object(&entry, &roots);
        if let Some(members) = object.as_object_mut() {
            members.insert("dry_run".to_owned(), json!(dry));
        }
        app.console.result("trust-add", object)?;
    } else if !dry {
        app.console.next(format!("tuffet get {}:PATH", entry.name));
    }
    Ok(Exit::Done)
}

/// Refuses a map that counts one holder of keys several times, and warns of keys that repositories have in common.
fn check_voices(
    map: &RepositoryMap,
    entry: &Entry,
    roots: &[Verified<Root>],
    app: &App,
) -> Result<(), Failure> {
    let names = entry.repositories.iter().map(|source| source.name.as_str());
    let holders = RootHolders::of(names.zip(roots.iter().map(Verified::content)));
    for mapping in map.mappings() {
        let independent = holders.independent(mapping);
        if u64::from(mapping.threshold) > independent {
            let message = format!(
                "{} of the repositories {} have to agree, and their roots have {independent} different sets of keys",
                mapping.threshold,
                mapping.repositories.join(", "),
            );
            return Err(Failure::new("trust.voices", Exit::Findings, message));
        }
    }
    for (one, other) in holders.sharing() {
        app.console.warn(format!(
            "the roots of {one} and {other} have keys in common: their agreement may be the word of one holder"
        ));
    }
    Ok(())
}

fn from_url(arguments: &AddArguments) -> Result<Entry, Failure> {
    let [root] = arguments.root.as_slice() else {
        return Err(Failure::usage("one --root is needed, and only one"));
    };
    let url = |urls: &[String]| -> Result<Vec<String>, Failure> {
        urls.iter().map(|url| trusted::url_of(url)).collect()
    };
    let (mut metadata, mut targets) = (url(&arguments.metadata_url)?, url(&arguments.targets_url)?);
    if let Some(base) = &arguments.url {
        let (below_metadata, below_targets) = trusted::bases(base)?;
        if metadata.is_empty() {
            metadata.push(below_metadata);
        }
        if targets.is_empty() {
            targets.push(below_targets);
        }
    } else if targets.is_empty() {
        for base in &metadata {
            targets.push(trusted::bases(base)?.1);
        }
    }
    let source = Source {
        name: arguments.name.clone(),
        metadata,
        targets,
        root: read(Path::new(root))?,
    };
    Ok(Entry {
        name: arguments.name.clone(),
        repositories: vec![source],
        map: None,
    })
}

fn from_map(arguments: &AddArguments, map: &Path) -> Result<Entry, Failure> {
    let bytes = read(map)?;
    let parsed = RepositoryMap::parse(&bytes).map_err(|rejected| Failure::from(&rejected))?;
    let mut roots: BTreeMap<&str, PathBuf> = BTreeMap::new();
    for root in &arguments.root {
        let (name, file) = root.split_once('=').ok_or_else(|| {
            Failure::usage(format!(
                "--root {root} does not say for which repository of the map it is"
            ))
            .fix("write it as --root REPOSITORY=FILE")
        })?;
        roots.insert(name, PathBuf::from(file));
    }
    let mut repositories = Vec::new();
    for (name, urls) in parsed.repositories() {
        let root = roots.remove(name).ok_or_else(|| {
            Failure::usage(format!(
                "the map names the repository {name}, and no root is given for it"
            ))
            .fix(format!("add --root {name}=FILE"))
        })?;
        let mut source = Source {
            name: name.to_owned(),
            metadata: Vec::new(),
            targets: Vec::new(),
            root: read(&root)?,
        };
        for url in urls {
            let (metadata, targets) = trusted::bases(url)?;
            source.metadata.push(metadata);
            source.targets.push(targets);
        }
        repositories.push(source);
    }
    if let Some(name) = roots.keys().next() {
        return Err(Failure::usage(format!(
            "the map names no repository {name}"
        )));
    }
    Ok(Entry {
        name: arguments.name.clone(),
        repositories,
        map: Some(bytes),
    })
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    whole::read(path, whole::METADATA)
}
