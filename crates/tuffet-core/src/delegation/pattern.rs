//! Shell patterns over target paths (TUF §4.5 PATHPATTERN, rule F-48, decision A-27).

use alloc::sync::Arc;
use core::str::Chars;

/// A pattern such as `releases/*/app-?.tgz`.
///
/// | piece | matches |
/// |---|---|
/// | `*` | any number of characters, but not `/` |
/// | `?` | one character, but not `/` |
/// | `[abc]`, `[a-z]` | one of these characters |
/// | `[!abc]` | one character that is none of these and not `/` |
/// | anything else | itself: `{`, `}`, `^`, `\`, and `[` without `]` in the same path component |
///
/// Matching takes time in proportion to pattern × path at the worst, and compares case.
///
/// ```
/// # use tuffet_core::delegation::Pattern;
/// let pattern = Pattern::new("targets/foo-version-?.tgz");
/// assert!(pattern.matches("targets/foo-version-a.tgz"));
/// assert!(!pattern.matches("targets/foo-version-alpha.tgz"));
/// assert!(!Pattern::new("*").matches("foo/bar.zip"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern(Arc<str>);

impl Pattern {
    /// Every string is a pattern.
    #[must_use]
    pub fn new(pattern: &str) -> Self {
        Self(pattern.into())
    }

    /// The pattern as written in the metadata.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the pattern matches the whole path, component by component.
    #[must_use]
    pub fn matches(&self, path: &str) -> bool {
        let (mut patterns, mut parts) = (self.0.split('/'), path.split('/'));
        loop {
            match (patterns.next(), parts.next()) {
                (None, None) => return true,
                (Some(pattern), Some(part)) if component_matches(pattern, part) => {}
                _ => return false,
            }
        }
    }

    /// Whether implementations agree on what the pattern means: it uses nothing but `*`, `?` and plain text.
    #[must_use]
    pub fn is_portable(&self) -> bool {
        !self.0.contains([
            '[', ']', '{', '}', '\\', '!', '#', '^', '(', ')', '+', '@', '|',
        ]) && !self.0.contains("**")
    }
}

/// Greedy matching with one point to come back to, the last `*`: enough, because a later `*` can only give more freedom.
fn component_matches(pattern: &str, text: &str) -> bool {
    let (mut pattern, mut text) = (pattern.chars(), text.chars());
    let mut retry: Option<(Chars<'_>, Chars<'_>)> = None;
    loop {
        let mut rest = pattern.clone();
        let matched = match rest.next() {
            Some('*') => {
                retry = Some((rest.clone(), text.clone()));
                pattern = rest;
                continue;
            }
            None if text.as_str().is_empty() => return true,
            None => false,
            Some(piece) => text
                .next()
                .is_some_and(|character| piece_matches(piece, &mut rest, character)),
        };
        if matched {
            pattern = rest;
            continue;
        }
        // The last star takes one character more; without one there is nothing left to try.
        let Some((after_star, taken)) = &mut retry else {
            return false;
        };
        if taken.next().is_none() {
            return false;
        }
        pattern = after_star.clone();
        text = taken.clone();
    }
}

/// Whether one piece of the pattern matches a character; `rest` is moved behind a class.
fn piece_matches(piece: char, rest: &mut Chars<'_>, character: char) -> bool {
    match piece {
        '?' => true,
        '[' => match class_matches(rest, character) {
            Some(matched) => matched,
            None => character == '[',
        },
        literal => literal == character,
    }
}

/// Reads a class behind its `[`; `None`, with `rest` untouched, when it has no end.
fn class_matches(rest: &mut Chars<'_>, character: char) -> Option<bool> {
    let mut class = rest.clone();
    let negated = take(&mut class, '!');
    let mut matched = false;
    let mut first = true;
    loop {
        let low = class.next()?;
        if low == ']' && !first {
            break;
        }
        first = false;
        let high = range_end(&mut class).unwrap_or(low);
        matched |= (low..=high).contains(&character);
    }
    *rest = class;
    Some(matched != negated)
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

#[cfg(test)]
mod tests;
