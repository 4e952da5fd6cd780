//! Benchmarks: whole processes side by side in one run, interleaved, their medians written as ratios.
//!
//! Nothing here is a test: a machine with other work to do must not fail one.

mod author;
mod client;
mod everyday;
mod report;

use crate::arguments::Arguments;
use crate::command;
use crate::peers;
use crate::report::{Failure, Outcome};
use crate::workspace::Workspace;
use client::{Client, Measured, Rows};
use report::Section;
use serde_json::Value;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A repository and what is asked of it.
struct Scenario {
    name: &'static str,
    title: &'static str,
    targets: u64,
    payload: u64,
    /// Whether the client has fetched the same before.
    warm: bool,
    /// Whether the least that any downloader has to do is measured too.
    floor: bool,
}

const SCENARIOS: [Scenario; 3] = [
    Scenario {
        name: "million",
        title: "One target among 1,000,000 in one role, first time",
        targets: 1_000_000,
        payload: 1 << 10,
        warm: false,
        floor: false,
    },
    Scenario {
        name: "million-warm",
        title: "The same again, nothing new",
        targets: 1_000_000,
        payload: 1 << 10,
        warm: true,
        floor: false,
    },
    Scenario {
        name: "gib",
        title: "A target of 1 GiB",
        targets: 1,
        payload: 1 << 30,
        warm: false,
        floor: true,
    },
];

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
    let file = workspace.root.join("docs/benchmarks.md");
    fs::write(&file, report::page(&sections, rounds))
        .map_err(|error| Failure::file(&file, error))?;
    Ok(Outcome::Passed("docs/benchmarks.md".into()))
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
        let scripts = self.workspace.root.join("xtask/bench");
        let mut tough = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        tough.args(["build", "--release", "--quiet", "--manifest-path"]);
        tough.arg(scripts.join("tough_fetch/Cargo.toml"));
        tough
            .arg("--target-dir")
            .arg(self.workspace.peers().join("tough"));
        let mut clients = vec![
            Client::tuffet(self.workspace.target.join("release/tuffet")),
            Client::program(
                "python-tuf 7.0.1",
                vec![self.python.clone(), scripts.join("python_fetch.py")],
            ),
        ];
        match command::run(&mut tough) {
            Ok(()) => {
                let program = self.workspace.peers().join("tough/release/tough-fetch");
                clients.push(Client::program("tough 0.24.0", vec![program]));
            }
            Err(failure) => println!("skipped: tough: {failure}"),
        }
        Ok(clients)
    }

    /// Measures all clients in turn, round by round, so that a change of the machine's speed meets them all.
    fn measure(
        &self,
        scenario: &Scenario,
        clients: &[Client],
        rounds: usize,
    ) -> Result<Rows, Failure> {
        let repository = self.repository(scenario)?;
        let server = Server::start(&self.workspace.target.join("release/tuffet"), &repository)?;
        let work = self.directory.join("work");
        let floor = scenario.floor.then(|| {
            Client::floor(
                self.workspace.target.join("release/examples/receive"),
                payload(&repository),
            )
        });
        let clients: Vec<&Client> = clients.iter().chain(floor.as_ref()).collect();
        let mut rows: Rows = clients
            .iter()
            .map(|client| (client.name().to_owned(), Vec::new()))
            .collect();
        for _ in 0..rounds {
            for (client, (_, measured)) in clients.iter().zip(&mut rows) {
                if work.exists() {
                    fs::remove_dir_all(&work).map_err(|error| Failure::file(&work, error))?;
                }
                let targets = work.join("targets");
                fs::create_dir_all(&targets).map_err(|error| Failure::file(&targets, error))?;
                client.prepare(&server.url, &repository, &work)?;
                if scenario.warm {
                    command::output(&mut client.fetch(&server.url, &repository, &work))?;
                    client.forget_target(&work)?;
                }
                measured.push(self.timed(&client.fetch(&server.url, &repository, &work))?);
            }
        }
        Ok(rows)
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
        let directory = self
            .directory
            .join(format!("{}-{}", scenario.targets, scenario.payload));
        if !directory.exists() {
            let unfinished = directory.with_extension("unfinished");
            if unfinished.exists() {
                fs::remove_dir_all(&unfinished)
                    .map_err(|error| Failure::file(&unfinished, error))?;
            }
            let mut make = Command::new(&self.python);
            make.arg(self.workspace.root.join("xtask/bench/make_repository.py"))
                .arg(&unfinished);
            command::output(
                make.arg(scenario.targets.to_string())
                    .arg(scenario.payload.to_string()),
            )?;
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

/// `tuffet serve` as a child that ends with this value.
struct Server {
    child: Child,
    url: String,
}

impl Server {
    fn start(tuffet: &Path, repository: &Path) -> Result<Self, Failure> {
        let mut serve = Command::new(tuffet);
        serve
            .arg("serve")
            .arg(repository)
            .args(["--listen", "127.0.0.1:0"]);
        let mut child = serve
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| Failure::file(tuffet, error))?;
        let mut url = String::new();
        if let Some(stdout) = child.stdout.take() {
            BufReader::new(stdout)
                .read_line(&mut url)
                .map_err(|error| Failure::file(tuffet, error))?;
        }
        let url = url.trim().trim_end_matches('/').to_owned();
        if url.is_empty() {
            return Err(Failure::new("tuffet serve said no URL"));
        }
        Ok(Self { child, url })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Best effort: the process ends with this one anyway.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
