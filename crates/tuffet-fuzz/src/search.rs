//! The search for a target against its definition (TUF §5.6.7), on delegations and answers of any shape.

use tuffet_core::crypto::{Crypto, HashAlgorithm};
use tuffet_core::delegation::HashPrefix;
use tuffet_core::metadata::{RoleName, TargetPath, UnixTime};
use tuffet_core::trust::{
    Answer, Context, Error, Limits, Mode, Policy, Refresh, Rejected, Search, Step, TrustAnchor,
    TrustedView,
};

use crate::glob;
use crate::odd::OddIsValid;

/// How many roles there are; the first is the top-level one.
const ROLES: usize = 6;
const PATHS: [&str; 4] = ["a", "a/b", "b/[c]", "ü"];
const PATTERNS: [&str; 8] = ["*", "*/*", "a", "a/*", "?/b", "[ab]", "b/[[]c]", "?"];

/// Bytes that never end: zeros follow.
struct Input<'a>(&'a [u8]);

impl Input<'_> {
    fn byte(&mut self) -> u8 {
        let Some((&byte, rest)) = self.0.split_first() else {
            return 0;
        };
        self.0 = rest;
        byte
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::from(self.byte()) % limit
    }
}

enum Covered {
    Pattern(&'static str),
    Prefix(String),
    Nothing,
}

struct Edge {
    to: usize,
    covered: Covered,
    terminating: bool,
}

#[derive(Default)]
struct Node {
    /// Which of the paths it lists, one bit each.
    lists: u8,
    forged: bool,
    withheld: bool,
    unlisted: bool,
    edges: Vec<Edge>,
}

/// How a search ends.
#[derive(Debug, PartialEq, Eq)]
enum End {
    Found(RoleName),
    NotFound { limit: bool },
    Unlisted(RoleName),
    Missing(RoleName),
    Threshold(RoleName),
}

fn name(number: usize) -> RoleName {
    match number {
        0 => RoleName::Targets,
        number => RoleName::new(&format!("r{number}")).expect("it is no top-level name"),
    }
}

fn digits(path: &str) -> String {
    OddIsValid
        .digest(HashAlgorithm::Sha256, path.as_bytes())
        .to_hex()
}

impl Covered {
    fn read(input: &mut Input<'_>) -> Self {
        let how = input.below(PATTERNS.len() + 9);
        match PATTERNS.get(how) {
            Some(pattern) => Self::Pattern(pattern),
            None if how == PATTERNS.len() => Self::Nothing,
            None => {
                let path = PATHS[how % PATHS.len()];
                let length = input.below(5);
                Self::Prefix(digits(path)[..length].to_owned())
            }
        }
    }

    fn contains(&self, path: &str) -> bool {
        match self {
            Self::Pattern(pattern) => glob::matches(pattern, path),
            Self::Prefix(prefix) => digits(path).starts_with(prefix.as_str()),
            Self::Nothing => false,
        }
    }

