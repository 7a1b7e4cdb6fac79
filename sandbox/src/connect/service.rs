//! One request, from its arrival to its answer.

use std::{
    io,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::{Method, Request, body::Incoming, http::request::Parts};
use time::OffsetDateTime;
use tokio::time::sleep;

use crate::aws_json::attempt;
use crate::connections::{Answer, HangUp, Respond};
use crate::identifier::uuid;
use crate::journal::{Journal, Line};

use super::{
    Options, answer,
    caller::Caller,
    command::{Command, Done},
    entry::Entry,
    fault::{Fault, Plan},
    lock,
    operation::{Operation, Route},
    quota::Quota,
    reference,
    refusal::Refusal,
    sigv4,
    state::State,
};

/// The largest body read, in bytes; far above anything these operations take.
const LARGEST_BODY: usize = 6 * 1024 * 1024;

/// Everything the requests share.
#[derive(Debug)]
pub(super) struct Service {
    pub state: Mutex<State>,
    pub faults: Mutex<Plan>,
    pub journal: Arc<Journal<Entry>>,
    pub clock: fn() -> OffsetDateTime,
    quota: Mutex<Quota>,
    latency: Duration,
}

/// A request that may be carried out.
struct Admitted<'request> {
    route: Route<'request>,
    query: Option<&'request str>,
    body: &'request [u8],
    caller: Caller,
    fault: Option<Fault>,
}

impl Service {
    pub(super) fn new(options: Options) -> io::Result<Self> {
        Ok(Self {
            state: Mutex::new(State::load(options.instances, options.state)?),
            faults: Mutex::new(Plan::new(options.faults, options.seed)),
            journal: Arc::new(Journal::new(options.journal.as_deref())?),
            clock: options.clock,
            quota: Mutex::new(Quota::new(options.rate)),
            latency: options.latency,
        })
    }

    /// May be dropped at any await; the journal stays correct.
    async fn answer(&self, request: Request<Incoming>) -> Result<Answer, HangUp> {
        let (parts, body) = request.into_parts();
        let body = read(body).await?;
        let route = Route::find(&parts.method, parts.uri.path());
        let caller = sigv4::caller(&parts.headers);
        let bytes = body.as_deref().unwrap_or_default();
        let request_id = uuid();
        // a client that opens a connection asks for nothing: there is nothing to write down
        if let (Err(refusal), &Method::HEAD) = (&caller, &parts.method) {
            return Ok(answer::refusal(refusal, &request_id));
        }
        let mut entry = arrival((self.clock)(), &parts, route.as_ref(), caller.as_ref().ok());
        entry.body = serde_json::from_slice(bytes).ok();
        entry.request_id.clone_from(&request_id);
        let mut line = self.journal.open(entry);

        let admitted = self.admit(caller, route, &body, || {
            Refusal::unknown_operation(parts.method.as_str(), parts.uri.path())
        });
        let fault = admitted.as_ref().ok().and_then(|(caller, route)| {
            lock(&self.faults).next(route.operation, (&caller.account, &caller.region))
        });
        line.write(|entry| entry.fault = fault);
        // Even a sleep of zero waits for the timer's next tick.
        if !self.latency.is_zero() {
            sleep(self.latency).await;
        }
        let query = parts.uri.query();
        let outcome = match admitted {
            Ok((caller, route)) => {
                let request = Admitted { route, query, body: bytes, caller, fault };
                self.perform(request, &mut line).await
            }
            Err(refusal) => Ok(answer::refusal(&refusal, &request_id)),
        };
        if let Ok(sent) = &outcome {
            line.write(|entry| {
                entry.status = Some(sent.status().as_u16());
                entry.error = sent.headers().get(answer::ERROR_TYPE).and_then(text);
            });
        }
        outcome
    }

