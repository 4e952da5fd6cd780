//! A real server that speaks the protocol of S3: moto, installed by `cargo xtask test`.

use std::process::Command;

use super::emulator::Emulator;
use super::{Store, ask};

/// Some credential has to be there; it is not looked at.
const CREDENTIAL: &str =
    "authorization: AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/s3/aws4_request";

pub(crate) struct S3(Emulator);

impl S3 {
    /// Starts it on a port of its own; without it the test is skipped, and says so.
    pub(crate) fn start() -> Option<Self> {
        let python = Emulator::installed("moto/bin/python")?;
        let mut moto = Command::new(python);
        moto.args(["-m", "moto.server", "-H", "127.0.0.1", "-p", "0"]);
        let server = Emulator::start(&mut moto, "Running on http://");
        let made = ask(&server.address, "PUT /acme", &[CREDENTIAL]);
        assert!(made.starts_with("HTTP/1.1 200"), "{made}");
        Some(Self(server))
    }
}

impl Store for S3 {
    const SCHEME: &'static str = "s3";

    fn settings(&self) -> Vec<(&'static str, String)> {
        vec![
            ("AWS_ENDPOINT_URL", format!("http://{}", self.0.address)),
            ("AWS_ALLOW_HTTP", "true".to_owned()),
            ("AWS_REGION", "us-east-1".to_owned()),
            ("AWS_ACCESS_KEY_ID", "test".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "test".to_owned()),
        ]
    }

    fn head_of(&self, path: &str) -> String {
        ask(&self.0.address, &format!("HEAD /{path}"), &[CREDENTIAL])
    }
}
