//! One request and its answer: bounded in time and size, without redirects, repeated when that may help.

mod agents;
mod complaint;
mod proxy;
mod retry;

use std::borrow::Cow;

use ureq::http::{self, HeaderValue, header};
use zeroize::Zeroizing;

use self::agents::Agents;
use super::endpoint::Endpoint;
use super::error::{KmsError, KmsService};
use super::secret::Secret;
use super::settings::{KmsSettings, random};

/// The longest answer that is read, in bytes. A key of Vault with a thousand versions takes half of it.
const LONGEST_ANSWER: u64 = 1024 * 1024;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Method {
    Get,
    Post,
    Put,
}

impl Method {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
        }
    }
}

/// A request as it is sent. What is secret in it never shows up in an error.
#[derive(Debug)]
pub(crate) struct Request {
    method: Method,
    place: Endpoint,
    /// Behind the path of the place, with the query.
    target: String,
    headers: Vec<(Cow<'static, str>, Secret)>,
    body: Zeroizing<Vec<u8>>,
    secrets: Vec<Secret>,
}

impl Request {
    pub(crate) fn get(place: &Endpoint, target: impl Into<String>) -> Self {
        Self::new(Method::Get, place, target.into())
    }

    pub(crate) fn put(place: &Endpoint, target: impl Into<String>) -> Self {
        Self::new(Method::Put, place, target.into())
    }

    pub(crate) fn post_json(
        place: &Endpoint,
        target: impl Into<String>,
        body: &serde_json::Value,
    ) -> Self {
        Self::new(Method::Post, place, target.into())
            .header("content-type", "application/json")
            .body(body.to_string().into_bytes())
    }

    pub(crate) fn post_form(place: &Endpoint, target: impl Into<String>, form: Form) -> Self {
        let mut request = Self::new(Method::Post, place, target.into())
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form.text.as_bytes().to_vec());
        request.secrets = form.secrets;
        request
    }

    pub(crate) fn post(place: &Endpoint, target: impl Into<String>, body: Vec<u8>) -> Self {
        Self::new(Method::Post, place, target.into()).body(body)
    }

    fn new(method: Method, place: &Endpoint, target: String) -> Self {
        Self {
            method,
            place: place.clone(),
            target,
            headers: Vec::new(),
            body: Zeroizing::default(),
            secrets: Vec::new(),
        }
    }

    fn body(mut self, body: Vec<u8>) -> Self {
        self.body = Zeroizing::new(body);
        self
    }

    /// Adds a header that anybody may see.
    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), Secret::new(value.into())));
        self
    }

    /// Adds a header that a file of credentials asks for.
    pub(crate) fn named_header(mut self, name: &str, value: &Secret) -> Self {
        self.headers.push((name.to_owned().into(), value.clone()));
        self.secrets.push(value.clone());
        self
    }

    /// Adds a header that is or holds `secret`.
    pub(crate) fn secret_header(
        mut self,
        name: &'static str,
        value: Secret,
        secret: &Secret,
    ) -> Self {
        self.headers.push((name.into(), value));
        self.secrets.push(secret.clone());
        self
    }

    /// Adds the authorization by a bearer token.
    pub(crate) fn bearer(self, token: &Secret) -> Self {
        self.secret_header("authorization", token.bearer(), token)
    }

    /// Says that `secret` is somewhere in the body.
    pub(crate) fn keeping(mut self, secret: &Secret) -> Self {
        self.secrets.push(secret.clone());
        self
    }
}

/// The body of a form.
#[derive(Debug, Default)]
pub(crate) struct Form {
    text: Zeroizing<String>,
    secrets: Vec<Secret>,
}

impl Form {
    pub(crate) fn field(mut self, name: &str, value: &str) -> Self {
        self.push(name, value);
        self
    }

    pub(crate) fn secret(mut self, name: &str, value: &Secret) -> Self {
        self.push(name, value.expose());
        self.secrets.push(value.clone());
        self
    }

    fn push(&mut self, name: &str, value: &str) {
        if !self.text.is_empty() {
            self.text.push('&');
        }
        self.text.push_str(name);
        self.text.push('=');
        self.text.push_str(&super::wire::url_encode(value));
    }
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Zeroizing<Vec<u8>>,
    retry_after: Option<u64>,
}

impl Answer {
    /// Reads the body.
    ///
    /// # Errors
    /// [`KmsError::Answer`] if it is not that.
    pub(crate) fn json<'a, T: serde::Deserialize<'a>>(
        &'a self,
        service: KmsService,
    ) -> Result<T, KmsError> {
        // The error of the library may quote what it read.
        serde_json::from_slice(&self.body).map_err(|error| KmsError::Answer {
            service,
            what: format!(
                "it is not the expected JSON (line {}, column {})",
                error.line(),
                error.column()
            ),
        })
    }

    /// The `__type` of an error of AWS, without its namespace; empty if it has none.
    pub(crate) fn error_type(&self) -> String {
        complaint::error_type(&self.body)
    }
}

/// What an answer means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meaning {
    Done,
    Again,
    Denied,
    Refused,
    /// Nothing that the interface knows, such as a redirect.
    Strange,
}

impl Meaning {
    /// What a status means to services that use them as intended.
    pub(crate) fn of_status(answer: &Answer) -> Self {
        match answer.status {
            200..=299 => Self::Done,
            408 | 425 | 429 | 500..=599 => Self::Again,
            401 | 403 | 407 => Self::Denied,
            400..=499 => Self::Refused,
            _ => Self::Strange,
        }
    }
}

