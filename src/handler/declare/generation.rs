//! What a new generation of a declared resource becomes: a change, or an answer at once.

use super::super::admission::plan_ref;
use super::super::{Handler, InvocationContext};
use super::deletion::work_of_delete;
use crate::ledger::{Ledger, LedgerError};
use crate::propagate::Tokens;
use policy_core::declare::{Answer, Kept, Leaver, Owed, Reason, Request, RequestType, verdict};
use policy_core::origin::{Origin, TriggerKind};
use policy_core::policy::{ChangeId, Declaration, Instances, OnDelete, PolicyChange, Rejected};
use policy_core::record::{
    ChangeRecord, Declared, Freeze, Halt, Halted, InLane, LaneName, MAX_PLAN, Millis, Order, Plan,
    RecordedOrigin, RunName, Task, in_lane, lanes_of,
};
use std::collections::BTreeSet;
use std::time::Duration;

/// A generation before it is taken.
pub(super) struct Drafted {
    pub(super) kept: Kept,
    pub(super) answer: Owed,
    /// The change that carries it out; absent: it is answered at once.
    pub(super) record: Option<ChangeRecord>,
    pub(super) plan: Option<Plan>,
    /// The plan's text.
    pub(super) text: String,
    pub(super) overtakes: Option<(RunName, Halt)>,
    pub(super) origin: Origin,
    pub(super) refused: Option<String>,
}

impl Drafted {
    /// The same generation, answered at once instead.
    pub(super) fn refused(mut self, why: String) -> Self {
        self.answer.body = Some(verdict::refused(&why).body(&self.answer.to));
        (self.answer.change, self.kept.change) = (None, None);
        Self { record: None, plan: None, refused: Some(why), ..self }
    }
}

/// What is to be done for a request.
pub(super) enum Work {
    /// This.
    Plan(Box<Plan>, OnDelete),
    /// Nothing has to be set: the ledger alone is written.
    Release,
    /// It is answered.
    Refused(Box<Answer>),
}

pub(super) fn refused(why: impl std::fmt::Display) -> Work {
    Work::Refused(Box::new(verdict::refused(why)))
}

impl Handler {
    pub(super) async fn draft_generation(
        &self,
        context: &InvocationContext,
        ledger: &Ledger,
        request: &Request<'_>,
        old: Option<&Kept>,
        (generation, last_success): (u32, Option<u32>),
    ) -> Result<Drafted, LedgerError> {
        let now = self.now();
        let change_id = request.change_id(generation);
        let unfinished = match old.and_then(|old| old.change.as_ref()) {
            Some(id) => ledger.change(id, now).await?.filter(|change| !change.status.is_final()),
            None => None,
        };
        let frozen = ledger.frozen().await?;
        let work = match (request.kind, old) {
            (RequestType::Delete, Some(old)) => {
                let leaver = Leaver {
                    stack_id: &old.stack_id,
                    logical_id: &old.logical_id,
                    on_delete: request.on_delete(),
                    last_success,
                };
                work_of_delete(ledger, &leaver, &old.lanes, unfinished.is_some(), frozen.as_ref()).await?
            }
            _ => self.work_of_properties(context, ledger, request, old, &change_id, frozen.as_ref()).await?,
        };
        let seconds = request.seconds().unwrap_or_default();
        let deadline = now.plus(Duration::from_secs(seconds.into()));
        let origin = Origin {
            kind: TriggerKind::Cloudformation,
            request_id: Some(request.request_id.clone()),
            ..Origin::invoker(&context.invocation)
        };
        // in the order of changes after the older one, whatever clock wrote that
        let accepted = old.map_or(now, |old| now.max(Millis(old.accepted.0.saturating_add(1))));
        let mut lanes = old.map_or_else(BTreeSet::new, |old| old.lanes.clone());
        let mut on_delete = old.map_or(OnDelete::Retain, |old| old.on_delete);
        let (mut plan, mut body, mut why) = (None, None, None);
        match work {
            Work::Plan(planned, wanted) => {
                lanes.extend(planned.lanes.iter().cloned());
                on_delete = wanted;
                plan = Some(*planned);
            }
            Work::Release => on_delete = OnDelete::Retain,
            Work::Refused(answer) => {
                body = Some(answer.body(&request.addressee()));
                why = Some(answer.reason.text().to_owned());
            }
        }
        let declared = Declared {
            stack_id: request.stack_id.clone(),
            logical_id: request.logical_id.clone(),
            generation,
            kind: request.kind,
            on_delete,
            last_success,
            left: 0,
        };
        // a plan has a form as JSON: a declaration has no time
        let text = plan.as_ref().and_then(|plan| plan.encode().ok()).unwrap_or_default();
        let tokens = Tokens::new(&context.invocation.request_id, now);
        let record = plan.as_ref().map(|plan| {
            let place = Order { accepted, change_id: change_id.clone() };
            draft(plan, &text, declared, &origin, (tokens.next(), now, place))
        });
        let change = record.as_ref().map(|record| record.change_id.clone());
        let known = Kept::known_after(old, generation, &request.request_id);
        // one that is halted already ends by itself
        let overtakes = unfinished.filter(|older| older.halt.is_none()).map(|older| {
            let halt = Halt {
                as_what: Halted::Superseded,
                at: now,
                who: RecordedOrigin::of(&origin).who,
                reason: Some(format!("generation {generation} of the declaration came")),
            };
            (older.run_name(), halt)
        });
        Ok(Drafted {
            kept: Kept {
                stack_id: request.stack_id.clone(),
                logical_id: request.logical_id.clone(),
                known,
                kind: request.kind,
                accepted,
                on_delete,
                lanes,
                good: old.and_then(|old| old.good.clone()),
                change: change.clone(),
            },
            answer: Owed {
                to: request.addressee(),
                generation,
                kind: request.kind,
                url: Some(request.response_url.secret().to_owned()),
                deadline,
                change,
                body,
                is_lost: false,
            },
            record,
            plan,
            text,
            overtakes,
            origin,
            refused: why,
        })
    }

