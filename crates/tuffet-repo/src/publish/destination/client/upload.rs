//! Sends the bytes of targets: hashed while they are read, and in parts if they are long, so that memory stays bounded.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::PathBuf;

use futures_util::TryStreamExt;
use futures_util::stream::BoxStream;
use object_store::{
    ObjectStore as _, ObjectStoreExt as _, PutMode, PutMultipartOptions, WriteMultipart,
};
use tuffet_core::crypto::{Digest, HashAlgorithm};

use super::Client;
use super::served::attributes;
use crate::Error;
use crate::write::Address;

/// The length of a part, and of what is sent without parts.
pub(super) const PART: u64 = 8 << 20;

/// How many targets without parts are sent at the same time: together they take this many times [`PART`] bytes of memory.
pub(super) const SHORT_AT_ONCE: usize = 8;

/// How many parts of a target are on the way at the same time.
const PARTS_AT_ONCE: usize = 4;

/// S3 takes at most 10,000 parts.
const MOST_PARTS: u64 = 9_000;

impl Client {
    pub(super) async fn copy(
        &self,
        name: &str,
        from: &Address,
        length: u64,
        sha256: &Digest,
        sent: &(dyn Fn(u64) + Sync),
    ) -> Result<(), Error> {
        let mut source = Source::open(self, from).await?;
        let mut check = Check::new(length);
        let failed = |error| self.failed("cannot write", name, error);
        let changed = || Error::ContentChanged { at: from.clone() };
        if length <= PART {
            let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or(0));
            while let Some(piece) = source.next().await? {
                if !check.fits(&piece) {
                    return Err(changed());
                }
                bytes.extend_from_slice(&piece);
            }
            if !check.ends_with(sha256) {
                return Err(changed());
            }
            // The name holds the hash: whatever lies there under it is this, or was tampered with.
            let put = self.put(name, bytes, PutMode::Overwrite).await;
            put.map_err(failed)?;
            sent(length);
            return Ok(());
        }
        let options = PutMultipartOptions {
            attributes: attributes(name),
            ..PutMultipartOptions::default()
        };
        let upload = self
            .store
            .put_multipart_opts(&self.path(name)?, options)
            .await
            .map_err(failed)?;
        let part = PART.max(length.div_ceil(MOST_PARTS));
        let part = usize::try_from(part).unwrap_or(usize::MAX);
        let mut writer = WriteMultipart::new_with_chunk_size(upload, part);
        match fill(&mut writer, &mut source, &mut check, sent).await {
            Ok(true) if check.ends_with(sha256) => {
                writer.finish().await.map_err(failed)?;
                Ok(())
            }
            other => {
                // The object is as it was. If that fails too, parts stay that nobody sees, and the error to report is the first.
                let _ = writer.abort().await;
                match other {
                    Ok(_) => Err(changed()),
                    Err(Broken::Source(error)) => Err(error),
                    Err(Broken::Store(error)) => Err(failed(error)),
                }
            }
        }
    }
}

/// What broke an upload.
enum Broken {
    Source(Error),
    Store(object_store::Error),
}

/// Sends everything; `false` if it is longer than it should be.
async fn fill(
    writer: &mut WriteMultipart,
    source: &mut Source,
    check: &mut Check,
    sent: &(dyn Fn(u64) + Sync),
) -> Result<bool, Broken> {
    while let Some(piece) = source.next().await.map_err(Broken::Source)? {
        if !check.fits(&piece) {
            return Ok(false);
        }
        let free = writer.wait_for_capacity(PARTS_AT_ONCE).await;
        free.map_err(Broken::Store)?;
        writer.write(&piece);
        sent(piece.len() as u64);
    }
    Ok(true)
}

/// Length and hash of what was read so far.
struct Check {
    hasher: Box<dyn tuffet_core::crypto::Hasher>,
    left: u64,
}

impl Check {
    fn new(length: u64) -> Self {
        Self {
            hasher: tuffet_crypto::aws_lc().hasher(HashAlgorithm::Sha256),
            left: length,
        }
    }

    /// Takes a piece in, if it is not too long.
    fn fits(&mut self, piece: &[u8]) -> bool {
        self.hasher.update(piece);
        match self.left.checked_sub(piece.len() as u64) {
            Some(left) => {
                self.left = left;
                true
            }
            None => false,
        }
    }

    fn ends_with(self, sha256: &Digest) -> bool {
        self.left == 0 && self.hasher.finish() == *sha256
    }
}

/// Where bytes come from.
enum Source {
    File {
        path: PathBuf,
        file: File,
        buffer: Vec<u8>,
    },
    Object {
        name: String,
        pieces: BoxStream<'static, object_store::Result<bytes::Bytes>>,
    },
}

impl Source {
    async fn open(client: &Client, from: &Address) -> Result<Self, Error> {
        match from {
            Address::File(path) => Ok(Self::File {
                path: path.clone(),
                file: File::open(path).map_err(|error| Error::io("cannot read", path, error))?,
                buffer: vec![0; 1 << 18],
            }),
            Address::Object(object) => {
                let name = object.name();
                let path = client.path(name)?;
                let got = client.store.get(&path).await;
                let got = got.map_err(|error| client.failed("cannot read", name, error))?;
                Ok(Self::Object {
                    name: object.to_string(),
                    pieces: got.into_stream(),
                })
            }
        }
    }

    async fn next(&mut self) -> Result<Option<bytes::Bytes>, Error> {
        match self {
            // Reading a local file takes no time beside sending it, so it may keep the runtime waiting.
            Self::File { path, file, buffer } => loop {
                match file.read(buffer) {
                    Ok(0) => return Ok(None),
                    Ok(count) => {
                        let piece = buffer.get(..count).unwrap_or_default();
                        return Ok(Some(bytes::Bytes::copy_from_slice(piece)));
                    }
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) => return Err(Error::io("cannot read", path, error)),
                }
            },
            Self::Object { name, pieces } => {
                pieces.try_next().await.map_err(|error| Error::Store {
                    doing: "cannot read",
                    object: name.clone(),
                    source: Box::new(error),
                })
            }
        }
    }
}
