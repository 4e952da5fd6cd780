//! Being stopped by Ctrl-C or SIGTERM.
//!
//! A command ends at once, unless it is writing: then it ends after that write, or that batch of files, so that no temporary file is
//! left. If the write does not end, it ends after a grace, and what is left in `metadata/` the next publication removes. A second signal
//! does not wait for anything.

use std::path::PathBuf;
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Condvar, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tuffet_client::CancelToken;

use crate::console::Console;
use crate::exit::Exit;

/// How long a write may take to end once the process was told to end.
pub(crate) const WRITES: Duration = Duration::from_secs(10);

/// How long a download may take to put away what it has; a server that does not answer is not waited for.
pub(crate) const DOWNLOADS: Duration = Duration::from_secs(1);

/// The signal that came, or 0.
static SIGNAL: AtomicI32 = AtomicI32::new(0);

static STATE: Mutex<State> = Mutex::new(State {
    shields: Vec::new(),
    ending: false,
    rubbish: Vec::new(),
});

static CHANGED: Condvar = Condvar::new();

static STOP: LazyLock<CancelToken> = LazyLock::new(CancelToken::new);

struct State {
    /// The grace of everything that is not to be broken off now.
    shields: Vec<Duration>,
    /// Whether the end has begun, so that nothing may begin any more.
    ending: bool,
    /// What is removed at the end.
    rubbish: Vec<PathBuf>,
}

fn state() -> MutexGuard<'static, State> {
    STATE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Stops the operations of libraries that work with it.
pub(crate) fn token() -> CancelToken {
    STOP.clone()
}

/// Keeps the process from ending as long as it lives, or for the grace. One shield must not be raised below another.
pub(crate) struct Shield(Duration);

/// Raises a shield. When the process is ending already, this does not return.
pub(crate) fn shield(grace: Duration) -> Shield {
    let mut state = state();
    while state.ending {
        state = CHANGED.wait(state).unwrap_or_else(PoisonError::into_inner);
    }
    state.shields.push(grace);
    Shield(grace)
}

impl Drop for Shield {
    fn drop(&mut self) {
        let mut state = state();
        let place = state.shields.iter().position(|grace| *grace == self.0);
        if let Some(place) = place {
            state.shields.swap_remove(place);
        }
        CHANGED.notify_all();
    }
}

/// Has a directory removed when the process is stopped.
pub(crate) fn remove_at_the_end(directory: PathBuf) {
    state().rubbish.push(directory);
}

/// Leaves the last word to the end, if it has begun: then this does not return.
pub(crate) fn give_way() {
    let mut state = state();
    while state.ending {
        state = CHANGED.wait(state).unwrap_or_else(PoisonError::into_inner);
    }
}

/// How a command ends that was stopped: by which signal decides.
pub(crate) fn exit() -> Exit {
    match SIGNAL.load(Ordering::Relaxed) {
        TERMINATE => Exit::Terminated,
        _ => Exit::Interrupted,
    }
}

/// The number of SIGTERM, on every system that has it.
const TERMINATE: i32 = 15;

/// Begins to look out for signals.
#[cfg(unix)]
pub(crate) fn watch(command: &'static str, console: &Console) {
    use std::sync::Arc;
    use std::sync::atomic::AtomicBool;

    use signal_hook::consts::{SIGINT, SIGTERM};
    use signal_hook::flag;
    use signal_hook::iterator::Signals;

    let came = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        // In this order: the first signal sets what the second one looks at. Where handlers cannot be set, the process ends by
        // the signal itself.
        let _ = flag::register_conditional_shutdown(signal, 128 + signal, Arc::clone(&came));
        let _ = flag::register(signal, Arc::clone(&came));
    }
    let Ok(mut signals) = Signals::new([SIGINT, SIGTERM]) else {
        return;
    };
    let console = console.clone();
    std::thread::spawn(move || {
        if let Some(signal) = signals.forever().next() {
            end(signal, command, &console);
        }
    });
}

/// Elsewhere the system ends the process.
#[cfg(not(unix))]
pub(crate) fn watch(_command: &'static str, _console: &Console) {}

/// Ends the process, as soon as nothing stands against it.
#[cfg(unix)]
#[expect(
    clippy::exit,
    reason = "the thread that works may be waiting for a server, a person or a disk"
)]
fn end(signal: i32, command: &'static str, console: &Console) {
    use crate::failure::Failure;

    SIGNAL.store(signal, Ordering::Relaxed);
    let mut state = state();
    state.ending = true;
    STOP.cancel();
    let grace = state.shields.iter().max().copied().unwrap_or_default();
    let (mut state, _) = CHANGED
        .wait_timeout_while(state, grace, |state| !state.shields.is_empty())
        .unwrap_or_else(PoisonError::into_inner);
    for directory in state.rubbish.drain(..) {
        // Whoever still writes there can be in the way; what stays lies where the system removes it some day.
        let _ = (0..3).find(|_| std::fs::remove_dir_all(&directory).is_ok());
    }
    let exit = exit();
    // For a server this is the way to end.
    if command != "serve" {
        let how = match exit {
            Exit::Terminated => "terminated",
            _ => "interrupted",
        };
        console.report(command, &Failure::new("cancelled", exit, how));
    }
    std::process::exit(i32::from(exit.number()));
}
