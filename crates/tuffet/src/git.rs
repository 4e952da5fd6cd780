//! A change on a branch of a git remote: how people who share a remote pass it round. The `git` program does the talking, so its
//! credentials, its proxies and its hosts are those that people have set up already.
//!
//! The branch holds a directory with the change as one file and as text for whoever looks at it on a forge. Nothing in it is
//! believed: what is fetched goes the way of every received change.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::author::LARGEST;
use crate::exit::Exit;
use crate::failure::Failure;

/// The branch. There is one, because there is one open change.
const BRANCH: &str = "refs/heads/tuffet/change";

/// Where what was fetched is kept here. A ref of our own: `FETCH_HEAD` belongs to everything that fetches at the same time.
const KEPT: &str = "refs/tuffet/change";

/// The change in the directory of the branch.
const FILE: &str = "change.json";
/// The same for people. Nobody reads it back.
const TEXT: &str = "change.txt";

/// A remote of the git repository that a directory lies in.
pub(crate) struct Remote<'a> {
    directory: &'a Path,
    remote: &'a str,
}

/// The commit that the branch is at. Its objects are here.
pub(crate) struct Fetched {
    commit: String,
}

impl<'a> Remote<'a> {
    /// A remote by its name or URL.
    ///
    /// # Errors
    /// `usage.arguments` for what is neither.
    pub(crate) fn new(directory: &'a Path, remote: &'a str) -> Result<Self, Failure> {
        if remote.is_empty() || remote.starts_with('-') {
            return Err(Failure::usage(format!("{remote:?} is no git remote")));
        }
        Ok(Self { directory, remote })
    }

    /// What errors and results call the branch.
    pub(crate) fn name(&self) -> String {
        let remote = tuffet_client::without_secrets(self.remote);
        format!("branch tuffet/change of {remote}")
    }

    /// Fetches what the branch is at, without what was there before; `None` if there is no such branch.
    ///
    /// # Errors
    /// `git.failed`.
    pub(crate) fn fetch(&self) -> Result<Option<Fetched>, Failure> {
        let Some(commit) = self.tip()? else {
            return Ok(None);
        };
        // What is here is not fetched: history that this repository has would be cut off.
        let known = self.run(&["cat-file", "-e", &format!("{commit}^{{commit}}")], None)?;
        if known.status.success() {
            return Ok(Some(Fetched { commit }));
        }
        let kept = format!("+{BRANCH}:{KEPT}");
        let fetch = ["fetch", "--quiet", "--no-tags", "--depth", "1", "--"];
        let fetched = self.run(&[&fetch[..], &[self.remote, &kept]].concat(), None)?;
        self.success("fetch", fetched)?;
        let kept = format!("{KEPT}^{{commit}}");
        let commit = self.plumb(&["rev-parse", "--verify", &kept], None)?;
        Ok(Some(Fetched { commit }))
    }

    /// The commit that the branch is at, as the remote says.
    fn tip(&self) -> Result<Option<String>, Failure> {
        let listed = self.run(&["ls-remote", "--", self.remote, BRANCH], None)?;
        let listed = text(&self.success("look at", listed)?);
        // Branches whose names only end like this one are listed too.
        let tip = listed.lines().find_map(|line| {
            let (commit, name) = line.split_once('\t')?;
            (name == BRANCH).then(|| commit.to_owned())
        });
        Ok(tip)
    }

    /// The change that was fetched.
    ///
    /// # Errors
    /// `git.failed`; `usage.arguments` if it is larger than any change.
    pub(crate) fn read(&self, fetched: &Fetched) -> Result<Vec<u8>, Failure> {
        let file = format!("{}:{FILE}", fetched.commit);
        let size = self.plumb(&["cat-file", "-s", &file], None)?;
        let size: u64 = size.parse().map_err(|_| {
            let message = format!("git does not say how large {} is", self.name());
            Failure::new("git.failed", Exit::Network, message)
        })?;
        if size > LARGEST {
            return Err(Failure::usage(format!(
                "{} is larger than any change",
                self.name()
            )));
        }
        let content = self.run(&["cat-file", "blob", &file], None)?;
        self.success("read", content)
    }

    /// Puts a change on the branch, after what was fetched; `false` if somebody else was quicker.
    ///
    /// # Errors
    /// `git.failed`.
    pub(crate) fn push(
        &self,
        change: &[u8],
        shown: &str,
        after: Option<&Fetched>,
    ) -> Result<bool, Failure> {
        let file = self.plumb(&["hash-object", "-w", "--stdin"], Some(change))?;
        let shown = self.plumb(&["hash-object", "-w", "--stdin"], Some(shown.as_bytes()))?;
        let tree = format!("100644 blob {file}\t{FILE}\n100644 blob {shown}\t{TEXT}\n");
        let tree = self.plumb(&["mktree"], Some(tree.as_bytes()))?;
        let mut arguments = self.identity()?;
        arguments.extend(["commit-tree", &tree, "-m", "tuffet change"]);
        if let Some(after) = after {
            arguments.extend(["-p", &after.commit]);
        }
        let commit = self.plumb(&arguments, None)?;
        let to = format!("{commit}:{BRANCH}");
        let pushed = self.run(&["push", "--quiet", "--", self.remote, &to], None)?;
        if pushed.status.success() {
            return Ok(true);
        }
        if self.tip()?.as_ref() != after.map(|after| &after.commit) {
            return Ok(false);
        }
        self.success("push to", pushed).map(|_| true)
    }

    /// Options by which a commit can be made where nobody has told git who they are.
    fn identity(&self) -> Result<Vec<&'static str>, Failure> {
        let known = self.run(&["var", "GIT_COMMITTER_IDENT"], None)?;
        Ok(if known.status.success() {
            Vec::new()
        } else {
            vec![
                "-c",
                "user.name=tuffet",
                "-c",
                "user.email=tuffet@localhost",
            ]
        })
    }

    /// Runs a command that touches nothing but this repository, and returns what it printed.
    fn plumb(&self, arguments: &[&str], input: Option<&[u8]>) -> Result<String, Failure> {
        let output = self.run(arguments, input)?;
        self.success("use", output).map(|bytes| text(&bytes))
    }

    fn success(&self, doing: &str, output: Output) -> Result<Vec<u8>, Failure> {
        if output.status.success() {
            return Ok(output.stdout);
        }
        let said = String::from_utf8_lossy(&output.stderr);
        let shown = tuffet_client::without_secrets(self.remote);
        let said = said.trim().replace(self.remote, &shown);
        let message = format!("git cannot {doing} {}", self.name());
        Err(Failure::new("git.failed", Exit::Network, message).cause(said))
    }

    fn run(&self, arguments: &[&str], input: Option<&[u8]>) -> Result<Output, Failure> {
        let failed = |error: std::io::Error| {
            Failure::new("git.failed", Exit::Network, "git cannot be run").cause(error)
        };
        let mut child = Command::new("git")
            .arg("-C")
            .arg(self.directory)
            .args(arguments)
            .stdin(match input {
                Some(_) => Stdio::piped(),
                None => Stdio::null(),
            })
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // Without a terminal of its own git would wait for an answer that nobody can give.
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("LC_ALL", "C")
            .spawn()
            .map_err(failed)?;
        if let (Some(input), Some(mut stdin)) = (input, child.stdin.take()) {
            stdin.write_all(input).map_err(failed)?;
        }
        child.wait_with_output().map_err(failed)
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim().to_owned()
}
