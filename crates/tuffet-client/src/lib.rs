//! Fetches, verifies, stores and downloads: the shell around `tuffet-core` that moves bytes.

#[cfg(any(feature = "http", feature = "async"))]
pub mod http;
pub mod transport;
