//! Percent encoding (RFC 3986 §2.1) and the parameters after `?`.

use tuffet_core::crypto::Scheme;

/// A URI that cannot be understood: what is wrong with it.
pub(super) type Refusal = String;

/// Writes every byte that is not unreserved, and not among those allowed here, as `%` and two digits.
pub(super) fn encode(bytes: &[u8], allowed: &str) -> String {
    let mut text = String::with_capacity(bytes.len());
    for &byte in bytes {
        let plain = byte.is_ascii_alphanumeric()
            || matches!(byte, b'-' | b'.' | b'_' | b'~')
            || allowed.as_bytes().contains(&byte);
        if plain {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}

/// Reads percent encoding.
pub(super) fn decode(text: &str) -> Result<Vec<u8>, Refusal> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || char::from(rest.next()?).to_digit(16);
        let value = digit()
            .zip(digit())
            .and_then(|(high, low)| u8::try_from(high.checked_mul(16)?.checked_add(low)?).ok());
        bytes.push(value.ok_or("has a `%` without two hexadecimal digits after it")?);
    }
    Ok(bytes)
}

/// Reads percent encoding of text.
pub(super) fn decode_text(text: &str) -> Result<String, Refusal> {
    let text = String::from_utf8(decode(text)?).map_err(|_| "is not UTF-8")?;
    if text.contains('\0') {
        return Err("has a zero byte in it".into());
    }
    Ok(text)
}

/// Splits `NAME=VALUE&NAME=VALUE`; names and values are still encoded.
pub(super) fn parameters(query: &str) -> impl Iterator<Item = Result<(&str, &str), Refusal>> {
    let parts = query.split('&').filter(|part| !part.is_empty());
    parts.map(|part| {
        part.split_once('=')
            .ok_or_else(|| "has a parameter without `=`".into())
    })
}

/// Sets what may be given once.
pub(super) fn set_once<T>(place: &mut Option<T>, value: T, name: &str) -> Result<(), Refusal> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(format!("has `{name}` twice")),
    }
}

/// The scheme of that name.
pub(super) fn scheme(name: &str) -> Result<Scheme, Refusal> {
    let known = || Scheme::ALL.map(Scheme::name).join(", ");
    Scheme::from_name(name)
        .ok_or_else(|| format!("asks for a signature scheme that is none of {}", known()))
}

/// The text before `?`, and the scheme, where that is the only parameter there is.
pub(super) fn split_scheme(text: &str) -> Result<(&str, Option<Scheme>), Refusal> {
    let Some((place, query)) = text.split_once('?') else {
        return Ok((text, None));
    };
    let mut chosen = None;
    for parameter in parameters(query) {
        match parameter? {
            ("scheme", name) => set_once(&mut chosen, scheme(&decode_text(name)?)?, "scheme")?,
            _ => return Err("has a parameter that is not `scheme`".into()),
        }
    }
    Ok((place, chosen))
}

/// The parameter that chooses a scheme, as the only one.
pub(super) fn scheme_query(scheme: Option<Scheme>) -> String {
    scheme.map_or_else(String::new, |scheme| format!("?scheme={scheme}"))
}

/// The path after `file:`, also in the form `file:///PATH`.
pub(super) fn local_path(rest: &str) -> Result<&str, Refusal> {
    match rest.strip_prefix("//") {
        None => path(rest),
        Some(rest) if rest.starts_with('/') => path(rest),
        Some(_) => Err("names a host".into()),
    }
}

/// A path that a system could know.
pub(super) fn path(path: &str) -> Result<&str, Refusal> {
    if path.is_empty() {
        return Err("has no path".into());
    }
    if path.contains('\0') {
        return Err("has a zero byte in it".into());
    }
    Ok(path)
}

/// A path after `file:`: one that begins with two slashes would name a host.
pub(super) fn file_uri(path: &str) -> String {
    let host = if path.starts_with("//") { "//" } else { "" };
    format!("file:{host}{path}")
}
