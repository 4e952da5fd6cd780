//! Roles and keys as users name them.

use tuffet_core::metadata::DelegatedName;
use tuffet_repo::{NamedKey, Repository};

use crate::failure::Failure;
use crate::keyring;
use crate::run::App;

/// The public keys of these names or files.
///
/// # Errors
/// As of [`keyring::public`].
pub(in crate::commands) fn public_keys(
    names: &[String],
    repository: &Repository,
    app: &App,
) -> Result<Vec<NamedKey>, Failure> {
    let key = |key: &String| keyring::public(app, Some(repository), key);
    names.iter().map(key).collect()
}

/// The name of a role that can be delegated to.
///
/// # Errors
/// `usage.arguments`.
pub(in crate::commands) fn delegated(name: &str) -> Result<DelegatedName, Failure> {
    DelegatedName::new(name).map_err(|error| Failure::usage(format!("{name:?}: {error}")))
}
