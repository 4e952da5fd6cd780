//! URLs, read once and strictly, so that both transports ask for exactly the same bytes.
//!
//! Libraries normalise URLs each in their own way: some remove `%2e%2e`, some turn `\` into `/`. What is accepted here
//! has only one reading, and what is displayed never shows credentials or a query, which may hold a signature.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

use base64ct::{Base64, Encoding};
use tuffet_core::trust::percent_decode;

use crate::source::without_secrets;

/// The longest URL that is asked for, in bytes.
const LONGEST: usize = 8 * 1024;

/// Why a text is not a URL that can be used here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UrlError {
    /// The scheme is not `http` or `https`.
    #[error("the scheme must be https or http")]
    Scheme,
    /// The host is missing or malformed.
    #[error("the host is missing or malformed; write international names in their xn-- form")]
    Host,
    /// The port is not a number from 1 to 65535.
    #[error("the port must be a number from 1 to 65535")]
    Port,
    /// The user name or password is not valid percent-encoding of text.
    #[error("the user name or password is not valid percent-encoding")]
    Credentials,
    /// A segment of the path is `.` or `..`, plain or percent-encoded.
    #[error("the path must not contain `.` or `..` segments")]
    DotSegment,
    /// A character that must be percent-encoded is not.
    #[error("a character in the path or query must be percent-encoded")]
    Character,
    /// An origin has a path, a query, a fragment or credentials.
    #[error("an origin has no path, query, user name or password")]
    NotAnOrigin,
    /// The URL is longer than 8 KiB.
    #[error("the URL is longer than 8 KiB")]
    TooLong,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scheme {
    Http,
    Https,
}

impl Scheme {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

/// Whom a URL belongs to: what is meant for one origin is not sent to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Origin {
    pub(crate) scheme: Scheme,
    /// Lower case; IPv6 addresses in brackets.
    pub(crate) host: String,
    pub(crate) port: u16,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme.name(), self.host)?;
        if self.port == self.scheme.default_port() {
            Ok(())
        } else {
            write!(f, ":{}", self.port)
        }
    }
}

/// A user name and a password, decoded. `Debug` shows neither.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Credentials {
    user: String,
    password: String,
}

impl Credentials {
    /// The value of an `Authorization` or `Proxy-Authorization` header.
    pub(crate) fn basic(&self) -> String {
        format!(
            "Basic {}",
            Base64::encode_string(format!("{}:{}", self.user, self.password).as_bytes())
        )
    }

    /// `user:password`, percent-encoded for the authority of a URL.
    pub(crate) fn userinfo(&self) -> String {
        let mut text = String::new();
        encode_strictly(&self.user, &mut text);
        text.push(':');
        encode_strictly(&self.password, &mut text);
        text
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(..)")
    }
}

/// The part of a URL between `//` and the path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Authority {
    pub(crate) credentials: Option<Credentials>,
    pub(crate) host: String,
    pub(crate) port: Option<u16>,
}

impl Authority {
    pub(crate) fn parse(text: &str) -> Result<Self, UrlError> {
        let (credentials, place) = match text.rsplit_once('@') {
            Some((userinfo, place)) => (Some(read_credentials(userinfo)?), place),
            None => (None, text),
        };
        let (host, port) = match place.strip_prefix('[') {
            Some(rest) => {
                let (address, rest) = rest.split_once(']').ok_or(UrlError::Host)?;
                let address: Ipv6Addr = address.parse().map_err(|_| UrlError::Host)?;
                (format!("[{address}]"), rest)
            }
            None => {
                let end = place.find(':').unwrap_or(place.len());
                let (host, rest) = place.split_at(end);
                (read_host(host)?, rest)
            }
        };
        let port = match port.strip_prefix(':') {
            Some("") => None,
            Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => Some(
                digits
                    .parse()
                    .ok()
                    .filter(|port| *port != 0)
                    .ok_or(UrlError::Port)?,
            ),
            None if port.is_empty() => None,
            _ => return Err(UrlError::Port),
        };
        Ok(Self {
            credentials,
            host,
            port,
        })
    }
}

