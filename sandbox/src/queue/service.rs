//! One request, from its arrival to its answer.

use super::action::{self, Done, Request};
use super::entry::Entry;
use super::fault::Fault;
use super::operation::Operation;
use super::refusal::Refusal;
use super::shelf::Shelf;
use crate::aws_json::{self, Call};
use crate::connections::{Answer, HangUp, Respond};
use crate::faults::Plan;
use crate::identifier::uuid;
use crate::journal::{Journal, Line};
use hyper::StatusCode;
use hyper::body::Incoming;
use hyper::header::{AUTHORIZATION, HeaderName, HeaderValue};
use std::future;
use std::sync::{Arc, Mutex, PoisonError};
use time::OffsetDateTime;
use tokio::time::sleep;

const QUERY_ERROR: HeaderName = HeaderName::from_static("x-amzn-query-error");

/// What answers the requests.
#[derive(Debug)]
pub(super) struct Service {
    pub plan: Mutex<Plan<Fault>>,
    pub journal: Arc<Journal<Entry>>,
    pub shelf: Arc<Shelf>,
    /// The URL that clients were given.
    pub endpoint: String,
}

impl Service {
    async fn answer(&self, call: Call) -> Result<Answer, HangUp> {
        let name = call.target().map_or("an operation without a name", |(_, name)| name).to_owned();
        let operation = Operation::named(&name);
        let fault = operation.and_then(|operation| {
            self.plan.lock().unwrap_or_else(PoisonError::into_inner).next(operation, &call.body)
        });
        let mut line = self.journal.open(Entry {
            sequence: 0,
            at: OffsetDateTime::now_utc(),
            operation,
            queue: action::queue_of(&call.body).ok(),
            attempt: call.attempt(),
            body: call.body.clone(),
            executed: false,
            messages: Vec::new(),
            status: None,
            error: None,
            fault,
        });
        if fault == Some(Fault::Closed) {
            return Err(HangUp);
        }
        let refusal = operation.zip(fault).and_then(|(operation, fault)| fault.refusal(operation));
        let outcome = match (refusal, operation, sender(&call)) {
            (Some(refusal), ..) => Err(refusal),
            (None, None, _) => Err(Refusal::unsupported(&name)),
            (None, Some(_), None) => Err(Refusal::unsigned()),
            (None, Some(operation), Some(sender)) => {
                let (body, endpoint) = (&call.body, self.endpoint.as_str());
                let request = Request { operation, body, sender: &sender, endpoint, fault };
                action::run(&self.shelf, &request).await
            }
        };
        if let Ok(done) = &outcome {
            line.write(|entry| {
                entry.executed = true;
                entry.messages.clone_from(&done.messages);
            });
        }
        match fault {
            Some(Fault::AnswerLost) => return Err(HangUp),
            Some(Fault::NeverAnswered) => future::pending().await,
            Some(Fault::Slow(duration)) => sleep(duration).await,
            _ => {}
        }
        Ok(answer(&mut line, &outcome))
    }
}

impl Respond for Service {
    async fn respond(self: Arc<Self>, request: hyper::Request<Incoming>) -> Result<Answer, HangUp> {
        let call = Call::read(request).await?;
        self.answer(call).await
    }
}

/// The answer, entered in the journal.
fn answer(line: &mut Line<Entry>, outcome: &Result<Done, Refusal>) -> Answer {
    let status = outcome.as_ref().map_or_else(|refusal| refusal.status, |_| StatusCode::OK);
    line.write(|entry| {
        entry.status = Some(status.as_u16());
        entry.error = outcome.as_ref().err().map(|refusal| refusal.code.to_owned());
    });
    match outcome {
        Ok(done) => aws_json::answer(status, done.body.to_string(), &uuid()),
        Err(refusal) => {
            let body = aws_json::error(refusal.namespace(), refusal.name, &refusal.message);
            let mut answer = aws_json::answer(status, body.to_string(), &uuid());
            if let Ok(value) = HeaderValue::from_str(&refusal.query_error()) {
                answer.headers_mut().insert(QUERY_ERROR, value);
            }
            answer
        }
    }
}

/// Who signed a request, as `SenderId` says it: the id of a user, or of a role and its session. The id is made of the
/// access key's, since there are no users here.
fn sender(call: &Call) -> Option<String> {
    let authorization = call.head.headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (_, credential) = authorization.split_once("Credential=")?;
    let (key, _) = credential.split_once('/')?;
    Some(match (key.strip_prefix("ASIA"), key.strip_prefix("AKIA")) {
        (Some(rest), _) => format!("AROA{rest}:sandbox"),
        (None, Some(rest)) => format!("AIDA{rest}"),
        (None, None) => key.to_owned(),
    })
}
