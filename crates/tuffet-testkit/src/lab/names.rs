//! Names that lead somewhere else.

use super::{Attack, Class, FORGED, Lab, Script, attack};
use crate::{Delegated, TestKey};

/// Three levels up is outside of everything that the client was given, and still inside of the laboratory.
const OUTSIDE: &str = "../../../outside";

pub(super) fn attacks() -> Vec<Attack> {
    let attack = |id, what, advisories, play| attack(Class::Traversal, id, what, advisories, play);
    let targets = &["CVE-2021-41149", "CVE-2026-6968", "CVE-2026-24137"];
    let roles = &["CVE-2021-41131", "CVE-2021-41150"];
    vec![
        attack(
            "target-upwards",
            "a target whose path leads upwards",
            targets,
            |lab| target(lab, OUTSIDE),
        ),
        attack(
            "target-upwards-inside",
            "a target whose path leads upwards from within",
            targets,
            |lab| target(lab, "a/../../../../outside"),
        ),
        attack(
            "target-absolute",
            "a target with an absolute path",
            targets,
            |lab| target(lab, &lab.outside),
        ),
        attack(
            "target-encoded",
            "a target whose path leads upwards once it is decoded",
            targets,
            |lab| target(lab, "%2e%2e/%2e%2e/%2e%2e/outside"),
        ),
        attack(
            "target-other-host",
            "a target whose path is an address",
            targets,
            |lab| target(lab, "https://tuffet.invalid/x"),
        ),
        attack(
            "role-upwards",
            "a delegated role whose name leads upwards",
            roles,
            |lab| role(lab, OUTSIDE),
        ),
        attack(
            "role-absolute",
            "a delegated role with an absolute path for a name",
            roles,
            |lab| role(lab, &lab.outside),
        ),
        attack(
            "role-like-root",
            "a delegated role that is named like a top-level file",
            roles,
            |lab| role(lab, "../metadata/root"),
        ),
    ]
}

/// Signed rightly: it is the publisher, or a thief of all keys, who wants to write elsewhere.
fn target(lab: &Lab, path: &str) -> Script {
    let mut honest = lab.repository();
    let script = Script::of(&honest);
    honest.add_target("targets", path, FORGED);
    honest.publish();
    script.harmless(&honest, path)
}

fn role(lab: &Lab, name: &str) -> Script {
    let mut honest = lab.repository();
    let script = Script::of(&honest);
    let delegated = Delegated::signed_by(name, TestKey::real("team"), &["team/*"]);
    honest.delegate("targets", delegated);
    honest.document(name).expire(&lab.after(86400));
    honest.add_target(name, "team/tool", b"tool 1");
    honest.publish();
    // Whatever became of the role, the rest of the repository can be had.
    script
        .harmless(&honest, "team/tool")
        .accepts(&honest, b"app 1")
}
