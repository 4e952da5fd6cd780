//! The asynchronous updater.
//!
//! An operation runs on a thread for blocking work, where hashing, verification and durable writes belong, and asks for bytes
//! through a bridge; the task that awaits the operation fetches them. So no thread of the runtime is ever held up, and there is
//! one way through a refresh for both updaters. Dropping the future drops the bridge, which ends the operation.

mod bridge;

use std::fmt;
use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::task::spawn_blocking;
use tuffet_core::metadata::TargetPath;
use tuffet_core::trust::{AuditedRole, Found, Proof, Rejected, TrustAnchor, TrustedView};

use crate::download::{self, Destination, Downloaded};
use crate::engine::{Engine, Link};
use crate::transport::AsyncTransport;
use crate::{Agreed, Builder, CancelToken, DefaultTransport, Error, MapUpdater, Store};
pub(crate) use bridge::fetch_blocking;

/// Keeps one repository's trusted metadata current and downloads its targets, in a tokio runtime. Clones are the same updater.
///
/// Operations that write to the store exclude each other, across processes too. Dropping a future cancels its operation.
#[derive(Clone)]
pub struct Updater(Arc<Inner>);

struct Inner {
    engine: Engine,
    transports: Vec<Arc<dyn AsyncTransport>>,
    cancel: CancelToken,
}

impl Updater {
    /// Begins to put an updater together: where trust begins, and where what is trusted is kept.
    #[must_use]
    pub fn builder(
        anchor: TrustAnchor,
        store: impl Store + 'static,
    ) -> Builder<dyn AsyncTransport> {
        Builder::new(anchor, store)
    }

    /// Brings the top-level metadata up to date and verifies it (TUF §5). May be repeated.
    ///
    /// # Errors
    /// [`Error::Rejected`] if the repository must not be trusted, [`Error::Unavailable`] if it cannot be reached,
    /// [`Error::Local`] if the store fails, [`Error::Cancelled`].
    pub async fn refresh(&self) -> Result<TrustedView, Error> {
        self.run(|engine, link| engine.refresh(link)).await?
    }

    /// The outcome of the last refresh, with the delegated roles that searches have verified since.
    #[must_use]
    pub fn view(&self) -> Option<TrustedView> {
        self.0.engine.view()
    }

    /// Searches a target through the delegations (TUF §5.6.7), in the outcome of the last refresh; refreshes first if there is
    /// none, or if something in it has expired since (C-01 holds for one update, not for as long as a program runs).
    ///
    /// # Errors
    /// As for [`refresh`](Self::refresh); that no role lists the target is [`Rejected::NotFound`].
    pub async fn find(&self, path: &TargetPath) -> Result<Found, Error> {
        let path = path.clone();
        self.run(move |engine, link| engine.find(link, &path))
            .await?
    }

    /// Why a target that was found in the outcome of the last refresh is trusted.
    ///
    /// # Errors
    /// [`Error::Misuse`] if there was no refresh, or if the metadata has changed since the target was found.
    pub fn proof(&self, found: &Found) -> Result<Proof, Error> {
        self.0.engine.proof(found)
    }

    /// Brings a target to its destination: downloads it and verifies it on the way, or finds that it is there already.
    ///
    /// Nothing appears at the destination before it is verified. When the network fails or the future is dropped, what has
    /// arrived is kept beside the destination, and the next download of the same target goes on from there, in another process
    /// too.
    ///
    /// # Errors
    /// [`Error::Rejected`] if no mirror has the right bytes, [`Error::Unavailable`] if none can be reached, [`Error::Local`] if the
    /// target cannot be put there, [`Error::Cancelled`].
    pub async fn download(
        &self,
        found: &Found,
        destination: &Destination,
    ) -> Result<Downloaded, Error> {
        let (found, destination) = (found.clone(), destination.clone());
        self.run(move |engine, link| download::download(engine, link, &found, &destination))
            .await?
    }

