//! One payload, sent to a new function and a new Amazon Connect, and all its results.

use super::audit::is_audit;
use super::payload::Payload;
use super::resource;
use crate::difference::Difference;
use sandbox::connect::{Configuration, Connect, Entry, Options, Scope};
use sandbox::expectation::{Mismatch, Trigger};
use sandbox::lambda::{Answer, Function, Launch};
use std::io;
use std::time::Duration;

/// The results of one payload.
#[derive(Debug)]
pub(super) struct Scene {
    pub answer: Answer,
    pub mismatch: Option<Mismatch>,
    pub changes: Vec<Change>,
    /// The function's calls of Amazon Connect, in order.
    pub calls: Vec<Entry>,
    /// The function's log, without the audit.
    pub log: Vec<String>,
    /// The audit lines, as they were written.
    pub audit: Vec<String>,
    pub duration: Duration,
}

/// A scope of an instance whose configuration changed.
#[derive(Debug)]
pub(super) struct Change {
    pub instance_id: String,
    pub alias: String,
    pub scope: Scope,
    pub before: Configuration,
    pub after: Configuration,
    pub difference: Difference,
}

/// Sends a payload to a new function and a new Amazon Connect.
pub(super) async fn play(
    payload: &Payload,
    launch: impl Fn(&str) -> io::Result<Launch>,
) -> io::Result<Scene> {
    let connect = Connect::start(Options::default()).await?;
    let launch = launch(&connect.url())?;
    if payload.expectation.trigger == Trigger::Cloudformation {
        return resource::play(payload, launch, &connect).await;
    }
    let before = configurations(&connect);
    let function = Function::start(launch).await?;
    let invocation = function.invoke(&payload.bytes).await;
    // Afterwards its output is complete.
    function.kill().await;
    let outcome = (invocation.outcome, invocation.duration);
    Ok(Scene::of(payload, outcome, &connect, before, &[&function]))
}

impl Scene {
    /// The answer, what Amazon Connect was asked and holds since, and what these processes have written.
    pub(super) fn of(
        payload: &Payload,
        (answer, duration): (Answer, Duration),
        connect: &Connect,
        before: Vec<Held>,
        functions: &[&Function],
    ) -> Self {
        let lines = |function: &&Function| function.output().into_iter().chain(function.torn_output());
        let lines = functions.iter().flat_map(lines);
        let (audit, mut log): (Vec<String>, Vec<String>) = lines.partition(|line| is_audit(line));
        log.extend(
            functions
                .iter()
                .flat_map(|function| function.errors().lines().map(str::to_owned).collect::<Vec<_>>()),
        );
        let changes = before
            .into_iter()
            .filter_map(|(instance_id, alias, scope, before)| {
                let after = connect.configuration(&instance_id, scope)?;
                let difference = Difference::between(&before, &after)?;
                Some(Change { instance_id, alias, scope, before, after, difference })
            })
            .collect();
        Self {
            mismatch: payload.expectation.check(&answer).err(),
            answer,
            changes,
            calls: connect.journal(),
            log,
            audit,
            duration,
        }
    }
}

/// A scope of an instance, and its configuration: the instance's id, its alias, the scope.
pub(super) type Held = (String, String, Scope, Configuration);

/// The configuration of every scope of every instance.
pub(super) fn configurations(connect: &Connect) -> Vec<Held> {
    let instances = connect.instances();
    let scopes = instances.iter().flat_map(|instance| Scope::ALL.map(|scope| (instance, scope)));
    scopes
        .filter_map(|(instance, scope)| {
            let configuration = connect.configuration(&instance.id, scope)?;
            Some((instance.id.clone(), instance.alias.clone(), scope, configuration))
        })
        .collect()
}
