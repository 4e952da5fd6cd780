//! Putting members in order, and finding names that occur twice on the way.

use alloc::borrow::Cow;
use alloc::vec::Vec;
use core::cmp::Ordering;

use super::index::Span;

/// Where the name (without its quotes) and the value of a member stand.
#[derive(Clone, Copy, Debug)]
pub(super) struct Member {
    pub(super) name: Span,
    pub(super) value: Span,
}

impl Member {
    /// Returns the name with its escapes resolved.
    fn decoded<'a>(&self, text: &'a str) -> Cow<'a, str> {
        self.name
            .name(text)
            .map(|name| name.decode())
            .unwrap_or_default()
    }
}

/// Up to this many members are sorted where they are.
const FEW: usize = 32;

/// Sorts members by name, and returns the later name of two that are equal if there are any.
/// `escaped` tells whether any of the names holds an escape.
pub(super) fn sort_by_name(text: &str, escaped: bool, members: &mut [Member]) -> Option<Span> {
    if members.len() <= FEW {
        sort_few(text, members)
    } else if escaped {
        // Without resolving escapes once, each of many comparisons would do it again.
        let decoded = members
            .iter()
            .map(|member| (member.decoded(text), *member))
            .collect();
        sort_with_keys(decoded, members, |_, _| Ordering::Equal)
    } else {
        sort_many(text.as_bytes(), members)
    }
}

fn sort_few(text: &str, members: &mut [Member]) -> Option<Span> {
    let compare =
        |left: &Member, right: &Member| match (left.name.name(text), right.name.name(text)) {
            (Some(left), Some(right)) => left.compare(&right),
            (left, right) => left.is_some().cmp(&right.is_some()),
        };
    members.sort_unstable_by(compare);
    let mut pairs = members.iter().zip(members.iter().skip(1));
    let (left, right) = pairs.find(|(left, right)| compare(left, right) == Ordering::Equal)?;
    Some(later(left, right))
}

/// Sorts with the first bytes in which the names differ kept beside each member: most comparisons
/// are then decided without a visit to the input, which for a million names is several times as
/// fast.
fn sort_many(bytes: &[u8], members: &mut [Member]) -> Option<Span> {
    let name = |member: &Member| member.name.of(bytes).unwrap_or_default();
    let first = members.first().map(name).unwrap_or_default();
    let shared = members.iter().fold(first.len(), |shared, member| {
        let pairs = first.iter().take(shared).zip(name(member));
        pairs.take_while(|(left, right)| left == right).count()
    });
    let leading = |member: &Member| {
        let mut leading = [0; 8];
        leading
            .iter_mut()
            .zip(name(member).iter().skip(shared))
            .for_each(|(to, from)| *to = *from);
        u64::from_be_bytes(leading)
    };
    let keyed = members
        .iter()
        .map(|member| (leading(member), *member))
        .collect();
    sort_with_keys(keyed, members, |left, right| name(left).cmp(name(right)))
}

/// Sorts by key and then by `compare`.
fn sort_with_keys<K: Ord>(
    mut keyed: Vec<(K, Member)>,
    members: &mut [Member],
    compare: impl Fn(&Member, &Member) -> Ordering,
) -> Option<Span> {
    let compare = |left: &(K, Member), right: &(K, Member)| {
        left.0
            .cmp(&right.0)
            .then_with(|| compare(&left.1, &right.1))
    };
    keyed.sort_unstable_by(compare);
    members
        .iter_mut()
        .zip(&keyed)
        .for_each(|(to, (_, from))| *to = *from);
    let mut pairs = keyed.iter().zip(keyed.iter().skip(1));
    let (left, right) = pairs.find(|(left, right)| compare(left, right) == Ordering::Equal)?;
    Some(later(&left.1, &right.1))
}

fn later(left: &Member, right: &Member) -> Span {
    if left.name.start > right.name.start {
        left.name
    } else {
        right.name
    }
}

/// The right order of members for each object of a document that has them in another order.
#[derive(Default)]
pub(super) struct Arrangement {
    objects: Vec<Unordered>,
    /// Members with name and value, each object's in the right order.
    members: Vec<Span>,
}

struct Unordered {
    open: u32,
    first: u32,
    count: u32,
}

impl Arrangement {
    /// Notes the members of the object that begins at `open`, which are sorted.
    pub(super) fn add(&mut self, open: usize, sorted: &[Member]) {
        let place = Span::between(self.members.len(), sorted.len());
        let open = Span::between(open, open).start;
        self.objects.push(Unordered {
            open,
            first: place.start,
            count: place.end,
        });
        self.members.extend(sorted.iter().map(|member| Span {
            start: member.name.start.saturating_sub(1),
            end: member.value.end,
        }));
    }

    /// Gets ready for lookups.
    pub(super) fn seal(mut self) -> Self {
        self.objects.sort_unstable_by_key(|object| object.open);
        self
    }

    /// Returns the members of the object that begins at `open` in the right order, if it has
    /// them in another.
    pub(super) fn members(&self, open: usize) -> Option<&[Span]> {
        let found = self
            .objects
            .binary_search_by_key(&open, |object| object.open as usize)
            .ok()?;
        let object = self.objects.get(found)?;
        let (_, members) = self.members.split_at_checked(object.first as usize)?;
        members.get(..object.count as usize)
    }
}