    /// Downloads several targets, up to `parallel` at a time. The results are in the order of the targets.
    pub async fn download_all(
        &self,
        found: &[Found],
        destination: &Destination,
        parallel: usize,
    ) -> Vec<Result<Downloaded, Error>> {
        let (targets, destination) = (found.to_vec(), destination.clone());
        self.run(move |engine, link| {
            download::download_all(engine, link, &targets, &destination, parallel)
        })
        .await
        .unwrap_or_else(|_| found.iter().map(|_| Err(Error::Cancelled)).collect())
    }

    /// Verifies every role of the last refresh that can be reached by delegation, for audits and listings: the top-level targets
    /// role, then the others as they are fetched, good or bad.
    ///
    /// # Errors
    /// As for [`refresh`](Self::refresh), but a role that must not be trusted is no error: `visit` is told.
    pub async fn audit(
        &self,
        mut visit: impl FnMut(Result<AuditedRole, Box<Rejected>>) + Send + 'static,
    ) -> Result<(), Error> {
        self.run(move |engine, link| engine.audit(link, &mut visit))
            .await?
    }

    /// Runs an operation on a thread for blocking work, and meanwhile fetches what it asks for.
    async fn run<R: Send + 'static>(
        &self,
        operation: impl FnOnce(&Engine, &Link<'_>) -> R + Send + 'static,
    ) -> Result<R, Error> {
        let (asks, inbox) = mpsc::unbounded_channel();
        let inner = Arc::clone(&self.0);
        let cancel = CancelOnDrop(self.0.cancel.child());
        let token = cancel.0.clone();
        let job = spawn_blocking(move || {
            let bridges = bridge::bridges(inner.transports.len(), &asks);
            operation(&inner.engine, &Link::new(&bridges, token))
        });
        let result = bridge::serve(&self.0.transports, inbox, job).await;
        match result {
            Ok(result) => Ok(result),
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            // The runtime shuts down.
            Err(_) => Err(Error::Cancelled),
        }
    }
}

/// Ends the operation when nobody waits for it any more.
struct CancelOnDrop(CancelToken);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

impl Builder<dyn AsyncTransport> {
    /// The updater. Nothing is read or fetched yet.
    ///
    /// # Errors
    /// [`Error::Misuse`] if there is no source, or if one is neither a URL nor a path.
    pub fn build(self) -> Result<Updater, Error> {
        let (engine, transports, cancel) = self.finish(|| Arc::new(DefaultTransport::new()))?;
        Ok(Updater(Arc::new(Inner {
            engine,
            transports,
            cancel,
        })))
    }
}

impl fmt::Debug for Updater {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Updater")
            .field("sources", &self.0.engine.sources)
            .field("mode", &self.0.engine.mode)
            .finish_non_exhaustive()
    }
}

impl MapUpdater<Updater> {
    /// Searches a target on which enough repositories agree (TAP 4).
    ///
    /// # Errors
    /// [`Rejected::Disagreement`] if too few agree, [`Rejected::NotFound`] if none has it, both with what each repository said;
    /// [`Error::Local`], [`Error::Cancelled`].
    pub async fn find(&self, path: &TargetPath) -> Result<Agreed, Error> {
        let mut consulting = self.consult(path);
        while let Some(repository) = consulting.next() {
            let found = self.named(&repository)?.find(path).await;
            consulting.answer(&repository, found)?;
        }
        consulting.finish()
    }

    /// Downloads a target from the first of the agreeing repositories that delivers it.
    ///
    /// # Errors
    /// As for [`Updater::download`], for the last repository that was asked.
    pub async fn download(
        &self,
        agreed: &Agreed,
        destination: &Destination,
    ) -> Result<Downloaded, Error> {
        let mut failed = Error::Misuse("nobody agrees on the target");
        for (repository, found) in &agreed.repositories {
            match self.named(repository)?.download(found, destination).await {
                Err(error @ (Error::Rejected(_) | Error::Unavailable(_))) => failed = error,
                result => return result,
            }
        }
        Err(failed)
    }
}
