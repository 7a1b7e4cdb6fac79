//! The queues: what they keep, and their faults.

use crate::client::Call;
use sandbox::queue::{Fault, Operation, Options, Queues, Rule, Settings};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use tokio::time::{sleep, timeout};

async fn start() -> Queues {
    let queues = vec![
        Settings::new("changes.fifo").content_based_deduplication().dead_letters("failed.fifo", 2),
        Settings::new("failed.fifo"),
        Settings::new("parked"),
    ];
    Queues::start(Options { queues, ..Options::default() }).await.unwrap()
}

fn call(queues: &Queues, operation: &str, queue: &str, mut body: Value) -> Call {
    body["QueueUrl"] = queues.queue_url(queue).into();
    Call::new(&queues.url(), &format!("AmazonSQS.{operation}"), body)
}

fn send(queues: &Queues, body: &str) -> Call {
    let message = json!({"MessageBody": body, "MessageGroupId": "lane"});
    call(queues, "SendMessage", "changes.fifo", message)
}

fn receive(queues: &Queues, wait: u64) -> Call {
    let wanted = json!({"MaxNumberOfMessages": 10, "WaitTimeSeconds": wait, "AttributeNames": ["All"],
        "MessageAttributeNames": ["All"]});
    call(queues, "ReceiveMessage", "changes.fifo", wanted)
}

fn kept(queues: &Queues, queue: &str) -> Vec<String> {
    queues.messages(queue).into_iter().map(|message| message.body).collect()
}

#[tokio::test]
async fn a_message_is_received_as_it_was_sent_and_gone_when_it_is_deleted() {
    let queues = start().await;
    let message = json!({
        "MessageBody": "{\"a\": 1}",
        "MessageGroupId": "111122223333/us-east-1",
        "MessageDeduplicationId": "one",
        "MessageAttributes": {"status": {"DataType": "String", "StringValue": "rejected"}},
    });
    let sent = call(&queues, "SendMessage", "changes.fifo", message).ok().await;
    let received = receive(&queues, 0).ok().await["Messages"][0].clone();
    assert_eq!(received["Body"], "{\"a\": 1}");
    for (answered, repeated) in [
        ("MessageId", "MessageId"),
        ("MD5OfMessageBody", "MD5OfBody"),
        ("MD5OfMessageAttributes", "MD5OfMessageAttributes"),
    ] {
        assert_eq!(sent[answered], received[repeated], "{answered}");
    }
    assert_eq!(
        received["MessageAttributes"]["status"],
        json!({"DataType": "String", "StringValue": "rejected"})
    );
    let attributes = &received["Attributes"];
    assert_eq!(attributes["MessageGroupId"], "111122223333/us-east-1");
    assert_eq!(attributes["MessageDeduplicationId"], "one");
    assert_eq!(attributes["SequenceNumber"], sent["SequenceNumber"]);
    assert_eq!(attributes["ApproximateReceiveCount"], "1");
    assert_eq!(attributes["SenderId"], "test");
    let body = json!({"ReceiptHandle": received["ReceiptHandle"]});
    assert_eq!(call(&queues, "DeleteMessage", "changes.fifo", body).ok().await, json!({}));
    assert!(queues.messages("changes.fifo").is_empty());
    let journal = queues.journal();
    let seen: Vec<_> = journal.iter().map(|entry| (entry.operation.unwrap(), entry.messages.len())).collect();
    assert_eq!(
        seen,
        [(Operation::SendMessage, 1), (Operation::ReceiveMessage, 1), (Operation::DeleteMessage, 0)]
    );
    assert!(journal.iter().all(|entry| entry.executed && entry.queue.as_deref() == Some("changes.fifo")));
}

#[tokio::test]
async fn the_same_content_is_kept_once_until_five_minutes_have_passed() {
    let queues = start().await;
    let first = send(&queues, "x").ok().await;
    assert_eq!(send(&queues, "x").ok().await, first);
    assert_eq!(kept(&queues, "changes.fifo"), ["x"]);
    queues.advance(Duration::from_mins(5));
    assert_ne!(send(&queues, "x").ok().await["MessageId"], first["MessageId"]);
    assert_eq!(kept(&queues, "changes.fifo"), ["x", "x"]);
}

