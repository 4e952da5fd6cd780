//! `tuffet recover`: what to do about keys that are lost or in foreign hands.

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use tuffet_core::metadata::{RoleName, Version};
use tuffet_repo::{Assessment, Exposure, Incident, Outcome, Recover, Repository, Suspect};

use crate::author;
use crate::cli::EditOptions;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::keyring;
use crate::run::App;
use crate::text::visible;

/// Recover from keys that are lost or in foreign hands
///
/// With --plan it says what the keys can do, what has to be done and how it ends for clients, and changes nothing. Without, it
/// opens the change that does it, to be signed and published like any other.
#[derive(Debug, Args)]
#[command(
    before_help = "Examples:\n  tuffet recover timestamp --plan\n  tuffet recover targets --lost ben --new ben-2027",
    subcommand_required = true,
    arg_required_else_help = true
)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Commands,
}

#[derive(Debug, Subcommand)]
enum Commands {
    /// The keys of timestamp are in foreign hands
    #[command(
        before_help = "Examples:\n  tuffet recover timestamp --plan\n  tuffet recover timestamp --new online-2027"
    )]
    Timestamp(Online),
    /// The keys of snapshot are in foreign hands
    #[command(
        before_help = "Examples:\n  tuffet recover snapshot --plan\n  tuffet recover snapshot --new online-2027"
    )]
    Snapshot(Online),
    /// Keys that sign targets, or a role that targets delegates to, are in foreign hands
    #[command(
        before_help = "Examples:\n  tuffet recover targets --lost ben --plan\n  tuffet recover targets --lost sam --new sam-2 --restore team=4"
    )]
    Targets(Stolen),
    /// Keys of root are in foreign hands
    #[command(
        before_help = "Examples:\n  tuffet recover root --lost ben --plan\n  tuffet recover root --lost ben --new ben-2027"
    )]
    Root(Stolen),
    /// Nobody can use a key any more, and nobody else has it
    #[command(
        before_help = "Examples:\n  tuffet recover lost-key vault --plan\n  tuffet recover lost-key vault --new vault-2027"
    )]
    LostKey(Lost),
}

/// What all have.
#[derive(Debug, Args)]
struct Replacing {
    /// The key that takes the place of one that goes, in the same order; may be repeated
    #[arg(long, value_name = "KEY")]
    new: Vec<String>,
    /// Say what the incident means and what has to be done, and change nothing
    #[arg(long)]
    plan: bool,
    #[command(flatten)]
    edit: EditOptions,
}

#[derive(Debug, Args)]
struct Online {
    #[command(flatten)]
    replacing: Replacing,
}

#[derive(Debug, Args)]
struct Stolen {
    /// A key that somebody else may have; may be repeated, also for keys of automation
    #[arg(long, value_name = "KEY", required = true)]
    lost: Vec<String>,
    /// A role goes back to the targets of one of its versions; may be repeated
    #[arg(long, value_name = "ROLE=VERSION", value_parser = parse_restore)]
    restore: Vec<(RoleName, Version)>,
    #[command(flatten)]
    replacing: Replacing,
}

#[derive(Debug, Args)]
struct Lost {
    /// The key
    #[arg(required = true)]
    keys: Vec<String>,
    #[command(flatten)]
    replacing: Replacing,
}

impl Arguments {
    /// The name by which results and errors are told apart in JSON.
    pub(crate) fn name(&self) -> &'static str {
        match self.command {
            Commands::Timestamp(_) => "recover-timestamp",
            Commands::Snapshot(_) => "recover-snapshot",
            Commands::Targets(_) => "recover-targets",
            Commands::Root(_) => "recover-root",
            Commands::LostKey(_) => "recover-lost-key",
        }
    }
}