    fn member(&self) -> String {
        match self {
            Self::Pattern(pattern) => format!(r#","paths":["{pattern}"]"#),
            Self::Prefix(prefix) => {
                assert!(HashPrefix::new(prefix).is_some());
                format!(r#","path_hash_prefixes":["{prefix}"]"#)
            }
            Self::Nothing => String::new(),
        }
    }
}

impl Node {
    fn read(input: &mut Input<'_>) -> Self {
        let (lists, flags) = (input.byte(), input.byte());
        let mut edges: Vec<Edge> = Vec::new();
        for _ in 0..input.below(4) {
            let edge = Edge {
                to: 1 + input.below(ROLES - 1),
                covered: Covered::read(input),
                terminating: input.byte() % 2 == 1,
            };
            // A role cannot be delegated to twice by one file.
            if edges.iter().all(|known| known.to != edge.to) {
                edges.push(edge);
            }
        }
        Self {
            lists,
            forged: flags & 1 != 0,
            withheld: flags & 2 != 0,
            unlisted: flags & 4 != 0,
            edges,
        }
    }

    fn has(&self, path: usize) -> bool {
        self.lists >> path & 1 == 1
    }

    fn document(&self) -> Vec<u8> {
        let entry = format!(
            r#"{{"length":1,"hashes":{{"sha256":"{}"}}}}"#,
            "0".repeat(64)
        );
        let targets: Vec<String> = (0..PATHS.len())
            .filter(|&path| self.has(path))
            .map(|path| format!(r#""{}":{entry}"#, PATHS[path]))
            .collect();
        let roles: Vec<String> = self
            .edges
            .iter()
            .map(|edge| {
                format!(
                    r#"{{"name":"{}","keyids":["k"],"threshold":1,"terminating":{}{}}}"#,
                    name(edge.to),
                    edge.terminating,
                    edge.covered.member()
                )
            })
            .collect();
        let content = format!(
            r#""targets":{{{}}},"delegations":{{"keys":{KEYS},"roles":[{}]}}"#,
            targets.join(","),
            roles.join(",")
        );
        document("targets", &content, self.forged)
    }
}

const KEYS: &str = concat!(
    r#"{"k":{"keytype":"ed25519","scheme":"ed25519","keyval":{"public":""#,
    "00000000000000000000000000000000",
    "00000000000000000000000000000000",
    r#""}}}"#
);

fn document(kind: &str, content: &str, forged: bool) -> Vec<u8> {
    let signature = if forged { "00" } else { "01" };
    format!(
        r#"{{"signatures":[{{"keyid":"k","sig":"{signature}"}}],"signed":{{"_type":"{kind}",{content},"#,
    )
    .into_bytes()
    .into_iter()
    .chain(*br#""expires":"2100-01-01T00:00:00Z","spec_version":"1.0.0","version":1}}"#)
    .collect()
}

struct Graph {
    nodes: Vec<Node>,
    limit: usize,
}

impl Graph {
    fn read(input: &mut Input<'_>) -> Self {
        let mut nodes: Vec<Node> = (0..ROLES).map(|_| Node::read(input)).collect();
        let top = &mut nodes[0];
        (top.forged, top.withheld, top.unlisted) = (false, false, false);
        Self {
            nodes,
            limit: 1 + input.below(ROLES),
        }
    }

    fn policy(&self) -> Policy {
        let mut policy = Policy::default();
        policy.limits = Limits::default();
        policy.limits.roles = u32::try_from(self.limit).expect("it is small");
        policy
    }

    fn root(&self) -> Vec<u8> {
        let role = r#"{"keyids":["k"],"threshold":1}"#;
        let roles =
            ["root", "timestamp", "snapshot", "targets"].map(|name| format!(r#""{name}":{role}"#));
        let content = format!(r#""keys":{KEYS},"roles":{{{}}}"#, roles.join(","));
        document("root", &content, false)
    }

    fn answer(&self, role: &RoleName) -> Answer {
        let bytes = match role {
            RoleName::Root => return Answer::Absent,
            RoleName::Timestamp => document(
                "timestamp",
                r#""meta":{"snapshot.json":{"version":1}}"#,
                false,
            ),
            RoleName::Snapshot => {
                let listed: Vec<String> = (0..ROLES)
                    .filter(|&number| !self.nodes[number].unlisted)
                    .map(|number| format!(r#""{}.json":{{"version":1}}"#, name(number)))
                    .collect();
                document(
                    "snapshot",
                    &format!(r#""meta":{{{}}}"#, listed.join(",")),
                    false,
                )
            }
            role => {
                let number = (0..ROLES).find(|&number| name(number) == *role);
                let node = &self.nodes[number.expect("nobody else is delegated to")];
                if node.withheld {
                    return Answer::Absent;
                }
                node.document()
            }
        };
        Answer::Bytes(bytes)
    }

    /// What a machine is told; nothing is stored.
    fn reply(&self, step: &Step) -> Answer {
        match step {
            Step::Fetch(fetch) => self.answer(&fetch.file.role),
            Step::Store(_) => Answer::Stored,
            _ => Answer::Absent,
        }
    }

    fn refresh(&self, cx: Context<'_>) -> TrustedView {
        let mut refresh = Refresh::new(TrustAnchor::Root(self.root()), Mode::Online, cx);
        while refresh.step() != Step::Done {
            refresh
                .answer(self.reply(&refresh.step()))
                .expect("the top-level files are in order");
        }
        refresh.finish().expect("it is done")
    }

    fn search(
        &self,
        view: TrustedView,
        path: usize,
        cx: Context<'_>,
    ) -> (End, Option<TrustedView>) {
        let path = TargetPath::new(PATHS[path]).expect("it is not empty");
        let mut search = Search::new(view, path, Mode::Online, cx);
        while search.step() != Step::Done {
            if let Err(error) = search.answer(self.reply(&search.step())) {
                let Error::Rejected(rejected) = error else {
                    panic!("{error}");
                };
                return (End::of(*rejected), None);
            }
        }
        let outcome = search.finish().expect("it is done");
        let end = match outcome.found {
            Ok(found) => End::Found(found.role),
            Err(rejected) => End::of(*rejected),
        };
        (end, Some(outcome.view))
    }

    /// The definition; `None` if the search goes on behind this role.
    fn visit(&self, number: usize, path: usize, visited: &mut Vec<usize>) -> Option<End> {
        if visited.len() >= self.limit && number != 0 {
            return Some(End::NotFound { limit: true });
        }
        visited.push(number);
        let node = &self.nodes[number];
        if node.unlisted {
            return Some(End::Unlisted(name(number)));
        }
        if node.withheld {
            return Some(End::Missing(name(number)));
        }
        if node.forged {
            return Some(End::Threshold(name(number)));
        }
        if node.has(path) {
            return Some(End::Found(name(number)));
        }
        for edge in &node.edges {
            if !edge.covered.contains(PATHS[path]) {
                continue;
            }
            if !visited.contains(&edge.to)
                && let Some(end) = self.visit(edge.to, path, visited)
            {
                return Some(end);
            }
            if edge.terminating {
                return Some(End::NotFound { limit: false });
            }
        }
        None
    }

    fn expected(&self, path: usize) -> End {
        self.visit(0, path, &mut Vec::new())
            .unwrap_or(End::NotFound { limit: false })
    }
}

impl End {
    fn of(rejected: Rejected) -> Self {
        match rejected {
            Rejected::NotFound { limit, .. } => Self::NotFound { limit },
            Rejected::Unlisted { role } => Self::Unlisted(role),
            Rejected::Missing { role, .. } => Self::Missing(role),
            Rejected::Threshold { role, .. } => Self::Threshold(role),
            other => panic!("{other}"),
        }
    }
}

/// Two searches in one view.
pub fn search(bytes: &[u8]) {
    let mut input = Input(bytes);
    let graph = Graph::read(&mut input);
    let policy = graph.policy();
    let cx = Context {
        crypto: &OddIsValid,
        policy: &policy,
        now: UnixTime(1_700_000_000),
    };
    // The second search begins with the roles that the first has verified, and must come to the same end as alone.
    let (first, second) = (input.below(PATHS.len()), input.below(PATHS.len()));
    let (end, view) = graph.search(graph.refresh(cx), first, cx);
    assert_eq!(end, graph.expected(first));
    if let Some(view) = view {
        assert_eq!(graph.search(view, second, cx).0, graph.expected(second));
    }
}
