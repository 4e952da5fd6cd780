//! What users call keys: a name of the key directory, a file, or a key URI.
//!
//! A plain name means `NAME.key` (private), `NAME.uri` (where a private key is) and `NAME.pub` (public) in the directory `keys` of
//! the configuration directory. Anything with a separator, a colon or an extension of a key file is a file or a key URI.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use tuffet_files::Readers;
use tuffet_sign::{AgentIdentity, KeyUri, SignError};

use super::read_text;
use crate::failure::Failure;
use crate::run::App;

/// The longest file with a URI in it.
const URI_LIMIT: u64 = 8192;

/// The directory of keys.
///
/// # Errors
/// When no place for files is known.
pub(crate) fn directory(app: &App) -> Result<PathBuf, Failure> {
    Ok(app.options.places.config()?.join("keys"))
}

/// Where a private key is, and the public key that is known by the same name.
pub(crate) struct Place {
    pub(crate) uri: KeyUri,
    pub(crate) name: String,
    /// The public key that was written when the key got its name.
    pub(crate) public: Option<PathBuf>,
}

/// Finds a private key.
///
/// # Errors
/// `key.uri`, `file.read`.
pub(crate) fn locate(app: &App, key: &str) -> Result<Place, Failure> {
    if is_file(key) {
        let uri = parse(key)?;
        let name = name_of_uri(&uri);
        return Ok(Place {
            uri,
            name,
            public: None,
        });
    }
    let directory = directory(app)?;
    let alias = directory.join(format!("{key}.uri"));
    let private = directory.join(format!("{key}.key"));
    let uri = match alias.is_file() && !private.exists() {
        true => read_alias(&alias)?,
        false => KeyUri::file(private),
    };
    let public = directory.join(format!("{key}.pub"));
    Ok(Place {
        uri,
        name: key.to_owned(),
        public: public.is_file().then_some(public),
    })
}

/// The URI that a file holds.
///
/// # Errors
/// `file.read`, `key.uri`.
pub(crate) fn read_alias(path: &Path) -> Result<KeyUri, Failure> {
    let text = read_text(path, URI_LIMIT)?;
    parse(text.lines().next().unwrap_or_default().trim())
        .map_err(|failure| failure.cause(format!("in {}", path.display())))
}

/// Writes a file that holds a URI, for its owner alone: it says where a key is.
///
/// # Errors
/// `key.exists`, `file.write`.
pub(crate) fn write_alias(path: &Path, uri: &KeyUri) -> Result<(), Failure> {
    tuffet_files::create(path, format!("{uri}\n").as_bytes(), Readers::Owner)
        .map_err(|error| Failure::writing(path, &error))
}

/// Reads a URI or a path.
///
/// # Errors
/// `key.uri`.
pub(crate) fn parse(key: &str) -> Result<KeyUri, Failure> {
    key.parse()
        .map_err(|error: SignError| Failure::from(&error))
}

/// Makes what a URI says of files independent of the directory that one stands in.
///
/// # Errors
/// `file.read` when there is no such directory.
pub(crate) fn absolute(uri: KeyUri) -> Result<KeyUri, Failure> {
    let fixed =
        |path: PathBuf| std::path::absolute(&path).map_err(|error| Failure::reading(&path, &error));
    Ok(match uri {
        KeyUri::File { path, scheme } => KeyUri::File {
            path: fixed(path)?,
            scheme,
        },
        KeyUri::Token { mut token, scheme } => {
            token.module = token.module.map(fixed).transpose()?;
            token.pin_source = token.pin_source.map(fixed).transpose()?;
            KeyUri::Token { token, scheme }
        }
        KeyUri::Exec {
            program,
            arguments,
            scheme,
        } => KeyUri::Exec {
            // A bare name is looked for in PATH.
            program: match program.components().count() {
                1 => program,
                _ => fixed(program)?,
            },
            arguments,
            scheme,
        },
        other => other,
    })
}

