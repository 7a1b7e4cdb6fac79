//! The invocations that wait for the process, and those that it works on.

use super::invocation::{Answer, Invoke};
use crate::identifier::{epoch_ms, trace};
use bytes::Bytes;
use std::collections::{HashMap, VecDeque};
use std::mem;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{Notify, oneshot, watch};
use tokio::task::AbortHandle;

/// The queue, what the process is working on, and whether there is a process.
pub(super) struct Exchange {
    state: Mutex<State>,
    /// Signals that there is something to take, or that the process has ended.
    changed: Notify,
    /// The number of polls that wait.
    polls: watch::Sender<usize>,
}

struct State {
    queue: VecDeque<Asked>,
    taken: HashMap<String, Taken>,
    /// The error of a start that failed, and the number of lines until then.
    init_error: Option<(Answer, usize)>,
    /// The exit code of a process that has ended, and the number of lines until then.
    ended: Option<(Option<i32>, usize)>,
    /// The number of lines until the process began, or until the last invocation ended.
    last_line: usize,
    /// The number of the process: a poll of an earlier one must not take anything.
    generation: u64,
    /// The most invocations that were worked on at once.
    most: usize,
}

/// An invocation that no process has taken yet.
pub(super) struct Asked {
    pub request_id: String,
    pub trace_id: String,
    pub deadline_ms: Option<i64>,
    pub payload: Bytes,
    pub done: oneshot::Sender<Finished>,
}

/// An invocation that the process works on.
pub(super) struct Taken {
    done: oneshot::Sender<Finished>,
    started: Instant,
    first_line: usize,
    /// What kills the process if it does not answer in time.
    timer: Option<AbortHandle>,
}

/// How an invocation ended, and which lines of the output are its own.
pub(super) struct Finished {
    pub answer: Answer,
    pub lines: (usize, usize),
    pub duration: Duration,
}

