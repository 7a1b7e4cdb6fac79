//! Several processes of one function.

use super::function::Function;
use super::invocation::{Invocation, Invoke};
use super::launch::Launch;
use std::io;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Semaphore;

/// Processes of one function, each with one invocation at a time, as Lambda's execution environments.
///
/// They start when they are needed, and one that was used before comes first. They end with its last owner; an
/// invocation under way is one.
#[derive(Debug)]
pub struct Fleet {
    launch: Launch,
    most: NonZeroUsize,
    /// For those who invoke it; an event source mapping counts its own.
    places: Semaphore,
    members: Mutex<Vec<Member>>,
}

#[derive(Debug)]
struct Member {
    function: Arc<Function>,
    is_free: bool,
}

/// A process in use; dropping it sets it free.
#[derive(Debug)]
pub(crate) struct Lease {
    fleet: Arc<Fleet>,
    number: usize,
    function: Arc<Function>,
}

impl Fleet {
    /// A function, none of whose processes has started, with at most so many invocations at once, and as many more from an
    /// event source mapping.
    ///
    /// # Errors
    ///
    /// There is no such program; the message names it.
    pub fn new(launch: Launch, most: NonZeroUsize) -> io::Result<Arc<Self>> {
        if !launch.binary.is_file() {
            let message = format!("there is no program `{}`", launch.binary.display());
            return Err(io::Error::new(io::ErrorKind::NotFound, message));
        }
        let places = Semaphore::new(most.get());
        Ok(Arc::new(Self { launch, most, places, members: Mutex::new(Vec::new()) }))
    }

    /// How its processes are started.
    #[must_use]
    pub const fn launch(&self) -> &Launch {
        &self.launch
    }

    /// Every process that was started so far, to be looked at or killed. A killed one is started again when it is
    /// needed.
    #[must_use]
    pub fn functions(&self) -> Vec<Arc<Function>> {
        self.members().iter().map(|member| Arc::clone(&member.function)).collect()
    }

    /// The processes that work on an invocation now.
    #[must_use]
    pub fn at_work(&self) -> Vec<Arc<Function>> {
        let members = self.members();
        let at_work = members.iter().filter(|member| !member.is_free);
        at_work.map(|member| Arc::clone(&member.function)).collect()
    }

    /// Every whole line that the processes have written to standard output, process by process.
    #[must_use]
    pub fn output(&self) -> Vec<String> {
        self.functions().iter().flat_map(|function| function.output()).collect()
    }

    /// Invokes the function, waiting for a process that is free.
    ///
    /// As in Lambda, the invocation goes on if its caller gives up.
    ///
    /// # Errors
    ///
    /// A process cannot be started.
    pub async fn invoke(self: &Arc<Self>, payload: &[u8], options: Invoke) -> io::Result<Invocation> {
        let fleet = Arc::clone(self);
        let payload = payload.to_vec();
        let under_way = tokio::spawn(async move {
            let _place = fleet.places.acquire().await.map_err(io::Error::other)?;
            let lease = fleet.occupy().await?;
            Ok(lease.function.invoke_with(&payload, options).await)
        });
        under_way.await.map_err(io::Error::other)?
    }

    /// The most invocations at once.
    pub(crate) const fn most(&self) -> NonZeroUsize {
        self.most
    }

    /// Takes a free process, a new one if there is no other.
    pub(crate) async fn occupy(self: &Arc<Self>) -> io::Result<Lease> {
        let lease = |number, function| Lease { fleet: Arc::clone(self), number, function };
        if let Some((number, function)) = self.warm() {
            let lease = lease(number, function);
            lease.function.ensure_running().await?;
            return Ok(lease);
        }
        let function = Arc::new(Function::start(self.launch.clone()).await?);
        let mut members = self.members();
        members.push(Member { function: Arc::clone(&function), is_free: false });
        Ok(lease(members.len() - 1, function))
    }

    /// A process that was used before and is free; its number.
    fn warm(&self) -> Option<(usize, Arc<Function>)> {
        let mut members = self.members();
        let (number, member) = members.iter_mut().enumerate().find(|(_, member)| member.is_free)?;
        member.is_free = false;
        Some((number, Arc::clone(&member.function)))
    }

    fn members(&self) -> MutexGuard<'_, Vec<Member>> {
        self.members.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends every process now, also those in use.
    pub(crate) fn close(&self) {
        for member in self.members().drain(..) {
            member.function.close();
        }
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        self.close();
    }
}

impl Lease {
    /// The number of the process, as in [`Fleet::functions`].
    pub(crate) const fn number(&self) -> usize {
        self.number
    }

    /// The process.
    pub(crate) fn function(&self) -> &Function {
        &self.function
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(member) = self.fleet.members().get_mut(self.number) {
            member.is_free = true;
        }
    }
}
