//! How fast bytes must come. Pure: it is told how long was waited and what came.

use std::time::Duration;

use super::options::MinimumRate;

/// Watches the rate of one transfer. Only waiting counts, so that a slow disk is not blamed on the server.
#[derive(Debug, Clone)]
pub(crate) struct Pace {
    minimum: Option<MinimumRate>,
    /// Waited since the transfer began.
    waited: Duration,
    /// When the window under way began, and what came in it.
    window: Duration,
    bytes: u64,
}

impl Pace {
    pub(crate) fn new(minimum: Option<MinimumRate>) -> Self {
        Self {
            minimum,
            waited: Duration::ZERO,
            window: Duration::ZERO,
            bytes: 0,
        }
    }

    /// Counts bytes and the time waited for them; false if they come too slowly.
    pub(crate) fn keeps(&mut self, waited: Duration, bytes: u64) -> bool {
        let Some(minimum) = self.minimum else {
            return true;
        };
        let before = self.waited;
        self.waited = self.waited.saturating_add(waited);
        if self.waited < minimum.grace {
            return true;
        }
        if before < minimum.grace {
            // The first window begins with the grace period's end, in the middle of this wait.
            self.window = minimum.grace;
            self.bytes = 0;
        }
        self.bytes = self.bytes.saturating_add(bytes);
        let elapsed = self.waited.saturating_sub(self.window);
        if elapsed < minimum.window || elapsed.is_zero() {
            return true;
        }
        let wanted = u128::from(minimum.bytes_per_second).saturating_mul(elapsed.as_millis());
        let enough = u128::from(self.bytes).saturating_mul(1000) >= wanted;
        self.window = self.waited;
        self.bytes = 0;
        enough
    }
}

#[cfg(test)]
mod tests;
