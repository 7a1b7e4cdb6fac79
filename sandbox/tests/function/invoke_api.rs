use crate::function_url::send;
use crate::stand_in;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sandbox::invoke_api::{InvokeApi, LARGEST_EVENT};
use sandbox::lambda::{Function, LARGEST_PAYLOAD, Launch};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

const PATH: &str = "/2015-03-31/functions/connect-attachment-policy/invocations";

struct Lambda {
    api: InvokeApi,
    function: Arc<Function>,
}

/// The status, the head in lower case and the body of an answer.
struct Answered(u16, String, Vec<u8>);

impl Answered {
    fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.1.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(found, _)| *found == name).map(|(_, value)| value)
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.2).expect("JSON")
    }
}

impl Lambda {
    async fn start(launch: Launch) -> Self {
        let function = Arc::new(Function::start(launch).await.expect("a started function"));
        let api = InvokeApi::start(Arc::clone(&function), 0).await.expect("a port");
        Self { api, function }
    }

    async fn post(&self, path: &str, headers: &str, payload: &[u8]) -> Answered {
        let head = format!("POST {path} HTTP/1.1{headers}");
        let (status, head, body) = send(&self.api.url(), &head, payload).await;
        Answered(status, head.to_lowercase(), body)
    }

    async fn invoke(&self, payload: &Value) -> Answered {
        self.post(PATH, "", payload.to_string().as_bytes()).await
    }
}

fn launch() -> Launch {
    Launch::new(stand_in(), "http://127.0.0.1:1")
}

#[tokio::test]
async fn an_answer_is_the_functions_own_bytes_under_the_invocations_id() {
    let lambda = Lambda::start(launch()).await;
    let answered = lambda.invoke(&json!({"hello": "world"})).await;
    assert_eq!((answered.0, answered.header("x-amz-function-error")), (200, None));
    assert_eq!(answered.header("x-amz-executed-version"), Some("$latest"));
    let seen = answered.json();
    assert_eq!(seen["payload"], json!({"hello": "world"}));
    assert_eq!(seen["requestId"].as_str(), answered.header("x-amzn-requestid"));
}

#[tokio::test]
async fn no_payload_is_the_empty_event() {
    let lambda = Lambda::start(launch()).await;
    let answered = lambda.post(PATH, "", b"").await;
    assert_eq!(answered.json()["payload"], json!({}));
}

#[tokio::test]
async fn the_deadline_is_the_configured_timeout_away_and_kills() {
    let mut launch = launch();
    launch.timeout = Duration::from_secs(1);
    let lambda = Lambda::start(launch).await;
    let answered = lambda.invoke(&json!({"sleepMs": 60_000})).await;
    assert_eq!((answered.0, answered.header("x-amz-function-error")), (200, Some("unhandled")));
    let id = answered.header("x-amzn-requestid").expect("an id");
    assert_eq!(
        answered.json(),
        json!({
            "errorType": "Sandbox.Timedout",
            "errorMessage": format!("RequestId: {id} Error: Task timed out after 1.00 seconds")
        })
    );
}

#[tokio::test]
async fn a_function_error_is_a_200_with_its_type_and_message() {
    let lambda = Lambda::start(launch()).await;
    let error = json!({"errorType": "PolicyChangeRejected", "errorMessage": "no"});
    let answered = lambda.invoke(&json!({"error": error})).await;
    assert_eq!((answered.0, answered.header("x-amz-function-error")), (200, Some("unhandled")));
    assert_eq!(answered.json(), error);
}

#[tokio::test]
async fn a_process_that_exits_is_a_function_error_and_the_next_invocation_has_a_new_one() {
    let lambda = Lambda::start(launch()).await;
    let answered = lambda.invoke(&json!({"exit": 7})).await;
    let id = answered.header("x-amzn-requestid").expect("an id");
    assert_eq!(
        answered.json(),
        json!({
            "errorType": "Runtime.ExitError",
            "errorMessage": format!("RequestId: {id} Error: Runtime exited with error: exit status 7")
        })
    );
    assert_eq!(lambda.invoke(&json!({"answer": 1})).await.json(), json!(1));
    lambda.function.kill().await;
    assert_eq!(lambda.invoke(&json!({"answer": 2})).await.json(), json!(2));
}

