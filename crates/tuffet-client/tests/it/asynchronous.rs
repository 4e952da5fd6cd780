//! The asynchronous updater: the same as the blocking one, and what is its own.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tuffet_client::transport::{
    AsyncTransport, BoxFuture, Chunks, Outcome, Request, TransportErrorKind as Kind,
};
use tuffet_client::{
    Destination, Fault, FixedClock, MapUpdater, MemoryStore, MemoryTransport, RepositoryMap,
    Source, Store, Updater,
};

use crate::repository::{NOW, Repository};
use crate::world::path;

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(future)
}

fn repository() -> Repository {
    let mut repository = Repository::with_target("app", &vec![7; 300_000]);
    repository.delegate("team", &["team/*"], false);
    repository.delegated_target("team", "team/app", b"team content");
    repository.publish();
    repository
}

fn served(repository: &Repository) -> MemoryTransport {
    let transport = MemoryTransport::new();
    for mirror in ["memory://one", "memory://two"] {
        repository.serve(&transport, mirror);
    }
    transport
}

fn updater(
    repository: &Repository,
    transport: impl AsyncTransport + 'static,
    store: impl Store + 'static,
) -> Updater {
    Updater::builder(repository.anchor(), store)
        .source(Source::at("memory://one"))
        .source(Source::at("memory://two"))
        .transport(Arc::new(transport))
        .clock(FixedClock(NOW))
        .build()
        .unwrap()
}

#[test]
fn it_refreshes_searches_proves_and_downloads() {
    let repository = repository();
    let transport = served(&repository);
    transport.fail(
        "memory://one/metadata/timestamp.json",
        Fault::Fatal(Kind::Connect),
    );
    let updater = updater(&repository, transport.clone(), MemoryStore::new());
    let directory = tempfile::tempdir().unwrap();
    let destination = Destination::below(directory.path());
    block_on(async {
        let view = updater.refresh().await.unwrap();
        assert_eq!(view.timestamp().version().number(), 2);
        let mut found = Vec::new();
        for name in ["app", "team/app"] {
            found.push(updater.find(&path(name)).await.unwrap());
        }
        assert_eq!(updater.proof(&found[1]).unwrap().steps.len(), 5);
        transport.fail(
            format!("memory://two/targets/{}", found[0].url_paths()[0]),
            Fault::Interrupted(200_000),
        );
        for done in updater.download_all(&found, &destination, 2).await {
            assert!(!done.unwrap().from_cache);
        }
        assert!(
            updater
                .download(&found[0], &destination)
                .await
                .unwrap()
                .from_cache
        );
        let error = updater.find(&path("absent")).await.unwrap_err();
        assert_eq!(error.code(), "target.not-found");
    });
    assert_eq!(
        std::fs::read(directory.path().join("app")).unwrap(),
        vec![7; 300_000]
    );
}

#[test]
fn it_reads_directories() {
    let repository = repository();
    let directory = tempfile::tempdir().unwrap();
    for (path, bytes) in repository.files() {
        let file = directory.path().join(path);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, bytes).unwrap();
    }
    let updater = Updater::builder(repository.anchor(), MemoryStore::new())
        .source(Source::at(directory.path().to_str().unwrap()))
        .clock(FixedClock(NOW))
        .build()
        .unwrap();
    let out = tempfile::tempdir().unwrap();
    block_on(async {
        let found = updater.find(&path("app")).await.unwrap();
        updater
            .download(&found, &Destination::below(out.path()))
            .await
            .unwrap();
        let roles = Arc::new(std::sync::Mutex::new(Vec::new()));
        let seen = Arc::clone(&roles);
        updater
            .audit(move |role| {
                seen.lock()
                    .unwrap()
                    .push(role.unwrap().role().role().to_string())
            })
            .await
            .unwrap();
        assert_eq!(*roles.lock().unwrap(), ["targets", "team"]);
    });
}

#[test]
fn refusals_are_the_same() {
    let repository = repository();
    let transport = served(&repository);
    for mirror in ["one", "two"] {
        transport.put(
            format!("memory://{mirror}/metadata/timestamp.json"),
            b"{}".to_vec(),
        );
    }
    let updater = updater(&repository, transport, MemoryStore::new());
    let error = block_on(updater.refresh()).unwrap_err();
    assert_eq!(error.code(), "format.timestamp");
    assert_eq!(error.attempts().len(), 2);
}

