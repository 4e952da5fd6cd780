//! Both implementations against published vectors, edge cases, damaged input and each other.

mod agreement;
mod ecdsa;
mod hashes;
mod ml_dsa;
mod mutation;
mod repositories;
mod rsa;
mod support;
mod vectors;
