//! The Update Framework: verification, pure and without I/O.
#![no_std]

extern crate alloc;

pub mod json;
