//! Puts every mutant of a file into it, each behind its number.
//!
//! A function with mutants gets a body that chooses: `match crate::mutant() { 7 => { one body } 8 => { another } _ => { its own } }`.
//! Each arm has lines of its own, by which what the compiler says finds its mutant.

use serde_json::Value;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Range;

/// What the woven crate has in its library beside what it has.
pub(super) const CHOICE: &str = r#"
extern crate std as chosen_by;

pub(crate) fn mutant() -> usize {
    static CHOSEN: chosen_by::sync::OnceLock<usize> = chosen_by::sync::OnceLock::new();
    let read = || chosen_by::env::var("TUFFET_MUTANT").ok()?.parse().ok();
    *CHOSEN.get_or_init(|| read().unwrap_or(usize::MAX))
}
"#;

/// What the values that replace bodies are made of; without it most of them do not compile in a crate that is `no_std`.
const VALUES: &str =
    "use alloc::{borrow::ToOwned as _, boxed::Box, string::String, vec, vec::Vec};\n";

/// A place in a file: line and column, both from 1, the column in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place(u64, u64);

/// One small change.
#[derive(Debug, Clone)]
pub(super) struct Mutant {
    /// As `cargo mutants --list` shows it.
    pub(super) name: String,
    pub(super) file: String,
    function: Range<Place>,
    function_name: String,
    returns: String,
    change: Range<Place>,
    replacement: String,
    /// Whether it is the whole body that is replaced.
    whole: bool,
}

/// A mutant that stands in a woven file, and the lines of its arm.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Arm {
    pub(super) number: usize,
    pub(super) lines: Range<usize>,
}

/// A file with its mutants.
#[derive(Debug)]
pub(super) struct Woven {
    pub(super) text: String,
    pub(super) arms: Vec<Arm>,
}

impl Mutant {
    /// Reads one of `cargo mutants --list --json`.
    pub(super) fn read(value: &Value) -> Option<Self> {
        let function = &value["function"];
        let text = |value: &Value| value.as_str().map(str::to_owned);
        Some(Self {
            name: text(&value["name"])?,
            file: text(&value["file"])?,
            function: places(&function["span"])?,
            // `Type<'a>::method`, `<impl Trait for Type>::method`
            function_name: text(&function["function_name"])?
                .rsplit("::")
                .next()?
                .to_owned(),
            returns: text(&function["return_type"])?,
            change: places(&value["span"])?,
            replacement: text(&value["replacement"])?,
            whole: value["genre"] == "FnValue",
        })
    }

    /// What it stays known by as long as its function stays as it is, wherever that moves.
    pub(super) fn key(&self, text: &str) -> String {
        let mut hasher = DefaultHasher::new();
        text.get(offsets(text, &self.function))
            .unwrap_or_default()
            .hash(&mut hasher);
        let Place(line, column) = self.change.start;
        let line = line.saturating_sub(self.function.start.0);
        let what = self.name.splitn(4, ':').nth(3).unwrap_or_default().trim();
        format!(
            "{} {:016x} +{line}:{column} {what}",
            self.file,
            hasher.finish()
        )
    }
}

impl Mutant {
    /// What stands around each arm so that all have one type, if the function returns `impl Iterator`: a box, or a list where what is
    /// given borrows, because a box has one lifetime only.
    fn one_type(&self) -> (String, String) {
        let Some((_, rest)) = self.returns.split_once("impl Iterator<") else {
            return (String::new(), String::new());
        };
        // `Item = Text<'a>>`, or with bounds behind it: `Item = Text<'a>>+'a`
        let item = rest.split_once(">+").map(|(item, _)| item);
        let item = item.or_else(|| rest.strip_suffix('>')).unwrap_or(rest);
        if let Some((_, of)) = item.split_once('=').filter(|_| item.contains(['&', '\''])) {
            let open = format!("let all: alloc::vec::Vec<{of}> = ({{\n");
            return (open, "}).collect();\nall.into_iter()\n".to_owned());
        }
        let boxed = "alloc::boxed::Box";
        let open = format!("let boxed: {boxed}<dyn Iterator<{item}>> = {boxed}::new({{\n");
        (open, "});\nboxed\n".to_owned())
    }
}

