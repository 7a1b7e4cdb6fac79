//! The end of the demo: a change that an HTTP request cannot wait for, in governed mode.
//!
//! It is recorded and queued, carried out by the worker, followed by GET, and undone the same way.

mod half;

use super::http::{Answer, Http};
use super::progress::Progress;
use super::{print, propagation};
use crate::palette::Palette;
use half::{Half, word};
use sandbox::connect::{Connect, Instance, Options, Rate, Scope};
use sandbox::function_url::FunctionUrl;
use sandbox::governed::{Governed, Options as Stack};
use sandbox::lambda::Launch;
use serde_json::{Value, json};
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

const INSTANCES: u32 = 24;
/// Ten times the default quota, with which each half would take 45 seconds.
const RATE: f64 = 20.0;
/// The worker has nearly the whole quota, the function that answers HTTP a quarter, as the template gives them.
const WORKER: (f64, u32) = (19.0, 3);
const API: (f64, u32) = (5.0, 2);
/// Too short for all targets at the pace of the function that answers HTTP, and long enough for the rest.
const TIMEOUT: Duration = Duration::from_secs(15);
/// How often the record is asked for.
const GLANCE: Duration = Duration::from_millis(250);
/// Much longer than either half takes.
const PATIENCE: Duration = Duration::from_mins(2);
const CHANGE: &str = "CHG-2045";

/// The results: of the change and of its undo.
#[derive(Debug)]
pub(super) struct Long {
    halves: Vec<Half>,
    /// Whether Amazon Connect holds at the end what it held at the beginning.
    restored: bool,
}

/// How many targets the change names.
fn targets() -> usize {
    INSTANCES as usize * Scope::ALL.len()
}

/// Sends the change, follows it, and undoes it; pages get lines and a bar.
pub(super) async fn play(
    launch: impl Fn(&str) -> io::Result<Launch>,
    palette: Option<Palette>,
) -> io::Result<Long> {
    let connect = Connect::start(Options {
        instances: (1..=INSTANCES).map(Instance::numbered).collect(),
        rate: Some(Rate { per_second: RATE, burst: 5, shared: false }),
        ..Options::default()
    })
    .await?;
    let before = held(&connect);
    let governed = Governed::start(launch(&connect.url())?, stack()).await?;
    let url = FunctionUrl::start(Arc::clone(governed.api()), 0).await?;
    let stage = Stage { http: Http::new(url.url()), connect: &connect, palette };
    stage.print(|palette| {
        format!(
            "{}\n  a change of every scope of {INSTANCES} instances by HTTP, in governed mode: recorded, carried\n  \
             out by a worker, and undone\n",
            palette.bold("── And one that takes its time")
        )
    })?;
    let change = json!({
        "instanceId": "*",
        "attachmentScope": "*",
        "maximumSize": "5 MB",
        "changeId": CHANGE,
        "reason": "smaller files for a while",
    });
    let mut halves = vec![stage.half("/policy-changes".to_owned(), change.to_string()).await?];
    if halves.iter().all(|half| half.problem().is_none()) {
        halves.push(stage.half(format!("/policy-changes/{CHANGE}/undo"), String::new()).await?);
    }
    let restored = held(&connect) == before;
    if restored && halves.len() == 2 {
        stage.print(|palette| {
            format!("  {} every target holds again what it held before\n\n", palette.good("✓"))
        })?;
    }
    Ok(Long { halves, restored })
}

/// The stack, with the pace of this Amazon Connect.
fn stack() -> Stack {
    let mut stack = Stack { sweep_every: None, ..Stack::default() };
    for (role, (rate, burst)) in [(&mut stack.worker, WORKER), (&mut stack.api, API)] {
        let paced = role.clone().env("CONNECT_REQUESTS_PER_SECOND", rate.to_string());
        *role = paced.env("CONNECT_BURST", burst.to_string());
    }
    stack.api.timeout = TIMEOUT;
    stack
}

