//! A record of every request received.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use time::OffsetDateTime;
use tokio::sync::mpsc;

use super::{fault::Fault, operation::Operation, scope::Scope};

/// One request and its answer.
///
/// It is entered when the request arrives and completed before the answer is sent, so that a
/// client that has the answer finds it here.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Entry {
    /// The request's number, from 1; clearing the journal does not start it again.
    pub sequence: u64,
    /// When it arrived.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// The operation, if there is one at this method and path.
    pub operation: Option<Operation>,
    /// The HTTP method.
    pub method: String,
    /// The path and query, as they were sent.
    pub path: String,
    /// The id of the instance named, also where it was named by ARN.
    pub instance_id: Option<String>,
    /// The scope named.
    pub scope: Option<Scope>,
    /// The account that signed, empty if nothing was signed.
    pub account: String,
    /// The Region it was signed for, empty if nothing was signed.
    pub region: String,
    /// The client's count of its attempts at this call: `attempt` of `amz-sdk-request`.
    pub attempt: Option<u32>,
    /// The body, if it was JSON.
    pub body: Option<serde_json::Value>,
    /// The status answered; `None` if the connection ended, or the client left, without an answer.
    pub status: Option<u16>,
    /// The name of the error answered.
    pub error: Option<String>,
    /// The answer's `x-amzn-requestid`.
    pub request_id: String,
    /// Whether the stored configuration was written.
    pub effect: bool,
    /// Whether it was written and its values differ from those before.
    pub changed: bool,
    /// The fault that it got.
    pub fault: Option<Fault>,
}

/// The entries so far, and the followers, who get each entry when it is complete.
#[derive(Debug, Default)]
pub(super) struct Journal(Mutex<Pages>);

#[derive(Debug, Default)]
struct Pages {
    last: u64,
    entries: Vec<Entry>,
    followers: Vec<mpsc::UnboundedSender<Entry>>,
    file: Option<File>,
}

impl Journal {
    /// An empty journal, which appends complete entries to a file if there is one.
    pub(super) fn new(file: Option<&Path>) -> io::Result<Self> {
        let open = |path: &Path| {
            let file = OpenOptions::new().create(true).append(true).open(path);
            file.map_err(|error| {
                let message = format!("cannot write the journal `{}`: {error}", path.display());
                io::Error::new(error.kind(), message)
            })
        };
        let file = file.map(open).transpose()?;
        Ok(Self(Mutex::new(Pages { file, ..Pages::default() })))
    }

    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn entries(&self) -> Vec<Entry> {
        self.pages().entries.clone()
    }

    pub(super) fn clear(&self) {
        self.pages().entries.clear();
    }

    pub(super) fn follow(&self) -> mpsc::UnboundedReceiver<Entry> {
        let (sender, receiver) = mpsc::unbounded_channel();
        self.pages().followers.push(sender);
        receiver
    }

    /// Enters a request that has arrived; its sequence number is given here.
    pub(super) fn open(self: &Arc<Self>, mut entry: Entry) -> Line {
        let mut pages = self.pages();
        pages.last += 1;
        entry.sequence = pages.last;
        pages.entries.push(entry.clone());
        Line { journal: Arc::clone(self), entry }
    }
}

/// An entry being written.
///
/// Dropping it completes it, also when the client left and the request was abandoned.
#[derive(Debug)]
pub(super) struct Line {
    journal: Arc<Journal>,
    entry: Entry,
}

impl Line {
    /// The number of the answer this line is about.
    pub(super) fn request_id(&self) -> &str {
        &self.entry.request_id
    }

    /// Changes the entry; readers of the journal see the change at once.
    pub(super) fn write(&mut self, change: impl FnOnce(&mut Entry)) {
        change(&mut self.entry);
        let mut pages = self.journal.pages();
        let found = pages.entries.binary_search_by_key(&self.entry.sequence, |entry| entry.sequence);
        // Not found: the journal was cleared meanwhile.
        if let Some(entry) = found.ok().and_then(|index| pages.entries.get_mut(index)) {
            entry.clone_from(&self.entry);
        }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        let entry = &self.entry;
        let mut pages = self.journal.pages();
        if let Some(file) = &mut pages.file {
            super::warn(append(file, entry));
        }
        pages.followers.retain(|follower| follower.send(entry.clone()).is_ok());
    }
}

/// Writes a line at once, so that no reader sees half of one.
fn append(file: &mut File, entry: &Entry) -> io::Result<()> {
    let mut line = serde_json::to_vec(entry)?;
    line.push(b'\n');
    file.write_all(&line)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrived() -> Entry {
        Entry {
            sequence: 0,
            at: OffsetDateTime::UNIX_EPOCH,
            operation: Some(Operation::ListInstances),
            method: "GET".to_owned(),
            path: "/instance".to_owned(),
            instance_id: None,
            scope: None,
            account: String::new(),
            region: String::new(),
            attempt: None,
            body: None,
            status: None,
            error: None,
            request_id: String::new(),
            effect: false,
            changed: false,
            fault: Some(Fault::Slow(std::time::Duration::from_secs(2))),
        }
    }

    #[test]
    fn a_request_is_visible_from_its_arrival_and_completed_in_place() {
        let journal = Arc::new(Journal::default());
        let mut first = journal.open(arrived());
        let second = journal.open(arrived());
        assert_eq!(journal.entries().iter().map(|entry| entry.status).collect::<Vec<_>>(), [None, None]);
        first.write(|entry| entry.status = Some(200));
        drop((second, first));
        let seen: Vec<_> = journal.entries().iter().map(|entry| (entry.sequence, entry.status)).collect();
        assert_eq!(seen, [(1, Some(200)), (2, None)]);
    }

    #[test]
    fn followers_get_each_entry_once_when_it_is_complete() {
        let journal = Arc::new(Journal::default());
        let mut follower = journal.follow();
        let mut line = journal.open(arrived());
        line.write(|entry| entry.effect = true);
        assert!(follower.try_recv().is_err());
        drop(line);
        assert!(follower.try_recv().unwrap().effect);
        assert!(follower.try_recv().is_err());
    }

    #[test]
    fn numbers_go_on_after_clearing_and_a_line_open_meanwhile_stays_out() {
        let journal = Arc::new(Journal::default());
        let mut open = journal.open(arrived());
        journal.clear();
        drop(journal.open(arrived()));
        open.write(|entry| entry.status = Some(200));
        let seen: Vec<_> = journal.entries().iter().map(|entry| (entry.sequence, entry.status)).collect();
        assert_eq!(seen, [(2, None)]);
    }

    #[test]
    fn an_entry_is_one_line_of_json_with_names_as_on_the_wire() {
        let json = serde_json::to_value(arrived()).unwrap();
        assert_eq!(json["at"], "1970-01-01T00:00:00Z");
        assert_eq!(json["operation"], "ListInstances");
        assert_eq!(json["fault"], "slow:2000");
    }
}
