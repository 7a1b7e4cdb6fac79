//! Lambda Managed Instances: 16 invocations at once in one process. Each gets its own answer, audit, log and
//! metrics, and all share one rate limit.

mod output;

use crate::world::launch;
use output::Output;
use sandbox::connect::{Connect, Entry, Fault, Instance, Operation, Options, Rate, Scope};
use sandbox::lambda::{Answer, Function, Invocation, Invoke};
use serde_json::{Value, json};
use std::time::Duration;

const AT_ONCE: u16 = 16;
/// These ask Amazon Connect for their target at least.
const CALLING: usize = 13;
const UPDATE: Operation = Operation::UpdateAttachedFilesConfiguration;
/// Function and Connect agree on 4 calls a second.
const PER_SECOND: f64 = 4.0;
const BURST: u32 = 3;
/// Connect lets a second's calls more through at once: however unevenly a busy machine delivers paced calls,
/// they pass. Sixteen that were not paced together would not: each could send its own burst.
const QUOTA_BURST: u32 = BURST + 4;

/// How a request comes in and is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Bare,
    Http,
    Event,
    Sqs,
}

/// The 16 requests: each of its own instance, with its own size, ids and trace.
struct Request {
    n: u32,
    way: Way,
    instance: String,
    change: Value,
}

impl Request {
    fn all() -> Vec<Self> {
        (1..=u32::from(AT_ONCE)).map(Self::numbered).collect()
    }

    fn numbered(n: u32) -> Self {
        let way = match n {
            6..=8 | 14 => Way::Http,
            9 | 10 => Way::Event,
            11 | 12 => Way::Sqs,
            _ => Way::Bare,
        };
        let instance = Instance::numbered(n).id;
        let mut change = json!({"instanceId": instance, "attachmentScope": "CHAT", "changeId": format!("CHG-{n}"),
            "maximumSizeLimitInBytes": Self::size(n)});
        match n {
            13 => change["attachmentScope"] = json!("FAX13"),
            14 => change["allowedExtensions"] = json!(["pdf", "tar.gz"]),
            15 => change["dryRun"] = json!(true),
            _ => {}
        }
        Self { n, way, instance, change }
    }

    fn size(n: u32) -> u32 {
        2_000_000 + n
    }

    fn request_id(&self) -> String {
        format!("{:08x}-aaaa-4bbb-8ccc-dddddddddddd", self.n)
    }

    fn trace(&self) -> String {
        format!("1-6744f3a0-{:024x}", self.n)
    }

    fn payload(&self) -> Value {
        let n = self.n;
        match self.way {
            Way::Bare => self.change.clone(),
            Way::Http => json!({
                "version": "2.0", "rawPath": "/policy-changes", "headers": {"content-type": "application/json"},
                "requestContext": {"requestId": format!("api-{n}"), "stage": "$default",
                    "http": {"method": "POST", "path": "/policy-changes", "protocol": "HTTP/1.1",
                        "sourceIp": format!("203.0.113.{n}"), "userAgent": "t"}},
                "body": self.change.to_string(), "isBase64Encoded": false,
            }),
            Way::Event => {
                json!({"version": "0", "id": format!("event-{n}"), "detail-type": "Attachment Policy Change",
                "source": format!("tests.{n}"), "account": "111122223333", "time": "2026-11-23T09:00:00Z",
                "region": "us-east-1", "resources": [], "detail": self.change})
            }
            Way::Sqs => {
                json!({"Records": [{"messageId": format!("message-{n}"), "body": self.change.to_string(),
                "attributes": {"ApproximateReceiveCount": "1", "SenderId": format!("sender-{n}")},
                "eventSource": "aws:sqs", "eventSourceARN": "arn:aws:sqs:us-east-1:111122223333:changes"}]})
            }
        }
    }

    async fn send(&self, function: &Function) -> Invocation {
        let options = Invoke {
            request_id: Some(self.request_id()),
            trace_id: Some(format!("Root={};Sampled=0", self.trace())),
            ..Invoke::default()
        };
        function.invoke_with(self.payload().to_string().as_bytes(), options).await
    }

    /// The expected outcome: the fourth update is denied, whichever target it is for.
    fn expected(&self, denied: &str) -> &'static str {
        match self.n {
            13 | 14 => "rejected",
            15 => "planned",
            16 => "blocked",
            _ if self.instance == denied => "failed",
            _ => "applied",
        }
    }
}

#[tokio::test]
async fn sixteen_changes_at_once_stay_separate_and_share_one_rate_limit() {
    let requests = Request::all();
    let connect = connect().await;
    // of all updates: two are throttled, one is denied
    let throttled = Some(Fault::Throttle);
    connect.script(UPDATE, [None, throttled, None, Some(Fault::AccessDenied), throttled]);
    let allowed: Vec<_> = requests.iter().take(15).map(|request| request.instance.as_str()).collect();
    let launch = launch(&connect)
        .concurrency(AT_ONCE)
        .env("CONNECT_REQUESTS_PER_SECOND", PER_SECOND.to_string())
        .env("CONNECT_BURST", BURST.to_string())
        .env("POLICY_ALLOWED_INSTANCES", allowed.join(","))
        .env("AWS_LAMBDA_LOG_LEVEL", "DEBUG");
    let function = Function::start(launch).await.unwrap();
    let polled = tokio::time::timeout(Duration::from_mins(1), function.polled(AT_ONCE.into())).await;
    assert!(polled.is_ok(), "the process polls less than {AT_ONCE} times at once");
    let sent = requests.iter().map(|request| request.send(&function));
    let answers = futures_util::future::join_all(sent).await;
    // each of them waits for Connect's latency at least, the others may be over at once
    assert!(function.most_at_once() >= CALLING, "{} at once", function.most_at_once());

    let journal = connect.journal();
    assert_paced(&journal);
    let denied = journal.iter().find(|entry| entry.error.as_deref() == Some("AccessDeniedException"));
    let denied = denied.unwrap().instance_id.clone().unwrap();
    let output = Output::of(&function);
    for (request, answer) in requests.iter().zip(&answers) {
        let calls = Calls::of(&journal, request);
        let outcome = request.expected(&denied);
        assert_answer(request, outcome, &calls, answer);
        output.assert_audit(request, outcome, &calls);
        output.assert_log(request, outcome);
        output.assert_metrics(request, outcome, &calls);
        let held = connect.configuration(&request.instance, Scope::Chat).unwrap();
        let applied = held.maximum_size_limit_in_bytes == i64::from(Request::size(request.n));
        assert_eq!(applied, outcome == "applied", "{}", request.n);
    }
    output.assert_whole(requests.len());
    assert_eq!(function.errors(), "");
}

