//! A change on a branch of a git remote: how people who share a remote pass it round. The `git` program does the talking, so its
//! credentials, its proxies and its hosts are those that people have set up already.
//!
//! What is fetched and sent lies in a repository of its own, which is gone afterwards: the user's has none of it, no ref, no object and
//! no mark of a history that was cut off. It goes by the user's configuration, so that remotes have the names that people know.
//!
//! The branch holds a directory with the change as one file and as text for whoever looks at it on a forge. Nothing in it is
//! believed: what is fetched goes the way of every received change.

mod bounded;

use std::cell::OnceCell;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

use bounded::{Bounds, Stopped};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::whole;

/// The branch. There is one, because there is one open change.
const BRANCH: &str = "refs/heads/tuffet/change";

/// Where what was fetched is kept.
const KEPT: &str = "refs/tuffet/change";

/// The change in the directory of the branch.
const FILE: &str = "change.json";
/// The same for people. Nobody reads it back.
const TEXT: &str = "change.txt";

/// A remote of the git repository that a directory lies in.
pub(crate) struct Remote<'a> {
    directory: &'a Path,
    remote: &'a str,
    /// The repository that what is fetched and sent goes through, once there is one.
    passing: OnceCell<Passing>,
}

/// A bare repository that lasts as long as the command.
struct Passing {
    directory: TempDir,
    /// The configuration of the user's repository.
    configuration: PathBuf,
    /// The top of the user's work tree, from where git reads a remote that is a path.
    top: PathBuf,
}

/// The commit that the branch is at. Its objects are at hand.
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
        Ok(Self {
            directory,
            remote,
            passing: OnceCell::new(),
        })
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
        let passing = self.passing()?;
        let known = format!("{commit}^{{commit}}");
        if self
            .run_in(passing, &["cat-file", "-e", &known], None)?
            .status
            .success()
        {
            return Ok(Some(Fetched { commit }));
        }
        let kept = format!("+{BRANCH}:{KEPT}");
        // A server that knows no filters says so and sends everything; then the size of what arrives is watched.
        let filter = format!("--filter=blob:limit={}", whole::CHANGE.saturating_add(1));
        let fetch = ["fetch", "--quiet", "--no-tags", "--depth", "1", &filter];
        let fetch = [&fetch[..], &["--", self.remote, &kept]].concat();
        let fetched = self.run_in(passing, &fetch, None)?;
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
    /// `git.failed`; `file.too-large`.
    pub(crate) fn read(&self, fetched: &Fetched) -> Result<Vec<u8>, Failure> {
        let file = format!("{}:{FILE}", fetched.commit);
        let size = self.plumb(&["cat-file", "-s", &file], None)?;
        let size: u64 = size.parse().map_err(|_| {
            let message = format!("git does not say how large {} is", self.name());
            Failure::new("git.failed", Exit::Network, message)
        })?;
        if size > whole::CHANGE {
            return Err(whole::too_large(&self.name(), whole::CHANGE));
        }
        let passing = self.passing()?;
        let content = self.run_in(passing, &["cat-file", "blob", &file], None)?;
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
        let push = ["push", "--quiet", "--", self.remote, &to];
        let pushed = self.run_in(self.passing()?, &push, None)?;
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
        let ask = ["var", "GIT_COMMITTER_IDENT"];
        let known = self.run_in(self.passing()?, &ask, None)?;
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

    /// The repository that everything goes through.
    fn passing(&self) -> Result<&Passing, Failure> {
        if let Some(passing) = self.passing.get() {
            return Ok(passing);
        }
        let common = self.run(&["rev-parse", "--git-common-dir"], None)?;
        let common = text(&self.success("use", common)?);
        // Old versions of git know one format only and repeat what they do not know.
        let format = self.run(&["rev-parse", "--show-object-format"], None)?;
        let format = match text(&self.success("use", format)?).as_str() {
            "sha256" => &["--object-format=sha256"][..],
            _ => &[],
        };
        let failed = |error: std::io::Error| {
            let message = "a directory for git cannot be made";
            Failure::new("git.failed", Exit::Network, message).cause(error)
        };
        let directory = tempfile::tempdir().map_err(failed)?;
        let configuration = self.directory.join(common).join("config");
        let configuration = std::path::absolute(configuration).map_err(failed)?;
        let to = directory.path().to_string_lossy().into_owned();
        let init = [&["init", "--quiet", "--bare"], format, &["--", &to]].concat();
        let made = self.run(&init, None)?;
        self.success("use", made)?;
        let top = self.run(&["rev-parse", "--show-toplevel"], None)?;
        let passing = Passing {
            directory,
            configuration,
            top: match text(&top.stdout) {
                top if top.is_empty() => self.directory.to_owned(),
                top => PathBuf::from(top),
            },
        };
        Ok(self.passing.get_or_init(|| passing))
    }

    /// Runs a command that touches nothing but the passing repository, and returns what it printed.
    fn plumb(&self, arguments: &[&str], input: Option<&[u8]>) -> Result<String, Failure> {
        let output = self.run_in(self.passing()?, arguments, input)?;
        self.success("use", output).map(|bytes| text(&bytes))
    }

    /// Runs a command in the passing repository, as the user's configuration has it.
    fn run_in(
        &self,
        passing: &Passing,
        arguments: &[&str],
        input: Option<&[u8]>,
    ) -> Result<Output, Failure> {
        let place = format!("--git-dir={}", passing.directory.path().display());
        let include = format!("include.path={}", passing.configuration.display());
        let own = [&place, "-c", &include, "-c", "core.bare=true"];
        self.run_at(&passing.top, &[&own[..], arguments].concat(), input)
    }

    fn success(&self, doing: &str, output: Output) -> Result<Vec<u8>, Failure> {
        if output.status.success() {
            return Ok(output.stdout);
        }
        let said = String::from_utf8_lossy(&output.stderr);
        let shown = tuffet_client::without_secrets(self.remote);
        let lines = said.lines().map(str::trim).filter(|line| !line.is_empty());
        let said = lines.collect::<Vec<_>>().join("; ");
        let said = said.replace(self.remote, &shown);
        let message = format!("git cannot {doing} {}", self.name());
        Err(Failure::new("git.failed", Exit::Network, message).cause(said))
    }

    fn run(&self, arguments: &[&str], input: Option<&[u8]>) -> Result<Output, Failure> {
        self.run_at(self.directory, arguments, input)
    }

    fn run_at(
        &self,
        directory: &Path,
        arguments: &[&str],
        input: Option<&[u8]>,
    ) -> Result<Output, Failure> {
        let mut command = Command::new("git");
        command
            .arg("-C")
            .arg(directory)
            .args(arguments)
            // Without a terminal of its own git would wait for an answer that nobody can give.
            .env("GIT_TERMINAL_PROMPT", "0")
            // What was left out because it is too large is not fetched after all.
            .env("GIT_NO_LAZY_FETCH", "1")
            .env("LC_ALL", "C");
        let passing = self.passing.get().map(|passing| passing.directory.path());
        let run = Bounds::new().run(&mut command, input, passing);
        run.map_err(|stopped| match stopped {
            Stopped::Unrun(error) => {
                Failure::new("git.failed", Exit::Network, "git cannot be run").cause(error)
            }
            Stopped::Late(seconds) => {
                let message = format!("git has not done with {} in {seconds} s", self.name());
                Failure::new("git.timeout", Exit::Network, message)
            }
            Stopped::Large(limit) => whole::too_large(&self.name(), limit),
        })
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim().to_owned()
}
