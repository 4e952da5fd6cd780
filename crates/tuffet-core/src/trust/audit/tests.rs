use super::*;
use crate::delegation::{HashPrefix, Pattern};

fn patterns<const N: usize>(all: [&str; N]) -> Paths {
    Paths::Listed(PathSet::Patterns(all.map(Pattern::new).to_vec()))
}

#[test]
fn a37_every_pattern_on_the_way_to_a_role_is_counted() {
    let top = Arc::new(Coverage::default());
    let team = Arc::new(top.below(patterns(["a", "b", "c"])));
    let prefixes = ["0", "1"].map(|digits| HashPrefix::new(digits).unwrap());
    let part = Arc::new(team.below(Paths::Listed(PathSet::HashPrefixes(prefixes.to_vec()))));
    let none = part.below(Paths::Listed(PathSet::Nothing));
    // What covers everything or nothing counts as one.
    let counts = [&*top, &*team, &*part, &none].map(Coverage::patterns);
    assert_eq!(counts, [1, 4, 6, 7]);
    assert_eq!(
        [top.depth, team.depth, part.depth, none.depth],
        [0, 1, 2, 3]
    );
}

#[test]
fn a37_nothing_is_tried_beyond_the_work_that_is_left() {
    let left = AtomicU64::new(5);
    let spent = [3, 3, 2, 1, 0].map(|much| spend(&left, much));
    assert_eq!(spent, [true, false, true, false, true]);
    assert_eq!(left.into_inner(), 0);
}
