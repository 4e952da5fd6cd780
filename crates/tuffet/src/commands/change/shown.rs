//! What people see before they sign.

use tuffet_repo::{Change, Plan, Session};
use tuffet_sign::Signer;

use super::{View, lines};
use crate::failure::Failure;
use crate::keyring::{self, SigningKey};
use crate::progress::Progress;
use crate::run::App;

/// Shows every difference of what the keys are about to sign, asks on a terminal, and has them sign that and nothing else.
///
/// # Errors
/// `usage.declined`, and what keeps the change from being read or signed.
pub(in crate::commands) fn sign(
    session: &mut Session<'_>,
    keys: &[SigningKey],
    unasked: bool,
    app: &App,
) -> Result<(Change, Plan), Failure> {
    let signers = keyring::signers(keys);
    let shown = before_signing(session, &signers, unasked, app)?;
    let progress = Progress::new(&app.console);
    let hashed = |read, total| progress.at("Hashing", read, Some(total));
    let plan = session.sign_shown(&shown, &signers, &hashed);
    progress.clear();
    Ok((shown, plan.map_err(|error| keyring::refused(error, keys))?))
}

fn before_signing(
    session: &mut Session<'_>,
    signers: &[&dyn Signer],
    unasked: bool,
    app: &App,
) -> Result<Change, Failure> {
    let shown = session.to_sign(signers);
    let shown = shown.map_err(|error| Failure::from(&error))?;
    if !shown.drafts.is_empty() {
        show(&shown, unasked, app)?;
    }
    Ok(shown)
}

/// Shows every difference of a change, and asks on a terminal whether it is to be signed.
///
/// # Errors
/// `usage.declined`.
pub(in crate::commands) fn show(shown: &Change, unasked: bool, app: &App) -> Result<(), Failure> {
    let asks = !unasked && app.console.is_interactive();
    app.console
        .show(asks, || lines(shown, View::Whole, app).join("\n"));
    if asks {
        app.console.confirm("sign this?", "--yes")?;
    }
    Ok(())
}
