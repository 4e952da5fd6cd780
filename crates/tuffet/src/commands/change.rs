//! `tuffet change`: the signing desk. What is open, whose signatures it waits for, and how it gets to those people.

mod file;
pub(super) mod shown;
mod travel;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use tuffet_repo::{Change, Destination, Difference, Draft, Need, Repository};

use crate::action;
use crate::author;
use crate::cli::{Allow, DryRun};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::keyring::{self, Keyring, SigningOptions};
use crate::moment;
use crate::run::App;
use crate::text::visible;

/// Sign, show and pass on what is edited and not published yet
#[derive(Debug, Args)]
#[command(
    before_help = "Examples:\n  tuffet change show\n  tuffet change sign --key ana",
    subcommand_required = true,
    arg_required_else_help = true
)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Commands,
}

#[derive(Debug, Subcommand)]
enum Commands {
    List(ListArguments),
    Show(ShowArguments),
    Diff(DiffArguments),
    Sign(SignArguments),
    Send(SendArguments),
    Receive(ReceiveArguments),
    Drop(DropArguments),
}

/// List the roles of the open change, and whose signatures they wait for
#[derive(Debug, Args)]
#[command(before_help = "Examples:\n  tuffet change list\n  tuffet change list --json")]
struct ListArguments {}

/// Show every difference of the open change to the versions before, and nothing else
#[derive(Debug, Args)]
#[command(before_help = "Examples:\n  tuffet change diff\n  tuffet change diff --json")]
struct DiffArguments {}

/// Show the open change, or one in a file: every difference to the versions before, who has signed and who is missing
///
/// A file is compared with the copy of the repository that the command is given in, and nothing is changed there; without a copy, with
/// what is published in a directory, verified from a root that you trust. With nothing to compare it with, what it says is shown, and
/// nothing of it is verified.
#[derive(Debug, Args)]
#[command(
    before_help = "Examples:\n  tuffet change show\n  tuffet change show --check\n  tuffet change show ben.tuf\n  tuffet change show ben.tuf --against /srv/www/tuf --root 1.root.json"
)]
struct ShowArguments {
    /// A change that tuffet change send has written; - is stdin
    file: Option<PathBuf>,
    /// Compare the file with what is published in this directory
    #[arg(long, value_name = "DIR", requires_all = ["file", "root"])]
    against: Option<PathBuf>,
    /// The root by which what is published there is verified
    #[arg(long, value_name = "FILE", requires = "against")]
    root: Option<PathBuf>,
    /// End with 6 while signatures are missing
    #[arg(long)]
    check: bool,
}

/// Show every difference of what the key may sign of the open change, and sign it
///
/// The differences are shown on stderr, or with --json in the result. On a terminal they have to be confirmed. What a key has signed
/// already is not shown again.
#[derive(Debug, Args)]
#[command(
    before_help = "Examples:\n  tuffet change sign --key ana\n  tuffet change sign --key ana --check"
)]
struct SignArguments {
    #[command(flatten)]
    signing: SigningOptions,
    /// Sign without asking
    #[arg(long)]
    yes: bool,
    /// End with 6 while signatures are missing
    #[arg(long)]
    check: bool,
    #[command(flatten)]
    dry_run: DryRun,
}

/// Pass the open change on to somebody else who has a copy of the repository
///
/// It holds the drafts with the signatures so far, and the digests of the versions that they follow. Artifacts do not
/// travel with it: whoever publishes needs them. It goes into a file, or on the branch tuffet/change of a git remote,
/// together with the signatures that are there already.
#[derive(Debug, Args)]
#[command(
    before_help = "Examples:\n  tuffet change send ben.tuf\n  tuffet change send - | ssh ben tuffet change receive -\n  tuffet change send --git origin"
)]
struct SendArguments {
    /// Where to; - is stdout
    #[arg(required_unless_present = "git")]
    file: Option<PathBuf>,
    /// The git remote, by name or URL, of the git repository that this one lies in
    #[arg(long, value_name = "REMOTE", conflicts_with = "file")]
    git: Option<String>,
    /// Put it in the place of whatever is on the branch, without the signatures that are there
    #[arg(long, requires = "git", conflicts_with = "file")]
    replace: bool,
    #[command(flatten)]
    allow: Allow,
    #[command(flatten)]
    dry_run: DryRun,
}

