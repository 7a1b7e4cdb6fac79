//! Towards the end of the demo: one event for every scope of forty instances, at the quota's full speed.

use super::audit::is_audit;
use super::print;
use super::progress::Progress;
use crate::palette::Palette;
use sandbox::connect::{Connect, Entry, Instance, Operation, Options, Rate, Scope};
use sandbox::lambda::{Answer, Function, Launch};
use serde_json::json;
use serde_json::value::RawValue;
use std::io;
use std::time::{Duration, Instant};

const INSTANCES: u32 = 40;
/// Ten times the default quota, with which it would take a minute and a half.
const RATE: f64 = 20.0;
const BURST: u32 = 5;

/// The results.
#[derive(Debug)]
pub(super) struct Propagation {
    updates: usize,
    throttled: usize,
    calls: usize,
    audit: Vec<String>,
    took: Duration,
    /// The expected and the actual result, if they differ.
    pub(super) problem: Option<String>,
}

/// How many targets the event names.
fn targets() -> usize {
    INSTANCES as usize * Scope::ALL.len()
}

/// The least time that the quota allows: all targets but the burst, at the rate.
fn bound() -> Duration {
    let above = u32::try_from(targets()).unwrap_or(u32::MAX).saturating_sub(BURST);
    Duration::from_secs_f64(f64::from(above) / RATE)
}

/// Sends the event and watches Amazon Connect; pages get a progress line.
pub(super) async fn play(
    launch: impl Fn(&str) -> io::Result<Launch>,
    palette: Option<Palette>,
) -> io::Result<Propagation> {
    let connect = Connect::start(Options {
        instances: (1..=INSTANCES).map(Instance::numbered).collect(),
        rate: Some(Rate { per_second: RATE, burst: BURST, shared: false }),
        ..Options::default()
    })
    .await?;
    let mut launch = launch(&connect.url())?;
    launch = launch.env("CONNECT_REQUESTS_PER_SECOND", RATE.to_string());
    launch = launch.env("CONNECT_BURST", BURST.to_string());
    let function = Function::start(launch).await?;
    if let Some(palette) = palette {
        print(&heading(palette))?;
    }
    let started = Instant::now();
    let payload = event();
    let invocation = function.invoke(payload.as_bytes());
    tokio::pin!(invocation);
    let mut glance = tokio::time::interval(Duration::from_millis(100));
    let mut progress = Progress::of(targets());
    let invocation = loop {
        tokio::select! {
            invocation = &mut invocation => break invocation,
            _ = glance.tick(), if palette.is_some() => progress.show(updated(&connect.journal()), "")?,
        }
    };
    let took = started.elapsed();
    if palette.is_some() {
        progress.show(updated(&connect.journal()), "")?;
        print("\n")?;
    }
    function.kill().await;
    let journal = connect.journal();
    let audit = function.output().into_iter().filter(|line| is_audit(line)).collect();
    let updates = updated(&journal);
    let throttled = journal.iter().filter(|entry| entry.status == Some(429)).count();
    Ok(Propagation {
        problem: problem(&invocation.outcome, updates),
        updates,
        throttled,
        calls: journal.len(),
        audit,
        took,
    })
}

impl Propagation {
    /// The figures, for a person.
    pub(super) fn page(&self, palette: Palette) -> String {
        let mark = if self.problem.is_none() { palette.good("✓") } else { palette.bad("✗") };
        format!(
            "  {mark} {} targets in {:.2} s; the quota's bound, ({} − {BURST}) / {RATE}, is {:.2} s\n    \
             {} calls, {} of them throttled, {} audit lines\n\n",
            self.updates,
            self.took.as_secs_f64(),
            targets(),
            bound().as_secs_f64(),
            self.calls,
            self.throttled,
            self.audit.len(),
        )
    }

    /// The figures, for a program.
    pub(super) fn document(&self) -> String {
        let audit: Vec<Box<RawValue>> =
            self.audit.iter().filter_map(|line| RawValue::from_string(line.clone()).ok()).collect();
        let document = json!({
            "propagation": {
                "instances": INSTANCES,
                "targets": targets(),
                "updates": self.updates,
                "calls": self.calls,
                "throttled": self.throttled,
                "seconds": self.took.as_secs_f64(),
                "boundSeconds": bound().as_secs_f64(),
            },
            "asExpected": self.problem.is_none(),
            "audit": audit,
        });
        format!("{document}\n")
    }
}

fn heading(palette: Palette) -> String {
    format!(
        "{}\n  one EventBridge event for every scope of {INSTANCES} instances, at {RATE} calls a second\n",
        palette.bold("── And at full speed")
    )
}

/// An event whose detail names every instance and scope.
fn event() -> String {
    let detail = json!({
        "instanceId": "*",
        "attachmentScope": "*",
        "maximumSize": "10 MB",
        "allowedExtensions": ["csv", "docx", "jpg", "pdf", "png", "txt", "xlsx"],
        "changeId": "CHG-2044",
        "reason": "one policy for all contact centres",
    });
    json!({
        "version": "0",
        "id": "6a7e8feb-b491-4cf7-a9f1-bf3703467718",
        "detail-type": "Attachment Policy Change Requested",
        "source": "com.example.policy",
        "account": "111122223333",
        "time": "2026-11-23T09:00:00Z",
        "region": "us-east-1",
        "resources": [],
        "detail": detail,
    })
    .to_string()
}

pub(super) fn updated(journal: &[Entry]) -> usize {
    let update = Some(Operation::UpdateAttachedFilesConfiguration);
    journal.iter().filter(|entry| entry.operation == update && entry.effect).count()
}

fn problem(answer: &Answer, updates: usize) -> Option<String> {
    let actual = match answer {
        Answer::Response(bytes) => {
            let report: serde_json::Value = serde_json::from_slice(bytes).unwrap_or_default();
            report.get("status").and_then(|status| status.as_str()).unwrap_or("no report").to_owned()
        }
        other => format!("{other:?}"),
    };
    let whole = actual == "succeeded" && updates == targets();
    (!whole).then(|| {
        format!(
            "the propagation: expected `succeeded` and {} updates, but got `{actual}` and {updates}",
            targets()
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bound_is_all_targets_but_the_burst_at_the_rate() {
        assert_eq!((targets(), bound()), (160, Duration::from_millis(7_750)));
    }

    #[test]
    fn a_propagation_that_left_out_a_target_is_a_problem() {
        let answer = Answer::Response(br#"{"status":"succeeded"}"#.to_vec());
        assert_eq!(problem(&answer, 160), None);
        assert_eq!(
            problem(&answer, 159).as_deref(),
            Some("the propagation: expected `succeeded` and 160 updates, but got `succeeded` and 159")
        );
    }
}
