//! One transfer from the request to the answer that counts, without I/O: which requests are sent, with which headers,
//! by which way, and what their answers lead to.

use std::fmt;
use std::time::Duration;

use http::header::{
    ACCEPT_ENCODING, AUTHORIZATION, HeaderMap, HeaderName, HeaderValue, IF_RANGE,
    PROXY_AUTHORIZATION, RANGE, USER_AGENT,
};

use super::answer::{Answer, judge};
use super::options::Settings;
use super::proxy::ProxyServer;
use super::url::{Scheme, Url};
use crate::source::without_secrets;
use crate::transport::{Request, Resume, TransportError, TransportErrorKind};

/// A transfer under way.
#[derive(Debug)]
pub(crate) struct Exchange<'a> {
    settings: &'a Settings,
    url: Url,
    /// Set once a redirect led to another origin: from then on nothing private is sent.
    away: bool,
    redirects: u8,
    resume: Option<Resume>,
    deadline: Option<Duration>,
}

/// What is sent next. `Debug` shows neither the query nor the values of headers.
pub(crate) struct Head {
    pub(crate) url: String,
    pub(crate) headers: HeaderMap,
}

impl fmt::Debug for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.headers.keys().collect();
        f.debug_struct("Head")
            .field("url", &without_secrets(&self.url))
            .field("headers", &names)
            .finish()
    }
}

/// What an answer leads to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Send the next head.
    Again,
    Found {
        offset: u64,
        length: Option<u64>,
        validator: Option<String>,
    },
    Absent,
    Retryable(TransportError),
    Fatal(TransportError),
}

impl<'a> Exchange<'a> {
    pub(crate) fn new(settings: &'a Settings, request: &Request) -> Result<Self, TransportError> {
        let wrong = |why: String| TransportError {
            url: without_secrets(&request.url),
            kind: TransportErrorKind::Url,
            detail: why,
            retry_after: None,
        };
        let url = Url::parse(&request.url).map_err(|error| wrong(error.to_string()))?;
        let usable = |resume: &&Resume| {
            resume.offset > 0 && !resume.validator.is_empty() && !resume.validator.starts_with("W/")
        };
        let resume = request.resume.as_ref().filter(usable).cloned();
        Ok(Self {
            settings,
            url,
            away: false,
            redirects: 0,
            resume,
            deadline: [settings.options.deadline, request.within]
                .into_iter()
                .flatten()
                .min(),
        })
    }

    /// How long the whole may take: what the options and the request say, whichever is shorter.
    pub(crate) fn deadline(&self) -> Option<Duration> {
        self.deadline
    }

    pub(crate) fn head(&self) -> Head {
        Head {
            url: self.url.text(),
            headers: self.headers(),
        }
    }

    /// The proxy by which the head goes.
    pub(crate) fn proxy(&self) -> Option<&'a ProxyServer> {
        self.settings.proxies.route(&self.url)
    }

    fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(USER_AGENT, self.settings.options.user_agent.clone());
        // Lengths and hashes are those of the file: nobody may squeeze it on the way.
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        if let Some(resume) = &self.resume
            && let Ok(validator) = HeaderValue::from_str(&resume.validator)
            && let Ok(range) = HeaderValue::from_str(&format!("bytes={}-", resume.offset))
        {
            headers.insert(RANGE, range);
            headers.insert(IF_RANGE, validator);
        }
        if !self.away {
            if let Some(credentials) = self.url.credentials() {
                insert_secret(&mut headers, AUTHORIZATION, &credentials.basic());
            }
            let origin = self.url.origin();
            for header in self
                .settings
                .options
                .headers
                .iter()
                .filter(|header| header.origin == origin)
            {
                headers.insert(&header.name, header.value.clone());
            }
        }
        if let Some(proxy) = self.proxy().filter(|proxy| proxy.forwards(&self.url))
            && let Some(credentials) = proxy.credentials()
        {
            insert_secret(&mut headers, PROXY_AUTHORIZATION, &credentials.basic());
        }
        headers
    }

    pub(crate) fn answer(&mut self, status: u16, headers: &HeaderMap) -> Next {
        match judge(
            status,
            headers,
            self.resume.as_ref(),
            self.settings.options.forbidden_is_absent,
        ) {
            Answer::Found {
                offset,
                length,
                validator,
            } => Next::Found {
                offset,
                length,
                validator,
            },
            Answer::StartOver => {
                self.resume = None;
                Next::Again
            }
            Answer::Moved { location } => match self.follow(&location) {
                Ok(()) => Next::Again,
                Err(detail) => Next::Fatal(self.error(TransportErrorKind::Redirect, detail)),
            },
            Answer::Absent => Next::Absent,
            Answer::Retryable { kind, retry_after } => Next::Retryable(TransportError {
                retry_after,
                ..self.error(kind, "")
            }),
            Answer::Fatal { kind, detail } => Next::Fatal(self.error(kind, detail)),
        }
    }

    fn follow(&mut self, location: &str) -> Result<(), String> {
        let to = self
            .url
            .resolve(location)
            .map_err(|error| format!("to {}: {error}", without_secrets(location)))?;
        if self.url.scheme() == Scheme::Https && to.scheme() == Scheme::Http {
            return Err(format!("to {to}: from https to http"));
        }
        if to.credentials().is_some() {
            return Err(format!("to {to}: it brings credentials along"));
        }
        if self.redirects >= self.settings.options.redirects {
            return Err(format!(
                "to {to}: more than {} in a row",
                self.settings.options.redirects
            ));
        }
        self.redirects = self.redirects.saturating_add(1);
        self.away = self.away || to.origin() != self.url.origin();
        self.url = self.url.redirected(to);
        Ok(())
    }

    /// An error of this transfer, at the URL it has got to.
    pub(crate) fn error(
        &self,
        kind: TransportErrorKind,
        detail: impl Into<String>,
    ) -> TransportError {
        TransportError {
            url: self.url.to_string(),
            kind,
            detail: detail.into(),
            retry_after: None,
        }
    }
}

/// Basic authorization is base64, which every header can hold.
fn insert_secret(headers: &mut HeaderMap, name: HeaderName, text: &str) {
    if let Ok(mut value) = HeaderValue::from_str(text) {
        value.set_sensitive(true);
        headers.insert(name, value);
    }
}

#[cfg(test)]
mod tests;
