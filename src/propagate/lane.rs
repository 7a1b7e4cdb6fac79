//! One account and Region: reads and updates side by side, each one after the other.

mod drift;
mod fence;
mod look;
mod update;

use super::governed::unavailable;
use super::{Propagation, Work};
use crate::audit::AuditedChange;
use crate::connect::{Call, LaneClient};
use look::{Looked, PATIENCE, Read};
use policy_core::calls::CallCost;
use policy_core::declare::DeclaredBy;
use policy_core::failure::{ErrorCode, Failure};
use policy_core::policy::{Configuration, Instance, Scope, Values};
use policy_core::record::{Own, TargetName, TargetRecord};
use policy_core::report::{CallTrace, Outcome, OutcomeKind, TargetResult};
use std::borrow::Cow;
use tokio::sync::mpsc;
use tokio::time::Instant;

/// How many planned updates may wait. Reads further ahead would only grow stale.
const AHEAD: usize = 4;
/// How many instances' items are read from the ledger at once: at most 100 targets, what one request takes.
const AT_ONCE: usize = 25;

/// The targets of one change in one lane.
pub(super) struct LanePropagation<'a> {
    pub(super) propagation: &'a Propagation<'a>,
    pub(super) audited: AuditedChange<'a>,
    pub(super) lane: &'a LaneClient,
}

/// A target on its way.
#[derive(Debug, Clone)]
struct InHand<'a> {
    slot: usize,
    instance: &'a Instance,
    scope: Scope,
    /// What a recorded change asks of this target alone.
    own: Option<&'a Own>,
    /// Its item in the ledger; absent without a ledger.
    record: Option<Box<TargetRecord>>,
    /// The declared resource that owns it, where the change is made by other means.
    declared_by: Option<DeclaredBy>,
    /// Whether an undo or a restore leaves it, because it should hold something else since.
    changed_since: bool,
    trace: CallTrace,
}

/// An update that is due.
struct Due<'a> {
    target: InHand<'a>,
    before: Configuration,
    values: Cow<'a, Values>,
}

/// A slot and its result.
type Ended = (usize, TargetResult);

