//! The state machine under arbitrary answers: it never panics, and a refused answer leaves it where it was.

use tuffet_core::metadata::{TargetPath, UnixTime};
use tuffet_core::trust::{Answer, Context, Mode, Policy, Refresh, Search, Step, TrustAnchor};

use crate::odd::OddIsValid;

/// The input is a list of answers: a tag byte, and for bytes a length of two bytes.
fn next_answer(input: &mut &[u8]) -> Option<Answer> {
    let (&tag, rest) = input.split_first()?;
    *input = rest;
    Some(match tag % 4 {
        0 => Answer::Absent,
        1 => Answer::Stored,
        _ => {
            let (length, rest) = input.split_first_chunk::<2>()?;
            let length = usize::from(u16::from_le_bytes(*length)).min(rest.len());
            let (bytes, rest) = rest.split_at(length);
            *input = rest;
            Answer::Bytes(bytes.to_vec())
        }
    })
}

/// A refresh and a search.
pub fn refresh(input: &[u8]) {
    let mut input = input;
    let policy = Policy::default();
    let cx = Context {
        crypto: &OddIsValid,
        policy: &policy,
        now: UnixTime(1_700_000_000),
    };
    let Some(Answer::Bytes(anchor)) = next_answer(&mut input) else {
        return;
    };
    let mut refresh = Refresh::new(TrustAnchor::Root(anchor), Mode::Online, cx);
    while refresh.step() != Step::Done {
        let Some(answer) = next_answer(&mut input) else {
            return;
        };
        let before = refresh.step();
        if refresh.answer(answer).is_err() {
            assert_eq!(
                refresh.step(),
                before,
                "a refused answer leaves the step as it was"
            );
        }
    }
    let Ok(view) = refresh.finish() else { return };
    let Ok(path) = TargetPath::new("a/b") else {
        return;
    };
    let mut search = Search::new(view, path, Mode::Online, cx);
    while search.step() != Step::Done {
        let Some(answer) = next_answer(&mut input) else {
            return;
        };
        let _ = search.answer(answer);
    }
    let _ = search.finish();
}
