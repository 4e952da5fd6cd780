//! Shell patterns over target paths (TUF §4.5 PATHPATTERN, rule F-48, decision A-27).

mod component;

use alloc::sync::Arc;

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
/// Case counts. Matching takes time in proportion to the pattern, and to the square of a component of the path at the worst: a long
/// pattern is not read again for each character of the path.
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
        self.matches_in_steps(path, &mut || {})
    }

    fn matches_in_steps(&self, path: &str, step: &mut impl FnMut()) -> bool {
        let (mut patterns, mut parts) = (self.0.split('/'), path.split('/'));
        loop {
            match (patterns.next(), parts.next()) {
                (None, None) => return true,
                (Some(pattern), Some(part)) if component::matches(pattern, part, step) => {}
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

#[cfg(test)]
mod tests;
