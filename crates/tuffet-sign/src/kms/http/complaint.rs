//! What a service says about a request that it does not carry out, made fit to be shown.

use serde_json::Value;

use super::super::secret::Secret;

/// The longest text that is shown, in characters.
const LONGEST: usize = 240;

/// The first line of what the service says. Nothing if it says back what was secret in the request: some services show the
/// request they received.
pub(super) fn of(body: &[u8], secrets: &[Secret]) -> String {
    let text = serde_json::from_slice(body)
        .ok()
        .and_then(|value| words(&value))
        .or_else(|| xml(body))
        .unwrap_or_default();
    let line = text.lines().next().unwrap_or_default().trim();
    if secrets.iter().any(|secret| repeats(line, secret.expose())) {
        return String::new();
    }
    let shown: String = line
        .chars()
        .flat_map(char::escape_debug)
        .take(LONGEST)
        .collect();
    // Quotes need no escape here.
    let shown = shown.replace("\\'", "'").replace("\\\"", "\"");
    shown.trim_end_matches('.').to_owned()
}

/// Whether the text has a part of the secret in it that is long enough to tell something.
fn repeats(text: &str, secret: &str) -> bool {
    const PART: usize = 12;
    if secret.is_empty() {
        return false;
    }
    let bytes = secret.as_bytes();
    let text = text.as_bytes();
    let contains = |part: &[u8]| text.windows(part.len()).any(|window| window == part);
    match bytes.len() {
        0..=PART => contains(bytes),
        _ => bytes.windows(PART).any(contains),
    }
}

/// The forms in which the services complain:
/// `{"error": {"code", "status", "message"}}`, `{"error", "error_description"}`, `{"__type", "message"}`, `{"errors": []}`,
/// `{"code", "message"}`.
fn words(value: &Value) -> Option<String> {
    let text = |value: &Value, names: &[&str]| {
        names
            .iter()
            .find_map(|name| value.get(*name)?.as_str().map(str::to_owned))
    };
    let (kind, message) = match value.get("error") {
        Some(error @ Value::Object(_)) => {
            (text(error, &["status", "code"]), text(error, &["message"]))
        }
        Some(Value::String(kind)) => (
            Some(kind.clone()),
            text(value, &["error_description", "message"]),
        ),
        _ => match value.get("errors") {
            Some(errors) => (
                None,
                errors.get(0).and_then(Value::as_str).map(str::to_owned),
            ),
            None => (
                // `com.amazonaws.kms#NotFoundException` in its long form.
                text(value, &["__type", "code", "Code"]).map(|kind| short(&kind).to_owned()),
                text(value, &["message", "Message"]),
            ),
        },
    };
    match (kind, message) {
        (Some(kind), Some(message)) => Some(format!("{kind}: {message}")),
        (one, other) => one.or(other),
    }
}

/// The type of an error of AWS.
pub(super) fn error_type(body: &[u8]) -> String {
    serde_json::from_slice(body)
        .ok()
        .and_then(|value: Value| Some(short(value.get("__type")?.as_str()?).to_owned()))
        .unwrap_or_default()
}

/// The name behind the namespace.
fn short(kind: &str) -> &str {
    kind.rsplit_once('#').map_or(kind, |(_, kind)| kind)
}

/// The security token service of AWS complains in XML.
fn xml(body: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(body).ok()?;
    let error = super::super::wire::element(text, "Error")?;
    let part = |name| super::super::wire::element(error, name).unwrap_or_default();
    Some(format!("{}: {}", part("Code"), part("Message")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_complaint_is_understood() {
        for (body, expected) in [
            (
                r#"{"error":{"code":404,"message":"Not there.","status":"NOT_FOUND"}}"#,
                "NOT_FOUND: Not there",
            ),
            (
                r#"{"error":{"code":"Forbidden","message":"no"}}"#,
                "Forbidden: no",
            ),
            (
                r#"{"error":"invalid_grant","error_description":"bad\r\nTrace ID: 1"}"#,
                "invalid_grant: bad",
            ),
            (
                r#"{"__type":"com.amazonaws.kms#NotFoundException","message":"x"}"#,
                "NotFoundException: x",
            ),
            (r#"{"__type":"ThrottlingException"}"#, "ThrottlingException"),
            (
                r#"{"errors":["1 error occurred:\n\t* permission denied\n\n"]}"#,
                "1 error occurred:",
            ),
            (r#"{"errors":[]}"#, ""),
            (
                "<E><Error><Code>A</Code><Message>it's b</Message></Error></E>",
                "A: it's b",
            ),
            ("<html>", ""),
            ("", ""),
        ] {
            assert_eq!(of(body.as_bytes(), &[]), expected, "{body}");
        }
    }

    #[test]
    fn what_is_secret_or_would_confuse_a_terminal_is_not_shown() {
        let secret = Secret::new("eyJhbGciOiJSUzI1NiJ9.abc".into());
        let said = |message: &str| {
            let body = serde_json::json!({ "message": message }).to_string();
            of(body.as_bytes(), std::slice::from_ref(&secret))
        };
        assert_eq!(said("got eyJhbGciOiJSUzI1NiJ9.abc"), "");
        assert_eq!(said("token iOiJSUzI1NiJ9 is bad"), "");
        assert_eq!(said("token is bad"), "token is bad");
        assert_eq!(said("\u{1b}[31mred"), "\\u{1b}[31mred");
        assert_eq!(said(&"x".repeat(1000)).len(), LONGEST);
    }
}
