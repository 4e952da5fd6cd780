//! `tuffet delegate list` and `tuffet delegate show`, and how a delegation is shown.

use serde_json::{Value, json};
use tuffet_core::metadata::RoleName;
use tuffet_repo::{DelegatedPaths, Delegation, KeyName, Repository};

use super::ListArguments;
use crate::action::names;
use crate::author;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::moment;
use crate::run::App;
use crate::text::{columns, count, visible};

/// Lists the delegations.
pub(super) fn list(arguments: &ListArguments, app: &App) -> Result<Exit, Failure> {
    let repository = author::repository(app)?;
    let mut all = repository
        .delegations()
        .map_err(|error| Failure::from(&error))?;
    if let Some(by) = &arguments.by {
        let by = author::role(by)?;
        all.retain(|delegation| delegation.by == by);
    }
    if app.console.json {
        let all: Vec<Value> = all.iter().map(object).collect();
        app.console
            .result("delegate-list", json!({"delegations": all}))?;
    } else if all.is_empty() {
        app.console.status("Listed", "no delegation");
    } else {
        app.console.data(table(&all, app).join("\n"))?;
    }
    Ok(Exit::Done)
}

/// Delegations in columns.
pub(in crate::commands) fn table(all: &[Delegation], app: &App) -> Vec<String> {
    let head = ["role", "by", "covers", "version", "expires", "signed by"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    rows.extend(all.iter().map(|one| {
        let expires = one.expires;
        vec![
            visible(&one.role),
            visible(one.by.as_str()),
            visible(&covers(&one.paths)),
            one.version
                .map_or_else(|| "-".to_owned(), |version| version.to_string()),
            expires.map_or_else(
                || "-".to_owned(),
                |expires| moment::relative(expires, author::moment(app)),
            ),
            signers(one.threshold, &one.keys),
        ]
    }));
    columns(&rows)
}

/// Shows every delegation to a role.
pub(super) fn show(role: &str, app: &App) -> Result<Exit, Failure> {
    let repository = author::repository(app)?;
    let all = of(&repository, role)?;
    let targets = match RoleName::new(role) {
        Ok(role) => repository.targets(Some(&role)).ok(),
        Err(_) => None,
    };
    let targets = targets.map(|targets| targets.len() as u64);
    if app.console.json {
        let all: Vec<Value> = all.iter().map(object).collect();
        let object = json!({"role": role, "delegations": all, "targets": targets});
        app.console.result("delegate-show", object)?;
        return Ok(Exit::Done);
    }
    let mut lines = Vec::new();
    for one in &all {
        lines.push(format!(
            "{} is asked by clients of {} for {}",
            visible(role),
            visible(one.by.as_str()),
            visible(&covers(&one.paths))
        ));
        lines.push(format!(
            "  signed by   {}",
            signers(one.threshold, &one.keys)
        ));
        let order = if one.terminating {
            "nobody else is asked for these paths"
        } else {
            "later roles are asked too, if it does not list a path"
        };
        lines.push(format!("  terminating {}: {order}", yes(one.terminating)));
        if let (Some(version), Some(expires)) = (one.version, one.expires) {
            let expires = moment::both(expires, author::moment(app));
            lines.push(format!("  version     {version}, expires {expires}"));
        } else if !matches!(one.paths, DelegatedPaths::Bins { .. }) {
            lines.push("  version     none yet".to_owned());
        }
    }
    lines.extend(targets.map(|targets| format!("  lists       {}", count(targets, "target"))));
    app.console.data(lines.join("\n"))?;
    Ok(Exit::Done)
}

/// The delegations to a role.
///
/// # Errors
/// `role.unknown`.
fn of(repository: &Repository, role: &str) -> Result<Vec<Delegation>, Failure> {
    let mut all = repository
        .delegations()
        .map_err(|error| Failure::from(&error))?;
    all.retain(|delegation| delegation.role == role);
    if all.is_empty() {
        let role = author::role(role)?;
        return Err(Failure::from(&tuffet_repo::Error::RoleUnknown(role)));
    }
    Ok(all)
}

/// A delegation for machines.
pub(in crate::commands) fn object(one: &Delegation) -> Value {
    let (kind, paths) = match &one.paths {
        DelegatedPaths::Patterns(all) => ("patterns", json!(all)),
        DelegatedPaths::HashPrefixes(all) => ("hash-prefixes", json!(all)),
        DelegatedPaths::Bins { bit_length } => ("bins", json!(1_u64 << bit_length)),
        _ => ("other", Value::Null),
    };
    json!({
        "role": one.role,
        "by": one.by.as_str(),
        "kind": kind,
        "covers": paths,
        "terminating": one.terminating,
        "threshold": one.threshold,
        "keys": names(&one.keys),
        "version": one.version.map(|version| version.number()),
        "expires": one.expires.map(|expires| expires.to_string()),
        "channel": one.is_channel(),
    })
}

/// What is delegated, in words.
pub(in crate::commands) fn covers(paths: &DelegatedPaths) -> String {
    match paths {
        DelegatedPaths::Patterns(all) => all.join(", "),
        DelegatedPaths::HashPrefixes(all) => format!("hashes {}…", all.join("…, ")),
        DelegatedPaths::Bins { bit_length } => format!("all, in {} bins", 1_u64 << bit_length),
        _ => String::new(),
    }
}

/// `2 of ana a1f0c3d2, ben 5be2190f`
pub(in crate::commands) fn signers(threshold: u64, keys: &[KeyName]) -> String {
    let keys: Vec<String> = keys.iter().map(ToString::to_string).collect();
    visible(&format!("{threshold} of {}", keys.join(", ")))
}

fn yes(is: bool) -> &'static str {
    if is { "yes" } else { "no" }
}
