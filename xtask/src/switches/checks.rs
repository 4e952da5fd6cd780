//! Checks that tests have to miss, beside those that the simulation has to find: at least one of each rule that is kept.
//!
//! Where a rule is no check, it is the other way that is taken: a tolerance is refused, a step left out, a name written otherwise.

mod formats;
mod left_open;
mod repository;
mod several;
mod workflow;

use super::table::Switch;

/// Rules of which there is no switch, and why.
pub(crate) const WITHOUT: &[(&str, &str)] = &[];

/// All of them. Where two change one place, they do so in this order.
pub(super) fn all() -> impl Iterator<Item = &'static Switch> {
    [
        formats::SWITCHES,
        workflow::SWITCHES,
        left_open::SWITCHES,
        repository::SWITCHES,
        several::SWITCHES,
    ]
    .into_iter()
    .flatten()
}
