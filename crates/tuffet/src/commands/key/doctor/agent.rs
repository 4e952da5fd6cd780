//! The ssh-agent and its identities.

use super::Report;

#[cfg(not(unix))]
pub(super) fn look(_: &mut Report) {}

/// Looks at the agent that the environment names; none is no finding.
#[cfg(unix)]
pub(super) fn look(report: &mut Report) {
    use serde_json::json;

    use crate::failure::Failure;

    let Some(socket) = std::env::var_os("SSH_AUTH_SOCK").filter(|socket| !socket.is_empty()) else {
        report.row("agent", "-", "none: SSH_AUTH_SOCK is not set");
        return;
    };
    let socket = socket.to_string_lossy().into_owned();
    let identities = match tuffet_sign::agent::identities() {
        Ok(identities) => identities,
        Err(error) => {
            report.row("agent", &socket, "of no use");
            report.refused("doctor.agent", &Failure::from(&error));
            return;
        }
    };
    let state = crate::text::count(identities.len() as u64, "key");
    report.row("agent", &socket, &state);
    for identity in identities {
        let (comment, fingerprint) = (&identity.comment, identity.fingerprint().to_string());
        let scheme = identity.scheme().map(|scheme| scheme.name());
        report.row(
            "identity",
            comment,
            &format!("{fingerprint}  {}", scheme.unwrap_or("signs no metadata")),
        );
        report.fact(
            "identities",
            json!({"comment": comment, "fingerprint": fingerprint, "scheme": scheme}),
        );
    }
}
