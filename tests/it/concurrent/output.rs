//! The lines that the process wrote, and the request that each belongs to.

use super::{Calls, Request, Way};
use sandbox::lambda::Function;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Everything the process wrote: lines of the audit, of metrics, and of the log, each with its place.
pub(super) struct Output {
    lines: Vec<Value>,
}

impl Output {
    pub(super) fn of(function: &Function) -> Self {
        let lines = function.output();
        Self { lines: lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect() }
    }

    fn logger(&self, logger: &str) -> Vec<&Value> {
        self.lines.iter().filter(|line| line["logger"].as_str().unwrap_or("log") == logger).collect()
    }

    /// Its own lines in order, each with its own ids; an intent before what was sent.
    pub(super) fn assert_audit(&self, request: &Request, outcome: &str, calls: &Calls) {
        let audit = self.logger("audit").into_iter().map(|line| &line["event"]);
        let own: Vec<_> =
            audit.filter(|event| event["unmapped"]["lambdaRequestId"] == request.request_id()).collect();
        let codes: Vec<_> =
            own.iter().map(|event| event["metadata"]["event_code"].as_str().unwrap()).collect();
        let expected = match (outcome, calls.updates) {
            ("rejected", _) => vec!["refusal"],
            (_, 0) => vec!["outcome"],
            _ => vec!["intent", "outcome"],
        };
        assert_eq!(codes, expected, "{}", request.n);
        let last = own.last().unwrap();
        for event in &own {
            assert_eq!(event["metadata"]["correlation_uid"], request.change["changeId"]);
            assert_eq!(event["trace"]["uid"], request.trace());
        }
        let id = |prefix: &str| json!(format!("{prefix}-{}", request.n));
        let trigger_id = match request.way {
            Way::Bare => Value::Null,
            Way::Http => id("api"),
            Way::Event => id("event"),
            Way::Sqs => id("message"),
        };
        assert_eq!(last["unmapped"]["triggerRequestId"], trigger_id);
        if outcome == "rejected" {
            return;
        }
        for event in &own {
            assert_eq!(event["resources"][0]["name"], request.instance);
        }
        if own.len() == 2 {
            let asked = &own[0]["resources"][0]["data"]["after"]["maximumSizeLimitInBytes"];
            assert_eq!(*asked, Request::size(request.n));
        }
        let unmapped = &last["unmapped"];
        assert_eq!((&unmapped["outcome"], &unmapped["attempts"]), (&json!(outcome), &json!(calls.updates)));
        assert_eq!(unmapped["throttledCalls"], calls.throttled);
    }

    /// Each of its lines has its own spans and no others.
    pub(super) fn assert_log(&self, request: &Request, outcome: &str) {
        let span = json!({"name": "Lambda runtime invoke", "requestId": request.request_id(),
            "xrayTraceId": format!("Root={};Sampled=0", request.trace())});
        let own: Vec<_> = self.logger("log").into_iter().filter(|line| line["spans"][0] == span).collect();
        let messages: Vec<_> = own.iter().map(|line| line["message"].as_str().unwrap()).collect();
        let updated = ["applied", "failed"].contains(&outcome);
        let expected =
            if updated { vec!["updated", "invocation handled"] } else { vec!["invocation handled"] };
        assert_eq!(messages, expected, "{}", request.n);
        let target = json!({"name": "target", "instance": request.instance, "scope": "CHAT"});
        if updated {
            assert_eq!(own[0]["spans"], json!([span, target]));
        }
        assert_eq!(own[own.len() - 1]["spans"], json!([span]));
        assert_eq!(own[own.len() - 1]["applied"], u64::from(outcome == "applied"));
    }

    /// Its metrics line counts its own work and not that of others.
    pub(super) fn assert_metrics(&self, request: &Request, outcome: &str, calls: &Calls) {
        let metrics = self.logger("metrics");
        let own: Vec<_> = metrics.iter().filter(|line| line["requestId"] == request.request_id()).collect();
        assert_eq!(own.len(), 1, "{}", request.n);
        let names: BTreeMap<_, _> = [
            ("TargetsApplied", "applied"),
            ("TargetsPlanned", "planned"),
            ("TargetsBlocked", "blocked"),
            ("TargetsFailed", "failed"),
            ("RejectedChanges", "rejected"),
        ]
        .into();
        for (name, of) in names {
            assert_eq!(own[0][name], u64::from(of == outcome), "{} {name}", request.n);
        }
        assert_eq!(own[0]["UpdateAttempts"], calls.updates);
        assert_eq!(own[0]["ThrottledCalls"], calls.throttled);
        assert_eq!(own[0]["xrayTraceId"], request.trace());
    }

    /// There is no other line, and exactly one invocation was a cold start.
    pub(super) fn assert_whole(&self, requests: usize) {
        let audit = self.logger("audit");
        // 12 updates of two lines, 2 refusals, a plan and a guardrail
        assert_eq!(audit.len(), 12 * 2 + 4);
        let unique: BTreeSet<_> =
            audit.iter().map(|line| line["event"]["metadata"]["uid"].as_str()).collect();
        assert_eq!(unique.len(), audit.len());
        let metrics = self.logger("metrics");
        assert_eq!(metrics.len(), requests);
        assert_eq!(metrics.iter().filter_map(|line| line["ColdStarts"].as_u64()).sum::<u64>(), 1);
        let outside: Vec<_> =
            self.logger("log").into_iter().filter(|line| line["spans"][0].is_null()).collect();
        let said: Vec<_> = outside.iter().map(|line| line["message"].as_str().unwrap()).collect();
        assert_eq!(said, ["started"]);
        assert_eq!(self.logger("log").len(), 1 + requests + 12);
    }
}