/// Whether it is a file or a URI, and no name.
pub(crate) fn is_file(key: &str) -> bool {
    key.contains(['/', '\\', ':'])
        || [".key", ".pub", ".pem", ".uri"]
            .iter()
            .any(|extension| key.ends_with(extension))
}

/// What a key is called: its name, or that of its file.
pub(crate) fn name_of(key: &str) -> String {
    let file = key.rsplit(['/', '\\', ':']).next().unwrap_or(key);
    let stem = [".key", ".pub", ".pem"]
        .iter()
        .find_map(|extension| file.strip_suffix(extension));
    stem.unwrap_or(file).to_owned()
}

/// What a key without a name of its own is called.
fn name_of_uri(uri: &KeyUri) -> String {
    let name = match uri {
        KeyUri::File { path, .. } => return name_of(&path.to_string_lossy()),
        KeyUri::Env { variable, .. } => variable.clone(),
        KeyUri::Exec { program, .. } => name_of(&program.to_string_lossy()),
        KeyUri::Token { token, .. } => {
            let label = token.object.clone().or_else(|| token.token.clone());
            label.unwrap_or_else(|| "token".into())
        }
        KeyUri::Agent { identity, .. } => match identity {
            AgentIdentity::Comment(comment) => comment.clone(),
            _ => "ssh-agent".into(),
        },
        other => name_of(&other.to_string()),
    };
    let plain = |c: char| match c {
        c if c.is_alphanumeric() || matches!(c, '.' | '_' | '-') => c,
        _ => '-',
    };
    name.chars().map(plain).take(64).collect()
}

/// The names of all keys of the key directory, and the files that there are of each.
///
/// # Errors
/// `file.read`.
pub(crate) fn all(directory: &Path) -> Result<Vec<(String, Files)>, Failure> {
    let mut found: BTreeMap<String, Files> = BTreeMap::new();
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(Failure::reading(directory, &error)),
    };
    for entry in entries {
        let path = entry
            .map_err(|error| Failure::reading(directory, &error))?
            .path();
        let name = path.file_name().map(|name| name.to_string_lossy());
        let Some((name, extension)) = name.as_deref().and_then(|name| name.rsplit_once('.')) else {
            continue;
        };
        if !["key", "uri", "pub"].contains(&extension) {
            continue;
        }
        let files = found.entry(name.to_owned()).or_default();
        let place = match extension {
            "key" => &mut files.private,
            "uri" => &mut files.alias,
            _ => &mut files.public,
        };
        *place = Some(path.clone());
    }
    Ok(found.into_iter().collect())
}

/// The files of one name.
#[derive(Debug, Default)]
pub(crate) struct Files {
    pub(crate) private: Option<PathBuf>,
    pub(crate) alias: Option<PathBuf>,
    pub(crate) public: Option<PathBuf>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_called_what_its_file_is_called() {
        for (key, name) in [
            ("ana", "ana"),
            ("keys/ana.key", "ana"),
            ("file:/x/ben.pem", "ben"),
            ("C:\\keys\\lin.pub", "lin"),
            ("ana.2", "ana.2"),
        ] {
            assert_eq!(name_of(key), name, "{key}");
        }
        assert!(!is_file("ana.2"));
        assert!(is_file("ana.key") && is_file("./ana") && is_file("file:ana"));
    }

    #[test]
    fn a_key_behind_a_uri_has_a_name_that_a_repository_takes() {
        for (uri, name) in [
            ("env:RELEASE_KEY", "RELEASE_KEY"),
            ("exec:/usr/bin/sign?arg=a", "sign"),
            ("pkcs11:token=card;object=root%20key", "root-key"),
            ("hsm:2?label=YubiKey+PIV", "YubiKey-PIV"),
            ("hsm:", "token"),
            ("ssh-agent:sam@host", "sam-host"),
            ("file:/x/ben.pem?scheme=rsa-pkcs1v15-sha256", "ben"),
        ] {
            assert_eq!(name_of_uri(&uri.parse().unwrap()), name, "{uri}");
        }
    }
}
