//! What a metadata file is (TUF §4): rules F-04, F-06, F-13, F-20, F-22, decisions, and the JSON that is
//! refused at the door.

use tuffet_core::json::{FormatError, Reason};
use tuffet_core::metadata::{Parsed, Role, Root, Snapshot, Targets, Timestamp, UnixTime};

use tuffet_testkit::{Layout, Repository};

/// Reads a file of this content as each of the four roles that has it.
fn read(role: &str, bytes: Vec<u8>) -> Result<(u64, UnixTime), FormatError> {
    fn header<R: Role>(bytes: Vec<u8>) -> Result<(u64, UnixTime), FormatError> {
        let parsed = Parsed::<R>::parse(bytes)?;
        let content = parsed.unverified();
        Ok((content.version().number(), content.expires()))
    }
    match role {
        "root" => header::<Root>(bytes),
        "timestamp" => header::<Timestamp>(bytes),
        "snapshot" => header::<Snapshot>(bytes),
        _ => header::<Targets>(bytes),
    }
}

const ROLES: [&str; 4] = ["root", "timestamp", "snapshot", "targets"];

/// The file of a role in compact JSON.
fn file(role: &str) -> String {
    let mut repository = Repository::new();
    let document = repository.document(role);
    document.layout = Layout::Canonical;
    String::from_utf8(document.bytes()).unwrap()
}

/// Asserts where and why each role is refused after a change of its text, at the last place that has it.
fn refused(from: &str, to: &str, path: &str, reason: &Reason) {
    for role in ROLES {
        let file = file(role);
        let (before, after) = file.rsplit_once(from).expect("the text to change");
        let changed = format!("{before}{to}{after}");
        let error = read(role, changed.into_bytes()).unwrap_err();
        assert_eq!(
            (error.path.as_str(), &error.reason),
            (path, reason),
            "{role}: {to}"
        );
    }
}

#[test]
fn f06_a_file_is_an_object_of_signed_and_signatures() {
    for role in ROLES {
        for (bytes, path, reason) in [
            ("", "", Reason::Truncated),
            ("[]", "", Reason::Expected("an object")),
            ("null", "", Reason::Expected("an object")),
            ("{}", "", Reason::Missing("signatures")),
            ("{\"signatures\":[]}", "", Reason::Missing("signed")),
            (
                "{\"signatures\":{}}",
                "signatures",
                Reason::Expected("an array"),
            ),
            (
                "{\"signatures\":[7]}",
                "signatures[0]",
                Reason::Expected("an object"),
            ),
            (
                "{\"signatures\":[{\"sig\":\"\"}]}",
                "signatures[0]",
                Reason::Missing("keyid"),
            ),
            (
                "{\"signatures\":[{\"keyid\":\"a\"}]}",
                "signatures[0]",
                Reason::Missing("sig"),
            ),
            (
                "{\"signatures\":[{\"keyid\":\"a\",\"sig\":7}]}",
                "signatures[0].sig",
                Reason::Expected("a string"),
            ),
            (
                "{\"signatures\":[{\"keyid\":7,\"sig\":\"\"}]}",
                "signatures[0].keyid",
                Reason::Expected("a string"),
            ),
            (
                "{\"signatures\":[{\"keyid\":\"\",\"sig\":\"\"}]}",
                "signatures[0].keyid",
                Reason::Invalid("an empty keyid"),
            ),
            ("{\"signed\":[]}", "signed", Reason::Expected("an object")),
        ] {
            let error = read(role, bytes.into()).unwrap_err();
            assert_eq!(
                (error.path.as_str(), error.reason),
                (path, reason),
                "{role}: {bytes}"
            );
        }
    }
}

