//! Benchmarks: whole processes side by side in one run, interleaved, their medians written as ratios.
//!
//! Nothing here is a test: a machine with other work to do must not fail one.

mod author;
mod chart;
mod client;
mod everyday;
mod growth;
mod primitives;
mod report;
mod rooms;
mod scenarios;
mod server;

use crate::arguments::Arguments;
use crate::command;
use crate::peers::{self, Profile};
use crate::report::{Failure, Outcome};
use crate::workspace::Workspace;
use client::{Client, Measured, Missing, Row, forget_targets};
use growth::Growth;
use report::Section;
use rooms::{Rooms, empty};
use scenarios::{Beside, Fetch, GROWTH, SCENARIOS, Scenario};
use serde_json::Value;
use server::Server;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What every measurement of a run needs.
struct Bench<'w> {
    workspace: &'w Workspace,
    python: PathBuf,
    directory: PathBuf,
    rooms: Rooms,
}

pub(crate) fn run(workspace: &Workspace, mut arguments: Arguments) -> Result<Outcome, Failure> {
    let rounds = arguments
        .value("--rounds")?
        .map_or(Ok(5), |text| text.parse::<usize>());
    let rounds = rounds.map_err(|error| Failure::new(format!("--rounds: {error}")))?;
    let only = arguments.value("--only")?;
    arguments.finish()?;
    if let Outcome::Skipped(why) = peers::python(workspace)? {
        return Ok(Outcome::Skipped(format!("python-tuf: {why}")));
    }
    let directory = workspace.target.join("bench");
    let python = workspace.peers().join("python/bin/python");
    let bench = Bench {
        workspace,
        python,
        rooms: Rooms::of(&directory)?,
        directory,
    };
    let chosen = |name: &str| only.as_deref().is_none_or(|only| only == name);
    let scenarios: Vec<&Scenario> = SCENARIOS
        .iter()
        .filter(|scenario| chosen(scenario.name))
        .collect();
    bench.build()?;
    // The others take a while to build, and nobody else is asked who makes metadata.
    let clients = if scenarios.is_empty() {
        Vec::new()
    } else {
        bench.clients()?
    };
    let (mut sections, mut measured) = (Vec::new(), Vec::new());
    for scenario in scenarios {
        println!("{}", scenario.title);
        let rows = bench.measure(scenario, &clients, rounds)?;
        measured.push((scenario, rows));
    }
    let growth = growth(&measured);
    let (text, charts) = (growth.text(), growth.charts());
    for (scenario, rows) in measured {
        sections.push(Section::clients(scenario.title, rows));
    }
    if chosen("primitives") {
        let metadata = bench.directory_of("100k")?.join("metadata/1.targets.json");
        for (title, rows) in primitives::measure(&bench, &metadata, rounds)? {
            println!("{title}");
            sections.push(Section::clients(title, rows));
        }
    }
    if chosen("author") {
        println!("{}", author::TITLES.join("; "));
        let measured = author::measure(&bench, rounds)?;
        let titled = author::TITLES.into_iter().zip(measured);
        sections.extend(titled.map(|(title, rows)| Section::authors(title, rows)));
    }
    if chosen("everyday") {
        println!("{}", everyday::TITLE);
        let rows = everyday::measure(&bench, rounds)?;
        sections.push(Section::commands(everyday::TITLE, rows));
    }
    if only.is_some() {
        sections
            .iter()
            .for_each(|section| print!("{}", section.text()));
        return Ok(Outcome::passed());
    }
    write(workspace, &sections, (&text, &charts), rounds)?;
    Ok(Outcome::Passed("docs/benchmarks.md".into()))
}

/// What the scenarios say together.
fn growth<'r>(measured: &'r [(&Scenario, Vec<Row>)]) -> Growth<'r> {
    let rows = |name: &str| {
        let found = measured.iter().find(|(scenario, _)| scenario.name == name);
        found.map(|(_, rows)| rows.as_slice())
    };
    let points = GROWTH
        .iter()
        .filter_map(|(targets, name)| Some((*targets, rows(name)?)));
    Growth::new(points.collect())
}

/// The page, and a chart for each of its tables.
fn write(
    workspace: &Workspace,
    sections: &[Section],
    (growth, curves): (&str, &[(&str, String)]),
    rounds: usize,
) -> Result<(), Failure> {
    let directory = empty(&workspace.root.join("docs/benchmarks"))?;
    let bars = sections.iter().filter_map(Section::chart);
    let curves = curves
        .iter()
        .map(|(name, chart)| ((*name).to_owned(), chart.clone()));
    for (name, chart) in bars.chain(curves) {
        let file = directory.join(name);
        fs::write(&file, chart).map_err(|error| Failure::file(&file, error))?;
    }
    let file = workspace.root.join("docs/benchmarks.md");
    let page = report::page(sections, growth, rounds);
    fs::write(&file, page).map_err(|error| Failure::file(&file, error))
}

