//! Compares the answer and the metrics with the audit.

use super::ledger::{Ended, is, text};
use super::load::{Asked, Way};
use sandbox::lambda::{Answer, Invocation};
use serde_json::Value;

/// The answer is about what was asked, and says what the audit says.
pub(super) fn answered(asked: &Asked, invocation: &Invocation, ended: &[Ended], audit: &[Value]) {
    let document = |bytes: &[u8]| serde_json::from_slice::<Value>(bytes).unwrap();
    let (answer, failed) = match &invocation.outcome {
        Answer::Response(bytes) => (document(bytes), None),
        Answer::Error { error_type, error_message } if asked.way == Way::Nonsense => {
            assert_eq!(error_type, "UnrecognisedPayload", "{error_message}");
            return assert!(audit.len() == 1 && is(&audit[0], "refusal"), "{audit:?}");
        }
        Answer::Error { error_type, error_message } => (document(error_message.as_bytes()), Some(error_type)),
        other => panic!("{}: {other:?}", asked.payload),
    };
    if asked.way == Way::Sqs {
        return batch(asked, &answer, audit);
    }
    let report = match answer["body"].as_str() {
        None => answer,
        Some(body) if asked.way == Way::Read => {
            let id = asked.payload.split("/instances/").nth(1).and_then(|rest| rest.get(..36));
            let body = document(body.as_bytes());
            assert!(answer["statusCode"] != 200 || body["instanceId"].as_str() == id, "{body}");
            return assert!(audit.is_empty(), "{audit:?}");
        }
        Some(body) => match document(body.as_bytes()) {
            problem if problem.get("report").is_some() => problem["report"].clone(),
            report => report,
        },
    };
    let changes = match report["changes"].as_array() {
        Some(changes) => changes.clone(),
        None => vec![report],
    };
    let mut reported = Vec::new();
    for (change, asked) in changes.iter().zip(&asked.changes) {
        assert_eq!(change["changeId"], asked["changeId"]);
        for result in change["results"].as_array().into_iter().flatten() {
            let [instance, scope, outcome] =
                ["instanceId", "attachmentScope", "outcome"].map(|name| text(&result[name]));
            reported.push((text(&change["changeId"]), instance, scope, outcome));
        }
    }
    reported.sort();
    assert_eq!(reported, ended, "the report and the audit differ: {}", asked.payload);
    let rejected = changes[0].get("violations").and_then(Value::as_array).is_some_and(|v| !v.is_empty());
    assert_eq!(rejected, audit.iter().any(|event| is(event, "refusal")), "{audit:?}");
    if let Some(error_type) = failed {
        assert!(error_type.starts_with("PolicyChange"), "{error_type}");
    }
}

/// A batch names exactly the messages whose change is not done.
fn batch(asked: &Asked, answer: &Value, audit: &[Value]) {
    let failures = answer["batchItemFailures"].as_array().unwrap();
    let failures: Vec<_> = failures.iter().map(|failure| failure["itemIdentifier"].clone()).collect();
    let open: Vec<_> = asked
        .changes
        .iter()
        .map(|change| change["changeId"].clone())
        .filter(|id| {
            let mut own = audit.iter().filter(|event| event["metadata"]["correlation_uid"] == *id);
            let outcomes: Vec<_> = own.by_ref().filter(|event| !is(event, "intent")).collect();
            let all = |kinds: &[&str]| {
                let kind =
                    |event: &&Value| event["unmapped"]["outcome"].as_str().unwrap_or("refusal").to_owned();
                outcomes.iter().all(|event| kinds.contains(&kind(event).as_str()))
            };
            !all(&["applied", "unchanged", "planned"]) && !all(&["superseded"])
        })
        .collect();
    assert_eq!(failures, open, "{}", asked.payload);
}

/// One line of metrics, with the same outcomes.
pub(super) fn metrics(lines: &[Value], ended: &[Ended], about: &str) {
    let metrics: Vec<_> = lines.iter().filter(|line| line["logger"] == "metrics").collect();
    assert_eq!(metrics.len(), 1, "one line of metrics for each invocation: {about}");
    for (name, outcome) in [
        ("TargetsApplied", "applied"),
        ("TargetsUnchanged", "unchanged"),
        ("TargetsPlanned", "planned"),
        ("TargetsSuperseded", "superseded"),
        ("TargetsBlocked", "blocked"),
        ("TargetsFailed", "failed"),
        ("TargetsUnknown", "unknown"),
        ("TargetsPending", "pending"),
        ("TargetsSkipped", "skipped"),
    ] {
        let count = ended.iter().filter(|(_, _, _, ended)| ended == outcome).count();
        assert_eq!(metrics[0][name], count, "{name}: {about}");
    }
}
