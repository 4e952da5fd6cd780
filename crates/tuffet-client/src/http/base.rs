//! The place below which a repository's files are.

use std::fmt;

use super::url::{Url, UrlError};

/// An `http` or `https` URL to which percent-encoded names are appended, and nothing else.
///
/// A user name and password in the URL are sent as Basic authorization to that origin only. `Display` and `Debug` never
/// show them.
///
/// ```
/// use tuffet_client::http::BaseUrl;
///
/// let base = BaseUrl::parse("https://user:secret@repo.example/tuf/metadata")?;
/// assert_eq!(base.to_string(), "https://repo.example/tuf/metadata/");
/// assert!(base.join("2.root.json")?.ends_with("/tuf/metadata/2.root.json"));
/// assert!(base.join("../other").is_err());
/// # Ok::<(), tuffet_client::http::UrlError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct BaseUrl {
    /// Ends with `/`; credentials included.
    text: String,
    url: Url,
}

impl BaseUrl {
    /// Reads a base URL. A missing `/` at its end is added.
    ///
    /// # Errors
    /// [`UrlError`] says what is wrong; it never holds the text itself.
    pub fn parse(text: &str) -> Result<Self, UrlError> {
        if text.contains(['?', '#']) {
            return Err(UrlError::NotABase);
        }
        let slash = if text.ends_with('/') { "" } else { "/" };
        let text = format!("{text}{slash}");
        let url = Url::parse(&text)?;
        Ok(Self { text, url })
    }

    /// Appends a percent-encoded relative path, as [`tuffet_core`] makes them for metadata and targets.
    ///
    /// The result contains the credentials of the base: it is for a transport, not for display.
    ///
    /// # Errors
    /// If a segment is empty, `.` or `..`, or holds a character that must be encoded.
    pub fn join(&self, relative: &str) -> Result<String, UrlError> {
        let encoded = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/%".contains(&byte);
        if !relative.bytes().all(encoded) {
            return Err(UrlError::Character);
        }
        if relative.split('/').any(str::is_empty) {
            return Err(UrlError::DotSegment);
        }
        let joined = format!("{}{relative}", self.text);
        Url::parse(&joined)?;
        Ok(joined)
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.url, f)
    }
}

impl fmt::Debug for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.url, f)
    }
}
