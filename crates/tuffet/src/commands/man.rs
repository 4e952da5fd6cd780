//! `tuffet man`: manual pages from the same tree as the help.

use std::fs;
use std::path::PathBuf;

use clap::{Args, Command};
use clap_mangen::Man;
use serde_json::json;

use crate::cli;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::run::App;

/// Write the manual pages to a directory, or print the page of tuffet itself
#[derive(Debug, Args)]
#[command(before_help = "Examples:\n  tuffet man ~/.local/share/man/man1\n  tuffet man | man -l -")]
pub(crate) struct Arguments {
    /// Where the pages go, one for each command
    directory: Option<PathBuf>,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments, app: &App) -> Result<Exit, Failure> {
    let mut tree = cli::tree().disable_help_subcommand(true);
    tree.build();
    let Some(directory) = &arguments.directory else {
        let page = page(&tree);
        if app.console.json {
            app.console.result("man", json!({"page": page}))?;
        } else {
            app.console.data(page.trim_end())?;
        }
        return Ok(Exit::Done);
    };
    fs::create_dir_all(directory).map_err(|error| Failure::writing(directory, &error))?;
    let mut names = Vec::new();
    pages(&tree, &mut |name, page| {
        let file = directory.join(format!("{name}.1"));
        names.push(format!("{name}.1"));
        fs::write(&file, page).map_err(|error| Failure::writing(&file, &error))
    })?;
    app.console.status(
        "Wrote",
        format!("{} pages to {}", names.len(), directory.display()),
    );
    if app.console.json {
        app.console
            .result("man", json!({"directory": directory, "files": names}))?;
    }
    Ok(Exit::Done)
}

fn pages(
    command: &Command,
    write: &mut impl FnMut(&str, String) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let name = command.get_display_name().unwrap_or(command.get_name());
    write(name, page(command))?;
    for child in command
        .get_subcommands()
        .filter(|child| !child.is_hide_set())
    {
        pages(child, write)?;
    }
    Ok(())
}

/// One page, with the examples that the help opens with in a section of their own.
fn page(command: &Command) -> String {
    let man = Man::new(command.clone()).manual("tuffet manual");
    let mut page = Vec::new();
    // Writing to memory does not fail.
    let _ = man.render(&mut page);
    let mut page = String::from_utf8_lossy(&page).into_owned();
    if let Some(examples) = command.get_before_help() {
        page.push_str(".SH EXAMPLES\n.nf\n");
        for line in examples.to_string().lines().skip(1) {
            let line = line.trim().replace('\\', "\\\\").replace('-', "\\-");
            page.push_str(&line);
            page.push('\n');
        }
        page.push_str(".fi\n");
    }
    page
}
