//! What the environment of the process says. Each test runs the binary again in an environment of its own.

use std::process::Command;

use tuffet_client::http::{BlockingHttp, HttpOptions, HttpOptionsError};

use super::server::{Server, answer};
use super::tls::{Authority, secure};
use super::transports::{transports, transports_as_they_are};

/// Which part `in_a_chosen_environment` plays.
const PART: &str = "TUFFET_TEST_ENVIRONMENT";

/// Runs `in_a_chosen_environment` in a process whose environment has only the given proxy variables.
fn run_with_environment(part: &str, variables: &[(&str, &str)]) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    for name in ["http_proxy", "https_proxy", "all_proxy", "no_proxy"] {
        command
            .env_remove(name)
            .env_remove(name.to_ascii_uppercase());
    }
    command
        .env_remove("REQUEST_METHOD")
        .env(PART, part)
        .envs(variables.iter().copied());
    let test = "http::environment::in_a_chosen_environment";
    let output = command.args(["--exact", test]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && said.contains("1 passed"),
        "{variables:?}: {said}"
    );
}

#[test]
fn the_environment_chooses_the_proxy() {
    let proxy = Server::answering(answer(200, "", b"by proxy"));
    let url = proxy.url("");
    for variable in ["HTTP_PROXY", "http_proxy", "ALL_PROXY"] {
        let before = proxy.asked().len();
        run_with_environment("proxy", &[(variable, &url)]);
        let asked = &proxy.asked()[before..];
        assert!(!asked.is_empty(), "{variable}");
        assert!(
            asked
                .iter()
                .all(|asked| asked.target == "http://repo.invalid/x"),
            "{asked:?}"
        );
    }
    let before = proxy.asked().len();
    run_with_environment(
        "direct",
        &[("HTTPS_PROXY", &url), ("NO_PROXY", "elsewhere.example")],
    );
    run_with_environment("direct", &[("HTTP_PROXY", &url), ("NO_PROXY", ".invalid")]);
    assert_eq!(proxy.asked().len(), before);
    run_with_environment("broken", &[("HTTPS_PROXY", "htps://proxy")]);
}

#[cfg(target_os = "linux")]
#[test]
fn a_machine_without_authorities_has_no_tls_but_plain_http() {
    run_with_environment(
        "no authorities",
        &[
            ("SSL_CERT_FILE", "/dev/null"),
            ("SSL_CERT_DIR", "/dev/null"),
        ],
    );
}

fn without_authorities() {
    let plain = Server::answering(answer(200, "", b"plain"));
    let config = Authority::new().server("127.0.0.1", 2099, &[]);
    let secure = secure(config, |_, socket| {
        socket.write_all(&answer(200, "", b"secure")).is_ok()
    });
    for (name, http) in transports(&HttpOptions::new()) {
        assert_eq!(http.get(&plain.url("/x")).bytes(), b"plain", "{name}");
        let got = http.get(&secure.url("/x").replace("http://", "https://"));
        assert_eq!(got.word(), "fatal network.tls", "{name}");
        assert!(
            got.error().detail.contains("CA certificates"),
            "{name}: {got:?}"
        );
    }
}

#[test]
fn in_a_chosen_environment() {
    let word = match std::env::var(PART).as_deref() {
        Ok("proxy") => "found",
        Ok("direct") => "retryable network.connect",
        Ok("no authorities") => return without_authorities(),
        Ok(_) => {
            let error = BlockingHttp::new(HttpOptions::new()).err();
            let place = "HTTPS_PROXY".to_owned();
            return assert_eq!(error, Some(HttpOptionsError::Proxy { place }));
        }
        Err(_) => return println!("skipped: plays a part in the other tests of this file"),
    };
    for (name, http) in transports_as_they_are(&HttpOptions::new()) {
        assert_eq!(http.get("http://repo.invalid/x").word(), word, "{name}");
    }
}