impl Bench<'_> {
    /// Builds what of ours is measured, for release: at once, so that what they depend on is built once.
    fn build(&self) -> Result<(), Failure> {
        let mut build = self.workspace.cargo(&["build", "--release", "--quiet"]);
        for package in ["tuffet", "tuffet-client", "tuffet-repo"] {
            build.arg(format!("--package={package}"));
        }
        build.arg("--bins");
        for example in ["receive", "primitives", "author_bins"] {
            build.arg(format!("--example={example}"));
        }
        command::run(&mut build)
    }

    /// Builds the clients that are measured.
    fn clients(&self) -> Result<Vec<Client>, Failure> {
        let tuffet = Client::tuffet(self.tuffet());
        let peers = peers::clients(self.workspace, Profile::Release)?;
        Ok([tuffet]
            .into_iter()
            .chain(peers.into_iter().map(Client::peer))
            .collect())
    }

    /// Our program for what everything is made of.
    fn primitives(&self) -> PathBuf {
        self.workspace.target.join("release/examples/primitives")
    }

    /// The repository of the scenario of this name.
    fn directory_of(&self, name: &str) -> Result<PathBuf, Failure> {
        let scenario = SCENARIOS.iter().find(|scenario| scenario.name == name);
        let scenario = scenario.ok_or_else(|| Failure::new(format!("no scenario {name}")))?;
        self.repository(scenario)
    }

    fn tuffet(&self) -> PathBuf {
        self.workspace.target.join("release/tuffet")
    }

    /// Measures all clients in turn, round by round, so that a change of the machine's speed meets them all. A client that cannot
    /// do what is asked has no figures.
    fn measure(
        &self,
        scenario: &Scenario,
        clients: &[Client],
        rounds: usize,
    ) -> Result<Vec<Row>, Failure> {
        let repository = self.repository(scenario)?;
        let server = Server::start(&self.tuffet(), &repository)?;
        let beside = self.beside(scenario, &repository)?;
        let asked = |client: &&Client| scenario.beside != Beside::LimitAlone || client.is_ours();
        let mut rows: Vec<(&Client, Row)> = clients
            .iter()
            .filter(asked)
            .chain([&beside])
            .map(|client| (client, Row::new(client.name())))
            .collect();
        for _ in 0..rounds {
            for (client, row) in &mut rows {
                if row.missing.is_some() {
                    continue;
                }
                match self.once(scenario, client, &server, &repository)? {
                    Ok(one) => row.measured.push(one),
                    Err(missing) => row.missing = Some(missing),
                }
            }
        }
        Ok(rows.into_iter().map(|(_, row)| row).collect())
    }

    /// What is measured beside the clients.
    fn beside(&self, scenario: &Scenario, repository: &Path) -> Result<Client, Failure> {
        Ok(match scenario.beside {
            Beside::Parallel => Client::tuffet_parallel(self.tuffet(), 8),
            Beside::Receive => Client::receive(
                self.workspace.target.join("release/examples/receive"),
                payload(repository),
            ),
            Beside::Limit | Beside::LimitAlone => {
                Client::limit(self.primitives(), scenario.repository.metadata(repository)?)
            }
        })
    }

    fn once(
        &self,
        scenario: &Scenario,
        client: &Client,
        server: &Server,
        repository: &Path,
    ) -> Result<Result<Measured, Missing>, Failure> {
        let work = self.rooms.another()?;
        empty(&work.join("targets"))?;
        let targets = scenario.repository.fetched(scenario.fetch);
        client.prepare(&server.url, repository, &work)?;
        let mut fetch = client.fetch(&server.url, &work, &targets);
        if scenario.beside == Beside::LimitAlone && client.is_ours() {
            // More than anybody should accept without having asked for it.
            fetch.args(["--limit", "targets=4294967295"]);
            fetch.args(["--limit", "signed-length=4294967295"]);
        }
        if scenario.warm {
            if let Err(missing) = self.tried(&fetch)? {
                return Ok(Err(missing));
            }
            forget_targets(&work)?;
        }
        let measured = self.tried(&fetch);
        if scenario.fetch == Fetch::Payload {
            // A few files, of which one may be large.
            fs::remove_dir_all(&work).map_err(|error| Failure::file(&work, error))?;
        }
        measured
    }

    /// As [`Self::tried`], for what must not fail.
    fn timed(&self, command: &Command) -> Result<Measured, Failure> {
        self.tried(command)?
            .map_err(|missing| Failure::new(format!("{command:?}: {missing:?}")))
    }

    /// Runs a command under the script that asks the operating system what it took.
    fn tried(&self, command: &Command) -> Result<Result<Measured, Missing>, Failure> {
        let mut measure = Command::new(&self.python);
        measure
            .arg(self.workspace.root.join("xtask/bench/measure.py"))
            .arg(command.get_program())
            .args(command.get_args());
        for (name, value) in command.get_envs() {
            if let Some(value) = value {
                measure.env(name, value);
            }
        }
        let output = command::output(&mut measure)?;
        let value: Value = serde_json::from_str(output.trim())
            .map_err(|error| Failure::new(format!("measure.py: {error}")))?;
        Ok(Measured::read(&value))
    }

    /// Makes the repository of a scenario, once.
    fn repository(&self, scenario: &Scenario) -> Result<PathBuf, Failure> {
        let arguments = scenario.repository.arguments();
        let directory = self
            .directory
            .join(arguments.concat().trim_start_matches('-'));
        if !directory.exists() {
            let unfinished = directory.with_extension("unfinished");
            if unfinished.exists() {
                fs::remove_dir_all(&unfinished)
                    .map_err(|error| Failure::file(&unfinished, error))?;
            }
            let mut make = Command::new(&self.python);
            make.arg(self.workspace.root.join("xtask/bench/make_repository.py"));
            command::output(make.arg(&unfinished).args(arguments))?;
            fs::rename(&unfinished, &directory)
                .map_err(|error| Failure::file(&directory, error))?;
        }
        Ok(directory)
    }
}

/// The published file of the target `payload`, relative to the repository.
fn payload(repository: &Path) -> String {
    let targets = fs::read_dir(repository.join("targets"))
        .into_iter()
        .flatten()
        .flatten();
    let names = targets.map(|entry| entry.file_name().to_string_lossy().into_owned());
    names
        .filter(|name| name.ends_with(".payload"))
        .map(|name| format!("/targets/{name}"))
        .next()
        .unwrap_or_default()
}