    /// Of a Create or an Update.
    async fn work_of_properties(
        &self,
        context: &InvocationContext,
        ledger: &Ledger,
        request: &Request<'_>,
        old: Option<&Kept>,
        change_id: &ChangeId,
        frozen: Option<&Freeze>,
    ) -> Result<Work, LedgerError> {
        let seconds = match request.seconds() {
            Ok(seconds) => seconds,
            Err(short) => return Ok(refused(short)),
        };
        let parsed = Declaration::parse(request.properties.get(), change_id, &context.rules);
        let Declaration { change, on_delete } = match parsed {
            Ok(declaration) => declaration,
            Err(Rejected::NotJson(message)) => return Ok(refused(message)),
            Err(Rejected::Violations { violations, .. }) => {
                let reason = Reason::of_violations(&violations);
                let answer = Answer { reason, ..verdict::refused("") };
                return Ok(Work::Refused(Box::new(answer)));
            }
        };
        if frozen.is_some() {
            return Ok(refused("Changes are frozen; GET /freeze says by whom and why"));
        }
        let mut lanes: BTreeSet<LaneName> = lanes_of(std::slice::from_ref(&change)).into_iter().collect();
        let estimate = self.longest(ledger, &change, &lanes).await?;
        // what it may leave is in the lanes of older generations
        lanes.extend(old.into_iter().flat_map(|old| old.lanes.iter().cloned()));
        let task = Task::Document(vec![change]);
        let good = old.and_then(|old| old.good.as_ref());
        let is_back = good.is_some_and(|(_, hash)| *hash == task.hash());
        if !is_back && estimate > u64::from(seconds) {
            return Ok(refused(format!(
                "The change would take about {estimate} s, and `ServiceTimeout` leaves {seconds} s for it"
            )));
        }
        let plan = Plan {
            task,
            lanes: lanes.into_iter().collect(),
            is_batch: false,
            stop_after: None,
            restores: false,
        };
        let size = plan.encode().map_or(0, |text| text.len());
        if size > MAX_PLAN {
            return Ok(refused(format!("The properties have {size} bytes in normal form, above {MAX_PLAN}")));
        }
        Ok(Work::Plan(Box::new(plan), on_delete))
    }

    /// How many seconds the slowest lane needs, with the work that it has already, if every target has to be updated. What
    /// `*` means is not known here: it counts as the instances that the ledger knows of the lane, and with tags as one.
    async fn longest(
        &self,
        ledger: &Ledger,
        change: &PolicyChange,
        lanes: &BTreeSet<LaneName>,
    ) -> Result<u64, LedgerError> {
        let mut longest = 0;
        for lane in lanes {
            let instances = match in_lane(change, lane) {
                InLane::Named(named) => named.len(),
                InLane::Star { tags } if tags.is_empty() => {
                    let fleet = ledger.fleet(Some(lane)).await?;
                    let known: BTreeSet<_> = fleet.targets.iter().map(|(name, _)| &name.instance).collect();
                    known.len().max(1)
                }
                InLane::Star { .. } => 1,
            };
            let waiting = ledger.work(lane).await?;
            let waiting = waiting.iter().map(|entry| entry.targets.unwrap_or(1)).sum::<u32>();
            let waiting = usize::try_from(waiting).unwrap_or(usize::MAX);
            let targets = waiting.saturating_add(instances * change.scopes.len());
            longest = longest.max(self.settings.connect.seconds_for(targets));
        }
        Ok(longest)
    }
}

fn draft(
    plan: &Plan,
    text: &str,
    declared: Declared,
    origin: &Origin,
    (token, now, order): (String, Millis, Order),
) -> ChangeRecord {
    let change = match &plan.task {
        Task::Document(changes) => changes.first(),
        Task::Undo { .. } | Task::Apply { .. } | Task::Leave => None,
    };
    let named = change.map_or(0, |change| match &change.instances {
        Instances::Named(named) => named.len() * change.scopes.len(),
        Instances::All { .. } => 0,
    });
    let origin = RecordedOrigin::of(origin);
    ChangeRecord {
        reason: change.and_then(|change| change.reason.clone()),
        requested_by: change.and_then(|change| change.requested_by.clone()),
        lanes: u32::try_from(plan.lanes.len()).unwrap_or(u32::MAX),
        targets: u32::try_from(named).unwrap_or(u32::MAX),
        declared: Some(declared),
        ..ChangeRecord::accepted(order, (token, plan.task.hash()), origin, plan_ref(text), now)
    }
}
