//! Where the audited repository is, and how its files are read.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tuffet_client::blocking::Updater;
use tuffet_client::transport::{Outcome, Request, Transport};
use tuffet_client::{Error, FixedClock, MemoryStore, Retry, Source, TrustAnchor};
use tuffet_core::metadata::{RoleName, UnixTime, Version};
use tuffet_core::trust::{Found, Policy, RemoteFile, TrustedView};

use crate::client;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::trusted;

/// How many bytes of a target are looked at in one go.
const BUFFER: usize = 128 * 1024;

/// A published repository.
pub(crate) struct Place {
    metadata: String,
    targets: String,
    directory: Option<PathBuf>,
    transport: Arc<dyn Transport>,
}

impl Place {
    /// A repository in a directory or at a URL.
    ///
    /// # Errors
    /// When the directory does not exist, or holds no metadata.
    pub(crate) fn new(place: &str, targets: Option<&str>) -> Result<Self, Failure> {
        let local = (!place.contains("://")).then(|| PathBuf::from(place));
        let (mut metadata, mut below) = trusted::bases(place)?;
        if let Some(directory) = &local
            && !directory.join("metadata").is_dir()
            && !place.trim_end_matches('/').ends_with("/metadata")
        {
            // A directory of metadata alone.
            metadata = trusted::url_of(place)?;
            below = format!("{metadata}/targets");
        }
        if let Some(targets) = targets {
            below = trusted::url_of(targets)?;
        }
        let directory =
            local.filter(|directory| targets.is_none() && directory.join("metadata").is_dir());
        Ok(Self {
            transport: Arc::new(client::transport(&[metadata.clone(), below.clone()])),
            metadata,
            targets: below,
            directory,
        })
    }

    /// The directory whose files can be listed, if it is one.
    pub(super) fn directory(&self) -> Option<&Path> {
        self.directory.as_deref()
    }

    /// Where targets are looked for, without what may be secret in the URL.
    pub(super) fn targets(&self) -> String {
        tuffet_client::without_secrets(&self.targets)
    }

    /// The first root of the repository: only a beginning for whoever has none to trust.
    ///
    /// # Errors
    /// `verify.layout` when there is none.
    pub(super) fn first_root(&self, limit: u64) -> Result<Vec<u8>, Failure> {
        for version in [Some(Version::FIRST), None] {
            let role = RoleName::Root;
            if let Some(bytes) = self.metadata(&RemoteFile { role, version }, limit)? {
                return Ok(bytes);
            }
        }
        let message = format!(
            "there is no 1.root.json below {}",
            tuffet_client::without_secrets(&self.metadata)
        );
        Err(Failure::new("verify.layout", Exit::NotFound, message))
    }

    /// Goes through the workflow of a client with nothing stored; the client can visit all roles then.
    ///
    /// # Errors
    /// What a client would refuse.
    pub(super) fn refresh(
        &self,
        root: &[u8],
        policy: &Policy,
        now: UnixTime,
    ) -> Result<(Updater, TrustedView), Box<Error>> {
        let updater = Updater::builder(TrustAnchor::Root(root.to_vec()), MemoryStore::new())
            .source(Source::new(&self.metadata, &self.targets))
            .transport(Arc::clone(&self.transport))
            .policy(policy.clone())
            .retry(Retry::never())
            // An audit takes as long as the repository is large.
            .deadline(None)
            .clock(FixedClock(now))
            .build()?;
        let view = updater.refresh()?;
        Ok((updater, view))
    }

    /// A metadata file; `None` if there is none. At most one byte more than the limit is read.
    ///
    /// # Errors
    /// When the place cannot be reached.
    pub(super) fn metadata(
        &self,
        file: &RemoteFile,
        limit: u64,
    ) -> Result<Option<Vec<u8>>, Failure> {
        let url = Source::new(&self.metadata, &self.targets).metadata_url(file);
        let Some(stream) = self.open(&url)? else {
            return Ok(None);
        };
        let mut bytes = Vec::new();
        stream
            .take(limit.saturating_add(1))
            .read_to_end(&mut bytes)
            .map_err(|error| interrupted(&url, &error))?;
        Ok(Some(bytes))
    }

    /// Checks the bytes of a target; `false` if there are none.
    ///
    /// # Errors
    /// When they are not the ones that were signed, or cannot be read.
    pub(super) fn check_target(&self, found: &Found) -> Result<bool, Failure> {
        let source = Source::new(&self.metadata, &self.targets);
        let urls = source
            .target_urls(found)
            .map_err(|error| Failure::from(&error))?;
        for url in urls {
            let Some(mut stream) = self.open(&url)? else {
                continue;
            };
            let mut check = found.check(tuffet_crypto::default_provider());
            let mut buffer = vec![0; BUFFER];
            loop {
                let read = stream
                    .read(&mut buffer)
                    .map_err(|error| interrupted(&url, &error))?;
                if read == 0 {
                    break;
                }
                let bytes = buffer.get(..read).unwrap_or_default();
                check
                    .update(bytes)
                    .map_err(|rejected| Failure::from(&rejected))?;
            }
            check
                .finish()
                .map_err(|rejected| Failure::from(&rejected))?;
            return Ok(true);
        }
        Ok(false)
    }

    fn open(&self, url: &str) -> Result<Option<Box<dyn Read + Send>>, Failure> {
        match self.transport.fetch(&Request::new(url)) {
            Outcome::Found(body) => Ok(Some(body.stream)),
            Outcome::Absent => Ok(None),
            Outcome::Retryable(error) | Outcome::Fatal(error) => Err(Failure::new(
                error.kind.code(),
                Exit::Network,
                error.to_string(),
            )),
        }
    }
}

fn interrupted(url: &str, error: &std::io::Error) -> Failure {
    let message = format!("{} broke off", tuffet_client::without_secrets(url));
    Failure::new("network.interrupted", Exit::Network, message).cause(error)
}
