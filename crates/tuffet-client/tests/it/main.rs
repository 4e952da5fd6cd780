//! Tests of the client's public interface.

mod http;
