//! Tests of the public interface, in one binary. Those of the client workflow are named after the rules of `docs/rules.md`.

mod canonical;
mod documents;
mod format;
mod json;
mod keys;
mod listed;
mod root;
mod rotation;
mod signatures;
mod snapshot;
mod spelling;
mod store;
mod timestamp;
mod tolerances;
mod world;