#[test]
fn f06_signed_has_the_type_of_its_role() {
    for (wanted, role_type) in ROLES.map(|role| (role, role)) {
        for offered in ROLES {
            let outcome = read(wanted, file(offered).into());
            if wanted == offered {
                outcome.unwrap();
            } else {
                // Members of other roles are unknown ones here, so the type is what tells them apart.
                let error = outcome.unwrap_err();
                let wrong_type = ("signed._type", Reason::Expected(role_type));
                assert_eq!(
                    (error.path.as_str(), error.reason),
                    wrong_type,
                    "{offered} as {wanted}"
                );
            }
        }
    }
    refused(
        "\"_type\":",
        "\"type\":",
        "signed",
        &Reason::Missing("_type"),
    );
    for role in ROLES {
        let upper = file(role).replace(&format!("\"_type\":\"{role}\""), "\"_type\":\"Root\"");
        assert_eq!(read(role, upper.into()).unwrap_err().path, "signed._type");
    }
}

#[test]
fn f22_version_is_an_integer_above_zero() {
    let expected = Reason::Expected("an integer");
    for (value, reason) in [
        ("0", &Reason::Invalid("a version of zero")),
        ("-1", &Reason::IntegerRange),
        ("-0", &Reason::NegativeZero),
        ("9223372036854775808", &Reason::IntegerRange),
        ("18446744073709551617", &Reason::IntegerRange),
        ("1.0", &Reason::FloatInSigned),
        ("1e0", &Reason::FloatInSigned),
        ("01", &Reason::LeadingZero),
        ("true", &expected),
        ("\"1\"", &expected),
        ("null", &expected),
        ("[1]", &expected),
    ] {
        refused(
            "\"version\":1}}",
            &format!("\"version\":{value}}}}}"),
            "signed.version",
            reason,
        );
    }
    refused(
        ",\"version\":1}}",
        "}}",
        "signed",
        &Reason::Missing("version"),
    );
    for role in ROLES {
        let largest = file(role).replace("\"version\":1}}", "\"version\":9223372036854775807}}");
        assert_eq!(read(role, largest.into()).unwrap().0, i64::MAX as u64);
    }
}

#[test]
fn f13_a11_expires_is_a_date() {
    let date = "\"expires\":\"2031-01-01T00:00:00Z\"";
    let invalid = Reason::Invalid("a date that is not YYYY-MM-DDTHH:MM:SSZ");
    for value in [
        "never",
        "",
        "2031-01-01",
        "2031-13-01T00:00:00Z",
        "2031-01-01T00:00:00",
    ] {
        refused(
            date,
            &format!("\"expires\":\"{value}\""),
            "signed.expires",
            &invalid,
        );
    }
    refused(
        date,
        "\"expires\":1924992000",
        "signed.expires",
        &Reason::Expected("a string"),
    );
    refused(date, "\"x\":0", "signed", &Reason::Missing("expires"));
    for role in ROLES {
        let (_, at) = read(role, file(role).into()).unwrap();
        assert_eq!(at, UnixTime(1_924_992_000));
        for (form, seconds) in [
            ("2031-01-01T01:00:00+01:00", 1_924_992_000),
            ("2030-12-31T18:00:00.999999999-06:00", 1_924_992_000),
        ] {
            let changed = file(role).replace("2031-01-01T00:00:00Z", form);
            assert_eq!(
                read(role, changed.into()).unwrap().1,
                UnixTime(seconds),
                "{form}"
            );
        }
    }
}

#[test]
fn f20_a12_spec_version_is_of_major_version_1() {
    for role in ROLES {
        for (spec, known) in [
            ("1.0", true),
            ("1.0.0", true),
            ("1.0.34", true),
            ("1.77.0", true),
            ("1", false),
            ("2.0.0", false),
            ("0.9.1", false),
            ("10.0.0", false),
            ("01.0.0", false),
            ("1.0.0.0", false),
            ("1..0", false),
            ("1.0.x", false),
            ("1.0.0-rc", false),
            ("v1.0.0", false),
            (" 1.0.0", false),
            ("", false),
            ("1.0.9999999999", false),
        ] {
            let changed = file(role).replace("1.0.34", spec);
            match read(role, changed.into()) {
                Ok(_) => assert!(known, "{spec}"),
                Err(error) => {
                    let wrong = Reason::Invalid("a specification version other than 1.x.y");
                    assert_eq!(
                        (known, error.path.as_str(), error.reason),
                        (false, "signed.spec_version", wrong),
                        "{spec}"
                    );
                }
            }
        }
    }
    refused(
        "\"spec_version\"",
        "\"x\"",
        "signed",
        &Reason::Missing("spec_version"),
    );
}

