//! Something to look at: instances, changes that have ended, what a stack declares, what drifted, and a change that goes
//! on.

mod declaration;
mod elsewhere;

use crate::demo::http::Http;
use sandbox::connect::{Configuration, Connect, Instance, Scope};
use sandbox::governed::Governed;
use sandbox::lambda::{Answer, Fleet, Invoke};
use serde_json::{Value, json};
use std::io;
use std::sync::Arc;
use std::time::Duration;

/// In this account, so that no role is needed: most in the functions' own Region, four in another.
const PLACES: [(&str, u32, u32); 2] = [("us-east-1", 101, 24), ("eu-west-2", 201, 4)];
const MB: u32 = 1_048_576;
/// How often it is asked whether something has ended.
const AGAIN: Duration = Duration::from_millis(200);

fn instances() -> Vec<Instance> {
    let of = |(region, first, count): (&str, u32, u32)| {
        let region = region.to_owned();
        (first..first + count)
            .map(move |number| Instance { region: region.clone(), ..Instance::numbered(number) })
    };
    PLACES.into_iter().flat_map(of).collect()
}

/// Adds the instances, some of which have values of their own.
pub(super) fn prepare(connect: &Connect) {
    for instance in instances() {
        connect.add_instance(instance);
    }
    let usual = Configuration::default();
    let without_video: Vec<_> =
        usual.extensions.iter().filter(|name| !matches!(name.as_str(), "mov" | "mp4")).cloned().collect();
    let with_programs: Vec<_> = usual.extensions.iter().cloned().chain(["exe".into(), "js".into()]).collect();
    for (number, scope, size, extensions) in [
        (103, Scope::Chat, 20, &with_programs),
        (107, Scope::Email, 5, &usual.extensions),
        (107, Scope::Chat, 5, &without_video),
        (203, Scope::Task, 20, &without_video),
    ] {
        let configuration = Configuration {
            maximum_size_limit_in_bytes: (size * MB).into(),
            extensions: extensions.clone(),
            last_modified: None,
        };
        connect.put(&Instance::numbered(number).id, scope, configuration);
    }
}

/// Makes everything that there is to see: changes as a client of the HTTP API sends them, a stack that declares policies,
/// somebody who changes a policy around the functions. The last change goes on for a while.
///
/// # Errors
///
/// A function does not answer.
pub(super) async fn make(connect: &Connect, governed: &Governed, url: String) -> io::Result<()> {
    let http = Http::new(url);
    let every: Vec<_> = instances().iter().map(Instance::arn).collect();
    let one = |number| Instance::numbered(number).arn();
    let first = json!({
        "changeId": "SAMPLE-1", "instanceIds": every, "attachmentScope": "*", "addExtensions": ["pdf"],
        "maximumSizeAtMost": "100 MB", "reason": "take every instance under control", "requestedBy": "Platform team",
    });
    send(&http, &first).await?;
    // what follows is newer, and would overtake it
    ended(&http, "SAMPLE-1").await?;
    declaration::create(governed.declare(), &[one(109), one(110)]).await?;
    elsewhere::update(connect, governed.sweep(), &Instance::numbered(112)).await?;
    for change in [
        json!({
            "changeId": "SAMPLE-2", "instanceIds": [one(104), one(105)], "attachmentScope": "CHAT", "maximumSize": "10 MB",
            "reason": "chat attachments are small", "requestedBy": "Ada",
        }),
        json!({
            "changeId": "SAMPLE-3", "instanceId": "99999999-0000-4000-8000-000000000009", "attachmentScope": "CASE",
            "maximumSize": "10 MB", "reason": "an instance that is gone",
        }),
        json!({
            "changeId": "SAMPLE-4", "instanceIds": every, "attachmentScopes": ["CASE", "TASK"], "maximumSize": "15 MB",
            "reason": "cases and tasks of every instance", "requestedBy": "Platform team",
        }),
    ] {
        send(&http, &change).await?;
    }
    Ok(())
}

async fn send(http: &Http, change: &Value) -> io::Result<()> {
    match http.post("/policy-changes", change.to_string()).await?.body {
        Value::Object(_) => Ok(()),
        _ => Err(io::Error::other("the function URL does not answer")),
    }
}

async fn ended(http: &Http, id: &str) -> io::Result<()> {
    let path = format!("/policy-changes/{id}");
    let goes_on = |record: &Value| {
        matches!(record.get("status").and_then(Value::as_str), None | Some("accepted" | "running"))
    };
    while goes_on(&http.get(&path).await?.body) {
        tokio::time::sleep(AGAIN).await;
    }
    Ok(())
}

/// Invokes a function, which has to answer.
async fn invoke(function: &Arc<Fleet>, payload: &Value) -> io::Result<()> {
    let invoked = function.invoke(payload.to_string().as_bytes(), Invoke::default()).await?;
    match invoked.outcome {
        Answer::Response(_) => Ok(()),
        other => Err(io::Error::other(format!("{}: {other:?}", function.launch().name()))),
    }
}
