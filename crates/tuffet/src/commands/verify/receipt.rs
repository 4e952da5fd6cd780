//! What an audit found, for people and for machines.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tuffet_core::metadata::UnixTime;

use crate::audit::{KEPT, Options, Report, RoleLine};
use crate::moment;
use crate::text::{self, columns, short, visible};

/// How many roles of one delegator are shown one by one.
const SHOWN: usize = 40;

/// How many findings of one code are shown one by one.
const EACH: u64 = 20;

/// The receipt for people.
pub(super) fn text(report: &Report, place: &str, options: &Options) -> String {
    let now = options.now;
    let mut lines = vec![
        format!(
            "repository  {}",
            visible(&tuffet_client::without_secrets(place))
        ),
        format!("as of       {}", moment::absolute(now)),
    ];
    if let Some(anchor) = &report.anchor {
        let whose = if anchor.given {
            "given by you"
        } else {
            "of the repository itself: nobody vouched for it"
        };
        lines.push(format!("anchor      root v{}, {whose}", anchor.version));
        let groups = text::grouped(&anchor.sha256);
        let (first, second) = groups.split_at(groups.len() / 2);
        lines.push(format!("fingerprint {}", first.trim()));
        lines.push(format!("            {}", second.trim()));
    }
    roles(&mut lines, report, now);
    lines.push(String::new());
    lines.push(targets(report, options));
    if !report.findings.is_empty() {
        lines.push(String::new());
        lines.push(text::count(report.found.values().sum(), "finding"));
        let mut shown: BTreeMap<&str, u64> = BTreeMap::new();
        for finding in &report.findings {
            let shown = shown.entry(finding.code).or_default();
            *shown += 1;
            if *shown > EACH {
                continue;
            }
            let what = visible(&finding.what);
            lines.push(format!(
                "  {}",
                text::wrap(&format!("{}: {what}", finding.code), text::WIDTH, 4)
            ));
        }
    }
    for (code, found) in &report.found {
        if *found > EACH {
            let which = if *found > KEPT {
                format!("the first {KEPT} are in --json")
            } else {
                "see --json".to_owned()
            };
            lines.push(format!("  … and {} more of {code}: {which}", found - EACH));
        }
    }
    lines.push(String::new());
    lines.push(format!("verdict     {}", verdict(report)));
    lines.join("\n")
}

fn roles(lines: &mut Vec<String>, report: &Report, now: UnixTime) {
    if report.roles.is_empty() {
        return;
    }
    let mut rows: Vec<Vec<String>> = vec![
        ["role", "version", "signed", "by", "expires"]
            .map(str::to_owned)
            .to_vec(),
    ];
    rows.extend(report.roles.iter().take(SHOWN).map(|role| row(role, now)));
    lines.push(String::new());
    lines.extend(columns(&rows));
    let more = report.roles.len().saturating_sub(SHOWN);
    if more > 0 {
        lines.push(format!("… and {} more", text::count(more as u64, "role")));
    }
}

fn row(role: &RoleLine, now: UnixTime) -> Vec<String> {
    let signers: Vec<String> = role
        .signed_by
        .iter()
        .take(4)
        .map(|keyid| short(keyid))
        .collect();
    vec![
        visible(&role.name),
        role.version.to_string(),
        format!("{} of {}", role.have, role.need),
        signers.join(" "),
        moment::relative(role.expires, now),
    ]
}

fn targets(report: &Report, options: &Options) -> String {
    if !options.targets {
        return format!("targets     {} listed, not looked at", report.listed);
    }
    format!(
        "targets     {} listed, {} checked, {}",
        report.listed,
        report.checked,
        text::size(report.checked_bytes)
    )
}

fn verdict(report: &Report) -> &'static str {
    match report.verdict() {
        "verified" => "verified",
        "consistent" => {
            "consistent in itself, which anybody's repository can be: give the root\n            that you trust with --root FILE"
        }
        "stale" => "STALE: something has expired",
        "incomplete" => "INCOMPLETE: something could not be read",
        "untrusted" => "NOT TRUSTWORTHY",
        _ => "with findings",
    }
}

/// The receipt for machines.
pub(super) fn object(report: &Report, place: &str, now: UnixTime) -> Value {
    let roles: Vec<Value> = report
        .roles
        .iter()
        .map(|role| {
            json!({
                "name": role.name,
                "delegator": role.delegator,
                "version": role.version,
                "signed_by": role.signed_by,
                "threshold": role.need,
                "expires": role.expires.to_string(),
            })
        })
        .collect();
    let findings: Vec<Value> = report
        .findings
        .iter()
        .map(|finding| json!({"code": finding.code, "exit": finding.exit.number(), "what": finding.what}))
        .collect();
    json!({
        "repository": tuffet_client::without_secrets(place),
        "as_of": now.to_string(),
        "verdict": report.verdict(),
        "exit": report.exit().number(),
        "anchor": report.anchor.as_ref().map(|anchor| json!({
            "version": anchor.version,
            "sha256": anchor.sha256,
            "given": anchor.given,
        })),
        "roles": roles,
        "targets": {
            "listed": report.listed,
            "checked": report.checked,
            "bytes": report.checked_bytes,
        },
        "findings": findings,
        "found": report.found,
    })
}
