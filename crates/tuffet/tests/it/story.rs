//! The guide: three people, three kinds of keys, a team, a machine that publishes, from founding to recovery.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::devices::{Agent, SoftHsm};
use crate::home::{Home, Run, finish};

/// The people and machines of the guide, each with a home directory of its own.
struct Cast {
    homes: BTreeMap<String, Home>,
    shared: Home,
    agent: Agent,
    token: SoftHsm,
}

impl Cast {
    /// `None` if something that it needs is not installed; then it has said so.
    fn assembled() -> Option<Self> {
        if Command::new("git").arg("--version").output().is_err() {
            println!("skipped: git is not installed");
            return None;
        }
        let people = ["ana", "ben", "cleo", "sam", "ci", "client"];
        let homes = people.map(|name| (name.to_owned(), Home::new()));
        let homes = BTreeMap::from(homes);
        let agent = Agent::start(&homes["cleo"], "cleo@laptop")?;
        let token = SoftHsm::with_key(&homes["ben"], "ben")?;
        let shared = Home::new();
        fs::create_dir(shared.path("stick")).unwrap();
        let remote = shared.path("acme.git");
        let made = Command::new("git")
            .args(["init", "-q", "--bare", "-b", "main"])
            .arg(&remote)
            .status();
        assert!(made.unwrap().success());
        for home in homes.values() {
            home.write("passphrase", "correct horse\n");
        }
        Some(Self {
            homes,
            shared,
            agent,
            token,
        })
    }

    /// Runs lines on the machine of somebody, in a shell that ends at the first failure.
    fn run(&self, who: &str, lines: &str) -> Run {
        let shared = |name: &str| self.shared.path(name).display().to_string();
        let script = lines
            .replace("https://git.acme.example/acme.git", &shared("acme.git"))
            .replace("/media/stick", &shared("stick"))
            .replace("/srv/www/acme", &shared("www"));
        let home = &self.homes[who];
        let mut shell = home.program("sh");
        shell.args(["-ec", &script]);
        for (name, value) in [
            ("GIT_AUTHOR_NAME", who),
            ("GIT_AUTHOR_EMAIL", "x@acme.example"),
            ("GIT_COMMITTER_NAME", who),
            ("GIT_COMMITTER_EMAIL", "x@acme.example"),
            ("GIT_CONFIG_NOSYSTEM", "1"),
        ] {
            shell.env(name, value);
        }
        if who != "ci" {
            shell.env("TUFFET_PASSPHRASE_FILE", home.path("passphrase"));
        }
        match who {
            "cleo" => self.agent.reach(&mut shell),
            "ben" => {
                self.token.reach(&mut shell);
                shell.env("TUFFET_PIN_FILE", home.path("pin"));
            }
            _ => {}
        }
        finish(&mut shell)
    }
}

/// The blocks of the guide: whose they are, and what is typed.
fn blocks(page: &str) -> Vec<(String, String)> {
    let blocks = page.split("```console\n").skip(1);
    let blocks = blocks.map(|block| block.split_once("```").unwrap().0);
    let parts = blocks.map(|block| {
        let (who, lines) = block.split_once('\n').unwrap();
        let who = who.strip_prefix("# ").expect("a block says whose it is");
        let typed: Vec<&str> = lines
            .lines()
            .map(|line| line.strip_prefix("$ ").expect("only what is typed"))
            .collect();
        (who.to_owned(), typed.join("\n"))
    });
    parts.collect()
}

#[test]
fn the_guide_works_as_it_stands() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/guide.md");
    let Ok(page) = fs::read_to_string(page) else {
        println!("skipped: not in the workspace");
        return;
    };
    let Some(cast) = Cast::assembled() else {
        return;
    };
    let blocks = blocks(&page);
    assert!(blocks.len() > 25, "{}", blocks.len());
    for (number, (who, lines)) in blocks.iter().enumerate() {
        // `change drop` where nothing is open is the only step that may have nothing to do.
        let lines = lines.replace(
            "tuffet change drop",
            "(tuffet change drop 2>/dev/null || true)",
        );
        let run = cast.run(who, &lines);
        assert_eq!(
            run.exit, 0,
            "block {number} of {who}: {lines}\n{}\n{}",
            run.out, run.err
        );
    }
    let client = &cast.homes["client"];
    assert_eq!(client.read("app.txt"), "app 1.4.0\n");
    assert_eq!(client.read("again/external/app.txt"), "app 1.5.0\n");
    assert_eq!(client.read("edge/fw-7.bin"), "firmware 7\n");
    the_team_has_no_other_right(&cast);
}

/// What Sam tries is refused, each with its code.
fn the_team_has_no_other_right(cast: &Cast) {
    let fresh = "cd acme && git pull -q && (tuffet change drop 2>/dev/null || true)\n";
    for (attempt, code) in [
        (
            "tuffet target add fw-7.bin --as edge --name external/app.txt",
            "target.outside-delegation",
        ),
        (
            "tuffet renew targets && tuffet change sign --key sam",
            "key.not-needed",
        ),
        (
            "tuffet renew edge && tuffet publish --key sam",
            "signatures.missing",
        ),
        (
            "tuffet renew targets edge && tuffet change sign --key sam && tuffet publish --key sam",
            "signatures.missing",
        ),
    ] {
        let run = cast.run("sam", &format!("{fresh}{attempt}"));
        assert_ne!(run.exit, 0, "{attempt}");
        assert!(
            run.err.contains(&format!("error[{code}]")),
            "{attempt}: {}",
            run.err
        );
    }
    let lines = format!(
        "{fresh}tuffet renew targets edge && tuffet change sign --key sam && tuffet change send /media/stick/more.tuf"
    );
    assert_eq!(cast.run("sam", &lines).exit, 0);
    let run = cast.run(
        "ci",
        "cd acme && tuffet change receive /media/stick/more.tuf --only edge",
    );
    assert_eq!(run.exit, 3, "{run:?}");
    assert!(run.err.contains("error[change.role]"), "{}", run.err);
}
