//! Matching one component of a path. A pattern is as long as whoever wrote it likes, so it is read once: what is kept of it
//! is no more than the text could match.

use alloc::vec;
use alloc::vec::Vec;
use core::str::Chars;

/// Whether the pattern matches the whole component. `step` is called for every step of work.
pub(super) fn matches(pattern: &str, text: &str, step: &mut impl FnMut()) -> bool {
    if !pattern.contains(['*', '?', '[']) {
        return pattern == text;
    }
    let alphabet = Alphabet::of(text);
    let text: Vec<usize> = text
        .chars()
        .filter_map(|character| alphabet.place(character))
        .collect();
    read(pattern, &alphabet, text.len(), step).is_some_and(|pieces| run(&pieces, &text, step))
}

/// The characters of the text, each once and in order. Everything else is compared by place in this list.
struct Alphabet(Vec<char>);

impl Alphabet {
    fn of(text: &str) -> Self {
        let mut characters: Vec<char> = text.chars().collect();
        characters.sort_unstable();
        characters.dedup();
        Self(characters)
    }

    fn place(&self, character: char) -> Option<usize> {
        self.0.binary_search(&character).ok()
    }

    /// The places of the characters from `low` to `high`: from the first to before the second.
    fn range(&self, low: char, high: char) -> (usize, usize) {
        let before = |end: &dyn Fn(char) -> bool| self.0.partition_point(|&known| end(known));
        (before(&|known| known < low), before(&|known| known <= high))
    }
}

enum Piece {
    Star,
    Any,
    /// This character of the alphabet.
    One(usize),
    /// Those characters of the alphabet that are marked.
    Class(Vec<bool>),
}

impl Piece {
    fn takes(&self, character: usize) -> bool {
        match self {
            Self::Star => false,
            Self::Any => true,
            Self::One(wanted) => *wanted == character,
            Self::Class(marked) => marked.get(character) == Some(&true),
        }
    }
}

/// Reads a pattern; `None` if it matches no text of this alphabet and length.
fn read(
    pattern: &str,
    alphabet: &Alphabet,
    length: usize,
    step: &mut impl FnMut(),
) -> Option<Vec<Piece>> {
    let mut pieces = Vec::new();
    let mut rest = pattern.chars();
    let mut taken = 0_usize;
    // A `[` without `]` stands for itself, and so does every later one: a `]` for those would have been one for it.
    let mut classes = true;
    while let Some(character) = rest.next() {
        step();
        let piece = match character {
            '*' if matches!(pieces.last(), Some(Piece::Star)) => continue,
            '*' => Piece::Star,
            '?' => Piece::Any,
            '[' if classes => match read_class(&mut rest, alphabet, step) {
                Some(marked) => Piece::Class(marked),
                None => {
                    classes = false;
                    Piece::One(alphabet.place('[')?)
                }
            },
            literal => Piece::One(alphabet.place(literal)?),
        };
        if !matches!(piece, Piece::Star) {
            taken = taken.saturating_add(1);
            if taken > length {
                return None;
            }
        }
        pieces.push(piece);
    }
    Some(pieces)
}

/// Reads a class behind its `[` and marks what it takes; `None`, with `rest` untouched, when it has no end.
fn read_class(
    rest: &mut Chars<'_>,
    alphabet: &Alphabet,
    step: &mut impl FnMut(),
) -> Option<Vec<bool>> {
    let mut class = rest.clone();
    let negated = take(&mut class, '!');
    // Up to where the ranges reach that begin at each character.
    let mut reach = vec![0; alphabet.0.len()];
    let mut first = true;
    loop {
        step();
        let low = class.next()?;
        if low == ']' && !first {
            break;
        }
        first = false;
        let high = range_end(&mut class).unwrap_or(low);
        let (start, end) = alphabet.range(low, high);
        if let Some(known) = reach.get_mut(start) {
            *known = end.max(*known);
        }
    }
    *rest = class;
    let mut furthest = 0;
    let marked = reach.into_iter().enumerate().map(|(place, reach)| {
        furthest = reach.max(furthest);
        (place < furthest) != negated
    });
    Some(marked.collect())
}

/// The end of a range such as `a-z`, unless the `-` is the last character of the class.
fn range_end(class: &mut Chars<'_>) -> Option<char> {
    let mut ahead = class.clone();
    if !take(&mut ahead, '-') {
        return None;
    }
    let high = ahead.next().filter(|&high| high != ']')?;
    *class = ahead;
    Some(high)
}

fn take(characters: &mut Chars<'_>, wanted: char) -> bool {
    let mut ahead = characters.clone();
    let found = ahead.next() == Some(wanted);
    if found {
        *characters = ahead;
    }
    found
}

/// Greedy matching with one point to come back to, the last `*`: enough, because a later `*` can only give more freedom.
fn run(pieces: &[Piece], text: &[usize], step: &mut impl FnMut()) -> bool {
    let (mut piece, mut place) = (0_usize, 0_usize);
    let mut retry: Option<(usize, usize)> = None;
    loop {
        step();
        let matched = match (pieces.get(piece), text.get(place)) {
            (Some(Piece::Star), _) => {
                piece = piece.saturating_add(1);
                retry = Some((piece, place));
                continue;
            }
            (None, None) => return true,
            (Some(piece), Some(&character)) => piece.takes(character),
            _ => false,
        };
        if matched {
            piece = piece.saturating_add(1);
            place = place.saturating_add(1);
            continue;
        }
        // The last star takes one character more; without one there is nothing left to try.
        let Some((after_star, taken)) = &mut retry else {
            return false;
        };
        if *taken >= text.len() {
            return false;
        }
        *taken = taken.saturating_add(1);
        (piece, place) = (*after_star, *taken);
    }
}
