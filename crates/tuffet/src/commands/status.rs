//! `tuffet status`: what is in force, what is open, and who has to do what by when.

mod calendar;
mod metrics;
mod open;

use clap::Args;
use serde_json::{Value, json};
use tuffet_core::metadata::{RoleName, UnixTime};
use tuffet_repo::{Overview, Period, Repository, RoleStatus};
use tuffet_sign::Signer;

use super::publish::online_key;
use crate::action::names;
use crate::author;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::moment;
use crate::run::App;
use crate::text::{columns, visible};

/// Say what is in force, what is open, and who has to do what by when
///
/// Roles of people are due when they expire within the period; snapshot and timestamp, which every tuffet publish renews,
/// when less than half of their time is left. While a change is open, tuffet renew timestamp renews them without it. With --check the
/// first of these that applies decides how the command ends.
#[derive(Debug, Args)]
#[command(
    before_help = "Examples:\n  tuffet status\n  tuffet status --within 14d --check --json\n  tuffet status --ics"
)]
pub(crate) struct Arguments {
    /// How far to look ahead
    #[arg(long, value_name = "PERIOD", default_value = "14d", value_parser = moment::parse_period)]
    within: Period,
    /// End with 5 if something has expired, with 6 if signatures are missing, with 7 if something is due, is not in its place, was
    /// overtaken, or waits to be published
    #[arg(long)]
    check: bool,
    /// Print a calendar with the day on which each role that people sign expires, and a reminder that long before
    #[arg(long, conflicts_with = "prometheus")]
    ics: bool,
    /// Print metrics in the text format of Prometheus
    #[arg(long)]
    prometheus: bool,
}

/// Something that has to happen before a role expires.
struct Deadline {
    role: RoleName,
    expires: UnixTime,
    /// Whether it has passed.
    passed: bool,
    /// Who has to do it.
    who: String,
    /// Whether they do it elsewhere, and the command takes over what they have made.
    external: bool,
    command: Vec<String>,
}

impl Deadline {
    fn command(&self) -> String {
        shell(&self.command)
    }
}

/// A command as a shell takes it, whatever the role is called.
fn shell(command: &[String]) -> String {
    let plain = |word: &String| {
        word.chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '/'))
    };
    let quoted = command.iter().map(|word| {
        if plain(word) {
            word.clone()
        } else {
            format!("'{}'", visible(&word.replace('\'', "'\\''")))
        }
    });
    quoted.collect::<Vec<_>>().join(" ")
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments, app: &App) -> Result<Exit, Failure> {
    let repository = author::repository(app)?;
    let now = author::moment(app);
    // A key that cannot be read is told of by whoever signs with it.
    let online = online_key(&repository).ok().flatten();
    let online: Vec<&dyn Signer> = online.iter().map(|key| &*key.signer).collect();
    let overview = repository.overview(&online);
    let overview = overview.map_err(|error| Failure::from(&error))?;
    let Overview { roles, change, .. } = &overview;
    let deadlines = deadlines(&repository, &overview, arguments.within, now);
    if app.console.json && (arguments.ics || arguments.prometheus) {
        return Err(Failure::usage(
            "--json, --ics and --prometheus exclude one another",
        ));
    }
    let name = &repository.policy().name;
    if arguments.ics {
        let text = calendar::calendar(name, roles, arguments.within, now);
        app.console.data(text.trim_end_matches('\n'))?;
    } else if arguments.prometheus {
        let text = metrics::metrics(name, roles, change);
        app.console.data(text.trim_end_matches('\n'))?;
    } else if app.console.json {
        app.console
            .result("status", object(&overview, &deadlines))?;
    } else {
        app.console
            .data(lines(&overview, &deadlines, now).join("\n"))?;
    }
    Ok(if arguments.check {
        ending(&overview, &deadlines)
    } else {
        Exit::Done
    })
}

fn ending(overview: &Overview, deadlines: &[Deadline]) -> Exit {
    if deadlines.iter().any(|deadline| deadline.passed) {
        Exit::Stale
    } else if open::waits(overview) {
        Exit::NeedsSignatures
    } else if deadlines.is_empty() && open::is_quiet(overview) {
        Exit::Done
    } else {
        Exit::Findings
    }
}

