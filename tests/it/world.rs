//! The library in process, the sandbox's Connect over real HTTP, and what was written.

use aws_sdk_connect::config::{Credentials, SharedCredentialsProvider};
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use connect_attachment_policy::clock::Clock;
use connect_attachment_policy::handler::Handler;
use connect_attachment_policy::settings::Settings;
use connect_attachment_policy::telemetry::{LogLevel, LogPipe};
use connect_attachment_policy::{sdk, start};
use lambda_runtime::{Context, Diagnostic, LambdaEvent};
use sandbox::connect::{Connect, Entry, Operation, Options};
use sandbox::lambda::{Launch, Stream};
use serde_json::{Value, json};
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};
use tracing::Level;

pub(crate) const ONE: &str = "00000001-0000-4000-8000-000000000001";
pub(crate) const TWO: &str = "00000002-0000-4000-8000-000000000002";
pub(crate) const THREE: &str = "00000003-0000-4000-8000-000000000003";
pub(crate) const NOWHERE: &str = "99999999-0000-4000-8000-000000000009";

/// A pipe that keeps what is written, or refuses it.
#[derive(Clone, Default)]
pub(crate) struct Pipe(Arc<Mutex<Kept>>);

type Watcher = Box<dyn FnMut(&str) + Send>;

#[derive(Default)]
struct Kept {
    bytes: Vec<u8>,
    closed: bool,
    /// What the last line has in it.
    last: Option<String>,
    watcher: Option<Watcher>,
}

impl Pipe {
    pub(crate) fn close(&self) {
        self.0.lock().unwrap().closed = true;
    }

    /// Closes it behind the line that has this text in it.
    pub(crate) fn close_after(&self, text: &str) {
        self.0.lock().unwrap().last = Some(text.to_owned());
    }

