//! The other side of Signature Version 4: whether a request as it arrived was signed by somebody who has the secret.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign};
use tuffet_core::crypto::hex;

use super::server::Asked;

pub(crate) fn is_authentic(
    asked: &Asked,
    id: &str,
    secret: &str,
    region: &str,
    service: &str,
) -> bool {
    let part = |name: &str| {
        let authorization = asked.header("authorization");
        let rest = authorization.strip_prefix("AWS4-HMAC-SHA256 ")?;
        rest.split(", ")
            .find_map(|part| part.strip_prefix(name)?.strip_prefix('='))
            .map(str::to_owned)
    };
    let (Some(credential), Some(names), Some(signature)) =
        (part("Credential"), part("SignedHeaders"), part("Signature"))
    else {
        return false;
    };
    let time = asked.header("x-amz-date");
    let day = &time[..8.min(time.len())];
    let scope = format!("{day}/{region}/{service}/aws4_request");
    let listed: Vec<&str> = names.split(';').collect();
    let mut sorted = listed.clone();
    sorted.sort_unstable();
    let must = ["host", "x-amz-date", "x-amz-target", "content-type"];
    let token = asked.header("x-amz-security-token");
    if credential != format!("{id}/{scope}")
        || time.len() != "20261127T230000Z".len()
        || listed != sorted
        || !must.iter().all(|name| listed.contains(name))
        || (!token.is_empty() && !listed.contains(&"x-amz-security-token"))
    {
        return false;
    }
    let mut canonical = format!("{}\n{}\n\n", asked.method, asked.target);
    for name in &listed {
        canonical += &format!("{name}:{}\n", asked.header(name));
    }
    let body = hex::encode(digest(&SHA256, &asked.body).as_ref());
    canonical += &format!("\n{names}\n{body}");
    let hashed = hex::encode(digest(&SHA256, canonical.as_bytes()).as_ref());
    let text = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{hashed}");
    let mut key = format!("AWS4{secret}").into_bytes();
    for part in scope.split('/') {
        key = mac(&key, part);
    }
    hex::encode(&mac(&key, &text)) == signature
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    sign(&Key::new(HMAC_SHA256, key), text.as_bytes())
        .as_ref()
        .to_vec()
}
