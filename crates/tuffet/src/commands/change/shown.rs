//! What people see before they sign.

use tuffet_repo::{Change, Session};
use tuffet_sign::Signer;

use super::lines;
use crate::failure::Failure;
use crate::run::App;

/// Shows every difference of what the signers are about to sign, and asks on a terminal; what is returned is what has to be signed.
///
/// # Errors
/// `usage.declined`, and what keeps the change from being read.
pub(in crate::commands) fn before_signing(
    session: &mut Session<'_>,
    signers: &[&dyn Signer],
    unasked: bool,
    app: &App,
) -> Result<Change, Failure> {
    let shown = session.to_sign(signers);
    let shown = shown.map_err(|error| Failure::from(&error))?;
    if shown.drafts.is_empty() {
        return Ok(shown);
    }
    let asks = !unasked && app.console.is_interactive();
    app.console.show(asks, || lines(&shown, app).join("\n"));
    if asks {
        app.console.confirm("sign this?", "--yes")?;
    }
    Ok(shown)
}
