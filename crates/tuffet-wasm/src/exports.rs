//! The functions of the module.
//!
//! Bytes go in through a buffer: `input(length)` makes room and says where, the host writes there, and the next function takes the
//! whole of it. What a function has to say is JSON in another buffer, at `output()` for `output_length()` bytes, until the next
//! call. Nothing here follows an address that the host gives.
#![allow(unsafe_code)]

use std::cell::RefCell;
use std::mem;

use tuffet_core::json::Value;
use tuffet_core::trust::Answer;

use crate::Session;

#[derive(Default)]
struct Module {
    input: Vec<u8>,
    output: Vec<u8>,
    session: Option<Session>,
}

thread_local! {
    static MODULE: RefCell<Module> = RefCell::default();
}

/// Does something with the session, and keeps what it says.
fn say(act: impl FnOnce(&mut Session, Vec<u8>) -> Value) {
    MODULE.with_borrow_mut(|module| {
        let input = mem::take(&mut module.input);
        module.output = match &mut module.session {
            Some(session) => act(session, input).to_compact_json(),
            None => {
                br#"{"error":{"class":"misuse","code":"misuse","message":"begin first"}}"#.to_vec()
            }
        };
    });
}

/// Makes room for this many bytes and says where. What was there is gone.
#[unsafe(no_mangle)]
pub extern "C" fn input(length: usize) -> *mut u8 {
    MODULE.with_borrow_mut(|module| {
        module.input = vec![0; length];
        module.input.as_mut_ptr()
    })
}

/// Where the output is.
#[unsafe(no_mangle)]
pub extern "C" fn output() -> *const u8 {
    MODULE.with_borrow(|module| module.output.as_ptr())
}

/// How long the output is.
#[unsafe(no_mangle)]
pub extern "C" fn output_length() -> usize {
    MODULE.with_borrow(|module| module.output.len())
}

/// Begins: the input is the root that is trusted, the time is in seconds since 1970.
#[unsafe(no_mangle)]
pub extern "C" fn begin(now: i64, strict: u32) {
    MODULE.with_borrow_mut(|module| {
        let anchor = mem::take(&mut module.input);
        let session = Session::new(anchor, now, strict != 0, tuffet_crypto::pure());
        module.session = Some(session);
        module.output = b"{}".to_vec();
    });
}

/// Says the next step.
#[unsafe(no_mangle)]
pub extern "C" fn step() {
    say(|session, _| session.step());
}

/// Answers the step with the input.
#[unsafe(no_mangle)]
pub extern "C" fn answer_bytes() {
    say(|session, input| session.answer(Answer::Bytes(input)));
}

/// Answers that there is no such file or item.
#[unsafe(no_mangle)]
pub extern "C" fn answer_absent() {
    say(|session, _| session.answer(Answer::Absent));
}

/// Answers that everything is stored.
#[unsafe(no_mangle)]
pub extern "C" fn answer_stored() {
    say(|session, _| session.answer(Answer::Stored));
}

/// The bytes of one write of a store step, as the output.
#[unsafe(no_mangle)]
pub extern "C" fn payload(place: usize) {
    MODULE.with_borrow_mut(|module| {
        let payload = module
            .session
            .as_ref()
            .and_then(|found| found.payload(place));
        module.output = payload.map(|bytes| bytes.to_vec()).unwrap_or_default();
    });
}

/// Begins to search the target whose path is the input.
#[unsafe(no_mangle)]
pub extern "C" fn find() {
    say(|session, input| session.find(&input));
}

/// Begins to check the bytes of the target that was found.
#[unsafe(no_mangle)]
pub extern "C" fn begin_target() {
    say(|session, _| session.begin_target());
}

/// Checks the input as the next bytes of the target.
#[unsafe(no_mangle)]
pub extern "C" fn target() {
    say(|session, input| session.target(&input));
}

/// Ends the check of the target.
#[unsafe(no_mangle)]
pub extern "C" fn end_target() {
    say(|session, _| session.end_target());
}
