//! One queue's messages: what is there, what is in flight, what comes next. No I/O, and the time is passed in.

use super::message::Message;
use super::receipt::Receipt;
use super::refusal::Refusal;
use super::settings::Settings;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

/// The longest that a message may be invisible, counted from its receive ("`ChangeMessageVisibility`": 12 hours).
pub(super) const LONGEST_INVISIBILITY: Duration = Duration::from_hours(12);
/// How long a deduplication id is remembered (developer guide, "Exactly-once processing": 5 minutes).
const DEDUPLICATION: Duration = Duration::from_mins(5);
/// How long nothing else is purged after a purge ("`PurgeQueue`": 60 seconds).
const PURGE: Duration = Duration::from_mins(1);

/// The time, twice: what durations are measured by, and what clients are given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Now {
    /// Since the queues were started.
    pub running: Duration,
    /// Milliseconds since the epoch.
    pub epoch_ms: i64,
}

/// A queue.
#[derive(Debug)]
pub(super) struct Store {
    pub settings: Settings,
    /// When it was made, in milliseconds since the epoch.
    pub created_ms: i64,
    messages: BTreeMap<u64, Kept>,
    last_message: u64,
    last_receive: u64,
    /// The message of each deduplication id, and until when it stands for others.
    known: HashMap<String, (Message, Duration)>,
    /// When a group was last left by a message.
    left: HashMap<String, Duration>,
    purged: Option<Duration>,
}

/// A message in its place.
#[derive(Debug)]
struct Kept {
    message: Message,
    sent: Duration,
    /// From when it can be received.
    visible: Duration,
    /// Its last receive: the number and the time.
    receive: Option<(u64, Duration)>,
}

impl Kept {
    fn is_visible(&self, now: Now) -> bool {
        self.visible <= now.running
    }

    fn is_in_flight(&self, now: Now) -> bool {
        self.receive.is_some() && !self.is_visible(now)
    }
}

/// A received message, and the handle that stands for this receive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Received {
    pub message: Message,
    pub handle: String,
}

impl Store {
    pub(super) fn new(settings: Settings, created_ms: i64) -> Self {
        Self {
            settings,
            created_ms,
            messages: BTreeMap::new(),
            last_message: 0,
            last_receive: 0,
            known: HashMap::new(),
            left: HashMap::new(),
            purged: None,
        }
    }

    /// Takes a message; gives it back as it is kept, or the one that it repeats.
    pub(super) fn send(&mut self, mut message: Message, delay: Duration, now: Now) -> Message {
        self.known.retain(|_, (_, until)| *until > now.running);
        if self.settings.is_fifo() {
            let known = message.deduplication_id.as_ref().and_then(|id| self.known.get(id));
            if let Some((first, _)) = known {
                return first.clone();
            }
            message.sequence_number = Some(sequence_number(self.last_message + 1));
            if let Some(id) = &message.deduplication_id {
                self.known.insert(id.clone(), (message.clone(), now.running + DEDUPLICATION));
            }
        }
        self.keep(message.clone(), delay, now);
        message
    }

    /// Takes a message that was received too often elsewhere; nothing is deduplicated here.
    pub(super) fn bury(&mut self, mut message: Message, now: Now) {
        if self.settings.is_fifo() {
            message.sequence_number = Some(sequence_number(self.last_message + 1));
        }
        self.keep(message, Duration::ZERO, now);
    }

    fn keep(&mut self, message: Message, delay: Duration, now: Now) {
        self.last_message += 1;
        let visible = now.running + delay;
        let kept = Kept { message, sent: now.running, visible, receive: None };
        self.messages.insert(self.last_message, kept);
    }

    /// Receives at most so many messages.
    ///
    /// As many of one group as possible (developer guide, "FIFO delivery logic"), and of groups the one that has waited
    /// longest, on which Amazon SQS promises nothing.
    pub(super) fn receive(&mut self, at_most: usize, invisible: Duration, now: Now) -> Vec<Received> {
        let places: Vec<u64> = self.next(now).into_iter().take(at_most).collect();
        places.into_iter().filter_map(|place| self.take(place, invisible, now)).collect()
    }

    fn take(&mut self, place: u64, invisible: Duration, now: Now) -> Option<Received> {
        let kept = self.messages.get_mut(&place)?;
        self.last_receive += 1;
        kept.receive = Some((self.last_receive, now.running));
        kept.visible = now.running + invisible;
        kept.message.receives += 1;
        kept.message.first_received_ms.get_or_insert(now.epoch_ms);
        let receipt = Receipt { message: place, receive: self.last_receive };
        let message = Message { in_flight: kept.is_in_flight(now), ..kept.message.clone() };
        Some(Received { message, handle: receipt.handle(&self.settings.name) })
    }

    /// Takes out the messages that would be received next, but too often.
    pub(super) fn dead(&mut self, now: Now) -> Vec<Message> {
        let Some(most) = self.settings.dead_letters.as_ref().map(|policy| policy.max_receives) else {
            return Vec::new();
        };
        let mut dead = Vec::new();
        // One may stand before another one of its group.
        loop {
            let heads = self.next(now);
            let found = heads
                .into_iter()
                .find(|place| self.messages.get(place).is_some_and(|kept| kept.message.receives >= most));
            let Some(message) = found.and_then(|place| self.remove(place, now)) else {
                return dead;
            };
            let source = Some(self.settings.arn());
            dead.push(Message { dead_letter_source: source, in_flight: false, ..message });
        }
    }

