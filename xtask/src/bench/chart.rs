//! One bar chart for each table, as SVG.

use std::fmt::Write as _;

const WIDTH: f64 = 720.0;
const NAMES: f64 = 190.0;
const VALUES: f64 = 90.0;
const ROW: f64 = 26.0;

/// Bars of these lengths, the first one ours. `unit` stands behind every number.
pub(super) fn bars(title: &str, unit: &str, bars: &[(&str, f64)]) -> String {
    let longest = bars.iter().map(|(_, value)| *value).fold(0.0, f64::max);
    let rows: f64 = bars.iter().map(|_| 1.0).sum();
    let height = rows.mul_add(ROW, 44.0);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" font-family=\"sans-serif\" font-size=\"13\">\n\
         <rect width=\"{WIDTH}\" height=\"{height}\" fill=\"#ffffff\"/>\n\
         <text x=\"12\" y=\"24\" font-weight=\"bold\" fill=\"#1f2328\">{}</text>\n",
        escaped(title)
    );
    let mut top = 38.0;
    for (place, (name, value)) in bars.iter().enumerate() {
        let room = WIDTH - NAMES - VALUES;
        let length = if longest > 0.0 {
            value / longest * room
        } else {
            0.0
        };
        let colour = if place == 0 { "#1a7f37" } else { "#8c959f" };
        let (middle, end) = (top + 15.0, NAMES + length.max(1.0) + 6.0);
        // Writing to a String does not fail.
        let _ = writeln!(
            svg,
            "<text x=\"12\" y=\"{middle}\" fill=\"#1f2328\">{}</text>\
             <rect x=\"{NAMES}\" y=\"{}\" width=\"{:.1}\" height=\"17\" fill=\"{colour}\"/>\
             <text x=\"{end:.1}\" y=\"{middle}\" fill=\"#57606a\">{} {unit}</text>",
            escaped(name),
            top + 1.0,
            length.max(1.0),
            number(*value)
        );
        top += ROW;
    }
    svg.push_str("</svg>\n");
    svg
}

/// Three digits that count, or whole numbers.
fn number(value: f64) -> String {
    if value >= 100.0 {
        format!("{value:.0}")
    } else if value >= 10.0 {
        format!("{value:.1}")
    } else {
        format!("{value:.2}")
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_bar_fills_the_room_and_the_others_are_in_proportion() {
        let svg = bars("a < b", "s", &[("ours", 1.0), ("theirs", 4.0)]);
        assert!(svg.contains("a &lt; b"));
        assert!(
            svg.contains("width=\"440.0\"") && svg.contains("width=\"110.0\""),
            "{svg}"
        );
        assert!(svg.contains("1.00 s") && svg.contains("4.00 s"));
    }
}
