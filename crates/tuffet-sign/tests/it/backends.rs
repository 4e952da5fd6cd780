//! What signs and is not believed: backends that break their word, blocking and asynchronous.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use tuffet_core::crypto::{Scheme, signed_message};
use tuffet_sign::{
    AsyncSigner, AsyncSigningBackend, FileKey, OnThread, PublicKeyInfo, SignError, Signer, Signing,
    SigningBackend, try_out,
};

/// What a backend makes in place of the signature that it is asked for.
type Lie = fn(&FileKey, &FileKey, &[u8]) -> Result<Vec<u8>, SignError>;

/// A backend that has two keys, declares the first, and signs as it likes.
struct Backend {
    keys: [FileKey; 2],
    sign: Lie,
    /// How often it was asked for a signature.
    asked: AtomicUsize,
}

impl Backend {
    fn new(sign: Lie) -> Self {
        Self {
            keys: [(); 2].map(|()| FileKey::generate(Scheme::Ed25519).unwrap()),
            sign,
            asked: AtomicUsize::new(0),
        }
    }
}

impl SigningBackend for Backend {
    fn public_key(&self) -> &PublicKeyInfo {
        self.keys[0].public()
    }

    fn sign_unconfirmed(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        (self.sign)(&self.keys[0], &self.keys[1], message)
    }
}

/// The same for those who wait asynchronously, with nothing to wait for.
struct AsyncBackend(Backend);

impl AsyncSigningBackend for AsyncBackend {
    fn public_key(&self) -> &PublicKeyInfo {
        self.0.public_key()
    }

    fn sign_unconfirmed<'a>(&'a self, message: &'a [u8]) -> Signing<'a, Vec<u8>> {
        Box::pin(async move { self.0.sign_unconfirmed(message) })
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

/// What each way to a signature comes to.
fn every_way(sign: Lie) -> Vec<(&'static str, Result<(), SignError>)> {
    let backend = || Backend::new(sign);
    let [signer, boxed]: [Box<dyn Signer>; 2] = [
        Box::new(backend()),
        Box::new(Box::new(backend()) as Box<dyn SigningBackend>),
    ];
    let on_thread = OnThread::new(backend());
    let in_box: Box<dyn AsyncSigner> = Box::new(AsyncBackend(backend()));
    vec![
        ("sign", signer.sign(b"message").map(drop)),
        ("canonical", signer.sign_canonical(b"message").map(drop)),
        ("try_out", try_out(&*signer)),
        ("boxed", boxed.sign(b"message").map(drop)),
        (
            "on a thread",
            block_on(on_thread.sign(b"message")).map(drop),
        ),
        (
            "canonical on a thread",
            block_on(on_thread.sign_canonical(b"message")).map(drop),
        ),
        ("asynchronous", block_on(in_box.sign(b"message")).map(drop)),
        (
            "canonical, asynchronous",
            block_on(in_box.sign_canonical(b"message")).map(drop),
        ),
    ]
}

#[test]
fn no_backend_gets_a_signature_out_that_does_not_verify() {
    let lies: [(&str, Lie); 5] = [
        ("another key", |_, other, message| {
            other.sign_unconfirmed(message)
        }),
        ("another message", |own, _, _| own.sign_unconfirmed(b"")),
        ("another bit", |own, _, message| {
            let mut signature = own.sign_unconfirmed(message)?;
            signature[10] ^= 1;
            Ok(signature)
        }),
        ("nothing", |_, _, _| Ok(Vec::new())),
        ("the message", |_, _, message| Ok(message.to_vec())),
    ];
    for (lie, sign) in lies {
        for (way, result) in every_way(sign) {
            let code = result.map_err(|error| error.code());
            assert_eq!(code, Err("key.mismatch"), "{lie}: {way}");
        }
    }
    for (way, result) in every_way(|own, _, message| own.sign_unconfirmed(message)) {
        assert!(result.is_ok(), "the truth: {way}: {result:?}");
    }
    for (way, result) in every_way(|_, _, _| {
        Err(SignError::Scheme {
            scheme: Scheme::MlDsa44,
        })
    }) {
        let code = result.map_err(|error| error.code());
        assert_eq!(code, Err("key.scheme"), "an error of its own: {way}");
    }
}

#[test]
fn a_backend_is_asked_once_for_each_signature_however_it_is_wrapped() {
    let backend = Box::new(Box::new(Backend::new(|own, _, message| {
        own.sign_unconfirmed(message)
    })));
    backend.sign(b"message").unwrap();
    assert_eq!(backend.asked.load(Ordering::Relaxed), 1);
}

/// A backend that declares one of two keys of different schemes, now this and now that.
struct Fickle {
    keys: [FileKey; 2],
    asked: AtomicUsize,
}

impl SigningBackend for Fickle {
    fn public_key(&self) -> &PublicKeyInfo {
        self.keys[self.asked.fetch_add(1, Ordering::Relaxed) % 2].public()
    }

    fn sign_unconfirmed(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        self.keys[1].sign_unconfirmed(message)
    }
}

#[test]
fn tap21_a_key_confirms_only_the_message_that_its_own_scheme_makes() {
    let signer = |begin: usize| Fickle {
        keys: [Scheme::Ed25519, Scheme::MlDsa44].map(|scheme| FileKey::generate(scheme).unwrap()),
        asked: AtomicUsize::new(begin),
    };
    let error = signer(0).sign_canonical(b"{}").unwrap_err();
    assert_eq!(error.code(), "key.mismatch");
    let signer = signer(1);
    let signature = signer.sign_canonical(b"{}").unwrap();
    let key = signer.keys[1].public();
    assert_eq!(signature.scheme(), Scheme::MlDsa44);
    assert_eq!(signature.public(), key.public());
    let message = signed_message(Scheme::MlDsa44, b"{}", tuffet_crypto::default_provider());
    assert_eq!(
        key.confirm(&message, signature.as_bytes()).unwrap(),
        signature
    );
    assert!(key.confirm(b"{}", signature.as_bytes()).is_err());
}
