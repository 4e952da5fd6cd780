//! Delegations: who may speak for what, and in which order they are asked.

use super::signatures::doubled;
use super::software::mallory;
use super::{Attack, Class, FORGED, Lab, Script, Site, attack};
use crate::{Delegated, Repository, TestKey, array, edit, insert, remove, text};

pub(super) fn attacks() -> Vec<Attack> {
    let attack =
        |id, what, advisories, play| attack(Class::WrongSoftware, id, what, advisories, play);
    vec![
        attack(
            "outside-paths",
            "a delegated role lists a target that it may not speak for",
            &[],
            |lab| one_delegation(lab, &["team/*"], "app2"),
        ),
        attack(
            "pattern-crosses-directories",
            "a delegation of `team/*` is used for team/deeper/tool",
            &["sigstore-rust #174"],
            |lab| one_delegation(lab, &["team/*"], "team/deeper/tool"),
        ),
        attack(
            "prefixes-match-everything",
            "a delegation of one hash prefix is used for another",
            &["php-tuf #344"],
            other_prefix,
        ),
        attack(
            "lower-priority",
            "a later delegation lists the same target",
            &["CVE-2024-47534"],
            |lab| first_wins(lab, ["first", "second"]),
        ),
        attack(
            "lower-priority-by-name",
            "the same, when the later one's name is the smaller one",
            &["CVE-2024-47534"],
            |lab| first_wins(lab, ["zz", "aa"]),
        ),
        attack(
            "after-terminating",
            "a delegation after a terminating one lists the target",
            &["CVE-2025-2886"],
            after_terminating,
        ),
        attack(
            "forged-delegated",
            "a delegated role signed with another key",
            &[],
            |lab| {
                let (script, mut honest) = with_team(lab);
                honest.add_target("team", "team/tool", FORGED);
                honest.document("team").signers = vec![mallory()];
                honest.publish();
                script.refuses_target(&honest, "team/tool", &["threshold.delegated"])
            },
        ),
        attack(
            "delegated-signature-twice",
            "a delegated role on which one of two keys has signed twice",
            &["CVE-2026-6966"],
            |lab| {
                let honest = lab.repository();
                let script = Script::of(&honest);
                let (one, other) = (TestKey::real("one"), TestKey::real("other"));
                let mut team = Delegated::signed_by("team", one.clone(), &["team/*"]);
                team.keys = vec![one.clone(), other];
                team.threshold = 2;
                let mut honest = honest;
                honest.delegate("targets", team);
                honest.document("team").expire(&lab.after(86400));
                honest.add_target("team", "team/tool", FORGED);
                honest.document("team").signers = vec![one.clone(), one];
                honest.publish();
                script.refuses_target(
                    &honest,
                    "team/tool",
                    &["threshold.delegated", "format.delegated"],
                )
            },
        ),
        attack(
            "keyid-listed-twice",
            "a delegation that names one key twice and wants two",
            &["CVE-2026-6966"],
            |lab| {
                let (script, mut honest) = with_team(lab);
                let team = TestKey::real("team");
                let entry = edit(&mut honest.targets.signed, &["delegations", "roles", "0"]);
                let doubled = doubled(&team, 2);
                for member in ["keyids", "threshold"] {
                    insert(
                        entry,
                        &[member],
                        doubled.get(member).expect("a member").clone(),
                    );
                }
                honest.add_target("team", "team/tool", FORGED);
                honest.document("team").signers = vec![team.clone(), team];
                honest.publish();
                script.refuses_target(
                    &honest,
                    "team/tool",
                    &["threshold.delegated", "format.targets", "format.delegated"],
                )
            },
        ),
        attack(
            "expired-delegated",
            "a delegated role that has expired",
            &["CVE-2026-6967"],
            |lab| {
                let (script, mut honest) = with_team(lab);
                honest.document("team").expire(&lab.after(-3600));
                honest.publish();
                script.refuses_target(&honest, "team/tool", &["expired.delegated"])
            },
        ),
        attack(
            "delegated-of-before",
            "a delegated role's file of before under its new name",
            &["CVE-2026-6967"],
            |lab| {
                let (script, mut honest) = with_team(lab);
                let old = honest.file("team").clone();
                honest.add_target("team", "team/tool", b"tool 2");
                honest.publish();
                let path = honest.current("team");
                let codes = &["hash.delegated", "length.delegated", "version.delegated"];
                script.refuses_target(Site::of(&honest).with(&path, old), "team/tool", codes)
            },
        ),
        attack(
            "diamond",
            "a role that two others delegate to with different keys, verified for one and used for the other",
            &["python-tuf #2978"],
            diamond,
        ),
        attack(
            "cycle",
            "two roles that delegate to each other",
            &["GHSA-j8x2-777p-23fc"],
            cycle,
        ),
        attack(
            "role-not-listed",
            "a delegated role that snapshot does not list",
            &["CVE-2026-6967"],
            |lab| {
                let (script, mut honest) = with_team(lab);
                let mut fresh = lab.repository();
                std::mem::swap(&mut fresh.snapshot, &mut honest.snapshot);
                honest.snapshot.set_version(2);
                honest.unlisted.insert("team".to_owned());
                honest.targets.set_version(2);
                honest.timestamp.set_version(2);
                honest.write();
                let anchor_only = Script {
                    stages: Vec::new(),
                    ..script
                };
                anchor_only.refuses_target(
                    &honest,
                    "team/tool",
                    &["missing.entry", "missing.delegated", "target.not-found"],
                )
            },
        ),
    ]
}

