//! One payload, sent to a new function and a new Amazon Connect, and all its results.

use super::audit::is_audit;
use super::payload::Payload;
use crate::difference::Difference;
use sandbox::connect::{Configuration, Connect, Entry, Options, Scope};
use sandbox::expectation::Mismatch;
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
    let before = configurations(&connect);
    let function = Function::start(launch(&connect.url())?).await?;
    let invocation = function.invoke(&payload.bytes).await;
    // Afterwards its output is complete.
    function.kill().await;
    let lines = function.output().into_iter().chain(function.torn_output());
    let (audit, mut log): (Vec<String>, Vec<String>) = lines.partition(|line| is_audit(line));
    log.extend(function.errors().lines().map(str::to_owned));
    let changes = before
        .into_iter()
        .filter_map(|(instance_id, alias, scope, before)| {
            let after = connect.configuration(&instance_id, scope)?;
            let difference = Difference::between(&before, &after)?;
            Some(Change { instance_id, alias, scope, before, after, difference })
        })
        .collect();
    Ok(Scene {
        mismatch: payload.expectation.check(&invocation.outcome).err(),
        answer: invocation.outcome,
        changes,
        calls: connect.journal(),
        log,
        audit,
        duration: invocation.duration,
    })
}

/// The configuration of every scope of every instance.
fn configurations(connect: &Connect) -> Vec<(String, String, Scope, Configuration)> {
    let instances = connect.instances();
    let scopes = instances.iter().flat_map(|instance| Scope::ALL.map(|scope| (instance, scope)));
    scopes
        .filter_map(|(instance, scope)| {
            let configuration = connect.configuration(&instance.id, scope)?;
            Some((instance.id.clone(), instance.alias.clone(), scope, configuration))
        })
        .collect()
}
