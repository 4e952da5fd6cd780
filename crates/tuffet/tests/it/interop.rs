//! Other implementations read what tuffet writes, and the other way round: every cell of docs/interop.md is a run of this.
//!
//! `TUFFET_PEERS` says where `cargo xtask` has installed them. As a part of all tests a handful of rows is run;
//! `cargo xtask interop` runs all, and writes the page.

mod clients;
mod features;
mod limits;
mod publications;
mod site;
mod table;
mod writers;

use std::thread;

use serde_json::Value;

use crate::home::Home;
use clients::Client;
use features::Feature;
use publications::Publication;
use table::Table;
use writers::Writer;

/// Whether all rows are run.
fn all() -> bool {
    std::env::var("TUFFET_INTEROP").is_ok()
}

#[test]
fn others_read_what_tuffet_writes_and_refuse_what_was_changed() {
    let clients = Client::all();
    let rows = features::written_here(all()).into_iter().map(|feature| {
        let publication = Publication::new(feature);
        let servers = publication.serve();
        // Most of a run is waiting: for processes, connections and disks.
        let cells = thread::scope(|scope| {
            let (publication, servers) = (&publication, &servers);
            let read =
                |client| scope.spawn(move || Client::read(client, feature, publication, servers));
            let running: Vec<_> = clients.iter().map(read).collect();
            let cells = running.into_iter().map(|cell| cell.join().unwrap());
            cells.collect()
        });
        (feature.title(), cells)
    });
    Table {
        section: "readers",
        rows: rows.collect(),
        columns: clients.iter().map(|client| client.name.clone()).collect(),
        missing: missing(
            clients
                .iter()
                .map(|client| (&client.name, client.command.as_ref())),
        ),
    }
    .check();
}

#[test]
fn tuffet_reads_what_others_write_and_refuses_what_was_changed() {
    let writers = Writer::all();
    let rows = features::written_elsewhere(all())
        .into_iter()
        .map(|feature| {
            let cells = writers.iter().map(|writer| writer.is_read(feature));
            (feature.title(), cells.collect())
        });
    Table {
        section: "writers",
        rows: rows.collect(),
        columns: writers.iter().map(|writer| writer.name.clone()).collect(),
        missing: missing(
            writers
                .iter()
                .map(|writer| (&writer.name, writer.command.as_ref())),
        ),
    }
    .check();
}

/// Says what is not there, and why.
fn missing<'a, T: 'a>(
    columns: impl Iterator<Item = (&'a String, Result<T, &'a String>)>,
) -> Vec<(String, String)> {
    let absent = columns.filter_map(|(name, command)| Some((name.clone(), command.err()?.clone())));
    absent
        .inspect(|(name, why)| println!("skipped: {name}: {why}"))
        .collect()
}

#[test]
fn tuffet_publishes_what_python_tuf_has_signed_byte_for_byte() {
    let home = Home::with_client();
    let python = Writer::python();
    if let Err(why) = &python.command {
        println!("skipped: {}: {why}", python.name);
        return;
    }
    let described = python.write(Feature::Nested, &home).unwrap();
    // What they tell us: their public key.
    let theirs = "sites/good";
    let targets: Value =
        serde_json::from_str(&home.read(&format!("{theirs}/metadata/1.targets.json"))).unwrap();
    let delegations = &targets["signed"]["delegations"];
    let keyid = delegations["roles"][0]["keyids"][0].as_str().unwrap();
    home.write("theirs.pub", &delegations["keys"][keyid].to_string());
    let acme = |arguments: &[&str]| home.ok(&[arguments, &["--repo", "acme"]].concat());
    let external = ["--keys", "theirs.pub", "--external"];
    acme(
        &[
            &["delegate", "add", "team", "--paths", "a-*"][..],
            &external,
        ]
        .concat(),
    );
    let roles = ["team", "group", "person"];
    for role in roles {
        let file = format!("{theirs}/metadata/1.{role}.json");
        acme(&["delegate", "accept", role, &file]);
    }
    // And their files, whose hashes they have chosen.
    for (name, role) in described["targets"].as_object().unwrap() {
        let role = role.as_str().unwrap();
        if roles.contains(&role) {
            let file = home.published(&format!("{theirs}/targets"), name);
            let file = file.to_str().unwrap();
            let run = acme(&["target", "add", file, "--name", name, "--as", role]);
            assert!(run.err.contains("Staged"), "{}", run.err);
        }
    }
    home.publish();
    for role in roles {
        let [ours, theirs] = ["web", theirs].map(|place| {
            std::fs::read(home.path(&format!("{place}/metadata/1.{role}.json"))).unwrap()
        });
        assert_eq!(ours, theirs, "{role}");
    }
    home.ok(&["get", "acme:a-b-c-x.txt", "-o", "got.bin"]);
    home.ok(&["verify", "web", "--root", "web/metadata/1.root.json"]);
}