/// Take over a change, or the signatures of others on the open one
///
/// It has to follow what this copy of the repository holds, and only signatures that count under its root are taken.
#[derive(Debug, Args)]
#[command(
    before_help = "Examples:\n  tuffet change receive ben.tuf\n  tuffet change receive - --only edge-team < sam.tuf\n  tuffet change receive --git origin"
)]
struct ReceiveArguments {
    /// Where from; - is stdin
    #[arg(required_unless_present = "git")]
    file: Option<PathBuf>,
    /// The git remote, by name or URL, of the git repository that this one lies in
    #[arg(long, value_name = "REMOTE", conflicts_with = "file")]
    git: Option<String>,
    /// Refuse a change that touches another role than this one; may be repeated
    #[arg(long, value_name = "ROLE")]
    only: Vec<String>,
    #[command(flatten)]
    allow: Allow,
    #[command(flatten)]
    dry_run: DryRun,
}

/// Forget the open change
///
/// If a publication of it broke off or was overtaken, and others have published other versions under the numbers that it has used, what it
/// has made is given up, too, and what they have published is taken over.
#[derive(Debug, Args)]
#[command(before_help = "Examples:\n  tuffet change drop\n  tuffet change drop --dry-run")]
struct DropArguments {
    /// Where the publication broke off [default: what the repository's tuffet.toml says]
    #[arg(long, value_name = "PLACE", value_parser = author::parse_destination)]
    to: Option<Destination>,
    #[command(flatten)]
    dry_run: DryRun,
}

impl Arguments {
    /// The name by which results and errors are told apart in JSON.
    pub(crate) fn name(&self) -> &'static str {
        match self.command {
            Commands::List(_) => "change-list",
            Commands::Show(_) => "change-show",
            Commands::Diff(_) => "change-diff",
            Commands::Sign(_) => "change-sign",
            Commands::Send(_) => "change-send",
            Commands::Receive(_) => "change-receive",
            Commands::Drop(_) => "change-drop",
        }
    }

    fn is_dry(&self) -> bool {
        match &self.command {
            Commands::List(_) | Commands::Show(_) | Commands::Diff(_) => false,
            Commands::Sign(arguments) => arguments.dry_run.dry_run,
            Commands::Send(arguments) => arguments.dry_run.dry_run,
            Commands::Receive(arguments) => arguments.dry_run.dry_run,
            Commands::Drop(arguments) => arguments.dry_run.dry_run,
        }
    }
}

/// Runs the command.
pub(crate) fn run(arguments: Arguments, app: &App) -> Result<Exit, Failure> {
    if let Commands::Show(arguments) = &arguments.command
        && let Some(file) = &arguments.file
    {
        return file::show(arguments, file, app);
    }
    let repository = author::repository(app)?.only_looking(arguments.is_dry());
    match arguments.command {
        Commands::List(_) => show(&repository, View::Signatures, false, app),
        Commands::Show(arguments) => show(&repository, View::Whole, arguments.check, app),
        Commands::Diff(_) => show(&repository, View::Differences, false, app),
        Commands::Sign(arguments) => sign(&repository, &arguments, app),
        Commands::Send(arguments) => {
            let repository = repository.allowing(&arguments.allow.allow);
            travel::send(&repository, &arguments, app)
        }
        Commands::Receive(arguments) => {
            let repository = repository.allowing(&arguments.allow.allow);
            travel::receive(&repository, &arguments, app)
        }
        Commands::Drop(arguments) => {
            let (dry, mut actions) = (arguments.dry_run.dry_run, Vec::new());
            let gives_way = repository.give_way(arguments.to.as_ref(), author::moment(app));
            let plan = match gives_way.transpose() {
                Some(plan) => plan,
                None => repository.drop_change(),
            };
            author::carry_out(plan, dry, app, &mut actions)?;
            author::finish("change-drop", actions, dry, app)
        }
    }
}

/// What is shown of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum View {
    Whole,
    Differences,
    Signatures,
}

