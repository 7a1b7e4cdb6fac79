//! One request, from its arrival to its answer.

use super::entry::{self, Entry, Key};
use super::fault::{self, Fault};
use super::operation::Operation;
use crate::aws_json::{self, Call};
use crate::connections::{Answer, HangUp, Respond};
use crate::faults::Plan;
use crate::identifier::uuid;
use crate::journal::{Journal, Line};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::{CONNECTION, CONTENT_LENGTH, HOST, TRANSFER_ENCODING};
use hyper::http::request::Parts;
use hyper::{HeaderMap, Request, StatusCode, Uri};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use std::{future, io};
use time::OffsetDateTime;
use tokio::time::sleep;

/// What stands between the clients and the emulator.
#[derive(Debug)]
pub(super) struct Service {
    pub plan: Mutex<Plan<Fault>>,
    pub journal: Arc<Journal<Entry>>,
    /// When each item was last written.
    written: Mutex<HashMap<Key, Instant>>,
    emulator: SocketAddr,
    client: Client<HttpConnector, Full<Bytes>>,
}

/// The emulator's answer.
struct Carried {
    status: StatusCode,
    headers: HeaderMap,
    bytes: Bytes,
}

impl Carried {
    fn body(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or_default()
    }
}

impl Service {
    pub(super) fn new(emulator: SocketAddr, seed: u64) -> io::Result<Self> {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        Ok(Self {
            plan: Mutex::new(Plan::new(seed)),
            journal: Arc::new(Journal::new(None)?),
            written: Mutex::new(HashMap::new()),
            emulator,
            client: Client::builder(TokioExecutor::new()).build(connector),
        })
    }

    async fn answer(self: Arc<Self>, call: Call) -> Result<Answer, HangUp> {
        let operation = call.target().and_then(|(_, name)| Operation::named(name));
        let fault = operation.and_then(|operation| lock(&self.plan).next(operation, &call.body));
        let mut line = self.journal.open(Entry {
            sequence: 0,
            at: OffsetDateTime::now_utc(),
            operation,
            keys: entry::keys(&call.body),
            index: call.body.get("IndexName").and_then(Value::as_str).map(str::to_owned),
            attempt: call.attempt(),
            body: call.body.clone(),
            executed: false,
            capacity: Vec::new(),
            status: None,
            error: None,
            fault,
        });
        if fault == Some(Fault::Closed) {
            return Err(HangUp);
        }
        let refusal =
            operation.zip(fault).and_then(|(operation, fault)| fault.refusal(operation, &call.body));
        if let Some((status, body)) = refusal {
            return Ok(own(&mut line, status, &body));
        }
        if fault == Some(Fault::Unprocessed) {
            return self.in_part(call, line).await;
        }
        // A task, so that neither the effect nor its entry depends on the client's patience.
        let (carried, mut line) =
            tokio::spawn(Arc::clone(&self).carry(call, fault, line)).await.map_err(|_| HangUp)??;
        match fault {
            Some(Fault::AnswerLost) => return Err(HangUp),
            Some(Fault::NeverAnswered) => future::pending().await,
            Some(Fault::Slow(duration)) => sleep(duration).await,
            _ => {}
        }
        if let (Some(Fault::Behind(behind)), Some(_)) = (fault, &line.entry().index) {
            let body = self.without_recent(carried.body(), behind);
            return Ok(own(&mut line, carried.status, &body));
        }
        complete(&mut line, carried.status, &carried.body());
        let mut answer = aws_json::answer(carried.status, carried.bytes, "");
        *answer.headers_mut() = carried.headers;
        Ok(answer)
    }

    /// Has the emulator carry a request out.
    async fn carry(
        self: Arc<Self>,
        call: Call,
        fault: Option<Fault>,
        mut line: Line<Entry>,
    ) -> Result<(Carried, Line<Entry>), HangUp> {
        if let Some(Fault::Late(duration)) = fault {
            sleep(duration).await;
        }
        let bytes = counted(&call);
        let carried = self.forward(call.head, bytes).await.map_err(|_| HangUp)?;
        line.write(|entry| {
            entry.executed = carried.status.is_success();
            entry.capacity = entry::capacity(&carried.body());
        });
        if line.entry().executed && line.entry().operation.is_some_and(Operation::writes) {
            let mut written = lock(&self.written);
            written.extend(line.entry().keys.iter().map(|key| (key.clone(), Instant::now())));
        }
        Ok((carried, line))
    }

