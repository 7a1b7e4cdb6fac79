//! The freeze: one item.

use super::items::freeze;
use super::keys::Key;
use super::write::Replacement;
use super::{Ledger, LedgerError};
use policy_core::record::Freeze;
use std::sync::atomic::Ordering;

impl Ledger {
    /// Freezes, or says anew who froze and why.
    pub async fn freeze(&self, freeze: &Freeze) -> Result<(), LedgerError> {
        self.put(Replacement::of(freeze::encode(freeze))).await.map(|_| ())
    }

    /// Thaws. `false`: there was no freeze.
    pub async fn thaw(&self) -> Result<bool, LedgerError> {
        Ok(self.delete(Key::freeze()).await?.is_some())
    }

    /// Opens a connection, by a read whose answer nobody needs. One that fails is not counted: the next one will be.
    pub async fn open_connection(&self) {
        let failures = self.failures.load(Ordering::Relaxed);
        drop(self.get(Key::freeze(), false).await);
        self.failures.store(failures, Ordering::Relaxed);
    }

    /// The freeze, if there is one.
    pub async fn frozen(&self) -> Result<Option<Freeze>, LedgerError> {
        self.get(Key::freeze(), true).await?.as_ref().map(freeze::decode).transpose()
    }
}
