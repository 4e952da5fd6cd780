//! Tests of the public interface, in one binary. Those of the client workflow are named after the rules of `docs/rules.md`.

mod agreement;
mod attacks;
mod audit;
mod canonical;
mod documents;
mod download;
mod envelope;
mod errors;
mod format;
mod json;
mod keys;
mod listed;
mod phases;
mod properties;
mod root;
mod rotation;
mod search;
mod signatures;
mod snapshot;
mod spelling;
mod store;
mod timestamp;
mod tolerances;
