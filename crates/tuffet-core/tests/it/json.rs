//! Properties of the JSON reader and the canonical form.

use std::borrow::Cow;
use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::sample::select;
use tuffet_core::json::{FormatError, Integer, Kind, Reader, Reason, Value, canonicalize};

use crate::spelling::{Speller, text, value};

/// Reads a document without asking for anything in it.
fn skip(input: &[u8]) -> Result<(), FormatError> {
    let mut reader = Reader::new(input)?;
    reader.skip()?;
    reader.finish()
}

/// Turns canonical JSON into JSON: control characters stand only in strings there, and are the
/// only thing JSON does not allow. That this gives the value back proves that no two values have
/// one canonical form.
fn escape_controls(canonical: &[u8]) -> Vec<u8> {
    let mut json = Vec::new();
    for byte in canonical {
        match byte {
            0..0x20 => json.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
            _ => json.push(*byte),
        }
    }
    json
}

/// Integers beyond 64 bits are rounded over there, to within the last digits of a double.
fn is_rounded(ours: &Integer, theirs: &serde_json::Number) -> bool {
    let exact: f64 = ours.as_str().parse().unwrap();
    let beyond = ours.as_u64().is_none() && ours.as_i64().is_none();
    beyond
        && theirs
            .as_f64()
            .is_some_and(|theirs| (theirs / exact - 1.0).abs() < 1e-14)
}

fn agrees(ours: &Value, theirs: &serde_json::Value) -> bool {
    match (ours, theirs) {
        (Value::Null, serde_json::Value::Null) => true,
        (Value::Bool(ours), serde_json::Value::Bool(theirs)) => ours == theirs,
        (Value::Text(ours), serde_json::Value::String(theirs)) => ours == theirs,
        (Value::Integer(ours), serde_json::Value::Number(theirs)) => {
            ours.as_str() == theirs.to_string() || is_rounded(ours, theirs)
        }
        (Value::Array(ours), serde_json::Value::Array(theirs)) => {
            ours.len() == theirs.len()
                && ours
                    .iter()
                    .zip(theirs)
                    .all(|(ours, theirs)| agrees(ours, theirs))
        }
        (Value::Object(ours), serde_json::Value::Object(theirs)) => {
            ours.len() == theirs.len()
                && ours
                    .iter()
                    .all(|(name, ours)| theirs.get(name).is_some_and(|theirs| agrees(ours, theirs)))
        }
        _ => false,
    }
}