impl Exchange {
    pub(super) fn new() -> Self {
        Self {
            state: Mutex::new(State {
                queue: VecDeque::new(),
                taken: HashMap::new(),
                init_error: None,
                ended: None,
                last_line: 0,
                generation: 0,
                most: 0,
            }),
            changed: Notify::new(),
            polls: watch::Sender::new(0),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Also after a panic elsewhere: every invocation is either in a list or answered.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Queues an invocation; the receiver of its end, and how many are before it.
    ///
    /// Without a process it ends at once.
    pub(super) fn ask(
        &self,
        payload: Bytes,
        request_id: String,
        options: Invoke,
    ) -> (oneshot::Receiver<Finished>, usize) {
        let (done, finished) = oneshot::channel();
        let mut state = self.state();
        let before = state.queue.len() + state.taken.len();
        state.queue.push_back(Asked {
            request_id,
            trace_id: options.trace_id.unwrap_or_else(trace),
            deadline_ms: options.deadline_ms,
            payload,
            done,
        });
        state.refuse_all();
        drop(state);
        self.changed.notify_one();
        (finished, before)
    }

    /// Waits for an invocation to take; `None` once the asking process has ended.
    pub(super) async fn next(&self) -> Option<Asked> {
        let generation = self.state().generation;
        let _poll = Poll::waits(&self.polls);
        loop {
            let changed = self.changed.notified();
            {
                let mut state = self.state();
                if state.generation != generation {
                    return None;
                }
                while let Some(asked) = state.queue.pop_front() {
                    // An invocation whose caller has given up is dropped.
                    if !asked.done.is_closed() {
                        // `Notify` keeps one of several signals that no poll was waiting for: pass it on.
                        if !state.queue.is_empty() {
                            self.changed.notify_one();
                        }
                        return Some(asked);
                    }
                }
            }
            changed.await;
        }
    }

    /// Notes that the process has taken an invocation.
    pub(super) fn hand_over(&self, request_id: String, done: oneshot::Sender<Finished>) {
        let mut state = self.state();
        let taken = Taken { done, started: Instant::now(), first_line: state.last_line, timer: None };
        state.taken.insert(request_id, taken);
        state.most = state.most.max(state.taken.len());
        // The process may have ended since it asked.
        state.refuse_all();
    }

    /// Notes where an invocation's output begins, and the timer that ends it at its deadline.
    pub(super) fn begin(&self, request_id: &str, first_line: usize, timer: AbortHandle) {
        match self.state().taken.get_mut(request_id) {
            Some(taken) => {
                taken.first_line = first_line;
                taken.timer = Some(timer);
            }
            None => timer.abort(),
        }
    }

    /// The most invocations that processes worked on at once so far.
    pub(super) fn most(&self) -> usize {
        self.state().most
    }

    /// Waits until so many polls wait for an invocation.
    pub(super) async fn polled(&self, polls: usize) {
        // The sender lives as long as this exchange.
        let _ = self.polls.subscribe().wait_for(|waiting| *waiting >= polls).await;
    }

    /// Whether the process works on this invocation.
    pub(super) fn works_on(&self, request_id: &str) -> bool {
        self.state().taken.contains_key(request_id)
    }

    /// Takes an invocation away from the process, in order to end it.
    pub(super) fn take(&self, request_id: &str) -> Option<Taken> {
        self.state().taken.remove(request_id)
    }

    /// Ends an invocation.
    pub(super) fn finish(&self, taken: Taken, answer: Answer, end_line: usize) {
        self.state().last_line = end_line;
        taken.finish(answer, end_line);
    }

    /// Keeps the error of a failed start, and ends every invocation with it.
    pub(super) fn init_failed(&self, error: Answer, end_line: usize) {
        let mut state = self.state();
        state.init_error = Some((error, end_line));
        state.refuse_all();
    }

    /// Ends every invocation, now and later, with the process's end.
    pub(super) fn process_ended(&self, code: Option<i32>, end_line: usize) {
        let mut state = self.state();
        state.ended = Some((code, end_line));
        state.generation += 1;
        state.refuse_all();
        drop(state);
        self.changed.notify_waiters();
    }

    /// Begins again with a new process.
    pub(super) fn process_starts(&self, first_line: usize) {
        let mut state = self.state();
        state.ended = None;
        state.init_error = None;
        state.last_line = first_line;
    }
}

/// One poll, while it waits.
struct Poll<'a>(&'a watch::Sender<usize>);

impl<'a> Poll<'a> {
    fn waits(polls: &'a watch::Sender<usize>) -> Self {
        polls.send_modify(|waiting| *waiting += 1);
        Self(polls)
    }
}

impl Drop for Poll<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|waiting| *waiting -= 1);
    }
}

impl State {
    /// Ends every invocation, if there is no process that could answer.
    fn refuse_all(&mut self) {
        let (answer, end_line) = match (&self.init_error, self.ended) {
            (Some((error, end_line)), _) => (error.clone(), *end_line),
            (None, Some((code, end_line))) => (Answer::Exited(code), end_line),
            (None, None) => return,
        };
        let first_line = self.last_line;
        for asked in mem::take(&mut self.queue) {
            let never_taken = Taken { done: asked.done, started: Instant::now(), first_line, timer: None };
            never_taken.finish(answer.clone(), end_line);
        }
        for (_, taken) in mem::take(&mut self.taken) {
            taken.finish(answer.clone(), end_line);
            self.last_line = end_line;
        }
    }
}

impl Taken {
    fn finish(self, answer: Answer, end_line: usize) {
        if let Some(timer) = self.timer {
            timer.abort();
        }
        // Fails if the caller has given up.
        let _ = self.done.send(Finished {
            answer,
            lines: (self.first_line, end_line),
            duration: self.started.elapsed(),
        });
    }
}

/// How long the process may work on an invocation before it is killed.
///
/// Until its deadline, as in Lambda. With a deadline in the past it is the configured timeout, but
/// at least a minute: the function may take a default of its own.
pub(super) fn patience(deadline_ms: i64, timeout: Duration) -> Duration {
    match u64::try_from(deadline_ms.saturating_sub(epoch_ms())) {
        Ok(left @ 1..) => Duration::from_millis(left),
        _ => timeout.max(Duration::from_mins(1)),
    }
}

#[cfg(test)]
mod tests;
