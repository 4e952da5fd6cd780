//! Progress on a terminal: drawn only when it takes long enough to be worth watching.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::console::Console;

/// How long something takes before a bar appears.
const DELAY: Duration = Duration::from_millis(300);

/// The bars of one command, or nothing when nobody watches.
#[derive(Clone)]
pub(crate) struct Progress(Option<Arc<Bars>>);

struct Bars {
    all: MultiProgress,
    began: Instant,
    open: Mutex<BTreeMap<String, ProgressBar>>,
}

impl Progress {
    /// Bars on stderr.
    pub(crate) fn new(console: &Console) -> Self {
        Self(console.draws_progress().then(|| {
            Arc::new(Bars {
                all: MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(10)),
                began: Instant::now(),
                open: Mutex::new(BTreeMap::new()),
            })
        }))
    }

    /// So many bytes of something are there.
    pub(crate) fn at(&self, name: &str, received: u64, total: Option<u64>) {
        let Some(bars) = &self.0 else {
            return;
        };
        if bars.began.elapsed() < DELAY {
            return;
        }
        let mut open = bars.open.lock().unwrap_or_else(PoisonError::into_inner);
        let bar = open.entry(name.to_owned()).or_insert_with(|| {
            let bar = bars.all.add(match total {
                Some(total) => ProgressBar::new(total),
                None => ProgressBar::no_length(),
            });
            bar.set_style(style());
            bar.set_prefix(crate::text::visible(name));
            bar
        });
        bar.set_position(received);
        if total == Some(received) {
            bar.finish_and_clear();
        }
    }

    /// Takes every bar off the screen, for the lines that follow.
    pub(crate) fn clear(&self) {
        if let Some(bars) = &self.0 {
            let open = bars.open.lock().unwrap_or_else(PoisonError::into_inner);
            open.values().for_each(ProgressBar::finish_and_clear);
        }
    }
}

fn style() -> ProgressStyle {
    let template = "{prefix:>12.green.bold} {wide_bar:.green/dim} {decimal_bytes}/{decimal_total_bytes} {decimal_bytes_per_sec}";
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("█▉▊▋▌▍▎▏ ")
}
