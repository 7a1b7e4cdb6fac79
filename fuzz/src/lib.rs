//! Properties that hold for every input: the bodies of the fuzz targets. `tests/it/corpus.rs` includes them to
//! replay the committed corpus with the stable compiler.

mod tree;

use policy_core::aws::{AccountId, RegionName};
use policy_core::declare::{Answer, Hosts, MAX_ANSWER, Reason, Request, RequestType, verdict};
use policy_core::origin::Invocation;
use policy_core::policy::document::{MAX_CHANGES, MAX_GOVERNED_TARGETS, MAX_TARGETS};
use policy_core::policy::{
    ChangeId, Declaration, Defaults, Document, Form, Home, IfMatch, InstanceId, Instances, PolicyChange,
    Rejected, Rules, Scope, Violation, document,
};
use policy_core::trigger::http::route::{self, Route};
use policy_core::trigger::sqs::Content;
use policy_core::trigger::widget::{View, Widget};
use policy_core::trigger::{self, Trigger};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use time::OffsetDateTime;
use tree::Tree;

/// A rejection repeats at most eight keys of 40 characters; the rest is fixed text.
const LONGEST_REFUSAL: usize = 2_048;
/// The violations listed, and one that says there are more.
const MOST_VIOLATIONS: usize = 257;

/// Every payload is recognised as one trigger's or rejected, always with the same result, and its document is parsed.
pub fn payload(bytes: &[u8]) {
    // the runtime passes on JSON only
    let Ok(payload) = serde_json::from_slice::<&RawValue>(bytes) else { return };
    let invocation = Invocation { request_id: "11111111-2222-3333-4444-555555555555".into(), trace_id: None };
    let recognised = trigger::recognise(payload, &invocation);
    let again = trigger::recognise(payload, &invocation);
    assert_eq!(format!("{recognised:?}"), format!("{again:?}"));
    match recognised {
        Err(refused) => assert!(refused.to_string().len() <= LONGEST_REFUSAL, "{refused}"),
        Ok(Trigger::Bare(bare)) => parses(bare.get(), &Form::Submission, None),
        Ok(Trigger::EventBridge(event)) => parses(&event.document, &Form::Submission, event.replayed_from),
        Ok(Trigger::Sqs(records)) => {
            assert!(!records.is_empty());
            for record in &records {
                match record.content() {
                    Ok(Content::Document(document)) => parses(document, &Form::Submission, None),
                    Ok(Content::Event(event)) => {
                        parses(&event.document, &Form::Submission, event.replayed_from);
                    }
                    Ok(Content::Lane(pointer)) => {
                        let body = pointer.encode().unwrap_or_default();
                        assert!(body.len() <= record.body.len(), "a pointer is short: {body}");
                    }
                    Err(refused) => assert!(refused.to_string().len() <= LONGEST_REFUSAL, "{refused}"),
                }
            }
        }
        Ok(Trigger::Cloudformation(payload)) => declared(payload.get()),
        Ok(Trigger::Sweep | Trigger::Widget(Widget::Documentation)) => {}
        Ok(Trigger::Widget(Widget::Page(request))) => match request.view {
            Ok(view) => asked_again(&view, &invocation),
            Err(unclear) => assert!(unclear.to_string().len() <= LONGEST_REFUSAL, "{unclear}"),
        },
        Ok(Trigger::Http(request)) => {
            let form = match route::of(&request, true) {
                Ok(Route::Submit { .. }) => Form::Submission,
                Ok(Route::Patch { instance, scope, .. }) => Form::Values {
                    instance: home().complete(&instance),
                    scope,
                    if_match: request.if_match.as_deref().map(IfMatch::parse),
                },
                Ok(_) | Err(_) => return,
            };
            if let Ok(Some(body)) = &request.body {
                parses(body, &form, None);
            }
        }
    }
}

/// A payload is refused, or read as a request of a stack. For any properties, its answer is short enough and has the
/// request's ids.
fn declared(payload: &str) {
    let request = match Request::parse(payload, Hosts::CloudFormation) {
        Ok(request) => request,
        Err(malformed) => return assert!(malformed.to_string().len() <= LONGEST_REFUSAL, "{malformed}"),
    };
    assert!(request.seconds().is_ok_and(|seconds| seconds <= 3_510) || request.kind != RequestType::Delete);
    let properties = request.properties.get();
    let rules = Rules { governed: true, ..Rules::at(home()) };
    let answer = match Declaration::parse(properties, &request.change_id(1), &rules) {
        Ok(_) => verdict::without_work(),
        Err(Rejected::NotJson(message)) => verdict::refused(message),
        Err(Rejected::Violations { violations, .. }) => {
            point_at_something(properties, &violations);
            Answer { reason: Reason::of_violations(&violations), ..verdict::refused("") }
        }
    };
    let to = request.addressee();
    let body = answer.body(&to);
    assert!(body.len() <= MAX_ANSWER, "{} bytes", body.len());
    let body: Value = serde_json::from_str(&body).expect("JSON");
    let named =
        ["StackId", "RequestId", "LogicalResourceId", "PhysicalResourceId"].map(|name| body[name].as_str());
    assert_eq!(
        named,
        [&to.stack_id, &to.request_id, &to.logical_id, &to.physical_id].map(|id| Some(id.as_str()))
    );
}

