//! The files `~/.aws/credentials` and `~/.aws/config`.

use std::path::{Path, PathBuf};

use super::super::secret::Secret;
use super::super::settings::{KmsSettings, read_small};
use super::sigv4::AwsCredentials;

/// One profile, as both files together describe it.
#[derive(Debug)]
pub(super) struct Profile {
    name: String,
    entries: Vec<(String, Secret)>,
    /// Whether it was asked for by name.
    chosen: bool,
}

/// What stands for credentials that are made in ways that are not ours.
const OTHER_WAYS: [&str; 5] = [
    "role_arn",
    "credential_process",
    "credential_source",
    "sso_session",
    "sso_start_url",
];

impl Profile {
    /// Reads the profile that `AWS_PROFILE` names, or `default`. Files that are not there are empty.
    ///
    /// # Errors
    /// What is wrong with a file.
    pub(super) fn read(settings: &KmsSettings) -> Result<Self, String> {
        let chosen = settings.first_of(&["AWS_PROFILE", "AWS_DEFAULT_PROFILE"]);
        let name = chosen.clone().unwrap_or_else(|| "default".to_owned());
        let place = |variable, usual| {
            settings
                .variable(variable)
                .map(PathBuf::from)
                .or_else(|| settings.in_home(usual))
        };
        let mut entries = Vec::new();
        for (path, with_prefix) in [
            (
                place("AWS_SHARED_CREDENTIALS_FILE", ".aws/credentials"),
                false,
            ),
            (place("AWS_CONFIG_FILE", ".aws/config"), true),
        ] {
            if let Some(path) = path.filter(|path| path.exists()) {
                entries.extend(section(&path, &name, with_prefix)?);
            }
        }
        Ok(Self {
            name,
            entries,
            chosen: chosen.is_some(),
        })
    }

    /// The file of credentials comes first.
    fn get(&self, key: &str) -> Option<&Secret> {
        self.entries
            .iter()
            .find(|(known, _)| known == key)
            .map(|(_, value)| value)
    }

    pub(super) fn region(&self) -> Option<String> {
        self.get("region").map(|region| region.expose().to_owned())
    }

    /// The credentials of the profile, if it has some.
    ///
    /// # Errors
    /// Why a profile that somebody made cannot be used.
    pub(super) fn credentials(&self) -> Result<Option<AwsCredentials>, String> {
        let name = &self.name;
        if let Some(id) = self.get("aws_access_key_id") {
            let secret = self
                .get("aws_secret_access_key")
                .ok_or_else(|| format!("profile {name} has no aws_secret_access_key"))?;
            return Ok(Some(AwsCredentials {
                id: id.expose().to_owned(),
                secret: secret.clone(),
                token: self.get("aws_session_token").cloned(),
            }));
        }
        if let Some(way) = OTHER_WAYS.iter().find(|way| self.get(way).is_some()) {
            return Err(format!(
                "profile {name} gets them by {way}, which is not supported; \
                 `aws configure export-credentials` puts them into the environment"
            ));
        }
        if self.chosen && self.entries.is_empty() {
            return Err(format!("there is no profile {name}"));
        }
        Ok(None)
    }
}

/// The entries of one section of an INI file.
fn section(path: &Path, name: &str, with_prefix: bool) -> Result<Vec<(String, Secret)>, String> {
    let text = read_small(path)?;
    let mut inside = false;
    let mut entries = Vec::new();
    for line in text.lines() {
        let trimmed = line.trim();
        if trimmed.is_empty() || trimmed.starts_with(['#', ';']) {
            continue;
        }
        if let Some(header) = trimmed.strip_prefix('[') {
            let header = header.split(']').next().unwrap_or_default().trim();
            let named = match header.strip_prefix("profile") {
                Some(rest) if with_prefix && rest.starts_with(char::is_whitespace) => rest.trim(),
                _ if with_prefix && header != "default" => "",
                _ => header,
            };
            inside = named == name;
            continue;
        }
        // What is indented belongs to a group inside the entry before.
        let nested = line.starts_with(char::is_whitespace);
        if let Some((key, value)) = trimmed.split_once('=').filter(|_| inside && !nested) {
            entries.push((key.trim().to_ascii_lowercase(), Secret::trimmed(value)));
        }
    }
    Ok(entries)
}