/// Sends the first piece of a target and then nothing more.
struct Stalling(MemoryTransport);

struct StallingChunks {
    chunks: Box<dyn Chunks>,
    stalled: bool,
}

impl AsyncTransport for Stalling {
    fn fetch<'a>(&'a self, request: &'a Request) -> BoxFuture<'a, Outcome<Box<dyn Chunks>>> {
        Box::pin(async {
            let outcome = AsyncTransport::fetch(&self.0, request).await;
            if !request.url.contains("/targets/") {
                return outcome;
            }
            outcome.map(|chunks| {
                Box::new(StallingChunks {
                    chunks,
                    stalled: false,
                }) as _
            })
        })
    }
}

impl Chunks for StallingChunks {
    fn next(
        &mut self,
    ) -> BoxFuture<'_, Option<Result<bytes::Bytes, tuffet_client::transport::TransportError>>> {
        if std::mem::replace(&mut self.stalled, true) {
            return Box::pin(std::future::pending());
        }
        self.chunks.next()
    }
}

#[test]
fn a_dropped_future_ends_its_operation_and_keeps_what_has_arrived() {
    let repository = repository();
    let transport = served(&repository);
    let store = MemoryStore::new();
    let updater = updater(&repository, Stalling(transport.clone()), store.clone());
    let directory = tempfile::tempdir().unwrap();
    let destination = Destination::below(directory.path());
    let partial = || {
        let file = files(directory.path())
            .into_iter()
            .find(|name| name.ends_with(".part"))?;
        let length = directory.path().join(file).metadata().ok()?.len();
        (length > 0).then_some(length)
    };
    block_on(async {
        let found = updater.find(&path("app")).await.unwrap();
        let mut download = Box::pin(updater.download(&found, &destination));
        // Until the first piece is on the disk.
        std::future::poll_fn(|cx| {
            assert!(download.as_mut().poll(cx).is_pending());
            if partial().is_some() {
                return std::task::Poll::Ready(());
            }
            cx.waker().wake_by_ref();
            std::task::Poll::Pending
        })
        .await;
        drop(download);
    });
    // The runtime has waited for the thread of the operation.
    let arrived = partial();
    assert!(arrived.is_some());
    assert!(!files(directory.path()).contains(&"app".to_owned()));

    transport.take_requests();
    let updater = self::updater(&repository, transport.clone(), store);
    block_on(async {
        let found = updater.find(&path("app")).await.unwrap();
        updater.download(&found, &destination).await.unwrap();
    });
    let last = transport.take_requests().pop().unwrap();
    assert_eq!(last.resume.map(|resume| resume.offset), arrived);
    assert_eq!(files(directory.path()), ["app"]);
}

fn files(directory: &std::path::Path) -> Vec<String> {
    std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

#[test]
fn repositories_agree_asynchronously_too() {
    let repository = repository();
    let map = RepositoryMap::parse(
        br#"{"repositories": {"a": ["memory://one"], "b": ["memory://two"]},
        "mapping": [{"paths": ["*"], "repositories": ["a", "b"], "threshold": 2, "terminating": true}]}"#,
    )
    .unwrap();
    let transport = served(&repository);
    let updaters = ["a", "b"].map(|name| {
        (
            name.to_owned(),
            updater(&repository, transport.clone(), MemoryStore::new()),
        )
    });
    let updater = MapUpdater::new(map, updaters).unwrap();
    let directory = tempfile::tempdir().unwrap();
    block_on(async {
        let agreed = updater.find(&path("app")).await.unwrap();
        assert_eq!(agreed.repositories.len(), 2);
        updater
            .download(&agreed, &Destination::below(directory.path()))
            .await
            .unwrap();
    });
}

#[test]
fn a_refresh_that_takes_too_long_ends() {
    let repository = repository();
    let limited = |deadline| {
        let updater = Updater::builder(repository.anchor(), MemoryStore::new())
            .source(Source::at("memory://one"))
            .transport(Arc::new(served(&repository)))
            .clock(FixedClock(NOW))
            .deadline(deadline)
            .build()
            .unwrap();
        block_on(updater.refresh())
    };
    let error = limited(Some(Duration::ZERO)).unwrap_err();
    assert_eq!(error.code(), "network.deadline");
    limited(None).unwrap();
}
