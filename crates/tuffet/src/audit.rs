//! A whole repository, verified: every role that can be reached, every signature, every listed target.
//!
//! What is found does not end the audit; the gravest finding decides the verdict.

mod files;
mod source;

use std::collections::{BTreeMap, BTreeSet};

use tuffet_client::blocking::Updater;
use tuffet_core::metadata::{Role, RoleName, TargetPath, UnixTime, Version};
use tuffet_core::trust::{
    AuditedRole, Covered, Found, Limits, Policy, Quorum, Rejected, TrustedView, UncountedReason,
    Verified,
};
use tuffet_repo::Period;

pub(crate) use source::Place;

use crate::client;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::progress::Progress;
use crate::text;

/// What is asked of an audit.
pub(crate) struct Options {
    /// The root that the user trusts; without one, the repository's own first root is taken.
    pub(crate) root: Option<Vec<u8>>,
    /// Whether the bytes of targets are checked.
    pub(crate) targets: bool,
    /// Roles that expire within this time are findings.
    pub(crate) within: Option<Period>,
    /// The moment.
    pub(crate) now: UnixTime,
    /// How much is received.
    pub(crate) limits: Limits,
}

/// What came out.
pub(crate) struct Report {
    pub(crate) anchor: Option<Anchor>,
    /// Whether every step of the audit was made: without that nothing is called verified.
    pub(crate) complete: bool,
    pub(crate) roles: Vec<RoleLine>,
    pub(crate) listed: u64,
    pub(crate) checked: u64,
    pub(crate) checked_bytes: u64,
    pub(crate) findings: Vec<Finding>,
    /// How many findings of a code there are, those beyond the kept ones included.
    pub(crate) found: BTreeMap<&'static str, u64>,
}

/// How many findings of one code are kept; the others are counted. A hostile repository can have millions.
pub(crate) const KEPT: u64 = 1000;

/// How many characters of a finding or a name are kept, for the same reason.
const LONGEST: usize = 500;

/// The root that trust began with.
pub(crate) struct Anchor {
    pub(crate) version: u64,
    pub(crate) sha256: String,
    /// Whether the user gave it.
    pub(crate) given: bool,
}

/// A role that was verified.
pub(crate) struct RoleLine {
    pub(crate) name: String,
    pub(crate) delegator: Option<String>,
    pub(crate) version: u64,
    pub(crate) have: u64,
    pub(crate) need: u64,
    pub(crate) signed_by: Vec<String>,
    pub(crate) expires: UnixTime,
}

/// Something that is not as it should be.
pub(crate) struct Finding {
    pub(crate) code: &'static str,
    pub(crate) what: String,
    pub(crate) exit: Exit,
}

impl Report {
    /// How the command ends: the gravest finding decides. A repository that was compared with nothing but itself does not end
    /// well, so that no script takes it for one that was verified.
    pub(crate) fn exit(&self) -> Exit {
        match self.gravest() {
            None if self.is_anchored() && self.complete => Exit::Done,
            None => Exit::Findings,
            Some(exit) => exit,
        }
    }

    /// The verdict in one word.
    pub(crate) fn verdict(&self) -> &'static str {
        match self.gravest() {
            None if self.is_anchored() && self.complete => "verified",
            None => "consistent",
            Some(Exit::Stale) => "stale",
            Some(Exit::Network) => "incomplete",
            Some(Exit::Untrusted) => "untrusted",
            Some(_) => "findings",
        }
    }

    fn gravest(&self) -> Option<Exit> {
        let has = |exit| self.findings.iter().any(|finding| finding.exit == exit);
        [Exit::Untrusted, Exit::Network, Exit::Stale, Exit::Findings]
            .into_iter()
            .find(|exit| has(*exit))
    }

    /// Whether the user said which root is trusted.
    fn is_anchored(&self) -> bool {
        self.anchor.as_ref().is_some_and(|anchor| anchor.given)
    }
}

