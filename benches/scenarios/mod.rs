//! The cost of a change inside this process: no network, no waiting.

use aws_sdk_connect::config::SharedHttpClient;
use connect_attachment_policy::audit::{Audit, AuditedChange};
use connect_attachment_policy::clock::Clock;
use connect_attachment_policy::handler::Handler;
use connect_attachment_policy::settings::Settings;
use connect_attachment_policy::telemetry::{LogLevel, LogPipe};
use connect_attachment_policy::{sdk, start};
use lambda_runtime::{Context, LambdaEvent};
use policy_core::aws::{AccountId, RegionName};
use policy_core::origin::{Invocation, Origin};
use policy_core::policy::{
    ChangeId, Configuration, Defaults, Form, Guardrails, Home, Instances, PolicyChange, Rejected, Rules,
    document,
};
use policy_core::report::{self, ChangeReport, Disposition, Outcome, Report, TargetResult};
use policy_core::trigger::{self, Trigger};
use serde_json::json;
use serde_json::value::RawValue;
use std::hint::black_box;
use time::OffsetDateTime;
use tracing::Level;

const ARN: &str = "arn:aws:lambda:us-east-1:111122223333:function:connect-attachment-policy";

/// A prepared scenario. Only `run` is measured.
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    pub(crate) run: Box<dyn Fn()>,
}

/// Every scenario, in the order of the baseline.
pub(crate) fn all() -> Vec<Scenario> {
    let event = include_str!("../../events/http.succeeded.json");
    let batch = include_str!("../../events/sqs.succeeded.json");
    vec![
        scenario("plan-1", plan(1)),
        scenario("plan-100", plan(100)),
        scenario("plan-1000", plan(1_000)),
        scenario("recognise-http", recognise(event)),
        scenario("recognise-sqs", recognise(batch)),
        scenario("audit-1", audit()),
        scenario("refuse-bare", refuse(&refused_document())),
    ]
}

fn scenario(name: &'static str, run: impl Fn() + 'static) -> Scenario {
    Scenario { name, run: Box::new(run) }
}

fn rules() -> Rules {
    let Some(region) = RegionName::parse("us-east-1") else { unreachable!("a Region's name") };
    Rules::at(Home { region, account: AccountId::parse("111122223333") })
}

fn id(number: usize) -> String {
    format!("{number:08x}-0000-4000-8000-000000000000")
}

/// A change of this many targets: one target, or four scopes of each instance.
fn document(targets: usize) -> String {
    let ids: Vec<_> = (1..=targets.div_ceil(4)).map(id).collect();
    let scopes = if targets == 1 { json!("CHAT") } else { json!("*") };
    json!({
        "instanceIds": ids, "attachmentScope": scopes, "maximumSize": "10 MB",
        "allowedExtensions": ["pdf", "png", "docx"], "changeId": "CHG-1", "reason": "less to scan",
    })
    .to_string()
}

fn refused_document() -> String {
    json!({
        "instanceIds": ["x", "y/z"], "attachmentScope": "EMALI", "maximumSize": "200 MB",
        "allowedExtensions": ["pdf", "p d f", ""], "changeid": 7,
    })
    .to_string()
}

fn parse(text: &str) -> Vec<PolicyChange> {
    let defaults = Defaults { change_id: ChangeId::default(), if_unmodified_since: None, dry_run: false };
    match document::parse(text, &Form::Submission, &defaults, &rules()) {
        Ok(document) => document.changes,
        Err(Rejected::NotJson(_) | Rejected::Violations { .. }) => unreachable!("the document is right"),
    }
}

/// Decode, validate, plan and encode: from the payload's bytes to the report's.
fn plan(targets: usize) -> impl Fn() {
    let payload = raw(&document(targets));
    let invocation = Invocation::default();
    let guardrails = Guardrails::default();
    let held = Configuration {
        maximum_size_limit_in_bytes: Some(20_971_520),
        allowed_extensions: Some(["csv", "doc", "pdf"].map(str::to_owned).into()),
    };
    move || {
        let Ok(Trigger::Bare(text)) = trigger::recognise(&payload, &invocation) else {
            unreachable!("a bare document")
        };
        let reports = parse(text.get()).into_iter().map(|change| planned(&change, &guardrails, &held));
        let report = Report::of(reports.collect(), false);
        black_box(report::encode(&report).map_or(0, |text| text.len()));
    }
}

