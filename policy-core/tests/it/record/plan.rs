//! Plans: they come back as they were, by the same way as a document that was sent.

use super::{NOW, id, lane};
use crate::parsing::{ID, account, defaults, parse, rules, with};
use policy_core::policy::{Form, Home, Instances, Rejected, Rules, ViolationCode, document};
use policy_core::record::{
    CorruptPlan, InLane, LaneName, MAX_PLAN, OWN_PLAN, PART, Plan, RunKey, Task, hash_of, in_lane, lanes_of,
    parts,
};
use serde_json::{Value, json};

const OTHER: &str = "11111111-0000-4000-8000-00000000000f";

fn plan(document: &Value) -> Plan {
    plan_by(document, &rules())
}

fn plan_by(document: &Value, rules: &Rules) -> Plan {
    let text = document.to_string();
    let parsed = document::parse(&text, &Form::Submission, &defaults("default"), rules).unwrap();
    let lanes = lanes_of(&parsed.changes);
    Plan {
        task: Task::Document(parsed.changes),
        lanes,
        is_batch: parsed.is_batch,
        stop_after: parsed.stop_after,
        restores: false,
    }
}

fn decode(text: &str) -> Result<Plan, CorruptPlan> {
    Plan::decode(text, &rules(), &id("CHG-1"))
}

fn arn(region: &str, account: &str, instance: &str) -> String {
    format!("arn:aws:connect:{region}:{account}:instance/{instance}")
}

#[test]
fn a_document_comes_back_as_it_was() {
    let mut whole = with("reason", json!("SEC-118"));
    whole["ifUnmodifiedSince"] = json!("2026-01-01T00:00:00.5Z");
    whole["force"] = json!(true);
    for document in [
        whole.clone(),
        json!({"changes": [whole]}),
        json!({"changeId": "CHG-1", "changes": [with("attachmentScope", json!("TASK")), whole]}),
        json!({"instanceId": "*", "instanceTags": {"team": "a"}, "attachmentScope": "*", "addExtensions": ["pdf"]}),
    ] {
        let plan = plan(&document);
        assert_eq!(decode(&plan.encode().unwrap()).unwrap(), plan, "{document}");
    }
    let is_batch = |document: &Value| decode(&plan(document).encode().unwrap()).unwrap().is_batch;
    assert_eq!((is_batch(&whole), is_batch(&json!({"changes": [whole]}))), (false, true));
}

