//! `tuffet get`: verified files.

mod fetch;
mod proof;

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Value, json};
use tuffet_client::{Destination, Downloaded};
use tuffet_core::metadata::{TargetPath, Tolerance};
use tuffet_core::trust::{Found, Policy, Proof};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::limits::LimitArguments;
use crate::run::App;
use crate::text::{self, short, visible};
use crate::trusted::Entry;

/// Download files and verify everything that vouches for them
///
/// A file appears under its name only when its length and hashes are those that were signed. Directories of the path are
/// kept. A file that is there already is left alone if it is the right one; if it is another one, nothing is done.
///
/// What cannot be got does not keep the rest from being got: every failure is reported, and the gravest decides how the
/// command ends.
#[derive(Debug, Args)]
#[command(
    before_help = "Examples:\n  tuffet get acme:app-1.4.0.tar.zst\n  tuffet get acme:team/a acme:team/b -o downloads --explain"
)]
pub(crate) struct Arguments {
    /// The files, each as NAME:PATH: a trusted repository and the path of a target in it
    #[arg(required = true, value_name = "NAME:PATH", value_parser = parse_target)]
    targets: Vec<(String, TargetPath)>,
    /// The directory to save below, or, for one target, the file to save as
    #[arg(short, long, value_name = "PATH")]
    output: Option<PathBuf>,
    /// Replace files of other content
    #[arg(long)]
    overwrite: bool,
    /// Print the proof: which roles and keys vouch for each file
    #[arg(long)]
    explain: bool,
    /// Refuse every deviation from the specification, see docs/tolerances.md
    #[arg(long)]
    strict: bool,
    /// Refuse this deviation, such as hex-point; may be repeated
    #[arg(long, value_name = "NAME", value_parser = parse_tolerance)]
    refuse: Vec<Tolerance>,
    /// How many files are downloaded at a time
    #[arg(long, value_name = "N", default_value = "4")]
    parallel: NonZeroUsize,
    #[command(flatten)]
    limits: LimitArguments,
}

/// A target that is where it belongs.
struct Got {
    repository: String,
    downloaded: Downloaded,
    found: Found,
    proof: Option<Proof>,
}

/// Targets that were not got, and why.
struct Missed {
    repository: String,
    paths: Vec<TargetPath>,
    failure: Box<Failure>,
}

/// Runs the command. What cannot be got does not keep the rest from being got.
pub(crate) fn run(arguments: Arguments, app: &App) -> Result<Exit, Failure> {
    let policy = policy(&arguments);
    let destination = destination(&arguments)?;
    let trust = app.options.places.trust()?;
    let mut names: Vec<&str> = Vec::new();
    for (name, _) in &arguments.targets {
        if !names.contains(&name.as_str()) {
            names.push(name);
        }
    }
    let (mut got, mut missed) = (Vec::new(), Vec::new());
    for name in names {
        let paths: Vec<&TargetPath> = arguments
            .targets
            .iter()
            .filter(|(of, _)| of == name)
            .map(|(_, path)| path)
            .collect();
        let outcomes = Entry::load(&trust, name).and_then(|entry| {
            let job = fetch::Job {
                entry: &entry,
                policy: &policy,
                destination: &destination,
                explain: arguments.explain,
                parallel: arguments.parallel.get(),
                app,
            };
            job.run(&paths)
        });
        let all = |failure| Missed {
            repository: name.to_owned(),
            paths: paths.iter().copied().cloned().collect(),
            failure: Box::new(failure),
        };
        for outcome in outcomes.unwrap_or_else(|failure| vec![Err(all(failure))]) {
            match outcome {
                Ok(one) => got.push(one),
                Err(one) => missed.push(one),
            }
        }
        if missed
            .iter()
            .any(|one| one.failure.exit() == Exit::Interrupted)
        {
            break;
        }
    }
    for one in &got {
        say(one, app);
    }
    match gravest(missed, &got, app) {
        Some(failure) => {
            if !app.console.json {
                show(&got, app)?;
            }
            Err(failure)
        }
        None => {
            show(&got, app)?;
            Ok(Exit::Done)
        }
    }
}

