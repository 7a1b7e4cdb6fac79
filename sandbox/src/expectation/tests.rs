use super::*;
use serde_json::{Value, json};

fn response(document: &Value) -> Answer {
    Answer::Response(document.to_string().into_bytes())
}

fn http(status: u64, body: &Value) -> Answer {
    response(&json!({"statusCode": status, "body": body.to_string()}))
}

/// A function error whose message is a report.
fn error(name: &str, status: &str) -> Answer {
    Answer::Error { error_type: name.into(), error_message: json!({"status": status}).to_string() }
}

/// A function error whose message is a sentence.
fn refusal(name: &str) -> Answer {
    Answer::Error { error_type: name.into(), error_message: "why".into() }
}

fn batch(failures: usize) -> Answer {
    response(&json!({"batchItemFailures": vec![json!({"itemIdentifier": "1"}); failures]}))
}

/// What was put at a `ResponseURL`.
fn resource(status: &str, is_of_change: bool) -> Answer {
    let mut body = json!({"Status": status});
    if is_of_change {
        body["Data"] = json!({"ChangeId": "c"});
    }
    response(&body)
}

#[test]
fn a_name_says_the_trigger_and_the_ending() {
    let expectation = |trigger, ending| Ok(Expectation { trigger, ending });
    assert_eq!(Expectation::of_file("http.succeeded.json"), expectation(Trigger::Http, Ending::Succeeded));
    assert_eq!(
        Expectation::of_file("event-bridge.rejected.string-detail.json"),
        expectation(Trigger::EventBridge, Ending::Rejected)
    );
}

#[test]
fn a_name_that_is_not_understood_is_answered_with_the_known_parts() {
    let refused = |name| Expectation::of_file(name).map_err(|error| (error.clone(), error.to_string()));
    assert_eq!(
        refused("kafka.succeeded.json"),
        Err((
            UnknownName::Trigger,
            "a name must begin with a trigger, one of `http`, `rest`, `event-bridge`, `sqs`, `bare`, \
             `cloudformation`"
                .into()
        ))
    );
    assert_eq!(
        refused("bare.json"),
        Err((
            UnknownName::Ending,
            "the second part of a name must be an ending, one of `succeeded`, `planned`, `accepted`, \
             `rejected`, `failed`, `partial`, `incomplete`, `malformed`, `unrecognised`"
                .into()
        ))
    );
}

#[test]
fn every_ending_is_met_by_the_answer_of_its_trigger() {
    use Ending::*;
    let report = |status: &str| response(&json!({"status": status}));
    let problem =
        |status: u64, report: &str| http(status, &json!({"status": status, "report": {"status": report}}));
    for (trigger, ending, answer) in [
        (Trigger::Http, Succeeded, http(200, &json!({"status": "succeeded"}))),
        (Trigger::Http, Succeeded, http(200, &json!({"maximumSizeLimitInBytes": 1}))),
        (Trigger::Rest, Planned, http(200, &json!({"status": "planned"}))),
        (Trigger::Http, Accepted, http(202, &json!({"status": "accepted"}))),
        (Trigger::Http, Rejected, http(422, &json!({"status": 422}))),
        (Trigger::Http, Malformed, http(400, &json!({"status": 400}))),
        (Trigger::Http, Failed, problem(404, "failed")),
        (Trigger::Http, Failed, problem(502, "failed")),
        (Trigger::Http, Partial, http(207, &json!({"status": "partial"}))),
        (Trigger::Http, Incomplete, http(207, &json!({"status": "incomplete"}))),
        (Trigger::Http, Incomplete, problem(503, "incomplete")),
        (Trigger::Http, Unrecognised, refusal("UnrecognisedPayload")),
        (Trigger::Bare, Succeeded, report("succeeded")),
        (Trigger::EventBridge, Planned, report("planned")),
        (Trigger::Bare, Rejected, error("PolicyChangeRejected", "rejected")),
        (Trigger::Bare, Failed, error("PolicyChangeFailed", "failed")),
        (Trigger::EventBridge, Partial, error("PolicyChangeFailed", "partial")),
        (Trigger::EventBridge, Incomplete, error("PolicyChangeIncomplete", "incomplete")),
        (Trigger::Bare, Malformed, refusal("MalformedPayload")),
        (Trigger::Bare, Unrecognised, refusal("UnrecognisedPayload")),
        (Trigger::Sqs, Succeeded, batch(0)),
        (Trigger::Sqs, Rejected, batch(1)),
        (Trigger::Cloudformation, Succeeded, resource("SUCCESS", true)),
        (Trigger::Cloudformation, Succeeded, resource("SUCCESS", false)),
        (Trigger::Cloudformation, Rejected, resource("FAILED", false)),
        (Trigger::Cloudformation, Failed, resource("FAILED", true)),
        (Trigger::Cloudformation, Partial, resource("FAILED", true)),
        (Trigger::Cloudformation, Malformed, refusal("MalformedPayload")),
    ] {
        assert_eq!(Expectation { trigger, ending }.check(&answer), Ok(()), "{trigger} {ending}");
    }
}