    /// Admits a request that is signed, names an operation and is within the quota.
    fn admit<'request>(
        &self,
        caller: Result<Caller, Refusal>,
        route: Option<Route<'request>>,
        body: &Result<Bytes, Refusal>,
        unknown: impl FnOnce() -> Refusal,
    ) -> Result<(Caller, Route<'request>), Refusal> {
        let caller = caller?;
        let route = route.ok_or_else(unknown)?;
        if !lock(&self.quota).admits(&caller.account, &caller.region, route.operation, Instant::now()) {
            return Err(Refusal::throttled());
        }
        body.as_ref().map_err(Clone::clone)?;
        Ok((caller, route))
    }

    /// Carries a request out, with the fault that is planned for it.
    async fn perform(&self, request: Admitted<'_>, line: &mut Line<Entry>) -> Result<Answer, HangUp> {
        let request_id = line.entry().request_id.clone();
        if request.fault == Some(Fault::ResetBefore) {
            return Err(HangUp);
        }
        if request.fault == Some(Fault::Silent) {
            // until its client leaves
            std::future::pending::<()>().await;
        }
        if let Some(refusal) =
            request.fault.and_then(|fault| instead(fault, &request.caller, request.route.operation))
        {
            return Ok(answer::refusal(&refusal, &request_id));
        }
        let done = self.run(&request);
        if let Ok(done) = &done {
            line.write(|entry| (entry.effect, entry.changed) = (done.effect, done.changed));
        }
        match request.fault {
            Some(Fault::ResetAfter) => return Err(HangUp),
            Some(Fault::Slow(duration)) => sleep(duration).await,
            _ => {}
        }
        Ok(match (done, request.fault) {
            (Err(refusal), _) => answer::refusal(&refusal, &request_id),
            (Ok(_), Some(Fault::WrongContentType)) => answer::html(&request_id),
            (Ok(done), Some(Fault::Truncated)) => answer::truncated(&done.body, &request_id),
            (Ok(done), _) => answer::json(&done.body, &request_id),
        })
    }

    fn run(&self, request: &Admitted<'_>) -> Result<Done, Refusal> {
        let Admitted { route, query, body, caller, fault } = request;
        let command = Command::read(route, *query, body, caller)?;
        let spoilt = *fault == Some(Fault::OtherValues);
        command.run(&mut lock(&self.state), caller, (self.clock)(), spoilt)
    }
}

impl Respond for Service {
    async fn respond(self: Arc<Self>, request: Request<Incoming>) -> Result<Answer, HangUp> {
        self.answer(request).await
    }
}

/// The answer that a fault gives instead of the operation's.
fn instead(fault: Fault, caller: &Caller, operation: Operation) -> Option<Refusal> {
    Some(match fault {
        Fault::Throttle => Refusal::throttled(),
        Fault::UntypedThrottle => Refusal::throttled_untyped(),
        Fault::TooManyRequests => Refusal::too_many_requests(),
        Fault::InternalError => Refusal::internal("an internal error occurred".to_owned()),
        Fault::Unavailable { retry_after_ms } => Refusal::unavailable(retry_after_ms),
        Fault::AccessDenied => Refusal::access_denied(caller, operation),
        Fault::ExpiredToken => Refusal::expired_token(),
        Fault::NotFound => Refusal::not_found("the resource was not found".to_owned()),
        Fault::ResetBefore
        | Fault::ResetAfter
        | Fault::Silent
        | Fault::Slow(_)
        | Fault::Truncated
        | Fault::WrongContentType
        | Fault::OtherValues => return None,
    })
}

/// The journal's entry of a request that has just arrived.
fn arrival(at: OffsetDateTime, parts: &Parts, route: Option<&Route>, caller: Option<&Caller>) -> Entry {
    Entry {
        sequence: 0,
        at,
        operation: route.map(|route| route.operation),
        method: parts.method.to_string(),
        path: parts.uri.to_string(),
        instance_id: route.and_then(|route| route.resource).map(reference::id_in),
        scope: route.and_then(|route| reference::decode(route.scope?).ok()?.parse().ok()),
        account: caller.map(|caller| caller.account.clone()).unwrap_or_default(),
        region: caller.map(|caller| caller.region.clone()).unwrap_or_default(),
        attempt: attempt(&parts.headers),
        body: None,
        status: None,
        error: None,
        request_id: String::new(),
        effect: false,
        changed: false,
        fault: None,
    }
}

/// Reads a whole body; refuses one that is too large; hangs up if its client has left.
async fn read(body: Incoming) -> Result<Result<Bytes, Refusal>, HangUp> {
    match Limited::new(body, LARGEST_BODY).collect().await {
        Ok(body) => Ok(Ok(body.to_bytes())),
        Err(error) if error.is::<LengthLimitError>() => Ok(Err(Refusal::too_large(LARGEST_BODY))),
        Err(_) => Err(HangUp),
    }
}

fn text(value: &hyper::header::HeaderValue) -> Option<String> {
    value.to_str().ok().map(str::to_owned)
}
