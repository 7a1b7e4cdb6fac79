//! A stack: which function gets what, and that nothing of it is left behind.

use crate::function_url::send;
use crate::stand_in;
use sandbox::governed::{Governed, INTAKE_QUEUE, Options, Role};
use sandbox::invoke_api::InvokeApi;
use sandbox::lambda::{Answer, Invoke, Launch};
use serde_json::json;
use std::path::PathBuf;
use std::time::Duration;

const VARIABLES: [&str; 8] = [
    "AWS_LAMBDA_FUNCTION_NAME",
    "ACCEPTED_TRIGGERS",
    "LEDGER_TABLE",
    "INTAKE_QUEUE_URL",
    "CHANGE_QUEUE_URL",
    "PARKED_QUEUE_URL",
    "AWS_ENDPOINT_URL_DYNAMODB",
    "AWS_ENDPOINT_URL_SQS",
];

async fn start(options: Options) -> Governed {
    let launch = Launch::new(stand_in(), "http://127.0.0.1:1");
    Governed::start(launch, options).await.expect("a stack")
}

/// What a function of this name and these triggers prints for an order to print the variables.
fn variables(governed: &Governed, suffix: &str, triggers: &str) -> Vec<String> {
    let queue = |name: &str| governed.queues().queue_url(name);
    let values = [
        format!("connect-attachment-policy-{suffix}"),
        triggers.to_owned(),
        governed.ledger().table().to_owned(),
        queue("intake.fifo"),
        queue("changes.fifo"),
        queue("parked"),
        governed.ledger().url(),
        governed.queues().url(),
    ];
    VARIABLES.iter().zip(values).map(|(name, value)| format!("{name}={value}")).collect()
}

async fn put(governed: &Governed, queue: &str, order: &serde_json::Value) {
    let body = json!({
        "QueueUrl": governed.queues().queue_url(queue),
        "MessageBody": order.to_string(),
        "MessageGroupId": "group",
    });
    let head = "POST / HTTP/1.1\r\nX-Amz-Target: AmazonSQS.SendMessage\r\n\
                Content-Type: application/x-amz-json-1.0\r\nAuthorization: AWS4-HMAC-SHA256 Credential=test/x";
    let (status, ..) = send(&governed.queues().url(), head, body.to_string().as_bytes()).await;
    assert_eq!(status, 200);
}

/// The lines of a function, without those of the stand-in itself.
fn lines(output: Vec<String>) -> Vec<String> {
    output.into_iter().filter(|line| !line.starts_with("stand-in: ")).collect()
}

#[tokio::test]
async fn each_function_has_its_name_its_triggers_and_the_same_services() {
    let governed = start(Options::default()).await;
    let order = json!({"env": VARIABLES});
    governed.api().invoke(order.to_string().as_bytes(), Invoke::default()).await.expect("an invocation");
    for queue in ["intake.fifo", "changes.fifo"] {
        put(&governed, queue, &order).await;
    }
    for mapping in [governed.intake(), governed.workers()] {
        mapping.until(|deliveries| deliveries.iter().any(|delivery| delivery.deleted.len() == 1)).await;
    }
    for (fleet, suffix, triggers) in [
        (governed.api(), "api", "http,bare"),
        (governed.intake().fleet(), "intake", "sqs,eventbridge"),
        (governed.workers().fleet(), "worker", "lane"),
    ] {
        assert_eq!(lines(fleet.output()), variables(&governed, suffix, triggers));
    }
    let swept = governed.run_sweep().await.expect("an invocation");
    let Answer::Response(seen) = swept.outcome else { panic!("{:?}", swept.outcome) };
    let seen: serde_json::Value = serde_json::from_slice(&seen).expect("JSON");
    assert_eq!(seen["payload"], json!({"sweep": true}));
    assert_eq!(seen["arn"], "arn:aws:lambda:us-east-1:111122223333:function:connect-attachment-policy-sweep");
    assert_eq!(lines(governed.output()).len(), 3 * VARIABLES.len());
}

#[tokio::test]
async fn a_function_has_variables_of_its_own_after_those_that_all_have() {
    let options = Options { api: Options::default().api.env("CONNECT_BURST", "2"), ..Options::default() };
    let launch = Launch::new(stand_in(), "http://127.0.0.1:1").env("CONNECT_BURST", "3");
    let governed = Governed::start(launch, options).await.expect("a stack");
    let order = json!({"env": ["CONNECT_BURST"]});
    governed.api().invoke(order.to_string().as_bytes(), Invoke::default()).await.expect("an invocation");
    put(&governed, INTAKE_QUEUE, &order).await;
    governed.intake().until(|deliveries| deliveries.iter().any(|delivery| delivery.answer.is_some())).await;
    assert_eq!(lines(governed.output()), ["CONNECT_BURST=2", "CONNECT_BURST=3"]);
}

#[tokio::test]
async fn the_functions_are_invoked_by_name_and_the_plain_name_is_the_apis() {
    let governed = start(Options::default()).await;
    let invoke = InvokeApi::start_several(governed.functions(), 0).await.expect("a port");
    for (name, found) in
        [("", "api"), ("-api", "api"), ("-intake", "intake"), ("-worker", "worker"), ("-sweep", "sweep")]
    {
        let path = format!("/2015-03-31/functions/connect-attachment-policy{name}/invocations");
        let order = json!({"hello": 1}).to_string();
        let (status, _, body) = send(&invoke.url(), &format!("POST {path} HTTP/1.1"), order.as_bytes()).await;
        assert_eq!(status, 200, "{name}");
        let seen: serde_json::Value = serde_json::from_slice(&body).expect("JSON");
        let arn = format!("arn:aws:lambda:us-east-1:111122223333:function:connect-attachment-policy-{found}");
        assert_eq!(seen["arn"], arn);
    }
    let path = "/2015-03-31/functions/connect-attachment-policy-page/invocations";
    let (status, ..) = send(&invoke.url(), &format!("POST {path} HTTP/1.1"), b"{}").await;
    assert_eq!(status, 404);
}

#[tokio::test]
async fn the_sweep_is_invoked_by_its_schedule() {
    let governed =
        start(Options { sweep_every: Some(Duration::from_millis(50)), ..Options::default() }).await;
    let answered = || lines_of_stand_in(&governed);
    while answered() < 2 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn lines_of_stand_in(governed: &Governed) -> usize {
    governed.sweep().output().iter().filter(|line| line.starts_with("stand-in: response")).count()
}

#[tokio::test]
async fn dropping_it_ends_every_process_at_once_also_those_at_work() {
    let governed = start(Options { api: Role::new(2, Duration::from_mins(1)), ..Options::default() }).await;
    let order = json!({"stdout": ["begun"], "sleepMs": 60_000});
    put(&governed, "changes.fifo", &order).await;
    let api = std::sync::Arc::clone(governed.api());
    let invocation =
        tokio::spawn(async move { api.invoke(order.to_string().as_bytes(), Invoke::default()).await });
    while lines(governed.output()).len() < 2 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let mut pids = Vec::new();
    for fleet in [governed.api(), governed.workers().fleet()] {
        pids.extend(fleet.functions().iter().filter_map(|function| function.pid()));
    }
    assert_eq!(pids.len(), 2);
    drop(governed);
    for pid in pids {
        assert!(!PathBuf::from(format!("/proc/{pid}")).exists(), "{pid} was left behind");
    }
    let ended = invocation.await.expect("a task").expect("an end");
    assert_eq!(ended.outcome, Answer::Exited(None));
}
