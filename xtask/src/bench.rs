//! Benchmarks: whole processes side by side in one run, interleaved, their medians written as ratios.
//!
//! Nothing here is a test: a machine with other work to do must not fail one.

mod author;
mod chart;
mod client;
mod everyday;
mod primitives;
mod report;
mod scenarios;
mod server;

use crate::arguments::Arguments;
use crate::command;
use crate::peers::{self, Profile};
use crate::report::{Failure, Outcome};
use crate::workspace::Workspace;
use client::{Client, Measured, Rows, forget_targets};
use report::Section;
use scenarios::{Fetch, SCENARIOS, Scenario};
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
        directory,
    };
    let chosen = |name: &str| only.as_deref().is_none_or(|only| only == name);
    let scenarios: Vec<&Scenario> = SCENARIOS
        .iter()
        .filter(|scenario| chosen(scenario.name))
        .collect();
    bench.build(&["--package=tuffet"])?;
    // The others take a while to build, and nobody else is asked who makes metadata.
    let clients = if scenarios.is_empty() {
        Vec::new()
    } else {
        bench.clients()?
    };
    let mut sections = Vec::new();
    for scenario in scenarios {
        println!("{}", scenario.title);
        let rows = bench.measure(scenario, &clients, rounds)?;
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
    write(workspace, &sections, rounds)?;
    Ok(Outcome::Passed("docs/benchmarks.md".into()))
}

/// The page, and a chart for each of its tables.
fn write(workspace: &Workspace, sections: &[Section], rounds: usize) -> Result<(), Failure> {
    let charts = author::empty(&workspace.root.join("docs/benchmarks"))?;
    for section in sections {
        if let Some((name, chart)) = section.chart() {
            let file = charts.join(name);
            fs::write(&file, chart).map_err(|error| Failure::file(&file, error))?;
        }
    }
    let file = workspace.root.join("docs/benchmarks.md");
    fs::write(&file, report::page(sections, rounds)).map_err(|error| Failure::file(&file, error))
}

impl Bench<'_> {
    /// Builds something of ours that is measured, for release.
    fn build(&self, what: &[&str]) -> Result<(), Failure> {
        let arguments = [&["build", "--release", "--quiet"], what].concat();
        command::run(&mut self.workspace.cargo(&arguments))
    }

    /// Builds the clients that are measured.
    fn clients(&self) -> Result<Vec<Client>, Failure> {
        self.build(&["--package=tuffet-client", "--example=receive"])?;
        let tuffet = Client::tuffet(self.tuffet());
        let peers = peers::clients(self.workspace, Profile::Release)?;
        Ok([tuffet]
            .into_iter()
            .chain(peers.into_iter().map(Client::peer))
            .collect())
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
    ) -> Result<Rows, Failure> {
        let repository = self.repository(scenario)?;
        let server = Server::start(&self.tuffet(), &repository)?;
        let floor = scenario.floor.then(|| {
            let program = self.workspace.target.join("release/examples/receive");
            Client::floor(program, payload(&repository))
        });
        let several =
            (scenario.fetch == Fetch::Small).then(|| Client::tuffet_parallel(self.tuffet(), 8));
        let mut rows: Vec<(&Client, Option<Vec<Measured>>)> = clients
            .iter()
            .chain(several.as_ref())
            .chain(floor.as_ref())
            .map(|client| (client, Some(Vec::new())))
            .collect();
        for _ in 0..rounds {
            for (client, row) in &mut rows {
                let Some(measured) = row else { continue };
                match self.once(scenario, client, &server, &repository) {
                    Ok(one) => measured.push(one),
                    Err(failure) => {
                        println!("{}: {failure}", client.name());
                        *row = None;
                    }
                }
            }
        }
        Ok(rows
            .into_iter()
            .map(|(client, row)| (client.name().to_owned(), row.unwrap_or_default()))
            .collect())
    }

    fn once(
        &self,
        scenario: &Scenario,
        client: &Client,
        server: &Server,
        repository: &Path,
    ) -> Result<Measured, Failure> {
        let work = author::empty(&self.directory.join("work"))?;
        author::empty(&work.join("targets"))?;
        let targets = scenario.repository.fetched(scenario.fetch);
        client.prepare(&server.url, repository, &work)?;
        if scenario.warm {
            self.timed(&client.fetch(&server.url, &work, &targets))?;
            forget_targets(&work)?;
        }
        self.timed(&client.fetch(&server.url, &work, &targets))
    }

    /// Runs a command under the script that asks the operating system what it took.
    fn timed(&self, command: &Command) -> Result<Measured, Failure> {
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
        Measured::read(&value).ok_or_else(|| Failure::new(format!("the command failed: {output}")))
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