fn parse_restore(text: &str) -> Result<(RoleName, Version), String> {
    let parsed = text.rsplit_once('=').and_then(|(role, version)| {
        let version = Version::new(version.parse().ok()?)?;
        Some((RoleName::new(role).ok()?, version))
    });
    parsed.ok_or_else(|| "not a role and one of its versions, such as targets=4".to_owned())
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments, app: &App) -> Result<Exit, Failure> {
    let repository = author::repository(app)?;
    let (mut recover, keys, replacing) = match &arguments.command {
        Commands::Timestamp(online) => online_keys(&repository, RoleName::Timestamp, online)?,
        Commands::Snapshot(online) => online_keys(&repository, RoleName::Snapshot, online)?,
        Commands::Targets(stolen) | Commands::Root(stolen) => {
            let mut recover = Recover::stolen();
            for (role, version) in &stolen.restore {
                recover = recover.restore(role.clone(), *version);
            }
            (recover, stolen.lost.clone(), &stolen.replacing)
        }
        Commands::LostKey(lost) => (Recover::lost(), lost.keys.clone(), &lost.replacing),
    };
    if !replacing.new.is_empty() && replacing.new.len() != keys.len() {
        return Err(Failure::usage(format!(
            "{} go and {} come: name a new key for each, in the same order",
            keys.len(),
            replacing.new.len()
        )));
    }
    recover.published = repository.publish_to();
    for (place, key) in keys.iter().enumerate() {
        let new = replacing.new.get(place);
        let new = new.map(|new| keyring::public(app, Some(&repository), new));
        recover = recover.key(key, new.transpose()?);
    }
    let assessment = repository
        .assess(&recover)
        .map_err(|error| Failure::from(&error))?;
    require_place(&arguments.command, &assessment)?;
    if replacing.plan {
        return show(arguments.name(), &assessment, app);
    }
    let (dry, mut actions) = (replacing.edit.dry_run, Vec::new());
    let repository = author::edited(repository, &replacing.edit);
    let plan = repository.recover(&recover, author::moment(app));
    author::carry_out(plan, dry, app, &mut actions)?;
    app.console
        .status("Clients", assessment.outcome.to_string());
    let exit = author::finish(arguments.name(), actions, dry, app)?;
    if !dry {
        app.console.next("tuffet change show");
    }
    Ok(exit)
}

/// Refuses a command about other roles than those that the keys have a place in: its result would be taken for the whole answer.
fn require_place(command: &Commands, assessment: &Assessment) -> Result<(), Failure> {
    let is_root = |role: &RoleName| *role == RoleName::Root;
    let is_targets = |role: &RoleName| matches!(role, RoleName::Targets | RoleName::Delegated(_));
    let exposures = || assessment.exposures.iter().filter(|one| one.held > 0);
    let has = |fits: &dyn Fn(&RoleName) -> bool| exposures().any(|one| fits(&one.role));
    let (name, found) = match command {
        Commands::Root(_) => ("root", has(&is_root)),
        Commands::Targets(_) => ("targets", has(&is_targets)),
        _ => return Ok(()),
    };
    if found {
        return Ok(());
    }
    let right = if has(&is_root) {
        "root"
    } else if has(&is_targets) {
        "targets"
    } else if has(&|role| *role == RoleName::Snapshot) {
        "snapshot"
    } else {
        "timestamp"
    };
    let roles = match name {
        "targets" => "targets or a role that it delegates to",
        other => other,
    };
    let message = format!("none of these keys has a place in {roles}");
    Err(Failure::usage(message).fix(format!("use tuffet recover {right}")))
}

/// The keys of a role that automation signs.
fn online_keys<'a>(
    repository: &Repository,
    role: RoleName,
    online: &'a Online,
) -> Result<(Recover, Vec<String>, &'a Replacing), Failure> {
    let of = repository
        .role(&role)
        .map_err(|error| Failure::from(&error))?;
    let keys = of
        .into_iter()
        .next()
        .map(|status| status.keys)
        .unwrap_or_default();
    let keys = keys.into_iter().map(|key| key.keyid.to_string()).collect();
    Ok((Recover::stolen(), keys, &online.replacing))
}

fn show(command: &str, assessment: &Assessment, app: &App) -> Result<Exit, Failure> {
    if app.console.json {
        app.console.result(command, object(assessment))?;
    } else {
        app.console.data(lines(assessment).join("\n"))?;
    }
    Ok(Exit::Done)
}

fn lines(assessment: &Assessment) -> Vec<String> {
    let names: Vec<String> = assessment
        .keys
        .iter()
        .map(|key| visible(&key.to_string()))
        .collect();
    let names = names.join(", ");
    let (head, verb) = match assessment.incident {
        Incident::Stolen => ("in foreign hands", "a thief"),
        Incident::Lost => ("lost", "you"),
    };
    let mut lines = vec![format!("{head}: {names}"), String::new()];
    lines.extend(
        assessment
            .exposures
            .iter()
            .map(|one| reach(one, assessment.incident)),
    );
    lines.extend(assessment.suspects.iter().map(suspect));
    lines.push(format!("clients: {}", assessment.outcome));
    lines.push(String::new());
    if assessment.outcome == Outcome::Expires {
        lines.push(format!(
            "what {verb} can do: see tuffet explain recover.too-late"
        ));
        return lines;
    }
    let steps = steps(assessment);
    lines.extend(
        steps
            .iter()
            .enumerate()
            .map(|(place, step)| format!("{}. {step}", place + 1)),
    );
    lines
}

