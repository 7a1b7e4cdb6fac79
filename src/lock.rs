//! A mutex without poisoning.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// A `Mutex` that cannot be poisoned. A panic ends the process (`panic = "abort"`), so no thread sees a value that a
/// panicking thread left behind. `parking_lot` has the same; nothing else of it is needed here.
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
