//! What is JSON and what is not.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::super::{Kind, MAX_DEPTH, Reader, Reason};
use super::{read, read_signed, reason};

fn nested(depth: usize, open: &str, close: &str) -> String {
    format!("{}1{}", open.repeat(depth), close.repeat(depth))
}

#[test]
fn f04_accepts_every_kind_of_value() {
    let accepted = [
        "0",
        "-1",
        "10",
        "1.5",
        "1e5",
        "1E-5",
        "-0.0e+10",
        "-0",
        "true",
        "false",
        "null",
        "[]",
        "{}",
        "\"\"",
        " [ ] ",
        "\t\r\n{ }\n",
        "[1,2]",
        "[ 1 , 2 ]",
        "{\"a\":1}",
        "{ \"a\" : [ { } ] }",
        r#""\" \\ \/ \b \f \n \r \t \u0041 \uD834\uDD1E \ud834\udd1e""#,
        "\"\u{7f}\u{80}\u{2028}é𝄞\"",
        r#"{"":0}"#,
        r#"{"a":1,"b":1}"#,
        r#"{"b":1,"a":1}"#,
        "123456789012345678901234567890",
    ];
    for document in accepted {
        assert_eq!(read(document.as_bytes()), Ok(()), "{document}");
    }
}

#[test]
fn f04_refuses_what_rfc_8259_does_not_allow() {
    let refused = [
        "[1,]",
        "[,1]",
        "[,]",
        "[1 2]",
        "[1:2]",
        "[1}",
        "{1:2}",
        "{\"a\"}",
        "{\"a\",1}",
        "{\"a\":1,}",
        "{,}",
        "{,\"a\":1}",
        "[,1,2]",
        "{\"a\":}",
        "{\"a\":1 \"b\":2}",
        "{\"a\" 1}",
        "{\"a\":1]",
        "{a:1}",
        "{'a':1}",
        "{null:1}",
        "NaN",
        "Infinity",
        "-Infinity",
        "nan",
        "inf",
        "True",
        "nul1",
        "truE",
        "undefined",
        "+1",
        ".5",
        "-a",
        "1.",
        "1.e1",
        "1e",
        "1ex",
        "0x10",
        "1_000",
        "--1",
        "-.5",
        "\u{ff11}",
        "// comment\n1",
        "/* comment */1",
        "#\n1",
        "'a'",
        "`a`",
        "\u{a0}1",
        "\u{c}1",
        "\u{b}1",
        "\0",
        r#""\a""#,
        r#""\'""#,
        r#""\x41""#,
        r#""\u""#,
        r#""\u00""#,
        r#""\u00g0""#,
        r#""\U0041""#,
        r#""\u+041""#,
        "\"\n\"",
        "\"\t\"",
        "\"\0\"",
        "\"\u{1f}\"",
        "{\"\n\":1}",
        "\"aaaaaaaaaaaaaaaaaaaaaaaa\u{1}aaaaaaaaaa\"",
    ];
    for document in refused {
        // A number without digits at the end of the document is cut off rather than wrong.
        let found = reason(read(document.as_bytes()));
        let as_expected = matches!(
            found,
            Some(Reason::Syntax(_) | Reason::Trailing | Reason::Truncated)
        );
        assert!(as_expected, "{document:?} gives {found:?}");
        let found = reason(read(format!("[{document}]").as_bytes()));
        assert!(
            matches!(found, Some(Reason::Syntax(_))),
            "[{document}] gives {found:?}"
        );
    }
}

#[test]
fn f04_refuses_documents_that_end_early() {
    let document = r#"{"a":["x\u00e9\ud834\udd1e",1,-2,3.5e-7,true,false,null,{"b":{}}]}"#;
    for end in 0..document.len() {
        let cut = &document[..end];
        assert_eq!(
            reason(read(cut.as_bytes())),
            Some(Reason::Truncated),
            "{cut}"
        );
    }
    assert_eq!(read(document.as_bytes()), Ok(()));
}

#[test]
fn f04_trailing_bytes_are_refused() {
    for document in [
        "1 1",
        "{}x",
        "[]]",
        "[] []",
        "{}\0",
        "\"a\"\"",
        "truefalse",
        "null,",
        "1a",
        "{}\u{feff}",
    ] {
        assert_eq!(
            reason(read(document.as_bytes())),
            Some(Reason::Trailing),
            "{document:?}"
        );
    }
    assert_eq!(read(b"{} \t\r\n"), Ok(()));
}

#[test]
fn f04_byte_order_mark_is_refused() {
    let error = read("\u{feff}{}".as_bytes()).unwrap_err();
    assert_eq!((error.offset, error.reason), (0, Reason::ByteOrderMark));
    // The character is no white space inside a document either.
    assert!(matches!(
        reason(read("[\u{feff}1]".as_bytes())),
        Some(Reason::Syntax(_))
    ));
    assert_eq!(read("\"\u{feff}\"".as_bytes()), Ok(()));
}

