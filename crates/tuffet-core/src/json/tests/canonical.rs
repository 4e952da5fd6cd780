//! The form that is signed.

use alloc::borrow::Cow;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::super::{MAX_DEPTH, Reader, Reason, Value, canonicalize};
use super::read_signed;

fn form(input: &str) -> String {
    String::from_utf8(canonicalize(input.as_bytes()).unwrap().into_owned()).unwrap()
}

#[test]
fn f05_canonical_form_of_examples() {
    let examples = [
        (" 1 ", "1"),
        ("-12", "-12"),
        (
            r#"{"b": 1, "a": [ true , null, false ], "c": {} }"#,
            r#"{"a":[true,null,false],"b":1,"c":{}}"#,
        ),
        (
            r#"{"z":{"b":{"d":1,"c":2},"a":[{"f":1,"e":2}]},"y":0}"#,
            r#"{"y":0,"z":{"a":[{"e":2,"f":1}],"b":{"c":2,"d":1}}}"#,
        ),
        (r#""\u0022\u005c\/\u0041""#, r#""\"\\/A""#),
        (
            r#""\b\f\n\r\t\u0000\u001f""#,
            "\"\u{8}\u{c}\n\r\t\0\u{1f}\"",
        ),
        (r#""\ud834\udd1e\u00e9""#, "\"𝄞é\""),
        (r#"{"\u0062":1,"a":2,"\n":3}"#, "{\"\n\":3,\"a\":2,\"b\":1}"),
        (
            "123456789012345678901234567890",
            "123456789012345678901234567890",
        ),
        (
            "\"-----BEGIN PUBLIC KEY-----\\nAA==\\n\"",
            "\"-----BEGIN PUBLIC KEY-----\nAA==\n\"",
        ),
        ("\"\u{7f}\u{2028}\"", "\"\u{7f}\u{2028}\""),
    ];
    for (input, expected) in examples {
        assert_eq!(form(input), expected, "{input}");
        let value = Value::parse(input.as_bytes()).unwrap();
        assert_eq!(value.canonical(), expected.as_bytes(), "{input}");
    }
}

#[test]
fn f05_members_are_in_the_order_of_code_points() {
    // UTF-16 order would put U+1F600 (D83D DE00) before U+FF21; upper case comes before lower.
    let input = r#"{"😀":1,"Ａ":2,"a":3,"B":4,"é":5,"":6,"a\u0000":7,"aa":8,"\"":9,"\\":10}"#;
    let expected = "{\"\":6,\"\\\"\":9,\"B\":4,\"\\\\\":10,\"a\":3,\"a\0\":7,\"aa\":8,\"é\":5,\"Ａ\":2,\"😀\":1}";
    assert_eq!(form(input), expected);
}

#[test]
fn f05_composed_and_decomposed_names_stay_distinct() {
    let composed = "{\"caf\u{e9}\":1}";
    let decomposed = "{\"cafe\u{301}\":1}";
    assert_eq!(form(composed), composed);
    assert_eq!(form(decomposed), decomposed);
    let both = "{\"caf\u{e9}\":1,\"cafe\u{301}\":2}";
    assert_eq!(form(both), "{\"cafe\u{301}\":2,\"caf\u{e9}\":1}");
}

#[test]
fn f05_hexadecimal_case_pem_and_dates_are_not_normalised() {
    let input = r#"["ABCDEFabcdef","2030-01-01T00:00:00.000Z","2030-1-1","-----BEGIN\r\n"]"#;
    let expected =
        "[\"ABCDEFabcdef\",\"2030-01-01T00:00:00.000Z\",\"2030-1-1\",\"-----BEGIN\r\n\"]";
    assert_eq!(form(input), expected);
}

#[test]
fn f05_canonical_bytes_are_recognised_and_borrowed() {
    let canonical = [
        "{}",
        "[]",
        "\"\"",
        "0",
        "-7",
        "true",
        r#"{"":[],"\"":{},"\\":"\\\"","a":1,"b":{"a":[1,2]},"é":null}"#,
    ];
    for input in canonical {
        assert_eq!(read_signed(input.as_bytes()), Ok(true), "{input}");
        assert!(
            matches!(canonicalize(input.as_bytes()), Ok(Cow::Borrowed(_))),
            "{input}"
        );
    }
    let other = [
        "{ }",
        "[1, 2]",
        "[1 ]",
        "{\"a\" :1}",
        "{\"a\": 1}",
        r#"{"b":1,"a":2}"#,
        r#""\/""#,
        r#""\u0041""#,
        r#""\n""#,
        r#"[{"a":{"b":1,"a":1}}]"#,
        "[\n]",
        "{\"a\":1\t}",
        r#""\u0022""#,
    ];
    for input in other {
        assert_eq!(read_signed(input.as_bytes()), Ok(false), "{input}");
        assert!(
            matches!(canonicalize(input.as_bytes()), Ok(Cow::Owned(_))),
            "{input}"
        );
    }
    // White space around the value is not part of it.
    assert_eq!(read_signed(b" \n{} "), Ok(true));
    assert!(matches!(canonicalize(b" \n{} "), Ok(Cow::Borrowed(b"{}"))));
}

#[test]
fn f05_a_signed_value_inside_another_counts_for_both() {
    for (input, expected) in [
        ("[[1,2],3]", (true, true)),
        ("[[1, 2],3]", (false, false)),
        ("[ [1,2],3]", (false, true)),
    ] {
        let mut reader = Reader::new(input.as_bytes()).unwrap();
        let mut inner = None;
        let (_, outer) = reader
            .signed(|reader| {
                reader.array(|reader, position| {
                    if position == 0 {
                        inner = Some(reader.signed(Reader::skip)?.1);
                    } else {
                        reader.skip()?;
                    }
                    Ok(())
                })
            })
            .unwrap();
        assert_eq!(
            (outer.canonical, inner.unwrap().canonical),
            expected,
            "{input}"
        );
    }
    let mut reader = Reader::new(b"[[1],1.5]").unwrap();
    let outcome = reader.signed(|reader| {
        reader.array(|reader, position| match position {
            0 => reader.signed(Reader::skip).map(drop),
            _ => reader.skip().map(drop),
        })
    });
    assert_eq!(outcome.unwrap_err().reason, Reason::FloatInSigned);
}

#[test]
fn f05_floats_have_no_canonical_form() {
    for input in ["1.5", "[1e3]", "{\"a\":0.0}"] {
        assert_eq!(
            canonicalize(input.as_bytes()).unwrap_err().reason,
            Reason::FloatInSigned
        );
        assert_eq!(
            Value::parse(input.as_bytes()).unwrap_err().reason,
            Reason::FloatInSigned
        );
    }
    assert_eq!(
        canonicalize(b"-0").unwrap_err().reason,
        Reason::NegativeZero
    );
    assert_eq!(canonicalize(b"1 2").unwrap_err().reason, Reason::Trailing);
    assert_eq!(canonicalize(b"").unwrap_err().reason, Reason::Truncated);
}

#[test]
fn f05_objects_out_of_order_at_every_level_are_sorted() {
    let mut input = String::from("0");
    let mut expected = String::from("0");
    for _ in 0..MAX_DEPTH {
        input = format!("{{\"b\": [], \"a\": {input}}}").replace("[]", "1");
        expected = format!("{{\"a\":{expected},\"b\":1}}");
    }
    assert_eq!(form(&input), expected);
}

#[test]
fn f05_many_members_in_any_order_are_sorted() {
    let numbers: Vec<usize> = (0..1009)
        .map(|number: usize| number.wrapping_mul(7919) % 1009)
        .collect();
    let members: Vec<String> = numbers
        .iter()
        .map(|number| format!("\"p/{number}\": {number}"))
        .collect();
    let mut sorted: Vec<String> = numbers
        .iter()
        .map(|number| format!("\"p/{number}\":{number}"))
        .collect();
    sorted.sort_by(|left, right| left.split(':').next().cmp(&right.split(':').next()));
    // A quote sorts before digits as the end of a name does, so sorting the text is sorting names.
    assert_eq!(
        form(&format!("{{{}}}", members.join(","))),
        format!("{{{}}}", sorted.join(","))
    );
}

#[test]
fn f02_unknown_members_survive_an_edit_byte_for_byte() {
    let input = "{\"version\":1,\"x\":{\"deep\":[{\"k\\n\":\"\\u00e9\"}],\"big\":99999999999999999999},\"cafe\u{301}\":null}";
    let mut value = Value::parse(input.as_bytes()).unwrap();
    *value.get_mut("version").unwrap() = Value::from(2);
    let expected = form(&input.replace("\"version\":1", "\"version\":2"));
    assert_eq!(value.canonical(), expected.as_bytes());
    let stored = value.to_pretty_json();
    assert_eq!(canonicalize(&stored).unwrap(), expected.as_bytes());
}

#[test]
fn values_are_written_as_json_that_reads_back() {
    let value: Value = [
        (
            "list",
            [Value::from(1), Value::Null, Value::from(true)]
                .into_iter()
                .collect(),
        ),
        ("none", Value::Array(Vec::new())),
        ("empty", Value::Object(BTreeMap::new())),
        ("text\n", Value::from("tab\t \"quoted\" \u{1} \u{1f} \\")),
    ]
    .into_iter()
    .collect();
    let compact = "{\"empty\":{},\"list\":[1,null,true],\"none\":[],\"text\\n\":\"tab\\t \\\"quoted\\\" \\u0001 \\u001f \\\\\"}";
    assert_eq!(String::from_utf8(value.to_compact_json()).unwrap(), compact);
    let pretty = "{\n  \"empty\": {},\n  \"list\": [\n    1,\n    null,\n    true\n  ],\n  \"none\": [],\n  \"text\\n\": \"tab\\t \\\"quoted\\\" \\u0001 \\u001f \\\\\"\n}";
    assert_eq!(String::from_utf8(value.to_pretty_json()).unwrap(), pretty);
    assert_eq!(Value::parse(compact.as_bytes()), Ok(value.clone()));
    assert_eq!(Value::parse(pretty.as_bytes()), Ok(value));
}

#[test]
fn control_characters_have_the_shortest_escapes() {
    for control in 0..0x20_u8 {
        let text = String::from(char::from(control));
        let escape = match control {
            0x08 => "\\b".into(),
            0x09 => "\\t".into(),
            0x0a => "\\n".into(),
            0x0c => "\\f".into(),
            0x0d => "\\r".into(),
            _ => format!("\\u{control:04x}"),
        };
        let written = Value::from(text).to_compact_json();
        assert_eq!(String::from_utf8(written).unwrap(), format!("\"{escape}\""));
    }
}

#[test]
fn accessors_answer_for_their_own_type_only() {
    let value =
        Value::parse(br#"{"a":[1],"b":true,"c":"x","d":null,"e":-5,"f":18446744073709551616}"#)
            .unwrap();
    let member = |name| value.get(name).unwrap();
    assert_eq!(member("a").as_array().unwrap()[0].as_u64(), Some(1));
    assert_eq!(member("b").as_bool(), Some(true));
    assert_eq!(member("c").as_str(), Some("x"));
    assert!(member("d").is_null());
    assert_eq!(value.as_object().unwrap().len(), 6);
    for name in ["e", "f"] {
        assert_eq!(member(name).as_u64(), None, "{name}");
    }
    let Value::Integer(negative) = member("e") else {
        panic!("not an integer")
    };
    assert_eq!((negative.as_i64(), negative.as_str()), (Some(-5), "-5"));
    assert_eq!(negative.to_string(), "-5");
    for name in ["a", "b", "c", "d"] {
        assert_eq!(member(name).as_u64(), None);
        assert_eq!(member(name).get("a"), None);
        assert_eq!(member(name).as_str().is_some(), name == "c");
        assert_eq!(member(name).as_bool().is_some(), name == "b");
        assert_eq!(member(name).is_null(), name == "d");
        assert_eq!(member(name).as_array().is_some(), name == "a");
    }
    assert_eq!(value.get("g"), None);
}
