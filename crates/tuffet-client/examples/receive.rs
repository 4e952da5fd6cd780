//! The least that any downloader has to do: receive bytes over HTTP, hash them, write them. Benchmarks measure against it.
//!
//! Pieces are filled before they are written, so that no page of the file is written twice, and nothing is made durable.
//!
//! `receive HOST:PORT /PATH FILE` prints the SHA-256 of what it wrote.

use std::error::Error;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

use tuffet_core::crypto::HashAlgorithm;

const PIECE: usize = 128 * 1024;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(host), Some(path), Some(file)) =
        (arguments.next(), arguments.next(), arguments.next())
    else {
        return Err("usage: receive HOST:PORT /PATH FILE".into());
    };
    let mut connection = TcpStream::connect(&host)?;
    write!(
        connection,
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
    )?;
    let mut answer = BufReader::with_capacity(PIECE, connection);
    let mut left = body_length(&mut answer)?;
    let mut hasher = tuffet_crypto::aws_lc().hasher(HashAlgorithm::Sha256);
    let mut file = File::create(file)?;
    let mut piece = vec![0; PIECE];
    while left > 0 {
        let count = left.min(PIECE as u64);
        let bytes = piece.split_at_mut(usize::try_from(count)?).0;
        answer.read_exact(bytes)?;
        hasher.update(bytes);
        file.write_all(bytes)?;
        left = left.saturating_sub(count);
    }
    println!("{}", hasher.finish().to_hex());
    Ok(())
}

/// Reads the head of the answer and returns the length of its body.
fn body_length(answer: &mut impl BufRead) -> Result<u64, Box<dyn Error>> {
    let mut status = String::new();
    answer.read_line(&mut status)?;
    if !status.contains(" 200 ") {
        return Err(status.into());
    }
    let mut length = None;
    loop {
        let mut line = String::new();
        answer.read_line(&mut line)?;
        match line.trim_end().split_once(':') {
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                length = Some(value.trim().parse()?)
            }
            Some(_) => {}
            None => return length.ok_or_else(|| "no content-length".into()),
        }
    }
}
