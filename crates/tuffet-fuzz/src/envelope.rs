//! Metadata means the same in both envelopes, and what was signed is what the standards of each say (TAP 17).

use base64ct::{Base64, Base64Url, Encoding as _};
use tuffet_core::json::canonicalize;
use tuffet_core::metadata::{EnvelopeKind, Parsed, Role, Root, Snapshot, Targets, Timestamp};

const TYPE: &str = "application/vnd.tuf+json";

/// A file in either envelope is put into the other one.
pub fn envelope(input: &[u8]) {
    compare::<Root>(input);
    compare::<Timestamp>(input);
    compare::<Snapshot>(input);
    compare::<Targets>(input);
}

fn compare<R: Role>(input: &[u8]) {
    let Ok(file) = Parsed::<R>::parse(input.to_vec()) else {
        return;
    };
    let outer: serde_json::Value = match serde_json::from_slice(input) {
        Ok(outer) => outer,
        // Integers that no double can hold are beyond it.
        Err(_) => return,
    };
    match file.envelope() {
        EnvelopeKind::Dsse => {
            assert_eq!(outer["payloadType"], TYPE);
            let text = outer["payload"].as_str().expect("a payload is text");
            let payload = Base64::decode_vec(text).or_else(|_| Base64Url::decode_vec(text));
            let payload = payload.expect("a payload is base64");
            let before = format!("DSSEv1 {} {TYPE} {} ", TYPE.len(), payload.len());
            assert_eq!(file.message(), [before.as_bytes(), &payload].concat());
            let inner = [b"{\"signatures\":[],\"signed\":", &payload[..], b"}"].concat();
            // Deeper by one level, and with a canonical form that must exist; else it is the same file.
            if let Ok(other) = Parsed::<R>::parse(inner) {
                same(&file, &other);
                assert_eq!(
                    other.message(),
                    &*canonicalize(&payload).expect("it was read")
                );
            }
        }
        EnvelopeKind::Json => {
            let text = Base64::encode_string(file.message());
            let wrapped =
                format!(r#"{{"payload":"{text}","payloadType":"{TYPE}","signatures":[]}}"#);
            // The canonical form has no escapes, and so is not JSON where there are control characters.
            if let Ok(other) = Parsed::<R>::parse(wrapped.into_bytes()) {
                same(&file, &other);
            }
        }
    }
}

fn same<R: Role>(one: &Parsed<R>, other: &Parsed<R>) {
    assert_ne!(one.envelope(), other.envelope());
    let (one, other) = (one.unverified(), other.unverified());
    assert_eq!(one.version(), other.version());
    assert_eq!(one.expires(), other.expires());
}
