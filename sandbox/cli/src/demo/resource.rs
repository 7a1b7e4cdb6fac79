//! A request of CloudFormation: sent to a new stack of functions in which its resource is what the request presupposes.

use super::payload::Payload;
use super::scene::{Scene, configurations};
use sandbox::callback::Callback;
use sandbox::connect::Connect;
use sandbox::custom_resource::ResourceRequest;
use sandbox::governed::{Governed, Options};
use sandbox::lambda::{Answer, Function, Invoke, Launch};
use serde_json::Value;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Much longer than the few targets of a file take.
const PATIENCE: Duration = Duration::from_mins(1);
/// How often the bucket is looked at.
const GLANCE: Duration = Duration::from_millis(10);

/// Sends the request, waits for the answer, and for the end of what was written.
pub(super) async fn play(payload: &Payload, launch: Launch, connect: &Connect) -> io::Result<Scene> {
    let options = Options { sweep_every: None, ..Options::default() };
    let stack =
        Stack { governed: Governed::start(launch, options).await?, bucket: Callback::start(0).await? };
    let request = ResourceRequest::parse(&payload.bytes)?;
    if let Some(create) = request.presupposed() {
        stack.answer(&create).await?;
        stack.governed.forget();
        connect.clear_journal();
    }
    let before = configurations(connect);
    let started = Instant::now();
    let answer = stack.answer(&request).await?;
    let outcome = (answer, started.elapsed());
    let processes: Vec<Arc<Function>> = [stack.governed.declare(), stack.governed.workers().fleet()]
        .iter()
        .flat_map(|fleet| fleet.functions())
        .collect();
    for process in &processes {
        // Afterwards its output is complete.
        process.kill().await;
    }
    let processes: Vec<&Function> = processes.iter().map(Arc::as_ref).collect();
    Ok(Scene::of(payload, outcome, connect, before, &processes))
}

struct Stack {
    governed: Governed,
    bucket: Callback,
}

impl Stack {
    /// What CloudFormation gets: an answer at the URL, unless the function itself ended otherwise.
    async fn answer(&self, request: &ResourceRequest) -> io::Result<Answer> {
        let payload = request.answered_at(&self.bucket);
        let invoked = self.governed.declare().invoke(payload.as_bytes(), Invoke::default()).await?;
        let Answer::Response(reply) = &invoked.outcome else { return Ok(invoked.outcome) };
        let reply: Value = serde_json::from_slice(reply)?;
        let waited = async {
            if reply.get("changeId").is_some_and(Value::is_string) {
                // The worker answers before its invocation ends.
                self.governed.workers().until(|lanes| lanes.iter().any(|lane| lane.answer.is_some())).await;
            }
            loop {
                if let Some(body) = request.answer(&self.bucket) {
                    return Answer::Response(body.into_bytes());
                }
                tokio::time::sleep(GLANCE).await;
            }
        };
        Ok(tokio::time::timeout(PATIENCE, waited).await.unwrap_or(Answer::TimedOut))
    }
}