impl View {
    fn name(self) -> &'static str {
        match self {
            Self::Whole => "change-show",
            Self::Differences => "change-diff",
            Self::Signatures => "change-list",
        }
    }

    /// Leaves out what is not part of it.
    fn cut(self, mut object: Value) -> Value {
        let left_out = match self {
            Self::Whole => return object,
            Self::Differences => "needs",
            Self::Signatures => "differences",
        };
        let drafts = object["drafts"].as_array_mut().into_iter().flatten();
        for draft in drafts.filter_map(Value::as_object_mut) {
            draft.remove(left_out);
        }
        object
    }
}

fn show(repository: &Repository, view: View, check: bool, app: &App) -> Result<Exit, Failure> {
    let change = repository.change().map_err(|error| Failure::from(&error))?;
    print(&change, view, app)?;
    Ok(ending(&change, check))
}

fn print(change: &Change, view: View, app: &App) -> Result<(), Failure> {
    if app.console.json {
        app.console.result(view.name(), view.cut(object(change)))
    } else if change.drafts.is_empty() && change.given_up.is_empty() {
        let nothing = std::iter::once("nothing is open".to_owned());
        let lines: Vec<String> = nothing.chain(unpublished(change)).collect();
        app.console.data(lines.join("\n"))
    } else {
        app.console.data(lines(change, view, app).join("\n"))
    }
}

fn ending(change: &Change, check: bool) -> Exit {
    if check && !change.is_quorate() {
        Exit::NeedsSignatures
    } else {
        Exit::Done
    }
}

fn lines(change: &Change, view: View, app: &App) -> Vec<String> {
    let mut lines = Vec::new();
    let mut names = change.names.clone();
    names.add(keyring::known(app));
    for draft in &change.drafts {
        lines.extend(draft.overtaken.then(|| overtaken(draft)));
        let from = match draft.from {
            Some(from) => format!("v{from} → v{}", draft.version),
            None => format!("v{}, the first", draft.version),
        };
        let accepted = if draft.accepted {
            ", as it was signed elsewhere"
        } else {
            ""
        };
        lines.push(format!(
            "{} {from}, expires {}{accepted}",
            visible(draft.role.as_str()),
            moment::both(draft.expires, author::moment(app))
        ));
        let differences = draft.differences.iter();
        let differences = differences.filter(|_| view != View::Signatures);
        let differences = differences.map(|one| one.with_names(&names).to_string());
        lines.extend(differences.map(|one| format!("  {}", visible(&one))));
        let needs = draft
            .needs
            .iter()
            .filter(|_| !draft.overtaken && view != View::Differences);
        lines.extend(needs.map(|need| format!("  {}", needed(need))));
    }
    if view == View::Signatures {
        return lines;
    }
    for key in &change.named {
        lines.push(format!(
            "tuffet.toml will know {}",
            visible(&key.to_string())
        ));
    }
    for (role, asked) in &change.asked {
        lines.push(format!(
            "tuffet.toml will ask of {}: threshold {}, {}{}",
            visible(role),
            asked.threshold,
            asked.period,
            if asked.external {
                ", signed elsewhere"
            } else {
                ""
            }
        ));
    }
    for (role, version) in &change.given_up {
        lines.push(format!("{} v{version} is given up", visible(role.as_str())));
    }
    for role in &change.forgotten {
        lines.push(format!("tuffet.toml will forget {}", visible(role)));
    }
    lines.extend(unpublished(change));
    lines
}

/// What has become of a draft whose version somebody else has used.
pub(super) fn overtaken(draft: &Draft) -> String {
    let role = visible(draft.role.as_str());
    let last = draft
        .from
        .map_or_else(String::new, |last| format!(", and v{last} is the latest"));
    format!(
        "overtaken: somebody else has used {role} v{}{last}: tuffet change drop, and edit again",
        draft.version
    )
}

/// What is said of a publication that has broken off.
pub(super) fn unpublished(change: &Change) -> Option<String> {
    let version = change.unpublished?;
    let end = match change.is_beside_unpublished() {
        true => "tuffet renew timestamp",
        false => "tuffet publish",
    };
    Some(format!(
        "not published yet: timestamp v{version}, with all that it lists: {end}"
    ))
}

