//! The command line: `TASK [--name [VALUE]]...`.

use crate::report::Failure;

/// What is left of the command line.
#[derive(Debug)]
pub(crate) struct Arguments(Vec<String>);

impl Arguments {
    pub(crate) fn new(arguments: impl Iterator<Item = String>) -> Self {
        Self(arguments.collect())
    }

    /// Takes the first argument, if it is there.
    pub(crate) fn positional(&mut self) -> Option<String> {
        (!self.0.is_empty()).then(|| self.0.remove(0))
    }

    /// Takes `name`, and says whether it was there.
    pub(crate) fn flag(&mut self, name: &str) -> bool {
        let before = self.0.len();
        self.0.retain(|argument| argument != name);
        self.0.len() != before
    }

    /// Takes `name VALUE` or `name=VALUE`, if it is there.
    pub(crate) fn value(&mut self, name: &str) -> Result<Option<String>, Failure> {
        let Some(at) = self.0.iter().position(|argument| is_named(argument, name)) else {
            return Ok(None);
        };
        let argument = self.0.remove(at);
        if let Some((_, value)) = argument.split_once('=') {
            return Ok(Some(value.to_owned()));
        }
        if at == self.0.len() {
            return Err(Failure::new(format!("{name} needs a value")));
        }
        Ok(Some(self.0.remove(at)))
    }

    /// Fails when something is left that nobody asked for.
    pub(crate) fn finish(self) -> Result<(), Failure> {
        match self.0.first() {
            Some(argument) => Err(Failure::new(format!("unexpected argument {argument}"))),
            None => Ok(()),
        }
    }
}

fn is_named(argument: &str, name: &str) -> bool {
    argument
        .strip_prefix(name)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('='))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(line: &str) -> Arguments {
        Arguments::new(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn values_are_taken_in_both_forms() {
        for line in ["fuzz --minutes 3 --install", "fuzz --install --minutes=3"] {
            let mut arguments = arguments(line);
            assert_eq!(arguments.positional().as_deref(), Some("fuzz"));
            assert_eq!(arguments.value("--minutes").unwrap().as_deref(), Some("3"));
            assert!(arguments.flag("--install"));
            assert!(arguments.finish().is_ok());
        }
    }

    #[test]
    fn a_missing_value_and_a_stranger_are_refused() {
        assert!(arguments("--minutes").value("--minutes").is_err());
        assert!(
            arguments("--minute 3")
                .value("--minutes")
                .unwrap()
                .is_none()
        );
        assert!(arguments("--minute").finish().is_err());
    }
}
