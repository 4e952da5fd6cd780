//! Takes checks out of a copy, one at a time, and sees who misses them: the simulation, or the tests of the rule.

mod checks;
mod copy;
mod simulated;
mod table;
mod tested;

use crate::arguments::Arguments;
use crate::report::{Failure, Outcome};
use crate::workspace::Workspace;
use copy::Copy;
use table::{SWITCHES, Switch};

pub(crate) use checks::WITHOUT;

pub(crate) fn run(workspace: &Workspace, mut arguments: Arguments) -> Result<Outcome, Failure> {
    let (rules, list) = (arguments.flag("--rules"), arguments.flag("--list"));
    let only = arguments.value("--only")?;
    arguments.finish()?;
    let all = all();
    let tried = if rules { all.len() } else { SWITCHES.len() };
    let chosen: Vec<(usize, &Switch)> = all
        .iter()
        .copied()
        .enumerate()
        .take(tried)
        .filter(|(_, switch)| only.as_deref().is_none_or(|only| switch.is_about(only)))
        .collect();
    if chosen.is_empty() {
        return Err(Failure::new("no switch is about that rule"));
    }
    if list {
        for (
            _,
            Switch {
                rule, what, file, ..
            },
        ) in &chosen
        {
            println!("{rule}  {what} ({file})");
        }
        for (rule, why) in WITHOUT {
            println!("{rule}  none: {why}");
        }
        return Ok(Outcome::Passed(format!("{} checks", chosen.len())));
    }
    let copy = Copy::write(workspace, &all)?;
    if rules {
        tested::run(workspace, &copy, &chosen)
    } else {
        simulated::run(&copy, &chosen)
    }
}

/// Every switch there is; those that the simulation has to find come first.
fn all() -> Vec<&'static Switch> {
    SWITCHES.iter().chain(checks::all()).collect()
}

/// The rules that a switch is about.
pub(crate) fn switched() -> impl Iterator<Item = &'static str> {
    all().into_iter().flat_map(Switch::rules)
}

impl Switch {
    /// The rules whose check it takes out.
    fn rules(&self) -> impl Iterator<Item = &'static str> + use<> {
        self.rule.split(' ')
    }

    /// Whether it is about one of the rules that are asked for: `C-05`, `C` for all of that letter, or several.
    fn is_about(&self, asked: &str) -> bool {
        let mut asked = asked.split(',');
        asked.any(|asked| self.rules().any(|rule| rule.starts_with(asked)))
    }

    /// The crate that the check stands in.
    fn package(&self) -> &'static str {
        self.file.split('/').nth(1).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn switches_are_asked_for_by_rule_by_letter_or_several_at_once() {
        let switch = Switch {
            rule: "A-02 F-08",
            what: "",
            file: "crates/tuffet-core/src/lib.rs",
            search: "",
            replace: "",
        };
        assert_eq!(switch.package(), "tuffet-core");
        for (asked, expected) in [
            ("F-08", true),
            ("A-02", true),
            ("F", true),
            ("C,F-08", true),
            ("F-07", false),
            ("C", false),
        ] {
            assert_eq!(switch.is_about(asked), expected, "{asked}");
        }
    }
}
