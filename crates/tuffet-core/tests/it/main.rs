//! Tests of the public interface, in one binary.

mod json;
mod spelling;