#[test]
fn f04_bytes_that_are_not_utf8_are_refused() {
    let refused: [(&[u8], usize); 9] = [
        (b"\"\xff\"", 1),
        (b"\"\xc0\x80\"", 1),         // overlong NUL
        (b"\"\xc0\xaf\"", 1),         // overlong slash
        (b"\"\xe0\x80\xaf\"", 1),     // overlong, three bytes
        (b"\"\xf0\x80\x80\xaf\"", 1), // overlong, four bytes
        (b"\"\xed\xa0\x80\"", 1),     // surrogate written as UTF-8
        (b"\"\xf4\x90\x80\x80\"", 1), // above U+10FFFF
        (b"\"a\xc3\"", 2),            // cut off
        (b"\xff\xfe{\0}\0", 0),       // UTF-16
    ];
    for (document, offset) in refused {
        let error = read(document).unwrap_err();
        assert_eq!(
            (error.reason, error.offset),
            (Reason::NotUtf8, offset),
            "{document:x?}"
        );
    }
}

#[test]
fn f04_lone_surrogates_are_refused() {
    let refused = [
        r#""\ud800""#,
        r#""\uDBFF""#,
        r#""\udc00""#,
        r#""\uDFFF""#,
        r#""\ud800\ud800""#,
        r#""\ud800a""#,
        r#""\ud800\n""#,
        r#""\ud800\ue000""#,
        r#""\udbff\uffff""#,
        r#""\udd00""#,
        r#""\ud800\u0041""#,
        r#""\udc00\ud800""#,
        r#""a\ud834 \udd1e""#,
        r#"{"\ud800":1}"#,
    ];
    for document in refused {
        assert_eq!(
            reason(read(document.as_bytes())),
            Some(Reason::LoneSurrogate),
            "{document}"
        );
    }
    let text = Reader::new(br#""\uD834\udd1E""#).unwrap().text().unwrap();
    assert_eq!(text.decode(), "𝄞");
}

#[test]
fn f04_depth_is_limited_to_64() {
    for (open, close) in [("[", "]"), ("{\"a\":", "}"), ("[{\"a\":", "}]")] {
        let levels = open.matches(['[', '{']).count();
        let deepest = nested(MAX_DEPTH / levels, open, close);
        assert_eq!(read(deepest.as_bytes()), Ok(()), "{open}");
        let deeper = nested(MAX_DEPTH / levels + 1, open, close);
        let error = read(deeper.as_bytes()).unwrap_err();
        assert_eq!(
            (error.reason, error.offset),
            (Reason::TooDeep, open.len() * (MAX_DEPTH / levels))
        );
    }
    let hostile = "[".repeat(1_000_000);
    assert_eq!(reason(read(hostile.as_bytes())), Some(Reason::TooDeep));
    // Width does not count.
    let wide = format!(
        "[{}[]]",
        "[],{},".repeat(1000).replace("{},", "{\"a\":[]},")
    );
    assert_eq!(read(wide.as_bytes()), Ok(()));
}

#[test]
fn f04_duplicate_member_names_are_refused_at_any_depth_after_unescaping() {
    let refused = [
        (r#"{"a":1,"a":1}"#, "a"),
        (r#"{"a":1,"b":2,"a":3}"#, "a"),
        (r#"{"b":1,"a":2,"b":3}"#, "b"),
        (r#"{"c":1,"b":2,"a":3,"b":4}"#, "b"),
        (r#"{"a":1,"\u0061":2}"#, "a"),
        (r#"{"\u0061":1,"b":0,"a":2}"#, "a"),
        (r#"{"/":1,"0":0,"\/":2}"#, "/"),
        (r#"{"\n":1,"z":0,"\u000A":2}"#, "\n"),
        (r#"{"\ud834\udd1e":1,"a":1,"𝄞":2}"#, "𝄞"),
        (r#"{"":1,"a":1,"":2}"#, ""),
        (r#"[[{"x":{"b":0,"a":{"y":1,"x":[],"y":2}}}]]"#, "y"),
        (
            r#"{"b":{"b":0,"a":0},"a":{"d":{"b":0,"a":0},"c":0},"b":0}"#,
            "b",
        ),
    ];
    for (document, name) in refused {
        let expected = Reason::DuplicateName(name.to_string());
        assert_eq!(
            reason(read(document.as_bytes())),
            Some(expected.clone()),
            "{document}"
        );
        let mut reader = Reader::new(document.as_bytes()).unwrap();
        if document.starts_with('{') {
            let found = reader
                .index(|reader, _| reader.skip().map(drop))
                .unwrap_err();
            assert_eq!(found.reason, expected, "{document}");
        }
    }
    // Equal names in different objects, and names that only look equal, are different members.
    for document in [
        r#"{"b":{"a":1,"b":2},"a":{"b":1,"a":2}}"#,
        r#"[{"b":1,"a":1},{"b":1,"a":1}]"#,
        "{\"caf\u{e9}\":1,\"cafe\u{301}\":2}",
        r#"{"a\u0000":1,"a":2,"A":3,"a ":4}"#,
        r#"{"\\u0061":1,"a":2}"#,
    ] {
        assert_eq!(read(document.as_bytes()), Ok(()), "{document}");
    }
}

#[test]
fn f04_the_repeated_member_is_the_one_reported() {
    let document = br#"{"signed": {"z": 1, "m": 2, "z": 3}}"#;
    let error = read(document).unwrap_err();
    assert_eq!((error.path.as_str(), error.offset), ("signed", 28));
    assert_eq!(
        error.to_string(),
        "member name \"z\" appears twice in signed at byte 28"
    );
}

#[test]
fn f04_duplicates_among_many_names_in_any_order_are_refused() {
    let name = |number: usize| format!("\"prefix/{:04}\":0", number.wrapping_mul(7919) % 1009);
    let names: Vec<String> = (0..1009).map(name).collect();
    let document = format!("{{{}}}", names.join(","));
    assert_eq!(read(document.as_bytes()), Ok(()));
    for place in [0, 1, 500, 1008] {
        for last in [
            format!("prefix/{place:04}"),
            format!("\\u0070refix/{place:04}"),
        ] {
            let document = format!("{{{},\"x\":0,\"{last}\":0}}", names.join(","));
            let error = read(document.as_bytes()).unwrap_err();
            assert_eq!(
                error.reason,
                Reason::DuplicateName(format!("prefix/{place:04}"))
            );
            assert_eq!(error.offset, document.len() - last.len() - 5);
        }
    }
}

#[test]
fn f05_only_integers_are_signed() {
    for number in [
        "1.0", "0.5", "-1.5", "1e3", "1E3", "1e-3", "0e0", "-0.0", "1.5e+10",
    ] {
        let document = format!("{{\"signed\":[{number}]}}");
        assert_eq!(read(document.as_bytes()), Ok(()), "{number}");
        let error = read_signed(document.as_bytes()).unwrap_err();
        assert_eq!(
            (error.reason, error.offset),
            (Reason::FloatInSigned, 11),
            "{number}"
        );
    }
    assert_eq!(
        read_signed(b"[-0]").unwrap_err().reason,
        Reason::NegativeZero
    );
    for document in ["01", "-01", "00", "[007]", "0123.5"] {
        assert_eq!(
            reason(read(document.as_bytes())),
            Some(Reason::LeadingZero),
            "{document}"
        );
        assert_eq!(
            read_signed(document.as_bytes()).unwrap_err().reason,
            Reason::LeadingZero
        );
    }
}

#[test]
fn f05_floats_are_refused_only_inside_signed() {
    let mut reader =
        Reader::new(br#"{"before": 1.5, "signed": {"version": 1}, "then": -0}"#).unwrap();
    let outcome = reader.object(|reader, name| {
        if name.equals("signed") {
            reader.signed(Reader::skip)?;
        } else {
            reader.skip()?;
        }
        Ok(())
    });
    assert_eq!(outcome, Ok(()));
    assert_eq!(reader.finish(), Ok(()));
}

#[test]
fn integers_of_known_fields_fit_a_signed_64_bit_integer() {
    let unsigned = |input: &str| Reader::new(input.as_bytes()).unwrap().unsigned();
    assert_eq!(unsigned("0"), Ok(0));
    assert_eq!(unsigned("9223372036854775807"), Ok(i64::MAX.unsigned_abs()));
    for (input, expected) in [
        ("9223372036854775808", Reason::IntegerRange),
        ("18446744073709551616", Reason::IntegerRange),
        ("99999999999999999999999999", Reason::IntegerRange),
        ("-1", Reason::IntegerRange),
        ("-0", Reason::NegativeZero),
        ("1.0", Reason::Expected("an integer")),
        ("1e2", Reason::Expected("an integer")),
        ("true", Reason::Expected("an integer")),
        ("\"1\"", Reason::Expected("an integer")),
        ("null", Reason::Expected("an integer")),
        ("[1]", Reason::Expected("an integer")),
    ] {
        assert_eq!(unsigned(input).unwrap_err().reason, expected, "{input}");
    }
}

#[test]
fn integers_nobody_asks_for_may_have_any_number_of_digits() {
    let digits = "7".repeat(1_000_000);
    assert_eq!(read_signed(digits.as_bytes()), Ok(true));
    let mut reader = Reader::new(digits.as_bytes()).unwrap();
    assert_eq!(reader.unsigned().unwrap_err().reason, Reason::IntegerRange);
}

#[test]
fn kinds_are_told_apart_without_reading() {
    let mut reader = Reader::new(b" [ {}, [], \"\", -1, 2, true, false, null ] ").unwrap();
    let mut kinds = Vec::new();
    reader
        .array(|reader, _| {
            kinds.push(reader.kind()?);
            assert_eq!(reader.kind()?, *kinds.last().unwrap());
            reader.skip().map(drop)
        })
        .unwrap();
    let scalars = [
        Kind::Text,
        Kind::Number,
        Kind::Number,
        Kind::Boolean,
        Kind::Boolean,
        Kind::Null,
    ];
    assert_eq!(kinds[..2], [Kind::Object, Kind::Array]);
    assert_eq!(kinds[2..], scalars);
}
