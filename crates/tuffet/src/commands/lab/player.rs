//! Plays one attack against a client: a process for each stage, and a look at what it left behind.

use std::ffi::OsString;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::Duration;

use tuffet_client::{CancelToken, Clock as _, SystemClock};
use tuffet_core::trust::percent_encode;
use tuffet_testkit::lab::{Attack, Expect, FORGED, Lab, Script, Stage};

use super::site::{ENDLESS, Server};
use crate::moment;

/// What a client is.
pub(super) struct Client {
    /// Its command line, without what the protocol adds.
    pub(super) command: Vec<OsString>,
    /// Whether it is ours: then the code of a refusal has to be right, too.
    pub(super) own: bool,
    /// How long one call may take.
    pub(super) patience: Duration,
}

/// What became of a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The attack came to nothing. The code, where the client says one.
    Safe(Option<&'static str>),
    /// It was attacked successfully.
    Harmed(String),
    /// It ended as no program should.
    Crashed(String),
    /// It did not end.
    Hung,
    /// It refused, for another reason than the right one.
    OtherCode(String),
    /// It cannot do what is honest, so the attack says nothing.
    NotJudged(String),
}

impl Verdict {
    /// Its name in reports.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Safe(_) => "safe",
            Self::Harmed(_) => "harmed",
            Self::Crashed(_) => "crashed",
            Self::Hung => "hung",
            Self::OtherCode(_) => "other-code",
            Self::NotJudged(_) => "not-judged",
        }
    }

    /// What there is to say about it.
    pub(super) fn detail(&self) -> String {
        match self {
            Self::Safe(code) => code.unwrap_or_default().to_owned(),
            Self::Hung => "did not end".to_owned(),
            Self::Harmed(detail)
            | Self::Crashed(detail)
            | Self::OtherCode(detail)
            | Self::NotJudged(detail) => detail.clone(),
        }
    }
}

/// A directory in which only two directories are the client's, deep enough that a way upwards stays inside.
struct Sandbox {
    root: tempfile::TempDir,
}

impl Sandbox {
    fn new() -> io::Result<Self> {
        let sandbox = Self {
            root: tempfile::tempdir()?,
        };
        fs::create_dir_all(sandbox.metadata())?;
        fs::create_dir_all(sandbox.targets())?;
        Ok(sandbox)
    }

    fn home(&self) -> PathBuf {
        self.root.path().join("a/b/c")
    }

    fn metadata(&self) -> PathBuf {
        self.home().join("metadata")
    }

    fn targets(&self) -> PathBuf {
        self.home().join("targets")
    }

    fn anchor(&self) -> PathBuf {
        self.root.path().join("anchor.json")
    }

    fn outside(&self) -> PathBuf {
        self.root.path().join("outside")
    }

    /// The first file that is where no client should write.
    fn stray(&self) -> io::Result<Option<PathBuf>> {
        let mut open = vec![self.root.path().to_path_buf()];
        while let Some(directory) = open.pop() {
            for entry in fs::read_dir(&directory)? {
                let path = entry?.path();
                let own =
                    path == self.metadata() || path == self.targets() || path == self.anchor();
                if own {
                    continue;
                }
                if !path.is_dir() {
                    return Ok(Some(path));
                }
                open.push(path);
            }
        }
        Ok(None)
    }

    /// The file that a target is downloaded to.
    fn downloaded(&self, target: &str) -> Option<Vec<u8>> {
        fs::read(self.targets().join(percent_encode(target, false))).ok()
    }
}

/// How a call ended, and the last that it said.
struct Ended {
    status: Option<ExitStatus>,
    said: String,
}

