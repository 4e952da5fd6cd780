//! The blocking updater.

use std::fmt;
use std::sync::Arc;

use tuffet_core::metadata::TargetPath;
use tuffet_core::trust::{AuditedRole, Found, Proof, Rejected, TrustAnchor, TrustedView};

use crate::download::{self, Destination, Downloaded};
use crate::engine::{Engine, Link};
use crate::transport::Transport;
use crate::{Agreed, CancelToken, DefaultTransport, Error, Store};

/// Searches and downloads with one [`Updater`] for each repository of a map file.
pub type MapUpdater = crate::map::MapUpdater<Updater>;

/// Puts an [`Updater`] together.
pub type Builder = crate::builder::Builder<dyn Transport>;

/// Keeps one repository's trusted metadata current and downloads its targets.
///
/// It can be shared between threads. Operations that write to the store exclude each other, across processes too.
pub struct Updater {
    engine: Engine,
    transports: Vec<Arc<dyn Transport>>,
    cancel: CancelToken,
}

impl Updater {
    /// Begins to put an updater together: where trust begins, and where what is trusted is kept.
    #[must_use]
    pub fn builder(anchor: TrustAnchor, store: impl Store + 'static) -> Builder {
        Builder::new(anchor, store)
    }

    /// Brings the top-level metadata up to date and verifies it (TUF §5). May be repeated.
    ///
    /// # Errors
    /// [`Error::Rejected`] if the repository must not be trusted, [`Error::Unavailable`] if it cannot be reached,
    /// [`Error::Local`] if the store fails, [`Error::Cancelled`].
    pub fn refresh(&self) -> Result<TrustedView, Error> {
        self.engine.refresh(&self.link())
    }

    /// The outcome of the last refresh, with the delegated roles that searches have verified since.
    #[must_use]
    pub fn view(&self) -> Option<TrustedView> {
        self.engine.view()
    }

    /// Searches a target through the delegations (TUF §5.6.7), in the outcome of the last refresh; refreshes first if there is
    /// none, or if something in it has expired since (C-01 holds for one update, not for as long as a program runs).
    ///
    /// # Errors
    /// As for [`refresh`](Self::refresh); that no role lists the target is [`Rejected::NotFound`].
    pub fn find(&self, path: &TargetPath) -> Result<Found, Error> {
        self.engine.find(&self.link(), path)
    }

    /// Why a target that was found in the outcome of the last refresh is trusted.
    ///
    /// # Errors
    /// [`Error::Misuse`] if there was no refresh, or if the metadata has changed since the target was found.
    pub fn proof(&self, found: &Found) -> Result<Proof, Error> {
        self.engine.proof(found)
    }

    /// Brings a target to its destination: downloads it and verifies it on the way, or finds that it is there already.
    ///
    /// Nothing appears at the destination before it is verified. When the network fails, what has arrived is kept beside the
    /// destination, and the next download of the same target goes on from there, in another process too.
    ///
    /// # Errors
    /// [`Error::Rejected`] if no mirror has the right bytes, [`Error::Unavailable`] if none can be reached, [`Error::Local`] if the
    /// target cannot be put there, [`Error::Cancelled`].
    pub fn download(&self, found: &Found, destination: &Destination) -> Result<Downloaded, Error> {
        download::download(&self.engine, &self.link(), found, destination)
    }

    /// Downloads several targets, up to `parallel` at a time. The results are in the order of the targets.
    #[must_use]
    pub fn download_all(
        &self,
        found: &[Found],
        destination: &Destination,
        parallel: usize,
    ) -> Vec<Result<Downloaded, Error>> {
        download::download_all(&self.engine, &self.link(), found, destination, parallel)
    }

    /// Verifies every role of the last refresh that can be reached by delegation, for audits and listings: the top-level targets
    /// role, then the others as they are fetched, good or bad.
    ///
    /// # Errors
    /// As for [`refresh`](Self::refresh), but a role that must not be trusted is no error: `visit` is told.
    pub fn audit(
        &self,
        mut visit: impl FnMut(Result<AuditedRole, Box<Rejected>>),
    ) -> Result<(), Error> {
        self.engine.audit(&self.link(), &mut visit)
    }

    fn link(&self) -> Link<'_> {
        Link::new(&self.transports, self.cancel.clone())
    }
}

impl Builder {
    /// The updater. Nothing is read or fetched yet.
    ///
    /// # Errors
    /// [`Error::Misuse`] if there is no source, or if one is neither a URL nor a path.
    pub fn build(self) -> Result<Updater, Error> {
        let (engine, transports, cancel) = self.finish(|| Arc::new(DefaultTransport::new()))?;
        Ok(Updater {
            engine,
            transports,
            cancel,
        })
    }
}

impl fmt::Debug for Updater {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Updater")
            .field("sources", &self.engine.sources)
            .field("mode", &self.engine.mode)
            .finish_non_exhaustive()
    }
}

impl MapUpdater {
    /// Searches a target on which enough repositories agree (TAP 4).
    ///
    /// # Errors
    /// [`Rejected::Disagreement`] if too few agree, [`Rejected::NotFound`]
    /// if none has it, both with what each repository said; [`Error::Local`], [`Error::Cancelled`].
    pub fn find(&self, path: &TargetPath) -> Result<Agreed, Error> {
        let mut consulting = self.consult(path);
        while let Some(repository) = consulting.next() {
            let found = self.named(&repository)?.find(path);
            consulting.answer(&repository, found)?;
        }
        consulting.finish()
    }

    /// Downloads a target from the first of the agreeing repositories that delivers it.
    ///
    /// # Errors
    /// As for [`Updater::download`], for the last repository that was asked.
    pub fn download(
        &self,
        agreed: &Agreed,
        destination: &Destination,
    ) -> Result<Downloaded, Error> {
        let mut failed = Error::Misuse("nobody agrees on the target");
        for (repository, found) in &agreed.repositories {
            match self.named(repository)?.download(found, destination) {
                Err(error @ (Error::Rejected(_) | Error::Unavailable(_))) => failed = error,
                result => return result,
            }
        }
        Err(failed)
    }
}
