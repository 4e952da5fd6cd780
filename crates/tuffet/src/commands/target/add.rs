//! `tuffet target add`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use tuffet_core::json::Value;
use tuffet_core::metadata::RoleName;
use tuffet_repo::{AddTarget, DelegatedPaths, Error, Repository};

use super::{AddArguments, path};
use crate::author;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::run::App;

/// Runs the command.
pub(super) fn run(arguments: &AddArguments, app: &App) -> Result<Exit, Failure> {
    if arguments.name.is_some() && arguments.files.len() > 1 {
        return Err(Failure::usage(
            "--name names one file, and several are given",
        ));
    }
    let repository = author::repository_to_edit(app, &arguments.edit)?;
    let role = match (&arguments.channel, &arguments.role) {
        (Some(channel), _) => {
            let channels = repository.channels();
            let channels = channels.map_err(|error| Failure::from(&error))?;
            if !channels.iter().any(|known| known.role == *channel) {
                return Err(Failure::from(&Error::ChannelUnknown(channel.clone())));
            }
            Some(author::role(channel)?)
        }
        (None, role) => role.as_deref().map(author::role).transpose()?,
    };
    let custom = custom(&arguments.set, &arguments.custom)?;
    let directory = match (&arguments.channel, &arguments.name, &role) {
        (Some(channel), ..) => Some(channel.clone()),
        (None, None, Some(role)) => directory_of(&repository, role)?,
        _ => None,
    };
    let mut all = Vec::new();
    for (name, file) in files(&arguments.files, arguments.name.as_deref())? {
        let name = match &directory {
            Some(directory) => format!("{directory}/{name}"),
            None => name,
        };
        let mut add = AddTarget::new(path(&name)?, file);
        add.role.clone_from(&role);
        add.custom.clone_from(&custom);
        (add.replace, add.sha512) = (arguments.replace, arguments.sha512);
        all.push(add);
    }
    let (dry, mut actions) = (arguments.edit.dry_run, Vec::new());
    let plan = repository.add_targets(&all, author::moment(app));
    author::carry_out(plan, dry, app, &mut actions)?;
    let exit = author::finish("target-add", actions, dry, app)?;
    if !dry {
        app.console.next("tuffet publish --key KEY…");
    }
    Ok(exit)
}

/// The directory that a role is asked for, if it is asked for nothing else.
fn directory_of(repository: &Repository, role: &RoleName) -> Result<Option<String>, Failure> {
    let all = repository
        .delegations()
        .map_err(|error| Failure::from(&error))?;
    let mut of = all.iter().filter(|one| one.role == role.as_str());
    let directory = match (of.next().map(|one| &one.paths), of.next()) {
        (Some(DelegatedPaths::Patterns(patterns)), None) => match patterns.as_slice() {
            [one] => one.strip_suffix("/*"),
            _ => None,
        },
        _ => None,
    };
    let plain = directory.filter(|directory| !directory.contains(['*', '?']));
    Ok(plain.map(str::to_owned))
}

/// The files with the paths that clients ask for; those of a directory in the order of the paths.
fn files(given: &[PathBuf], name: Option<&str>) -> Result<Vec<(String, PathBuf)>, Failure> {
    let mut all = Vec::new();
    for file in given {
        let found = fs::metadata(file).map_err(|error| Failure::reading(file, &error))?;
        if found.is_dir() {
            let before = name.map(|name| format!("{}/", name.trim_end_matches('/')));
            below(file, &before.unwrap_or_default(), &mut all)?;
            continue;
        }
        if !found.is_file() {
            return Err(no_file(file));
        }
        let name = match name {
            Some(name) => name.to_owned(),
            None => file
                .file_name()
                .map(|name| name.to_string_lossy().into_owned())
                .ok_or_else(|| Failure::usage(format!("{} has no name", file.display())))?,
        };
        all.push((name, file.clone()));
    }
    if all.is_empty() {
        return Err(Failure::usage("there is no file in what is given"));
    }
    Ok(all)
}

