//! Fetches, verifies, stores and downloads: the shell around `tuffet-core` that moves bytes.

pub mod transport;
