//! moto, an AWS of others for tests: what its KMS makes of our requests. It signs what is sent whole; what it does to digests is
//! not what AWS does, so nothing longer than 4096 bytes is sent to it.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use tuffet_core::crypto::Scheme;
use tuffet_sign::Signer;
use tuffet_sign::kms::{KmsSettings, KmsSigner};

struct Moto {
    child: Child,
    address: String,
}

impl Drop for Moto {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Moto {
    /// `None`, with the reason printed, if there is none on this machine.
    fn start() -> Option<Self> {
        // Where `cargo xtask` has put it, or else where it happens to be.
        let installed = std::env::var_os("TUFFET_PEERS")
            .map(|peers| Path::new(&peers).join("moto/bin/python"))
            .filter(|python| python.exists());
        let python = installed.unwrap_or_else(|| "python3".into());
        let started = Command::new(python)
            .args(["-m", "moto.server", "-H", "127.0.0.1", "-p", "0"])
            .env("PYTHONUNBUFFERED", "1")
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn();
        let mut child = match started {
            Ok(child) => child,
            Err(error) => {
                println!("skipped: python cannot be run: {error}");
                return None;
            }
        };
        // It says where it runs, or ends.
        let mut said = String::new();
        let mut lines = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        while lines.read_line(&mut line).is_ok_and(|length| length > 0) {
            if let Some((_, address)) = line.split_once("Running on http://") {
                let address = address.trim().to_owned();
                // It goes on talking, and must not be stopped by a full pipe.
                std::thread::spawn(move || std::io::copy(&mut lines, &mut std::io::sink()));
                return Some(Self { child, address });
            }
            said += &line;
            line.clear();
        }
        let _ = child.wait();
        let reason = said.lines().last().unwrap_or("it says nothing");
        println!("skipped: moto cannot be started: {reason}");
        None
    }

    fn call(&self, operation: &str, body: &Value) -> Value {
        let body = body.to_string();
        let mut socket = TcpStream::connect(&self.address).unwrap();
        write!(
            socket,
            "POST / HTTP/1.0\r\nhost: kms.us-east-1.amazonaws.com\r\nx-amz-target: TrentService.{operation}\r\n\
             authorization: AWS4-HMAC-SHA256 Credential=a/20260101/us-east-1/kms/aws4_request, SignedHeaders=host, Signature=a\r\n\
             content-type: application/x-amz-json-1.1\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.lines().next().unwrap().contains(" 200 "), "{answer}");
        serde_json::from_str(body).unwrap()
    }

    fn settings(&self) -> KmsSettings {
        let variables = BTreeMap::from([
            ("AWS_ACCESS_KEY_ID", "testing".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "testing".to_owned()),
            ("AWS_REGION", "us-east-1".to_owned()),
            ("AWS_ENDPOINT_URL", format!("http://{}", self.address)),
        ]);
        KmsSettings::from_variables(move |name| variables.get(name).cloned())
    }
}

#[test]
fn keys_of_moto_sign_with_every_scheme_they_have() {
    let Some(moto) = Moto::start() else { return };
    for (spec, schemes) in [
        ("ECC_NIST_P256", &["ecdsa-sha2-nistp256"][..]),
        ("ECC_NIST_P384", &["ecdsa-sha2-nistp384"]),
        ("ECC_NIST_P521", &["ecdsa-sha2-nistp521"]),
        (
            "RSA_2048",
            &[
                "rsassa-pss-sha256",
                "rsassa-pss-sha384",
                "rsassa-pss-sha512",
                "rsa-pkcs1v15-sha256",
                "rsa-pkcs1v15-sha384",
                "rsa-pkcs1v15-sha512",
            ],
        ),
    ] {
        let key = moto.call(
            "CreateKey",
            &json!({ "KeySpec": spec, "KeyUsage": "SIGN_VERIFY" }),
        );
        let arn = key["KeyMetadata"]["Arn"].as_str().unwrap();
        let id = key["KeyMetadata"]["KeyId"].as_str().unwrap();
        let alias = format!("alias/{}", spec.to_lowercase());
        moto.call(
            "CreateAlias",
            &json!({ "AliasName": alias, "TargetKeyId": id }),
        );
        for scheme in schemes {
            for key in [arn, id, &alias] {
                let uri = format!("awskms:{key}?scheme={scheme}").parse().unwrap();
                let signer = KmsSigner::open(&uri, &moto.settings()).unwrap();
                assert_eq!(Some(signer.public().scheme()), Scheme::from_name(scheme));
                signer.sign(&[b'm'; 4096]).unwrap();
            }
        }
    }
    let uri = "awskms:alias/absent".parse().unwrap();
    let error = KmsSigner::open(&uri, &moto.settings()).unwrap_err();
    assert_eq!(error.code(), "key.kms.refused", "{error}");
}
