//! Builds a repository of many targets in hash bins and writes it to a directory: what `cargo xtask bench` measures beside
//! python-tuf, and how to make metadata without a repository directory.
//!
//! ```text
//! author_bins DIRECTORY TARGETS BITS
//! ```

use std::collections::BTreeMap;
use std::error::Error;
use std::path::{Path, PathBuf};

use tuffet_core::crypto::{HashAlgorithm, Scheme};
use tuffet_core::metadata::{DelegatedName, RoleName, TargetPath, UnixTime, Version};
use tuffet_repo::builder::{Disorder, Root, Snapshot, Targets, TargetsStream, Timestamp};
use tuffet_repo::{Delegate, DelegatedPaths, Document, NamedKey};
use tuffet_sign::{FileKey, Signer};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [directory, targets, bits] = arguments.as_slice() else {
        return Err("usage: author_bins DIRECTORY TARGETS BITS".into());
    };
    let directory = PathBuf::from(directory);
    std::fs::create_dir_all(&directory)?;
    build(&directory, targets.parse()?, bits.parse()?)
}

fn build(directory: &Path, count: u64, bits: u32) -> Result<(), Box<dyn Error>> {
    let expires = UnixTime::parse("2100-01-01T00:00:00Z").ok_or("a time")?;
    let (key, online) = (
        FileKey::generate(Scheme::Ed25519)?,
        FileKey::generate(Scheme::Ed25519)?,
    );
    let (ana, machine) = (NamedKey::of("ana", &key)?, NamedKey::of("online", &online)?);
    let first = Version::FIRST;

    let mut shares = share_out(count, bits)?;
    let mut snapshot = Snapshot::new(first, expires);
    let width = bits.div_ceil(4) as usize;
    for number in 0..1_u32 << bits {
        let share = shares.remove(&number).unwrap_or_default();
        let name = format!("bins-{number:0width$x}");
        let mut bytes = Vec::new();
        bin(share, expires)?.finish(&[&online], &mut bytes)?;
        std::fs::write(directory.join(format!("1.{name}.json")), &bytes)?;
        snapshot = snapshot.list(&RoleName::new(&name)?, first, Some(&bytes));
    }
    let paths = DelegatedPaths::Bins { bit_length: bits };
    let delegate = Delegate::new(DelegatedName::new("bins")?, paths, vec![machine.clone()]);
    let targets = Targets::new(first, expires).delegate(&delegate).build();
    let targets = write(directory, "1.targets.json", targets, &key)?;
    let snapshot = snapshot.list(&RoleName::Targets, first, Some(&targets));
    let snapshot = write(directory, "1.snapshot.json", snapshot.build(), &online)?;
    let timestamp = Timestamp::new(first, expires, first, Some(&snapshot));
    write(directory, "timestamp.json", timestamp.build(), &online)?;
    let mut root = Root::new(first, expires);
    for (role, key) in [
        (RoleName::Root, &ana),
        (RoleName::Targets, &ana),
        (RoleName::Snapshot, &machine),
        (RoleName::Timestamp, &machine),
    ] {
        root = root.role(&role, std::slice::from_ref(key), 1);
    }
    write(directory, "1.root.json", root.build(), &key)?;
    Ok(())
}

/// What a bin lists.
type Share = Vec<(TargetPath, u64)>;

/// What each bin lists, by the number of the bin.
type Shares = BTreeMap<u32, Share>;

/// The targets by number, each in the share of the bin that the SHA-256 of its path chooses.
fn share_out(count: u64, bits: u32) -> Result<Shares, Box<dyn Error>> {
    let crypto = tuffet_crypto::aws_lc();
    let mut shares = Shares::new();
    for number in 0..count {
        let path = TargetPath::new(&format!("packages/package-{number}.tar.gz"))?;
        let hash = crypto.digest(HashAlgorithm::Sha256, path.as_str().as_bytes());
        let leading = hash.as_bytes().first_chunk::<4>();
        let leading = leading.ok_or("a digest has four bytes")?;
        let bin = u32::from_be_bytes(*leading) >> (32 - bits);
        shares.entry(bin).or_default().push((path, number));
    }
    Ok(shares)
}

/// A bin with its share of the targets, entry by entry; made when it is written, because all of them together take much memory.
fn bin(mut share: Share, expires: UnixTime) -> Result<TargetsStream, Disorder> {
    let crypto = tuffet_crypto::aws_lc();
    let mut bin = TargetsStream::new(Version::FIRST, expires, None);
    share.sort_unstable();
    for (path, number) in share {
        let digest = crypto.digest(HashAlgorithm::Sha256, number.to_string().as_bytes());
        bin.push(&path, 1000 + number, &[digest])?;
    }
    Ok(bin)
}

/// Signs a document and writes it; returns its bytes, which others list.
fn write(
    directory: &Path,
    name: &str,
    document: Document,
    signer: &dyn Signer,
) -> Result<Vec<u8>, Box<dyn Error>> {
    let bytes = document.sign(&[signer])?.to_bytes();
    std::fs::write(directory.join(name), &bytes)?;
    Ok(bytes)
}
