//! What the HTTP API shows of records: every member, and none that has no value.

use super::{NOW, at, change, held, id, part, recorded, run, target};
use policy_core::origin::{IdentitySource, TriggerKind};
use policy_core::policy::Scope;
use policy_core::record::{
    ChangeRecord, Counts, Delivery, Freeze, Halt, Halted, LanePart, LaneState, Listed, Mode, Past,
    RecordStatus, RecordedError, RecordedOrigin, RecordedResult, Relations, Shown, Standing, Untouched, Who,
    accepted_document, freeze_document, history_document, list_document,
};
use policy_core::report::OutcomeKind;
use serde_json::value::RawValue;
use serde_json::{Value, json};

const TIME: &str = "2027-01-15T08:00:00Z";
const ARN: &str = "arn:aws:connect:us-east-1:111122223333:instance/0123abcd-0000-4000-8000-00000000000f";

fn parsed(document: Result<String, serde_json::Error>) -> Value {
    serde_json::from_str(&document.unwrap()).unwrap()
}

fn counts(outcomes: &[(OutcomeKind, u32)]) -> Counts {
    Counts { outcomes: outcomes.iter().copied().collect(), retry: 0 }
}

fn ada() -> Who {
    Who {
        principal: Some("arn:aws:iam::111122223333:user/ada".to_owned()),
        account: Some("111122223333".to_owned()),
        vouched_by: IdentitySource::ApiGatewayIam,
    }
}

fn origin() -> RecordedOrigin {
    RecordedOrigin {
        trigger: TriggerKind::Http,
        who: ada(),
        claimed_account: Some("444455556666".to_owned()),
        source_ip: Some("192.0.2.1".to_owned()),
        service: "apigateway.amazonaws.com".to_owned(),
        request_id: Some("JKJ=".to_owned()),
    }
}

fn origin_told() -> Value {
    json!({
        "trigger": "http", "principal": "arn:aws:iam::111122223333:user/ada", "account": "111122223333",
        "vouchedBy": "api-gateway-iam", "claimedAccount": "444455556666", "sourceIp": "192.0.2.1",
        "source": "apigateway.amazonaws.com", "requestId": "JKJ=",
    })
}

fn shown<'a>(change: &'a ChangeRecord, lanes: &'a [LanePart]) -> Shown<'a> {
    Shown { change, lanes, document: None, results: &[], untouched: &[], next: None }
}

#[test]
fn a_record_has_what_is_known_and_nothing_else() {
    let record = change();
    assert_eq!(
        parsed(shown(&record, &[]).encode()),
        json!({
            "changeId": "CHG-1", "status": "running", "run": 3, "dryRun": false,
            "submittedAt": "2027-01-15T07:00:00Z", "firstSubmittedAt": "2027-01-15T06:00:00Z",
            "origin": {"trigger": "bare", "vouchedBy": "invoker", "source": "lambda.amazonaws.com"},
            "progress": {"targets": 2, "done": 0}, "summary": {}, "results": [],
        })
    );
}

