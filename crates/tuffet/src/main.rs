//! The command line of tuffet: parses, calls, prints. Nothing here decides trust.
#![forbid(unsafe_code)]

mod action;
mod audit;
mod author;
mod cli;
mod client;
mod codes;
mod commands;
mod console;
mod exit;
mod failure;
mod git;
mod interrupt;
mod keyring;
mod limits;
mod moment;
mod places;
mod progress;
mod run;
mod server;
mod text;
mod tour;
mod trusted;
mod usage;
mod whole;

use std::process::ExitCode;

fn main() -> ExitCode {
    failure::report_panics_as_bugs();
    run::process(std::env::args_os().collect())
}