/// One change to a document, such as an attacker or a faulty disk makes.
#[derive(Debug, Clone)]
enum Change {
    Remove,
    Replace(u8),
    Insert(&'static str),
    Repeat(usize),
}

fn change() -> impl Strategy<Value = (prop::sample::Index, Change)> {
    let inserted = [
        "\"", "\\", "{", "}", "[", "]", ":", ",", " ", "\n", "\0", "-", "0", "9", ".", "e", "+",
        "\\u", "\\ud800", "\\u0061", "null", "true", "NaN", "1.5", "-0", "/", "//", "\u{feff}",
        "é", "\"a\":1,", ",\"a\":1", "[[", "{}",
    ];
    let change = prop_oneof![
        Just(Change::Remove),
        any::<u8>().prop_map(Change::Replace),
        select(b"\"\\{}[]:, 0-.eu".to_vec()).prop_map(Change::Replace),
        select(inserted.to_vec()).prop_map(Change::Insert),
        (1_usize..20).prop_map(Change::Repeat),
    ];
    (any::<prop::sample::Index>(), change)
}

fn apply(document: &mut Vec<u8>, changes: &[(prop::sample::Index, Change)]) {
    for (place, change) in changes {
        if document.is_empty() {
            return;
        }
        let place = place.index(document.len());
        match change {
            Change::Remove => drop(document.remove(place)),
            Change::Replace(byte) => document[place] = *byte,
            Change::Insert(text) => drop(document.splice(place..place, text.bytes()).count()),
            Change::Repeat(length) => {
                let end = document.len().min(place + length);
                document.extend_from_within(place..end);
                document[place..].rotate_right(end - place);
            }
        }
    }
}

/// Checks what has to hold for any bytes at all.
fn check_any_input(input: &[u8]) -> Result<(), TestCaseError> {
    let skipped = skip(input);
    let parsed = Value::parse(input);
    let canonical = canonicalize(input);
    let theirs = serde_json::from_slice::<serde_json::Value>(input);

    // The three ways to read a document agree, and the form does not depend on the way.
    prop_assert_eq!(parsed.as_ref().err(), canonical.as_ref().err());
    match (&parsed, &skipped) {
        (Ok(value), skipped) => {
            prop_assert_eq!(skipped, &Ok(()));
            let form = value.canonical();
            prop_assert_eq!(canonical.as_deref(), Ok(form.as_slice()));
        }
        (Err(error), Ok(())) => {
            prop_assert!(
                matches!(error.reason, Reason::FloatInSigned | Reason::NegativeZero),
                "{}",
                error
            );
        }
        (Err(_), Err(_)) => {}
    }

    match (skipped, theirs) {
        (Ok(()), Ok(theirs)) => {
            if let Ok(ours) = &parsed {
                prop_assert!(agrees(ours, &theirs), "{:?} is not {}", ours, theirs);
            }
        }
        // They have no numbers beyond the range of a double.
        (Ok(()), Err(error)) => {
            prop_assert!(error.to_string().contains("out of range"), "{}", error)
        }
        // They keep the last of several members of one name, and go deeper.
        (Err(error), Ok(_)) => {
            prop_assert!(
                matches!(error.reason, Reason::DuplicateName(_) | Reason::TooDeep),
                "{}",
                error
            );
        }
        (Err(error), Err(_)) => prop_assert!(error.offset <= input.len()),
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn f05_every_spelling_of_a_value_has_the_same_form(value in value(), seed: u64) {
        let mut speller = Speller::new(seed);
        let (one, other) = (speller.spell(&value), speller.spell(&value));
        let form = value.canonical();
        prop_assert_eq!(canonicalize(one.as_bytes()).unwrap(), form.as_slice());
        prop_assert_eq!(canonicalize(other.as_bytes()).unwrap(), form.as_slice());
        prop_assert_eq!(Value::parse(one.as_bytes()), Ok(value));
    }

    #[test]
    fn f05_the_form_gives_the_value_back_so_no_two_values_share_one(value in value()) {
        prop_assert_eq!(Value::parse(&escape_controls(&value.canonical())), Ok(value));
    }

    #[test]
    fn f05_values_are_equal_exactly_if_their_forms_are(one in value(), other in value()) {
        prop_assert_eq!(one == other, one.canonical() == other.canonical());
    }

    #[test]
    fn f05_the_form_of_the_form_is_the_form(value in value()) {
        let form = value.canonical();
        let controls = form.iter().any(|byte| *byte < 0x20);
        match canonicalize(&form) {
            Ok(again) => {
                prop_assert!(matches!(again, Cow::Borrowed(_)));
                prop_assert_eq!(again, form.as_slice());
            }
            Err(_) => prop_assert!(controls),
        }
        prop_assert_eq!(controls, value.to_compact_json() != form);
    }

    #[test]
    fn f05_bytes_are_called_canonical_exactly_if_they_are(value in value(), seed: u64, compact: bool) {
        let input = if compact {
            value.to_compact_json()
        } else {
            Speller::new(seed).spell(&value).into_bytes()
        };
        let mut reader = Reader::new(&input).unwrap();
        let (_, signed) = reader.signed(Reader::skip).unwrap();
        let found = signed.span.of(&input).unwrap();
        prop_assert_eq!(signed.canonical, found == value.canonical());
        prop_assert_eq!(canonicalize(found).unwrap(), value.canonical());
    }

    #[test]
    fn f02_written_values_read_back(value in value()) {
        prop_assert_eq!(Value::parse(&value.to_compact_json()), Ok(value.clone()));
        prop_assert_eq!(Value::parse(&value.to_pretty_json()), Ok(value));
    }

    #[test]
    fn f04_reader_and_a_second_parser_agree_on_changed_documents(
        value in value(),
        seed: u64,
        changes in prop::collection::vec(change(), 0..4),
    ) {
        let mut document = Speller::new(seed).spell(&value).into_bytes();
        apply(&mut document, &changes);
        check_any_input(&document)?;
    }

    #[test]
    fn f04_reader_and_a_second_parser_agree_on_fragments(
        pieces in prop::collection::vec(change(), 0..12),
    ) {
        let mut document = b" ".to_vec();
        apply(&mut document, &pieces);
        check_any_input(&document)?;
    }

    #[test]
    fn f04_no_bytes_make_the_reader_panic(input: Vec<u8>) {
        check_any_input(&input)?;
    }

    #[test]
    fn f04_documents_cut_anywhere_are_refused(value in value(), seed: u64, place: prop::sample::Index) {
        let document = format!("[{}]", Speller::new(seed).spell(&value)).into_bytes();
        let error = skip(&document[..place.index(document.len())]).unwrap_err();
        prop_assert!(matches!(error.reason, Reason::Truncated | Reason::NotUtf8), "{}", error);
    }

    #[test]
    fn index_finds_what_a_map_finds(
        members in prop::collection::btree_map(text(), 0_u64..1000, 0..80),
        others in prop::collection::vec(text(), 0..10),
        seed: u64,
    ) {
        let object: Value = members.iter().map(|(name, number)| (name.clone(), Value::from(*number))).collect();
        let input = Speller::new(seed).spell(&object).into_bytes();
        let mut reader = Reader::new(&input).unwrap();
        let mut seen = BTreeMap::new();
        let index = reader.index(|reader, name| {
            seen.insert(name.decode().into_owned(), reader.unsigned()?);
            Ok(())
        }).unwrap();
        reader.finish().unwrap();
        prop_assert_eq!(&seen, &members);
        prop_assert_eq!((index.len(), index.is_empty()), (members.len(), members.is_empty()));

        let number = |span: tuffet_core::json::Span| {
            Reader::new(span.of(&input).unwrap()).unwrap().unsigned().unwrap()
        };
        for name in members.keys().chain(&others) {
            prop_assert_eq!(index.find(&input, name).map(number), members.get(name).copied());
        }
        let listed: Vec<_> = index.iter(&input).map(|(name, span)| (name.decode().into_owned(), number(span))).collect();
        prop_assert_eq!(listed, members.into_iter().collect::<Vec<_>>());
    }

    #[test]
    fn texts_compare_as_what_they_mean(one in text(), other in text(), seed: u64) {
        let mut speller = Speller::new(seed);
        let left = speller.spell(&Value::from(one.as_str()));
        let left = Reader::new(left.as_bytes()).unwrap().text().unwrap();
        let right = speller.spell(&Value::from(other.as_str()));
        let right = Reader::new(right.as_bytes()).unwrap().text().unwrap();
        prop_assert_eq!(left.decode(), one.as_str());
        prop_assert_eq!(left.compare(&right), one.cmp(&other));
        prop_assert_eq!(left.compare_str(&other), one.cmp(&other));
        prop_assert_eq!(left.equals(&other), one == other);
        prop_assert!(left.equals(&one));
    }

    #[test]
    fn spans_hold_the_values_they_were_taken_from(value in value(), seed: u64) {
        fn walk(reader: &mut Reader<'_>, input: &[u8], value: &Value) -> Result<(), FormatError> {
            let (_, span) = reader.spanned(|reader| match (reader.kind()?, value) {
                (Kind::Object, Value::Object(members)) => {
                    reader.object(|reader, name| walk(reader, input, &members[name.decode().as_ref()]))
                }
                (Kind::Array, Value::Array(elements)) => {
                    reader.array(|reader, position| walk(reader, input, &elements[position]))
                }
                _ => reader.skip().map(drop),
            })?;
            assert_eq!(Value::parse(span.of(input).unwrap()).as_ref(), Ok(value));
            Ok(())
        }
        let input = Speller::new(seed).spell(&value).into_bytes();
        let mut reader = Reader::new(&input).unwrap();
        walk(&mut reader, &input, &value).unwrap();
        reader.finish().unwrap();
    }
}
