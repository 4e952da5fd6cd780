//! What a host can do wrong, and how it is told.

use tuffet_wasm::{Answer, Session};

fn session() -> Session {
    Session::new(b"{}".to_vec(), 1_800_000_000, false, tuffet_crypto::pure())
}

fn code(said: &tuffet_core::json::Value) -> Option<&str> {
    said.get("error")?.get("code")?.as_str()
}

#[test]
fn what_does_not_fit_the_step_is_refused_and_the_step_stands() {
    let mut session = session();
    let before = session.step();
    assert_eq!(code(&session.answer(Answer::Stored)), Some("misuse"));
    assert_eq!(session.step(), before);
    assert_eq!(session.payload(0), None);
}

#[test]
fn nothing_is_searched_or_checked_before_there_is_a_view() {
    let mut session = session();
    for said in [
        session.find(b"a"),
        session.begin_target(),
        session.target(b"a"),
        session.end_target(),
    ] {
        assert_eq!(code(&said), Some("misuse"), "{said:?}");
    }
}

#[test]
fn an_anchor_that_is_no_root_is_refused_by_its_code() {
    let mut session = session();
    let refused = session.answer(Answer::Absent);
    assert_eq!(code(&refused), Some("format.root"));
    let class = refused.get("error").unwrap().get("class").unwrap();
    assert_eq!(class.as_str(), Some("untrustworthy"));
}
