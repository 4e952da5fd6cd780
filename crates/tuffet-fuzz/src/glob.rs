//! The definition of path patterns, against which the matcher of the core is checked.
//!
//! The tests of the core have it by recursion; here it is a set of places, so that inputs of any length end.

/// Whether the pattern matches the whole path.
pub(crate) fn matches(pattern: &str, path: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let path: Vec<char> = path.chars().collect();
    // The places of the path up to which the pattern so far can match.
    let mut reached = vec![false; path.len() + 1];
    reached[0] = true;
    let mut rest = &pattern[..];
    while let Some(&first) = rest.first() {
        let class = class(rest);
        let taken = class.as_ref().map_or(1, |class| class.length);
        reached = match class {
            Some(class) => one(&reached, &path, |c| c != '/' && class.contains(c)),
            None if first == '*' => any(&reached, &path),
            None if first == '?' => one(&reached, &path, |c| c != '/'),
            None => one(&reached, &path, |c| c == first),
        };
        rest = &rest[taken..];
    }
    reached[path.len()]
}

/// One character further, where it is such a one.
fn one(reached: &[bool], path: &[char], is: impl Fn(char) -> bool) -> Vec<bool> {
    let further = reached.iter().zip(path).map(|(&at, &c)| at && is(c));
    std::iter::once(false).chain(further).collect()
}

/// Any number of characters further, up to a slash.
fn any(reached: &[bool], path: &[char]) -> Vec<bool> {
    let mut next = reached.to_vec();
    for (place, &c) in path.iter().enumerate() {
        next[place + 1] |= next[place] && c != '/';
    }
    next
}

struct Class {
    length: usize,
    negated: bool,
    ranges: Vec<(char, char)>,
}

impl Class {
    fn contains(&self, c: char) -> bool {
        let within = |(low, high): &(char, char)| (low..=high).contains(&&c);
        self.ranges.iter().any(within) != self.negated
    }
}

/// The class at the beginning of a pattern.
fn class(pattern: &[char]) -> Option<Class> {
    if pattern.first() != Some(&'[') {
        return None;
    }
    let negated = pattern.get(1) == Some(&'!');
    let start = 1 + usize::from(negated);
    // A bracket that comes first stands for itself.
    let end = (start + 1..pattern.len()).find(|&place| pattern[place] == ']')?;
    let mut content = &pattern[start..end];
    if content.contains(&'/') {
        return None;
    }
    let mut ranges = Vec::new();
    while let Some(&low) = content.first() {
        let (high, taken) = match content {
            [_, '-', high, ..] => (*high, 3),
            _ => (low, 1),
        };
        ranges.push((low, high));
        content = &content[taken..];
    }
    Some(Class {
        length: end + 1,
        negated,
        ranges,
    })
}
