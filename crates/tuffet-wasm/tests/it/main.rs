//! The module in its hosts, beside the same code compiled for this machine.

mod collection;
mod hosts;
mod native;
mod server;
mod session;