/// `signed by 1 of 2 that root version 3 asks for: ana a1f0c3d2; ben 5be2190f or vault 0d44b7e9 can sign`
pub(super) fn needed(need: &Need) -> String {
    let mut text = format!(
        "signed by {} of {} that {} asks for",
        need.have, need.need, need.signers
    );
    let signed: Vec<String> = need.signed.iter().map(ToString::to_string).collect();
    if !signed.is_empty() {
        text.push_str(&format!(": {}", signed.join(", ")));
    }
    let waits = need.waits_for();
    if !waits.is_empty() {
        text.push_str(&format!("; waits for {waits}"));
    }
    visible(&text)
}

/// The open change for machines.
pub(super) fn object(change: &Change) -> Value {
    let drafts: Vec<Value> = change.drafts.iter().map(draft).collect();
    let asked = change.asked.iter().map(|(role, asked)| {
        json!({"role": role, "threshold": asked.threshold, "period": asked.period.to_string()})
    });
    json!({
        "quorate": change.is_quorate(),
        "drafts": drafts,
        "named": action::names(&change.named),
        "policy": asked.collect::<Vec<Value>>(),
        "forgotten": change.forgotten,
        "given_up": change.given_up.iter().map(|(role, version)| {
            json!({"role": role.as_str(), "version": version.number()})
        }).collect::<Vec<Value>>(),
        "unpublished": change.unpublished.map(|version| version.number()),
    })
}

fn draft(draft: &Draft) -> Value {
    let needs: Vec<Value> = draft.needs.iter().map(action::need).collect();
    json!({
        "role": draft.role.as_str(),
        "version": draft.version.number(),
        "from": draft.from.map(|from| from.number()),
        "expires": draft.expires.to_string(),
        "quorate": draft.is_quorate(),
        "accepted": draft.accepted,
        "overtaken": draft.overtaken,
        "needs": needs,
        "differences": differences(&draft.differences),
    })
}

fn differences(all: &[Difference]) -> Vec<Value> {
    // As text: the exact JSON, whatever numbers a reader of ours can hold. Absent where nothing stands.
    let text = |value: &tuffet_core::json::Value| -> Value {
        String::from_utf8_lossy(&value.to_compact_json()).into()
    };
    let object = |one: &Difference| {
        let mut object = json!({"place": one.place, "order": one.order});
        for (name, value) in [("before", &one.before), ("after", &one.after)] {
            if let (Some(object), Some(value)) = (object.as_object_mut(), value) {
                object.insert(name.to_owned(), text(value));
            }
        }
        object
    };
    all.iter().map(object).collect()
}

fn sign(repository: &Repository, arguments: &SignArguments, app: &App) -> Result<Exit, Failure> {
    if arguments.signing.key.is_empty() {
        return Err(Failure::usage("nobody is named who signs").fix("add --key KEY"));
    }
    let keyring = Keyring::new(app, &arguments.signing.secrets);
    let keys = keyring.open_all(&arguments.signing.key)?;
    let (dry, mut actions) = (arguments.dry_run.dry_run, Vec::new());
    let session = repository.begin_to_sign();
    let mut session = session.map_err(|error| Failure::from(&error))?;
    let unasked = dry || arguments.yes;
    let (shown, plan) = shown::sign(&mut session, &keys, unasked, app)?;
    let done = author::carry_out(Ok(plan), dry, app, &mut actions)?;
    if done == 0 {
        app.console.status(
            "Unchanged",
            "the signatures are there already, or tuffet publish makes them",
        );
    }
    let change = session.change().map_err(|error| Failure::from(&error))?;
    let more = match app.console.json {
        true => json!({"shown": object(&shown)}),
        false => Value::Null,
    };
    let exit = author::finish_with("change-sign", actions, more, dry, app)?;
    next(&change, dry, app);
    Ok(if exit == Exit::Done {
        ending(&change, arguments.check)
    } else {
        exit
    })
}

fn next(change: &Change, dry: bool, app: &App) {
    if dry {
        return;
    }
    app.console.next(if change.is_quorate() {
        "tuffet publish"
    } else {
        "tuffet change send FILE"
    });
}
