use super::*;
use crate::aws::{AccountId, RegionName};
use crate::calls::CallCost;
use crate::failure::{ErrorCode, Failure};
use crate::policy::{Configuration, Home, InstanceId, Scope, ViolationCode};
use serde_json::{Value, json};
use time::macros::datetime;

fn held(bytes: i64) -> Configuration {
    Configuration {
        maximum_size_limit_in_bytes: Some(bytes),
        allowed_extensions: Some(["pdf".to_owned()].into()),
    }
}

/// A target that ended this way; a failure is one that the same change again helps, or not.
fn target(kind: OutcomeKind, retryable: bool) -> TargetResult {
    let (before, after) = (held(1), held(2));
    let why = Failure::new(if retryable { ErrorCode::ConnectionFailed } else { ErrorCode::RequestRefused });
    of(match kind {
        OutcomeKind::Applied => Outcome::Applied { before, after, unrecorded: None },
        OutcomeKind::Unchanged => Outcome::Unchanged { held: before },
        OutcomeKind::Planned => Outcome::Planned { before, after },
        OutcomeKind::Superseded => Outcome::Superseded { held: Some(before), why },
        OutcomeKind::Blocked => Outcome::Blocked { held: None, why },
        OutcomeKind::Failed => Outcome::Failed { before: None, after: None, why },
        OutcomeKind::Unknown => Outcome::Unknown { before, why },
        OutcomeKind::Pending => Outcome::Pending { before: None, why },
        OutcomeKind::Skipped => Outcome::Skipped { why },
    })
}

fn of(outcome: Outcome) -> TargetResult {
    let home =
        Home { region: RegionName::parse("us-east-1").unwrap(), account: AccountId::parse("111122223333") };
    let id = InstanceId::parse("00000001-0000-4000-8000-000000000001").unwrap();
    TargetResult::without_calls(Some(home.instance(id)), Scope::Chat, outcome)
}

fn processed(results: Vec<TargetResult>, dry_run: bool) -> ChangeReport {
    ChangeReport {
        change_id: ChangeId::parse("c").unwrap(),
        disposition: Disposition::Processed { results, dry_run },
        warnings: Vec::new(),
    }
}

fn status(outcomes: &[(OutcomeKind, bool)], dry_run: bool) -> Status {
    processed(outcomes.iter().map(|(o, r)| target(*o, *r)).collect(), dry_run).status()
}

#[test]
fn the_status_follows_the_table_row_by_row() {
    use OutcomeKind::{Applied, Blocked, Failed, Pending, Planned, Skipped, Superseded, Unchanged, Unknown};
    let one = |outcome| [(outcome, false)];
    assert_eq!(status(&one(Applied), false), Status::Succeeded);
    assert_eq!(status(&one(Unchanged), false), Status::Succeeded);
    assert_eq!(status(&[(Applied, false), (Unchanged, false)], false), Status::Succeeded);
    assert_eq!(status(&[], false), Status::Succeeded);
    assert_eq!(status(&[(Planned, false), (Unchanged, false)], true), Status::Planned);
    assert_eq!(status(&one(Unchanged), true), Status::Planned);
    assert_eq!(status(&[(Planned, false), (Blocked, false)], true), Status::Partial);
    for outcome in [Blocked, Superseded, Failed, Skipped] {
        assert_eq!(status(&one(outcome), false), Status::Failed, "{outcome:?}");
        assert_eq!(status(&[(Applied, false), (outcome, false)], false), Status::Partial, "{outcome:?}");
    }
    for outcome in [(Failed, true), (Unknown, false), (Pending, false)] {
        assert_eq!(status(&[outcome], false), Status::Incomplete, "{outcome:?}");
        let among_others = [(Applied, false), (Blocked, false), outcome];
        assert_eq!(status(&among_others, false), Status::Incomplete, "{outcome:?}");
    }
}

/// The audit could not be written after the update: the same change again puts it on record.
#[test]
fn an_applied_target_without_its_audit_line_is_not_done() {
    let unrecorded = || Failure::new(ErrorCode::AuditUnavailable);
    for kind in [OutcomeKind::Applied, OutcomeKind::Unchanged, OutcomeKind::Planned] {
        let outcome = target(kind, false).outcome.unrecorded(unrecorded());
        assert_eq!(outcome.error(), Some(&unrecorded()));
        assert_eq!((processed(vec![of(outcome)], false)).status(), Status::Incomplete, "{kind:?}");
    }
    // what failed keeps its reason, and is not over
    let blocked = target(OutcomeKind::Blocked, false).outcome.unrecorded(unrecorded());
    assert_eq!(
        (blocked.kind(), blocked.error().map(|why| why.code)),
        (OutcomeKind::Failed, Some(ErrorCode::RequestRefused))
    );
}

