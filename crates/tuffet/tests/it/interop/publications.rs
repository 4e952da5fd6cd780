//! Repositories of ours, one for each row, with what a client must get from them and what it must not.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use super::features::Feature;
use super::site::{DAY, Keys, LATER, Site, key, now};
use crate::home::{Home, Server};
use tuffet_core::crypto::{HashAlgorithm, Scheme};
use tuffet_repo::DelegatedPaths;

/// What is published below `sites`: `good`, and others that have to be refused. All are read with the first root of `good`.
pub(crate) struct Publication {
    pub(crate) home: Home,
    /// Names and contents. No two contents are the same.
    pub(crate) targets: BTreeMap<String, Vec<u8>>,
    pub(crate) refused: Vec<Refused>,
}

/// Something that a client has to refuse.
pub(crate) struct Refused {
    pub(crate) what: &'static str,
    /// The directory below `sites`.
    pub(crate) site: &'static str,
    pub(crate) names: Vec<String>,
}

pub(crate) const ANCHOR: &str = "sites/good/metadata/1.root.json";

/// Names that no URL and no shell leaves alone. Every platform can have them.
const ODD: [&str; 4] = ["a b.txt", "größe.txt", "日本語.txt", "a+b&c=(d);e@f!.txt"];
/// Names that are other names to those who take them for parts of a URL.
const URLS: [&str; 3] = ["100%.txt", "a%20b.txt", "c#1.txt"];

impl Publication {
    pub(crate) fn new(feature: Feature) -> Self {
        let home = Home::new();
        let good = home.path("sites/good");
        fs::create_dir_all(home.path("sites")).unwrap();
        let mut site = Site::new(&good);
        let mut refused = Vec::new();
        match feature {
            Feature::Scheme(scheme) => with_keys(&mut site, &Keys::new(scheme)),
            Feature::Quorum => quorum(&mut site),
            Feature::Hashes(algorithms) => {
                site.algorithms = algorithms.to_vec();
                simple(&mut site, &TARGETS);
            }
            Feature::VersionsOnly => {
                site.versions_only = true;
                simple(&mut site, &TARGETS);
            }
            Feature::Plain => {
                site.consistent = false;
                nested(&mut site);
            }
            Feature::Paths => delegated(&mut site, "team", patterns(&["team-*", "more-?.txt"])),
            Feature::Prefixes => prefixes(&mut site),
            Feature::Bins => bins(&mut site),
            Feature::Nested => nested(&mut site),
            Feature::Terminating => {
                terminating(&mut site);
                refused.push(Refused {
                    what: "a target behind a terminating delegation",
                    site: "good",
                    names: vec!["closed-behind.txt".into()],
                });
            }
            Feature::Directories => simple(&mut site, &["dir/app.txt", "a/b/c/tool.txt"]),
            Feature::OddTargets => simple(&mut site, &ODD),
            Feature::UrlTargets => simple(&mut site, &URLS),
            Feature::OddRoles => delegated(&mut site, "rôle with blanks", patterns(&["team-*"])),
            Feature::RotatedRoot => rotated_root(&mut site),
            Feature::RotatedOnline => {
                let keys = Keys::new(Scheme::Ed25519);
                let next = keys.with_new_online_keys();
                site.roots(&[&keys, &next]);
                let targets = site.list(site.role(), &["app.txt"]);
                site.finish(&next, targets);
            }
            Feature::ManyRoots => {
                let keys = Keys::new(Scheme::Ed25519);
                site.roots(&[&keys; 20]);
                let targets = site.list(site.role(), &["app.txt"]);
                site.finish(&keys, targets);
            }
            Feature::ExpiredRoot => {
                let keys = Keys::new(Scheme::Ed25519);
                site.old_roots_expired = true;
                site.roots(&[&keys, &keys, &keys]);
                let targets = site.list(site.role(), &["app.txt"]);
                site.finish(&keys, targets);
            }
            Feature::OldVersion => {
                site.spec_version = "1.0";
                simple(&mut site, &TARGETS);
            }
            Feature::Commands => return commands(),
            Feature::Expired => refused.push(expired(&mut site)),
            Feature::ReplacedKey => refused.push(replaced_key(&mut site)),
        }
        let targets = site.targets;
        Self::with_forgeries(home, targets, refused)
    }

