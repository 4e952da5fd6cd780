//! Writes repositories with the editor of tough.

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair, RsaKeyPair,
};
use jiff::{SignedDuration, Timestamp};
use std::collections::HashMap;
use std::num::NonZeroU64;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use tough::TargetName;
use tough::editor::RepositoryEditor;
use tough::editor::signed::{PathExists, SignedRole};
use tough::key_source::{KeySource, LocalKeySource};
use tough::schema::{
    KeyHolder, PathHashPrefix, PathPattern, PathSet, RoleKeys, RoleType, Root, Target,
};
use tuffet_peer_clients::Failure;
use tuffet_peer_clients::writing::{Output, Unsupported, content, write};

const ONE: NonZeroU64 = NonZeroU64::MIN;

fn expires() -> Timestamp {
    // Whole seconds, as metadata has them.
    let seconds = Timestamp::now().as_second();
    let now = Timestamp::from_second(seconds).unwrap_or(Timestamp::UNIX_EPOCH);
    now + SignedDuration::from_hours(24 * 365)
}

/// A private key in a file.
#[derive(Clone)]
struct Key(PathBuf);

impl Key {
    fn source(&self) -> Box<dyn KeySource> {
        Box::new(LocalKeySource {
            path: self.0.clone(),
        })
    }
}

/// Makes keys.
struct Safe {
    directory: PathBuf,
    made: usize,
}

impl Safe {
    fn key(&mut self, scheme: &str) -> Result<Key, Failure> {
        let rng = SystemRandom::new();
        let bytes = match scheme {
            "ed25519" => Ed25519KeyPair::generate_pkcs8(&rng)?.as_ref().to_vec(),
            "ecdsa-sha2-nistp256" => {
                EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &rng)?
                    .as_ref()
                    .to_vec()
            }
            "rsassa-pss-sha256" => {
                let pair = RsaKeyPair::generate(KeySize::Rsa2048)?;
                let der = AsDer::<Pkcs8V1Der>::as_der(&pair)?;
                pem::encode(&pem::Pem::new("PRIVATE KEY", der.as_ref())).into_bytes()
            }
            _ => return Err(Unsupported("tough does not support this scheme: it has Ed25519, ECDSA on P-256 and RSA-PSS with SHA-256").into()),
        };
        self.made += 1;
        let file = self.directory.join(self.made.to_string());
        std::fs::write(&file, bytes)?;
        Ok(Key(file))
    }
}

/// Who signs for the four roles.
#[derive(Clone)]
struct Keys {
    root: Vec<Key>,
    threshold: NonZeroU64,
    others: [Key; 3],
}

impl Keys {
    fn new(safe: &mut Safe, scheme: &str) -> Result<Self, Failure> {
        let one = safe.key(scheme)?;
        Ok(Self {
            root: vec![one],
            threshold: ONE,
            others: [safe.key(scheme)?, safe.key(scheme)?, safe.key(scheme)?],
        })
    }

    fn all(&self) -> Vec<Box<dyn KeySource>> {
        self.root
            .iter()
            .chain(&self.others)
            .map(Key::source)
            .collect()
    }
}

async fn root(version: NonZeroU64, keys: &Keys, consistent: bool) -> Result<Root, Failure> {
    let mut root = Root {
        spec_version: "1.0.0".into(),
        consistent_snapshot: consistent,
        version,
        expires: expires(),
        keys: HashMap::new(),
        roles: HashMap::new(),
        _extra: HashMap::new(),
    };
    let [timestamp, snapshot, targets] = keys.others.each_ref().map(std::slice::from_ref);
    for (role, keys, threshold) in [
        (RoleType::Root, keys.root.as_slice(), keys.threshold),
        (RoleType::Timestamp, timestamp, ONE),
        (RoleType::Snapshot, snapshot, ONE),
        (RoleType::Targets, targets, ONE),
    ] {
        let mut keyids = Vec::new();
        for key in keys {
            let key = key
                .source()
                .as_sign()
                .await
                .map_err(|error| error.to_string())?
                .tuf_key();
            let keyid = key.key_id()?;
            root.keys.insert(keyid.clone(), key);
            keyids.push(keyid);
        }
        let keys = RoleKeys {
            keyids,
            threshold,
            _extra: HashMap::new(),
        };
        root.roles.insert(role, keys);
    }
    Ok(root)
}

