//! Encodings that the services share.

use base64ct::{Base64, Base64UrlUnpadded, Encoding};

/// Standard base64 with padding.
pub(crate) fn base64(bytes: &[u8]) -> String {
    Base64::encode_string(bytes)
}

pub(crate) fn from_base64(text: &str) -> Option<Vec<u8>> {
    Base64::decode_vec(text).ok()
}

/// The base64 of URLs and JSON web keys, without padding.
pub(crate) fn base64_url(bytes: &[u8]) -> String {
    Base64UrlUnpadded::encode_string(bytes)
}

/// Padding is taken, too: not everybody leaves it out.
pub(crate) fn from_base64_url(text: &str) -> Option<Vec<u8>> {
    Base64UrlUnpadded::decode_vec(text.trim_end_matches('=')).ok()
}

/// Encodes everything but the unreserved characters of RFC 3986 §2.3.
pub(crate) fn url_encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(char::from(byte));
            }
            _ => {
                encoded.push('%');
                for digit in [byte >> 4, byte & 0x0f] {
                    let digit = char::from_digit(digit.into(), 16).unwrap_or('0');
                    encoded.push(digit.to_ascii_uppercase());
                }
            }
        }
    }
    encoded
}

/// The content of the first element of that name, if it has no attributes. Enough for answers whose form is known.
pub(crate) fn element<'a>(xml: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    let (content, _) = rest.split_once(&format!("</{name}>"))?;
    Some(content)
}

/// CRC-32C (RFC 3720 §B.4), with which Google Cloud KMS guards what is sent.
pub(crate) fn crc32c(bytes: &[u8]) -> u32 {
    const REVERSED_POLYNOMIAL: u32 = 0x82f6_3b78;
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            let mask = 0_u32.wrapping_sub(crc & 1);
            (crc >> 1) ^ (REVERSED_POLYNOMIAL & mask)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crc32c_of_the_vectors_of_rfc_3720() {
        let ascending: Vec<u8> = (0..32).collect();
        for (bytes, crc) in [
            (vec![0; 32], 0x8a91_36aa),
            (vec![0xff; 32], 0x62a8_ab43),
            (ascending, 0x46dd_794e),
            (b"123456789".to_vec(), 0xe306_9283),
            (vec![], 0),
        ] {
            assert_eq!(crc32c(&bytes), crc);
        }
    }

    #[test]
    fn urls_are_encoded() {
        assert_eq!(url_encode("a-Z_0.~"), "a-Z_0.~");
        assert_eq!(url_encode("a b/c+&=é"), "a%20b%2Fc%2B%26%3D%C3%A9");
    }

    #[test]
    fn elements_are_found() {
        assert_eq!(element("<a><b>x</b><b>y</b></a>", "b"), Some("x"));
        assert_eq!(element("<a><b>x</a>", "b"), None);
        assert_eq!(element("", "b"), None);
    }
}