#[test]
fn f04_metadata_can_be_read_in_one_way_only() {
    let json = |to: &'static str| (format!("{to}\"spec_version\""), "signed", to);
    let duplicate = |name: &str| Reason::DuplicateName(name.to_owned());
    let nested = "[".repeat(63) + &"]".repeat(63);
    let deep = format!("\"x\":{nested},");
    let table = [
        (
            json("\"expires\":\"2031-01-01T00:00:00Z\","),
            duplicate("expires"),
        ),
        (
            json("\"expire\\u0073\":\"2031-01-01T00:00:00Z\","),
            duplicate("expires"),
        ),
        (json("\"x\":{\"a\":1,\"b\":2,\"a\":3},"), duplicate("a")),
        (json("\"x\":1.5,"), Reason::FloatInSigned),
        (json("\"x\":[1e3],"), Reason::FloatInSigned),
        (json("\"x\":-0,"), Reason::NegativeZero),
        (json("\"x\":\"\\ud800\","), Reason::LoneSurrogate),
    ];
    for ((to, path, added), reason) in table {
        for role in ROLES {
            let error = read(role, file(role).replace("\"spec_version\"", &to).into()).unwrap_err();
            assert!(
                error.path.starts_with(path),
                "{role}: {added}: {}",
                error.path
            );
            assert_eq!(error.reason, reason, "{role}: {added}");
        }
    }
    for role in ROLES {
        let file = file(role);
        let with = |to: &str| file.replace("\"spec_version\"", &format!("{to}\"spec_version\""));
        assert_eq!(
            read(role, with(&deep).into()).unwrap_err().reason,
            Reason::TooDeep
        );
        let shallower = deep.replace(&nested, &nested[1..nested.len() - 1]);
        read(role, with(&shallower).into()).unwrap();
        for constant in [
            "NaN",
            "Infinity",
            "-Infinity",
            "0x1",
            "'a'",
            "+1",
            ".5",
            "undefined",
        ] {
            let error = read(role, with(&format!("\"x\":{constant},")).into()).unwrap_err();
            assert!(
                matches!(error.reason, Reason::Syntax(_)),
                "{constant}: {:?}",
                error.reason
            );
        }
        let bom = [b"\xef\xbb\xbf", file.as_bytes()].concat();
        assert_eq!(read(role, bom).unwrap_err().reason, Reason::ByteOrderMark);
        let latin = file.replace("spec_version", "sp\u{7f}c").into_bytes();
        let latin: Vec<u8> = latin
            .into_iter()
            .map(|byte| if byte == 0x7f { 0xe9 } else { byte })
            .collect();
        assert_eq!(read(role, latin).unwrap_err().reason, Reason::NotUtf8);
        for trailing in ["x", "{}", "\0", "]"] {
            let error = read(role, format!("{file}{trailing}").into()).unwrap_err();
            assert_eq!(error.reason, Reason::Trailing);
        }
        read(role, format!(" \n{file}\t\r\n").into()).unwrap();
        for end in 0..file.len() {
            assert!(
                read(role, file.as_bytes()[..end].to_vec()).is_err(),
                "{role} cut at {end}"
            );
        }
        // Outside of what is signed a fraction does not matter, and a repeated name does.
        let outside = |member: &str| file.replacen('{', &format!("{{\"x\":{member},"), 1);
        read(role, outside("1.5").into()).unwrap();
        let error = read(role, outside("{\"a\":1,\"a\":1}").into()).unwrap_err();
        assert_eq!(error.reason, duplicate("a"));
        let error = read(role, file.replacen('{', "{\"signatures\":[],", 1).into()).unwrap_err();
        assert_eq!(error.reason, duplicate("signatures"));
    }
}