#[tokio::test]
async fn a_receive_waits_for_a_message_that_is_sent_or_becomes_visible() {
    let queues = start().await;
    let waiting = receive(&queues, 20);
    let waiting = tokio::spawn(async move { waiting.ok().await });
    sleep(Duration::from_millis(50)).await;
    send(&queues, "x").ok().await;
    let received = timeout(Duration::from_secs(5), waiting).await.unwrap().unwrap();
    let handle = &received["Messages"][0]["ReceiptHandle"];
    let hide = json!({"ReceiptHandle": handle, "VisibilityTimeout": 1});
    call(&queues, "ChangeMessageVisibility", "changes.fifo", hide).ok().await;
    let asked = Instant::now();
    let again = receive(&queues, 20).ok().await;
    assert_eq!(again["Messages"][0]["Attributes"]["ApproximateReceiveCount"], "2");
    let waited = asked.elapsed();
    assert!((Duration::from_millis(700)..Duration::from_secs(5)).contains(&waited), "{waited:?}");
}

#[tokio::test]
async fn a_receive_of_an_empty_queue_ends_when_its_wait_does() {
    let queues = start().await;
    let asked = Instant::now();
    assert_eq!(receive(&queues, 1).ok().await, json!({}));
    assert!(asked.elapsed() >= Duration::from_secs(1));
}

#[tokio::test]
async fn a_message_received_too_often_is_found_in_the_dead_letter_queue() {
    let queues = start().await;
    send(&queues, "x").ok().await;
    for count in ["1", "2"] {
        let received = receive(&queues, 0).ok().await;
        assert_eq!(received["Messages"][0]["Attributes"]["ApproximateReceiveCount"], count);
        assert!(queues.messages("changes.fifo")[0].in_flight);
        queues.advance(Duration::from_secs(30));
    }
    assert_eq!(receive(&queues, 0).ok().await, json!({}));
    let dead = queues.messages("failed.fifo");
    assert_eq!(dead.len(), 1);
    assert_eq!((dead[0].body.as_str(), dead[0].group.as_deref(), dead[0].receives), ("x", Some("lane"), 2));
    assert_eq!(
        dead[0].dead_letter_source.as_deref(),
        Some("arn:aws:sqs:us-east-1:111122223333:changes.fifo")
    );
}

