//! The outer form of elliptic curve points (SEC 1 §2.3.3). Whether a point is on its curve is the backend's question.

use super::scheme::Curve;

const COMPRESSED_EVEN: u8 = 0x02;
const COMPRESSED_ODD: u8 = 0x03;
const UNCOMPRESSED: u8 = 0x04;

/// The x coordinate of an encoded point, if the encoding is one of a point of `curve`.
pub(super) fn x_coordinate(curve: Curve, point: &[u8]) -> Option<&[u8]> {
    let length = curve.coordinate_length();
    let (form, coordinates) = point.split_first()?;
    let (x, y) = coordinates.split_at_checked(length)?;
    let complete = match *form {
        UNCOMPRESSED => y.len() == length,
        COMPRESSED_EVEN | COMPRESSED_ODD => y.is_empty(),
        _ => false,
    };
    complete.then_some(x)
}
