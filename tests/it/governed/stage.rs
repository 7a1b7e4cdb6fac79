//! Governed mode in process: the function, Amazon Connect, the table, the queues and the event bus, over real HTTP.

use crate::world::World;
use aws_sdk_sqs::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_sqs::types::{Message, MessageSystemAttributeName};
use sandbox::bus::{self, Bus};
use sandbox::connect::Options;
use sandbox::ledger::{self, Fault, Ledger, Rule};
use sandbox::queue::{self, Queues, Settings};
use serde_json::{Value, json};
use std::time::Duration;

pub(crate) const CHANGES: &str = "changes.fifo";
pub(crate) const INTAKE: &str = "intake.fifo";
pub(crate) const PARKED: &str = "parked";

/// A stack in one process: its handler accepts every trigger.
pub(crate) struct Stage {
    pub(crate) world: World,
    pub(crate) ledger: Ledger,
    pub(crate) queues: Queues,
    pub(crate) bus: Bus,
    client: aws_sdk_sqs::Client,
    /// Where a process finds the table and the queues.
    variables: Vec<(&'static str, String)>,
}

/// One delivery of a queue's messages.
pub(crate) struct Delivered {
    /// The messages that are to be delivered again.
    pub(crate) failures: Vec<String>,
}

impl Stage {
    pub(crate) async fn new() -> Self {
        Self::with(Options::default(), &[]).await
    }

    pub(crate) async fn with(options: Options, variables: &[(&str, &str)]) -> Self {
        let ledger = Ledger::start(ledger::Options::default()).await.unwrap();
        let queues = queue::Options {
            queues: vec![Settings::new(CHANGES), Settings::new(INTAKE), Settings::new(PARKED)],
            ..queue::Options::default()
        };
        let queues = Queues::start(queues).await.unwrap();
        let bus = Bus::start(0, None).await.unwrap();
        let governed = vec![
            ("LEDGER_TABLE", ledger.table().to_owned()),
            ("AWS_ENDPOINT_URL_DYNAMODB", ledger.url()),
            ("AWS_ENDPOINT_URL_SQS", queues.url()),
            ("AWS_ENDPOINT_URL_EVENTBRIDGE", bus.url()),
            ("OUTCOME_BUS", bus::NAME.to_owned()),
            ("CHANGE_QUEUE_URL", queues.queue_url(CHANGES)),
            ("INTAKE_QUEUE_URL", queues.queue_url(INTAKE)),
            ("PARKED_QUEUE_URL", queues.queue_url(PARKED)),
            ("ACCEPTED_TRIGGERS", "http,bare,eventbridge,sqs,lane,sweep,cloudformation,widget".to_owned()),
            ("ANSWER_LOOPBACK", "true".to_owned()),
        ];
        let world = World::with(options, &all(variables, &governed)).await;
        let config = aws_sdk_sqs::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .endpoint_url(queues.url())
            .credentials_provider(Credentials::new("key", "secret", None, None, "tests"))
            .build();
        let client = aws_sdk_sqs::Client::from_conf(config);
        Self { world, ledger, queues, bus, client, variables: governed }
    }

    /// Another process of the same stack, with a clock and settings of its own.
    pub(crate) fn process(&self, variables: &[(&str, &str)]) -> World {
        self.world.beside(&all(variables, &self.variables))
    }

    /// An HTTP request: status, headers, body.
    pub(crate) async fn http(&self, method: &str, path: &str, body: &Value) -> (u64, Value, Value) {
        let body = if body.is_null() { Value::Null } else { json!(body.to_string()) };
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let answer = self.world.invoke(&request(method, path, query, &body)).await.unwrap();
        let text = answer["body"].as_str().unwrap();
        let body = serde_json::from_str(text).unwrap_or(Value::Null);
        (answer["statusCode"].as_u64().unwrap(), answer["headers"].clone(), body)
    }

    /// The record of a change.
    pub(crate) async fn record(&self, id: &str) -> Value {
        let (status, _, body) = self.http("GET", &format!("/policy-changes/{id}"), &Value::Null).await;
        assert_eq!(status, 200, "{body}");
        body
    }

    /// A document from the intake queue, which is recorded.
    pub(crate) async fn take_in(&self, change: &Value) {
        let answer = self.receive(change.to_string(), INTAKE).await;
        assert_eq!(answer["batchItemFailures"], json!([]), "{change}");
    }

    /// Sends a document to a queue, as its producers do.
    pub(crate) async fn send(&self, queue: &str, document: &Value) {
        let send = self.client.send_message().queue_url(self.queues.queue_url(queue));
        let send = send.message_body(document.to_string()).message_group_id("documents");
        send.message_deduplication_id(document.to_string().len().to_string()).send().await.unwrap();
    }

    /// A message that somebody has sent to the queue by hand.
    pub(crate) async fn receive(&self, body: String, queue: &str) -> Value {
        let arn = format!("arn:aws:sqs:us-east-1:111122223333:{queue}");
        let event = json!({"Records": [{
            "messageId": "m-1", "receiptHandle": "r", "body": body, "eventSource": "aws:sqs", "eventSourceARN": arn,
            "attributes": {"ApproximateReceiveCount": "1", "SentTimestamp": "1732500000123", "SenderId": "AIDA"},
            "messageAttributes": {}, "awsRegion": "us-east-1",
        }]});
        self.world.invoke(&event).await.unwrap()
    }