#[test]
fn the_text_of_a_plan_is_the_one_that_the_design_names() {
    let lanes = vec![lane("eu-west-1"), lane("us-east-1")];
    let undo = Task::Undo { of: id("CHG-1"), up_to: RunKey(NOW), force: true };
    let undo = Plan { task: undo, lanes: lanes.clone(), is_batch: true, stop_after: None, restores: false };
    let text = r#"{"lanes":["111122223333/eu-west-1","111122223333/us-east-1"],"batch":true,"undo":"CHG-1","upTo":"1800000000000","force":true}"#;
    assert_eq!((undo.encode().unwrap().as_str(), decode(text).unwrap()), (text, undo));
    let apply = Task::Apply { of: id("CHG-1"), key: RunKey(NOW) };
    let apply = Plan { task: apply, lanes, is_batch: false, stop_after: None, restores: false };
    let text = r#"{"lanes":["111122223333/eu-west-1","111122223333/us-east-1"],"apply":"CHG-1","key":"1800000000000"}"#;
    assert_eq!((apply.encode().unwrap().as_str(), decode(text).unwrap()), (text, apply));
    let plain = Plan { lanes: Vec::new(), ..plan(&with("changeId", json!("CHG-1"))) };
    let text = r#"{"lanes":[],"document":{"instanceIds":["arn:aws:connect:us-east-1:111122223333:instance/0123abcd-0000-4000-8000-00000000000f"],"attachmentScopes":["CHAT"],"maximumSizeLimitInBytes":1048576,"changeId":"CHG-1"}}"#;
    assert_eq!(plain.encode().unwrap(), text);
    let restore = Plan { restores: true, ..plain };
    let text = text.replace(r#""CHG-1"}}"#, r#""CHG-1"},"restore":true}"#);
    assert_eq!((restore.encode().unwrap(), decode(&text).unwrap()), (text, restore));
}

/// An older version of the function meets members that a newer one wrote.
#[test]
fn members_that_are_not_known_do_not_matter() {
    let text = r#"{"lanes":[],"undo":"CHG-1","upTo":"1800000000000","later":{}}"#;
    let expected = Task::Undo { of: id("CHG-1"), up_to: RunKey(NOW), force: false };
    assert_eq!(decode(text).unwrap().task, expected);
}

#[test]
fn the_table_is_no_way_around_the_rules() {
    let text = plan(&with("maximumSize", json!("1 MB"))).encode().unwrap();
    let forged = text.replace("1048576", "0");
    let Err(CorruptPlan::Document(Rejected::Violations { violations, .. })) = decode(&forged) else {
        panic!("accepted")
    };
    let found: Vec<_> = violations.iter().map(|v| (v.pointer.as_str(), v.code)).collect();
    assert_eq!(found, [("/maximumSizeLimitInBytes", ViolationCode::SizeOutOfRange)]);
    let message = decode(&forged).unwrap_err().to_string();
    assert_eq!(message, "the plan's document is not accepted: SizeOutOfRange at `/maximumSizeLimitInBytes`");
}

/// What was accepted can be carried out, undone and ended under any settings: an account whose role is gone, an empty list
/// that is allowed no longer, guardrails that are not there any more.
#[test]
fn settings_that_change_later_do_not_matter() {
    let accepted =
        Rules { allow_empty_extensions: true, can_enforce_guardrails: true, governed: true, ..rules() };
    for change in [
        with("instanceId", json!(arn("us-east-1", "444455556666", ID))),
        with("allowedExtensions", json!([])),
        with("enforceGuardrails", json!(true)),
    ] {
        let plan = plan_by(&change, &accepted);
        let text = plan.encode().unwrap();
        assert_eq!(Plan::decode(&text, &Rules::at(rules().home), &id("CHG-1")).unwrap(), plan, "{text}");
    }
}

#[test]
fn what_is_no_plan_says_why() {
    for (text, expected) in [
        ("", "the plan is not JSON of its form"),
        ("{}", "the plan is not JSON of its form"),
        (r#"{"lanes":[]}"#, "the plan has no task, or several"),
        (r#"{"lanes":[],"undo":"a","upTo":"1800000000000","apply":"a"}"#, "the plan has no task, or several"),
        (r#"{"lanes":[],"document":{},"undo":"a"}"#, "the plan has no task, or several"),
        (r#"{"lanes":["x"],"undo":"a"}"#, "`lanes` of the plan is not a name of its kind: `x`"),
        (r#"{"lanes":[],"undo":"a b"}"#, "`undo` of the plan is not a name of its kind: `a b`"),
        (r#"{"lanes":[],"undo":"a"}"#, "`upTo` of the plan is not a name of its kind: ``"),
        (r#"{"lanes":[],"undo":"a","upTo":"1"}"#, "`upTo` of the plan is not a name of its kind: `1`"),
        (r#"{"lanes":[],"apply":""}"#, "`apply` of the plan is not a name of its kind: ``"),
        (r#"{"lanes":[],"apply":"a","key":"x"}"#, "`key` of the plan is not a name of its kind: `x`"),
    ] {
        assert_eq!(decode(text).unwrap_err().to_string(), expected, "{text}");
    }
}

#[test]
fn the_hash_of_a_task_covers_what_it_asks() {
    let undo = |of: &str, key, force| Task::Undo { of: id(of), up_to: RunKey(key), force }.hash();
    let apply = |of: &str, key| Task::Apply { of: id(of), key: RunKey(key) }.hash();
    let document = plan(&with("force", json!(true)));
    let Task::Document(changes) = &document.task else { panic!("{document:?}") };
    assert_eq!(document.task.hash(), hash_of(changes));
    // an undo's id can be repeated after the change ran again
    assert_eq!(undo("a", NOW, false), undo("a", super::at(5), false));
    let mut hashes = vec![
        document.task.hash(),
        undo("a", NOW, false),
        undo("a", NOW, true),
        undo("b", NOW, false),
        apply("a", NOW),
        apply("b", NOW),
        apply("a", super::at(5)),
    ];
    hashes.sort();
    hashes.dedup();
    assert_eq!(hashes.len(), 7);
}

#[test]
fn each_lane_has_its_own_instances_in_the_documents_order() {
    let (here, there) = (arn("us-east-1", "111122223333", ID), arn("eu-west-1", "444455556666", ID));
    let document = json!({
        "changes": [
            {"instanceIds": [OTHER, there, here], "attachmentScope": "CHAT", "maximumSize": "1 MB"},
            {"instanceId": "*", "instanceTags": {"team": "a"}, "attachmentScope": "TASK", "maximumSize": "1 MB"},
        ],
    });
    let changes = parse(&document.to_string()).unwrap().changes;
    let abroad = LaneName { account: Some(account("444455556666")), ..lane("eu-west-1") };
    let own = lane("us-east-1");
    assert_eq!(lanes_of(&changes), [own.clone(), abroad.clone()]);
    assert_eq!(lanes_of(&changes[1..]), std::slice::from_ref(&own));
    let ids = |number: usize, lane: &LaneName| match in_lane(&changes[number], lane) {
        InLane::Named(named) => named.iter().map(|instance| instance.id.as_str().to_owned()).collect(),
        InLane::Star { tags } => vec![format!("{tags:?}")],
    };
    assert_eq!(ids(0, &own), [OTHER, ID]);
    assert_eq!(ids(0, &abroad), [ID]);
    assert_eq!(ids(1, &own), [r#"{"team": {"a"}}"#]);
    assert!(ids(1, &abroad).is_empty() && ids(0, &lane("eu-west-1")).is_empty());
}

/// Without an account of its own, the function still knows its lane.
#[test]
fn an_unknown_account_is_a_lane_too() {
    let home = Home { account: None, ..rules().home };
    let text = with("instanceIds", json!([ID])).to_string();
    let defaults = crate::parsing::defaults("c");
    let form = policy_core::policy::Form::Submission;
    let parsed =
        policy_core::policy::document::parse(&text, &form, &defaults, &Rules::at(home.clone())).unwrap();
    let lanes = lanes_of(&parsed.changes);
    assert_eq!(lanes.iter().map(ToString::to_string).collect::<Vec<_>>(), ["self/us-east-1"]);
    let Instances::Named(named) = &parsed.changes[0].instances else { panic!("{parsed:?}") };
    assert_eq!(in_lane(&parsed.changes[0], &lanes[0]), InLane::Named(named.iter().collect()));
}

#[test]
fn parts_are_named_by_the_whole_and_cut_between_characters() {
    // sha256sum's
    let name = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!(parts("abc"), (name.to_owned(), vec!["abc"]));
    assert_eq!(parts("").1, Vec::<&str>::new());
    let (whole, more) = ("x".repeat(PART), "x".repeat(PART + 1));
    assert_eq!(parts(&whole).1, [&whole]);
    assert_eq!(parts(&more).1, [&whole, "x"]);
    // the last character of the first part has two bytes
    let odd = format!("{}äb", "x".repeat(PART - 1));
    assert_eq!(parts(&odd).1, [&"x".repeat(PART - 1), "äb"]);
    assert!(OWN_PLAN < PART && parts(&"x".repeat(MAX_PLAN)).1.len() == 4);
}

#[test]
fn parts_are_the_whole() {
    for text in ["a", "äöü€"] {
        for length in [1, 24_999, 25_000, 33_334, 100_001] {
            let whole = text.repeat(length);
            let (_, parts) = parts(&whole);
            assert_eq!(parts.concat(), whole);
            assert!(parts.iter().all(|part| (1..=PART).contains(&part.len())), "{text} {length}");
        }
    }
}