/// What every scope of every instance allows.
fn held(connect: &Connect) -> Vec<(i64, Vec<String>)> {
    let instances = connect.instances();
    let scopes = instances.iter().flat_map(|instance| Scope::ALL.map(|scope| (instance, scope)));
    let configurations = scopes.filter_map(|(instance, scope)| connect.configuration(&instance.id, scope));
    configurations.map(|held| (held.maximum_size_limit_in_bytes, held.extensions)).collect()
}

/// What both halves use.
struct Stage<'stage> {
    http: Http,
    connect: &'stage Connect,
    palette: Option<Palette>,
}

impl Stage<'_> {
    fn print(&self, page: impl FnOnce(Palette) -> String) -> io::Result<()> {
        self.palette.map_or(Ok(()), |palette| print(&page(palette)))
    }

    /// Sends one request and follows its record to the end.
    async fn half(&self, path: String, body: String) -> io::Result<Half> {
        self.connect.clear_journal();
        let started = Instant::now();
        let Answer { status, location, body } = self.http.post(&path, body).await?;
        let mut half = Half {
            request: format!("POST {path}"),
            answered: (status, location.clone()),
            answered_after: started.elapsed(),
            status: word(&body),
            summary: Value::Null,
            ended_after: Duration::ZERO,
            updates: 0,
        };
        self.print(|palette| half.sent(palette))?;
        if let Some(location) = location {
            let record = self.follow(&location, started).await?;
            half.status = word(&record);
            half.summary = record.get("summary").cloned().unwrap_or_default();
        }
        half.ended_after = started.elapsed();
        half.updates = propagation::updated(&self.connect.journal());
        self.print(|palette| half.ended(palette))?;
        Ok(half)
    }

    /// Asks for a record until it is final.
    async fn follow(&self, location: &str, started: Instant) -> io::Result<Value> {
        let mut progress = Progress::of(targets());
        let mut glances = tokio::time::interval(GLANCE);
        loop {
            glances.tick().await;
            let record = self.http.get(location).await?.body;
            let status = word(&record);
            let is_final = !matches!(status.as_str(), "accepted" | "running");
            if self.palette.is_some() {
                progress.show(propagation::updated(&self.connect.journal()), &status)?;
            }
            if is_final || started.elapsed() > PATIENCE {
                self.print(|_| "\n".to_owned())?;
                return Ok(record);
            }
        }
    }
}

impl Long {
    /// The expected and the actual result, if they differ.
    pub(super) fn problem(&self) -> Option<String> {
        let first = self.halves.iter().find_map(Half::problem);
        first.or_else(|| {
            (!self.restored).then(|| "the undo: expected every target as before, but some differ".to_owned())
        })
    }

    /// The figures, for a program.
    pub(super) fn document(&self) -> String {
        let halves: Vec<Value> = self.halves.iter().map(Half::document).collect();
        let document = json!({
            "longChange": {"instances": INSTANCES, "targets": targets(), "requests": halves},
            "restored": self.restored,
            "asExpected": self.problem().is_none(),
        });
        format!("{document}\n")
    }
}

#[cfg(test)]
mod tests {
    use super::half::tests::half;
    use super::*;

    #[test]
    fn the_change_is_too_long_for_the_function_that_answers_http() {
        let above = u32::try_from(targets()).unwrap() - API.1;
        assert!(Duration::from_secs_f64(f64::from(above) / API.0) > TIMEOUT);
    }

    #[test]
    fn values_that_were_not_put_back_are_a_problem() {
        let halves = || vec![half(202, Some("/policy-changes/CHG-2045"), "succeeded", 96)];
        assert_eq!(Long { halves: halves(), restored: true }.problem(), None);
        assert_eq!(
            Long { halves: halves(), restored: false }.problem().as_deref(),
            Some("the undo: expected every target as before, but some differ")
        );
    }
}
