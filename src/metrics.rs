//! One line of metrics per invocation, in CloudWatch Embedded Metric Format.
//!
//! Written here and not with `metrique`, because the shape is fixed and nothing has to start up. The format is AWS's
//! "Specification: Embedded metric format"; conformance/ validates against its schema.

use crate::telemetry::{LogLevel, LogPipe};
use policy_core::calls::CallTotals;
use policy_core::origin::{Invocation, TriggerKind};
use policy_core::report::{OutcomeKind, Report, Status, TargetResult};
use serde::Serialize;
use serde::ser::SerializeMap;
use std::collections::BTreeMap;
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

/// What one invocation did, summed over its changes.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Tally {
    outcomes: BTreeMap<OutcomeKind, u64>,
    rejected: u64,
    accepted: u64,
    parked_lanes: u64,
    unfinished: Option<Unfinished>,
}

/// What a sweep found unfinished.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Unfinished {
    runs: u64,
    overdue: u64,
    oldest: Duration,
}

impl Unfinished {
    /// Adds a run of that age.
    pub fn add(&mut self, age: Duration, is_overdue: bool) {
        self.runs += 1;
        self.overdue += u64::from(is_overdue);
        self.oldest = self.oldest.max(age);
    }
}

impl Tally {
    /// Adds the results of one document.
    pub fn add(&mut self, report: &Report) {
        match report.status() {
            Status::Rejected => self.rejected += 1,
            Status::Accepted => self.accepted += 1,
            _ => {}
        }
        self.add_results(report.results());
    }

    /// Adds targets that ended.
    pub fn add_results<'r>(&mut self, results: impl IntoIterator<Item = &'r TargetResult>) {
        for result in results {
            *self.outcomes.entry(result.outcome.kind()).or_default() += 1;
        }
    }

    /// Adds a lane that ended without its targets being done.
    pub fn add_parked_lane(&mut self) {
        self.parked_lanes += 1;
    }

    /// Sets what a sweep found.
    pub fn set_unfinished(&mut self, unfinished: Unfinished) {
        self.unfinished = Some(unfinished);
    }

    /// Adds a payload that was refused before there was a document.
    pub fn add_refusal(&mut self) {
        self.rejected += 1;
    }

    /// How many targets ended like this.
    pub fn count(&self, kind: OutcomeKind) -> u64 {
        self.outcomes.get(&kind).copied().unwrap_or_default()
    }

    /// How many changes were refused.
    pub fn rejected(&self) -> u64 {
        self.rejected
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
        trigger: Option<TriggerKind>,
        invocation: &Invocation,
        took: Duration,
    ) -> io::Result<()> {
        let cold = !self.started.swap(true, Ordering::Relaxed);
        let count = |(name, value): (&'static str, u64)| (name, "Count", Value::One(value));
        let outcomes = OutcomeKind::ALL.iter().map(|kind| (metric_of(*kind), tally.count(*kind)));
        let others = [
            ("RejectedChanges", tally.rejected),
            ("AcceptedChanges", tally.accepted),
            ("UpdateAttempts", calls.update_attempts.into()),
            ("ThrottledCalls", calls.all.throttled.into()),
            ("ColdStarts", u64::from(cold)),
        ];
        let mut metrics: Vec<Metric> = outcomes.chain(others).map(count).collect();
        if let Some(unfinished) = tally.unfinished {
            metrics.push(count(("UnfinishedRuns", unfinished.runs)));
            metrics.push(count(("RunsOverdue", unfinished.overdue)));
            metrics.push(("OldestRun", "Seconds", Value::One(unfinished.oldest.as_secs())));
        }
        if tally.parked_lanes > 0 {
            metrics.push(count(("LanesParked", tally.parked_lanes)));
        }
        metrics.push(("InvocationDuration", "Milliseconds", Value::One(millis(took))));
        metrics.push(("QuotaWait", "Milliseconds", Value::One(millis(calls.all.waited))));
        if !calls.updates.is_empty() {
            let latencies = calls.updates.iter().take(MAX_VALUES).copied().map(millis);
            metrics.push(("ConnectLatency", "Milliseconds", Value::Many(latencies.collect())));
        }
        let line = Line {
            now: OffsetDateTime::now_utc(),
            level: self.level,
            function_name: &self.function_name,
            trigger: trigger.map_or("none", TriggerKind::name),
            invocation,
            metrics,
        };
        self.pipe.write_json(&line)
    }
}

impl Serialize for Line<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let define = |(name, unit, _): &Metric| Definition { name, unit };
        let header = Header {
            timestamp: self.now.unix_timestamp_nanos() / 1_000_000,
            cloud_watch_metrics: [Directive {
                namespace: NAMESPACE,
                dimensions: &[&["FunctionName"]],
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