/// Writes a chain of roots; returns the file of the last.
async fn roots(chain: &[Keys], consistent: bool, metadata: &Path) -> Result<PathBuf, Failure> {
    let rng = SystemRandom::new();
    let mut before: Option<(Root, &Keys)> = None;
    let mut file = PathBuf::new();
    for (number, keys) in (1..).zip(chain) {
        let version = NonZeroU64::new(number).ok_or("a version")?;
        let root = root(version, keys, consistent).await?;
        let holder = KeyHolder::Root(root.clone());
        let mut signed = SignedRole::new(root.clone(), &holder, &keys.all(), &rng).await?;
        if let Some((old, old_keys)) = before {
            let holder = KeyHolder::Root(old);
            let old = SignedRole::new(root.clone(), &holder, &old_keys.all(), &rng).await?;
            let known: Vec<_> = signed
                .signed()
                .signatures
                .iter()
                .map(|one| &one.keyid)
                .collect();
            let other = old.signed().signatures.iter();
            let other = other
                .filter(|one| !known.contains(&&one.keyid))
                .cloned()
                .collect();
            signed = signed.add_old_signatures(other)?;
        }
        file = metadata.join(format!("{number}.root.json"));
        std::fs::write(&file, signed.buffer())?;
        before = Some((root, keys));
    }
    Ok(file)
}

/// A delegated role with its targets, and the role that delegates to it.
struct Delegated {
    by: &'static str,
    name: &'static str,
    paths: PathSet,
    terminating: bool,
    targets: Vec<&'static str>,
}

fn patterns(list: &[&str]) -> Result<PathSet, Failure> {
    let patterns = list.iter().map(|text| PathPattern::new(*text));
    Ok(PathSet::Paths(patterns.collect::<Result<_, _>>()?))
}

fn prefixes(list: &str) -> Result<PathSet, Failure> {
    let prefixes = list.chars().map(PathHashPrefix::new);
    Ok(PathSet::PathHashPrefixes(
        prefixes.collect::<Result<_, _>>()?,
    ))
}

fn delegated(feature: &str) -> Result<Vec<Delegated>, Failure> {
    let role = |by, name, paths, terminating, targets: &[&'static str]| Delegated {
        by,
        name,
        paths,
        terminating,
        targets: targets.to_vec(),
    };
    Ok(match feature {
        "paths" => vec![role(
            "targets",
            "team",
            patterns(&["team-*", "more-?.txt"])?,
            true,
            &["team-tool.txt"],
        )],
        "odd-roles" => vec![role(
            "targets",
            "rôle with blanks",
            patterns(&["team-*"])?,
            true,
            &["team-tool.txt"],
        )],
        "prefixes" => vec![
            // Their SHA-256 begin with 7 and with 8.
            role(
                "targets",
                "low",
                prefixes("01234567")?,
                true,
                &["package-0.txt"],
            ),
            role(
                "targets",
                "high",
                prefixes("89abcdef")?,
                true,
                &["package-2.txt"],
            ),
        ],
        "nested" => vec![
            role("targets", "team", patterns(&["a-*"])?, false, &["a-x.txt"]),
            role(
                "team",
                "group",
                patterns(&["a-b-*"])?,
                false,
                &["a-b-x.txt"],
            ),
            role(
                "group",
                "person",
                patterns(&["a-b-c-*"])?,
                false,
                &["a-b-c-x.txt"],
            ),
        ],
        "terminating" => vec![
            role(
                "targets",
                "first",
                patterns(&["open-*"])?,
                false,
                &["open-first.txt"],
            ),
            role(
                "targets",
                "closed",
                patterns(&["closed-*"])?,
                true,
                &["closed-app.txt"],
            ),
            role(
                "targets",
                "later",
                patterns(&["open-*", "closed-*"])?,
                true,
                &["open-later.txt", "closed-behind.txt"],
            ),
        ],
        _ => Vec::new(),
    })
}

