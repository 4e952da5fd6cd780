//! In the place of `client.rs` in builds without object stores: no value of this type exists.

use std::collections::BTreeMap;

use super::{Bucket, Listed};
use crate::Error;
use crate::targets::TargetEntry;
use crate::write::{Seen, WriteKind};

#[derive(Debug)]
pub(crate) enum Client {}

pub(crate) struct Got {
    pub(crate) bytes: Vec<u8>,
    pub(crate) seen: Seen,
}

impl Client {
    pub(super) fn open(bucket: &Bucket) -> Result<Self, Error> {
        Err(Error::StoreUnsupported(bucket.to_string()))
    }

    pub(crate) fn host(&self) -> Option<&str> {
        match *self {}
    }

    pub(crate) fn get(&self, _: &str) -> Result<Option<Got>, Error> {
        match *self {}
    }

    pub(crate) fn get_all(&self, _: &[String]) -> Result<Vec<Option<Vec<u8>>>, Error> {
        match *self {}
    }

    pub(crate) fn list(&self, _: &str) -> Result<BTreeMap<String, Listed>, Error> {
        match *self {}
    }

    pub(crate) fn hold(&self, _: &[(String, &TargetEntry)]) -> Result<Vec<bool>, Error> {
        match *self {}
    }

    pub(crate) fn apply_all(
        &self,
        _: &[(&str, &WriteKind)],
        _: &(dyn Fn(u64) + Sync),
    ) -> Result<(), Error> {
        match *self {}
    }
}
