//! Writes repositories with the repository builder of rust-tuf.

use futures_util::io::Cursor;
use std::process::ExitCode;
use std::rc::Rc;
use tuf::Database;
use tuf::crypto::{Ed25519PrivateKey, HashAlgorithm, PrivateKey};
use tuf::metadata::TargetPath;
use tuf::pouf::Pouf1;
use tuf::repo_builder::RepoBuilder;
use tuf::repository::FileSystemRepositoryBuilder;
use tuffet_peer_clients::Failure;
use tuffet_peer_clients::writing::{Output, Unsupported, write};

fn key() -> Result<Rc<Ed25519PrivateKey>, Failure> {
    Ok(Rc::new(Ed25519PrivateKey::from_pkcs8(
        &Ed25519PrivateKey::pkcs8()?,
    )?))
}

/// Who signs for the four roles.
#[derive(Clone)]
struct Keys {
    root: Rc<Ed25519PrivateKey>,
    targets: Rc<Ed25519PrivateKey>,
    snapshot: Rc<Ed25519PrivateKey>,
    timestamp: Rc<Ed25519PrivateKey>,
}

impl Keys {
    fn new() -> Result<Self, Failure> {
        Ok(Self {
            root: key()?,
            targets: key()?,
            snapshot: key()?,
            timestamp: key()?,
        })
    }
}

async fn repository(feature: &str, output: &mut Output) -> Result<(), Failure> {
    let (names, roots): (&[&str], usize) = match feature {
        "ed25519" | "sha256" | "sha512" | "sha256-sha512" | "versions-only" | "plain" => {
            (&["app.txt", "tool.txt"], 1)
        }
        "directories" => (&["dir/app.txt", "a/b/c/tool.txt"], 1),
        "odd-targets" => (
            &["a b.txt", "größe.txt", "日本語.txt", "a+b&c=(d);e@f!.txt"],
            1,
        ),
        "url-targets" => (&["100%.txt", "a%20b.txt", "c#1.txt"], 1),
        "rotated-root" | "rotated-online" => (&["app.txt"], 2),
        "many-roots" => (&["app.txt"], 20),
        "paths" | "prefixes" | "bins" | "nested" | "terminating" | "odd-roles" => {
            return Err(Unsupported(
                "the repository builder of rust-tuf does not support delegated roles",
            )
            .into());
        }
        _ => return Err(Unsupported("rust-tuf does not support other keys than Ed25519").into()),
    };
    let hashes: &[HashAlgorithm] = match feature {
        "sha512" => &[HashAlgorithm::Sha512],
        "sha256-sha512" => &[HashAlgorithm::Sha256, HashAlgorithm::Sha512],
        _ => &[HashAlgorithm::Sha256],
    };
    let place = output.place("")?;
    output.place("metadata")?;
    output.place("targets")?;
    let mut repository = FileSystemRepositoryBuilder::<Pouf1>::new(place)
        .metadata_prefix("metadata")
        .targets_prefix("targets")
        .build();

    let keys = Keys::new()?;
    let mut chain = vec![keys.clone(); roots];
    match feature {
        "rotated-root" => chain[1] = Keys::new()?,
        "rotated-online" => {
            let root = keys.root;
            chain[1] = Keys {
                root,
                ..Keys::new()?
            };
        }
        _ => {}
    }
    let mut before: Option<&Keys> = None;
    let mut database: Option<Database<Pouf1>> = None;
    for keys in &chain {
        let leaves = before.filter(|before| !Rc::ptr_eq(&before.root, &keys.root));
        let leaving = leaves.map(|before| before.root.as_ref() as &dyn PrivateKey);
        before = Some(keys);
        let builder = match &database {
            Some(database) => RepoBuilder::from_database(&mut repository, database),
            None => RepoBuilder::create(&mut repository),
        };
        let mut builder = builder
            .signing_root_keys(leaving.as_slice())
            .trusted_root_keys(&[keys.root.as_ref()])
            .trusted_targets_keys(&[keys.targets.as_ref()])
            .trusted_snapshot_keys(&[keys.snapshot.as_ref()])
            .trusted_timestamp_keys(&[keys.timestamp.as_ref()])
            .stage_root_with_builder(|root| root.consistent_snapshot(feature != "plain"))?
            .target_hash_algorithms(hashes);
        for name in names {
            let content = output.target(name, "targets");
            let path = TargetPath::new((*name).to_owned())?;
            builder = builder.add_target(path, Cursor::new(content)).await?;
        }
        let mut builder = builder.stage_targets()?;
        if feature != "versions-only" {
            builder = builder
                .snapshot_includes_length(true)
                .snapshot_includes_hashes(&[HashAlgorithm::Sha256]);
        }
        let mut builder = builder.stage_snapshot()?;
        if feature != "versions-only" {
            builder = builder
                .timestamp_includes_length(true)
                .timestamp_includes_hashes(&[HashAlgorithm::Sha256]);
        }
        let written = builder.commit().await?;
        match &mut database {
            Some(database) => {
                database.update_metadata(&written)?;
            }
            None => database = Some(Database::from_trusted_metadata(&written)?),
        }
    }
    Ok(())
}

fn main() -> ExitCode {
    write(repository)
}