    /// A server for each of the sites.
    pub(crate) fn serve(&self) -> BTreeMap<&'static str, Server> {
        let sites = self.refused.iter().map(|refused| refused.site);
        let sites: BTreeSet<&str> = sites.chain(["good"]).collect();
        let serve = |site| {
            let server = self.home.serve(&format!("sites/{site}"));
            // Without a server everything would be refused.
            assert!(server.url.starts_with("http://"), "{site}: no server");
            (site, server)
        };
        sites.into_iter().map(serve).collect()
    }

    /// Adds what every client has to refuse of every repository.
    fn with_forgeries(
        home: Home,
        targets: BTreeMap<String, Vec<u8>>,
        mut refused: Vec<Refused>,
    ) -> Self {
        let names: Vec<String> = targets.keys().take(1).cloned().collect();
        for (what, site) in [
            ("a target with one byte changed", "target"),
            ("metadata with one byte changed", "metadata"),
        ] {
            let place = home.path("sites").join(site);
            copy(&home.path("sites/good"), &place);
            forge(&place, site);
            let names = names.clone();
            refused.push(Refused { what, site, names });
        }
        Self {
            home,
            targets,
            refused,
        }
    }
}

/// Changes one byte of every target, or of every version of the top-level targets role.
pub(crate) fn forge(site: &Path, what: &str) {
    let mut changed = 0;
    for file in files_below(&site.join(if what == "target" {
        "targets"
    } else {
        "metadata"
    })) {
        let mut bytes = fs::read(&file).unwrap();
        let at = if what == "target" {
            bytes.len().checked_sub(1)
        } else if file.to_string_lossy().ends_with("targets.json") {
            // A digit of the date of expiry: everything stays well formed.
            let member = b"\"expires\"";
            let found = bytes
                .windows(member.len())
                .position(|window| window == member);
            let after = |at: usize| bytes.iter().skip(at).position(u8::is_ascii_digit);
            found.and_then(|at| after(at).map(|further| at + further + 3))
        } else {
            None
        };
        if let Some(at) = at {
            bytes[at] = if bytes[at] == b'9' {
                b'8'
            } else {
                bytes[at] ^ 1
            };
            fs::write(&file, bytes).unwrap();
            changed += 1;
        }
    }
    assert!(changed > 0, "nothing was forged in {}", site.display());
}

pub(crate) fn files_below(directory: &Path) -> Vec<PathBuf> {
    let (mut files, mut left) = (Vec::new(), vec![directory.to_owned()]);
    while let Some(directory) = left.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                left.push(path);
            } else {
                files.push(path);
            }
        }
    }
    files
}

pub(crate) fn copy(from: &Path, to: &Path) {
    for file in files_below(from) {
        let place = to.join(file.strip_prefix(from).unwrap());
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        fs::copy(file, place).unwrap();
    }
}

fn patterns(list: &[&str]) -> DelegatedPaths {
    DelegatedPaths::Patterns(list.iter().map(|text| (*text).to_owned()).collect())
}

const TARGETS: [&str; 2] = ["app.txt", "tool.txt"];

fn with_keys(site: &mut Site, keys: &Keys) {
    site.roots(&[keys]);
    let targets = site.list(site.role(), &TARGETS);
    site.finish(keys, targets);
}

fn simple(site: &mut Site, names: &[&str]) {
    let keys = Keys::new(Scheme::Ed25519);
    site.roots(&[&keys]);
    let targets = site.list(site.role(), names);
    site.finish(&keys, targets);
}

fn quorum(site: &mut Site) {
    let mut keys = Keys::new(Scheme::Ed25519);
    let kinds = [
        Scheme::EcdsaP256Sha256,
        Scheme::RsaPss(HashAlgorithm::Sha256),
    ];
    keys.root.extend(kinds.map(key));
    keys.threshold = 2;
    with_keys(site, &keys);
}

