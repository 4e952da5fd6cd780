//! The client's public interface: transports alone, and updaters against whole repositories, published ones, made ones and
//! hostile ones.

mod corpus;
mod http;