    /// Answers a `BatchGetItem` whose second half of the keys stays unprocessed.
    async fn in_part(self: Arc<Self>, mut call: Call, mut line: Line<Entry>) -> Result<Answer, HangUp> {
        let unprocessed = fault::cut(&mut call.body);
        if call.body.get("RequestItems") == Some(&json!({})) {
            let body = json!({"Responses": {}, "UnprocessedKeys": unprocessed});
            return Ok(own(&mut line, StatusCode::OK, &body));
        }
        call.bytes = call.body.to_string().into();
        let (carried, mut line) = self.carry(call, None, line).await?;
        let mut body = carried.body();
        if let (true, Some(body)) = (carried.status.is_success(), body.as_object_mut()) {
            body.insert("UnprocessedKeys".to_owned(), unprocessed);
        }
        Ok(own(&mut line, carried.status, &body))
    }

    /// An answer to a query without the items that were written less than this long ago.
    fn without_recent(&self, mut body: Value, behind: Duration) -> Value {
        let written = lock(&self.written);
        let is_recent = |item: &Value| {
            let last = entry::key(item).and_then(|key| written.get(&key));
            last.is_some_and(|last| last.elapsed() < behind)
        };
        if let Some(Value::Array(items)) = body.get_mut("Items") {
            items.retain(|item| !is_recent(item));
            let count = items.len();
            if let Some(body) = body.as_object_mut() {
                body.insert("Count".to_owned(), count.into());
            }
        }
        body
    }

    /// Forgets what was received, and when what was written.
    pub(super) fn forget(&self) {
        self.journal.clear();
        lock(&self.written).clear();
    }

    /// Sends a request on as it came, but for what belongs to the connection.
    async fn forward(
        &self,
        head: Parts,
        bytes: Bytes,
    ) -> Result<Carried, Box<dyn std::error::Error + Send + Sync>> {
        let mut request = Request::new(Full::new(bytes));
        *request.method_mut() = head.method;
        let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
        *request.uri_mut() = format!("http://{}{path}", self.emulator).parse::<Uri>()?;
        *request.headers_mut() = without_connection(head.headers);
        let (head, body) = self.client.request(request).await?.into_parts();
        let bytes = body.collect().await?.to_bytes();
        Ok(Carried { status: head.status, headers: without_connection(head.headers), bytes })
    }
}

impl Respond for Service {
    async fn respond(self: Arc<Self>, request: Request<Incoming>) -> Result<Answer, HangUp> {
        let call = Call::read(request).await?;
        self.answer(call).await
    }
}

/// The request as the emulator gets it: asking what it uses, which the journal has of every request. Its client gets
/// that too, as a member of the answer that it does not read.
fn counted(call: &Call) -> Bytes {
    const ASK: &str = "ReturnConsumedCapacity";
    let is_on_items =
        call.target().and_then(|(_, name)| Operation::named(name)).is_some_and(Operation::is_on_items);
    match call.body.as_object() {
        Some(members) if is_on_items && !members.contains_key(ASK) => {
            let mut members = members.clone();
            members.insert(ASK.to_owned(), "INDEXES".into());
            Value::Object(members).to_string().into()
        }
        _ => call.bytes.clone(),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An answer that is not the emulator's.
fn own(line: &mut Line<Entry>, status: StatusCode, body: &Value) -> Answer {
    complete(line, status, body);
    aws_json::answer(status, body.to_string(), &uuid())
}

/// Enters what is about to be answered.
fn complete(line: &mut Line<Entry>, status: StatusCode, body: &Value) {
    line.write(|entry| {
        entry.status = Some(status.as_u16());
        entry.error = if status.is_success() { None } else { aws_json::error_name(body) };
    });
}

fn without_connection(mut headers: HeaderMap) -> HeaderMap {
    for name in [HOST, CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING] {
        headers.remove(name);
    }
    headers
}