/// What has to happen within the period, the most urgent first.
fn deadlines(
    repository: &Repository,
    overview: &Overview,
    within: Period,
    now: UnixTime,
) -> Vec<Deadline> {
    let mut all: Vec<Deadline> = overview
        .roles
        .iter()
        .filter_map(|status| {
            let expires = status.expires?;
            let online = matches!(status.role, RoleName::Snapshot | RoleName::Timestamp);
            let due = if online {
                let half = i64::from(repository.policy().period(&status.role).seconds()) / 2;
                expires.0.saturating_sub(now.0) < half
            } else {
                expires < within.after(now)
            };
            due.then(|| Deadline {
                role: status.role.clone(),
                expires,
                passed: expires <= now,
                who: who(status),
                external: status.external,
                command: match status.role.as_str() {
                    _ if online && !open::is_left(&overview.change) => {
                        words(&["tuffet", "publish"])
                    }
                    role if status.external => {
                        words(&["tuffet", "delegate", "accept", role, "FILE"])
                    }
                    role => words(&["tuffet", "renew", role]),
                },
            })
        })
        .collect();
    all.sort_by_key(|deadline| deadline.expires);
    all
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// `2 of ana a1f0c3d2, ben 5be2190f`
fn who(status: &RoleStatus) -> String {
    let keys: Vec<String> = status
        .keys
        .iter()
        .map(|key| visible(&key.to_string()))
        .collect();
    match keys.as_slice() {
        [one] => one.clone(),
        all => format!("{} of {}", status.threshold, all.join(", ")),
    }
}

/// The name of a role, and how many bins it stands for.
pub(super) fn label(status: &RoleStatus) -> String {
    let role = visible(status.role.as_str());
    match status.bins {
        Some(bins) => format!("{role} ({})", crate::text::count(bins, "bin")),
        None => role,
    }
}

fn lines(overview: &Overview, deadlines: &[Deadline], now: UnixTime) -> Vec<String> {
    let roles = &overview.roles;
    let mut rows = vec![
        ["role", "version", "expires", "signed", "keys"]
            .map(str::to_owned)
            .to_vec(),
    ];
    rows.extend(roles.iter().map(|status| {
        vec![
            label(status),
            status
                .version
                .map_or_else(|| "-".to_owned(), |version| version.to_string()),
            status
                .expires
                .map_or_else(|| "-".to_owned(), |expires| moment::relative(expires, now)),
            format!("{} of {}", status.signed_by.len(), status.threshold),
            who(status),
        ]
    }));
    let mut lines = Vec::new();
    if roles.is_empty() {
        lines.push("nothing is in force before the first tuffet publish".to_owned());
    } else {
        lines.extend(columns(&rows));
    }
    lines.push(String::new());
    lines.extend(open::lines(overview));
    for deadline in deadlines {
        let verb = if deadline.passed {
            "expired"
        } else {
            "expires"
        };
        let (role, at) = (
            visible(deadline.role.as_str()),
            moment::both(deadline.expires, now),
        );
        let (command, who) = (deadline.command(), &deadline.who);
        lines.push(if deadline.external {
            format!("due: {role} {verb} {at}: signed elsewhere, by {who}; ask for a new version, then {command}")
        } else {
            format!("due: {role} {verb} {at}: {command} with {who}")
        });
    }
    if deadlines.is_empty() {
        lines.push("nothing is due".to_owned());
    }
    lines
}

fn object(overview: &Overview, deadlines: &[Deadline]) -> Value {
    let roles: Vec<Value> = overview
        .roles
        .iter()
        .map(|status| {
            json!({
                "role": status.role.as_str(),
                "delegator": status.delegator.as_ref().map(|by| by.as_str()),
                "bins": status.bins,
                "version": status.version.map(|version| version.number()),
                "expires": status.expires.map(|expires| expires.to_string()),
                "threshold": status.threshold,
                "keys": names(&status.keys),
                "signed_by": names(&status.signed_by),
                "missing": open::is_missing(status, &overview.change),
            })
        })
        .collect();
    let deadlines: Vec<Value> = deadlines
        .iter()
        .map(|deadline| {
            json!({
                "role": deadline.role.as_str(),
                "expires": deadline.expires.to_string(),
                "passed": deadline.passed,
                "who": deadline.who,
                "external": deadline.external,
                "command": deadline.command,
            })
        })
        .collect();
    json!({
        "roles": roles,
        "open": super::change::object(&overview.change),
        "obstacles": open::obstacles(overview),
        "deadlines": deadlines,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_name_cannot_become_another_command() {
        let command = |role: &str| {
            let deadline = Deadline {
                role: RoleName::new(role).unwrap(),
                expires: UnixTime(0),
                passed: true,
                who: String::new(),
                external: false,
                command: ["tuffet", "renew", role].map(str::to_owned).to_vec(),
            };
            deadline.command()
        };
        assert_eq!(command("team"), "tuffet renew team");
        assert_eq!(command("a; rm -rf x"), "tuffet renew 'a; rm -rf x'");
        assert_eq!(command("it's"), r"tuffet renew 'it'\''s'");
        assert_eq!(command("\u{1b}[31m"), "tuffet renew '\u{fffd}[31m'");
    }
}