/// Why there is no answer.
#[derive(Debug)]
struct Trouble {
    what: String,
    kind: TroubleKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TroubleKind {
    /// Another attempt may help.
    Passing,
    /// The way there is closed.
    Lasting,
    /// There is an answer, but not one to use.
    Answer,
}

/// Sends requests to one service and to those who hand out tokens for it.
#[derive(Debug)]
pub(crate) struct Http {
    service: KmsService,
    agents: Agents,
    settings: KmsSettings,
}

impl Http {
    /// Prepares the ways; nothing is connected yet. `authority_variables` name a file of certificate authorities; the
    /// first that is set counts.
    ///
    /// # Errors
    /// [`KmsError::Settings`] if a proxy or the file makes no sense.
    pub(crate) fn new(
        service: KmsService,
        settings: &KmsSettings,
        authority_variables: &[&str],
    ) -> Result<Self, KmsError> {
        let wrong = |what| KmsError::Settings { service, what };
        let agents = Agents::new(settings, authority_variables).map_err(wrong)?;
        Ok(Self {
            service,
            agents,
            settings: settings.clone(),
        })
    }

    pub(crate) fn settings(&self) -> &KmsSettings {
        &self.settings
    }

    /// Sends a request whose answer means what its status says.
    ///
    /// # Errors
    /// As [`send_judged`](Self::send_judged).
    pub(crate) fn send(&self, request: &Request) -> Result<Answer, KmsError> {
        self.attempts(|| Ok(None), request, Meaning::of_status)
    }

    /// Sends a request that is made anew for each attempt, as one with a date has to be.
    ///
    /// # Errors
    /// [`KmsError::Unreachable`] when no attempt got an answer, [`KmsError::Denied`] and [`KmsError::Refused`] as `judge`
    /// says, [`KmsError::Answer`] if the answer is too long or nothing that is known.
    pub(crate) fn send_judged(
        &self,
        make: impl Fn() -> Result<Request, KmsError>,
        judge: impl Fn(&Answer) -> Meaning,
    ) -> Result<Answer, KmsError> {
        let first = make()?;
        self.attempts(|| make().map(Some), &first, judge)
    }

    fn attempts(
        &self,
        again: impl Fn() -> Result<Option<Request>, KmsError>,
        first: &Request,
        judge: impl Fn(&Answer) -> Meaning,
    ) -> Result<Answer, KmsError> {
        let service = self.service;
        let mut newer: Option<Request> = None;
        let mut attempt = 1_u32;
        loop {
            let request = newer.as_ref().unwrap_or(first);
            let (what, requested) = match self.once(request) {
                Ok(answer) => {
                    let said = || complaint::of(&answer.body, &request.secrets);
                    match judge(&answer) {
                        Meaning::Done => return Ok(answer),
                        Meaning::Denied => {
                            return Err(KmsError::Denied {
                                service,
                                said: said(),
                            });
                        }
                        Meaning::Refused => {
                            return Err(KmsError::Refused {
                                service,
                                said: said(),
                            });
                        }
                        Meaning::Strange => {
                            let what = format!("it has status {}", answer.status);
                            return Err(KmsError::Answer { service, what });
                        }
                        Meaning::Again => {
                            let said = said();
                            let colon = if said.is_empty() { "" } else { ": " };
                            let status = answer.status;
                            (format!("status {status}{colon}{said}"), answer.retry_after)
                        }
                    }
                }
                Err(Trouble { what, kind }) => match kind {
                    TroubleKind::Passing => (what, None),
                    TroubleKind::Lasting => return Err(KmsError::Unreachable { service, what }),
                    TroubleKind::Answer => return Err(KmsError::Answer { service, what }),
                },
            };
            match retry::pause(attempt, request.place.is_of_host(), requested, random()) {
                Some(pause) => self.settings.wait(pause),
                None => return Err(KmsError::Unreachable { service, what }),
            }
            attempt = attempt.saturating_add(1);
            newer = again()?;
        }
    }

    fn once(&self, request: &Request) -> Result<Answer, Trouble> {
        let malformed = |what: &str| Trouble {
            what: what.to_owned(),
            kind: TroubleKind::Lasting,
        };
        let mut head = http::Request::builder()
            .method(request.method.name())
            .uri(request.place.url(&request.target));
        for (name, value) in &request.headers {
            let mut value = HeaderValue::from_str(value.expose()).map_err(|_| {
                malformed("a token or a setting has characters that cannot be sent")
            })?;
            value.set_sensitive(true);
            head = head.header(name.as_ref(), value);
        }
        let agent = self.agents.way_to(&request.place);
        let response = match request.method {
            Method::Get => {
                let request = head
                    .body(())
                    .map_err(|_| malformed("it has no usable URL"))?;
                agent.run(request)
            }
            Method::Post | Method::Put => {
                let request = head
                    .body(request.body.as_slice())
                    .map_err(|_| malformed("it has no usable URL"))?;
                agent.run(request)
            }
        };
        let response = response.map_err(|error| agents::trouble(&error))?;
        let status = response.status().as_u16();
        let retry_after = response
            .headers()
            .get(header::RETRY_AFTER)
            .and_then(|value| value.to_str().ok()?.parse().ok());
        let body = response
            .into_body()
            .into_with_config()
            .limit(LONGEST_ANSWER)
            .read_to_vec()
            .map_err(|error| agents::trouble(&error))?;
        Ok(Answer {
            status,
            body: Zeroizing::new(body),
            retry_after,
        })
    }
}