fn delegated(site: &mut Site, name: &str, paths: DelegatedPaths) {
    let keys = Keys::new(Scheme::Ed25519);
    let team = key(Scheme::Ed25519);
    site.roots(&[&keys]);
    let role = site.list(site.role(), &["team-tool.txt"]);
    site.publish(name, role, &[&team]);
    let targets = site.list(site.role(), &["app.txt"]);
    let targets = site.delegate(targets, name, paths, &team, true);
    site.finish(&keys, targets);
}

fn prefixes(site: &mut Site) {
    let keys = Keys::new(Scheme::Ed25519);
    let signer = key(Scheme::Ed25519);
    site.roots(&[&keys]);
    let mut targets = site.role();
    for (name, digits) in [("low", "01234567"), ("high", "89abcdef")] {
        let paths: Vec<String> = (0..6)
            .map(|number| format!("package-{number}.txt"))
            .collect();
        let covered = paths.iter().map(String::as_str);
        let covered: Vec<&str> = covered
            .filter(|path| {
                digits.contains(&Site::digest(HashAlgorithm::Sha256, path.as_bytes())[..1])
            })
            .collect();
        assert!(!covered.is_empty());
        let role = site.list(site.role(), &covered);
        site.publish(name, role, &[&signer]);
        let digits = digits.chars().map(String::from).collect();
        targets = site.delegate(
            targets,
            name,
            DelegatedPaths::HashPrefixes(digits),
            &signer,
            true,
        );
    }
    site.finish(&keys, targets);
}

fn bins(site: &mut Site) {
    let keys = Keys::new(Scheme::Ed25519);
    let signer = key(Scheme::Ed25519);
    site.roots(&[&keys]);
    for bin in 0..4_u8 {
        let paths: Vec<String> = (0..8)
            .map(|number| format!("package-{number}.txt"))
            .collect();
        let first = |path: &&str| {
            let digest = Site::digest(HashAlgorithm::Sha256, path.as_bytes());
            u8::from_str_radix(&digest[..2], 16).unwrap() >> 6 == bin
        };
        let covered: Vec<&str> = paths.iter().map(String::as_str).filter(first).collect();
        let role = site.list(site.role(), &covered);
        site.publish(&format!("bin-{bin}"), role, &[&signer]);
    }
    let bins = DelegatedPaths::Bins { bit_length: 2 };
    let targets = site.delegate(site.role(), "bin", bins, &signer, true);
    site.finish(&keys, targets);
}

fn nested(site: &mut Site) {
    let keys = Keys::new(Scheme::Ed25519);
    let signers = [(); 3].map(|()| key(Scheme::Ed25519));
    site.roots(&[&keys]);
    let roles = [
        ("team", "a-*", "a-x.txt"),
        ("group", "a-b-*", "a-b-x.txt"),
        ("person", "a-b-c-*", "a-b-c-x.txt"),
    ];
    let mut inner = None;
    for ((name, _, path), signer) in roles.into_iter().zip(&signers).rev() {
        let mut role = site.list(site.role(), &[path]);
        if let Some((name, signer)) = inner {
            role = site.delegate(
                role,
                name,
                patterns(&["a-*", "a-b-*", "a-b-c-*"]),
                signer,
                false,
            );
        }
        site.publish(name, role, &[signer]);
        inner = Some((name, signer));
    }
    let targets = site.list(site.role(), &["app.txt"]);
    let everything: Vec<&str> = roles.iter().map(|(_, pattern, _)| *pattern).collect();
    let targets = site.delegate(targets, "team", patterns(&everything), &signers[0], false);
    site.finish(&keys, targets);
}

