//! Read, compare, decide, update, verify.

use crate::world::{NOWHERE, ONE, TWO, World, chat, outcomes};
use sandbox::connect::{Configuration, DEFAULT_EXTENSIONS, Fault, Operation, Options, Scope};
use serde_json::{Value, json};
use time::macros::datetime;

const MB: i64 = 1_048_576;

#[tokio::test]
async fn a_change_is_applied_verified_reported_and_audited() {
    let world = World::new().await;
    let change = chat(
        ONE,
        &json!({"allowedExtensions": [".PDF", "png"], "changeId": "CHG-1", "reason": "r", "requestedBy": "ada"}),
    );
    let report = world.report(&change).await;
    assert_eq!(
        (&report["status"], &report["changeId"], &report["summary"]),
        (&json!("succeeded"), &json!("CHG-1"), &json!({"applied": 1}))
    );
    let result = &report["results"][0];
    assert_eq!(result["instanceArn"], format!("arn:aws:connect:us-east-1:111122223333:instance/{ONE}"));
    assert_eq!(
        result["before"],
        json!({"maximumSizeLimitInBytes": 20 * MB, "allowedExtensions": DEFAULT_EXTENSIONS})
    );
    assert_eq!(
        result["after"],
        json!({"maximumSizeLimitInBytes": 10 * MB, "allowedExtensions": ["pdf", "png"]})
    );
    assert_eq!((&result["attempts"], result.get("error")), (&json!(1), None));
    let held = world.connect.configuration(ONE, Scope::Chat).unwrap();
    assert_eq!(
        (held.maximum_size_limit_in_bytes, held.extensions),
        (10 * MB, vec!["pdf".into(), "png".into()])
    );

    let update = &world.calls(Operation::UpdateAttachedFilesConfiguration)[0];
    assert_eq!(result["requestId"], update.request_id);
    assert_eq!(
        update.body,
        Some(json!({
            "MaximumSizeLimitInBytes": 10 * MB,
            "ExtensionConfiguration": {"AllowedExtensions": [{"Extension": "pdf"}, {"Extension": "png"}]},
        }))
    );
    let audit = world.audit();
    assert_eq!(world.audited(), ["intent", "outcome applied"]);
    for event in &audit {
        assert_eq!(event["metadata"]["correlation_uid"], "CHG-1");
        assert_eq!(event["actor"]["idp"]["name"], "invoker");
        assert_eq!(event["unmapped"]["requestedBy"], "ada");
        assert_eq!(event["resources"][0]["data"]["before"], result["before"]);
        assert_eq!(event["resources"][0]["data"]["after"], result["after"]);
        assert_eq!(event["trace"]["uid"], "1-6744f3a0-0123456789abcdef01234567");
    }
    assert_eq!((&audit[0]["status_id"], &audit[1]["status_id"]), (&json!(99), &json!(1)));
    assert_eq!(audit[1]["api"]["request"]["uid"], update.request_id);
}

#[tokio::test]
async fn a_target_that_has_the_values_is_unchanged_and_costs_one_read() {
    let world = World::new().await;
    let report = world.report(&chat(ONE, &json!({"maximumSize": "20 MB"}))).await;
    assert_eq!((&report["status"], outcomes(&report)), (&json!("succeeded"), vec!["unchanged"]));
    assert_eq!(world.connect.journal().len(), 1);
    assert_eq!(world.audited(), ["outcome unchanged"]);
}

#[tokio::test]
async fn force_updates_where_nothing_would_change() {
    let world = World::new().await;
    let report = world.report(&chat(ONE, &json!({"maximumSize": "20 MB", "force": true}))).await;
    assert_eq!((outcomes(&report), world.updates()), (vec!["applied"], 1));
    assert!(world.connect.configuration(ONE, Scope::Chat).unwrap().last_modified.is_some());
}

