//! Progress on a terminal: drawn only when it takes long enough to be worth watching.

use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::console::Console;

/// How long something takes before a bar appears.
const DELAY: Duration = Duration::from_millis(300);

/// The bars of one command.
pub(crate) struct Bars {
    bars: Option<MultiProgress>,
    began: Instant,
}

impl Bars {
    /// Bars on stderr, or none when nobody watches.
    pub(crate) fn new(console: &Console) -> Self {
        let bars = console
            .draws_progress()
            .then(|| MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(10)));
        Self {
            bars,
            began: Instant::now(),
        }
    }

    /// A bar for so many bytes.
    pub(crate) fn bytes(&self, name: &str, length: u64) -> Bar<'_> {
        Bar {
            bars: self,
            name: name.to_owned(),
            length,
            bar: None,
        }
    }
}

/// The bar of one download.
pub(crate) struct Bar<'b> {
    bars: &'b Bars,
    name: String,
    length: u64,
    bar: Option<ProgressBar>,
}

impl Bar<'_> {
    /// So many bytes are there.
    pub(crate) fn at(&mut self, position: u64) {
        let Some(bars) = &self.bars.bars else {
            return;
        };
        if self.bar.is_none() && self.bars.began.elapsed() >= DELAY {
            let bar = bars.add(ProgressBar::new(self.length));
            bar.set_style(style());
            bar.set_prefix(self.name.clone());
            self.bar = Some(bar);
        }
        if let Some(bar) = &self.bar {
            bar.set_position(position);
        }
    }
}

impl Drop for Bar<'_> {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn style() -> ProgressStyle {
    ProgressStyle::with_template(
        " {prefix:.green.bold} {wide_bar:.green/dim} {decimal_bytes}/{decimal_total_bytes} {decimal_bytes_per_sec}",
    )
    .unwrap_or_else(|_| ProgressStyle::default_bar())
    .progress_chars("█▉▊▋▌▍▎▏ ")
}
