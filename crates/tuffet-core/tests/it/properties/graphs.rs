//! The search against its definition, on graphs of any shape.

use std::collections::BTreeSet;

use proptest::prelude::*;
use tuffet_core::trust::{Item, Rejected};

use tuffet_testkit::{Delegated, Op, Repository, World, name, path};

/// A delegation: to which role, whether its pattern covers the target, whether it terminates.
#[derive(Debug, Clone, Copy)]
struct Edge {
    to: usize,
    covers: bool,
    terminating: bool,
}

/// Role 0 is the top-level one.
#[derive(Debug, Clone)]
struct Graph {
    edges: Vec<Vec<Edge>>,
    /// Roles that list the target.
    lists: BTreeSet<usize>,
    /// Roles that snapshot passes over.
    unlisted: BTreeSet<usize>,
    limit: u32,
}

/// How a search ends.
#[derive(Debug, Clone, PartialEq, Eq)]
enum End {
    Found(String),
    NotFound { limit: bool },
    Unlisted(String),
}

fn role(number: usize) -> String {
    if number == 0 {
        "targets".to_owned()
    } else {
        format!("role {number}")
    }
}

/// The pre-order search as TUF §5.6.7 tells it, by recursion.
struct Reference<'g> {
    graph: &'g Graph,
    visited: Vec<usize>,
}

impl Reference<'_> {
    /// `Some` if the search is over, `None` if it goes on behind this role.
    fn visit(&mut self, number: usize) -> Option<End> {
        if self.visited.len() as u64 >= u64::from(self.graph.limit) && number != 0 {
            return Some(End::NotFound { limit: true });
        }
        self.visited.push(number);
        if self.graph.unlisted.contains(&number) {
            return Some(End::Unlisted(role(number)));
        }
        if self.graph.lists.contains(&number) {
            return Some(End::Found(role(number)));
        }
        for edge in self.graph.edges[number].iter().filter(|edge| edge.covers) {
            if !self.visited.contains(&edge.to)
                && let Some(end) = self.visit(edge.to)
            {
                return Some(end);
            }
            if edge.terminating {
                return Some(End::NotFound { limit: false });
            }
        }
        None
    }
}

fn repository(graph: &Graph) -> Repository {
    let mut repository = Repository::new();
    let reached = reached(graph);
    let mut order = reached.clone();
    order.insert(0, 0);
    for from in order {
        for edge in &graph.edges[from] {
            let pattern = if edge.covers { "*" } else { "other/*" };
            let mut delegated = Delegated::new(&role(edge.to), &[pattern]);
            delegated.terminating = edge.terminating;
            repository.delegate(&role(from), delegated);
        }
    }
    for &number in graph
        .lists
        .iter()
        .filter(|number| **number == 0 || reached.contains(number))
    {
        repository.add_target(&role(number), "x", b"x");
    }
    repository.unlisted = graph.unlisted.iter().map(|&number| role(number)).collect();
    repository.write();
    repository
}

/// The roles that anybody delegates to, each after one that delegates to it.
fn reached(graph: &Graph) -> Vec<usize> {
    let mut reached = Vec::new();
    let mut waiting = vec![0];
    while let Some(from) = waiting.pop() {
        for edge in &graph.edges[from] {
            if edge.to != 0 && !reached.contains(&edge.to) {
                reached.push(edge.to);
                waiting.push(edge.to);
            }
        }
    }
    reached
}

fn graphs() -> impl Strategy<Value = Graph> {
    (2..9_usize).prop_flat_map(|roles| {
        let edge = (
            1..roles,
            prop::bool::weighted(0.8),
            prop::bool::weighted(0.15),
        );
        let edges = prop::collection::vec(edge, 0..roles).prop_map(|edges| {
            let mut seen = BTreeSet::new();
            edges
                .into_iter()
                .filter(|(to, ..)| seen.insert(*to))
                .map(|(to, covers, terminating)| Edge {
                    to,
                    covers,
                    terminating,
                })
                .collect::<Vec<_>>()
        });
        (
            prop::collection::vec(edges, roles),
            prop::collection::btree_set(0..roles * 3, 0..3),
            prop::collection::btree_set(1..roles * 8, 0..2),
            1..12_u32,
        )
            .prop_map(move |(edges, lists, unlisted, limit)| Graph {
                edges,
                lists: lists.into_iter().filter(|number| *number < roles).collect(),
                unlisted: unlisted
                    .into_iter()
                    .filter(|number| *number < roles)
                    .collect(),
                limit,
            })
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(250))]

    #[test]
    fn c46_c47_c48_the_search_ends_as_its_definition_says(graph in graphs()) {
        let mut reference = Reference { graph: &graph, visited: Vec::new() };
        let expected = reference.visit(0).unwrap_or(End::NotFound { limit: false });
        let visited: Vec<String> = reference.visited.iter().map(|&number| role(number)).collect();

        let mut world = World::of(repository(&graph));
        world.policy.limits.roles = graph.limit;
        let mut view = world.refresh().expect("targets are always there");
        let outcome = world.search(&mut view, "x");
        let mut loaded = vec![role(0)];
        loaded.extend(world.log.iter().filter_map(|op| match op {
            Op::Load(Item::Role(role)) => Some(role.as_str().to_owned()),
            _ => None,
        }));
        let searched = u32::try_from(visited.len()).expect("few");
        match (&outcome, &expected) {
            (Ok(found), End::Found(role)) => prop_assert_eq!(&found.role, &name(role)),
            (Err(rejected), End::NotFound { limit }) => prop_assert_eq!(
                rejected,
                &Rejected::NotFound { path: path("x"), searched, limit: *limit }
            ),
            (Err(rejected), End::Unlisted(role)) => {
                prop_assert_eq!(rejected, &Rejected::Unlisted { role: name(role) });
                loaded.push(role.clone());
            }
            (outcome, expected) => prop_assert!(false, "{outcome:?} where {expected:?} belongs"),
        }
        prop_assert_eq!(loaded, visited);

        // With every role at hand the same search gives the same answer without asking for anything.
        if matches!(expected, End::Found(_)) {
            let again = world.search(&mut view, "x");
            prop_assert_eq!(again, outcome);
            prop_assert!(world.log.is_empty());
        }
    }
}
