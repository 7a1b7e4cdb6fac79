//! One line of metrics per invocation, in CloudWatch Embedded Metric Format.
//!
//! Written here and not with `metrique`, because the shape is fixed and nothing has to start up. The format is AWS's
//! "Specification: Embedded metric format"; conformance/ validates against its schema.

mod tally;

pub use tally::{Tally, Unfinished};

use crate::telemetry::{LogLevel, LogPipe};
use policy_core::calls::CallTotals;
use policy_core::origin::{Invocation, TriggerKind};
use policy_core::report::OutcomeKind;
use serde::Serialize;
use serde::ser::SerializeMap;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// The CloudWatch namespace.
pub const NAMESPACE: &str = "ConnectAttachmentPolicy";
/// EMF takes at most this many values of one metric in a line.
const MAX_VALUES: usize = 100;

/// The metric of each way a target can end.
const fn metric_of(kind: OutcomeKind) -> &'static str {
    match kind {
        OutcomeKind::Applied => "TargetsApplied",
        OutcomeKind::Unchanged => "TargetsUnchanged",
        OutcomeKind::Planned => "TargetsPlanned",
        OutcomeKind::Superseded => "TargetsSuperseded",
        OutcomeKind::Blocked => "TargetsBlocked",
        OutcomeKind::Failed => "TargetsFailed",
        OutcomeKind::Unknown => "TargetsUnknown",
        OutcomeKind::Pending => "TargetsPending",
        OutcomeKind::Skipped => "TargetsSkipped",
    }
}

/// Writes metric lines.
#[derive(Debug)]
pub struct Metrics {
    pipe: LogPipe,
    level: &'static str,
    function_name: String,
    started: AtomicBool,
}

/// A metric's name, unit and value.
type Metric = (&'static str, &'static str, Value);

#[derive(Serialize)]
#[serde(untagged)]
enum Value {
    One(u64),
    Many(Vec<u64>),
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Directive<'a> {
    namespace: &'static str,
    dimensions: &'a [&'a [&'a str]],
    metrics: Vec<Definition>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Definition {
    name: &'static str,
    unit: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Header<'a> {
    timestamp: i128,
    cloud_watch_metrics: [Directive<'a>; 1],
}

/// A whole line.
struct Line<'a> {
    now: OffsetDateTime,
    level: &'static str,
    function_name: &'a str,
    trigger: &'a str,
    invocation: &'a Invocation,
    /// Another dimension besides the function, and its value.
    dimension: Option<(&'static str, &'a str)>,
    metrics: Vec<Metric>,
}

impl Metrics {
    /// Metrics of this function, at a level that Lambda's filter lets through.
    pub fn new(pipe: LogPipe, level: LogLevel, function_name: String) -> Self {
        Self { pipe, level: level.of_audit(), function_name, started: AtomicBool::new(false) }
    }

    /// Writes one invocation's line.
    ///
    /// The function is the only dimension, so that the number of metrics does not grow with the instances. The trigger
    /// is a property, for searches.
    ///
    /// # Errors
    /// A full or closed pipe.
    pub fn write(
        &self,
        tally: &Tally,
        calls: &CallTotals,
        ledger_failures: Option<u64>,
        (trigger, invocation): (Option<TriggerKind>, &Invocation),
        took: Duration,
    ) -> io::Result<()> {
        let cold = !self.started.swap(true, Ordering::Relaxed);
        let outcomes = OutcomeKind::ALL.iter().map(|kind| (metric_of(*kind), tally.count(*kind)));
        let others = [
            ("RejectedChanges", tally.rejected()),
            ("AcceptedChanges", tally.accepted),
            ("UpdateAttempts", calls.update_attempts.into()),
            ("ThrottledCalls", calls.all.throttled.into()),
            ("ColdStarts", u64::from(cold)),
        ];
        let mut metrics: Vec<Metric> = outcomes.chain(others).map(count).collect();
        metrics.extend(ledger_failures.map(|failures| count(("LedgerFailures", failures))));
        if tally.parked_lanes > 0 {
            metrics.push(count(("LanesParked", tally.parked_lanes)));
        }
        if tally.drifted > 0 {
            metrics.push(count(("TargetsDrifted", tally.drifted)));
        }
        if tally.overdue_answers > 0 {
            metrics.push(count(("AnswersOverdue", tally.overdue_answers)));
        }
        if let Some(unfinished) = &tally.unfinished {
            metrics.push(count(("UnfinishedRuns", unfinished.runs)));
            metrics.push(count(("RunsOverdue", unfinished.overdue)));
            metrics.push(seconds("OldestRunAge", unfinished.oldest));
            metrics.push(seconds("LongestStall", unfinished.longest_stall));
            metrics.push(seconds("OldestEventAge", unfinished.oldest_event));
        }
        metrics.push(("InvocationDuration", "Milliseconds", Value::One(millis(took))));
        metrics.push(("QuotaWait", "Milliseconds", Value::One(millis(calls.all.waited))));
        if !calls.updates.is_empty() {
            let latencies = calls.updates.iter().take(MAX_VALUES).copied().map(millis);
            metrics.push(("ConnectLatency", "Milliseconds", Value::Many(latencies.collect())));
        }
        let write = |dimension: Option<(&'static str, &str)>, metrics| {
            self.pipe.write_json(&Line {
                now: OffsetDateTime::now_utc(),
                level: self.level,
                function_name: &self.function_name,
                trigger: trigger.map_or("none", TriggerKind::name),
                invocation,
                dimension,
                metrics,
            })
        };
        write(None, metrics)?;
        for (status, runs) in &tally.ended {
            let metrics = vec![count(("RunsEnded", *runs))];
            write(Some(("Status", status.name())), metrics)?;
        }
        for (lane, backlog) in tally.unfinished.iter().flat_map(|unfinished| &unfinished.lanes) {
            let metrics = vec![count(("LaneBacklog", backlog.targets)), seconds("LaneAge", backlog.age)];
            write(Some(("Lane", &lane.to_string())), metrics)?;
        }
        Ok(())
    }
}

const fn count((name, value): (&'static str, u64)) -> Metric {
    (name, "Count", Value::One(value))
}

const fn seconds(name: &'static str, duration: Duration) -> Metric {
    (name, "Seconds", Value::One(duration.as_secs()))
}

impl Serialize for Line<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let define = |(name, unit, _): &Metric| Definition { name, unit };
        let dimensions: Vec<&str> =
            ["FunctionName"].into_iter().chain(self.dimension.map(|(name, _)| name)).collect();
        let header = Header {
            timestamp: self.now.unix_timestamp_nanos() / 1_000_000,
            cloud_watch_metrics: [Directive {
                namespace: NAMESPACE,
                dimensions: &[&dimensions],
                metrics: self.metrics.iter().map(define).collect(),
            }],
        };
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("_aws", &header)?;
        let now = self.now.format(&Rfc3339).map_err(serde::ser::Error::custom)?;
        map.serialize_entry("timestamp", &now)?;
        map.serialize_entry("level", self.level)?;
        map.serialize_entry("logger", "metrics")?;
        map.serialize_entry("FunctionName", self.function_name)?;
        if let Some((name, value)) = self.dimension {
            map.serialize_entry(name, value)?;
        }
        map.serialize_entry("Trigger", self.trigger)?;
        map.serialize_entry("requestId", &self.invocation.request_id)?;
        if let Some(trace_id) = self.invocation.xray_id() {
            map.serialize_entry("xrayTraceId", trace_id)?;
        }
        for (name, _, value) in &self.metrics {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
