//! What several repositories must agree on (TAP 4).

use super::super::artifact::{Content, Listing};
use super::Code;

/// What one repository says about a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Opinion {
    /// It is this.
    Is(Content),
    /// There is none.
    Nothing,
    /// Nobody knows: it could not be reached, or not be trusted.
    Unheard,
}

/// An entry of a map file that decides about the target.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    /// Whom it asks, in this order, by place.
    pub(crate) repositories: Vec<usize>,
    /// How many have to agree.
    pub(crate) threshold: usize,
}

/// What comes of it: who agrees, in the order in which they are asked, or a refusal.
pub(crate) fn agreement(entries: &[Entry], opinions: &[Opinion]) -> Result<Vec<usize>, Code> {
    let (mut most, mut unheard) = (0, false);
    for entry in entries {
        let mut heard: Vec<usize> = Vec::new();
        for &repository in &entry.repositories {
            match opinions[repository] {
                Opinion::Is(_) => heard.push(repository),
                Opinion::Nothing => {}
                Opinion::Unheard => unheard = true,
            }
            let largest = largest(&heard, opinions);
            if largest.len() >= entry.threshold {
                return Ok(largest);
            }
        }
        let agreeing = largest(&heard, opinions).len();
        most = most.max(agreeing);
        let silent = entry.repositories.iter();
        let silent = silent.filter(|place| opinions[**place] == Opinion::Unheard);
        // Whoever keeps a repository from being heard must not choose who decides.
        if agreeing + silent.count() >= entry.threshold {
            break;
        }
    }
    Err(if most > 0 || unheard {
        "map.disagreement"
    } else {
        "target.not-found"
    })
}

/// The first of the largest sets of those who agree, each with each.
fn largest(heard: &[usize], opinions: &[Opinion]) -> Vec<usize> {
    let agree = |one: usize, other: usize| match (opinions[one], opinions[other]) {
        (Opinion::Is(one), Opinion::Is(other)) => {
            one.number == other.number && have_a_hash_in_common(one.hashes, other.hashes)
        }
        _ => false,
    };
    let mut largest: Vec<usize> = Vec::new();
    for bits in 1..1_usize << heard.len() {
        let members = heard.iter().enumerate();
        let chosen: Vec<usize> = members
            .filter(|(place, _)| bits >> place & 1 == 1)
            .map(|(_, repository)| *repository)
            .collect();
        let together = chosen
            .iter()
            .all(|one| chosen.iter().all(|other| agree(*one, *other)));
        if together && chosen.len() > largest.len() {
            largest = chosen;
        }
    }
    largest
}

fn have_a_hash_in_common(one: Listing, other: Listing) -> bool {
    one == other || one == Listing::Both || other == Listing::Both
}
