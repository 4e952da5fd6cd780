//! Node and Chromium run the module over the whole collection; every object that it says has to be what the native code says.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::collection::{Case, cases};
use crate::native;
use crate::server::Server;

/// As many as there are initial roots, forgiving and strict.
const ALL_CASES: usize = 42;

/// The module and the collection, or why not.
fn ready() -> Option<(PathBuf, Vec<Case>)> {
    let Some(module) = std::env::var_os("TUFFET_WASM").map(PathBuf::from) else {
        println!("skipped: no module (TUFFET_WASM names it; `cargo xtask test` builds it)");
        return None;
    };
    let cases = cases();
    (!cases.is_empty()).then_some((module, cases))
}

fn found(programs: &[&'static str]) -> Option<&'static str> {
    let runs = |program: &&&str| {
        let mut version = Command::new(program);
        let version = version
            .arg("--version")
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        version.status().is_ok_and(|status| status.success())
    };
    programs.iter().find(runs).copied()
}

fn assert_same(cases: &[Case], trace: &str) {
    let native = native::trace(cases);
    for (place, (theirs, ours)) in trace.lines().zip(&native).enumerate() {
        assert_eq!(theirs, ours, "line {place}");
    }
    assert_eq!(trace.lines().count(), native.len());
    assert_eq!(cases.len(), ALL_CASES);
    // Every kind of end is among them, so that nothing agrees because nothing happened.
    let count = |end: &str| native.iter().filter(|line| *line == end).count();
    for code in [
        "hash.target",
        "target.not-found",
        "expired.root",
        "threshold.root",
    ] {
        let ends = count(&format!("ends with {code}"));
        assert!(ends > 0, "{code}");
        println!("{ends} ends with {code}");
    }
    println!("{} lines", native.len());
}

/// Runs a script in Node and returns what it prints; `None` without Node.
fn in_node(script: &str, server: &Server) -> Option<String> {
    let Some(node) = found(&["node"]) else {
        println!("skipped: no node");
        return None;
    };
    let scripts = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/js");
    let mut command = Command::new(node);
    command.arg(scripts.join(script)).arg(&server.origin);
    let output = command.output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    Some(String::from_utf8(output.stdout).unwrap())
}

#[test]
fn the_collection_gives_the_same_trace_in_node() {
    let Some((module, cases)) = ready() else {
        return;
    };
    let server = Server::start(&module, &cases);
    if let Some(trace) = in_node("node.mjs", &server) {
        assert_same(&cases, &trace);
    }
}

#[test]
fn mistakes_of_stores_and_sources_and_a_clock_that_goes_on_do_no_harm() {
    let Some((module, cases)) = ready() else {
        return;
    };
    let server = Server::start(&module, &cases);
    in_node("mistakes.mjs", &server);
}

/// A browser that is ended with the test, whatever becomes of it.
struct Browser(Child);

impl Drop for Browser {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Long enough for a machine that is busy with everything else.
const PATIENCE: Duration = Duration::from_secs(240);

#[test]
fn the_collection_gives_the_same_trace_in_chromium() {
    let Some((module, cases)) = ready() else {
        return;
    };
    let Some(chromium) = found(&["chromium", "chromium-browser", "google-chrome"]) else {
        println!("skipped: no chromium");
        return;
    };
    let server = Server::start(&module, &cases);
    let profile = tempfile::tempdir().unwrap();
    let mut command = Command::new(chromium);
    command.args([
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
    ]);
    command.args([
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
    ]);
    command.arg(format!("--user-data-dir={}", profile.path().display()));
    command.arg(format!("{}tests/js/page.html", server.origin));
    let browser = Browser(
        command
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap(),
    );
    let trace = server
        .traces
        .recv_timeout(PATIENCE)
        .expect("no trace from the page");
    drop(browser);
    assert_same(&cases, &trace);
}
