//! Charts as SVG: bars for a table, lines for what grows.

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

/// A curve of [`lines`].
pub(super) struct Line<'n> {
    pub(super) name: &'n str,
    pub(super) points: Vec<(u64, f64)>,
}

/// Where the curves are: the corner of the smallest values, and the room to the right and above.
const LEFT: f64 = 70.0;
const BOTTOM: f64 = 372.0;
const ROOM: (f64, f64) = (400.0, 320.0);
const COLOURS: [&str; 7] = [
    "#1a7f37", "#cf222e", "#0969da", "#9a6700", "#8250df", "#bf3989", "#57606a",
];

/// Curves over powers of ten, the first one ours: both axes grow by factors of ten.
pub(super) fn lines(title: &str, unit: &str, lines: &[Line<'_>]) -> String {
    let points = || lines.iter().flat_map(|line| &line.points);
    let across = decades(points().map(|(count, _)| log10(*count)));
    let upwards = decades(points().map(|(_, value)| value.log10()));
    let place = |(low, high): (f64, f64), value: f64| (value - low) / (high - low);
    let right = |value: f64| place(across, value).mul_add(ROOM.0, LEFT);
    let up = |value: f64| place(upwards, value).mul_add(-ROOM.1, BOTTOM);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} 410\" font-family=\"sans-serif\" font-size=\"13\">\n\
         <rect width=\"{WIDTH}\" height=\"410\" fill=\"#ffffff\"/>\n\
         <text x=\"12\" y=\"24\" font-weight=\"bold\" fill=\"#1f2328\">{}</text>\n",
        escaped(title)
    );
    // Writing to a String does not fail, here and below.
    for decade in whole(upwards) {
        let _ = writeln!(
            svg,
            "<path d=\"M{LEFT} {:.1}h{}\" stroke=\"#d0d7de\"/>\
             <text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\" fill=\"#57606a\">{} {unit}</text>",
            up(decade),
            ROOM.0,
            LEFT - 6.0,
            up(decade) + 4.0,
            10_f64.powf(decade)
        );
    }
    for decade in whole(across) {
        let _ = writeln!(
            svg,
            "<path d=\"M{:.1} {BOTTOM}v-{}\" stroke=\"#eaeef2\"/>\
             <text x=\"{:.1}\" y=\"{}\" text-anchor=\"middle\" fill=\"#57606a\">{}</text>",
            right(decade),
            ROOM.1,
            right(decade),
            BOTTOM + 20.0,
            10_f64.powf(decade)
        );
    }
    let mut names = 60.0;
    for (line, colour) in lines.iter().zip(COLOURS.iter().cycle()) {
        let mut path = String::new();
        for (count, value) in &line.points {
            let (x, y) = (right(log10(*count)), up(value.log10()));
            let _ = write!(path, "{x:.1},{y:.1} ");
        }
        let name = LEFT + ROOM.0 + 14.0;
        let _ = writeln!(
            svg,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>\
             <path d=\"M{name} {}h18\" stroke=\"{colour}\" stroke-width=\"3\"/>\
             <text x=\"{}\" y=\"{names}\" fill=\"#1f2328\">{}</text>",
            path.trim_end(),
            names - 4.0,
            name + 24.0,
            escaped(line.name)
        );
        names += 22.0;
    }
    svg.push_str("</svg>\n");
    svg
}

/// The logarithm of a count, which is exact enough for a chart.
#[allow(clippy::cast_precision_loss, reason = "a place in a chart")]
fn log10(count: u64) -> f64 {
    (count as f64).log10()
}

/// The powers of ten around these logarithms: at least one apart.
fn decades(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
    for value in values.filter(|value| value.is_finite()) {
        low = low.min(value.floor());
        high = high.max(value.ceil());
    }
    if low.is_finite() {
        (low, high.max(low + 1.0))
    } else {
        (0.0, 1.0)
    }
}

/// The whole numbers from one to the other.
fn whole((low, high): (f64, f64)) -> impl Iterator<Item = f64> {
    std::iter::successors(Some(low), |value| Some(value + 1.0))
        .take_while(move |value| *value <= high)
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

    #[test]
    fn a_factor_of_ten_is_as_long_everywhere() {
        let curve = |name, points: &[(u64, f64)]| Line {
            name,
            points: points.to_vec(),
        };
        let ours = curve(
            "ours",
            &[(1_000, 10.0), (10_000, 100.0), (100_000, 1_000.0)],
        );
        let svg = lines("a < b", "ms", &[ours, curve("theirs", &[(1_000, 100.0)])]);
        assert!(
            svg.contains("points=\"70.0,372.0 270.0,212.0 470.0,52.0\""),
            "{svg}"
        );
        assert!(svg.contains("points=\"70.0,212.0\"") && svg.contains("1000 ms"));
    }
}
