//! One payload, played on a fresh sandbox, and everything that came of it.

use super::audit::is_audit;
use super::payload::Payload;
use crate::difference::Difference;
use sandbox::connect::{Configuration, Connect, Entry, Options, Scope};
use sandbox::expectation::Mismatch;
use sandbox::lambda::{Answer, Function, Launch};
use std::io;
use std::time::Duration;

/// What came of one payload.
#[derive(Debug)]
pub(super) struct Scene {
    pub answer: Answer,
    pub mismatch: Option<Mismatch>,
    pub changes: Vec<Change>,
    /// What the function asked of Amazon Connect, in order.
    pub calls: Vec<Entry>,
    /// The function's log, without the audit.
    pub log: Vec<String>,
    /// The audit lines, as they were written.
    pub audit: Vec<String>,
    pub duration: Duration,
}

/// A scope of an instance that allows something else than before.
#[derive(Debug)]
pub(super) struct Change {
    pub instance_id: String,
    pub alias: String,
    pub scope: Scope,
    pub before: Configuration,
    pub after: Configuration,
    pub difference: Difference,
}

/// Sends a payload to a function and an Amazon Connect that have seen nothing before.
pub(super) async fn play(
    payload: &Payload,
    launch: impl Fn(&str) -> io::Result<Launch>,
) -> io::Result<Scene> {
    let connect = Connect::start(Options::default()).await?;
    let before = configurations(&connect);
    let function = Function::start(launch(&connect.url())?).await?;
    let invocation = function.invoke(&payload.bytes).await;
    // Whatever it still wanted to say, it has said then.
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

/// Everything there is, before anything happens.
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