fn read_host(text: &str) -> Result<String, UrlError> {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    if text.is_empty() || text.len() > 253 || !text.bytes().all(known) {
        return Err(UrlError::Host);
    }
    // Some resolvers and URL libraries read `0x7f.1` or `127.1` as an address, others as a name.
    let last = text
        .strip_suffix('.')
        .unwrap_or(text)
        .rsplit('.')
        .next()
        .unwrap_or_default();
    let numeric = last.bytes().all(|byte| byte.is_ascii_digit())
        || last.starts_with("0x")
        || last.starts_with("0X");
    if numeric && text.parse::<Ipv4Addr>().is_err() {
        return Err(UrlError::Host);
    }
    Ok(text.to_ascii_lowercase())
}

fn read_credentials(userinfo: &str) -> Result<Credentials, UrlError> {
    let (user, password) = userinfo.split_once(':').unwrap_or((userinfo, ""));
    let decode = |text| {
        percent_decode(text)
            .and_then(|bytes| String::from_utf8(bytes).ok())
            .ok_or(UrlError::Credentials)
    };
    let (user, password) = (decode(user)?, decode(password)?);
    let control = |text: &str| text.chars().any(char::is_control);
    if control(&user) || control(&password) {
        return Err(UrlError::Credentials);
    }
    Ok(Credentials { user, password })
}

/// An `http` or `https` URL in the one form that is sent.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Url {
    scheme: Scheme,
    authority: Authority,
    /// Begins with `/`.
    path: String,
    query: Option<String>,
}

impl Url {
    /// Reads a URL that an application or a source list gives.
    pub(crate) fn parse(text: &str) -> Result<Self, UrlError> {
        let (scheme, rest) = split_scheme(text).ok_or(UrlError::Scheme)?;
        let rest = rest.strip_prefix("//").ok_or(UrlError::Host)?;
        let end = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
        let (authority, rest) = rest.split_at(end);
        let (path, query) = split_query(rest);
        let mut authority = Authority::parse(authority)?;
        authority.port = authority.port.filter(|port| *port != scheme.default_port());
        let path = if path.is_empty() { "/" } else { path };
        check_path(path)?;
        check_characters(query.unwrap_or_default(), |byte| {
            path_byte(byte) || byte == b'?'
        })?;
        let url = Self {
            scheme,
            authority,
            path: path.to_owned(),
            query: query.map(str::to_owned),
        };
        if url.text().len() > LONGEST {
            Err(UrlError::TooLong)
        } else {
            Ok(url)
        }
    }

    /// Resolves the `Location` of an answer (RFC 3986 §5.2). What servers often forget to encode is encoded.
    pub(crate) fn resolve(&self, location: &str) -> Result<Self, UrlError> {
        if location.len() > LONGEST {
            return Err(UrlError::TooLong);
        }
        let reference = encode_leniently(location);
        if has_scheme(&reference) {
            return Self::parse(&reference);
        }
        if reference.starts_with("//") {
            return Self::parse(&format!("{}:{reference}", self.scheme.name()));
        }
        let (path, query) = split_query(&reference);
        let path = match path {
            "" => self.path.clone(),
            absolute if absolute.starts_with('/') => remove_dot_segments(absolute),
            relative => {
                let folder = self
                    .path
                    .rfind('/')
                    .and_then(|end| self.path.get(..=end))
                    .unwrap_or("/");
                remove_dot_segments(&format!("{folder}{relative}"))
            }
        };
        let query = if reference.is_empty() {
            self.query.as_deref()
        } else {
            query
        };
        let query = query.map(|query| format!("?{query}")).unwrap_or_default();
        let authority = Authority {
            credentials: None,
            ..self.authority.clone()
        };
        Self::parse(
            &Self {
                authority,
                path: format!("{path}{query}"),
                query: None,
                ..self.clone()
            }
            .text(),
        )
    }

    /// The target of a redirect. Credentials stay with their origin.
    pub(crate) fn redirected(&self, to: Self) -> Self {
        if self.origin() != to.origin() {
            return to;
        }
        Self {
            authority: self.authority.clone(),
            ..to
        }
    }

    pub(crate) fn scheme(&self) -> Scheme {
        self.scheme
    }