fn places(span: &Value) -> Option<Range<Place>> {
    let place = |value: &Value| Some(Place(value["line"].as_u64()?, value["column"].as_u64()?));
    Some(place(&span["start"])?..place(&span["end"])?)
}

fn offsets(text: &str, places: &Range<Place>) -> Range<usize> {
    offset(text, places.start)..offset(text, places.end)
}

fn offset(text: &str, Place(line, column): Place) -> usize {
    let (line, column) = (line as usize, column as usize);
    let mut lines = text.split_inclusive('\n');
    let before: usize = lines.by_ref().take(line - 1).map(str::len).sum();
    let characters = lines.next().unwrap_or_default().chars().take(column - 1);
    before + characters.map(char::len_utf8).sum::<usize>()
}

/// Weaves numbered mutants of one file into its text. A function that chooses cannot be `const`, and the iterators that its arms
/// return have one type only in a box.
pub(super) fn weave(text: &str, mutants: &[(usize, &Mutant)]) -> Woven {
    let mut woven = Woven {
        text: String::new(),
        arms: Vec::new(),
    };
    let mut done = 0;
    for (range, within) in functions(text, mutants) {
        let function = within[0].1;
        let Some((head, body)) = parts(text, &range, function) else {
            continue;
        };
        woven.text += &text[done..head.start];
        woven.text += &text[head].replacen("const fn ", "fn ", 1);
        woven.text += "\nmatch crate::mutant() {\n";
        let (open, close) = function.one_type();
        for (number, mutant) in within {
            let change = offsets(text, &mutant.change);
            let first = woven.next_line();
            woven.text += &format!("{number} => {{\n{open}");
            woven.text += if mutant.whole { VALUES } else { "" };
            woven.text += &text[body.start..change.start];
            woven.text += &format!(" {} ", mutant.replacement.replace("::std::", "::core::"));
            woven.text += &text[change.end..body.end];
            woven.text += &format!("\n{close}}}\n");
            let lines = first..woven.next_line();
            woven.arms.push(Arm { number, lines });
        }
        woven.text += &format!("_ => {{\n{open}{}\n{close}}}\n}}\n", &text[body.clone()]);
        done = body.end;
    }
    woven.text += &text[done..];
    woven
}

/// A function of a text and the numbered mutants within it.
type Function<'m> = (Range<usize>, Vec<(usize, &'m Mutant)>);

/// The functions in order. Of functions within functions the outer one gets the mutants of both.
fn functions<'m>(text: &str, mutants: &[(usize, &'m Mutant)]) -> Vec<Function<'m>> {
    let mut sorted = mutants.to_vec();
    sorted.sort_by_key(|(number, mutant)| {
        let Range { start, end } = mutant.function;
        (start, std::cmp::Reverse(end), *number)
    });
    let mut functions: Vec<Function<'m>> = Vec::new();
    for (number, mutant) in sorted {
        let range = offsets(text, &mutant.function);
        match functions.last_mut() {
            Some((outer, within)) if range.end <= outer.end => within.push((number, mutant)),
            _ => functions.push((range, vec![(number, mutant)])),
        }
    }
    functions
}

impl Woven {
    /// The line, from 1, on which goes on what is added next.
    fn next_line(&self) -> usize {
        self.text.matches('\n').count() + 1
    }
}