    /// Delivers one message of the queue within `left`; `None`: there is none to deliver.
    pub(crate) async fn deliver(&self, queue: &str, left: Duration) -> Option<Delivered> {
        self.deliver_to(&self.world, queue, left).await
    }

    /// The same, to another process.
    pub(crate) async fn deliver_to(&self, world: &World, queue: &str, left: Duration) -> Option<Delivered> {
        let url = self.queues.queue_url(queue);
        let received = self
            .client
            .receive_message()
            .queue_url(&url)
            .max_number_of_messages(1)
            .message_system_attribute_names(MessageSystemAttributeName::All)
            .send()
            .await
            .unwrap();
        let messages = received.messages.unwrap_or_default();
        if messages.is_empty() {
            return None;
        }
        let arn = format!("arn:aws:sqs:us-east-1:111122223333:{queue}");
        let records: Vec<Value> = messages.iter().map(|message| record(message, &arn)).collect();
        let answer = world.invoke_within(&json!({"Records": records}), left).await.unwrap();
        let failures: Vec<String> = answer["batchItemFailures"]
            .as_array()
            .unwrap()
            .iter()
            .map(|failure| failure["itemIdentifier"].as_str().unwrap().to_owned())
            .collect();
        for message in &messages {
            let id = message.message_id.clone().unwrap();
            if !failures.contains(&id) {
                let delete = self.client.delete_message().queue_url(&url);
                delete.set_receipt_handle(message.receipt_handle.clone()).send().await.unwrap();
            }
        }
        Some(Delivered { failures })
    }

    /// Delivers lanes until there is nothing to deliver.
    pub(crate) async fn work(&self) {
        self.work_by(&self.world).await;
    }

    /// The same, by another process.
    pub(crate) async fn work_by(&self, world: &World) {
        for _ in 0..1_000 {
            if self.deliver_to(world, CHANGES, Duration::from_secs(30)).await.is_none() {
                return;
            }
        }
        panic!("the lanes do not end");
    }

    /// Waits for the fault of an invocation that dies: then nobody hears of it again.
    pub(crate) async fn struck(&self) {
        let is_there = |entry: &ledger::Entry| match entry.fault {
            Some(Fault::NeverAnswered) => entry.executed,
            other => other.is_some(),
        };
        self.ledger.until(|entries| entries.iter().any(is_there)).await;
    }

    /// What an invocation comes to; `None`: it died at the request that the rule is about.
    pub(crate) async fn unless_it_dies<T>(
        &self,
        rule: Rule,
        invocation: impl Future<Output = T>,
    ) -> Option<T> {
        self.ledger.clear_journal();
        self.ledger.fault(rule);
        let mut invocation = Box::pin(invocation);
        let answer = tokio::select! {
            biased;
            () = self.struck() => None,
            answer = &mut invocation => Some(answer),
        };
        self.ledger.clear_faults();
        self.ledger.clear_journal();
        answer
    }

    pub(crate) async fn sweep(&self) -> Value {
        self.world.invoke(&json!({"sweep": true})).await.unwrap()
    }
}

fn all<'v>(
    variables: &[(&'v str, &'v str)],
    governed: &'v [(&'static str, String)],
) -> Vec<(&'v str, &'v str)> {
    let governed = governed.iter().map(|(name, value)| (*name, value.as_str()));
    variables.iter().copied().chain(governed).collect()
}

fn record(message: &Message, arn: &str) -> Value {
    let attributes = message.attributes.clone().unwrap_or_default();
    let attributes: serde_json::Map<String, Value> =
        attributes.into_iter().map(|(name, value)| (name.as_str().to_owned(), json!(value))).collect();
    json!({
        "messageId": message.message_id,
        "receiptHandle": message.receipt_handle,
        "body": message.body,
        "attributes": attributes,
        "messageAttributes": {},
        "eventSource": "aws:sqs",
        "eventSourceARN": arn,
        "awsRegion": "us-east-1",
    })
}

/// A request of payload 2.0, signed by somebody.
pub(crate) fn request(method: &str, path: &str, query: &str, body: &Value) -> Value {
    let parameters: serde_json::Map<String, Value> = query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (name.to_owned(), json!(value)))
        .collect();
    json!({
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": query,
        "queryStringParameters": parameters,
        "headers": {"content-type": "application/json"},
        "requestContext": {
            "accountId": "111122223333",
            "apiId": "api",
            "authorizer": {"iam": {"userArn": "arn:aws:iam::111122223333:user/ada", "accountId": "111122223333"}},
            "domainName": "api.execute-api.us-east-1.amazonaws.com",
            "http": {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1", "userAgent": "tests"},
            "requestId": "JKJaXmPLvHcESHA=",
            "routeKey": "$default",
            "stage": "$default",
        },
        "body": body,
        "isBase64Encoded": false,
    })
}
