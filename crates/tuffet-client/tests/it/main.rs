//! The client's public interface: transports alone, and updaters against whole repositories, published ones, made ones and
//! hostile ones.

#[cfg(feature = "async")]
mod asynchronous;
mod corpus;
mod crash;
mod downloads;
#[cfg(feature = "http")]
mod http;
#[cfg(unix)]
mod kill;
mod maps;
mod mirrors;
mod modes;
mod quirks;
mod repository;
#[cfg(feature = "http")]
mod secrets;
mod stores;
mod world;
