//! Refreshing, searching and downloading: from one repository, or from several that have to agree.

use std::collections::BTreeMap;

use tuffet_client::blocking::Updater;
use tuffet_client::{Destination, Error, Notice, Subject};
use tuffet_core::metadata::TargetPath;
use tuffet_core::trust::{
    Agreement, Event, Found, Mapping, Policy, Rejected, RepositoryMap, TrustedView,
};

use super::{Got, PARALLEL};
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
    pub(super) app: &'a App,
}

/// The result for one target.
type Result1 = Result<Got, Failure>;

impl Job<'_> {
    /// Gets the targets; the results are in no particular order.
    ///
    /// # Errors
    /// What keeps all of them from being got.
    pub(super) fn run(&self, paths: &[&TargetPath]) -> Result<Vec<Result1>, Failure> {
        match (self.entry.map()?, self.entry.repositories.as_slice()) {
            (Some(map), _) => self.agreed(&map, paths),
            (None, [source]) => self.single(source, paths),
            (None, _) => Err(Failure::usage(
                "several repositories stand under the name, and no map",
            )),
        }
    }

    fn single(&self, source: &Source, paths: &[&TargetPath]) -> Result<Vec<Result1>, Failure> {
        let progress = Progress::new(&self.app.console);
        let updater = self.updater(source, &progress)?;
        let view = updater.refresh().map_err(|error| Failure::from(&error))?;
        self.say_verified(&view);
        let mut results = Vec::new();
        let mut all = Vec::new();
        for path in paths {
            match updater.find(path) {
                Ok(found) => all.push(found),
                Err(error) => results.push(Err(Failure::from(&error))),
            }
        }
        let downloads = updater.download_all(&all, self.destination, PARALLEL);
        progress.clear();
        for (found, download) in all.into_iter().zip(downloads) {
            results.push(self.got(&source.name, &updater, found, download));
        }
        Ok(results)
    }

    fn got(
        &self,
        repository: &str,
        updater: &Updater,
        found: Found,
        download: Result<tuffet_client::Downloaded, Error>,
    ) -> Result1 {
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
    fn agreed(&self, map: &RepositoryMap, paths: &[&TargetPath]) -> Result<Vec<Result1>, Failure> {
        let progress = Progress::new(&self.app.console);
        let mut updaters = BTreeMap::new();
        for source in &self.entry.repositories {
            updaters.insert(source.name.as_str(), self.updater(source, &progress)?);
        }
        let results = paths
            .iter()
            .map(|path| self.agreed_one(map, &updaters, path))
            .collect();
        progress.clear();
        Ok(results)
    }

    fn agreed_one(
        &self,
        map: &RepositoryMap,
        updaters: &BTreeMap<&str, Updater>,
        path: &TargetPath,
    ) -> Result1 {
        let mut last = None;
        for mapping in map.mappings_for(path) {
            match self.ask(mapping, updaters, path) {
                Ok(got) => return Ok(got),
                Err(failure) => last = Some(failure),
            }
        }
        Err(last.unwrap_or_else(|| {
            Failure::from(&Rejected::NotFound {
                path: path.clone(),
                searched: 0,
                limit: false,
            })
            .cause("no entry of the map covers the path")
        }))
    }

    fn ask(
        &self,
        mapping: &Mapping,
        updaters: &BTreeMap<&str, Updater>,
        path: &TargetPath,
    ) -> Result1 {
        let mut agreement = Agreement::new(mapping, path.clone());
        let mut silent = Vec::new();
        for name in &mapping.repositories {
            let Some(updater) = updaters.get(name.as_str()) else {
                continue;
            };
            let answer = match updater.view() {
                Some(_) => updater.find(path),
                None => updater.refresh().and_then(|view| {
                    self.say_verified(&view);
                    updater.find(path)
                }),
            };
            match answer {
                Ok(found) => agreement.add(name, found),
                Err(error) => silent.push(format!("{name}: {error}")),
            }
        }
        let agreed = agreement.decide().map_err(|rejected| {
            silent
                .iter()
                .fold(Failure::from(&rejected), |failure, silent| {
                    failure.cause(silent)
                })
        })?;
        let mut last = None;
        for (name, found) in agreed {
            let Some(updater) = updaters.get(name.as_str()) else {
                continue;
            };
            let download = updater.download(found, self.destination);
            match self.got(name, updater, found.clone(), download) {
                Ok(got) => return Ok(got),
                Err(failure) => last = last.or(Some(failure)),
            }
        }
        Err(last
            .unwrap_or_else(|| Failure::usage("the map names repositories that are not set up")))
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
