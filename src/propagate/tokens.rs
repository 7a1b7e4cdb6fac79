//! Names for writes.

use policy_core::record::Millis;
use std::sync::atomic::{AtomicU32, Ordering};

/// Names for writes: unique, so that a writer knows its own again.
#[derive(Debug)]
pub struct Tokens {
    prefix: String,
    next: AtomicU32,
}

impl Tokens {
    /// Those of an invocation that began then. Lambda repeats an invocation under its id, but not at the same time.
    pub fn new(request_id: &str, began: Millis) -> Self {
        Self { prefix: format!("{request_id}/{began}"), next: AtomicU32::new(0) }
    }

    /// Others of the same invocation, for another purpose.
    #[must_use]
    pub fn again(&self, purpose: &str) -> Self {
        Self { prefix: format!("{}/{purpose}", self.prefix), next: AtomicU32::new(0) }
    }

    /// The next one.
    pub fn next(&self) -> String {
        let next = self.next.fetch_add(1, Ordering::Relaxed);
        format!("{}/{next}", self.prefix)
    }
}
