//! Refreshing, searching and downloading: from one repository, or from several that have to agree.

use tuffet_client::blocking::{MapUpdater, Updater};
use tuffet_client::{Agreed, Destination, Downloaded, Error, Notice, Subject};
use tuffet_core::metadata::TargetPath;
use tuffet_core::trust::{Event, Found, Policy, RepositoryMap, TrustedView};

use super::{Got, Missed};
use crate::client;
use crate::console::Console;
use crate::failure::Failure;
use crate::moment;
use crate::progress::Progress;
use crate::run::App;
use crate::text::visible;
use crate::trusted::{Entry, Source};

/// What is to be got from the repositories under one name.
pub(super) struct Job<'a> {
    pub(super) entry: &'a Entry,
    pub(super) policy: &'a Policy,
    pub(super) destination: &'a Destination,
    pub(super) explain: bool,
    /// How many targets are downloaded at a time.
    pub(super) parallel: usize,
    pub(super) app: &'a App,
}

/// The result for one target.
type Outcome = Result<Got, Missed>;

impl Job<'_> {
    /// Gets the targets; the results are in no particular order.
    ///
    /// # Errors
    /// What keeps all of them from being got.
    pub(super) fn run(&self, paths: &[&TargetPath]) -> Result<Vec<Outcome>, Failure> {
        match (self.entry.map()?, self.entry.repositories.as_slice()) {
            (Some(map), _) => self.agreed(map, paths),
            (None, [source]) => self.single(source, paths),
            (None, _) => Err(Failure::usage(
                "several repositories stand under the name, and no map",
            )),
        }
    }

    fn single(&self, source: &Source, paths: &[&TargetPath]) -> Result<Vec<Outcome>, Failure> {
        let progress = Progress::new(&self.app.console);
        let updater = self.updater(source, &progress)?;
        let view = updater.refresh().map_err(|error| Failure::from(&error))?;
        self.say_verified(&view);
        let mut results = Vec::new();
        let mut all = Vec::new();
        for path in paths {
            match updater.find(path) {
                Ok(found) => all.push(found),
                Err(error) => results.push(Err(self.missed(path, Failure::from(&error)))),
            }
        }
        let downloads = updater.download_all(&all, self.destination, self.parallel);
        progress.clear();
        for (found, download) in all.into_iter().zip(downloads) {
            let path = found.path.clone();
            let got = self.got(&source.name, &updater, found, download);
            results.push(got.map_err(|failure| self.missed(&path, failure)));
        }
        Ok(results)
    }

    fn missed(&self, path: &TargetPath, failure: Failure) -> Missed {
        Missed {
            repository: self.entry.name.clone(),
            paths: vec![path.clone()],
            failure: Box::new(failure),
        }
    }

    fn got(
        &self,
        repository: &str,
        updater: &Updater,
        found: Found,
        download: Result<Downloaded, Error>,
    ) -> Result<Got, Failure> {
        let downloaded = download.map_err(|error| Failure::from(&error))?;
        let proof = self.explain.then(|| updater.proof(&found)).transpose();
        Ok(Got {
            repository: repository.to_owned(),
            downloaded,
            proof: proof.map_err(|error| Failure::from(&error))?,
            found,
        })
    }

    /// Several repositories (TAP 4): a target is got when as many as the map asks for say the same about it.
    fn agreed(&self, map: RepositoryMap, paths: &[&TargetPath]) -> Result<Vec<Outcome>, Failure> {
        let progress = Progress::new(&self.app.console);
        let mut updaters = Vec::new();
        for source in &self.entry.repositories {
            updaters.push((source.name.clone(), self.updater(source, &progress)?));
        }
        let updaters = MapUpdater::new(map, updaters).map_err(|error| Failure::from(&error))?;
        let one = |path: &TargetPath| {
            let agreed = updaters.find(path).map_err(|error| Failure::from(&error))?;
            let download = updaters.download(&agreed, self.destination);
            self.got_agreed(&updaters, agreed, download)
        };
        let results = paths
            .iter()
            .map(|path| one(path).map_err(|failure| self.missed(path, failure)))
            .collect();
        progress.clear();
        for view in updaters
            .updaters()
            .filter_map(|(_, updater)| updater.view())
        {
            self.say_verified(&view);
        }
        Ok(results)
    }

    /// The proof is that of the first repository; the others say the same.
    fn got_agreed(
        &self,
        updaters: &MapUpdater,
        agreed: Agreed,
        download: Result<Downloaded, Error>,
    ) -> Result<Got, Failure> {
        let first = agreed.repositories.into_iter().next();
        let (name, found) = first.ok_or_else(|| Failure::usage("nobody agrees on the target"))?;
        let updater = updaters
            .updater(&name)
            .ok_or_else(|| Failure::usage("a repository of the map is not set up"))?;
        self.got(&name, updater, found, download)
    }

    fn updater(&self, source: &Source, progress: &Progress) -> Result<Updater, Failure> {
        let (console, progress) = (self.app.console.clone(), progress.clone());
        let builder = client::updater(&self.entry.name, source, self.policy, self.app)?;
        builder
            .observer(move |notice: &Notice<'_>| watch(notice, &console, &progress))
            .build()
            .map_err(|error| Failure::from(&error))
    }

    fn say_verified(&self, view: &TrustedView) {
        self.app.console.status(
            "Verified",
            format!(
                "root v{} → timestamp v{} → snapshot v{} → targets v{}",
                view.root().version(),
                view.timestamp().version(),
                view.snapshot().version(),
                view.targets().version()
            ),
        );
        let until = moment::both(view.fresh_until(), self.app.now);
        self.app.console.detail(format!("expires {until}"));
    }
}

fn watch(notice: &Notice<'_>, console: &Console, progress: &Progress) {
    match notice {
        Notice::Progress {
            subject: Subject::Target(path),
            received,
            total,
        } => progress.at(path.as_str(), *received, *total),
        Notice::Event(event @ (Event::Equivocation { .. } | Event::ClockBack { .. })) => {
            console.warn(visible(&event.to_string()));
        }
        Notice::Event(Event::Tolerated { .. }) if console.verbose < 2 => {}
        Notice::Event(event) => console.detail(visible(&event.to_string())),
        Notice::Request { url } => console.detail(format!("GET {url}")),
        Notice::Pause { error, pause, .. } => {
            console.detail(format!("{error}; again in {} ms", pause.as_millis()));
        }
        Notice::MirrorFailed(attempt) => console.detail(format!("{attempt}")),
        _ => {}
    }
}