#[tokio::test]
async fn the_log_comes_along_when_it_is_asked_for() {
    let lambda = Lambda::start(launch()).await;
    let order = json!({"stdout": ["first", "second"], "answer": 1}).to_string();
    let (_, head, _) = {
        let head = format!("POST {PATH} HTTP/1.1\r\nX-Amz-Log-Type: Tail");
        send(&lambda.api.url(), &head, order.as_bytes()).await
    };
    let log = STANDARD.encode("first\nsecond\n");
    assert!(head.contains(&format!("x-amz-log-result: {log}")), "{head}");
}

#[tokio::test]
async fn an_event_is_accepted_at_once_and_runs_later() {
    let lambda = Lambda::start(launch()).await;
    let order = json!({"sleepMs": 300, "stdout": ["ran"], "answer": 1}).to_string();
    let answered = lambda.post(PATH, "\r\nX-Amz-Invocation-Type: Event", order.as_bytes()).await;
    assert_eq!((answered.0, answered.2.as_slice()), (202, b"".as_slice()));
    // the next invocation waits its turn behind it
    lambda.invoke(&json!({"answer": 2})).await;
    assert!(lambda.function.output().contains(&"ran".to_owned()));
}

#[tokio::test]
async fn a_dry_run_runs_nothing() {
    let lambda = Lambda::start(launch()).await;
    let answered = lambda.post(PATH, "\r\nX-Amz-Invocation-Type: DryRun", br#"{"stdout": ["ran"]}"#).await;
    assert_eq!(answered.0, 204);
    lambda.invoke(&json!({"answer": 1})).await;
    assert!(!lambda.function.output().contains(&"ran".to_owned()));
}

impl Lambda {
    /// The status, the error's name and its message.
    async fn refusal(&self, path: &str, headers: &str, payload: &[u8]) -> (u16, String, String) {
        let answered = self.post(path, headers, payload).await;
        let name = answered.header("x-amzn-errortype").expect("a name").to_owned();
        let document = answered.json();
        assert_eq!(document["Type"], "User");
        let message = document["Message"].as_str().expect("a message");
        (answered.0, name, message.to_owned())
    }
}

fn refused(status: u16, name: &str, message: String) -> (u16, String, String) {
    (status, name.to_lowercase(), message)
}

#[tokio::test]
async fn a_payload_over_its_limit_is_refused() {
    let lambda = Lambda::start(launch()).await;
    let large = vec![b' '; LARGEST_PAYLOAD + 1];
    let event = "\r\nX-Amz-Invocation-Type: Event";
    for (headers, limit) in [("", LARGEST_PAYLOAD), (event, LARGEST_EVENT)] {
        let message = format!("Request must be smaller than {limit} bytes for the InvokeFunction operation");
        assert_eq!(
            lambda.refusal(PATH, headers, &large[..=limit]).await,
            refused(413, "RequestTooLargeException", message)
        );
    }
}

#[tokio::test]
async fn a_payload_that_is_not_json_is_refused() {
    let lambda = Lambda::start(launch()).await;
    let why = "Could not parse request body into json: EOF while parsing an object at line 1 column 1";
    assert_eq!(
        lambda.refusal(PATH, "", b"{").await,
        refused(400, "InvalidRequestContentException", why.to_owned())
    );
}

#[tokio::test]
async fn another_function_or_version_is_not_found() {
    let lambda = Lambda::start(launch()).await;
    let other = "/2015-03-31/functions/other/invocations";
    let version = format!("{PATH}?Qualifier=7");
    for (path, named) in [(other, "other"), (&version, "connect-attachment-policy:7")] {
        let message = format!("Function not found: arn:aws:lambda:us-east-1:111122223333:function:{named}");
        assert_eq!(lambda.refusal(path, "", b"{}").await, refused(404, "ResourceNotFoundException", message));
    }
}

#[tokio::test]
async fn an_unknown_invocation_type_is_refused() {
    let lambda = Lambda::start(launch()).await;
    let why = "X-Amz-Invocation-Type must be RequestResponse, Event or DryRun, not `Later`";
    assert_eq!(
        lambda.refusal(PATH, "\r\nX-Amz-Invocation-Type: Later", b"{}").await,
        refused(400, "InvalidParameterValueException", why.to_owned())
    );
}

#[tokio::test]
async fn a_payload_of_exactly_the_limit_arrives() {
    let lambda = Lambda::start(launch()).await;
    let mut payload = br#"{"answer": 1}"#.to_vec();
    payload.resize(LARGEST_PAYLOAD, b' ');
    assert_eq!(lambda.post(PATH, "", &payload).await.json(), json!(1));
}
