//! A real server that speaks the protocol of Azure Blob Storage: Azurite, installed by `cargo xtask test`.

use std::process::Command;

use super::emulator::Emulator;
use super::{Store, ask};

const ACCOUNT: &str = "devstoreaccount1";
/// The key that every Azurite has; it is in its documentation.
const KEY: &str =
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";
/// The request that makes a container whose objects everybody may read, signed with that key once and for all: Azurite does not
/// look at the date.
const MAKE: [&str; 4] = [
    "x-ms-blob-public-access: blob",
    "x-ms-date: Thu, 01 Jan 2026 00:00:00 GMT",
    "x-ms-version: 2021-08-06",
    "authorization: SharedKey devstoreaccount1:OPOHUx/OTI6ehjnsWgTMphBiUi0sh0zeY7O7Sa4d9kQ=",
];

pub(crate) struct Azure(Emulator);

impl Azure {
    /// Starts it on a port of its own; without it the test is skipped, and says so.
    pub(crate) fn start() -> Option<Self> {
        let main = "azurite/node_modules/azurite/dist/src/blob/main.js";
        let main = Emulator::installed(main)?;
        let mut azurite = Command::new("node");
        azurite.arg(main);
        azurite.args(["--blobHost", "127.0.0.1", "--blobPort", "0", "--silent"]);
        azurite.args(["--inMemoryPersistence", "--disableTelemetry"]);
        let server = Emulator::start(&mut azurite, "listens on http://");
        let line = format!("PUT /{ACCOUNT}/acme?restype=container");
        let made = ask(&server.address, &line, &MAKE);
        assert!(made.starts_with("HTTP/1.1 201"), "{made}");
        Some(Self(server))
    }
}

impl Store for Azure {
    const SCHEME: &'static str = "az";

    fn settings(&self) -> Vec<(&'static str, String)> {
        let endpoint = format!("http://{}/{ACCOUNT}", self.0.address);
        vec![
            ("AZURE_STORAGE_ENDPOINT", endpoint),
            ("AZURE_ALLOW_HTTP", "true".to_owned()),
            ("AZURE_STORAGE_ACCOUNT_NAME", ACCOUNT.to_owned()),
            ("AZURE_STORAGE_ACCOUNT_KEY", KEY.to_owned()),
        ]
    }

    fn head_of(&self, path: &str) -> String {
        let line = format!("HEAD /{ACCOUNT}/{path}");
        ask(&self.0.address, &line, &["x-ms-version: 2021-08-06"])
    }
}