#[tokio::test]
async fn a_dry_run_plans_and_sends_nothing() {
    let world = World::new().await;
    let change = json!({"instanceIds": [ONE, TWO], "attachmentScopes": ["CHAT", "CASE"],
        "maximumSize": "10 MB", "dryRun": true});
    let report = world.report(&change).await;
    assert_eq!((&report["status"], outcomes(&report)), (&json!("planned"), vec!["planned"; 4]));
    assert_eq!(report["results"][3]["after"]["maximumSizeLimitInBytes"], 10 * MB);
    assert_eq!(world.updates(), 0);
}

#[tokio::test]
async fn several_scopes_of_an_instance_cost_one_list() {
    let world = World::new().await;
    let change = json!({"instanceIds": [ONE, TWO], "attachmentScope": "*", "maximumSize": "10 MB"});
    let report = world.report(&change).await;
    assert_eq!(outcomes(&report), vec!["applied"; 8]);
    assert_eq!(world.calls(Operation::ListAttachedFilesConfigurations).len(), 2);
    assert_eq!(world.calls(Operation::DescribeAttachedFilesConfiguration).len(), 0);
    let places: Vec<_> = report["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|r| (r["instanceId"].clone(), r["attachmentScope"].clone()))
        .collect();
    let expected: Vec<_> = [ONE, TWO]
        .iter()
        .flat_map(|id| ["EMAIL", "CHAT", "CASE", "TASK"].map(|scope| (json!(id), json!(scope))))
        .collect();
    assert_eq!(places, expected);
}

#[tokio::test]
async fn a_target_that_fails_for_good_leaves_the_others_applied() {
    let world = World::new().await;
    let change =
        json!({"instanceIds": [ONE, NOWHERE, TWO], "attachmentScope": "CHAT", "maximumSize": "10 MB"});
    let (kind, report) = world.error(&change).await;
    assert_eq!((kind.as_str(), &report["status"]), ("PolicyChangeFailed", &json!("partial")));
    assert_eq!(outcomes(&report), ["applied", "failed", "applied"]);
    let error = &report["results"][1]["error"];
    assert_eq!((&error["code"], &error["retryable"]), (&json!("ResourceNotFoundException"), &json!(false)));
}

#[tokio::test]
async fn a_before_sent_back_undoes_the_change() {
    let world = World::new().await;
    let undone = world.connect.configuration(ONE, Scope::Chat).unwrap();
    let report = world.report(&chat(ONE, &json!({"allowedExtensions": ["pdf"]}))).await;
    let mut undo = json!({"instanceId": ONE, "attachmentScope": "CHAT"});
    for (key, value) in report["results"][0]["before"].as_object().unwrap() {
        undo[key] = value.clone();
    }
    let report = world.report(&undo).await;
    assert_eq!(outcomes(&report), ["applied"]);
    assert!(world.connect.configuration(ONE, Scope::Chat).unwrap().same_values(&undone));
}

#[tokio::test]
async fn a_response_that_does_not_hold_what_was_asked_is_a_failure() {
    let world = World::new().await;
    world.connect.always(Operation::UpdateAttachedFilesConfiguration, Some(Fault::OtherValues));
    let (kind, report) = world.error(&chat(ONE, &json!({}))).await;
    assert_eq!((kind.as_str(), outcomes(&report)), ("PolicyChangeFailed", vec!["failed"]));
    let result = &report["results"][0];
    assert_eq!(
        (&result["error"]["code"], &result["error"]["retryable"]),
        (&json!("ResponseDiffers"), &json!(false))
    );
    let held = world.connect.configuration(ONE, Scope::Chat).unwrap();
    assert_eq!(result["after"]["maximumSizeLimitInBytes"], held.maximum_size_limit_in_bytes);
    assert_eq!(world.audited(), ["intent", "outcome failed"]);
}

#[tokio::test]
async fn if_unmodified_since_leaves_newer_values_alone() {
    let world = World::new().await;
    let set = |at| Configuration {
        maximum_size_limit_in_bytes: 5 * MB,
        extensions: vec!["pdf".into()],
        last_modified: Some(at),
    };
    world.connect.put(ONE, Scope::Chat, set(datetime!(2026-06-01 12:00 UTC)));
    world.connect.put(TWO, Scope::Chat, set(datetime!(2026-06-01 12:00:01 UTC)));
    let change = json!({"instanceIds": [ONE, TWO], "attachmentScopes": ["CHAT", "TASK"], "maximumSize": "10 MB",
        "ifUnmodifiedSince": "2026-06-01T14:00:00+02:00"});
    let (kind, report) = world.error(&change).await;
    assert_eq!(kind, "PolicyChangeFailed");
    assert_eq!(outcomes(&report), ["applied", "applied", "superseded", "applied"]);
    assert_eq!(report["results"][2]["error"]["code"], "ModifiedSince");
    assert_eq!(report["results"][2]["lastModifiedTime"], "2026-06-01T12:00:01Z");
    assert_eq!(world.calls(Operation::DescribeAttachedFilesConfiguration).len(), 4);
}

#[tokio::test]
async fn a_change_that_is_superseded_everywhere_is_settled() {
    let world = World::new().await;
    world.connect.put(
        ONE,
        Scope::Chat,
        Configuration { maximum_size_limit_in_bytes: 5 * MB, extensions: vec![], last_modified: None },
    );
    let report = world.report(&chat(ONE, &json!({"ifUnmodifiedSince": "2020-01-01T00:00:00Z"}))).await;
    assert_eq!((&report["status"], outcomes(&report)), (&json!("failed"), vec!["superseded"]));
    assert_eq!(world.updates(), 0);
}

#[tokio::test]
async fn every_active_instance_is_a_target_and_tags_narrow_it() {
    let mut options = Options::default();
    options.instances[1].tags.insert("stage".into(), "prod".into());
    options.instances[2].tags.insert("stage".into(), "test".into());
    options.instances[0].status = sandbox::connect::InstanceStatus::CreationInProgress;
    let world = World::with(options, &[]).await;
    let all = world.report(&chat("*", &json!({}))).await;
    let ids = |report: &Value| {
        report["results"]
            .as_array()
            .unwrap()
            .iter()
            .map(|r| r["instanceId"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(ids(&all), [TWO, crate::world::THREE]);
    let tagged = world.report(&chat("*", &json!({"instanceTags": {"stage": ["prod", "stage"]}}))).await;
    assert_eq!((ids(&tagged), outcomes(&tagged)), (vec![TWO.to_owned()], vec!["unchanged"]));
}

#[tokio::test]
async fn guardrails_block_before_any_call() {
    let allowed = format!("{ONE},arn:aws:connect:us-east-1:111122223333:instance/{TWO}");
    let world = World::with(
        Options::default(),
        &[
            ("POLICY_ALLOWED_INSTANCES", &allowed),
            ("POLICY_BLOCKED_EXTENSIONS", "exe,js"),
            ("POLICY_MAX_SIZE_BYTES", "10485760"),
        ],
    )
    .await;
    for (change, code) in [
        (chat(crate::world::THREE, &json!({})), "InstanceNotAllowed"),
        (chat(ONE, &json!({"allowedExtensions": ["pdf", ".EXE"]})), "ExtensionBlocked"),
        (chat(ONE, &json!({"maximumSize": "11 MB"})), "SizeBlocked"),
    ] {
        let (kind, report) = world.error(&change).await;
        assert_eq!((kind.as_str(), outcomes(&report)), ("PolicyChangeFailed", vec!["blocked"]), "{code}");
        assert_eq!(report["results"][0]["error"]["code"], code);
    }
    assert_eq!(world.connect.journal().len(), 0);
    assert_eq!(world.audited(), ["outcome blocked"; 3]);
    assert_eq!(outcomes(&world.report(&chat(TWO, &json!({}))).await), ["applied"]);
}

#[tokio::test]
async fn changes_are_applied_in_order_and_stop_at_the_first_incomplete() {
    let world = World::new().await;
    world.connect.script(Operation::UpdateAttachedFilesConfiguration, [None]);
    world.connect.always(Operation::UpdateAttachedFilesConfiguration, Some(Fault::Throttle));
    let changes = json!({"changes": [chat(ONE, &json!({})), chat(TWO, &json!({})), chat(crate::world::THREE, &json!({}))]});
    let (kind, report) = world.error(&changes).await;
    assert_eq!((kind.as_str(), &report["status"]), ("PolicyChangeIncomplete", &json!("incomplete")));
    let each: Vec<_> =
        report["changes"].as_array().unwrap().iter().map(|c| (c["status"].clone(), outcomes(c)[0])).collect();
    assert_eq!(
        each,
        [(json!("succeeded"), "applied"), (json!("incomplete"), "failed"), (json!("incomplete"), "pending"),]
    );
    assert_eq!(report["changes"][2]["changeId"], "11111111-2222-3333-4444-555555555555/2");
    assert_eq!(report["changes"][2]["results"][0]["error"]["code"], "EarlierChangeIncomplete");
}

#[tokio::test]
async fn nothing_is_sent_where_the_audit_cannot_be_written() {
    let world = World::new().await;
    world.pipe.close();
    let (kind, report) = world.error(&chat(ONE, &json!({}))).await;
    assert_eq!((kind.as_str(), &report["status"]), ("PolicyChangeIncomplete", &json!("incomplete")));
    assert_eq!(report["results"][0]["error"]["code"], "AuditUnavailable");
    assert_eq!(world.updates(), 0);
}

#[tokio::test]
async fn an_instance_outside_the_allow_list_is_not_even_asked_for_its_tags() {
    let mut options = Options::default();
    for instance in &mut options.instances {
        instance.tags.insert("stage".into(), "prod".into());
    }
    let world = World::with(options, &[("POLICY_ALLOWED_INSTANCES", TWO)]).await;
    let report = world.report(&chat("*", &json!({"instanceTags": {"stage": "prod"}}))).await;
    assert_eq!((outcomes(&report), &report["results"][0]["instanceId"]), (vec!["applied"], &json!(TWO)));
    assert_eq!(world.calls(Operation::DescribeInstance).len(), 1);
}

#[tokio::test]
async fn tags_that_match_nothing_are_a_success_with_a_warning() {
    let world = World::new().await;
    let report = world.report(&chat("*", &json!({"instanceTags": {"stage": "prdo"}}))).await;
    assert_eq!((&report["status"], &report["results"]), (&json!("succeeded"), &json!([])));
    let warning =
        |report: &Value| (report["warnings"][0]["code"].clone(), report["warnings"][0]["message"].clone());
    let tags = "no ACTIVE instance in this account and Region has these tags, so nothing was changed";
    assert_eq!(warning(&report), (json!("NoInstanceMatches"), json!(tags)));
    let empty = World::with(Options { instances: Vec::new(), ..Options::default() }, &[]).await;
    let none = "`*` matches no ACTIVE instance in this account and Region, so nothing was changed";
    let report = empty.report(&chat("*", &json!({}))).await;
    assert_eq!(warning(&report), (json!("NoInstanceMatches"), json!(none)));
}

/// The target held the values before, so that reading them back proves nothing.
#[tokio::test]
async fn a_forced_update_of_values_that_were_there_is_not_applied_because_they_still_are() {
    let world = World::with(Options::default(), &[("CONNECT_MAX_ATTEMPTS", "1")]).await;
    assert_eq!(world.report(&chat(ONE, &json!({}))).await["status"], "succeeded");
    world.connect.script(Operation::UpdateAttachedFilesConfiguration, [Some(Fault::ResetBefore)]);
    let (kind, report) = world.error(&chat(ONE, &json!({"force": true}))).await;
    assert_eq!((kind.as_str(), outcomes(&report)), ("PolicyChangeIncomplete", vec!["unknown"]));
    let error = &report["results"][0]["error"];
    assert_eq!((&error["code"], &error["retryable"]), (&json!("ConnectionFailed"), &json!(true)));
    assert_eq!(world.audited()[2..], ["intent", "outcome unknown"]);
    let report = world.report(&chat(ONE, &json!({"force": true}))).await;
    assert_eq!(outcomes(&report), ["applied"]);
}
