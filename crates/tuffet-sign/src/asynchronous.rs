//! Signing without blocking the thread that waits for the signature.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::thread;

use tuffet_core::crypto::signed_message;

use crate::error::SignError;
use crate::signer::{ConfirmedSignature, PublicKeyInfo, SigningBackend};

/// A signature that is on its way: a confirmed one, or the bytes that a backend makes.
pub type Signing<'a, S = ConfirmedSignature> =
    Pin<Box<dyn Future<Output = Result<S, SignError>> + Send + 'a>>;

/// One private key, wherever it is kept, for programs that wait asynchronously: the twin of [`Signer`](crate::Signer).
///
/// No runtime is needed or chosen. Whatever is an [`AsyncSigningBackend`] is such a signer, and nothing else; a blocking one
/// becomes one by [`OnThread`].
///
/// ```
/// use std::pin::pin;
/// use std::sync::Arc;
/// use std::task::{Context, Poll, Wake, Waker};
/// use tuffet_core::crypto::Scheme;
/// use tuffet_sign::{AsyncSigner, FileKey, OnThread};
///
/// # /// The smallest executor there is: it parks its thread until it is woken.
/// # struct Unpark(std::thread::Thread);
/// # impl Wake for Unpark {
/// #     fn wake(self: Arc<Self>) {
/// #         self.0.unpark();
/// #     }
/// # }
/// # fn block_on<F: Future>(future: F) -> F::Output {
/// #     let mut future = pin!(future);
/// #     let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
/// #     loop {
/// #         match future.as_mut().poll(&mut Context::from_waker(&waker)) {
/// #             Poll::Ready(output) => return output,
/// #             Poll::Pending => std::thread::park(),
/// #         }
/// #     }
/// # }
/// # fn main() -> Result<(), tuffet_sign::SignError> {
/// let key = OnThread::new(FileKey::generate(Scheme::Ed25519)?);
/// let signature = block_on(async { key.sign(b"message").await })?;
/// assert_eq!(signature.public(), key.public().public());
/// # Ok(())
/// # }
/// ```
pub trait AsyncSigner: AsyncSigningBackend {
    /// The public half, as metadata lists it.
    fn public(&self) -> &PublicKeyInfo;

    /// Signs `message` as it is; what [`Signer::sign`](crate::Signer::sign) says holds here too.
    fn sign<'a>(&'a self, message: &'a [u8]) -> Signing<'a>;

    /// Signs the canonical form of a `signed` object, as [`Signer::sign_canonical`](crate::Signer::sign_canonical) does.
    fn sign_canonical<'a>(&'a self, canonical: &'a [u8]) -> Signing<'a>;
}

/// What can sign with one private key without blocking: the twin of [`SigningBackend`], and believed as little.
pub trait AsyncSigningBackend: Send + Sync {
    /// The public key that it declares: every signature has to verify against this one.
    fn public_key(&self) -> &PublicKeyInfo;

    /// Makes a signature that nobody has verified, as [`SigningBackend::sign_unconfirmed`] does.
    fn sign_unconfirmed<'a>(&'a self, message: &'a [u8]) -> Signing<'a, Vec<u8>>;
}

impl<B: AsyncSigningBackend> AsyncSigner for B {
    fn public(&self) -> &PublicKeyInfo {
        self.public_key()
    }

    fn sign<'a>(&'a self, message: &'a [u8]) -> Signing<'a> {
        Box::pin(async move {
            let key = self.public_key();
            key.confirm(message, &self.sign_unconfirmed(message).await?)
        })
    }

    fn sign_canonical<'a>(&'a self, canonical: &'a [u8]) -> Signing<'a> {
        Box::pin(async move {
            // Asked for once: the message is made for the scheme of the key that confirms.
            let key = self.public_key();
            let crypto = tuffet_crypto::default_provider();
            let message = signed_message(key.scheme(), canonical, crypto);
            key.confirm(&message, &self.sign_unconfirmed(&message).await?)
        })
    }
}

impl<B: AsyncSigningBackend + ?Sized> AsyncSigningBackend for Box<B> {
    fn public_key(&self) -> &PublicKeyInfo {
        (**self).public_key()
    }

    fn sign_unconfirmed<'a>(&'a self, message: &'a [u8]) -> Signing<'a, Vec<u8>> {
        (**self).sign_unconfirmed(message)
    }
}

/// Makes a blocking signer asynchronous: each signature is made on a thread of its own.
///
/// A signature that nobody waits for any more is made all the same: a token cannot be told to stop.
#[derive(Debug)]
pub struct OnThread<S>(Arc<S>);

impl<S: SigningBackend + 'static> OnThread<S> {
    /// Takes the signer over.
    pub fn new(signer: S) -> Self {
        Self(Arc::new(signer))
    }
}

impl<S: SigningBackend + 'static> AsyncSigningBackend for OnThread<S> {
    fn public_key(&self) -> &PublicKeyInfo {
        self.0.public_key()
    }

    fn sign_unconfirmed<'a>(&'a self, message: &'a [u8]) -> Signing<'a, Vec<u8>> {
        let (signer, message) = (Arc::clone(&self.0), message.to_vec());
        // Nothing is begun before somebody waits.
        Box::pin(async move {
            let scheme = signer.public_key().scheme();
            let over = Thread::start(move || signer.sign_unconfirmed(&message));
            let lost = SignError::Failed {
                what: "sign on another thread",
                scheme,
            };
            over.await.unwrap_or(Err(lost))
        })
    }
}

/// What a thread leaves behind, and who is to be told.
#[derive(Default)]
struct Outcome {
    result: Option<Result<Vec<u8>, SignError>>,
    over: bool,
    waker: Option<Waker>,
}

/// A thread at work.
struct Thread(Arc<Mutex<Outcome>>);

impl Thread {
    fn start(work: impl FnOnce() -> Result<Vec<u8>, SignError> + Send + 'static) -> Self {
        let outcome = Arc::new(Mutex::new(Outcome::default()));
        let end = End(Arc::clone(&outcome));
        // A thread that does not start drops `end`, and that is the end of it.
        let _ = thread::Builder::new().spawn(move || {
            let result = work();
            lock(&end.0).result = Some(result);
        });
        Self(outcome)
    }
}

/// Tells whoever waits, also when the thread panics.
struct End(Arc<Mutex<Outcome>>);

impl Drop for End {
    fn drop(&mut self) {
        let waker = {
            let mut outcome = lock(&self.0);
            outcome.over = true;
            outcome.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

/// What the thread came to; `None` if it never started, or panicked.
impl Future for Thread {
    type Output = Option<Result<Vec<u8>, SignError>>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut outcome = lock(&self.0);
        if outcome.over {
            return Poll::Ready(outcome.result.take());
        }
        outcome.waker = Some(context.waker().clone());
        Poll::Pending
    }
}

fn lock(outcome: &Mutex<Outcome>) -> std::sync::MutexGuard<'_, Outcome> {
    outcome.lock().unwrap_or_else(PoisonError::into_inner)
}
