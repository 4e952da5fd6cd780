//! What errors say, and what a reader does after one.

use alloc::borrow::ToOwned;
use alloc::string::ToString;

use super::super::{FormatError, Kind, Reader, Reason, Span};

#[test]
fn paths_lead_to_the_place_through_members_and_elements() {
    let document = br#"{"signed": {"roles": {"root": {"keyids": ["a", ["b", 7]]}}}}"#;
    fn walk(reader: &mut Reader<'_>) -> Result<(), FormatError> {
        match reader.kind()? {
            Kind::Object => reader.object(|reader, _| walk(reader)),
            Kind::Array => reader.array(|reader, _| walk(reader)),
            _ => reader.text().map(drop),
        }
    }
    let error = walk(&mut Reader::new(document).unwrap()).unwrap_err();
    assert_eq!(error.path, "signed.roles.root.keyids[1][1]");
    assert_eq!(error.reason, Reason::Expected("a string"));
    assert_eq!(error.offset, 53);
    assert_eq!(error.code(), "format.type");
}

#[test]
fn paths_of_errors_made_by_the_caller_are_kept() {
    let mut reader = Reader::new(br#"{"a": [{"b": 1}]}"#).unwrap();
    let error = reader
        .object(|reader, _| {
            reader.array(|reader, _| {
                reader.skip()?;
                let inner = FormatError::new(8, Reason::Invalid("threshold below 1"));
                Err(inner.within("threshold").within("[2]").within("b"))
            })
        })
        .unwrap_err();
    assert_eq!(error.path, "a[0].b[2].threshold");
    assert_eq!(
        error.to_string(),
        "threshold below 1 in a[0].b[2].threshold at byte 8"
    );
}

#[test]
fn hostile_names_cannot_write_to_the_terminal_or_fill_the_log() {
    let name = "\\u001b[31m\\r".to_owned() + &"x".repeat(10_000);
    let document = "{\"".to_owned() + &name + "\": ?}";
    let mut reader = Reader::new(document.as_bytes()).unwrap();
    let shown = reader
        .object(|reader, _| reader.skip().map(drop))
        .unwrap_err()
        .to_string();
    assert!(shown.contains("\\u{1b}[31m\\u{d}xxx"), "{shown}");
    assert!(!shown.contains('\u{1b}') && shown.len() < 200, "{shown}");

    let document = "{\"".to_owned() + &name + "\":1,\"" + &name + "\":1}";
    let error = Reader::new(document.as_bytes())
        .unwrap()
        .skip()
        .unwrap_err();
    assert!(matches!(&error.reason, Reason::DuplicateName(name) if name.chars().count() == 80));
    let shown = error.to_string();
    assert!(!shown.contains('\u{1b}') && shown.len() < 200, "{shown}");
}

#[test]
fn a_value_of_another_type_can_still_be_read() {
    let mut reader = Reader::new(br#"[1, "x", 99999999999999999999, 1.5, 0]"#).unwrap();
    let mut passed = 0;
    let outcome = reader.array(|reader, _| {
        if reader.text().is_err() && reader.boolean().is_err() && reader.unsigned().is_err() {
            passed += 1;
            reader.skip()?;
        }
        Ok(())
    });
    assert_eq!((outcome, passed), (Ok(()), 2));
    assert_eq!(reader.finish(), Ok(()));
}

#[test]
fn ignoring_an_error_does_not_change_the_structure() {
    // Ignoring the duplicate would let the caller see "b" as a member of the outer object.
    let document = br#"{"a": {"x": 1, "x": 2, "b": 3}, "c": 4}"#;
    let mut reader = Reader::new(document).unwrap();
    let outcome = reader.object(|reader, name| {
        if name.equals("a") {
            reader.skip().map(drop).or(Ok(()))
        } else {
            panic!("reached {name:?}")
        }
    });
    assert_eq!(outcome.unwrap_err().reason, Reason::Truncated);
    assert!(reader.skip().is_err());
    assert_eq!(reader.finish().unwrap_err().reason, Reason::Truncated);

    let mut reader = Reader::new(b"nil").unwrap();
    assert!(reader.skip().is_err());
    assert!(reader.finish().is_err());
}

#[test]
fn ignoring_an_error_of_the_caller_does_not_change_the_structure_either() {
    for document in [r#"[[1, 2], 3]"#, r#"[{"a": 1, "b": 2}, 3]"#] {
        let mut reader = Reader::new(document.as_bytes()).unwrap();
        let refuse = |reader: &mut Reader<'_>| {
            reader.skip()?;
            Err(FormatError::new(0, Reason::Invalid("no")))
        };
        let outcome = reader.array(|reader, _| {
            match reader.kind()? {
                Kind::Array => reader.array(|reader, _| refuse(reader)),
                _ => reader.object(|reader, _| refuse(reader)),
            }
            .or(Ok(()))
        });
        assert_eq!(outcome.unwrap_err().reason, Reason::Truncated, "{document}");
        assert!(reader.finish().is_err());
    }
    let mut reader = Reader::new(b"[1]").unwrap();
    let signed = reader.signed(|reader| reader.text().map(drop));
    assert_eq!(signed.unwrap_err().reason, Reason::Expected("a string"));
    assert!(reader.skip().is_err());
}

#[test]
fn members_and_elements_have_to_be_read() {
    let mut reader = Reader::new(br#"{"a": 1}"#).unwrap();
    let error = reader.object(|_, _| Ok(())).unwrap_err();
    assert_eq!((error.path.as_str(), error.offset), ("a", 6));
    for input in ["[1]", "[,]", "[1,]"] {
        let mut reader = Reader::new(input.as_bytes()).unwrap();
        assert!(reader.array(|_, _| Ok(())).is_err(), "{input}");
    }
    let mut reader = Reader::new(b"1").unwrap();
    assert!(reader.signed(|_| Ok(())).is_err());
}

#[test]
fn finish_inside_a_value_is_an_error() {
    let reader = Reader::new(b" ").unwrap();
    assert_eq!(reader.finish(), Ok(()));
    let mut reader = Reader::new(b"[]").unwrap();
    reader.kind().unwrap();
    assert_eq!(reader.finish().unwrap_err().reason, Reason::Trailing);
}

#[test]
fn spans_leave_white_space_out() {
    let input = b"  { \"a\" : [ 1 , 2 ] , \"b\" : \"x\" }  ";
    let mut reader = Reader::new(input).unwrap();
    let (index, whole) = reader
        .spanned(|reader| reader.index(|reader, _| reader.skip().map(drop)))
        .unwrap();
    reader.finish().unwrap();
    assert_eq!(whole, Span { start: 2, end: 33 });
    assert_eq!(
        index.find(input, "a").unwrap().of(input).unwrap(),
        b"[ 1 , 2 ]"
    );
    assert_eq!(index.find(input, "b").unwrap().of(input).unwrap(), b"\"x\"");
}

#[test]
fn an_index_asked_about_another_input_finds_nothing() {
    let input = br#"{"one": 1, "two": 2}"#;
    let index = Reader::new(input)
        .unwrap()
        .index(|reader, _| reader.skip().map(drop))
        .unwrap();
    assert_eq!(index.find(b"", "one"), None);
    assert_eq!(index.iter(b"{").count(), 0);
    assert_eq!(index.entry(input, 2).map(|(_, span)| span), None);
    assert_eq!(Span { start: 5, end: 3 }.of(input), None);
}

#[test]
fn every_reason_has_a_code_of_its_own() {
    let reasons = [
        Reason::NotUtf8,
        Reason::ByteOrderMark,
        Reason::TooLarge,
        Reason::TooDeep,
        Reason::Truncated,
        Reason::Trailing,
        Reason::Syntax("x"),
        Reason::DuplicateName("x".to_owned()),
        Reason::LoneSurrogate,
        Reason::FloatInSigned,
        Reason::NegativeZero,
        Reason::LeadingZero,
        Reason::IntegerRange,
        Reason::Expected("x"),
        Reason::Missing("x"),
        Reason::Invalid("x"),
    ];
    let codes = reasons
        .clone()
        .map(|reason| FormatError::new(0, reason).code());
    for (place, code) in codes.iter().enumerate() {
        assert!(code.starts_with("format."), "{code}");
        assert!(!codes[..place].contains(code), "{code}");
        assert!(!reasons[place].to_string().ends_with('.'));
    }
}

#[test]
fn the_offset_is_that_of_the_next_byte() {
    let mut reader = Reader::new(br#" [1, {"a": 22}]"#).unwrap();
    let mut offsets = alloc::vec![reader.offset()];
    reader.kind().unwrap();
    offsets.push(reader.offset());
    reader
        .array(|reader, _| {
            offsets.push(reader.offset());
            reader.skip().map(drop)
        })
        .unwrap();
    offsets.push(reader.offset());
    assert_eq!(offsets, [0, 1, 2, 5, 15]);
}