#[test]
fn rejected_and_accepted_changes_have_no_results() {
    let id = ChangeId::parse("c").unwrap();
    assert_eq!(ChangeReport::rejected(id.clone(), Vec::new()).status(), Status::Rejected);
    let accepted = ChangeReport { change_id: id, disposition: Disposition::Accepted, warnings: Vec::new() };
    assert_eq!(accepted.status(), Status::Accepted);
    assert_eq!(Report::one(accepted).status(), Status::Accepted);
}

fn document(report: &Report) -> Value {
    serde_json::from_str(&encode(report).unwrap()).unwrap()
}

#[test]
fn a_report_has_what_is_known_and_nothing_else() {
    let mut applied = target(OutcomeKind::Applied, false);
    applied.trace.update_attempts = 3;
    applied.trace.cost = CallCost { attempts: 4, ..CallCost::default() };
    applied.trace.request_id = Some("r".to_owned());
    applied.trace.last_modified = Some(datetime!(2026-11-23 09:00:00.125 UTC));
    let mut change = processed(vec![applied, target(OutcomeKind::Failed, true)], false);
    let warning = Violation {
        pointer: "/p".to_owned(),
        code: ViolationCode::SizeBelowDocumentedRange,
        message: "m".to_owned(),
    };
    change.warnings = vec![warning];
    let id = "00000001-0000-4000-8000-000000000001";
    let arn = format!("arn:aws:connect:us-east-1:111122223333:instance/{id}");
    let expected = json!({
        "changeId": "c", "status": "incomplete", "summary": {"applied": 1, "failed": 1}, "violations": [],
        "warnings": [{"pointer": "/p", "code": "SizeBelowDocumentedRange", "message": "m"}],
        "results": [
            {"instanceId": id, "instanceArn": arn, "attachmentScope": "CHAT", "outcome": "applied",
             "before": {"maximumSizeLimitInBytes": 1, "allowedExtensions": ["pdf"]},
             "after": {"maximumSizeLimitInBytes": 2, "allowedExtensions": ["pdf"]},
             "attempts": 3, "requestId": "r", "lastModifiedTime": "2026-11-23T09:00:00.125Z"},
            {"instanceId": id, "instanceArn": arn, "attachmentScope": "CHAT", "outcome": "failed",
             "attempts": 0, "error": {"code": "ConnectionFailed", "message": "Amazon Connect could not be reached, or its response could not be read", "retryable": true}},
        ],
    });
    assert_eq!(document(&Report::one(change)), expected);
}

#[test]
fn a_report_of_several_changes_has_a_report_of_each() {
    let changes = vec![
        processed(vec![target(OutcomeKind::Applied, false)], false),
        processed(vec![target(OutcomeKind::Blocked, false)], true),
    ];
    let report = Report::of(changes, true);
    let document = document(&report);
    assert_eq!((&document["status"], document.get("results")), (&json!("partial"), None));
    let each = document["changes"].as_array().unwrap().iter().map(|change| &change["status"]);
    assert_eq!(each.collect::<Vec<_>>(), ["succeeded", "failed"]);
    // planned only where every change is dry
    let planned = || processed(vec![target(OutcomeKind::Planned, false)], true);
    let all = Report::of(vec![planned(), planned()], true);
    assert_eq!(all.status(), Status::Planned);
    let some = Report::of(vec![planned(), processed(Vec::new(), false)], true);
    assert_eq!(some.status(), Status::Succeeded);
}

#[test]
fn a_rejection_has_its_violations_and_a_queued_change_says_how_to_follow_it() {
    let violation =
        Violation { pointer: "/a".to_owned(), code: ViolationCode::UnknownField, message: "m".to_owned() };
    let id = ChangeId::parse("c").unwrap();
    let rejected = ChangeReport::rejected(id.clone(), vec![violation.clone()]);
    assert_eq!((rejected.violations(), rejected.results()), (&[violation][..], &[][..]));
    let document = document(&Report::one(rejected));
    assert_eq!(document["violations"], json!([{"pointer": "/a", "code": "UnknownField", "message": "m"}]));
    assert_eq!((document.get("detail"), document.get("truncated")), (None, None));
    let accepted = ChangeReport { change_id: id, disposition: Disposition::Accepted, warnings: Vec::new() };
    let report = Report::one(accepted);
    assert!(report.is_settled() && !report.is_all(OutcomeKind::Superseded));
    let document: Value = serde_json::from_str(&encode(&report).unwrap()).unwrap();
    assert_eq!(document["status"], "accepted");
    assert!(document["detail"].as_str().unwrap().contains("GET /policy-changes/{changeId}"), "{document}");
}