/// The failure that the command ends with: the gravest of all, after the others have been reported.
fn gravest(missed: Vec<Missed>, got: &[Got], app: &App) -> Option<Failure> {
    let last = missed
        .iter()
        .enumerate()
        .max_by_key(|(place, one)| (one.failure.exit().gravity(), std::cmp::Reverse(*place)))
        .map(|(place, _)| place)?;
    if app.console.json {
        let targets: Vec<Value> = got.iter().map(object).collect();
        let failures: Vec<Value> = missed.iter().map(missed_object).collect();
        let failure = *missed.into_iter().nth(last)?.failure;
        let failure = failure.member("targets", targets.into());
        return Some(failure.member("failures", failures.into()));
    }
    let mut gravest = None;
    for (place, one) in missed.into_iter().enumerate() {
        if place == last {
            gravest = Some(*one.failure);
        } else if one.failure.exit() != Exit::Interrupted {
            app.console.report("get", &one.failure);
        }
    }
    gravest
}

fn missed_object(missed: &Missed) -> Value {
    let paths: Vec<&str> = missed.paths.iter().map(TargetPath::as_str).collect();
    json!({
        "repository": missed.repository,
        "paths": paths,
        "error": missed.failure.object(),
    })
}

fn policy(arguments: &Arguments) -> Policy {
    let mut policy = if arguments.strict {
        Policy::strict()
    } else {
        Policy::default()
    };
    for tolerance in &arguments.refuse {
        policy.refuse = policy.refuse.with(*tolerance);
    }
    policy.limits = arguments.limits.limits();
    policy
}

fn destination(arguments: &Arguments) -> Result<Destination, Failure> {
    let destination = match &arguments.output {
        None => Destination::below("."),
        Some(output) => {
            let is_directory = output.is_dir() || output.to_string_lossy().ends_with('/');
            if is_directory || arguments.targets.len() > 1 {
                if output.is_file() {
                    let message =
                        format!("{} is a file, and has to be a directory", output.display());
                    return Err(Failure::usage(message).fix("name a directory with -o"));
                }
                std::fs::create_dir_all(output)
                    .map_err(|error| Failure::writing(output, &error))?;
                Destination::below(output)
            } else {
                Destination::file(output)
            }
        }
    };
    Ok(destination.overwrite(arguments.overwrite))
}

fn say(got: &Got, app: &App) {
    let file = shown(&got.downloaded.path);
    let digest = got.found.target.hashes.digests().first();
    let digest = digest.map_or_else(String::new, |digest| {
        format!("  {} {}… ✓", digest.algorithm(), short(&digest.to_hex()))
    });
    let verb = if got.downloaded.from_cache {
        "Unchanged"
    } else {
        "Saved"
    };
    let size = text::size(got.found.target.length);
    app.console
        .status(verb, format!("{}  {size}{digest}", visible(&file)));
}

/// A path as people write it: without the dot of the current directory.
fn shown(path: &Path) -> String {
    path.strip_prefix(".").unwrap_or(path).display().to_string()
}

fn show(got: &[Got], app: &App) -> Result<(), Failure> {
    if app.console.json {
        let targets: Vec<Value> = got.iter().map(object).collect();
        return app.console.result("get", json!({"targets": targets}));
    }
    for one in got {
        if let Some(proof) = &one.proof {
            app.console.data(proof::text(&one.repository, proof))?;
        }
    }
    Ok(())
}

fn object(got: &Got) -> Value {
    let hashes: serde_json::Map<String, Value> = got
        .found
        .target
        .hashes
        .digests()
        .iter()
        .map(|digest| (digest.algorithm().name().to_owned(), digest.to_hex().into()))
        .collect();
    json!({
        "repository": got.repository,
        "path": got.found.path.as_str(),
        "role": got.found.role.as_str(),
        "file": shown(&got.downloaded.path),
        "length": got.found.target.length,
        "hashes": hashes,
        "unchanged": got.downloaded.from_cache,
        "proof": got.proof.as_ref().map(proof::object),
    })
}

fn parse_target(text: &str) -> Result<(String, TargetPath), String> {
    let form = || "not of the form NAME:PATH, such as acme:app-1.4.0.tar.zst".to_owned();
    let (name, path) = text.split_once(':').ok_or_else(form)?;
    let path = TargetPath::new(path).map_err(|error| error.to_string())?;
    if name.is_empty() {
        return Err(form());
    }
    Ok((name.to_owned(), path))
}

fn parse_tolerance(name: &str) -> Result<Tolerance, String> {
    Tolerance::from_name(name).ok_or_else(|| {
        let names: Vec<&str> = Tolerance::ALL
            .iter()
            .map(|tolerance| tolerance.name())
            .collect();
        format!("not one of {}", names.join(", "))
    })
}
