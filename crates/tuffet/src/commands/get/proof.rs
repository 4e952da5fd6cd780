//! The proof of a target, for people and for machines.

use serde_json::{Value, json};
use tuffet_core::trust::{Proof, ProofStep};

use crate::moment;
use crate::text::{self, columns, short, visible};

/// The proof as a table: one line for each role between root and the target.
pub(super) fn text(repository: &str, proof: &Proof) -> String {
    let mut lines = vec![format!(
        "{repository}:{}  {}",
        visible(proof.path.as_str()),
        text::size(proof.target.length)
    )];
    for digest in proof.target.hashes.digests() {
        lines.push(format!("  {} {}", digest.algorithm(), digest.to_hex()));
    }
    let rows: Vec<Vec<String>> = proof.steps.iter().map(|step| row(step, proof)).collect();
    lines.extend(columns(&rows).into_iter().map(|line| format!("  {line}")));
    lines.push(format!(
        "  checked as of {}",
        moment::absolute(proof.started)
    ));
    lines.join("\n")
}

fn row(step: &ProofStep, proof: &Proof) -> Vec<String> {
    let quorum = &step.quorum;
    let signers: Vec<String> = quorum
        .counted
        .iter()
        .map(|key| short(key.keyid.as_str()))
        .collect();
    let mut how = Vec::new();
    if let Some(matched) = &step.matched {
        how.push(format!("by {}", visible(matched)));
    }
    if step.terminating {
        how.push("terminating".to_owned());
    }
    vec![
        visible(step.role.as_str()),
        format!("v{}", step.version),
        format!("{} of {}", quorum.have(), quorum.need),
        signers.join(" "),
        format!("expires {}", moment::relative(step.expires, proof.started)),
        how.join(", "),
    ]
}

/// The proof as data.
pub(super) fn object(proof: &Proof) -> Value {
    let steps: Vec<Value> = proof.steps.iter().map(step).collect();
    json!({"checked_at": proof.started.to_string(), "steps": steps})
}

fn step(step: &ProofStep) -> Value {
    let counted: Vec<Value> = step
        .quorum
        .counted
        .iter()
        .map(|key| json!({"keyid": key.keyid.as_str(), "scheme": key.scheme.name()}))
        .collect();
    let uncounted: Vec<String> = step
        .quorum
        .uncounted
        .iter()
        .map(ToString::to_string)
        .collect();
    json!({
        "role": step.role.as_str(),
        "version": step.version.number(),
        "expires": step.expires.to_string(),
        "signers": step.quorum.signers.to_string(),
        "threshold": step.quorum.need,
        "counted": counted,
        "uncounted": uncounted,
        "matched": step.matched,
        "terminating": step.terminating,
    })
}
