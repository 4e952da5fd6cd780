//! The tests in the source tree whose names begin with the id of a rule.

use crate::lengths::rust_files;
use crate::report::Failure;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Names of tests by rule id, both sorted.
#[derive(Debug, Default)]
pub(super) struct Found(BTreeMap<String, Vec<String>>);

/// Reads every Rust file below a directory.
pub(super) fn below(directory: &Path) -> Result<Found, Failure> {
    let mut found = Found::default();
    let mut files = Vec::new();
    rust_files(directory, &mut files)?;
    for file in files {
        let source = fs::read_to_string(&file).map_err(|error| Failure::file(&file, error))?;
        found.read(&source);
    }
    Ok(found)
}

impl Found {
    /// Notes the tests of one source file.
    pub(super) fn read(&mut self, source: &str) {
        let mut is_test = false;
        for line in source.lines().map(str::trim) {
            if let Some(name) = function(line) {
                if is_test {
                    self.add(name);
                }
                is_test = false;
            } else if line.starts_with("#[") && (line.contains("test]") || line.contains("test(")) {
                is_test = true;
            } else if !(line.is_empty() || line.starts_with("#[") || line.starts_with("//")) {
                is_test = false;
            }
        }
    }

    fn add(&mut self, name: &str) {
        for id in name.split('_').map_while(rule_id) {
            let names = self.0.entry(id).or_default();
            if let Err(at) = names.binary_search_by(|known| known.as_str().cmp(name)) {
                names.insert(at, name.to_owned());
            }
        }
    }

    /// The tests of a rule.
    pub(super) fn of(&self, id: &str) -> Vec<String> {
        self.0.get(id).cloned().unwrap_or_default()
    }

    /// All ids met, with their tests.
    pub(super) fn all(&self) -> impl Iterator<Item = (&String, &Vec<String>)> {
        self.0.iter()
    }
}

/// The name of the function that a line declares.
fn function(line: &str) -> Option<&str> {
    let at = line.find("fn ")?;
    let qualifiers = line[..at].split_whitespace();
    if !qualifiers
        .clone()
        .all(|word| matches!(word, "pub" | "pub(crate)" | "async" | "const"))
    {
        return None;
    }
    let rest = &line[at + "fn ".len()..];
    let end = rest.find(|letter: char| !(letter.is_alphanumeric() || letter == '_'))?;
    Some(&rest[..end])
}

/// `C-05` for `c05`.
fn rule_id(word: &str) -> Option<String> {
    let (kind, number) = word.split_at_checked(1)?;
    let valid = kind.bytes().all(|byte| byte.is_ascii_lowercase())
        && number.len() == 2
        && number.bytes().all(|byte| byte.is_ascii_digit());
    valid.then(|| format!("{}-{number}", kind.to_uppercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_are_found_by_their_attribute_and_name() {
        let mut found = Found::default();
        found.read(
            "
            #[test]
            fn c05_both() {}
            fn c05_not_a_test() {}
            #[tokio::test(flavor = \"current_thread\")]
            // why
            #[cfg(unix)]
            async fn c05_f08_async() {}
            proptest! {
                #[test]
                fn a27_glob(pattern in \".*\") {}
            }
            #[test]
            fn plain() {}
            #[test]
            fn p256_is_a_curve_and_not_a_rule() {}
            ",
        );
        let all: Vec<(&str, String)> = found
            .all()
            .map(|(id, names)| (id.as_str(), names.join(" ")))
            .collect();
        assert_eq!(
            all,
            [
                ("A-27", "a27_glob".to_owned()),
                ("C-05", "c05_both c05_f08_async".to_owned()),
                ("F-08", "c05_f08_async".to_owned()),
            ]
        );
    }
}