/// Plays an attack from its beginning to the first stage that does not come out as it must.
///
/// # Errors
/// When the laboratory itself fails: no directory, or a command that cannot be started.
pub(super) fn play(client: &Client, attack: &Attack, server: &Server) -> io::Result<Verdict> {
    let sandbox = Sandbox::new()?;
    let lab = Lab::new(moment::now().0, sandbox.outside().to_string_lossy());
    let Script { anchor, stages } = (attack.play)(&lab);
    fs::write(sandbox.anchor(), anchor)?;
    let ended = call(client, &sandbox, server, None)?;
    if !ended.status.is_some_and(|status| status.success()) {
        return Ok(Verdict::NotJudged(format!("init: {}", ended.said)));
    }
    let (mut seen, mut attacked) = (None, false);
    for stage in stages {
        let honest = matches!(stage.expect, Expect::Accepts(_));
        match self::stage(client, &sandbox, server, stage)? {
            Verdict::Safe(code) => seen = code.or(seen),
            // It could before it was attacked.
            Verdict::NotJudged(said) if attacked => {
                return Ok(Verdict::Harmed(format!("does not recover: {said}")));
            }
            other => return Ok(other),
        }
        attacked |= !honest;
    }
    Ok(Verdict::Safe(seen))
}

fn stage(client: &Client, sandbox: &Sandbox, server: &Server, stage: Stage) -> io::Result<Verdict> {
    if let Some(begin) = stage.not_before {
        wait_until(begin.0);
    }
    // What an earlier stage has downloaded must not be mistaken for what this one has.
    fs::remove_dir_all(sandbox.targets())?;
    fs::create_dir_all(sandbox.targets())?;
    server.set(stage.site);
    let target = stage.target.as_deref();
    let ended = call(client, sandbox, server, Some(target))?;
    if let Some(path) = sandbox.stray()? {
        let path = path.strip_prefix(sandbox.root.path()).unwrap_or(&path);
        return Ok(Verdict::Harmed(format!("wrote {}", path.display())));
    }
    if server.longest() >= ENDLESS {
        return Ok(Verdict::Harmed(format!("took {} MiB", ENDLESS >> 20)));
    }
    let Some(status) = ended.status else {
        return Ok(Verdict::Hung);
    };
    if let Some(how) = crash(status, &ended.said) {
        return Ok(Verdict::Crashed(how));
    }
    let bytes = target.and_then(|target| sandbox.downloaded(target));
    let forged = bytes
        .as_ref()
        .is_some_and(|bytes| bytes.as_slice() == FORGED);
    Ok(match stage.expect {
        Expect::Accepts(wanted) if !status.success() => {
            let wanted = String::from_utf8_lossy(&wanted).into_owned();
            Verdict::NotJudged(format!("refused the honest {wanted:?}: {}", ended.said))
        }
        Expect::Accepts(wanted) if bytes.as_ref() != Some(&wanted) => {
            Verdict::Harmed("has other bytes than the honest ones".to_owned())
        }
        Expect::Refuses(_) if forged => Verdict::Harmed("has the forged target".to_owned()),
        Expect::Refuses(_) if status.success() => Verdict::Harmed("accepted it".to_owned()),
        Expect::Refuses(codes) if client.own => own_code(codes, &ended.said),
        _ => Verdict::Safe(None),
    })
}

/// Our client's last line begins with the code.
fn own_code(codes: &[&'static str], said: &str) -> Verdict {
    let code = said.split(": ").next().unwrap_or_default();
    match codes.iter().find(|right| **right == code) {
        Some(code) => Verdict::Safe(Some(code)),
        None => Verdict::OtherCode(format!("{} instead of {}", said, codes.join(" or "))),
    }
}

/// How it ended if it did not end by itself.
fn crash(status: ExitStatus, said: &str) -> Option<String> {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return Some(format!("signal {signal}"));
    }
    let panicked = ["panicked at", "panic: ", "fatal error: "];
    let failed = !status.success();
    (failed && panicked.iter().any(|mark| said.contains(mark))).then(|| said.to_owned())
}

