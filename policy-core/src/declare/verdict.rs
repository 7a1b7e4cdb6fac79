//! How a generation ended, by how its change ended.

use super::answer::{Answer, Attributes, Reason, Verdict};
use super::request::RequestType;
use crate::record::{ChangeRecord, Declared, Halted, RecordStatus, RecordedResult};
use crate::report::OutcomeKind;

/// How many targets that are not as declared are named.
const NAMED: usize = 20;

/// Of a generation that was given up: its deadline came first.
pub fn late() -> Answer {
    failed("The resource's time was not enough; targets that were not begun stay as they are", None)
}

/// Of a generation that needed no change.
pub fn without_work() -> Answer {
    let reason = Reason::of("Nothing had to be changed");
    Answer { verdict: Verdict::Success, reason, attributes: None }
}

/// Of a generation that was refused before anything was done.
pub fn refused(why: impl std::fmt::Display) -> Answer {
    failed(why, None)
}

/// Of one whose change has ended. `results`: some of those that are not as asked.
pub fn ended(change: &ChangeRecord, declared: &Declared, results: &[RecordedResult]) -> Answer {
    let counts = &change.counts;
    let count = |kind| u64::from(counts.count(kind));
    let attributes = Attributes {
        change_id: change.change_id.clone(),
        targets: counts.total().into(),
        applied: count(OutcomeKind::Applied),
        unchanged: count(OutcomeKind::Unchanged),
    };
    if change.halt.as_ref().is_some_and(|halt| halt.as_what == Halted::Superseded) {
        return failed("A newer request of this resource came first", Some(attributes));
    }
    if change.status == RecordStatus::Cancelled {
        return failed("The change was cancelled", Some(attributes));
    }
    let is_open = change.status == RecordStatus::Incomplete || counts.not_yet() > 0;
    let succeeded = match declared.kind {
        RequestType::Delete => !is_open,
        RequestType::Create | RequestType::Update => change.status == RecordStatus::Succeeded,
    };
    let why = "not hold what was declared, or cannot be set back";
    let left = match declared.left {
        0 => String::new(),
        1 => format!("; 1 target was left as it is, because it does {why}"),
        left => format!("; {left} targets were left as they are, because they do {why}"),
    };
    let text = summary(change) + &left;
    let verdict = if succeeded { Verdict::Success } else { Verdict::Failed };
    let reason = Reason::with_particulars(text, results.iter().take(NAMED).map(named).collect());
    Answer { verdict, reason, attributes: Some(attributes) }
}

fn failed(why: impl std::fmt::Display, attributes: Option<Attributes>) -> Answer {
    Answer { verdict: Verdict::Failed, reason: Reason::of(why), attributes }
}

/// `4 targets: 3 applied, 1 blocked`.
fn summary(change: &ChangeRecord) -> String {
    let of = |(kind, count): (&OutcomeKind, &u32)| format!("{count} {}", kind.name());
    let counted: Vec<_> = change.counts.outcomes.iter().map(of).collect();
    let total = change.counts.total();
    match (counted.is_empty(), total) {
        (true, _) => "No target had to be changed".to_owned(),
        (false, 1) => format!("1 target: {}", counted.join(", ")),
        (false, _) => format!("{total} targets: {}", counted.join(", ")),
    }
}

fn named(result: &RecordedResult) -> String {
    let target = &result.target;
    let why = result.error.as_ref().map(|error| format!(", {}: {}", error.code, error.message));
    format!("{} of {} {}{}", target.scope, target.instance, result.outcome.name(), why.unwrap_or_default())
}
