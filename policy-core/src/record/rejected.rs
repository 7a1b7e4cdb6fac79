//! The record of a document that was rejected: nobody waits for its answer, so its producer hears of it by an event.

use super::{ChangeRecord, Millis, Mode, Order, PlanRef, RecordStatus, RecordedOrigin, RunKey};
use crate::policy::{ChangeId, Violation};

/// The most violations that a record keeps.
const KEPT: usize = 20;
/// The most characters of a pointer or a message that it keeps: a field's name may be as long as the document.
const LONGEST: usize = 512;

/// A rejected document.
#[derive(Debug)]
pub struct RejectedDocument<'a> {
    /// The document as it came, by which its repetition is known.
    pub text: &'a str,
    /// Why it was rejected.
    pub violations: &'a [Violation],
    /// Where it came from.
    pub origin: RecordedOrigin,
    /// When it was accepted for reading.
    pub accepted: Millis,
}

impl RejectedDocument<'_> {
    /// The first run of its record. `announce`: its event is owed.
    pub fn record(&self, id: &ChangeId, token: String, announce: bool, now: Millis) -> ChangeRecord {
        let order = Order { accepted: self.accepted, change_id: id.clone() };
        let plan = PlanRef::Own(String::new());
        ChangeRecord {
            chosen: true,
            status: RecordStatus::Rejected,
            mode: Mode::Inline,
            finished: Some(now),
            violations: self.violations.iter().take(KEPT).map(kept).collect(),
            announce,
            ..ChangeRecord::accepted(order, (token, self.hash()), self.origin.clone(), plan, now)
        }
    }

    /// The run after another rejected document of the same id.
    pub fn next_record(
        &self,
        old: &ChangeRecord,
        token: String,
        announce: bool,
        now: Millis,
    ) -> ChangeRecord {
        ChangeRecord {
            run: old.run.saturating_add(1),
            key: RunKey::next(Some(old.key), now),
            first: old.first,
            relations: old.relations.clone(),
            ..self.record(&old.change_id, token, announce, now)
        }
    }

    /// Whether that record is this document's: it came a second time.
    pub fn is_recorded_as(&self, there: &ChangeRecord) -> bool {
        there.status == RecordStatus::Rejected && there.hash == self.hash()
    }

    /// SHA-256 of the text.
    pub fn hash(&self) -> String {
        super::digest::hex(self.text)
    }
}

fn kept(violation: &Violation) -> Violation {
    let cut = |text: &str| text.chars().take(LONGEST).collect();
    Violation { pointer: cut(&violation.pointer), code: violation.code, message: cut(&violation.message) }
}
