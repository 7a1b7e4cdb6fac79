//! A record of every request that a service received.

use serde::Serialize;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{mpsc, watch};

/// An entry that carries its number.
pub(crate) trait Numbered: Clone + Serialize {
    /// Its number.
    fn sequence(&self) -> u64;
    /// Gives it its number, when it is entered.
    fn number(&mut self, sequence: u64);
}

/// The entries so far, and the followers, who get each entry when it is complete.
#[derive(Debug)]
pub(crate) struct Journal<E> {
    pages: Mutex<Pages<E>>,
    /// Counts what is entered, written and completed, for those who wait.
    changes: watch::Sender<u64>,
}

#[derive(Debug)]
struct Pages<E> {
    last: u64,
    entries: Vec<E>,
    followers: Vec<mpsc::UnboundedSender<E>>,
    file: Option<File>,
}

impl<E: Numbered> Journal<E> {
    /// An empty journal, which appends complete entries to a file if there is one.
    pub(crate) fn new(file: Option<&Path>) -> io::Result<Self> {
        let open = |path: &Path| {
            let file = OpenOptions::new().create(true).append(true).open(path);
            file.map_err(|error| {
                let message = format!("cannot write the journal `{}`: {error}", path.display());
                io::Error::new(error.kind(), message)
            })
        };
        let file = file.map(open).transpose()?;
        let pages = Pages { last: 0, entries: Vec::new(), followers: Vec::new(), file };
        Ok(Self { pages: Mutex::new(pages), changes: watch::Sender::new(0) })
    }

    fn pages(&self) -> MutexGuard<'_, Pages<E>> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn entries(&self) -> Vec<E> {
        self.pages().entries.clone()
    }

    pub(crate) fn clear(&self) {
        self.pages().entries.clear();
    }

    pub(crate) fn follow(&self) -> mpsc::UnboundedReceiver<E> {
        let (sender, receiver) = mpsc::unbounded_channel();
        self.pages().followers.push(sender);
        receiver
    }

    /// Waits until the entries are as somebody wants them, open ones included.
    pub(crate) async fn until(&self, mut reached: impl FnMut(&[E]) -> bool) {
        let mut changes = self.changes.subscribe();
        // The sender lives as long as this journal.
        let _ = changes.wait_for(|_| reached(&self.pages().entries)).await;
    }

    /// Enters a request that has arrived; its sequence number is given here.
    pub(crate) fn open(self: &Arc<Self>, mut entry: E) -> Line<E> {
        let mut pages = self.pages();
        pages.last += 1;
        entry.number(pages.last);
        pages.entries.push(entry.clone());
        drop(pages);
        self.changed();
        Line { journal: Arc::clone(self), entry }
    }

    /// Never while the pages are locked: a waiting reader locks them.
    fn changed(&self) {
        self.changes.send_modify(|changes| *changes += 1);
    }
}

/// An entry being written.
///
/// Dropping it completes it, also when the client left and the request was abandoned.
#[derive(Debug)]
pub(crate) struct Line<E: Numbered> {
    journal: Arc<Journal<E>>,
    entry: E,
}

impl<E: Numbered> Line<E> {
    /// The entry as it is now.
    pub(crate) const fn entry(&self) -> &E {
        &self.entry
    }

    /// Changes the entry; readers of the journal see the change at once.
    pub(crate) fn write(&mut self, change: impl FnOnce(&mut E)) {
        change(&mut self.entry);
        let sequence = self.entry.sequence();
        let mut pages = self.journal.pages();
        let found = pages.entries.binary_search_by_key(&sequence, Numbered::sequence);
        // Not found: the journal was cleared meanwhile.
        if let Some(entry) = found.ok().and_then(|index| pages.entries.get_mut(index)) {
            entry.clone_from(&self.entry);
        }
        drop(pages);
        self.journal.changed();
    }
}

impl<E: Numbered> Drop for Line<E> {
    fn drop(&mut self) {
        let entry = &self.entry;
        let mut pages = self.journal.pages();
        if let Some(file) = &mut pages.file {
            warn(append(file, entry));
        }
        pages.followers.retain(|follower| follower.send(entry.clone()).is_ok());
        drop(pages);
        self.journal.changed();
    }
}

/// Writes a line at once, so that no reader sees half of one.
fn append(file: &mut File, entry: &impl Serialize) -> io::Result<()> {
    let mut line = serde_json::to_vec(entry)?;
    line.push(b'\n');
    file.write_all(&line)
}

/// Prints an error that the caller cannot handle.
#[expect(clippy::print_stderr, reason = "what went wrong is for the person at the terminal")]
pub(crate) fn warn(result: io::Result<()>) {
    if let Err(error) = result {
        eprintln!("sandbox: {error}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Debug, Default, PartialEq, Serialize)]
    struct Request {
        sequence: u64,
        status: Option<u16>,
    }

    impl Numbered for Request {
        fn sequence(&self) -> u64 {
            self.sequence
        }

        fn number(&mut self, sequence: u64) {
            self.sequence = sequence;
        }
    }

    fn journal() -> Arc<Journal<Request>> {
        Arc::new(Journal::new(None).unwrap())
    }

    fn seen(journal: &Journal<Request>) -> Vec<(u64, Option<u16>)> {
        journal.entries().iter().map(|entry| (entry.sequence, entry.status)).collect()
    }

    #[test]
    fn a_request_is_visible_from_its_arrival_and_completed_in_place() {
        let journal = journal();
        let mut first = journal.open(Request::default());
        let second = journal.open(Request::default());
        assert_eq!(seen(&journal), [(1, None), (2, None)]);
        first.write(|entry| entry.status = Some(200));
        drop((second, first));
        assert_eq!(seen(&journal), [(1, Some(200)), (2, None)]);
    }

    #[test]
    fn followers_get_each_entry_once_when_it_is_complete() {
        let journal = journal();
        let mut follower = journal.follow();
        let mut line = journal.open(Request::default());
        line.write(|entry| entry.status = Some(200));
        assert!(follower.try_recv().is_err());
        drop(line);
        assert_eq!(follower.try_recv().unwrap().status, Some(200));
        assert!(follower.try_recv().is_err());
    }

    #[test]
    fn numbers_go_on_after_clearing_and_a_line_open_meanwhile_stays_out() {
        let journal = journal();
        let mut open = journal.open(Request::default());
        journal.clear();
        drop(journal.open(Request::default()));
        open.write(|entry| entry.status = Some(200));
        assert_eq!(seen(&journal), [(2, None)]);
    }

    #[tokio::test]
    async fn who_waits_is_told_of_what_is_entered_and_of_what_is_written() {
        let journal = journal();
        let waiting = tokio::spawn({
            let journal = Arc::clone(&journal);
            async move { journal.until(|entries| entries.iter().any(|entry| entry.status == Some(500))).await }
        });
        let mut line = journal.open(Request::default());
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        line.write(|entry| entry.status = Some(500));
        waiting.await.unwrap();
    }
}
