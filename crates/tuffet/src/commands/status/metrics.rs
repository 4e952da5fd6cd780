//! The state of a repository as metrics, in the text format of Prometheus.

use tuffet_core::metadata::RoleName;
use tuffet_repo::{Change, RoleStatus};

/// One metric: its name, what it is, and its samples.
struct Family {
    name: &'static str,
    help: &'static str,
    samples: Vec<(Vec<(&'static str, String)>, i64)>,
}

/// The metrics, for the textfile collector of a node exporter.
pub(super) fn metrics(repository: &str, roles: &[RoleStatus], change: &Change) -> String {
    let families = [
        of_roles(
            "tuffet_role_expires_timestamp_seconds",
            "When the version in force expires.",
            repository,
            roles,
            |status| status.expires.map(|expires| expires.0),
        ),
        of_roles(
            "tuffet_role_version",
            "The version in force.",
            repository,
            roles,
            |status| status.version.map(|version| number(version.number())),
        ),
        of_roles(
            "tuffet_role_signatures",
            "How many keys have signed the version in force.",
            repository,
            roles,
            |status| Some(number(status.signed_by.len() as u64)),
        ),
        of_roles(
            "tuffet_role_threshold",
            "How many keys have to sign.",
            repository,
            roles,
            |status| Some(number(status.threshold)),
        ),
        missing(repository, change),
    ];
    let mut text = String::new();
    for family in families {
        text.push_str(&format!("# HELP {} {}\n", family.name, family.help));
        text.push_str(&format!("# TYPE {} gauge\n", family.name));
        for (labels, value) in family.samples {
            let labels: Vec<String> = labels
                .into_iter()
                .map(|(name, value)| format!("{name}=\"{}\"", escaped(&value)))
                .collect();
            text.push_str(&format!(
                "{}{{{}}} {value}\n",
                family.name,
                labels.join(",")
            ));
        }
    }
    text
}

fn of_roles(
    name: &'static str,
    help: &'static str,
    repository: &str,
    roles: &[RoleStatus],
    value: impl Fn(&RoleStatus) -> Option<i64>,
) -> Family {
    let samples = roles.iter().filter_map(|status| {
        let by = status.delegator.as_ref().unwrap_or(&RoleName::Root);
        let labels = vec![
            ("repository", repository.to_owned()),
            ("role", status.role.to_string()),
            ("delegator", by.to_string()),
        ];
        Some((labels, value(status)?))
    });
    Family {
        name,
        help,
        samples: samples.collect(),
    }
}

fn missing(repository: &str, change: &Change) -> Family {
    let samples = change.drafts.iter().map(|draft| {
        let lacking = draft
            .needs
            .iter()
            .map(|need| need.need.saturating_sub(need.have));
        let labels = vec![
            ("repository", repository.to_owned()),
            ("role", draft.role.to_string()),
        ];
        (labels, number(lacking.sum()))
    });
    Family {
        name: "tuffet_change_missing_signatures",
        help: "How many signatures a role of the open change waits for; 0 when it waits to be published.",
        samples: samples.collect(),
    }
}

fn number(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn escaped(value: &str) -> String {
    value
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_cannot_end_early() {
        assert_eq!(escaped("a\"b\\c\nd"), "a\\\"b\\\\c\\nd");
    }
}