/// `first` comes first and goes on; `closed` ends the search; `later` lists what both of them cover.
fn terminating(site: &mut Site) {
    let keys = Keys::new(Scheme::Ed25519);
    let signers = [(); 3].map(|()| key(Scheme::Ed25519));
    site.roots(&[&keys]);
    let first = site.list(site.role(), &["open-first.txt"]);
    let closed = site.list(site.role(), &["closed-app.txt"]);
    // The same paths again with other contents, which nobody must get.
    let later = site.list_unreachable(site.role(), &["open-first.txt", "closed-app.txt"]);
    let later = site.list_unreachable(later, &["closed-behind.txt"]);
    let later = site.list(later, &["open-later.txt"]);
    let mut targets = site.role();
    let roles = [
        ("first", first, patterns(&["open-*"]), false),
        ("closed", closed, patterns(&["closed-*"]), true),
        ("later", later, patterns(&["open-*", "closed-*"]), true),
    ];
    for ((name, role, paths, terminating), signer) in roles.into_iter().zip(&signers) {
        site.publish(name, role, &[signer]);
        targets = site.delegate(targets, name, paths, signer, terminating);
    }
    site.finish(&keys, targets);
}

fn rotated_root(site: &mut Site) {
    let mut keys = Keys::new(Scheme::Ed25519);
    keys.root.push(key(Scheme::EcdsaP256Sha256));
    keys.threshold = 2;
    let mut second = keys.clone();
    second.root[0] = key(Scheme::Ed25519);
    let mut third = second.clone();
    third.root[1] = key(Scheme::Ed25519);
    third = third.with_new_online_keys();
    site.roots(&[&keys, &second, &third]);
    let targets = site.list(site.role(), &["app.txt"]);
    site.finish(&third, targets);
}

fn expired(site: &mut Site) -> Refused {
    let keys = Keys::new(Scheme::Ed25519);
    with_keys(site, &keys);
    let mut old = site.copied("expired");
    old.expires = now(-DAY);
    old.timestamp(&keys);
    Refused {
        what: "a timestamp that expired yesterday",
        site: "expired",
        names: vec!["app.txt".into()],
    }
}

fn replaced_key(site: &mut Site) -> Refused {
    let keys = Keys::new(Scheme::Ed25519);
    let next = keys.with_new_online_keys();
    site.roots(&[&keys, &next]);
    let targets = site.list(site.role(), &["app.txt"]);
    site.finish(&next, targets);
    let mut old = site.copied("replaced");
    old.expires = now(LATER);
    old.timestamp(&keys);
    Refused {
        what: "a timestamp by a key that the newest root has replaced",
        site: "replaced",
        names: vec!["app.txt".into()],
    }
}

/// Delegated roles, a target that was promoted from one channel to another, and a rotated root; all by the commands.
fn commands() -> Publication {
    let home = Home::with_repository();
    for key in ["sam", "ben-2"] {
        home.ok(&["key", "new", key, "--no-passphrase"]);
    }
    let acme = |arguments: &[&str]| home.ok(&[arguments, &["--repo", "acme"]].concat());
    acme(&[
        "delegate", "add", "team", "--paths", "team/*", "--keys", "sam",
    ]);
    home.write("team.txt", "tool of the team\n");
    acme(&[
        "target",
        "add",
        "team.txt",
        "--name",
        "team/tool.txt",
        "--as",
        "team",
    ]);
    for channel in ["beta", "stable"] {
        acme(&["channel", "new", channel, "--keys", "sam"]);
    }
    home.write("channel.txt", "application 2\n");
    acme(&[
        "target",
        "add",
        "channel.txt",
        "--channel",
        "beta",
        "--sha512",
    ]);
    acme(&[
        "channel",
        "promote",
        "channel.txt",
        "--from",
        "beta",
        "--to",
        "stable",
    ]);
    acme(&["key", "rotate", "ben", "--to", "ben-2"]);
    acme(&[
        "publish", "--key", "ana", "--key", "ben", "--key", "ben-2", "--key", "sam",
    ]);
    copy(&home.path("web"), &home.path("sites/good"));
    let targets = [
        ("app.txt", "application 1\n"),
        ("dir/tool.txt", "tool 1\n"),
        ("team/tool.txt", "tool of the team\n"),
        ("stable/channel.txt", "application 2\n"),
    ];
    let targets = targets.map(|(name, text)| (name.to_owned(), text.as_bytes().to_vec()));
    Publication::with_forgeries(home, targets.into(), Vec::new())
}
