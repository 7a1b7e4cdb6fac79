//! All queues, their clock, and those who wait for a message.

use super::message::Message;
use super::refusal::Refusal;
use super::settings::Settings;
use super::store::{Now, Received, Store};
use crate::identifier::epoch_ms;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// The queues by their names.
#[derive(Debug)]
pub(super) struct Shelf {
    stores: Mutex<BTreeMap<String, Store>>,
    started: Instant,
    /// What was added to the time that really passed.
    ahead: Mutex<Duration>,
    /// Counts what may have made a message visible.
    changes: watch::Sender<u64>,
}

impl Shelf {
    pub(super) fn new(queues: Vec<Settings>) -> Self {
        let now = epoch_ms();
        let stores = queues.into_iter().map(|settings| (settings.name.clone(), Store::new(settings, now)));
        Self {
            stores: Mutex::new(stores.collect()),
            started: Instant::now(),
            ahead: Mutex::new(Duration::ZERO),
            changes: watch::Sender::new(0),
        }
    }

    fn stores(&self) -> MutexGuard<'_, BTreeMap<String, Store>> {
        self.stores.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn now(&self) -> Now {
        let ahead = *self.ahead.lock().unwrap_or_else(PoisonError::into_inner);
        Now { running: self.started.elapsed() + ahead, epoch_ms: epoch_ms() }
    }

    /// Lets so much time pass at once: invisible messages and deduplication ids grow older.
    pub(super) fn advance(&self, by: Duration) {
        *self.ahead.lock().unwrap_or_else(PoisonError::into_inner) += by;
        self.changed();
    }

    fn changed(&self) {
        self.changes.send_modify(|changes| *changes += 1);
    }

    pub(super) fn names(&self) -> Vec<String> {
        self.stores().keys().cloned().collect()
    }

    /// Reads a queue, after what has expired was deleted.
    pub(super) fn look<T>(&self, queue: &str, act: impl FnOnce(&Store, Now) -> T) -> Result<T, Refusal> {
        let now = self.now();
        let mut stores = self.stores();
        let store = stores.get_mut(queue).ok_or_else(Refusal::no_such_queue)?;
        store.expire(now);
        Ok(act(store, now))
    }

    /// Changes a queue, and wakes those who wait for a message.
    pub(super) fn with<T>(
        &self,
        queue: &str,
        act: impl FnOnce(&mut Store, Now) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        let now = self.now();
        let mut stores = self.stores();
        let store = stores.get_mut(queue).ok_or_else(Refusal::no_such_queue)?;
        store.expire(now);
        let outcome = act(store, now);
        drop(stores);
        self.changed();
        outcome
    }

    /// Receives messages, waiting for the first of them.
    pub(super) async fn receive(
        &self,
        queue: &str,
        at_most: usize,
        invisible: Option<Duration>,
        wait: Option<Duration>,
    ) -> Result<Vec<Received>, Refusal> {
        let mut changes = self.changes.subscribe();
        let wait = match wait {
            Some(wait) => wait,
            None => self.look(queue, |store, _| store.settings.receive_wait)?,
        };
        let until = self.now().running + wait;
        loop {
            changes.mark_unchanged();
            let (received, due, now) = self.receive_now(queue, at_most, invisible)?;
            if !received.is_empty() || now.running >= until {
                return Ok(received);
            }
            let next = due.map_or(until, |due| due.min(until));
            let pause = next.saturating_sub(now.running).max(Duration::from_millis(1));
            // Either way the queue is asked again.
            let _ = tokio::time::timeout(pause, changes.changed()).await;
        }
    }

    /// Receives what is there, and says when the next message becomes visible.
    fn receive_now(
        &self,
        queue: &str,
        at_most: usize,
        invisible: Option<Duration>,
    ) -> Result<(Vec<Received>, Option<Duration>, Now), Refusal> {
        let now = self.now();
        let mut stores = self.stores();
        let store = stores.get_mut(queue).ok_or_else(Refusal::no_such_queue)?;
        store.expire(now);
        let dead = store.dead(now);
        let invisible = invisible.unwrap_or(store.settings.visibility_timeout);
        let received = store.receive(at_most, invisible, now);
        let due = store.due(now);
        let grave = store.settings.dead_letters.as_ref().map(|policy| policy.queue.clone());
        let has_dead = !dead.is_empty();
        if let Some(grave) = grave.and_then(|name| stores.get_mut(&name)) {
            for message in dead {
                grave.bury(message, now);
            }
        }
        drop(stores);
        if has_dead {
            self.changed();
        }
        Ok((received, due, now))
    }

    pub(super) fn messages(&self, queue: &str) -> Result<Vec<Message>, Refusal> {
        self.look(queue, Store::messages)
    }
}