/// A link to a view leads to that view.
fn asked_again(view: &View, invocation: &Invocation) {
    let mut payload = serde_json::to_value(view.parameters()).expect("parameters");
    payload["widgetContext"] = json!({});
    let payload = payload.to_string();
    let raw = serde_json::from_str::<&RawValue>(&payload).expect("JSON");
    let Ok(Trigger::Widget(Widget::Page(again))) = trigger::recognise(raw, invocation) else {
        panic!("not a page: {payload}");
    };
    assert_eq!(again.view.as_ref(), Ok(view), "{payload}");
}

/// Every text is a document, or not JSON, or has violations whose pointers lead to existing places.
pub fn document(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    parses(text, &Form::Submission, None);
    let instance = home().instance(id("0123abcd-0000-4000-8000-00000000000f"));
    parses(text, &Form::Values { instance, scope: Scope::Chat, if_match: None }, None);
}

fn id(text: &str) -> InstanceId {
    InstanceId::parse(text).expect("an instance id")
}

fn home() -> Home {
    Home {
        region: RegionName::parse("us-east-1").expect("a Region"),
        account: AccountId::parse("111122223333"),
    }
}

/// With the rules of a function in Lambda, and with rules that allow everything and have no account.
fn parses(text: &str, form: &Form, since: Option<OffsetDateTime>) {
    let strict = Rules {
        role_accounts: AccountId::parse("444455556666").into_iter().collect(),
        regions: ["eu-west-2", "us-east-1"].into_iter().filter_map(RegionName::parse).collect(),
        ..Rules::at(home())
    };
    let home = Home { account: None, ..home() };
    let lenient = Rules { allow_empty_extensions: true, governed: true, ..Rules::at(home) };
    for rules in [strict, lenient] {
        match parse(text, form, since, &rules) {
            Ok(document) => accepted(text, &document, &rules),
            Err(Rejected::NotJson(_)) => assert!(serde_json::from_str::<Value>(text).is_err(), "{text}"),
            Err(Rejected::Violations { violations, .. }) => {
                assert!((1..=MOST_VIOLATIONS).contains(&violations.len()), "{} violations", violations.len());
                point_at_something(text, &violations);
            }
        }
    }
}

fn parse(
    text: &str,
    form: &Form,
    since: Option<OffsetDateTime>,
    rules: &Rules,
) -> Result<Document, Rejected> {
    let change_id = ChangeId::parse("default").expect("a change id");
    let defaults = Defaults { change_id, if_unmodified_since: since, dry_run: false };
    document::parse(text, form, &defaults, rules)
}

/// A document keeps its limits, and its normal form is a document that means the same.
fn accepted(text: &str, document: &Document, rules: &Rules) {
    let targets: usize = document.changes.iter().map(targets).sum();
    assert!((1..=MAX_CHANGES).contains(&document.changes.len()));
    let most = if rules.governed { MAX_GOVERNED_TARGETS } else { MAX_TARGETS };
    assert!((1..=most).contains(&targets), "{targets} targets");
    assert!(document.stop_after.is_none_or(|count| rules.governed && (1..=10_000).contains(&count)));
    for change in &document.changes {
        point_at_something(text, &change.warnings);
        let normal = serde_json::to_string(change).expect("a normal form");
        let again = parse(&normal, &Form::Submission, None, rules).expect("the normal form parses");
        assert_eq!(unwarned(&again.changes), unwarned(std::slice::from_ref(change)), "{normal}");
        assert_eq!(serde_json::to_string(&again.changes[0]).expect("a normal form"), normal);
    }
    if document.is_batch {
        let normal = json!({ "changes": document.changes }).to_string();
        let again = parse(&normal, &Form::Submission, None, rules).expect("the normal form parses");
        assert_eq!(unwarned(&again.changes), unwarned(&document.changes), "{normal}");
    }
}

fn targets(change: &PolicyChange) -> usize {
    let instances = match &change.instances {
        Instances::Named(named) => named.len(),
        Instances::All { places, .. } => places.lanes().len(),
    };
    instances * change.scopes.len()
}

/// Warnings point into the document as it was sent, so those of its normal form differ.
fn unwarned(changes: &[PolicyChange]) -> Vec<PolicyChange> {
    changes.iter().map(|change| PolicyChange { warnings: Vec::new(), ..change.clone() }).collect()
}

fn point_at_something(text: &str, violations: &[Violation]) {
    if violations.iter().all(|violation| violation.pointer.is_empty()) {
        return;
    }
    let tree: Tree = serde_json::from_str(text).expect("JSON, since it was read");
    for violation in violations {
        assert!(tree.has(&violation.pointer), "nothing at {violation} in {text}");
    }
}