/// Calls a client by the command line of the conformance suite: `init`, `refresh` or `download`.
fn call(
    client: &Client,
    sandbox: &Sandbox,
    server: &Server,
    asked: Option<Option<&str>>,
) -> io::Result<Ended> {
    let mut words = client.command.iter();
    let program = words.next().ok_or(io::ErrorKind::InvalidInput)?;
    let mut command = Command::new(program);
    command
        .args(words)
        .arg("--metadata-dir")
        .arg(sandbox.metadata());
    match asked {
        None => {
            command.arg("init").arg(sandbox.anchor());
        }
        Some(target) => {
            command
                .arg("--metadata-url")
                .arg(format!("{}/metadata", server.url));
            match target {
                None => {
                    command.arg("refresh");
                }
                Some(target) => {
                    command.arg("--target-name").arg(target);
                    command
                        .arg("--target-base-url")
                        .arg(format!("{}/targets", server.url));
                    command.arg("--target-dir").arg(sandbox.targets());
                    command.arg("download");
                }
            }
        }
    }
    command.current_dir(sandbox.home());
    run(&mut command, client.patience)
}

/// The most that is kept of what a client says.
const SAID: usize = 64 << 10;

/// Runs a command for so long at most, and keeps the end of what it says on stderr.
fn run(command: &mut Command, patience: Duration) -> io::Result<Ended> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()?;
    let stderr = child.stderr.take();
    let listening = thread::spawn(move || stderr.map(end_of).unwrap_or_default());
    let Some(status) = ended(&mut child, patience)? else {
        child.kill()?;
        child.wait()?;
        return Ok(Ended {
            status: None,
            said: String::new(),
        });
    };
    // What the client has started itself may hold stderr open for longer; then it is not waited for.
    let said = if listening.is_finished() || waited(&listening, GRACE) {
        listening.join().unwrap_or_default()
    } else {
        Vec::new()
    };
    let said = String::from_utf8_lossy(&said);
    let last = said.lines().rev().find(|line| !line.trim().is_empty());
    Ok(Ended {
        status: Some(status),
        said: last.unwrap_or("nothing").trim().to_owned(),
    })
}

/// How long the end of what was said is waited for.
const GRACE: Duration = Duration::from_secs(5);
/// How often is looked whether something has ended.
const INTERVAL: Duration = Duration::from_millis(5);

fn waited(listening: &thread::JoinHandle<Vec<u8>>, patience: Duration) -> bool {
    let mut left = patience;
    while !listening.is_finished() && !left.is_zero() {
        pause();
        left = left.saturating_sub(INTERVAL);
    }
    listening.is_finished()
}

/// How a process ended; `None` if it has not within this time.
fn ended(child: &mut Child, patience: Duration) -> io::Result<Option<ExitStatus>> {
    let mut left = patience;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if left.is_zero() {
            return Ok(None);
        }
        pause();
        left = left.saturating_sub(INTERVAL);
    }
}

fn pause() {
    SystemClock.wait(INTERVAL, &CancelToken::new());
}

/// The last of what is said, however much that is.
fn end_of(mut stream: impl Read) -> Vec<u8> {
    let (mut said, mut piece) = (Vec::new(), [0; 4096]);
    // What cannot be read is not said.
    while let Ok(length @ 1..) = stream.read(&mut piece) {
        said.extend_from_slice(piece.get(..length).unwrap_or_default());
        if said.len() > 2 * SAID {
            said.drain(..said.len() - SAID);
        }
    }
    said
}

fn wait_until(begin: i64) {
    let left = begin.saturating_sub(moment::now().0);
    if let Ok(seconds) = u64::try_from(left) {
        SystemClock.wait(Duration::from_secs(seconds), &CancelToken::new());
    }
}

/// Whether an attack waits for something to expire.
pub(super) fn waits(attack: &Attack) -> bool {
    let script = (attack.play)(&Lab::new(0, "/outside"));
    script.stages.iter().any(|stage| stage.not_before.is_some())
}

/// A command as it is typed, split at spaces.
pub(super) fn words(command: &str) -> Vec<OsString> {
    command.split_whitespace().map(OsString::from).collect()
}

/// The path of a program, if it is one, as seen from elsewhere.
pub(super) fn absolute(words: &mut [OsString]) {
    if let Some(program) = words.first_mut()
        && Path::new(program).components().count() > 1
        && let Ok(path) = std::path::absolute(&*program)
    {
        *program = path.into_os_string();
    }
}