/// Where a function begins, up to its opening brace, behind what is said about it; and what stands between its braces.
fn parts(
    text: &str,
    function: &Range<usize>,
    mutant: &Mutant,
) -> Option<(Range<usize>, Range<usize>)> {
    let source = &text[function.clone()];
    let name = format!("fn {}", mutant.function_name);
    let mut at = 0;
    for line in source.split_inclusive('\n') {
        let said = line.trim_start().starts_with("//");
        if let Some(column) = line.find(&name).filter(|_| !said) {
            let open = at + column + source[at + column..].find('{')? + 1;
            let close = source.rfind('}')?;
            let [head, open, close] = [at, open, close].map(|place| function.start + place);
            return Some((head..open, open..close));
        }
        at += line.len();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const TEXT: &str = "/// Not `fn more() {`.\nfn more(a: u8) -> bool {\n    a > 1 // ä\n}\n\n/// So.\nconst fn one() -> u8 {\n    1\n}\n";

    fn mutant(name: &str, returns: &str, function: [u64; 2], change: [u64; 3], to: &str) -> Mutant {
        let place = |line, column| json!({"line": line, "column": column});
        let span = |start, end| json!({"start": start, "end": end});
        let [line, from, until] = change;
        let value = json!({
            "name": format!("f.rs:{line}:{from}: replace in {name}"),
            "file": "f.rs",
            "function": {
                "function_name": format!("Type<'_>::{name}"),
                "return_type": returns,
                "span": span(place(function[0], 1), place(function[1], 2)),
            },
            "span": span(place(line, from), place(line, until)),
            "replacement": to,
            "genre": if until - from > 1 { "FnValue" } else { "BinaryOperator" },
        });
        Mutant::read(&value).unwrap()
    }

    #[test]
    fn each_mutant_stands_in_lines_of_its_own_behind_its_number() {
        let less = mutant("more", "-> bool", [1, 4], [3, 7, 8], "<");
        let never = mutant("more", "-> bool", [1, 4], [3, 5, 10], "false");
        let woven = weave(TEXT, &[(7, &less), (9, &never)]);
        let lines: Vec<&str> = woven.text.lines().collect();
        let arm = |number: usize| {
            let arm = woven.arms.iter().find(|arm| arm.number == number).unwrap();
            let text = lines[arm.lines.start - 1..arm.lines.end - 1].join(" ");
            let words: Vec<&str> = text.split_whitespace().collect();
            words.join(" ")
        };
        assert_eq!(arm(7), "7 => { a < 1 // ä }");
        assert_eq!(arm(9), format!("9 => {{ {} false // ä }}", VALUES.trim()));
        let own = woven.text.split_once("_ => {").unwrap().1;
        assert_eq!(own.matches("a > 1 // ä").count(), 1);
        assert!(woven.text.ends_with("const fn one() -> u8 {\n    1\n}\n"));
    }

    #[test]
    fn a_function_that_chooses_is_not_const_and_boxes_its_iterators() {
        let one = mutant("one", "-> u8", [6, 9], [8, 5, 7], "0");
        let woven = weave(TEXT, &[(3, &one)]);
        assert!(
            !woven.text.contains("const fn") && woven.text.contains("\nfn one() -> u8 {\nmatch")
        );
        let returns = "-> impl Iterator<Item = bool>";
        let all = mutant("more", returns, [1, 4], [3, 5, 10], "::std::iter::empty()");
        let woven = weave(TEXT, &[(3, &all)]);
        assert_eq!(
            woven
                .text
                .matches("Box<dyn Iterator<Item = bool>> = ")
                .count(),
            2
        );
        assert!(woven.text.contains(" ::core::iter::empty() "));
        assert!(woven.text.ends_with("const fn one() -> u8 {\n    1\n}\n"));
    }

    #[test]
    fn a_mutant_is_known_by_its_function_wherever_that_stands() {
        let here = mutant("more", "-> bool", [1, 4], [3, 7, 8], "<");
        let below = mutant("more", "-> bool", [2, 5], [4, 7, 8], "<");
        let moved = format!("\n{TEXT}");
        assert_eq!(here.key(TEXT), below.key(&moved));
        assert_ne!(here.key(TEXT), here.key(&TEXT.replace("> 1", "> 2")));
        let other = mutant("more", "-> bool", [1, 4], [3, 5, 6], "<");
        assert_ne!(here.key(TEXT), other.key(TEXT));
    }
}