fn planned(change: &PolicyChange, guardrails: &Guardrails, held: &Configuration) -> ChangeReport {
    let Instances::Named(instances) = &change.instances else { unreachable!("they are named") };
    let mut results = Vec::with_capacity(instances.len() * change.scopes.len());
    for instance in instances {
        let permitted = guardrails.check(instance, change).is_ok();
        for scope in &change.scopes {
            let would_change = permitted && held.would_change(&change.values);
            let before = held.clone();
            let outcome = if would_change {
                Outcome::Planned { before, after: held.after(&change.values) }
            } else {
                Outcome::Unchanged { held: before }
            };
            results.push(TargetResult::without_calls(Some(instance.clone()), *scope, outcome));
        }
    }
    let disposition = Disposition::Processed { results, dry_run: true };
    ChangeReport { change_id: change.change_id.clone(), disposition, warnings: Vec::new() }
}

fn recognise(event: &'static str) -> impl Fn() {
    let payload = raw(event);
    let invocation = Invocation::default();
    move || {
        assert!(black_box(trigger::recognise(&payload, &invocation)).is_ok());
    }
}

/// One target's two lines: the intent and the outcome.
fn audit() -> impl Fn() {
    let audit = Audit::new(LogPipe::new(std::io::sink()), LogLevel::Level(Level::INFO), now);
    let changes = parse(&document(1));
    let origin = Origin::invoker(&Invocation::default());
    let home = rules().home;
    let held = Configuration { maximum_size_limit_in_bytes: Some(20_971_520), allowed_extensions: None };
    move || {
        for change in &changes {
            let Instances::Named(instances) = &change.instances else { unreachable!("they are named") };
            let audited = AuditedChange { origin: &origin, change, home: &home };
            for (instance, scope) in instances.iter().zip(&change.scopes) {
                let (before, after) = (held.clone(), held.after(&change.values));
                let outcome = Outcome::Applied { before, after, unrecorded: None };
                let result = TargetResult::without_calls(Some(instance.clone()), *scope, outcome);
                let written = audit.intent(audited, instance, *scope, &held, &change.values);
                assert!(written.and_then(|()| audit.outcome(audited, &result)).is_ok());
            }
        }
    }
}

fn now() -> OffsetDateTime {
    OffsetDateTime::UNIX_EPOCH
}

/// A whole invocation without a call: recognised, rejected, audited, counted and answered.
fn refuse(document: &str) -> impl Fn() + use<> {
    let lookup = |name: &str| (name == "AWS_REGION").then(|| "us-east-1".to_owned());
    let handler = handler(&lookup);
    let payload = raw(document);
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => unreachable!("{error}"),
    };
    move || {
        let mut context = Context::default();
        context.request_id = "11111111-2222-3333-4444-555555555555".into();
        context.invoked_function_arn = ARN.into();
        let event = LambdaEvent::new(payload.clone(), context);
        assert!(black_box(runtime.block_on(handler.handle(event))).is_err());
    }
}

fn handler(lookup: &dyn Fn(&str) -> Option<String>) -> Handler {
    let settings = match Settings::read(lookup) {
        Ok(settings) => settings,
        Err(wrong) => unreachable!("{wrong}"),
    };
    let http: SharedHttpClient = match sdk::http(lookup) {
        Ok(http) => http,
        Err(wrong) => unreachable!("{wrong:?}"),
    };
    let config = sdk::config(settings.region.as_str(), http.clone(), lookup);
    start::assemble(
        settings,
        config,
        http,
        LogPipe::new(std::io::sink()),
        LogLevel::Level(Level::INFO),
        Clock::default(),
    )
}

fn raw(text: &str) -> Box<RawValue> {
    match RawValue::from_string(text.to_owned()) {
        Ok(raw) => raw,
        Err(error) => unreachable!("{error}"),
    }
}
