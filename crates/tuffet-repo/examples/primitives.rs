//! What verification is made of, many times over, for measurements.
//!
//! ```text
//! primitives verify SCHEME TIMES      verifies one signature so often
//! primitives canonicalise FILE TIMES  brings the metadata in a file into canonical form so often
//! ```

use std::error::Error;
use std::fs;

use tuffet_core::crypto::Scheme;
use tuffet_core::json;
use tuffet_sign::{FileKey, Signer};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["verify", scheme, times] => verify(scheme, times.parse()?),
        ["canonicalise", file, times] => canonicalise(&fs::read(file)?, times.parse()?),
        _ => Err("say verify SCHEME TIMES or canonicalise FILE TIMES".into()),
    }
}

fn verify(scheme: &str, times: u64) -> Result<(), Box<dyn Error>> {
    let scheme = Scheme::from_name(scheme).ok_or("no such scheme")?;
    let signer = FileKey::generate(scheme)?;
    // As long as a small timestamp.
    let message = [b'm'; 300];
    let signature = signer.sign(&message)?;
    for _ in 0..times {
        signer.public().confirm(&message, signature.as_bytes())?;
    }
    Ok(())
}

fn canonicalise(file: &[u8], times: u64) -> Result<(), Box<dyn Error>> {
    for _ in 0..times {
        json::canonicalize(file).map_err(|error| error.to_string())?;
    }
    Ok(())
}