#[test]
fn a_record_that_has_everything_shows_it() {
    let relations = Relations {
        undoes: Some(id("A")),
        undone_by: Some(id("B")),
        applies: Some(id("C")),
        applied_by: Some(id("D")),
    };
    let record = ChangeRecord {
        status: RecordStatus::Cancelled,
        started: Some(at(-60)),
        finished: Some(NOW),
        origin: origin(),
        reason: Some("why".to_owned()),
        requested_by: Some("who".to_owned()),
        counts: counts(&[(OutcomeKind::Applied, 1), (OutcomeKind::Skipped, 2)]),
        halt: Some(Halt {
            as_what: Halted::Cancelled,
            at: NOW,
            who: ada(),
            reason: Some("wrong".to_owned()),
        }),
        plan_hash: Some("abc".to_owned()),
        relations,
        ..change()
    };
    let document = RawValue::from_string(r#"{"instanceId":"*"}"#.to_owned()).unwrap();
    let told = parsed(
        Shown { document: Some(&document), next: Some("MQ".to_owned()), ..shown(&record, &[]) }.encode(),
    );
    for (member, value) in [
        ("status", json!("cancelled")),
        ("startedAt", json!("2027-01-15T07:59:00Z")),
        ("finishedAt", json!(TIME)),
        ("origin", origin_told()),
        ("reason", json!("why")),
        ("requestedBy", json!("who")),
        ("document", json!({"instanceId": "*"})),
        ("progress", json!({"targets": 3, "done": 3})),
        ("summary", json!({"applied": 1, "skipped": 2})),
        ("nextToken", json!("MQ")),
        ("plan", json!("abc")),
        (
            "cancelled",
            json!({
                "at": TIME, "principal": "arn:aws:iam::111122223333:user/ada", "account": "111122223333",
                "vouchedBy": "api-gateway-iam", "reason": "wrong",
            }),
        ),
        ("undoes", json!("A")),
        ("undoneBy", json!("B")),
        ("applies", json!("C")),
        ("appliedBy", json!("D")),
    ] {
        assert_eq!(told[member], value, "{member}");
    }
}

#[test]
fn an_ended_lane_counts_by_its_end_and_an_open_one_by_its_progress() {
    let ended = LanePart {
        state: LaneState::Parked,
        // what was last written of its progress
        done: 1,
        planned: None,
        counts: counts(&[(OutcomeKind::Applied, 4), (OutcomeKind::Pending, 3)]),
        ..part("eu-west-1")
    };
    let open = LanePart {
        done: 2,
        planned: Some(5),
        deliveries: 4,
        stalled: 1,
        moved: Some(NOW),
        delivery: Some(Delivery { token: "secret".to_owned(), until: NOW }),
        ..part("us-east-1")
    };
    let (record, lanes) = (change(), [ended, open]);
    let told = parsed(shown(&record, &lanes).encode());
    assert_eq!(told["progress"], json!({"targets": 12, "done": 6}));
    assert_eq!(
        told["lanes"],
        json!([
            {
                "lane": "111122223333/eu-west-1", "state": "parked", "targets": 7, "done": 4, "deliveries": 1,
                "deliveriesWithoutProgress": 0,
            },
            {
                "lane": "111122223333/us-east-1", "state": "open", "targets": 5, "done": 2, "deliveries": 4,
                "deliveriesWithoutProgress": 1, "lastProgressAt": TIME,
            },
        ])
    );
}

#[test]
fn a_result_has_its_values_and_a_target_without_one_its_name() {
    let error =
        RecordedError { code: "NotTaken".to_owned(), message: "no effect".to_owned(), retryable: true };
    let result = RecordedResult {
        request_id: Some("r".to_owned()),
        last_modified: Some(NOW),
        error: Some(error),
        ..recorded(OutcomeKind::Failed)
    };
    let (halt, inline) = (Halted::Cancelled, Mode::Inline);
    let halt = Halt { as_what: halt, at: NOW, who: ada(), reason: None };
    let record = ChangeRecord { mode: inline, status: RecordStatus::Cancelled, halt: Some(halt), ..change() };
    let standing = Standing::in_lane(&record, None);
    let untouched = Untouched { target: target(Scope::Task), change_id: id("CHG-1/2"), standing };
    let (results, untouched) = ([result], [untouched]);
    let told = parsed(Shown { results: &results, untouched: &untouched, ..shown(&record, &[]) }.encode());
    assert_eq!(
        told["results"],
        json!([
            {
                "changeId": "CHG-1", "instanceId": "0123abcd-0000-4000-8000-00000000000f", "instanceArn": ARN,
                "attachmentScope": "CHAT", "outcome": "failed",
                "before": {"maximumSizeLimitInBytes": 5, "allowedExtensions": ["csv", "pdf"]},
                "after": {"maximumSizeLimitInBytes": 7, "allowedExtensions": ["pdf"]},
                "attempts": 1, "requestId": "r", "lastModifiedTime": TIME, "at": TIME,
                "error": {"code": "NotTaken", "message": "no effect", "retryable": true},
            },
            {
                "changeId": "CHG-1/2", "instanceId": "0123abcd-0000-4000-8000-00000000000f", "instanceArn": ARN,
                "attachmentScope": "TASK", "outcome": "skipped", "attempts": 0,
                "error": {
                    "code": "Cancelled", "message": "the change was cancelled before it reached this target",
                    "retryable": false,
                },
            },
        ])
    );
}

#[test]
fn a_list_has_a_line_for_each_change() {
    let listed = Listed {
        change_id: id("CHG-1"),
        run: 2,
        dry_run: true,
        status: RecordStatus::Planned,
        submitted: at(-60),
        started: Some(at(-60)),
        finished: Some(NOW),
        origin: origin(),
        reason: Some("why".to_owned()),
        requested_by: None,
        targets: 2,
        counts: counts(&[(OutcomeKind::Planned, 2)]),
        undoes: Some(id("A")),
        undone_by: None,
    };
    assert_eq!(
        parsed(list_document(&[listed], Some("MQ".to_owned()))),
        json!({
            "policyChanges": [{
                "changeId": "CHG-1", "status": "planned", "run": 2, "dryRun": true,
                "submittedAt": "2027-01-15T07:59:00Z", "startedAt": "2027-01-15T07:59:00Z", "finishedAt": TIME,
                "origin": origin_told(), "reason": "why", "targets": 2, "summary": {"planned": 2}, "undoes": "A",
            }],
            "nextToken": "MQ",
        })
    );
    assert_eq!(parsed(list_document(&[], None)), json!({"policyChanges": []}));
}

#[test]
fn a_history_says_what_became_of_a_target_and_who_asked() {
    let past = Past {
        run: run("CHG-1", 0),
        at: NOW,
        change_id: id("CHG-1/0"),
        outcome: OutcomeKind::Applied,
        before: Some(held(5, &["csv"])),
        after: None,
        error: None,
        who: Some(ada()),
    };
    assert_eq!(
        parsed(history_document(&target(Scope::Chat), &[past], None)),
        json!({
            "instanceId": "0123abcd-0000-4000-8000-00000000000f", "instanceArn": ARN, "attachmentScope": "CHAT",
            "history": [{
                "changeId": "CHG-1/0", "record": "CHG-1", "at": TIME, "outcome": "applied",
                "before": {"maximumSizeLimitInBytes": 5, "allowedExtensions": ["csv"]},
                "identity": {
                    "principal": "arn:aws:iam::111122223333:user/ada", "account": "111122223333",
                    "vouchedBy": "api-gateway-iam",
                },
            }],
        })
    );
}

#[test]
fn what_is_accepted_and_what_is_frozen_is_said_in_a_few_members() {
    let undo = ChangeRecord {
        status: RecordStatus::Accepted,
        relations: Relations { undoes: Some(id("A")), ..Relations::default() },
        ..change()
    };
    assert_eq!(
        parsed(accepted_document(&undo)),
        json!({
            "changeId": "CHG-1", "status": "accepted", "run": 3, "dryRun": false, "undoes": "A",
            "detail": "GET /policy-changes/{changeId} returns its progress and its results",
        })
    );
    let freeze = Freeze { who: ada(), at: NOW, reason: Some("INC-7".to_owned()), drain: true };
    assert_eq!(
        parsed(freeze_document(Some(&freeze))),
        json!({
            "frozen": true, "at": TIME, "principal": "arn:aws:iam::111122223333:user/ada",
            "account": "111122223333", "vouchedBy": "api-gateway-iam", "reason": "INC-7", "drain": true,
        })
    );
    assert_eq!(parsed(freeze_document(None)), json!({"frozen": false}));
}
