//! `stopAfterFailures`: where it may stand, what it accepts, and that a record keeps it.

use crate::parsing::{at, defaults, parse, refusal, rules, violations, with};
use policy_core::policy::{ChangeId, Document, Form, InstanceId, Rejected, Rules, Scope, document};
use policy_core::record::{Plan, Task, lanes_of};
use serde_json::{Value, json};

fn governed() -> Rules {
    Rules { governed: true, ..rules() }
}

fn parsed(document: &Value) -> Result<Document, Rejected> {
    document::parse(&document.to_string(), &Form::Submission, &defaults("default"), &governed())
}

fn found(document: &Value) -> Vec<(String, String)> {
    let refused = refusal(parsed(document));
    refused.into_iter().map(|violation| at(&violation.pointer, violation.code.name())).collect()
}

#[test]
fn a_change_and_a_whole_batch_may_have_it() {
    let plain = with("force", json!(true));
    assert_eq!(parsed(&plain).unwrap().stop_after, None);
    for (number, expected) in [(json!(1), 1), (json!(2.0), 2), (json!(10_000), 10_000)] {
        for field in ["stopAfterFailures", "StopAfterFailures"] {
            assert_eq!(parsed(&with(field, number.clone())).unwrap().stop_after, Some(expected), "{number}");
            let batch = json!({"changes": [plain], field: number});
            assert_eq!(parsed(&batch).unwrap().stop_after, Some(expected), "{number}");
        }
    }
    let instance = rules().home.instance(InstanceId::parse("00000001-0000-4000-8000-000000000001").unwrap());
    let form = Form::Values { instance, scope: Scope::Chat, if_match: None };
    let text = r#"{"maximumSize":"1 MB","stopAfterFailures":1}"#;
    let patch = document::parse(text, &form, &defaults("default"), &governed()).unwrap();
    assert_eq!(patch.stop_after, Some(1));
}

#[test]
fn it_is_a_whole_number_from_1_to_10_000() {
    for (value, code, message) in [
        (json!(0), "InvalidCount", "must be a whole number from 1 to 10000, not 0"),
        (json!(-1), "InvalidCount", "must be a whole number from 1 to 10000, not -1"),
        (json!(10_001), "InvalidCount", "must be a whole number from 1 to 10000, not 10001"),
        (json!(u64::MAX), "InvalidCount", "must be a whole number from 1 to 10000, not 18446744073709551615"),
        (json!(1.5), "InvalidCount", "must be a whole number, not 1.5"),
        (json!(1e18), "InvalidCount", "must be a whole number from 1 to 10000, not 1000000000000000000"),
        (json!("1"), "WrongType", "must be a whole number, not a string"),
        (json!(true), "WrongType", "must be a whole number, not a boolean"),
        (json!([1]), "WrongType", "must be a whole number, not an array"),
        (json!(null), "NullValue", "must not be null"),
    ] {
        for document in [
            with("stopAfterFailures", value.clone()),
            json!({"changes": [with("force", json!(true))], "stopAfterFailures": value}),
        ] {
            let refused = refusal(parsed(&document));
            let refused: Vec<_> =
                refused.iter().map(|v| (v.pointer.as_str(), v.code.name(), v.message.as_str())).collect();
            assert_eq!(refused, [("/stopAfterFailures", code, message)], "{document}");
        }
    }
}

#[test]
fn the_changes_of_a_batch_have_none_of_their_own() {
    let batch = json!({"changes": [
        with("attachmentScope", json!("CASE")),
        with("stopAfterFailures", json!(1)),
        {"StopAfterFailures": 0, "instanceId": "*", "attachmentScope": "TASK", "maximumSize": "1 MB"},
    ], "stopAfterFailures": 3});
    let expected = ["/changes/1/stopAfterFailures", "/changes/2/StopAfterFailures"];
    assert_eq!(found(&batch), expected.map(|pointer| at(pointer, "UnexpectedField")));
    assert_eq!(
        refusal(parsed(&batch))[0].message,
        "is allowed only once for the whole document, beside `changes`"
    );
}

#[test]
fn without_a_ledger_it_is_refused() {
    let change = with("StopAfterFailures", json!(1));
    assert_eq!(violations(&change.to_string()), [at("/StopAfterFailures", "NeedsLedger")]);
    let batch = json!({"changes": [with("force", json!(true))], "stopAfterFailures": 0});
    assert_eq!(
        violations(&batch.to_string()),
        [at("/stopAfterFailures", "NeedsLedger"), at("/stopAfterFailures", "InvalidCount")]
    );
    let refused = refusal(parse(&change.to_string()));
    let message = "needs the ledger, which counts failures; this function has none (LEDGER_TABLE)";
    assert_eq!(refused[0].message, message);
}

#[test]
fn twice_it_is_refused_once() {
    let mut change = with("stopAfterFailures", json!(1));
    change["StopAfterFailures"] = json!(2);
    assert_eq!(found(&change), [at("/stopAfterFailures", "ConflictingFields")]);
}

#[test]
fn a_record_keeps_it_and_its_hash_does_not_count_it() {
    let plan = |document: &Value| {
        let Document { changes, is_batch, stop_after, .. } = parsed(document).unwrap();
        Plan {
            lanes: lanes_of(&changes),
            task: Task::Document(changes),
            is_batch,
            stop_after,
            restores: false,
        }
    };
    let (alone, without) = (with("stopAfterFailures", json!(5)), with("force", json!(true)));
    let batch = json!({"changes": [without], "stopAfterFailures": 7});
    for (document, kept) in [(&alone, json!(5)), (&batch, json!(7))] {
        let plan = plan(document);
        let text = plan.encode().unwrap();
        let encoded: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(encoded["document"]["stopAfterFailures"], kept);
        let id = ChangeId::parse("default").unwrap();
        let decoded = Plan::decode(&text, &governed(), &id).unwrap();
        assert_eq!(decoded.stop_after, plan.stop_after);
        assert_eq!(decoded.lanes, plan.lanes);
    }
    let encoded = plan(&without).encode().unwrap();
    assert!(!encoded.contains("stopAfter"), "{encoded}");
    assert_eq!(plan(&alone).task.hash(), plan(&with("reason", json!("r"))).task.hash());
}
