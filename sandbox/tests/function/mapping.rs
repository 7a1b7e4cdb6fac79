//! What takes messages to a function, and what invokes one every so often.

use crate::function_url::send;
use crate::stand_in;
use sandbox::lambda::{Answer, Fleet, Function, Launch};
use sandbox::mapping::{Delivery, Mapping, Options};
use sandbox::queue::{Queues, Settings};
use sandbox::schedule::Schedule;
use serde_json::{Value, json};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

const QUEUE: &str = "changes.fifo";

struct Stage {
    queues: Arc<Queues>,
    mapping: Mapping,
}

impl Stage {
    async fn start(concurrency: usize, batch_size: usize) -> Self {
        let settings = Settings::new(QUEUE).visibility_timeout(Duration::from_mins(30));
        let queues = vec![settings.dead_letters("failed.fifo", 3), Settings::new("failed.fifo")];
        let queues = Queues::start(sandbox::queue::Options { queues, ..Default::default() });
        let queues = Arc::new(queues.await.expect("queues"));
        let fleet = fleet(launch(), concurrency);
        let options = Options { batch_size, ..Options::new(QUEUE) };
        let mapping = Mapping::start(Arc::clone(&queues), fleet, options).expect("a mapping");
        Self { queues, mapping }
    }

    /// Sends an order to a group.
    async fn send(&self, group: &str, id: &str, order: &Value) {
        let body = json!({
            "QueueUrl": self.queues.queue_url(QUEUE),
            "MessageBody": order.to_string(),
            "MessageGroupId": group,
            "MessageDeduplicationId": id,
        });
        let head = "POST / HTTP/1.1\r\nX-Amz-Target: AmazonSQS.SendMessage\r\n\
                    Content-Type: application/x-amz-json-1.0\r\nAuthorization: AWS4-HMAC-SHA256 Credential=test/x";
        let (status, _, answer) = send(&self.queues.url(), head, body.to_string().as_bytes()).await;
        assert_eq!(status, 200, "{}", String::from_utf8_lossy(&answer));
    }

    /// Waits until so many deliveries have ended.
    async fn ended(&self, count: usize) -> Vec<Delivery> {
        let has_ended = |delivery: &&Delivery| delivery.answer.is_some();
        let reached = self.mapping.until(|all| all.iter().filter(has_ended).count() >= count);
        tokio::time::timeout(Duration::from_secs(20), reached).await.expect("so many deliveries");
        self.mapping.deliveries()
    }