#[tokio::test]
async fn a_batch_has_an_outcome_for_each_entry() {
    let queues = start().await;
    let entries = json!({"Entries": [
        {"Id": "a", "MessageBody": "1", "MessageGroupId": "g"},
        {"Id": "b", "MessageBody": "2"},
        {"Id": "c", "MessageBody": "3", "MessageGroupId": "g"},
    ]});
    let sent = call(&queues, "SendMessageBatch", "changes.fifo", entries).ok().await;
    let ids = |list: &str| -> Vec<String> {
        sent[list].as_array().unwrap().iter().map(|entry| entry["Id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!((ids("Successful"), ids("Failed")), (vec!["a".into(), "c".into()], vec!["b".to_owned()]));
    assert_eq!(
        sent["Failed"][0],
        json!({
            "Id": "b", "SenderFault": true, "Code": "MissingParameter",
            "Message": "The request must contain the parameter MessageGroupId."
        })
    );
    let received = receive(&queues, 0).ok().await;
    let handles: Vec<Value> = received["Messages"]
        .as_array()
        .unwrap()
        .iter()
        .zip(["x", "y"])
        .map(|(message, id)| json!({"Id": id, "ReceiptHandle": message["ReceiptHandle"]}))
        .collect();
    let deleted = call(&queues, "DeleteMessageBatch", "changes.fifo", json!({"Entries": handles})).ok().await;
    assert_eq!(deleted, json!({"Successful": [{"Id": "x"}, {"Id": "y"}]}));
    assert!(queues.messages("changes.fifo").is_empty());
}

#[tokio::test]
async fn a_fault_in_place_of_the_operation_has_its_status_and_name_and_no_effect() {
    for (fault, status, name, code) in [
        (Fault::Throttled, 400, "RequestThrottled", "RequestThrottled"),
        (Fault::Denied, 403, "AccessDeniedException", "AccessDenied"),
        (Fault::Internal, 500, "InternalFailure", "InternalFailure"),
        (Fault::Unavailable, 503, "ServiceUnavailable", "ServiceUnavailable"),
    ] {
        let queues = start().await;
        queues.fault(Rule::new(fault).on(Operation::SendMessage).first(1));
        assert_eq!(send(&queues, "x").error().await, (status, name.to_owned()));
        assert!(queues.messages("changes.fifo").is_empty());
        let entry = queues.journal().remove(0);
        assert_eq!((entry.fault, entry.executed, entry.status), (Some(fault), false, Some(status)));
        assert_eq!(entry.error.as_deref(), Some(code));
        send(&queues, "x").ok().await;
    }
}

#[tokio::test]
async fn a_closed_connection_has_no_effect_and_a_lost_answer_has_one() {
    for (fault, executed) in [(Fault::Closed, false), (Fault::AnswerLost, true)] {
        let queues = start().await;
        queues.fault(Rule::new(fault).of(|body| body["MessageBody"] == "x").nth(1));
        assert_eq!(send(&queues, "x").send().await, None, "{fault}");
        assert_eq!(kept(&queues, "changes.fifo").len(), usize::from(executed));
        let entry = queues.journal().remove(0);
        assert_eq!((entry.executed, entry.status), (executed, None));
    }
}

#[tokio::test]
async fn a_batch_may_fail_in_part_and_an_answer_may_never_come() {
    let queues = start().await;
    queues.fault(Rule::new(Fault::PartlyFailed));
    queues.fault(Rule::new(Fault::NeverAnswered).on(Operation::SendMessage));
    let entry = |id: &str| json!({"Id": id, "MessageBody": id, "MessageGroupId": "g"});
    let entries = json!({"Entries": [entry("a"), entry("b"), entry("c")]});
    let sent = call(&queues, "SendMessageBatch", "changes.fifo", entries).ok().await;
    assert_eq!(sent["Failed"][0]["Code"], "InternalError");
    assert_eq!(sent["Failed"][0]["SenderFault"], false);
    assert_eq!(kept(&queues, "changes.fifo"), ["b"]);
    let waiting = send(&queues, "x");
    let waiting = tokio::spawn(async move { waiting.send().await });
    queues
        .until(|entries| entries.iter().any(|entry| entry.messages.len() == 1 && entry.status.is_none()))
        .await;
    assert_eq!(kept(&queues, "changes.fifo"), ["b", "x"]);
    assert!(!waiting.is_finished());
    waiting.abort();
}

#[tokio::test]
async fn what_is_wrong_with_a_request_is_named_as_amazon_sqs_names_it() {
    let queues = start().await;
    let fifo = |operation: &str, body: Value| call(&queues, operation, "changes.fifo", body);
    let too_many: Vec<Value> = (0..11).map(|n| json!({"Id": n.to_string(), "ReceiptHandle": "x"})).collect();
    for (call, name) in [
        (call(&queues, "SendMessage", "other", json!({"MessageBody": "x"})), "QueueDoesNotExist"),
        (fifo("SendMessage", json!({"MessageGroupId": "g"})), "MissingRequiredParameterException"),
        (
            fifo("SendMessage", json!({"MessageBody": "\u{1}", "MessageGroupId": "g"})),
            "InvalidMessageContents",
        ),
        (
            fifo("SendMessage", json!({"MessageBody": "x", "MessageGroupId": "a b"})),
            "InvalidParameterValueException",
        ),
        (fifo("SendMessage", json!({"MessageBody": 1})), "SerializationException"),
        (
            call(
                &queues,
                "SendMessage",
                "parked",
                json!({"MessageBody": "x", "MessageDeduplicationId": "d"}),
            ),
            "InvalidParameterValueException",
        ),
        (
            call(&queues, "SendMessage", "failed.fifo", json!({"MessageBody": "x", "MessageGroupId": "d"})),
            "InvalidParameterValueException",
        ),
        (fifo("ReceiveMessage", json!({"MaxNumberOfMessages": 11})), "InvalidParameterValueException"),
        (fifo("ReceiveMessage", json!({"WaitTimeSeconds": 21})), "InvalidParameterValueException"),
        (fifo("ReceiveMessage", json!({"AttributeNames": ["Colour"]})), "InvalidAttributeName"),
        (fifo("DeleteMessage", json!({"ReceiptHandle": "made up"})), "ReceiptHandleIsInvalid"),
        (fifo("DeleteMessageBatch", json!({"Entries": []})), "EmptyBatchRequest"),
        (fifo("DeleteMessageBatch", json!({"Entries": too_many})), "TooManyEntriesInBatchRequest"),
        (fifo("DeleteMessageBatch", json!({"Entries": [{"Id": "a b"}]})), "InvalidBatchEntryId"),
        (
            fifo("DeleteMessageBatch", json!({"Entries": [{"Id": "a"}, {"Id": "a"}]})),
            "BatchEntryIdsNotDistinct",
        ),
        (fifo("GetQueueAttributes", json!({"AttributeNames": ["Colour"]})), "InvalidAttributeName"),
        (fifo("CreateQueue", json!({})), "UnsupportedOperation"),
    ] {
        assert_eq!(call.error().await, (400, name.to_owned()), "{call:?}");
    }
}

#[tokio::test]
async fn queues_that_cannot_be_are_refused_at_the_start() {
    for dead in ["nowhere.fifo", "parked"] {
        let queues = vec![Settings::new("changes.fifo").dead_letters(dead, 2), Settings::new("parked")];
        let refused = Queues::start(Options { queues, ..Options::default() }).await.unwrap_err();
        assert_eq!(
            refused.to_string(),
            format!("`changes.fifo` has no dead-letter queue `{dead}` of its own kind")
        );
    }
}

#[tokio::test]
async fn the_queues_are_listed_described_and_purged() {
    let queues = start().await;
    let listed = Call::new(&queues.url(), "AmazonSQS.ListQueues", json!({"QueueNamePrefix": "p"})).ok().await;
    assert_eq!(listed, json!({"QueueUrls": [queues.queue_url("parked")]}));
    let url = Call::new(&queues.url(), "AmazonSQS.GetQueueUrl", json!({"QueueName": "parked"})).ok().await;
    assert_eq!(url, json!({"QueueUrl": queues.queue_url("parked")}));
    for body in ["x", "y"] {
        send(&queues, body).ok().await;
    }
    let wanted = json!({"AttributeNames": ["ApproximateNumberOfMessages", "QueueArn", "RedrivePolicy"]});
    let described = call(&queues, "GetQueueAttributes", "changes.fifo", wanted).ok().await;
    assert_eq!(
        described["Attributes"],
        json!({
            "ApproximateNumberOfMessages": "2",
            "QueueArn": "arn:aws:sqs:us-east-1:111122223333:changes.fifo",
            "RedrivePolicy": "{\"deadLetterTargetArn\":\"arn:aws:sqs:us-east-1:111122223333:failed.fifo\",\
                              \"maxReceiveCount\":2}",
        })
    );
    call(&queues, "PurgeQueue", "changes.fifo", json!({})).ok().await;
    assert!(queues.messages("changes.fifo").is_empty());
    let again = call(&queues, "PurgeQueue", "changes.fifo", json!({})).error().await;
    assert_eq!(again, (400, "PurgeQueueInProgress".to_owned()));
}