/// The files below a directory. Links are not followed: they may lead anywhere, and what is added is meant to be published.
fn below(directory: &Path, before: &str, all: &mut Vec<(String, PathBuf)>) -> Result<(), Failure> {
    let failed = |error: std::io::Error| Failure::reading(directory, &error);
    let mut entries = BTreeMap::new();
    for entry in fs::read_dir(directory).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name().into_string().map_err(|name| {
            Failure::usage(format!("{} is not UTF-8", Path::new(&name).display()))
        })?;
        entries.insert(name, (entry.path(), entry.file_type().map_err(failed)?));
    }
    for (name, (file, kind)) in entries {
        let path = format!("{before}{name}");
        if kind.is_dir() {
            below(&file, &format!("{path}/"), all)?;
        } else if kind.is_file() {
            all.push((path, file));
        } else {
            return Err(no_file(&file).fix("name the files that are meant one by one"));
        }
    }
    Ok(())
}

/// Whoever opened a pipe would wait for somebody to write into it.
fn no_file(file: &Path) -> Failure {
    Failure::usage(format!("{} is no file and no directory", file.display()))
}

/// What applications are told.
fn custom(texts: &[String], values: &[String]) -> Result<Option<Value>, Failure> {
    let mut members = BTreeMap::new();
    let mut insert = |option: &str, pair: &str, value: &dyn Fn(&str) -> Result<Value, String>| {
        let wrong = |why: &str| Failure::usage(format!("{option} {pair} {why}"));
        let (name, text) = pair
            .split_once('=')
            .ok_or_else(|| wrong("has no = between name and value"))?;
        let value = value(text).map_err(|why| wrong(&format!("is not JSON: {why}")))?;
        match members.insert(name.to_owned(), value) {
            Some(_) => Err(wrong("sets a name that is set already")),
            None => Ok(()),
        }
    };
    for pair in texts {
        insert("--set", pair, &|text| Ok(Value::from(text)))?;
    }
    for pair in values {
        insert("--custom", pair, &|text| {
            Value::parse(text.as_bytes()).map_err(|error| error.to_string())
        })?;
    }
    Ok((!members.is_empty()).then_some(Value::Object(members)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn custom_data_is_texts_and_json_values() {
        let all = |texts: &[&str], values: &[&str]| {
            let owned = |all: &[&str]| all.iter().map(|&one| one.to_owned()).collect::<Vec<_>>();
            custom(&owned(texts), &owned(values))
        };
        let value = all(&["version=1.4.0"], &["rollout={\"percent\":5}"])
            .unwrap()
            .unwrap();
        assert_eq!(
            value.to_compact_json(),
            br#"{"rollout":{"percent":5},"version":"1.4.0"}"#
        );
        assert!(all(&[], &[]).unwrap().is_none());
        for (texts, values) in [
            (&["version"][..], &[][..]),
            (&[], &["x=nothing"]),
            (&[], &["x=1.5"]),
            (&["x=1"], &["x=1"]),
        ] {
            assert!(all(texts, values).is_err(), "{texts:?} {values:?}");
        }
    }

    #[test]
    fn the_files_of_a_directory_keep_their_places() {
        let place = tempfile::tempdir().unwrap();
        for name in ["b/c", "b/a", "z"] {
            let file = place.path().join(name);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, name).unwrap();
        }
        let names = |name| {
            let all = files(&[place.path().to_owned()], name).unwrap();
            all.into_iter().map(|(name, _)| name).collect::<Vec<_>>()
        };
        assert_eq!(names(None), ["b/a", "b/c", "z"]);
        assert_eq!(names(Some("1.4.0/")), ["1.4.0/b/a", "1.4.0/b/c", "1.4.0/z"]);
        let empty = place.path().join("empty");
        fs::create_dir(&empty).unwrap();
        assert!(files(&[empty], None).is_err());
    }
}