#[test]
fn a_change_that_is_superseded_everywhere_is_settled() {
    let superseded = || target(OutcomeKind::Superseded, false);
    let all = Report::one(processed(vec![superseded(), superseded()], false));
    assert_eq!((all.status(), all.is_settled()), (Status::Failed, true));
    let some = Report::one(processed(vec![superseded(), target(OutcomeKind::Blocked, false)], false));
    assert_eq!((some.status(), some.is_settled()), (Status::Failed, false));
}

#[test]
fn a_cancelled_record_is_settled_and_never_a_success() {
    let cancelled = |results| {
        let report = Report { cancelled: true, ..Report::one(processed(results, false)) };
        assert_eq!(document(&report)["status"], report.status().name());
        (report.status(), report.is_settled())
    };
    let (applied, failed) = (|| target(OutcomeKind::Applied, false), target(OutcomeKind::Failed, true));
    assert_eq!(cancelled(Vec::new()), (Status::Failed, true));
    assert_eq!(cancelled(vec![failed.clone()]), (Status::Failed, true));
    assert_eq!(cancelled(vec![applied()]), (Status::Partial, true));
    assert_eq!(
        cancelled(vec![applied(), failed, target(OutcomeKind::Unknown, true)]),
        (Status::Partial, true)
    );
}

#[test]
fn a_long_report_lists_the_targets_that_need_action() {
    let mut results = vec![target(OutcomeKind::Applied, false); 500];
    let whole = Report::one(processed(results.clone(), false));
    let whole: serde_json::Value = serde_json::from_str(&encode(&whole).unwrap()).unwrap();
    assert_eq!(whole["results"].as_array().unwrap().len(), 500);
    assert_eq!(whole.get("truncated"), None);
    results.push(target(OutcomeKind::Failed, false));
    let cut = Report::one(processed(results, false));
    let cut: serde_json::Value = serde_json::from_str(&encode(&cut).unwrap()).unwrap();
    assert_eq!(cut["results"].as_array().unwrap().len(), 1);
    assert_eq!(cut["truncated"], true);
    assert_eq!(cut["summary"], serde_json::json!({"applied": 500, "failed": 1}));
}

#[test]
fn an_answer_stays_below_lambdas_limit() {
    let extensions = (0..256).map(|n| format!("extension{n}")).collect();
    let held = Configuration { maximum_size_limit_in_bytes: Some(1), allowed_extensions: Some(extensions) };
    let why = Failure::new(ErrorCode::ResponseDiffers);
    let result = of(Outcome::Failed { before: Some(held.clone()), after: Some(held), why });
    let encoded = encode(&Report::one(processed(vec![result; 1000], false))).unwrap();
    assert!(encoded.len() < 4_000_000, "{}", encoded.len());
    let value: serde_json::Value = serde_json::from_str(&encoded).unwrap();
    assert_eq!((value["truncated"].as_bool(), value["results"][0].get("before")), (Some(true), None));
}

/// 270 bytes each without their values: 20,000 are 5.4 MB, half of them are not.
#[test]
fn a_report_that_is_still_too_long_is_halved_until_it_fits() {
    let report = Report::one(processed(vec![target(OutcomeKind::Failed, false); 20_000], false));
    let document = document(&report);
    assert_eq!(document["results"].as_array().unwrap().len(), 10_000);
    assert_eq!((&document["truncated"], &document["summary"]), (&json!(true), &json!({"failed": 20_000})));
}

#[test]
fn a_report_of_exactly_the_limit_is_complete() {
    let of = |length: usize| {
        let why = Failure::new(ErrorCode::RequestRefused).with_message("x".repeat(length));
        let result = self::of(Outcome::Failed { before: Some(held(1)), after: None, why });
        encode(&Report::one(processed(vec![result], false))).unwrap()
    };
    let rest = of(0).len();
    let at = of(4_000_000 - rest);
    assert_eq!((at.len(), at.contains("before")), (4_000_000, true));
    assert!(!of(4_000_001 - rest).contains("before"));
}

/// Nothing is left to leave out: it is encoded as it is.
#[test]
fn encoding_a_rejection_longer_than_the_limit_ends() {
    let message = "x".repeat(4_000_001);
    let violation = Violation { pointer: String::new(), code: ViolationCode::UnknownField, message };
    let rejected = ChangeReport::rejected(ChangeId::parse("c").unwrap(), vec![violation]);
    assert!(encode(&Report::one(rejected)).unwrap().len() > 4_000_001);
}