/// `targets: 1 of the 2 signatures it needs can be forged; 2 other keys are left`
fn reach(one: &Exposure, incident: Incident) -> String {
    let role = visible(one.role.as_str());
    let by = match &one.delegator {
        Some(by) => format!(" (delegated by {})", visible(by.as_str())),
        None => String::new(),
    };
    match incident {
        Incident::Stolen if one.is_in_foreign_hands() => format!(
            "{role}{by}: anything can be signed: {} of the {} signatures it needs can be forged",
            one.held.min(one.threshold),
            one.threshold
        ),
        Incident::Stolen => format!(
            "{role}{by}: nothing can be signed: {} of the {} signatures it needs can be forged",
            one.held, one.threshold
        ),
        Incident::Lost if one.can_still_sign() => format!(
            "{role}{by}: can still be signed: {} keys are left, it needs {}",
            one.left, one.threshold
        ),
        Incident::Lost => format!(
            "{role}{by}: cannot be signed any more: {} keys are left, it needs {}",
            one.left, one.threshold
        ),
    }
}

fn suspect(one: &Suspect) -> String {
    let role = visible(one.role.as_str());
    let back = match one.before {
        None => "every version of it".to_owned(),
        Some(before) if one.is_after_a_leap() => format!(
            "its number leaps from v{before}, to use up the numbers; --restore {role}={before} goes on from there, if the keys of snapshot are named too"
        ),
        Some(before) => format!("--restore {role}={before} goes back to before that"),
    };
    if one.first == one.last {
        format!(
            "look at {role} v{}: these keys alone can have made it; {back}",
            one.last
        )
    } else {
        format!(
            "look at {role} v{} to v{}: these keys alone can have made them; {back}",
            one.first, one.last
        )
    }
}

fn steps(assessment: &Assessment) -> Vec<String> {
    let mut steps = vec![
        "make a new key for each that goes, on a machine that is not suspected: tuffet key new NAME"
            .to_owned(),
        "open the change: this command with --new NAME for each, and without --plan".to_owned(),
        "read it and have it signed: tuffet change show, tuffet change sign; root needs the old threshold and the new one"
            .to_owned(),
    ];
    let online = assessment
        .exposures
        .iter()
        .any(|one| matches!(one.role, RoleName::Snapshot | RoleName::Timestamp));
    if online {
        steps.push(
            "publish with the new keys: tuffet publish; clients forget the versions that they were shown"
                .to_owned(),
        );
        steps.push("take the old key out of every place from which automation used it".to_owned());
    } else {
        steps.push("publish: tuffet publish".to_owned());
    }
    if assessment.incident == Incident::Stolen {
        steps.push(
            "compare what is published with what you signed: tuffet verify, with your own first root"
                .to_owned(),
        );
    }
    if assessment.outcome == Outcome::NewRoot {
        steps.push(
            "give clients that may have seen a forged root the new root by another way, such as a new version of the application"
                .to_owned(),
        );
    }
    steps
}

fn object(assessment: &Assessment) -> Value {
    let exposures: Vec<Value> = assessment
        .exposures
        .iter()
        .map(|one| {
            json!({
                "role": one.role.as_str(),
                "delegator": one.delegator.as_ref().map(|by| by.as_str()),
                "held": one.held,
                "left": one.left,
                "threshold": one.threshold,
            })
        })
        .collect();
    let suspects: Vec<Value> = assessment
        .suspects
        .iter()
        .map(|one| {
            json!({
                "role": one.role.as_str(),
                "first": one.first.number(),
                "last": one.last.number(),
                "before": one.before.map(Version::number),
                "after_a_leap": one.is_after_a_leap(),
            })
        })
        .collect();
    json!({
        "incident": match assessment.incident {
            Incident::Stolen => "stolen",
            Incident::Lost => "lost",
        },
        "keys": crate::action::names(&assessment.keys),
        "roles": exposures,
        "suspects": suspects,
        "outcome": match assessment.outcome {
            Outcome::Unharmed => "unharmed",
            Outcome::Themselves => "recover-by-themselves",
            Outcome::NewRoot => "need-a-new-root",
            Outcome::Expires => "until-root-expires",
            _ => "unknown",
        },
        "steps": steps(assessment),
    })
}