async fn connect() -> Connect {
    Connect::start(Options {
        instances: (1..=u32::from(AT_ONCE)).map(Instance::numbered).collect(),
        rate: Some(Rate { per_second: PER_SECOND, burst: QUOTA_BURST, shared: false }),
        latency: Duration::from_millis(300),
        ..Options::default()
    })
    .await
    .unwrap()
}

/// More calls than one burst, and none throttled except those that the test throttles.
fn assert_paced(journal: &[Entry]) {
    let updates = journal.iter().filter(|entry| entry.operation == Some(UPDATE)).count();
    assert_eq!((updates, journal.len()), (14, 14 + CALLING));
    assert!(updates > QUOTA_BURST as usize);
    let throttled: Vec<_> =
        journal.iter().filter(|entry| entry.status == Some(429)).map(|entry| entry.fault).collect();
    assert_eq!(throttled, [Some(Fault::Throttle); 2]);
}

/// The calls of one request's instance, as Connect received them.
struct Calls {
    reads: usize,
    updates: u64,
    throttled: u64,
}

impl Calls {
    fn of(journal: &[Entry], request: &Request) -> Self {
        let of_it = || journal.iter().filter(|e| e.instance_id.as_deref() == Some(&request.instance));
        let updates: Vec<_> = of_it().filter(|entry| entry.operation == Some(UPDATE)).collect();
        for update in &updates {
            let body = update.body.as_ref().unwrap();
            assert_eq!(body["MaximumSizeLimitInBytes"], Request::size(request.n));
        }
        let throttled = updates.iter().filter(|entry| entry.status == Some(429)).count() as u64;
        let reads = of_it().count() - updates.len();
        Self { reads, updates: updates.len() as u64, throttled }
    }
}

/// The answer is this request's, in its trigger's form.
fn assert_answer(request: &Request, outcome: &str, calls: &Calls, answer: &Invocation) {
    assert_eq!(answer.request_id, request.request_id());
    let well = ["applied", "planned"].contains(&outcome);
    let report: Value = match (&answer.outcome, request.way) {
        (Answer::Response(bytes), Way::Http) => {
            let response: Value = serde_json::from_slice(bytes).unwrap();
            let status = match outcome {
                "applied" => 200,
                "failed" => 502,
                _ => 422,
            };
            assert_eq!(response["statusCode"], status, "{}", request.n);
            let body: Value = serde_json::from_str(response["body"].as_str().unwrap()).unwrap();
            body.get("report").cloned().unwrap_or(body)
        }
        (Answer::Response(bytes), Way::Sqs) => {
            let id = format!("message-{}", request.n);
            let failures = if well { json!([]) } else { json!([{"itemIdentifier": id}]) };
            let response: Value = serde_json::from_slice(bytes).unwrap();
            assert_eq!(response, json!({"batchItemFailures": failures}));
            return;
        }
        (Answer::Response(bytes), _) if well => serde_json::from_slice(bytes).unwrap(),
        (Answer::Error { error_type, error_message }, Way::Bare | Way::Event) if !well => {
            let expected = if outcome == "rejected" { "PolicyChangeRejected" } else { "PolicyChangeFailed" };
            assert_eq!(error_type, expected, "{}", request.n);
            serde_json::from_str(error_message).unwrap()
        }
        (other, _) => panic!("{} {outcome}: {other:?}", request.n),
    };
    assert_eq!(report["changeId"], request.change["changeId"]);
    if outcome == "rejected" {
        let pointer = if request.n == 13 { "/attachmentScope" } else { "/allowedExtensions/1" };
        assert_eq!(report["violations"].as_array().unwrap().len(), 1);
        assert_eq!(report["violations"][0]["pointer"], pointer);
        assert_eq!((calls.reads, calls.updates), (0, 0));
        return;
    }
    assert_eq!(report["results"].as_array().unwrap().len(), 1);
    let result = &report["results"][0];
    assert_eq!((&result["instanceId"], &result["outcome"]), (&json!(request.instance), &json!(outcome)));
    assert_eq!(result["attempts"], calls.updates);
    assert_eq!(calls.reads, usize::from(outcome != "blocked"));
    let code = match outcome {
        "blocked" => json!("InstanceNotAllowed"),
        "failed" => json!("AccessDeniedException"),
        _ => Value::Null,
    };
    assert_eq!(result["error"]["code"], code);
    let after = if well { json!(Request::size(request.n)) } else { Value::Null };
    assert_eq!(result["after"]["maximumSizeLimitInBytes"], after);
}