    /// The places of the messages that can be received, in the order in which they come.
    fn next(&self, now: Now) -> Vec<u64> {
        let mut blocked = HashSet::new();
        let mut groups: BTreeMap<Turn<'_>, (Duration, Vec<u64>)> = BTreeMap::new();
        for (place, kept) in &self.messages {
            let turn = match &kept.message.group {
                Some(group) if self.settings.is_fifo() => Turn::Group(group),
                _ => Turn::Message(*place),
            };
            if kept.is_visible(now) {
                let freed = kept.message.group.as_ref().and_then(|group| self.left.get(group));
                let since = kept.visible.max(freed.copied().unwrap_or_default());
                groups.entry(turn).or_insert_with(|| (since, Vec::new())).1.push(*place);
            } else {
                blocked.insert(turn);
            }
        }
        let mut free: Vec<_> = groups.into_iter().filter(|(turn, _)| !blocked.contains(turn)).collect();
        free.sort_by_key(|(_, (since, places))| (*since, places.first().copied()));
        free.into_iter().flat_map(|(_, (_, places))| places).collect()
    }

    /// Deletes a received message. An old handle deletes nothing.
    pub(super) fn delete(&mut self, handle: &str, now: Now) -> Result<(), Refusal> {
        let receipt = Receipt::read(handle, &self.settings.name)?;
        let Some(kept) = self.messages.get(&receipt.message) else {
            return Ok(());
        };
        let is_latest = kept.receive.is_some_and(|(number, _)| number == receipt.receive);
        if self.settings.is_fifo() && !(is_latest && kept.is_in_flight(now)) {
            let reason = "The receipt handle has expired.";
            return Err(Refusal::invalid_value("ReceiptHandle", handle, reason));
        }
        if is_latest {
            self.remove(receipt.message, now);
        }
        Ok(())
    }

    /// Makes a received message visible after so long, counted from now.
    pub(super) fn show_after(&mut self, handle: &str, wait: Duration, now: Now) -> Result<(), Refusal> {
        let receipt = Receipt::read(handle, &self.settings.name)?;
        let kept = self.messages.get_mut(&receipt.message);
        let kept = kept.filter(|kept| kept.is_in_flight(now));
        let Some((kept, received)) = kept.and_then(|kept| {
            let (number, received) = kept.receive?;
            (number == receipt.receive).then_some((kept, received))
        }) else {
            return Err(Refusal::not_in_flight(handle));
        };
        if now.running + wait > received + LONGEST_INVISIBILITY {
            let reason = "Total VisibilityTimeout for the message is beyond the limit [43200 seconds].";
            return Err(Refusal::invalid_value("VisibilityTimeout", wait.as_secs(), reason));
        }
        kept.visible = now.running + wait;
        Ok(())
    }

    fn remove(&mut self, place: u64, now: Now) -> Option<Message> {
        let kept = self.messages.remove(&place)?;
        if let Some(group) = &kept.message.group {
            self.left.insert(group.clone(), now.running);
        }
        Some(kept.message)
    }

    /// Deletes what is older than the queue keeps.
    pub(super) fn expire(&mut self, now: Now) {
        let retention = self.settings.retention;
        self.messages.retain(|_, kept| kept.sent + retention > now.running);
    }

    /// Deletes everything, also what is in flight.
    pub(super) fn purge(&mut self, now: Now) -> Result<(), Refusal> {
        if self.purged.is_some_and(|purged| purged + PURGE > now.running) {
            return Err(Refusal::purge_in_progress(&self.settings.name));
        }
        self.purged = Some(now.running);
        self.messages.clear();
        Ok(())
    }

    /// When the next message becomes visible that is not so now.
    pub(super) fn due(&self, now: Now) -> Option<Duration> {
        self.messages.values().map(|kept| kept.visible).filter(|visible| *visible > now.running).min()
    }

    /// Every message, in the order in which they were sent.
    pub(super) fn messages(&self, now: Now) -> Vec<Message> {
        let of = |kept: &Kept| Message { in_flight: kept.is_in_flight(now), ..kept.message.clone() };
        self.messages.values().map(of).collect()
    }

    /// How many messages can be seen, are in flight, and are delayed.
    pub(super) fn counts(&self, now: Now) -> (usize, usize, usize) {
        let count = |is: fn(&Kept, Now) -> bool| self.messages.values().filter(|kept| is(kept, now)).count();
        let (visible, in_flight) = (count(Kept::is_visible), count(Kept::is_in_flight));
        (visible, in_flight, self.messages.len() - visible - in_flight)
    }
}

/// What comes one at a time: a group of a FIFO queue, a message of a standard queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Turn<'message> {
    Group(&'message str),
    Message(u64),
}

/// 20 digits, as Amazon SQS's.
fn sequence_number(message: u64) -> String {
    const FIRST: u64 = 10_000_000_000_000_000_000;
    (FIRST + message).to_string()
}

#[cfg(test)]
mod tests;