    pub(crate) fn host(&self) -> &str {
        &self.authority.host
    }

    pub(crate) fn port(&self) -> u16 {
        self.authority.port.unwrap_or(self.scheme.default_port())
    }

    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    pub(crate) fn credentials(&self) -> Option<&Credentials> {
        self.authority.credentials.as_ref()
    }

    pub(crate) fn origin(&self) -> Origin {
        Origin {
            scheme: self.scheme,
            host: self.host().to_owned(),
            port: self.port(),
        }
    }

    /// The URL as it is asked for: credentials travel in a header.
    pub(crate) fn text(&self) -> String {
        let query = self
            .query
            .as_ref()
            .map(|query| format!("?{query}"))
            .unwrap_or_default();
        format!("{}{}{query}", self.origin(), self.path)
    }
}

/// Without credentials; a query may hold a signature and is not shown.
impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&without_secrets(&self.text()))
    }
}

impl fmt::Debug for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

fn split_scheme(text: &str) -> Option<(Scheme, &str)> {
    let (scheme, rest) = text.split_once(':')?;
    if scheme.eq_ignore_ascii_case("https") {
        Some((Scheme::Https, rest))
    } else if scheme.eq_ignore_ascii_case("http") {
        Some((Scheme::Http, rest))
    } else {
        None
    }
}

fn has_scheme(reference: &str) -> bool {
    let end = reference
        .find([':', '/', '?', '#'])
        .unwrap_or(reference.len());
    let (scheme, rest) = reference.split_at(end);
    rest.starts_with(':')
        && scheme
            .bytes()
            .next()
            .is_some_and(|byte| byte.is_ascii_alphabetic())
}

/// Splits path and query; a fragment is never sent.
fn split_query(text: &str) -> (&str, Option<&str>) {
    let text = text.split('#').next().unwrap_or_default();
    text.split_once('?')
        .map_or((text, None), |(path, query)| (path, Some(query)))
}

fn unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

fn path_byte(byte: u8) -> bool {
    unreserved(byte) || b"!$&'()*+,;=:@/%".contains(&byte)
}

fn check_path(path: &str) -> Result<(), UrlError> {
    check_characters(path, path_byte)?;
    let dots = |segment: &str| {
        let plain = segment.replace("%2e", ".").replace("%2E", ".");
        plain == "." || plain == ".."
    };
    if path.split('/').any(dots) {
        Err(UrlError::DotSegment)
    } else {
        Ok(())
    }
}

fn check_characters(text: &str, allowed: impl Fn(u8) -> bool) -> Result<(), UrlError> {
    let mut escapes = text.split('%').skip(1);
    let escaped = |rest: &str| {
        rest.as_bytes()
            .get(..2)
            .is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit))
    };
    if text.bytes().all(allowed) && escapes.all(escaped) {
        Ok(())
    } else {
        Err(UrlError::Character)
    }
}

/// RFC 3986 §5.2.4 for a path that begins with `/`.
fn remove_dot_segments(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut segments = path.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        let last = segments.peek().is_none();
        match segment {
            ".." => {
                kept.pop();
            }
            "." => {}
            segment => kept.push(segment),
        }
        if last && matches!(segment, "." | "..") {
            kept.push("");
        }
    }
    format!("/{}", kept.join("/"))
}

fn push_escape(byte: u8, to: &mut String) {
    const DIGITS: [char; 16] = [
        '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F',
    ];
    to.push('%');
    to.extend(DIGITS.get(usize::from(byte >> 4)));
    to.extend(DIGITS.get(usize::from(byte & 15)));
}

fn encode_strictly(text: &str, to: &mut String) {
    for byte in text.bytes() {
        if unreserved(byte) {
            to.push(char::from(byte))
        } else {
            push_escape(byte, to)
        }
    }
}

/// Encodes what has no other meaning in a URL: spaces, quotes, braces, non-ASCII text. Control characters stay and are
/// refused.
fn encode_leniently(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b' ' | b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}' | 0x80.. => {
                push_escape(byte, &mut encoded)
            }
            byte => encoded.push(char::from(byte)),
        }
    }
    encoded
}

#[cfg(test)]
mod tests;
