//! The client against whole repositories: published ones, made ones, and hostile ones.

mod corpus;
mod http;
mod quirks;
