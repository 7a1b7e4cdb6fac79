//! What the verbs answer. A condition that failed is one of the answers.

use policy_core::policy::ChangeId;
use policy_core::record::{
    ChangeRecord, Freeze, Halt, LanePart, Millis, Position, RecordStatus, RecordedResult, RunKey, RunName,
    TargetName, TargetRecord,
};

/// Whether a change, or its next run, was recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recorded {
    /// It was, now or by an earlier try of the same write.
    Stored,
    /// There is another record of that id: as it is.
    Exists(Box<ChangeRecord>),
}

/// Which relation a new change enters into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// The new change undoes the other.
    UndoneBy,
    /// The new change carries out the other, a dry run.
    AppliedBy,
}

/// Whether a change that refers to another was recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Related {
    /// Both were written, now or by an earlier try of the same write.
    Stored,
    /// There is a record of the new change's id.
    Exists(Box<ChangeRecord>),
    /// The other record is not final any more, or at another run: nothing was written.
    Moved,
}

impl From<Recorded> for Related {
    fn from(recorded: Recorded) -> Self {
        match recorded {
            Recorded::Stored => Self::Stored,
            Recorded::Exists(there) => Self::Exists(there),
        }
    }
}

/// Whether a run was made final.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finished {
    /// By this write. The record as it is now.
    Now(Box<ChangeRecord>),
    /// Not by this write. The record says why: it is final, or at another run, or in other hands, or its lanes are not
    /// all done, or it was cancelled meanwhile.
    Already(Box<ChangeRecord>),
}

/// Whether a run was ordered to end early.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Halting {
    /// By this write.
    Now(Box<ChangeRecord>),
    /// It had been before.
    Already(Box<ChangeRecord>),
    /// That run is final.
    Final(Box<ChangeRecord>),
}

/// Whether a delivery may work on its lane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Begun {
    /// It is counted, and holds the lane.
    Open(LanePart),
    /// The lane has ended.
    Ended(LanePart),
    /// The run has no such lane: nobody who plans sent that message.
    NoSuchLane,
}

/// What the ender of a lane saw: it ends nothing that has moved since.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seen {
    /// The token of the delivery that works on it.
    pub delivery: Option<String>,
    /// Deliveries without progress, where that is the reason.
    pub stalled: Option<u32>,
}

/// Whether a lane was ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LaneEnded {
    /// By this write, or by an earlier try of it.
    Now,
    /// By somebody else before.
    Already,
    /// It has moved since it was seen.
    TakenOver,
}

/// A lane's part of a run that is not finished.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkEntry {
    /// Which run.
    pub run: RunName,
    /// Its targets in the lane, where they were known when it was planned.
    pub targets: Option<u32>,
    /// When it was planned.
    pub since: Millis,
}

/// What has to be known before each target.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Look {
    /// The freeze, where it was asked for and there is one.
    pub freeze: Option<Freeze>,
    /// The change; absent: there is no record of it.
    pub change: Option<Glance>,
    /// The run's result of the target, where it was asked for and there is one.
    pub result: Option<Box<RecordedResult>>,
}

/// A change as a worker sees it between two targets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Glance {
    /// The newest run's key.
    pub key: RunKey,
    /// Where that run stands.
    pub status: RecordStatus,
    /// The order to end early.
    pub halt: Option<Halt>,
    /// Targets that failed for good or are blocked, where they are counted.
    pub failures: u32,
    /// How many of them are too many.
    pub stop_after: Option<u32>,
}

/// Whether an update was begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Started {
    /// The intent is stored, now or by an earlier try of the same write.
    Now,
    /// The target's item as it is, which says why not.
    Refused(Box<TargetRecord>),
}

/// Whether a result and the end of its intent were stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stored {
    /// Now, or by an earlier try of the same write.
    Now,
    /// The run is done with the target already, with this result.
    Done(Box<RecordedResult>),
    /// Somebody else has ended the intent: the target's item as it is.
    Lost(Box<TargetRecord>),
}

/// Whether a result without an intent was stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Noted {
    /// Now, or by an earlier try of the same write.
    Now,
    /// The run is done with the target already, with this result.
    Done(Box<RecordedResult>),
}

/// Whether a target that needed no update was confirmed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Confirmed {
    /// Now, or by an earlier try of the same write.
    Now,
    /// The run is done with the target already, with this result.
    Done(Box<RecordedResult>),
    /// The target's item as it is, which says why not.
    Refused(Box<TargetRecord>),
}

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// What is on it; perhaps less than was asked for.
    pub items: Vec<T>,
    /// Where the next one begins; absent: this is the last.
    pub next: Option<Position>,
}

/// A change that somebody has to come back to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwedChange {
    /// Its id.
    pub change_id: ChangeId,
    /// The run, where it is not the newest: it owes its event.
    pub run: Option<u32>,
    /// Whether its time has come.
    pub is_due: bool,
}

/// A drift that is to be announced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwedDrift {
    /// Its target.
    pub target: TargetName,
    /// Its id.
    pub id: String,
    /// Whether its time has come.
    pub is_due: bool,
}

/// An answer that a declared resource's generation owes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwedAnswer {
    /// The resource's stack.
    pub stack_id: String,
    /// Its name there.
    pub logical_id: String,
    /// The generation.
    pub generation: u32,
    /// Whether its time has come.
    pub is_due: bool,
}

/// What somebody has to come back to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Debts {
    /// Changes, and runs that were moved aside.
    pub changes: Vec<OwedChange>,
    /// Drifts.
    pub drifts: Vec<OwedDrift>,
    /// Answers.
    pub answers: Vec<OwedAnswer>,
}

/// Whether a generation was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// It was, now or by an earlier try of the same write.
    Now,
    /// The declaration, or the change that it overtakes, is another one by now, perhaps of this very request: this try wrote
    /// nothing.
    Moved,
    /// Somebody has a change of that id: nothing was written.
    IdTaken,
}
