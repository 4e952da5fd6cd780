//! Stopping an operation from outside.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Stops operations from another thread. Clones share one switch.
///
/// An operation looks at it between two pieces of bytes, before every request and while it waits to try again; it then ends in
/// [`Error::Cancelled`](crate::Error::Cancelled). What was stored until then is complete, so that the next operation goes on.
#[derive(Debug, Clone, Default)]
pub struct CancelToken(Arc<Switch>);

#[derive(Debug, Default)]
struct Switch {
    own: AtomicBool,
    parent: Option<CancelToken>,
}

impl CancelToken {
    /// A token that nobody has cancelled.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Stops every operation that works with this token or with a child of it, now and later.
    pub fn cancel(&self) {
        self.0.own.store(true, Ordering::Release);
    }

    /// Whether this token or one of its parents was cancelled.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.0.own.load(Ordering::Acquire) || self.0.parent.as_ref().is_some_and(Self::is_cancelled)
    }

    /// A token that is cancelled together with this one, and can be cancelled alone.
    #[must_use]
    pub fn child(&self) -> Self {
        Self(Arc::new(Switch {
            own: AtomicBool::new(false),
            parent: Some(self.clone()),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_is_cancelled_with_its_parent_and_not_the_other_way_round() {
        let parent = CancelToken::new();
        let (one, other) = (parent.child(), parent.child());
        one.cancel();
        assert!(one.is_cancelled() && !other.is_cancelled() && !parent.is_cancelled());
        parent.cancel();
        assert!(other.is_cancelled());
    }
}
