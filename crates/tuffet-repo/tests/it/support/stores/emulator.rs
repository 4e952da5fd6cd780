//! Servers that speak the protocol of an object store, as programs beside the tests.

use std::io::{BufRead as _, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

/// A server that was started for a test.
pub(super) struct Emulator {
    child: Child,
    pub(super) address: String,
}

impl Emulator {
    /// Where other programs are installed, if this file is among them; else the test is skipped, and says so.
    pub(super) fn installed(file: &str) -> Option<PathBuf> {
        let Some(peers) = std::env::var_os("TUFFET_PEERS").map(PathBuf::from) else {
            println!("skipped: TUFFET_PEERS does not say where servers of stores are");
            return None;
        };
        let path = peers.join(file);
        if !path.exists() {
            println!("skipped: no {}", path.display());
            return None;
        }
        Some(path)
    }

    /// Starts it, and reads from what it says on which port it listens.
    pub(super) fn start(command: &mut Command, before_address: &str) -> Self {
        let (reader, writer) = std::io::pipe().unwrap();
        let errors = writer.try_clone().unwrap();
        let child = command
            .stdin(Stdio::null())
            .stdout(writer)
            .stderr(errors)
            .spawn()
            .unwrap();
        // The command holds the other end of the pipe, too.
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let (address, rest) = listens(reader, before_address);
        // It stops when nobody reads what it says.
        std::thread::spawn(move || {
            let mut rest = rest;
            std::io::copy(&mut rest, &mut std::io::sink())
        });
        Self { child, address }
    }
}

fn listens<R: Read>(reader: R, before_address: &str) -> (String, BufReader<R>) {
    let (mut talk, mut said) = (BufReader::new(reader), String::new());
    loop {
        let mut line = String::new();
        let length = talk.read_line(&mut line).unwrap();
        assert!(length > 0, "the server ended: {said}");
        said.push_str(&line);
        if let Some((_, address)) = line.split_once(before_address) {
            return (address.trim().to_owned(), talk);
        }
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        // It has nothing to lose.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
