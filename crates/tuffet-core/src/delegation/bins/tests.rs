use super::*;
use crate::crypto::HashAlgorithm;
use alloc::string::ToString;
use alloc::vec::Vec;

fn bins(bit_length: u32) -> SuccinctRoles {
    let text = format!(
        r#"{{"keyids": ["a"], "threshold": 1, "bit_length": {bit_length}, "name_prefix": "bin"}}"#
    );
    SuccinctRoles::parse(&mut Reader::new(text.as_bytes()).unwrap()).unwrap()
}

fn hash(digits: &str) -> Digest {
    Digest::from_hex(HashAlgorithm::Sha256, &format!("{digits:0<64}")).unwrap()
}

#[test]
fn tap15_names_have_as_many_digits_as_the_last_bin() {
    let table = [
        (1, "bin-0", "bin-1"),
        (4, "bin-0", "bin-f"),
        (5, "bin-00", "bin-1f"),
        (8, "bin-00", "bin-ff"),
        (10, "bin-000", "bin-3ff"),
        (16, "bin-0000", "bin-ffff"),
        (32, "bin-00000000", "bin-ffffffff"),
    ];
    for (bits, first, last) in table {
        let bins = bins(bits);
        assert_eq!((bins.bit_length(), bins.name_prefix()), (bits, "bin"));
        assert_eq!(bins.bin(&hash("")).unwrap().as_str(), first);
        assert_eq!(bins.bin(&hash(&"f".repeat(64))).unwrap().as_str(), last);
        assert!(bins.contains(first) && bins.contains(last), "{bits}");
    }
}

#[test]
fn tap15_the_first_bits_choose_the_bin() {
    assert_eq!(bins(10).bin(&hash("a55")).unwrap().as_str(), "bin-295");
    assert_eq!(bins(3).bin(&hash("7f")).unwrap().as_str(), "bin-3");
}

#[test]
fn tap15_every_name_is_a_member() {
    let bins = bins(5);
    let names: Vec<String> = bins.names().collect();
    assert_eq!((names.len(), names[31].as_str()), (32, "bin-1f"));
    assert!(names.iter().all(|name| bins.contains(name)));
}

#[test]
fn a42_only_exact_names_are_bins() {
    let bins = bins(10);
    for name in [
        "bin-3FF",
        "bin-+ff",
        "bin- ff",
        "bin-0x1",
        "bin-400",
        "bin-3ff0",
        "bin-ff",
        "bin3ff",
        "bin-",
        "other-000",
        "bin-٣00",
    ] {
        assert!(!bins.contains(name), "{name}");
    }
}

#[test]
fn tap15_bit_length_outside_1_to_32_is_refused() {
    for bits in ["0", "33", "4294967297", "-1", "true"] {
        let text = format!(
            r#"{{"keyids": [], "threshold": 1, "bit_length": {bits}, "name_prefix": "bin"}}"#
        );
        let error = SuccinctRoles::parse(&mut Reader::new(text.as_bytes()).unwrap()).unwrap_err();
        assert_eq!(error.path.to_string(), "bit_length", "{bits}");
    }
}