/// Delegates to a role with a key of its own name.
fn delegate(lab: &Lab, repository: &mut Repository, from: &str, role: &str, paths: &[&str]) {
    repository.delegate(from, Delegated::signed_by(role, TestKey::real(role), paths));
    repository.document(role).expire(&lab.after(86400));
}

/// A repository with a team that has published a tool.
fn with_team(lab: &Lab) -> (Script, Repository) {
    let mut honest = lab.repository();
    delegate(lab, &mut honest, "targets", "team", &["team/*"]);
    honest.add_target("team", "team/tool", b"tool 1");
    honest.write();
    let script = Script::of(&honest).accepts(&honest, b"app 1");
    (script, honest)
}

/// A team that may speak for these paths lists another one.
fn one_delegation(lab: &Lab, paths: &[&str], target: &str) -> Script {
    let mut honest = lab.repository();
    let script = Script::of(&honest);
    delegate(lab, &mut honest, "targets", "team", paths);
    honest.add_target("team", target, FORGED);
    honest.publish();
    script
        .accepts(&honest, b"app 1")
        .refuses_target(&honest, target, &["target.not-found"])
}

fn other_prefix(lab: &Lab) -> Script {
    let mut honest = lab.repository();
    let script = Script::of(&honest);
    delegate(lab, &mut honest, "targets", "team", &[]);
    let entry = edit(&mut honest.targets.signed, &["delegations", "roles", "0"]);
    remove(entry, &["paths"]);
    // The hash of team/tool begins otherwise.
    let prefix = match crate::sha256(b"team/tool").to_hex().as_bytes().first() {
        Some(b'0') => "1",
        _ => "0",
    };
    insert(entry, &["path_hash_prefixes"], array([text(prefix)]));
    honest.add_target("team", "team/tool", FORGED);
    honest.publish();
    script
        .accepts(&honest, b"app 1")
        .refuses_target(&honest, "team/tool", &["target.not-found"])
}

fn first_wins(lab: &Lab, [first, second]: [&str; 2]) -> Script {
    let mut honest = lab.repository();
    let script = Script::of(&honest);
    for role in [first, second] {
        delegate(lab, &mut honest, "targets", role, &["team/*"]);
    }
    honest.add_target(second, "team/tool", FORGED);
    honest.add_target(first, "team/tool", b"tool 1");
    honest.publish();
    script.accepts_target(&honest, "team/tool", b"tool 1")
}

fn after_terminating(lab: &Lab) -> Script {
    let mut honest = lab.repository();
    let script = Script::of(&honest);
    let first = Delegated::signed_by("first", TestKey::real("first"), &["team/*"]);
    honest.delegate("targets", first.terminating());
    honest.document("first").expire(&lab.after(86400));
    delegate(lab, &mut honest, "targets", "second", &["team/*"]);
    honest.add_target("second", "team/tool", FORGED);
    honest.publish();
    script
        .accepts(&honest, b"app 1")
        .refuses_target(&honest, "team/tool", &["target.not-found"])
}

/// `left` and `right` both delegate to `shared`, each with a key of its own; the file is signed for `left` alone.
fn diamond(lab: &Lab) -> Script {
    let mut honest = lab.repository();
    let script = Script::of(&honest);
    delegate(lab, &mut honest, "targets", "left", &["team/l*"]);
    delegate(lab, &mut honest, "targets", "right", &["team/*"]);
    let (of_left, of_right) = (TestKey::real("of-left"), TestKey::real("of-right"));
    honest.delegate(
        "left",
        Delegated::signed_by("shared", of_left, &["team/l*"]),
    );
    honest.delegate(
        "right",
        Delegated::signed_by("shared", of_right, &["team/*"]),
    );
    honest.document("shared").expire(&lab.after(86400));
    // Left's key alone has signed it: what it says of right's paths is nothing.
    honest.add_target("shared", "team/tool", FORGED);
    honest.add_target("shared", "team/lamp", b"lamp 1");
    honest.publish();
    script
        .accepts_target(&honest, "team/lamp", b"lamp 1")
        .refuses_target(&honest, "team/tool", &["threshold.delegated"])
}

fn cycle(lab: &Lab) -> Script {
    let mut honest = lab.repository();
    let script = Script::of(&honest);
    delegate(lab, &mut honest, "targets", "one", &["team/*"]);
    delegate(lab, &mut honest, "one", "other", &["team/*"]);
    honest.delegate(
        "other",
        Delegated::signed_by("one", TestKey::real("one"), &["team/*"]),
    );
    honest.publish();
    script
        .accepts(&honest, b"app 1")
        .refuses_target(&honest, "team/tool", &["target.not-found"])
}
