//! What can be invoked: one process, or several.

use super::fleet::Fleet;
use super::function::Function;
use super::invocation::{Invocation, Invoke};
use std::io;
use std::sync::Arc;
use std::time::Duration;

/// A function to invoke.
#[derive(Clone, Debug)]
pub enum Callable {
    /// One process, for which invocations queue.
    Function(Arc<Function>),
    /// Several processes.
    Fleet(Arc<Fleet>),
}

impl Callable {
    /// The configured timeout, [`Launch::timeout`](super::Launch::timeout).
    #[must_use]
    pub fn timeout(&self) -> Duration {
        match self {
            Self::Function(function) => function.timeout(),
            Self::Fleet(fleet) => fleet.launch().timeout,
        }
    }

    /// Invokes it. A process that has ended is started again, as in Lambda.
    ///
    /// # Errors
    ///
    /// A process cannot be started.
    pub async fn invoke(&self, payload: &[u8], options: Invoke) -> io::Result<Invocation> {
        match self {
            Self::Function(function) => {
                function.ensure_running().await?;
                Ok(function.invoke_with(payload, options).await)
            }
            Self::Fleet(fleet) => fleet.invoke(payload, options).await,
        }
    }
}

impl From<Arc<Function>> for Callable {
    fn from(function: Arc<Function>) -> Self {
        Self::Function(function)
    }
}

impl From<Arc<Fleet>> for Callable {
    fn from(fleet: Arc<Fleet>) -> Self {
        Self::Fleet(fleet)
    }
}