    /// Waits until the function has printed a line.
    async fn printed(&self, line: &str) {
        while !self.mapping.fleet().output().iter().any(|found| found == line) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

fn launch() -> Launch {
    Launch::new(stand_in(), "http://127.0.0.1:1").named("connect-attachment-policy-worker")
}

fn fleet(launch: Launch, most: usize) -> Arc<Fleet> {
    Fleet::new(launch, NonZeroUsize::new(most).expect("a number")).expect("a fleet")
}

fn groups(deliveries: &[Delivery]) -> Vec<&str> {
    let messages = deliveries.iter().flat_map(|delivery| &delivery.messages);
    messages.map(|message| message.group.as_deref().unwrap_or_default()).collect()
}

#[tokio::test]
async fn a_message_arrives_as_an_event_and_is_deleted_when_it_is_answered() {
    let stage = Stage::start(1, 1).await;
    // The answer of an order in the place of failures: what the stand-in saw.
    let order = json!({"stdout": ["seen"], "answer": {"batchItemFailures": []}});
    stage.send("lane", "1", &order).await;
    let delivery = stage.ended(1).await.remove(0);
    assert_eq!(delivery.deleted, [delivery.messages[0].id.clone()]);
    assert_eq!((delivery.messages[0].receives, delivery.process), (1, Some(0)));
    assert!(stage.queues.messages(QUEUE).is_empty());
    let function = stage.mapping.fleet().functions().remove(0);
    assert_eq!(function.name(), "connect-attachment-policy-worker");
    assert!(function.output().contains(&"seen".to_owned()));
}

#[tokio::test]
async fn only_the_messages_that_are_named_as_failed_stay() {
    let stage = Stage::start(1, 10).await;
    stage.mapping.enable(false);
    for (id, order) in [("1", json!({})), ("2", json!({"fail": true})), ("3", json!({}))] {
        stage.send(&format!("lane-{id}"), id, &order).await;
    }
    stage.mapping.enable(true);
    let delivery = stage.ended(1).await.remove(0);
    assert_eq!((delivery.messages.len(), delivery.deleted.len()), (3, 2));
    let left = stage.queues.messages(QUEUE);
    assert_eq!(left.len(), 1);
    assert_eq!((left[0].group.as_deref(), left[0].in_flight), (Some("lane-2"), true));
}

#[tokio::test]
async fn a_group_has_one_invocation_at_a_time_and_keeps_its_order_while_others_go_on() {
    let stage = Stage::start(3, 1).await;
    stage.send("slow", "1", &json!({"stdout": ["slow begins"], "sleepMs": 2_000})).await;
    stage.printed("slow begins").await;
    for (group, id) in [("slow", "2"), ("fast", "3"), ("fast", "4"), ("fast", "5")] {
        stage.send(group, id, &json!({})).await;
    }
    let deliveries = stage.ended(5).await;
    assert_eq!(groups(&deliveries), ["slow", "fast", "fast", "fast", "slow"]);
    assert!(stage.mapping.fleet().functions().len() < 4);
}

#[tokio::test]
async fn a_function_error_leaves_the_message_until_its_visibility_timeout_and_then_for_the_dead_letter_queue()
{
    let stage = Stage::start(1, 1).await;
    stage.send("lane", "1", &json!({"error": {"errorType": "Own", "errorMessage": "no"}})).await;
    for receives in 1..=3 {
        let deliveries = stage.ended(receives).await;
        let last = deliveries.last().expect("a delivery");
        assert_eq!(last.messages[0].receives as usize, receives);
        assert!(matches!(&last.answer, Some(Answer::Error { error_type, .. }) if error_type == "Own"));
        assert!(last.deleted.is_empty());
        stage.queues.advance(Duration::from_mins(29));
        assert!(stage.queues.messages(QUEUE)[0].in_flight);
        stage.queues.advance(Duration::from_mins(1));
    }
    while stage.queues.messages("failed.fifo").is_empty() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(stage.queues.messages(QUEUE).is_empty());
    assert_eq!(stage.mapping.deliveries().len(), 3);
}

#[tokio::test]
async fn the_message_of_a_killed_process_comes_back_to_a_new_one() {
    let stage = Stage::start(1, 1).await;
    stage.send("lane", "1", &json!({"stdout": ["begun"], "sleepMs": 1_000})).await;
    stage.printed("begun").await;
    let function = stage.mapping.fleet().functions().remove(0);
    let pid = function.pid();
    function.kill().await;
    let killed = stage.ended(1).await.remove(0);
    assert_eq!(killed.answer, Some(Answer::Exited(None)));
    assert!(killed.deleted.is_empty());
    stage.queues.advance(Duration::from_mins(30));
    let again = stage.ended(2).await.remove(1);
    assert_eq!((again.messages[0].receives, again.deleted.len()), (2, 1));
    assert_eq!(stage.mapping.fleet().functions().len(), 1);
    assert_ne!(function.pid(), pid);
}

#[tokio::test]
async fn a_message_whose_visibility_ends_during_its_invocation_is_delivered_a_second_time() {
    let stage = Stage::start(2, 1).await;
    stage.send("lane", "1", &json!({"stdout": ["begun"], "sleepMs": 2_000})).await;
    stage.printed("begun").await;
    stage.queues.advance(Duration::from_mins(30));
    let deliveries = stage.ended(2).await;
    let receives: Vec<u32> = deliveries.iter().map(|delivery| delivery.messages[0].receives).collect();
    assert_eq!(receives, [1, 2]);
    assert_eq!(deliveries[1].deleted.len(), 1);
    assert!(stage.queues.messages(QUEUE).is_empty());
}

#[tokio::test]
async fn a_mapping_that_cannot_be_is_refused() {
    let queues = vec![Settings::new(QUEUE)];
    let queues = Queues::start(sandbox::queue::Options { queues, ..Default::default() });
    let queues = Arc::new(queues.await.expect("queues"));
    let mut slow = launch();
    slow.timeout = Duration::from_mins(1);
    for (launch, options, message) in [
        (launch(), Options::new("other"), "there is no queue `other`"),
        (
            launch(),
            Options { batch_size: 11, ..Options::new(QUEUE) },
            "a batch of 11 messages is not from 1 to 10",
        ),
        (
            slow,
            Options::new(QUEUE),
            "the visibility timeout of `changes.fifo`, 30 s, is less than the function's timeout, 60 s",
        ),
    ] {
        let refused = Mapping::start(Arc::clone(&queues), fleet(launch, 1), options).expect_err("a refusal");
        assert_eq!(refused.to_string(), message);
    }
    let refused = Fleet::new(Launch::new("/nowhere", ""), NonZeroUsize::MIN).expect_err("a refusal");
    assert_eq!(refused.to_string(), "there is no program `/nowhere`");
}

#[tokio::test]
async fn a_schedule_invokes_its_function_again_and_again_and_when_it_is_told_to() {
    let function = Arc::new(Function::start(launch()).await.expect("a function"));
    let payload = json!({"stdout": ["swept"], "answer": {"swept": true}}).to_string();
    let schedule = Schedule::start(Arc::clone(&function), Duration::from_millis(50), payload);
    let swept = || function.output().iter().filter(|line| *line == "swept").count();
    while swept() < 3 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let now = schedule.run().await.expect("an invocation");
    assert_eq!(now.outcome, Answer::Response(br#"{"swept":true}"#.to_vec()));
    drop(schedule);
    // One may be under way.
    tokio::time::sleep(Duration::from_millis(100)).await;
    let before = swept();
    tokio::time::sleep(Duration::from_millis(150)).await;
    assert_eq!(swept(), before);
}
