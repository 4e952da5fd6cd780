//! Requests and answers.

mod agents;
mod complaint;
mod exchange;
mod proxy;
mod retry;

use std::borrow::Cow;

use serde::Serialize;
use zeroize::Zeroizing;

pub(crate) use self::exchange::Http;
use super::endpoint::Endpoint;
use super::error::{KmsError, KmsService};
use super::secret::Secret;

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
        body: &impl Serialize,
    ) -> Self {
        Self::new(Method::Post, place, target.into())
            .header("content-type", "application/json")
            .body(serde_json::to_vec(body).unwrap_or_default())
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
