//! Metadata means the same in both envelopes, and what was signed is what the standards of each say (TAP 17).

use base64ct::{Base64, Base64Url, Encoding as _};
use tuffet_core::json::{Reader, Reason, canonicalize};
use tuffet_core::metadata::{EnvelopeKind, Parsed, Role, Root, Snapshot, Targets, Timestamp};

use crate::json::theirs;

const TYPE: &str = "application/vnd.tuf+json";
const BEFORE: &[u8] = b"{\"signatures\":[],\"signed\":";

/// A file in either envelope is put into the other one.
pub fn envelope(input: &[u8]) {
    compare::<Root>(input);
    compare::<Timestamp>(input);
    compare::<Snapshot>(input);
    compare::<Targets>(input);
}

fn compare<R: Role + std::fmt::Debug>(input: &[u8]) {
    let Ok(file) = Parsed::<R>::parse(input.to_vec()) else {
        return;
    };
    match file.envelope() {
        EnvelopeKind::Dsse => {
            let Some(outer) = theirs(input) else { return };
            assert_eq!(outer["payloadType"], TYPE);
            let text = outer["payload"].as_str().expect("a payload is text");
            let payload = Base64::decode_vec(text).or_else(|_| Base64Url::decode_vec(text));
            let payload = payload.expect("a payload is base64");
            assert_eq!(file.message(), encoding(&payload));
            let inner = [BEFORE, &payload[..], b"}"].concat();
            match Parsed::<R>::parse(inner) {
                Ok(other) => {
                    let canonical = canonicalize(&payload).expect("it was read");
                    assert_eq!(other.message(), &*canonical);
                    same(&wrapped(BEFORE.len(), &payload), &other);
                }
                // It stands deeper by one level there.
                Err(error) => assert_eq!(error.reason, Reason::TooDeep),
            }
        }
        EnvelopeKind::Json => {
            let (start, signed) = signed(input);
            let canonical = canonicalize(signed).expect("it was read");
            assert_eq!(file.message(), &*canonical);
            same(&wrapped(start, signed), &file);
        }
    }
}

/// The metadata in a DSSE envelope, at this place of the payload: content knows where in the bytes its parts are.
fn wrapped<R: Role>(place: usize, metadata: &[u8]) -> Parsed<R> {
    let payload = [&vec![b' '; place][..], metadata].concat();
    let text = Base64::encode_string(&payload);
    let file = format!(r#"{{"payload":"{text}","payloadType":"{TYPE}","signatures":[]}}"#);
    let file = Parsed::parse(file.into_bytes()).expect("what is metadata is a payload");
    assert_eq!(file.message(), encoding(&payload));
    file
}

/// Where `signed` is in a file, and its bytes as received.
fn signed(input: &[u8]) -> (usize, &[u8]) {
    let mut found = None;
    let mut reader = Reader::new(input).expect("it was read");
    reader
        .object(|reader, name| {
            // White space is passed, so that the value begins here.
            reader.kind()?;
            let start = reader.offset();
            let value = reader.skip()?;
            if &*name.decode() == "signed" {
                found = value.of(input).map(|value| (start, value));
            }
            Ok(())
        })
        .expect("it was read");
    found.expect("it has content")
}

/// The pre-authentication encoding of a payload.
fn encoding(payload: &[u8]) -> Vec<u8> {
    let before = format!("DSSEv1 {} {TYPE} {} ", TYPE.len(), payload.len());
    [before.as_bytes(), payload].concat()
}

fn same<R: Role + std::fmt::Debug>(dsse: &Parsed<R>, json: &Parsed<R>) {
    assert_eq!(dsse.envelope(), EnvelopeKind::Dsse);
    assert_eq!(json.envelope(), EnvelopeKind::Json);
    let (one, other) = (dsse.unverified(), json.unverified());
    assert_eq!(format!("{one:?}"), format!("{other:?}"));
}
