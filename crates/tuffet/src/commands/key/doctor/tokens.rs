//! PKCS#11 libraries and the tokens that they know.

use std::path::PathBuf;

use super::Report;
use crate::run::App;

#[cfg(not(feature = "pkcs11"))]
pub(super) fn look(report: &mut Report, _: &[PathBuf], _: Vec<PathBuf>, _: &App) {
    report.row("tokens", "-", "this build has no feature pkcs11");
}

/// Looks at the libraries that are named on the command line, by keys, or by the environment. What else is installed is only
/// named: to load a library is to run it.
#[cfg(feature = "pkcs11")]
pub(super) fn look(report: &mut Report, given: &[PathBuf], of_keys: Vec<PathBuf>, app: &App) {
    use crate::failure::Failure;
    use serde_json::json;

    let mut modules: Vec<PathBuf> = given.to_vec();
    modules.extend(of_keys);
    modules.extend(tuffet_sign::token::default_module());
    let mut seen: Vec<PathBuf> = Vec::new();
    for module in modules {
        if seen.contains(&module) {
            continue;
        }
        let name = module.display().to_string();
        match tuffet_sign::token::tokens(&module) {
            Err(error) => {
                report.row("library", &name, "of no use");
                report.refused("doctor.library", &Failure::from(&error));
                report.fact("libraries", json!({"path": name, "used": false}));
            }
            Ok(tokens) => {
                let state = crate::text::count(tokens.len() as u64, "token");
                report.row("library", &name, &state);
                report.fact("libraries", json!({"path": name, "used": true}));
                for token in &tokens {
                    inspect::token(report, token, app.now);
                }
            }
        }
        seen.push(module);
    }
    for module in inspect::installed() {
        if !seen.contains(&module) {
            let name = module.display().to_string();
            report.row("library", &name, "installed; ask it with --module");
            report.fact("libraries", json!({"path": name, "used": null}));
        }
    }
}

#[cfg(feature = "pkcs11")]
mod inspect {
    use std::path::{Path, PathBuf};

    use serde_json::json;
    use tuffet_core::metadata::UnixTime;
    use tuffet_sign::token::{PinState, TokenReport};

    use super::super::{Report, clock};

    /// Says what a token says, and finds what is wrong with it.
    pub(super) fn token(report: &mut Report, token: &TokenReport, now: UnixTime) {
        let name = match token.label.as_str() {
            "" => "(no label)",
            label => label,
        };
        if !token.initialized {
            report.row("token", name, "not set up");
            return;
        }
        let pin = pin(token);
        let model = format!("{} {}", token.manufacturer, token.model);
        report.row("token", name, &format!("{}; {pin}", model.trim()));
        find_pin(report, name, token);
        if let Some(time) = token.clock.as_deref().and_then(UnixTime::parse) {
            clock::compare(report, &format!("token {name}"), time, now);
        }
        let mut keys = Vec::new();
        for key in &token.keys {
            let scheme = key.scheme().map(|scheme| scheme.name());
            let each_time = match key.pin_each_time {
                Some(true) => ", PIN for every signature",
                _ => "",
            };
            let shown = scheme.unwrap_or("signs no metadata");
            report.row(
                "key",
                &format!("{name}: {}", key.label),
                &format!("id {}  {shown}{each_time}", key.id),
            );
            keys.push(json!({
                "label": key.label,
                "id": key.id,
                "scheme": scheme,
                "pin_each_time": key.pin_each_time,
            }));
        }
        report.fact(
            "tokens",
            json!({
                "label": token.label,
                "manufacturer": token.manufacturer,
                "model": token.model,
                "serial": token.serial,
                "pin": pin,
                "clock": token.clock,
                "keys": keys,
            }),
        );
    }

    fn pin(token: &TokenReport) -> &'static str {
        match token.pin {
            _ if !token.wants_pin => "wants no PIN",
            PinState::Good if token.own_keypad => "PIN is typed on the token",
            PinState::Good => "PIN is in order",
            PinState::Low => "a wrong PIN was given last",
            PinState::LastTry => "one try left for the PIN",
            PinState::Locked => "PIN is locked",
            _ => "PIN is not set",
        }
    }

    fn find_pin(report: &mut Report, name: &str, token: &TokenReport) {
        let what = match token.pin {
            _ if !token.wants_pin => return,
            PinState::Good if token.pin_to_be_changed => "wants its PIN to be changed",
            PinState::Good => return,
            PinState::Low => "was given a wrong PIN last; only a few tries are left",
            PinState::LastTry => "locks itself with the next wrong PIN",
            PinState::Locked => "is locked",
            _ => "has no PIN yet",
        };
        report.find("doctor.pin", format!("token {name} {what}"));
    }

    /// Where distributions put the libraries of cards, TPMs and SoftHSM.
    pub(super) fn installed() -> Vec<PathBuf> {
        const DIRECTORIES: [&str; 8] = [
            "/usr/lib/x86_64-linux-gnu",
            "/usr/lib/aarch64-linux-gnu",
            "/usr/lib64",
            "/usr/lib64/pkcs11",
            "/usr/lib",
            "/usr/lib/softhsm",
            "/usr/local/lib",
            "/opt/homebrew/lib",
        ];
        const NAMES: [&str; 8] = [
            "opensc-pkcs11.so",
            "libykcs11.so",
            "libsofthsm2.so",
            "libtpm2_pkcs11.so.1",
            "p11-kit-proxy.so",
            "pkcs11/opensc-pkcs11.so",
            "libykcs11.dylib",
            "softhsm/libsofthsm2.so",
        ];
        let paths = DIRECTORIES
            .iter()
            .flat_map(|directory| NAMES.map(|name| Path::new(directory).join(name)));
        let mut found: Vec<PathBuf> = Vec::new();
        for path in paths.filter(|path| path.is_file()) {
            // Distributions link one name to another.
            let real = path.canonicalize().unwrap_or_else(|_| path.clone());
            let same = |other: &PathBuf| other.canonicalize().is_ok_and(|other| other == real);
            if !found.iter().any(same) {
                found.push(path);
            }
        }
        found
    }
}
