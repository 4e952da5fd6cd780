//! The rule book of the client, rule by rule: every test is named after the id of the rule it proves.

mod agreement;
mod attacks;
mod canonical;
mod documents;
mod download;
mod envelope;
mod format;
mod keys;
mod listed;
mod properties;
mod root;
mod rotation;
mod search;
mod signatures;
mod snapshot;
mod store;
mod timestamp;
mod tolerances;
mod world;