/// Audits a repository.
///
/// # Errors
/// Only what keeps the audit from beginning: no root, or a place that cannot be read.
pub(crate) fn run(
    place: &Place,
    options: &Options,
    progress: &Progress,
) -> Result<Report, Failure> {
    let mut policy = exhaustive();
    policy.limits = options.limits.clone();
    let root = match &options.root {
        Some(root) => root.clone(),
        None => place.first_root(options.limits.root)?,
    };
    let mut auditor = Auditor {
        place,
        options,
        policy: &policy,
        expected: BTreeSet::new(),
        newest: BTreeMap::new(),
        outside: BTreeMap::new(),
        report: Report {
            anchor: None,
            complete: false,
            roles: Vec::new(),
            listed: 0,
            checked: 0,
            checked_bytes: 0,
            findings: Vec::new(),
            found: BTreeMap::new(),
        },
    };
    if let Some((updater, view)) = auditor.refresh(&root)? {
        auditor.top_level(&view);
        auditor.delegated(&updater, &view, progress);
        progress.clear();
        auditor.targets_outside();
        auditor.unreachable_targets();
        auditor.unlisted_files();
        auditor.report.complete = true;
    }
    Ok(auditor.report)
}

fn exhaustive() -> Policy {
    let mut policy = Policy::default();
    policy.exhaustive_signatures = true;
    policy
}

struct Auditor<'a> {
    place: &'a Place,
    options: &'a Options,
    policy: &'a Policy,
    /// The files that have a reason to be there, relative to the two directories.
    expected: BTreeSet<String>,
    /// The last version of each role.
    newest: BTreeMap<String, u64>,
    /// Targets that no delegation looked at so far covers, by the role that lists them.
    outside: BTreeMap<RoleName, BTreeSet<TargetPath>>,
    report: Report,
}

