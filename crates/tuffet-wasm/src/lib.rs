//! The client workflow of TUF for hosts of WebAssembly.
//!
//! [`Session`] drives the state machines of `tuffet-core` and speaks JSON: it says what it needs next (a file of the repository, an
//! item of the store) and is handed bytes. It reads no clock, opens no connection and keeps no file, so that the same module runs
//! in a browser, in Node and in a service worker. `js/tuffet.mjs` is the host's half: it fetches, stores, and hands errors on.
//!
//! On `wasm32` the crate exports one session by plain functions, described in `exports`; there is one session in an instance
//! of the module, and a module can be instantiated as often as one likes.
//!
//! ```
//! use tuffet_wasm::{Answer, Session};
//!
//! let mut session = Session::new(b"not a root".to_vec(), 1_800_000_000, false, tuffet_crypto::pure());
//! assert_eq!(session.step().get("step").unwrap().as_str(), Some("load"));
//! let refused = session.answer(Answer::Absent);
//! let code = refused.get("error").unwrap().get("code").unwrap();
//! assert_eq!(code.as_str(), Some("format.root"));
//! ```

mod session;
mod shown;

#[cfg(target_arch = "wasm32")]
pub mod exports;

pub use session::Session;
pub use tuffet_core::trust::Answer;