    /// Every line so far.
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().bytes.clone()).unwrap()
    }

    /// Calls `watcher` with every line from now on, before the function continues.
    pub(crate) fn watch(&self, watcher: impl FnMut(&str) + Send + 'static) {
        self.0.lock().unwrap().watcher = Some(Box::new(watcher));
    }
}

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut kept = self.0.lock().unwrap();
        if kept.closed {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        kept.bytes.extend_from_slice(bytes);
        let text = str::from_utf8(bytes).unwrap();
        kept.closed = kept.last.as_ref().is_some_and(|last| text.contains(last));
        if let Some(watcher) = &mut kept.watcher {
            watcher(text);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

pub(crate) struct World {
    pub(crate) connect: Arc<Connect>,
    pub(crate) pipe: Pipe,
    pub(crate) clock: Clock,
    http: SharedHttpClient,
    handler: Handler,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(Options::default(), &[]).await
    }

    /// With other settings than a fast pace; the environment as an operator would set it.
    pub(crate) async fn with(options: Options, variables: &[(&str, &str)]) -> Self {
        let connect = Connect::start(options).await.unwrap();
        let url = connect.url();
        Self::against(connect, &url, variables)
    }

    /// With Connect's endpoint somewhere else than where the sandbox is, or with a sandbox that others use
    /// too. Besides the function's own variables, `AWS_ENDPOINT_URL_SQS` says where queues are (without it
    /// where Connect is), and `CA_PEM` which certificate is trusted besides the system's.
    pub(crate) fn against(connect: impl Into<Arc<Connect>>, url: &str, variables: &[(&str, &str)]) -> Self {
        let mut http = Builder::new().tls_provider(Provider::Rustls(CryptoMode::AwsLc));
        if let Some((_, pem)) = variables.iter().find(|(name, _)| *name == "CA_PEM") {
            let trusted = TrustStore::default().with_pem_certificate(*pem);
            http = http.tls_context(TlsContext::builder().with_trust_store(trusted).build().unwrap());
        }
        Self::by(http.build_https(), connect, url, variables)
    }

    /// Another process with the same Connect and other settings. It has a clock of its own.
    pub(crate) fn beside(&self, variables: &[(&str, &str)]) -> Self {
        Self::by(self.http.clone(), Arc::clone(&self.connect), &self.connect.url(), variables)
    }

    fn by(
        http: SharedHttpClient,
        connect: impl Into<Arc<Connect>>,
        url: &str,
        variables: &[(&str, &str)],
    ) -> Self {
        let lookup = |name: &str| {
            let set = variables.iter().find(|(key, _)| *key == name);
            let default = match name {
                "AWS_REGION" => Some("us-east-1"),
                "AWS_ENDPOINT_URL" => Some(url),
                "CONNECT_REQUESTS_PER_SECOND" => Some("500"),
                "CONNECT_BURST" => Some("50"),
                _ => None,
            };
            set.map(|(_, value)| *value).or(default).map(str::to_owned)
        };
        let settings = Settings::read(&lookup).unwrap();
        let key = sandbox::lambda::access_key_id(111_122_223_333);
        let credentials =
            SharedCredentialsProvider::new(Credentials::new(key, "secret", None, None, "tests"));
        let config = sdk::config("us-east-1", http.clone(), &lookup).into_builder();
        let config = config.credentials_provider(credentials).build();
        let pipe = Pipe::default();
        let log = LogPipe::new(pipe.clone());
        let clock = Clock::default();
        let level = LogLevel::Level(Level::INFO);
        let handler = start::assemble(settings, config, http.clone(), log, level, clock.clone());
        Self { connect: connect.into(), pipe, clock, http, handler }
    }

    /// Invokes with 30 seconds left.
    pub(crate) async fn invoke(&self, payload: &Value) -> Result<Value, Diagnostic> {
        self.invoke_within(payload, Duration::from_secs(30)).await
    }

    pub(crate) async fn invoke_within(&self, payload: &Value, left: Duration) -> Result<Value, Diagnostic> {
        let deadline = SystemTime::now() + left;
        let deadline = deadline.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_millis();
        self.invoke_text(&payload.to_string(), u64::try_from(deadline).unwrap()).await
    }

    pub(crate) async fn invoke_text(&self, payload: &str, deadline_ms: u64) -> Result<Value, Diagnostic> {
        let mut context = Context::default();
        context.request_id = "11111111-2222-3333-4444-555555555555".into();
        context.deadline = deadline_ms;
        context.invoked_function_arn =
            "arn:aws:lambda:us-east-1:111122223333:function:connect-attachment-policy".into();
        context.xray_trace_id = Some("Root=1-6744f3a0-0123456789abcdef01234567;Sampled=0".to_owned());
        let payload = serde_json::from_str(payload).unwrap();
        match self.handler.handle(LambdaEvent::new(payload, context)).await {
            Ok(reply) => Ok(serde_json::from_str(reply.get()).unwrap()),
            Err(error) => Err(error.into()),
        }
    }

    /// A bare change that is settled: its report.
    pub(crate) async fn report(&self, change: &Value) -> Value {
        self.invoke(change).await.unwrap()
    }

    /// A bare change that is not: the function error's type and the report in its message.
    pub(crate) async fn error(&self, change: &Value) -> (String, Value) {
        failed(self.invoke(change).await)
    }

    /// The audit's events so far.
    pub(crate) fn audit(&self) -> Vec<Value> {
        let text = self.pipe.text();
        let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        lines.filter(|line| line["logger"] == "audit").map(|line| line["event"].clone()).collect()
    }

    /// What the audit records, in order: `intent`, `outcome applied`, `refusal`.
    pub(crate) fn audited(&self) -> Vec<String> {
        let name = |event: &Value| match event["unmapped"]["outcome"].as_str() {
            Some(outcome) => format!("{} {outcome}", event["metadata"]["event_code"].as_str().unwrap()),
            None => event["metadata"]["event_code"].as_str().unwrap().to_owned(),
        };
        self.audit().iter().map(name).collect()
    }

    /// The calls Connect received, by operation.
    pub(crate) fn calls(&self, operation: Operation) -> Vec<Entry> {
        self.connect.journal().into_iter().filter(|entry| entry.operation == Some(operation)).collect()
    }

    pub(crate) fn updates(&self) -> usize {
        self.calls(Operation::UpdateAttachedFilesConfiguration).len()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        keep(&self.pipe.text());
    }
}

/// The production binary with the sandbox's Connect, its lines kept for conformance/.
pub(crate) fn launch(connect: &Connect) -> Launch {
    let mut launch = Launch::new(env!("CARGO_BIN_EXE_connect-attachment-policy"), &connect.url());
    launch.echo = Some(Arc::new(|stream, line| {
        if stream == Stream::Output {
            keep(&format!("{line}\n"));
        }
    }));
    launch
}

/// Adds whole lines to what `conformance/test_audit.py` validates: a file in the folder that
/// `AUDIT_LINES` names. Without the variable nothing is kept.
fn keep(lines: &str) {
    let Some(folder) = std::env::var_os("AUDIT_LINES") else {
        return;
    };
    let folder = Path::new(&folder);
    fs::create_dir_all(folder).unwrap();
    let mut file = OpenOptions::new().create(true).append(true).open(folder.join("it.jsonl")).unwrap();
    // one write: tests run side by side
    file.write_all(lines.as_bytes()).unwrap();
}

pub(crate) fn failed(result: Result<Value, Diagnostic>) -> (String, Value) {
    let error = result.unwrap_err();
    let report = serde_json::from_str(&error.error_message).unwrap_or(Value::String(error.error_message));
    (error.error_type, report)
}

/// A change of one instance's CHAT size to 10 MB, with more fields.
pub(crate) fn chat(instance: &str, more: &Value) -> Value {
    let mut change = json!({"instanceId": instance, "attachmentScope": "CHAT", "maximumSize": "10 MB"});
    for (key, value) in more.as_object().unwrap() {
        change[key] = value.clone();
    }
    change
}

/// The outcomes of a report, in order.
pub(crate) fn outcomes(report: &Value) -> Vec<&str> {
    report["results"].as_array().unwrap().iter().map(|result| result["outcome"].as_str().unwrap()).collect()
}
