//! A mutex without poisoning.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// `Mutex`, but for poisoning: a panic ends the process (`panic = "abort"`), so nobody meets what a panicking
/// thread left behind. `parking_lot` does the same and more; this is all that is needed of it.
#[derive(Debug, Default)]
pub(crate) struct Lock<T: ?Sized>(Mutex<T>);

impl<T> Lock<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self(Mutex::new(value))
    }
}

impl<T: ?Sized> Lock<T> {
    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
