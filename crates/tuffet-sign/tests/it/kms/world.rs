//! A service on the other side, with real keys and with faults on demand.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustls::ServerConfig;
use serde_json::Value;
use tuffet_core::crypto::Scheme;
use tuffet_core::metadata::UnixTime;
use tuffet_sign::kms::{Clock, KmsSettings, KmsSigner};
use tuffet_sign::{SignError, Signer};

use super::keys::Pair;
use super::server::{Asked, Reply, Server};

/// Every service lets in who has this; no error may show it.
pub(crate) const TOKEN: &str = "s.0123456789abcdefTOKEN";

/// 2026-11-27T23:00:00Z
pub(crate) const NOW: UnixTime = UnixTime(1_795_820_400);

/// The two calls of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Call {
    Key,
    Sign,
}

/// How a service speaks.
pub(crate) struct Form {
    pub(crate) name: &'static str,
    pub(crate) uri: &'static str,
    /// With `URL` where the service is.
    pub(crate) variables: &'static [(&'static str, &'static str)],
    pub(crate) schemes: fn() -> Vec<Scheme>,
    pub(crate) call: fn(&Asked) -> Option<Call>,
    pub(crate) authentic: fn(&Asked) -> bool,
    /// What it says when it does not carry something out.
    pub(crate) complaint: fn(status: u16, text: &str) -> Reply,
    pub(crate) key: fn(&Asked, &Pair, Scheme) -> Reply,
    pub(crate) sign: fn(&Asked, &Pair, Scheme) -> Option<Value>,
}

pub(crate) enum Fault {
    Reply(Reply),
    /// Changes an answer.
    Edit(fn(&mut Value)),
    /// Another key gives the answer.
    OtherKey,
    /// Half of the answer comes.
    Half,
}

struct Side {
    form: &'static Form,
    scheme: Scheme,
    pair: Pair,
    other: Pair,
    faults: Mutex<VecDeque<(Call, Fault)>>,
}

/// Time stands still, and waiting is remembered.
#[derive(Default)]
pub(crate) struct TestClock {
    waits: Mutex<Vec<Duration>>,
    passed: Mutex<i64>,
}

impl TestClock {
    pub(crate) fn waits(&self) -> Vec<Duration> {
        self.waits.lock().unwrap().clone()
    }

    pub(crate) fn pass(&self, seconds: i64) {
        *self.passed.lock().unwrap() += seconds;
    }
}

impl Clock for TestClock {
    fn now(&self) -> UnixTime {
        UnixTime(NOW.0 + *self.passed.lock().unwrap())
    }

    fn wait(&self, pause: Duration) {
        self.waits.lock().unwrap().push(pause);
    }
}

pub(crate) struct World {
    pub(crate) server: Server,
    pub(crate) clock: Arc<TestClock>,
    pub(crate) uri: String,
    pub(crate) variables: BTreeMap<String, String>,
    side: Arc<Side>,
}

impl World {
    /// A service with a key of that scheme.
    pub(crate) fn new(form: &'static Form, scheme: Scheme) -> Self {
        Self::served(form, scheme, None)
    }

    /// The same behind TLS.
    pub(crate) fn encrypted(
        form: &'static Form,
        scheme: Scheme,
        config: Arc<ServerConfig>,
    ) -> Self {
        Self::served(form, scheme, Some(config))
    }

    fn served(form: &'static Form, scheme: Scheme, tls: Option<Arc<ServerConfig>>) -> Self {
        let side = Arc::new(Side {
            form,
            scheme,
            pair: Pair::new(scheme),
            // Of another kind than RSA, whose keys are all the same one here.
            other: match Pair::new(scheme) {
                Pair::Rsa(_) => Pair::new(Scheme::Ed25519),
                pair => pair,
            },
            faults: Mutex::default(),
        });
        let answering = Arc::clone(&side);
        let answer = move |asked: &Asked| answering.answer(asked);
        let server = match tls {
            None => Server::new(answer),
            Some(config) => Server::encrypted(config, answer),
        };
        let url = server.url();
        let variables = form
            .variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.replace("URL", &url)))
            .collect();
        let rsa = matches!(scheme, Scheme::RsaPss(_) | Scheme::RsaPkcs1v15(_));
        let query = if rsa {
            format!("?scheme={scheme}")
        } else {
            String::new()
        };
        Self {
            server,
            clock: Arc::default(),
            uri: format!("{}{query}", form.uri),
            variables,
            side,
        }
    }

    pub(crate) fn set(mut self, name: &str, value: impl Into<String>) -> Self {
        self.variables.insert(name.to_owned(), value.into());
        self
    }

    pub(crate) fn unset(mut self, name: &str) -> Self {
        self.variables.remove(name);
        self
    }

    /// The next answer to that call has a fault.
    pub(crate) fn fault(&self, call: Call, fault: Fault) {
        self.side.faults.lock().unwrap().push_back((call, fault));
    }

    pub(crate) fn forget_faults(&self) {
        self.side.faults.lock().unwrap().clear();
    }

    pub(crate) fn form(&self) -> &'static Form {
        self.side.form
    }

    pub(crate) fn pair(&self) -> &Pair {
        &self.side.pair
    }

    /// What the service answers, for those who stand before it.
    pub(crate) fn answer(&self, asked: &Asked) -> Reply {
        self.side.answer(asked)
    }

    pub(crate) fn settings(&self) -> KmsSettings {
        let variables = self.variables.clone();
        let clock = Arc::clone(&self.clock);
        KmsSettings::from_variables(move |name| variables.get(name).cloned()).clock(clock)
    }

    pub(crate) fn open(&self) -> Result<KmsSigner, SignError> {
        KmsSigner::open(&self.uri.parse().unwrap(), &self.settings())
    }

    pub(crate) fn key_is_that_of(&self, signer: &KmsSigner) {
        assert_eq!(*signer.public().public(), self.side.pair.public());
        assert_eq!(signer.public().scheme(), self.side.scheme);
    }
}

impl Side {
    fn answer(&self, asked: &Asked) -> Reply {
        let form = self.form;
        if !(form.authentic)(asked) {
            return (form.complaint)(403, "I do not know you");
        }
        let Some(call) = (form.call)(asked) else {
            return (form.complaint)(404, "no such call");
        };
        let mut faults = self.faults.lock().unwrap();
        let fault = match faults.front() {
            Some((at, _)) if *at == call => faults.pop_front().map(|(_, fault)| fault),
            _ => None,
        };
        drop(faults);
        let pair = match &fault {
            Some(Fault::Reply(reply)) => return reply.clone(),
            Some(Fault::OtherKey) => &self.other,
            _ => &self.pair,
        };
        let reply = match call {
            Call::Key => (form.key)(asked, pair, self.scheme),
            Call::Sign => match (form.sign)(asked, pair, self.scheme) {
                Some(value) => Reply::ok(value),
                None => (form.complaint)(400, "that cannot be signed"),
            },
        };
        match (fault, reply) {
            (Some(Fault::Edit(edit)), Reply::Json(200, mut value)) => {
                edit(&mut value);
                Reply::ok(value)
            }
            (Some(Fault::Half), Reply::Json(200, value)) => Reply::Half(value),
            (_, reply) => reply,
        }
    }
}