impl<'a> LanePropagation<'a> {
    /// One result for each slot.
    pub(super) async fn run(&self, work: &'a [Work<'a>]) -> Vec<Ended> {
        let (due, updates) = mpsc::channel(AHEAD);
        let (mut done, rest) = tokio::join!(self.read_all(work, due), self.update_all(updates));
        done.extend(rest);
        done
    }

    async fn read_all(&self, work: &'a [Work<'a>], due: mpsc::Sender<Due<'a>>) -> Vec<Ended> {
        let mut done = Vec::new();
        let mut busy = Vec::new();
        for some in work.chunks(AT_ONCE) {
            let targets = match self.in_hand(some).await {
                Ok(targets) => targets,
                Err(error) => {
                    for target in some.iter().flat_map(InHand::all) {
                        let outcome = Outcome::not_reached(unavailable(&error));
                        done.push(self.recorded(target, outcome));
                    }
                    continue;
                }
            };
            for targets in targets {
                let read = self.read(&targets).await;
                for target in targets {
                    match self.look(target, read.as_ref()).await {
                        Looked::Due(update) => done.extend(self.pass_on(*update, &due).await),
                        Looked::Ended(slot, result) => done.push((slot, *result)),
                        Looked::Busy(target) => busy.push(target),
                    }
                }
            }
        }
        // nobody waits for a busy target before every other one is done
        let until = Instant::now() + PATIENCE;
        for target in busy {
            match Box::pin(self.look_patiently(*target, until)).await {
                Looked::Due(update) => done.extend(self.pass_on(*update, &due).await),
                Looked::Ended(slot, result) => done.push((slot, *result)),
                Looked::Busy(target) => done.push(self.busy(*target)),
            }
        }
        done
    }

    /// The targets of each instance, with their items where there is a ledger.
    async fn in_hand(
        &self,
        some: &'a [Work<'a>],
    ) -> Result<Vec<Vec<InHand<'a>>>, crate::ledger::LedgerError> {
        let mut all: Vec<Vec<InHand<'a>>> = some.iter().map(|work| InHand::all(work).collect()).collect();
        if let Some(governed) = self.propagation.governed {
            let names: Vec<TargetName> = all.iter().flatten().map(InHand::name).collect();
            let records = governed.ledger.targets(&names).await?;
            for (target, record) in all.iter_mut().flatten().zip(records) {
                target.declared_by = governed.foreign_owner(&record);
                let values = target.own.map_or(&self.audited.change.values, |own| &own.values);
                target.changed_since = !governed.may_undo(&record) || !governed.may_restore(&record, values);
                // what others do to a target is no matter of a dry run, which sends nothing
                target.record = (!self.audited.change.dry_run).then(|| Box::new(record));
            }
        }
        Ok(all)
    }

    /// One List for several scopes of an instance, one Describe for one; nothing where no target needs it.
    async fn read(&self, targets: &[InHand<'a>]) -> Option<Read> {
        let instance = targets.first()?.instance;
        if !targets.iter().any(|target| self.is_read(target)) {
            return None;
        }
        if let [InHand { scope, .. }] = targets {
            return Some(Read::One(self.describe(instance, *scope).await));
        }
        let listed = self.lane.list(&instance.id, self.call()).await;
        Some(Read::All(listed.map(|listed| listed.configurations)))
    }

    async fn update_all(&self, mut due: mpsc::Receiver<Due<'a>>) -> Vec<Ended> {
        let mut done = Vec::new();
        while let Some(due) = due.recv().await {
            done.push(self.update_in_time(due).await);
        }
        done
    }

    async fn update_in_time(&self, due: Due<'a>) -> Ended {
        let until = self.propagation.deadline.last_update();
        if let Ok(permit) = self.lane.update_permit(until).await {
            return self.update(due, permit).await;
        }
        let why = Failure::new(ErrorCode::NoTimeLeft);
        self.recorded(due.target, Outcome::Pending { before: Some(due.before), why })
    }

    /// Leaves the update to the other side of the channel. Where failures are counted it comes first: the next target is
    /// not looked at before it is known whether this one failed.
    async fn pass_on(&self, update: Due<'a>, due: &mpsc::Sender<Due<'a>>) -> Option<Ended> {
        if self.propagation.governed.is_some_and(|governed| governed.counts_failures) {
            return Some(Box::pin(self.update_in_time(update)).await);
        }
        // the receiver lives as long as this lane
        drop(due.send(update).await);
        None
    }

    fn call(&self) -> Call<'a> {
        self.propagation.call()
    }

    /// The target's end, with its line in the audit.
    fn recorded(&self, target: InHand<'a>, outcome: Outcome) -> Ended {
        let slot = target.slot;
        (slot, self.propagation.recorded(self.audited, target.result(outcome)))
    }
}

impl<'a> InHand<'a> {
    /// Each target of an instance.
    fn all(work: &'a Work<'a>) -> impl Iterator<Item = Self> {
        work.slots.iter().map(|slot| Self {
            slot: slot.index,
            instance: work.instance,
            scope: slot.scope,
            own: slot.own,
            record: None,
            declared_by: None,
            changed_since: false,
            trace: CallTrace::default(),
        })
    }

    fn name(&self) -> TargetName {
        TargetName::of(self.instance, self.scope)
    }

    fn result(self, outcome: Outcome) -> TargetResult {
        let Self { instance, scope, trace, declared_by, .. } = self;
        let is_set =
            matches!(outcome.kind(), OutcomeKind::Applied | OutcomeKind::Planned | OutcomeKind::Unknown);
        let declared_by = declared_by.filter(|_| is_set);
        TargetResult { instance: Some(instance.clone()), place: None, scope, outcome, trace, declared_by }
    }

    fn updated(&mut self, cost: CallCost, request_id: Option<&String>) {
        self.trace.update_attempts = cost.attempts;
        self.trace.cost = self.trace.cost.and(cost);
        self.trace.request_id = request_id.cloned();
    }
}
