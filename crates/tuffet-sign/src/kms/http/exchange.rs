//! From a request to its answer: bounded in time and size, without redirects, repeated when that may help.

use std::borrow::Borrow;

use ureq::http::{HeaderValue, Request as Head, header, request::Builder};
use zeroize::Zeroizing;

use super::super::error::{KmsError, KmsService};
use super::super::settings::{KmsSettings, random};
use super::agents::{self, Agents};
use super::{Answer, Meaning, Method, Request, complaint, retry};

/// The longest answer that is read, in bytes. A key of Vault with a thousand versions takes half of it.
const LONGEST_ANSWER: u64 = 1024 * 1024;

/// Why there is no answer.
#[derive(Debug)]
pub(super) struct Trouble {
    pub(super) what: String,
    pub(super) kind: TroubleKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TroubleKind {
    /// Another attempt may help.
    Passing,
    /// The way there is closed.
    Lasting,
    /// There is an answer, but not one to use.
    Answer,
}

/// How an attempt ended that brought nothing to use.
enum Ended {
    /// Another one may help, after as many seconds as the service asks for.
    Passing {
        what: String,
        requested: Option<u64>,
    },
    Lasting(KmsError),
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
    /// As [`send_made`](Self::send_made).
    pub(crate) fn send(&self, request: &Request) -> Result<Answer, KmsError> {
        self.send_made(|| Ok(request), Meaning::of_status)
    }

    /// Sends a request that is made for each attempt, as one with a date has to be. `judge` says what its answer means.
    ///
    /// # Errors
    /// [`KmsError::Unreachable`] when no attempt got an answer, [`KmsError::Denied`] and [`KmsError::Refused`] as `judge`
    /// says, [`KmsError::Answer`] if the answer is too long or nothing that is known.
    pub(crate) fn send_made<R: Borrow<Request>>(
        &self,
        make: impl Fn() -> Result<R, KmsError>,
        judge: impl Fn(&Answer) -> Meaning,
    ) -> Result<Answer, KmsError> {
        let mut attempt = 1_u32;
        loop {
            let request = make()?;
            let request = request.borrow();
            let (what, requested) = match self.attempt(request, &judge) {
                Ok(answer) => return Ok(answer),
                Err(Ended::Lasting(error)) => return Err(error),
                Err(Ended::Passing { what, requested }) => (what, requested),
            };
            match retry::pause(attempt, request.place.is_of_host(), requested, random()) {
                Some(pause) => self.settings.wait(pause),
                None => {
                    let service = self.service;
                    return Err(KmsError::Unreachable { service, what });
                }
            }
            attempt = attempt.saturating_add(1);
        }
    }

    fn attempt(
        &self,
        request: &Request,
        judge: impl Fn(&Answer) -> Meaning,
    ) -> Result<Answer, Ended> {
        let service = self.service;
        let answer = self
            .once(request)
            .map_err(|Trouble { what, kind }| match kind {
                TroubleKind::Passing => Ended::Passing {
                    what,
                    requested: None,
                },
                TroubleKind::Lasting => Ended::Lasting(KmsError::Unreachable { service, what }),
                TroubleKind::Answer => Ended::Lasting(KmsError::Answer { service, what }),
            })?;
        let meaning = judge(&answer);
        if meaning == Meaning::Done {
            return Ok(answer);
        }
        let said = complaint::of(&answer.body, &request.secrets);
        let status = answer.status;
        Err(match meaning {
            Meaning::Denied => Ended::Lasting(KmsError::Denied { service, said }),
            Meaning::Refused => Ended::Lasting(KmsError::Refused { service, said }),
            Meaning::Again => {
                let colon = if said.is_empty() { "" } else { ": " };
                Ended::Passing {
                    what: format!("status {status}{colon}{said}"),
                    requested: answer.retry_after,
                }
            }
            Meaning::Done | Meaning::Strange => Ended::Lasting(KmsError::Answer {
                service,
                what: format!("it has status {status}"),
            }),
        })
    }

    fn once(&self, request: &Request) -> Result<Answer, Trouble> {
        let lasting = |what: &str| Trouble {
            what: what.to_owned(),
            kind: TroubleKind::Lasting,
        };
        let no_url = |_| lasting("it has no usable URL");
        let head = head(request)
            .ok_or_else(|| lasting("a token or a setting has characters that cannot be sent"))?;
        let agent = self.agents.way_to(&request.place);
        let sent = match request.method {
            Method::Get => agent.run(head.body(()).map_err(no_url)?),
            Method::Post | Method::Put => {
                agent.run(head.body(request.body.as_slice()).map_err(no_url)?)
            }
        };
        let response = sent.map_err(|error| agents::trouble(&error))?;
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

/// Method, URL and headers; `None` if a value cannot be one of a header.
fn head(request: &Request) -> Option<Builder> {
    let mut head = Head::builder()
        .method(request.method.name())
        .uri(request.place.url(&request.target));
    for (name, value) in &request.headers {
        let mut value = HeaderValue::from_str(value.expose()).ok()?;
        value.set_sensitive(true);
        head = head.header(name.as_ref(), value);
    }
    Some(head)
}