impl Auditor<'_> {
    /// Follows the workflow of a client. Roles that have expired are findings, and the rest is verified as of a moment when
    /// they had not.
    ///
    /// Nothing is trusted for that: the view stays in this report, every role of it is compared with the real time again, and one
    /// that has expired keeps the verdict from being a good one.
    fn refresh(&mut self, root: &[u8]) -> Result<Option<(Updater, TrustedView)>, Failure> {
        let own = crate::trusted::verified_root(root, self.options.now);
        match own {
            Ok(root_file) => {
                self.report.anchor = Some(Anchor {
                    version: root_file.version().number(),
                    sha256: crate::trusted::fingerprint(root),
                    given: self.options.root.is_some(),
                });
            }
            Err(failure) => {
                self.add_failure(&failure);
                return Ok(None);
            }
        }
        let mut now = self.options.now;
        // Each round is before the expiry of one more role, and there are four; a server may answer differently each time.
        let mut rounds = 8;
        loop {
            match self.place.refresh(root, self.policy, now) {
                Ok(verified) => return Ok(Some(verified)),
                Err(error) => match client::expiry(&error) {
                    Some(expires) if rounds > 0 => now = UnixTime(expires.0.saturating_sub(1)),
                    _ => {
                        self.add_failure(&Failure::from(&*error));
                        return Ok(None);
                    }
                },
            }
            rounds -= 1;
        }
    }

    fn top_level(&mut self, view: &TrustedView) {
        self.role(view.root(), None);
        self.role(view.timestamp(), None);
        self.role(view.snapshot(), None);
        self.expect_metadata(&RoleName::Root, view.root().version());
        self.expect_metadata(&RoleName::Timestamp, view.timestamp().version());
        self.expect_metadata(&RoleName::Snapshot, view.snapshot().version());
    }

    fn delegated(&mut self, updater: &Updater, view: &TrustedView, progress: &Progress) {
        for (role, listed) in view.snapshot().roles() {
            self.expect_metadata(&role, listed.version);
        }
        let visited = updater.audit(|visited| match visited {
            Ok(role) => self.targets_role(&role, progress),
            Err(rejected) => self.add_rejected(&rejected),
        });
        if let Err(error) = visited {
            self.add_failure(&Failure::from(&error));
        }
    }

    fn targets_role(&mut self, audited: &AuditedRole, progress: &Progress) {
        self.role(audited.role(), audited.delegator());
        self.expect_metadata(audited.role().role(), audited.role().version());
        for unvisited in audited.unvisited() {
            self.add_rejected(unvisited);
        }
        let crypto = tuffet_crypto::default_provider();
        let first = !self.outside.contains_key(audited.role().role());
        let mut outside = self
            .outside
            .remove(audited.role().role())
            .unwrap_or_default();
        for (found, covered) in audited.targets(crypto) {
            self.report.listed += 1;
            let (path, role) = (&found.path, &found.role);
            match covered {
                Covered::Yes => drop(outside.remove(path)),
                // Another delegator may have covered it.
                Covered::No if !first => {}
                Covered::No => drop(outside.insert(path.clone())),
                Covered::Untried => {
                    let role = role.clone();
                    self.add_rejected(&Rejected::Unvisited { role });
                }
            }
            for path in found.url_paths() {
                self.expected
                    .insert(format!("targets/{}", files::decoded(&path)));
            }
            if self.options.targets {
                self.target(&found, progress);
            }
        }
        self.outside.insert(audited.role().role().clone(), outside);
    }

    /// Targets that no delegator of their role covers.
    fn targets_outside(&mut self) {
        for (role, paths) in std::mem::take(&mut self.outside) {
            for path in paths {
                let what = format!(
                    "{path} is listed by {role}, and no way of delegations to {role} covers it: no client finds it there"
                );
                self.add("target.outside", Exit::Findings, what);
            }
        }
    }

    fn target(&mut self, found: &Found, progress: &Progress) {
        match self.place.check_target(found) {
            Ok(true) => {
                self.report.checked += 1;
                self.report.checked_bytes += found.target.length;
                progress.at("Checking", self.report.checked_bytes, None);
            }
            Ok(false) => {
                let what = format!(
                    "{} is listed by {}, and its file is not there",
                    found.path, found.role
                );
                self.add("target.missing", Exit::Untrusted, what);
            }
            Err(failure) => self.add_failure(&failure),
        }
    }

    /// Of a place without any of the targets one finding says so: it may be another place, or all are withheld.
    fn unreachable_targets(&mut self) {
        const CODE: &str = "target.missing";
        let count = self.report.found.get(CODE).copied().unwrap_or_default();
        if count < 2 || count != self.report.listed {
            return;
        }
        self.report.findings.retain(|finding| finding.code != CODE);
        self.report.found.remove(CODE);
        let place = self.place.targets();
        let what = format!(
            "none of the {count} listed targets is below {place}; --targets-url says where else they are, --metadata-only leaves them out"
        );
        self.add(CODE, Exit::Untrusted, what);
    }

    /// Takes note of a verified role: who signed it, which signatures are wrong, and when it ends.
    fn role<R: Role>(&mut self, role: &Verified<R>, delegator: Option<&RoleName>) {
        let (name, version, expires) = (role.role().to_string(), role.version(), role.expires());
        let quorum = role.quorum();
        self.report.roles.push(RoleLine {
            name: text::shortened(&name, LONGEST),
            delegator: delegator.map(|by| text::shortened(by.as_str(), LONGEST)),
            version: version.number(),
            have: quorum.have(),
            need: quorum.need,
            signed_by: quorum
                .counted
                .iter()
                .map(|key| text::shortened(key.keyid.as_str(), LONGEST))
                .collect(),
            expires,
        });
        self.signatures(&name, quorum);
        let (now, within) = (self.options.now, self.options.within);
        let soon = within.map_or(now, |within| within.after(now));
        let when = crate::moment::both(expires, now);
        if expires <= now {
            let rejected = Rejected::Expired {
                role: role.role().clone(),
                version,
                expires,
                now,
            };
            self.add_rejected(&rejected);
        } else if expires <= soon {
            self.add(
                "expires.soon",
                Exit::Findings,
                format!("{name} v{version} expires {when}"),
            );
        }
    }

    fn signatures(&mut self, name: &str, quorum: &Quorum) {
        for uncounted in &quorum.uncounted {
            if uncounted.reason != UncountedReason::NotSigned {
                let what = format!("{name}: key {uncounted}");
                self.add("signature.uncounted", Exit::Findings, what);
            }
        }
    }

    fn expect_metadata(&mut self, role: &RoleName, version: Version) {
        self.newest.insert(role.to_string(), version.number());
    }

    fn unlisted_files(&mut self) {
        let Some(directory) = self.place.directory() else {
            return;
        };
        for file in files::unexpected(directory, &self.newest, &self.expected) {
            let what = format!("{} is vouched for by nobody", text::visible(&file));
            self.add("file.unlisted", Exit::Findings, what);
        }
    }

    fn add_rejected(&mut self, rejected: &Rejected) {
        self.add_failure(&Failure::from(rejected));
    }

    fn add_failure(&mut self, failure: &Failure) {
        let exit = match failure.exit() {
            exit @ (Exit::Untrusted | Exit::Stale | Exit::Network) => exit,
            // What is not there for a client is withheld from it.
            _ => Exit::Untrusted,
        };
        self.add(failure.code(), exit, failure.line());
    }

    fn add(&mut self, code: &'static str, exit: Exit, what: String) {
        let found = self.report.found.entry(code).or_default();
        *found += 1;
        if *found <= KEPT {
            let what = text::shortened(&what, LONGEST);
            self.report.findings.push(Finding { code, what, exit });
        }
    }
}
