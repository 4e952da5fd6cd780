//! Text for people: wrapped lines, aligned columns, sizes, fingerprints.

/// The width that is used when the terminal does not say how wide it is.
pub(crate) const WIDTH: usize = 80;

/// Wraps words to `width` characters; every line but the first is indented.
pub(crate) fn wrap(text: &str, width: usize, indent: usize) -> String {
    let mut wrapped = String::new();
    for (number, paragraph) in text.split('\n').enumerate() {
        let mut column = indent;
        if number > 0 {
            new_line(&mut wrapped, indent);
        }
        for (place, word) in paragraph.split(' ').enumerate() {
            let length = word.chars().count();
            if place > 0 && column + 1 + length > width {
                new_line(&mut wrapped, indent);
                column = indent;
            } else if place > 0 {
                wrapped.push(' ');
                column += 1;
            }
            wrapped.push_str(word);
            column += length;
        }
    }
    wrapped
}

fn new_line(text: &mut String, indent: usize) {
    text.push('\n');
    text.extend(std::iter::repeat_n(' ', indent));
}

/// The widest cell that others are aligned with: names come from files, and may be of any length.
const WIDEST: usize = 200;

/// Rows with aligned columns, two spaces between them, no spaces at the end of a line.
pub(crate) fn columns(rows: &[Vec<String>]) -> Vec<String> {
    let count = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        rows.iter()
            .filter_map(|row| row.get(column))
            .map(|cell| cell.chars().count())
            .max()
            .unwrap_or(0)
            .min(WIDEST)
    };
    let widths: Vec<usize> = (0..count).map(width).collect();
    rows.iter()
        .map(|row| {
            let cells = row.iter().zip(&widths);
            let line: Vec<String> = cells
                .map(|(cell, width)| format!("{cell:<width$}"))
                .collect();
            line.join("  ").trim_end().to_owned()
        })
        .collect()
}

/// A size in SI units: `999 B`, `41.3 MB`.
pub(crate) fn size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["kB", "MB", "GB", "TB", "PB"];
    if bytes < 1000 {
        return format!("{bytes} B");
    }
    let mut value = bytes as f64 / 1000.0;
    let mut unit = 0;
    while value >= 999.95 && unit + 1 < UNITS.len() {
        value /= 1000.0;
        unit += 1;
    }
    format!("{value:.1} {}", UNITS[unit])
}

/// `1 file`, `2 files`.
pub(crate) fn count(number: u64, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}

/// A digest in groups of eight digits, to be compared by eye or read out.
pub(crate) fn grouped(hex: &str) -> String {
    let digits: Vec<char> = hex.chars().collect();
    let groups: Vec<String> = digits
        .chunks(8)
        .map(|group| group.iter().collect())
        .collect();
    groups.join(" ")
}

/// The first characters of a keyid or digest, with nothing in it that a terminal would obey.
pub(crate) fn short(identifier: &str) -> String {
    visible(identifier).chars().take(8).collect()
}

/// The text, cut where it is longer than so many characters.
pub(crate) fn shortened(text: &str, longest: usize) -> String {
    match text.char_indices().nth(longest) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// Replaces control characters: names come from repositories, and a terminal obeys what it is sent.
pub(crate) fn visible(text: &str) -> String {
    text.chars()
        .map(|character| {
            if character.is_control() || is_direction_mark(character) {
                '\u{fffd}'
            } else {
                character
            }
        })
        .collect()
}

/// Characters that make a terminal show text in another order than it stands, on another line, or not at all.
fn is_direction_mark(character: char) -> bool {
    matches!(character, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_wrap_at_the_width() {
        assert_eq!(wrap("one two three four", 9, 0), "one two\nthree\nfour");
        assert_eq!(wrap("one two three", 11, 2), "one two\n  three");
        assert_eq!(wrap("a\nb", 10, 1), "a\n b");
    }

    #[test]
    fn columns_align_and_end_without_spaces() {
        let rows = [
            vec!["a".into(), "bb".into()],
            vec!["ccc".into(), "d".into()],
        ];
        assert_eq!(columns(&rows), ["a    bb", "ccc  d"]);
    }

    #[test]
    fn sizes_use_decimal_units() {
        for (bytes, text) in [
            (0, "0 B"),
            (999, "999 B"),
            (1000, "1.0 kB"),
            (999_949, "999.9 kB"),
            (999_950, "1.0 MB"),
            (41_300_000, "41.3 MB"),
            (u64::MAX, "18446.7 PB"),
        ] {
            assert_eq!(size(bytes), text, "{bytes}");
        }
    }

    #[test]
    fn a_cell_of_any_length_does_not_widen_the_others() {
        let long = "x".repeat(70_000);
        let lines = columns(&[vec![long.clone(), "a".into()], vec!["b".into(), "c".into()]]);
        assert_eq!(lines.first(), Some(&format!("{long}  a")));
        assert_eq!(lines.get(1).map(String::len), Some(WIDEST + 3));
    }

    #[test]
    fn long_text_is_cut_between_characters() {
        assert_eq!(shortened("ääöü", 2), "ää…");
        assert_eq!(shortened("ääöü", 4), "ääöü");
    }

    #[test]
    fn names_cannot_command_a_terminal() {
        assert_eq!(visible("a\u{1b}[2Jb\u{202e}c"), "a\u{fffd}[2Jb\u{fffd}c");
    }
}
