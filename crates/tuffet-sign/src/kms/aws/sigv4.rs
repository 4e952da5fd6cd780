//! Signature Version 4 of AWS.

use aws_lc_rs::hmac::{self, HMAC_SHA256};
use tuffet_core::crypto::{HashAlgorithm, hex};
use tuffet_core::metadata::UnixTime;

use super::super::http::Method;
use super::super::secret::Secret;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// What signs requests.
#[derive(Debug)]
pub(crate) struct AwsCredentials {
    pub(crate) id: String,
    pub(crate) secret: Secret,
    pub(crate) token: Option<Secret>,
}

/// What a signature is good for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scope<'a> {
    pub(super) region: &'a str,
    pub(super) service: &'a str,
    pub(super) time: UnixTime,
}

/// The request as far as it is signed. Header names are in lower case and sorted.
pub(super) struct Signed<'a> {
    pub(super) method: Method,
    pub(super) path: &'a str,
    pub(super) query: &'a str,
    pub(super) headers: &'a [(&'a str, &'a str)],
    pub(super) body: &'a [u8],
}

impl Scope<'_> {
    /// `YYYYMMDDTHHMMSSZ`, the value of the header `x-amz-date`.
    pub(super) fn date_time(&self) -> String {
        self.time.to_string().replace(['-', ':'], "")
    }

    fn date(&self) -> String {
        self.date_time().chars().take(8).collect()
    }

    fn path(&self) -> String {
        let (date, region, service) = (self.date(), self.region, self.service);
        format!("{date}/{region}/{service}/aws4_request")
    }

    fn key(&self, secret: &Secret) -> hmac::Key {
        let first = Secret::new(format!("AWS4{}", secret.expose()));
        let mut key = hmac::Key::new(HMAC_SHA256, first.expose().as_bytes());
        let date = self.date();
        for part in [&date, self.region, self.service, "aws4_request"] {
            key = hmac::Key::new(HMAC_SHA256, hmac::sign(&key, part.as_bytes()).as_ref());
        }
        key
    }

    /// The value of the header `authorization`.
    pub(super) fn authorization(
        &self,
        credentials: &AwsCredentials,
        signed: &Signed<'_>,
    ) -> String {
        let canonical = signed.canonical();
        let to_sign = format!(
            "{ALGORITHM}\n{}\n{}\n{}",
            self.date_time(),
            self.path(),
            sha256(canonical.as_bytes())
        );
        let signature = hmac::sign(&self.key(&credentials.secret), to_sign.as_bytes());
        format!(
            "{ALGORITHM} Credential={}/{}, SignedHeaders={}, Signature={}",
            credentials.id,
            self.path(),
            signed.header_names(),
            hex::encode(signature.as_ref())
        )
    }
}

impl Signed<'_> {
    fn header_names(&self) -> String {
        let names: Vec<&str> = self.headers.iter().map(|(name, _)| *name).collect();
        names.join(";")
    }

    fn canonical(&self) -> String {
        let headers: String = self
            .headers
            .iter()
            .map(|(name, value)| format!("{name}:{}\n", value.trim()))
            .collect();
        format!(
            "{}\n{}\n{}\n{headers}\n{}\n{}",
            self.method.name(),
            self.path,
            self.query,
            self.header_names(),
            sha256(self.body)
        )
    }
}

fn sha256(bytes: &[u8]) -> String {
    tuffet_crypto::default_provider()
        .digest(HashAlgorithm::Sha256, bytes)
        .to_hex()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn credentials() -> AwsCredentials {
        AwsCredentials {
            id: "AKIDEXAMPLE".into(),
            secret: Secret::new("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".into()),
            token: None,
        }
    }

    fn scope(service: &str) -> Scope<'_> {
        Scope {
            region: "us-east-1",
            service,
            time: UnixTime::parse("2015-08-30T12:36:00Z").unwrap(),
        }
    }

    fn signature(service: &str, signed: &Signed<'_>) -> String {
        let authorization = scope(service).authorization(&credentials(), signed);
        authorization.rsplit_once('=').unwrap().1.to_owned()
    }

    /// The values that AWS publishes for its examples and its test suite.
    #[test]
    fn published_examples_have_the_published_signatures() {
        let plain = [
            ("host", "example.amazonaws.com"),
            ("x-amz-date", "20150830T123600Z"),
        ];
        let get = Signed {
            method: Method::Get,
            path: "/",
            query: "",
            headers: &plain,
            body: b"",
        };
        assert_eq!(
            signature("service", &get),
            "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"
        );
        let post = Signed {
            method: Method::Post,
            ..get
        };
        assert_eq!(
            scope("service").authorization(&credentials(), &post),
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, \
             SignedHeaders=host;x-amz-date, \
             Signature=5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"
        );
        let form = Signed {
            headers: &[
                ("content-type", "application/x-www-form-urlencoded"),
                plain[0],
                plain[1],
            ],
            body: b"Param1=value1",
            ..post
        };
        assert_eq!(
            signature("service", &form),
            "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"
        );
        let users = Signed {
            method: Method::Get,
            path: "/",
            query: "Action=ListUsers&Version=2010-05-08",
            headers: &[
                (
                    "content-type",
                    "application/x-www-form-urlencoded; charset=utf-8",
                ),
                ("host", "iam.amazonaws.com"),
                ("x-amz-date", "20150830T123600Z"),
            ],
            body: b"",
        };
        assert_eq!(
            signature("iam", &users),
            "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"
        );
    }

    #[test]
    fn the_signature_covers_everything() {
        let headers = [("host", "a"), ("x-amz-target", "b")];
        let base = || Signed {
            method: Method::Post,
            path: "/",
            query: "",
            headers: &headers,
            body: b"c",
        };
        let mut all = vec![
            signature("kms", &base()),
            signature("sts", &base()),
            signature(
                "kms",
                &Signed {
                    method: Method::Put,
                    ..base()
                },
            ),
            signature(
                "kms",
                &Signed {
                    path: "/x",
                    ..base()
                },
            ),
            signature(
                "kms",
                &Signed {
                    query: "x=",
                    ..base()
                },
            ),
            signature(
                "kms",
                &Signed {
                    body: b"d",
                    ..base()
                },
            ),
            signature(
                "kms",
                &Signed {
                    headers: &[("host", "a"), ("x-amz-target", "c")],
                    ..base()
                },
            ),
        ];
        all.sort();
        all.dedup();
        assert_eq!(all.len(), 7);
    }
}
