//! Running git with an end: a remote that says nothing, or says too much, does not hold up the command for ever.

use std::io::{self, Read, Write as _};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::whole;

/// How long a call may take, unless the environment says otherwise: people may have to enter a passphrase or touch a key.
const DEADLINE: Duration = Duration::from_secs(300);

/// The variable of the environment that gives the deadline in seconds.
const VARIABLE: &str = "TUFFET_GIT_TIMEOUT";

/// What a repository may grow to while something is fetched: the change, the same as text, and what goes with them.
const GROWTH: u64 = 2 * whole::CHANGE;

/// How long output is waited for when the process has ended: what it has started may hold the other end for ever.
const AFTERWARDS: Duration = Duration::from_secs(5);

/// How often a process that runs is looked at.
const LOOK: Duration = Duration::from_millis(20);

/// Why a call did not come to an end of its own.
#[derive(Debug)]
pub(super) enum Stopped {
    /// It cannot be run.
    Unrun(io::Error),
    /// It took longer than so many seconds.
    Late(u64),
    /// It wrote more than so many bytes.
    Large(u64),
}

impl From<io::Error> for Stopped {
    fn from(error: io::Error) -> Self {
        Self::Unrun(error)
    }
}

/// What a call may take.
pub(super) struct Bounds {
    deadline: Duration,
    growth: u64,
}

impl Bounds {
    /// Those of the environment.
    pub(super) fn new() -> Self {
        let given = std::env::var(VARIABLE).ok();
        let given = given.and_then(|seconds| seconds.parse().ok());
        Self {
            deadline: given.map_or(DEADLINE, Duration::from_secs),
            growth: GROWTH,
        }
    }

    /// Runs a command to its end, and kills it if it takes too long or if `directory` grows too large.
    pub(super) fn run(
        &self,
        command: &mut Command,
        input: Option<&[u8]>,
        directory: Option<&Path>,
    ) -> Result<Output, Stopped> {
        let began = Instant::now();
        let mut child = command
            .stdin(match input {
                Some(_) => Stdio::piped(),
                None => Stdio::null(),
            })
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        if let (Some(input), Some(mut stdin)) = (input.map(<[u8]>::to_vec), child.stdin.take()) {
            // Whoever does not read all of it says why on stderr.
            thread::spawn(move || stdin.write_all(&input));
        }
        let stdout = child.stdout.take().map(collect);
        let stderr = child.stderr.take().map(collect);
        let status = match self.wait(&mut child, began, directory) {
            Ok(status) => status,
            Err(stopped) => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(stopped);
            }
        };
        let output = |from: Option<Receiver<Vec<u8>>>| {
            let from = from.and_then(|from| from.recv_timeout(AFTERWARDS).ok());
            from.unwrap_or_default()
        };
        Ok(Output {
            status,
            stdout: output(stdout),
            stderr: output(stderr),
        })
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "the standard library cannot wait for the end of a process and for a moment together"
    )]
    fn wait(
        &self,
        child: &mut Child,
        began: Instant,
        directory: Option<&Path>,
    ) -> Result<ExitStatus, Stopped> {
        let mut pause = Duration::from_millis(1);
        loop {
            if let Some(status) = child.try_wait()? {
                return Ok(status);
            }
            if began.elapsed() >= self.deadline {
                return Err(Stopped::Late(self.deadline.as_secs()));
            }
            if directory.is_some_and(|directory| size(directory) > self.growth) {
                return Err(Stopped::Large(self.growth));
            }
            thread::sleep(pause);
            pause = LOOK.min(pause.saturating_mul(2));
        }
    }
}

/// Reads to the end in a thread of its own, no more than the largest change.
fn collect(from: impl Read + Send + 'static) -> Receiver<Vec<u8>> {
    let (send, receive) = channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        // What came before an error is worth showing.
        let _ = from.take(whole::CHANGE).read_to_end(&mut bytes);
        send.send(bytes)
    });
    receive
}

/// The length of all files below a directory. What goes away while it is looked at counts as nothing.
fn size(directory: &Path) -> u64 {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    let lengths = entries.map(|entry| match entry.metadata() {
        Ok(found) if found.is_dir() => size(&entry.path()),
        Ok(found) => found.len(),
        Err(_) => 0,
    });
    lengths.fold(0, u64::saturating_add)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn what_does_not_end_is_ended() {
        let bounds = Bounds {
            deadline: Duration::ZERO,
            growth: u64::MAX,
        };
        let stopped = bounds.run(&mut shell("exec sleep 600"), None, None);
        assert!(matches!(stopped, Err(Stopped::Late(0))), "{stopped:?}");
    }

    #[test]
    fn what_fills_the_disk_is_ended() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::create_dir(directory.path().join("below")).unwrap();
        let bounds = Bounds {
            deadline: DEADLINE,
            growth: 4,
        };
        let script = "echo 12345 > below/file; exec sleep 600";
        let mut command = shell(script);
        command.current_dir(directory.path());
        let stopped = bounds.run(&mut command, None, Some(directory.path()));
        assert!(matches!(stopped, Err(Stopped::Large(4))), "{stopped:?}");
    }

    #[test]
    fn what_ends_has_its_output_whatever_it_leaves_behind() {
        let bounds = Bounds {
            deadline: DEADLINE,
            growth: u64::MAX,
        };
        let input = vec![b'x'; 1 << 20];
        let output = bounds.run(&mut shell("cat; echo no >&2; exit 3"), Some(&input), None);
        let output = output.unwrap();
        assert_eq!(output.stdout, input);
        assert_eq!(output.stderr, b"no\n");
        assert_eq!(output.status.code(), Some(3));
    }
}
