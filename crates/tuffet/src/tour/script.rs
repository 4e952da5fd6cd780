//! What happens on the tour.

use tuffet_core::metadata::UnixTime;

use super::{Act, Expect, Step};
use crate::exit::Exit;

/// The whole story. `later` is a moment at which the timestamp that is published now has expired.
pub(super) fn steps(later: UnixTime) -> Vec<Step> {
    let mut steps = Vec::new();
    steps.extend(author());
    steps.extend(client());
    steps.extend(team());
    steps.extend(rotation());
    steps.extend(attacks(later));
    steps
}

fn author() -> Vec<Step> {
    vec![
        Step {
            chapter: Some("A repository"),
            title: "Three people make a key each",
            acts: vec![
                well("tuffet key new ana --no-passphrase", 1),
                well("tuffet key new ben --no-passphrase", 1),
                well("tuffet key new vault --no-passphrase", 1),
            ],
        },
        Step {
            chapter: None,
            title: "Any two of the three speak for the repository; vault stays in the safe",
            acts: vec![well(
                "tuffet init acme --root 2of3 --key ana --key ben --public vault --new-online-key --publish-to ../web",
                8,
            )],
        },
        Step {
            chapter: None,
            title: "An artifact is published, and served on this machine only",
            acts: vec![
                Act::Write {
                    file: "app.txt",
                    text: "hello, version 1.0.0",
                },
                well("tuffet target add app.txt", 1),
                well("tuffet publish --key ana --key ben", 12),
                Act::Serve,
            ],
        },
    ]
}

fn client() -> Vec<Step> {
    vec![
        Step {
            chapter: Some("A client"),
            title: "A user trusts the first root, which came by a way of its own",
            acts: vec![well(
                "tuffet trust add acme {url} --root web/metadata/1.root.json",
                6,
            )],
        },
        Step {
            chapter: None,
            title: "The artifact is downloaded, with the proof of everything that vouches for it",
            acts: vec![
                well("tuffet get acme:app.txt -o downloads/ --explain", 12),
                Act::Same {
                    one: "app.txt",
                    other: "downloads/app.txt",
                },
                audit(),
            ],
        },
    ]
}

fn team() -> Vec<Step> {
    vec![
        Step {
            chapter: Some("A team of its own"),
            title: "Sam may sign what lies in team/, and nothing else",
            acts: vec![
                well("tuffet key new sam --no-passphrase", 1),
                well("tuffet delegate add team --paths 'team/*' --keys sam", 4),
                Act::Write {
                    file: "tool.txt",
                    text: "the tool of the team",
                },
                well(
                    "tuffet target add tool.txt --name team/tool.txt --as team",
                    1,
                ),
                well("tuffet publish --key ana --key ben --key sam", 0),
                well("tuffet get acme:team/tool.txt -o downloads/", 2),
            ],
        },
        Step {
            chapter: None,
            title: "Sam cannot sign anything outside",
            acts: vec![refused(
                "tuffet target add tool.txt --name app-2.txt --as team",
                Exit::Usage,
                &["target.outside-delegation"],
            )],
        },
    ]
}

fn rotation() -> Vec<Step> {
    vec![Step {
        chapter: Some("A new key"),
        title: "Ben gets a new key; a client that knows only the old root follows",
        acts: vec![
            Act::Copy {
                from: "web",
                to: "before",
            },
            well("tuffet key new ben-2 --no-passphrase", 1),
            well("tuffet key rotate ben --to ben-2", 4),
            well("tuffet publish --key ana --key ben --key ben-2", 0),
            well("tuffet get acme:app.txt -o again/", 2),
            Act::Copy {
                from: "web",
                to: "good",
            },
        ],
    }]
}

fn attacks(later: UnixTime) -> Vec<Step> {
    let get = "tuffet get acme:app.txt -o attacked/";
    vec![
        Step {
            chapter: Some("An attacker has taken the web server"),
            title: "Tampering: other bytes of the same length",
            acts: vec![
                Act::Tamper {
                    target: "app.txt",
                    text: "hello, version 6.6.6",
                },
                refused(get, Exit::Untrusted, &["hash.target"]),
                Act::Restore,
            ],
        },
        Step {
            chapter: None,
            title: "Rollback: yesterday's files, which were genuine",
            acts: vec![
                Act::Copy {
                    from: "before/metadata/timestamp.json",
                    to: "web/metadata/timestamp.json",
                },
                refused(get, Exit::Untrusted, &["rollback.timestamp"]),
                Act::Restore,
            ],
        },
        Step {
            chapter: None,
            title: "Freeze: nothing new is let through, and three days pass",
            acts: vec![refused(
                &format!("tuffet get acme:app.txt -o attacked/ --at {later}"),
                Exit::Stale,
                &["expired.timestamp"],
            )],
        },
        Step {
            chapter: None,
            title: "Mix and match: an old snapshot under a new timestamp, for a new client",
            acts: vec![
                Act::Copy {
                    from: "before/metadata/2.snapshot.json",
                    to: "web/metadata/3.snapshot.json",
                },
                refused(
                    "tuffet get acme:app.txt -o attacked/ --data-dir newcomer",
                    Exit::Untrusted,
                    &["hash.snapshot", "length.snapshot", "version.snapshot"],
                ),
                Act::Restore,
            ],
        },
        Step {
            chapter: None,
            title: "A stolen key: with ana's alone, a root of the attacker's own",
            acts: vec![
                well(
                    "tuffet init evil --root 1of1 --key ana --new-online-key --publish-to ../evil-web",
                    0,
                ),
                well("tuffet publish --repo evil", 0),
                Act::Copy {
                    from: "evil-web/metadata/1.root.json",
                    to: "web/metadata/3.root.json",
                },
                refused(get, Exit::Untrusted, &["threshold.root"]),
                Act::Restore,
            ],
        },
        Step {
            chapter: None,
            title: "Endless data: a file that would fill the disk",
            acts: vec![
                Act::Fill {
                    file: "web/metadata/timestamp.json",
                    bytes: 20_000_000,
                },
                refused(get, Exit::Untrusted, &["length.timestamp"]),
                Act::Restore,
            ],
        },
        Step {
            chapter: Some("Afterwards"),
            title: "Nothing that was refused has left a trace",
            acts: vec![
                Act::Absent {
                    file: "attacked/app.txt",
                },
                well("tuffet get acme:app.txt acme:team/tool.txt -o after/", 3),
                audit(),
            ],
        },
    ]
}

/// The whole of what is served, verified.
fn audit() -> Act {
    Act::Tuffet {
        line: "tuffet verify web --root web/metadata/1.root.json".to_owned(),
        expect: Expect::WellInTheEnd,
    }
}

fn well(line: &str, shown: usize) -> Act {
    Act::Tuffet {
        line: line.to_owned(),
        expect: Expect::Well(shown),
    }
}

fn refused(line: &str, exit: Exit, codes: &'static [&'static str]) -> Act {
    Act::Tuffet {
        line: line.to_owned(),
        expect: Expect::Refused(exit, codes),
    }
}
