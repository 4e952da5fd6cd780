//! Tests of the public interface, in one binary. Those of the client workflow are named after the rules of `docs/rules.md`.

mod json;
mod listed;
mod root;
mod rotation;
mod snapshot;
mod spelling;
mod timestamp;
mod world;
