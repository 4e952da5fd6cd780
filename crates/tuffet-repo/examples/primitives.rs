//! What verification is made of, many times over, for measurements.
//!
//! ```text
//! primitives verify SCHEME TIMES      verifies one signature so often
//! primitives canonicalise FILE TIMES  brings the metadata in a file into canonical form so often
//! primitives limit FILE...            reads metadata, hashes it, verifies one signature on each file
//! ```
//!
//! `limit` is what no client can do without. It takes the files that `xtask/bench/make_repository.py` writes, the first of which is
//! a root whose one key has signed them all.

use std::error::Error;
use std::fs;

use tuffet_core::crypto::{HashAlgorithm, PublicKey, Scheme, hex};
use tuffet_core::json;
use tuffet_sign::{FileKey, PublicKeyInfo, Signer};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["verify", scheme, times] => verify(scheme, times.parse()?),
        ["canonicalise", file, times] => canonicalise(&fs::read(file)?, times.parse()?),
        ["limit", files @ ..] => limit(files),
        _ => Err("say verify SCHEME TIMES, canonicalise FILE TIMES or limit FILE...".into()),
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

fn limit(files: &[&str]) -> Result<(), Box<dyn Error>> {
    let mut key = None;
    for file in files {
        let bytes = fs::read(file)?;
        let key = match &key {
            Some(key) => key,
            None => key.insert(signer_of(&bytes)?),
        };
        let digest = tuffet_crypto::aws_lc().digest(HashAlgorithm::Sha256, &bytes);
        println!("{digest} {file}");
        let (head, signed) = split(&bytes)?;
        let signature = hex::decode(between(head, "\"sig\":\"")?).ok_or("no hexadecimal digits")?;
        key.confirm(signed, &signature)?;
    }
    Ok(())
}

/// What comes before the signed member of an envelope, and the member.
fn split(envelope: &[u8]) -> Result<(&str, &[u8]), Box<dyn Error>> {
    const MEMBER: &[u8] = b",\"signed\":";
    let place = envelope
        .windows(MEMBER.len())
        .position(|window| window == MEMBER)
        .ok_or("nothing is signed")?;
    let (head, rest) = envelope.split_at(place);
    let signed = rest.get(MEMBER.len()..rest.len().saturating_sub(1));
    Ok((std::str::from_utf8(head)?, signed.ok_or("cut short")?))
}

/// The key of a root that has one.
fn signer_of(root: &[u8]) -> Result<PublicKeyInfo, Box<dyn Error>> {
    let public = hex::decode(between(std::str::from_utf8(root)?, "\"public\":\"")?);
    let public = public.ok_or("no hexadecimal digits")?;
    let public = PublicKey::Ed25519(public.as_slice().try_into()?);
    Ok(PublicKeyInfo::new(Scheme::Ed25519, public)?)
}

/// The text between `opening` and the next quotation mark.
fn between<'t>(text: &'t str, opening: &str) -> Result<&'t str, Box<dyn Error>> {
    let (_, rest) = text.split_once(opening).ok_or("a member is missing")?;
    let (found, _) = rest.split_once('"').ok_or("a string has no end")?;
    Ok(found)
}