async fn repository(feature: &str, output: &mut Output) -> Result<(), Failure> {
    let mut safe = Safe {
        directory: output.place("keys")?,
        made: 0,
    };
    let scheme = match feature {
        "sha512" | "sha256-sha512" => return Err(Unsupported("tough does not support other hashes of targets than SHA-256").into()),
        "versions-only" => return Err(Unsupported("the editor of tough does not support lists of versions alone").into()),
        "bins" => return Err(Unsupported("tough does not support succinct hash bins").into()),
        "directories" => return Err(Unsupported("tough does not support targets in directories with consistent snapshots: it expects `HASH.dir/name`, where the specification has `dir/HASH.name`").into()),
        "quorum" | "sha256" | "plain" | "paths" | "prefixes" | "nested" | "terminating" | "odd-targets" | "url-targets" | "odd-roles" | "rotated-root" | "rotated-online" | "many-roots" => "ed25519",
        scheme => scheme,
    };
    let keys = Keys::new(&mut safe, scheme)?;
    let mut chain = vec![keys.clone()];
    match feature {
        "quorum" => {
            let more = ["ecdsa-sha2-nistp256", "rsassa-pss-sha256"];
            for scheme in more {
                chain[0].root.push(safe.key(scheme)?);
            }
            chain[0].threshold = NonZeroU64::new(2).ok_or("two")?;
        }
        "rotated-root" | "rotated-online" => {
            let mut next = Keys::new(&mut safe, scheme)?;
            if feature == "rotated-online" {
                next.root.clone_from(&keys.root);
            }
            chain.push(next);
        }
        "many-roots" => chain.extend(std::iter::repeat_n(keys, 19)),
        _ => {}
    }
    let consistent = feature != "plain";
    let metadata = output.place("metadata")?;
    let root = roots(&chain, consistent, &metadata).await?;
    let keys = chain.pop().ok_or("keys")?.all();

    let names: &[&str] = match feature {
        "odd-targets" => &["a b.txt", "größe.txt", "日本語.txt", "a+b&c=(d);e@f!.txt"],
        "url-targets" => &["100%.txt", "a%20b.txt", "c#1.txt"],
        _ => &["app.txt", "tool.txt"],
    };
    let delegated = delegated(feature)?;
    let mut all: Vec<(String, String)> = Vec::new();
    all.extend(
        names
            .iter()
            .map(|name| ((*name).to_owned(), "targets".to_owned())),
    );
    for role in &delegated {
        all.extend(
            role.targets
                .iter()
                .map(|name| ((*name).to_owned(), role.name.to_owned())),
        );
    }
    let files = output.place("files")?;
    for (number, (name, role)) in all.iter().enumerate() {
        if name == "closed-behind.txt" {
            output.refuse(name);
        } else {
            output.target(name, role);
        }
        std::fs::write(files.join(number.to_string()), content(name))?;
    }
    let file = |wanted: &str| {
        let at = all.iter().position(|(name, _)| name == wanted);
        files.join(at.unwrap_or_default().to_string())
    };

    let mut editor = RepositoryEditor::new(&root).await?;
    editor
        .targets_expires(expires())?
        .targets_version(ONE)?
        .snapshot_expires(expires())
        .snapshot_version(ONE)
        .timestamp_expires(expires())
        .timestamp_version(ONE);
    for name in names {
        editor.add_target(*name, Target::from_path(file(name)).await?)?;
    }
    let mut signers: HashMap<&str, Vec<Box<dyn KeySource>>> = HashMap::from([("targets", keys)]);
    let mut current = "targets";
    for role in &delegated {
        if role.by != current {
            editor.sign_targets_editor(&signers[current]).await?;
            editor.change_delegated_targets(role.by)?;
            current = role.by;
        }
        let key = vec![safe.key("ed25519")?.source()];
        let paths = role.paths.clone();
        editor
            .delegate_role(
                role.name,
                &key,
                paths,
                role.terminating,
                ONE,
                expires(),
                ONE,
            )
            .await?;
        signers.insert(role.name, key);
        // The targets of a role that delegates further have to be there before it is signed.
        if delegated.iter().any(|other| other.by == role.name) {
            editor.sign_targets_editor(&signers[current]).await?;
            editor.change_delegated_targets(role.name)?;
            editor.targets_version(ONE)?.targets_expires(expires())?;
            current = role.name;
            for name in &role.targets {
                editor.add_target(*name, Target::from_path(file(name)).await?)?;
            }
        }
    }
    editor.sign_targets_editor(&signers[current]).await?;
    for role in &delegated {
        if delegated.iter().any(|other| other.by == role.name) {
            continue;
        }
        editor.change_delegated_targets(role.name)?;
        editor.targets_version(ONE)?.targets_expires(expires())?;
        for name in &role.targets {
            editor.add_target(*name, Target::from_path(file(name)).await?)?;
        }
        editor.sign_targets_editor(&signers[role.name]).await?;
    }
    let signed = editor.sign(&signers["targets"]).await?;
    signed.write(&metadata).await?;
    let targets = output.place("targets")?;
    for (name, _) in &all {
        let target = TargetName::new(name)?;
        signed
            .copy_target(&file(name), &targets, PathExists::Skip, Some(&target))
            .await?;
    }
    Ok(())
}

fn main() -> ExitCode {
    write(repository)
}