#[test]
fn a_mismatch_says_what_was_expected_and_what_was_answered() {
    for (trigger, ending, answer, expected, actual) in [
        (
            Trigger::Http,
            Ending::Rejected,
            http(200, &json!({"status": "succeeded"})),
            "HTTP 422 (`rejected`)",
            "HTTP 200 (`succeeded`)",
        ),
        (
            Trigger::Http,
            Ending::Succeeded,
            http(200, &json!({"status": "planned"})),
            "HTTP 200 (`succeeded`)",
            "HTTP 200 (`planned`)",
        ),
        (
            Trigger::Bare,
            Ending::Planned,
            refusal("PolicyChangeRejected"),
            "a report of status `planned`",
            "the function error `PolicyChangeRejected`: why",
        ),
        (
            Trigger::Bare,
            Ending::Rejected,
            Answer::Exited(Some(1)),
            "the function error `PolicyChangeRejected` with a report of status `rejected`",
            "a process that exited with code 1",
        ),
        (
            Trigger::Sqs,
            Ending::Succeeded,
            batch(1),
            "a batch response without failures",
            "a batch response with 1 failure",
        ),
        (Trigger::Http, Ending::Malformed, Answer::TimedOut, "HTTP 400", "no answer before the deadline"),
        (
            Trigger::Cloudformation,
            Ending::Succeeded,
            resource("FAILED", true),
            "`SUCCESS` for CloudFormation",
            "`FAILED` for CloudFormation, after a change",
        ),
        (
            Trigger::Cloudformation,
            Ending::Rejected,
            resource("FAILED", true),
            "`FAILED` for CloudFormation, before any change",
            "`FAILED` for CloudFormation, after a change",
        ),
        (
            Trigger::Cloudformation,
            Ending::Partial,
            response(&json!({"request": "r", "changeId": "c"})),
            "`FAILED` for CloudFormation, after a change",
            "an answer without a `Status`",
        ),
    ] {
        let mismatch = Mismatch { expected: expected.into(), actual: actual.into() };
        assert_eq!(Expectation { trigger, ending }.check(&answer), Err(mismatch));
    }
}

#[test]
fn the_right_status_or_error_with_another_report_or_without_one_is_a_mismatch() {
    for (trigger, ending, answer, actual) in [
        (Trigger::Http, Ending::Failed, http(404, &json!({"status": 404})), "HTTP 404 without a report"),
        (
            Trigger::Http,
            Ending::Incomplete,
            http(503, &json!({"status": 503, "report": {"status": "failed"}})),
            "HTTP 503 (`failed`)",
        ),
        (
            Trigger::Bare,
            Ending::Partial,
            error("PolicyChangeFailed", "failed"),
            r#"the function error `PolicyChangeFailed`: {"status":"failed"}"#,
        ),
        (
            Trigger::Bare,
            Ending::Rejected,
            refusal("PolicyChangeRejected"),
            "the function error `PolicyChangeRejected`: why",
        ),
    ] {
        let mismatch = Expectation { trigger, ending }.check(&answer).map_err(|mismatch| mismatch.actual);
        assert_eq!(mismatch, Err(actual.to_owned()));
    }
}
