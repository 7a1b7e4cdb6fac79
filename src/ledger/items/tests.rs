mod owners;

use super::super::item::{Draft, Item, number};
use super::super::keys::Key;
use super::{TTL, change, freeze, result, run, target};
use crate::ledger::LedgerError;
use aws_sdk_dynamodb::types::AttributeValue;
use policy_core::aws::{AccountId, RegionName};
use policy_core::declare::DeclaredBy;
use policy_core::origin::{IdentitySource, TriggerKind};
use policy_core::policy::{ChangeId, Configuration, InstanceId, Scope, Violation, ViolationCode};
use policy_core::record::{
    ChangeRecord, Counts, Freeze, Halt, Halted, Handover, Holder, Intent, LaneName, Members, Millis, Mode,
    Order, PlanRef, RecordStatus, RecordedError, RecordedOrigin, RecordedResult, Relations, RunKey, RunName,
    TargetName, TargetRecord, Who,
};
use policy_core::report::OutcomeKind;
use proptest::collection::{btree_map, btree_set, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

fn millis() -> impl Strategy<Value = Millis> {
    // what has 13 digits
    (0..10_000_000_000_000_u64).prop_map(Millis)
}

fn id() -> impl Strategy<Value = ChangeId> {
    "[A-Za-z0-9._:/-]{1,128}".prop_map(|id| ChangeId::parse(&id).unwrap())
}

fn order() -> impl Strategy<Value = Order> {
    (millis(), id()).prop_map(|(accepted, change_id)| Order { accepted, change_id })
}

fn run_name() -> impl Strategy<Value = RunName> {
    (id(), millis()).prop_map(|(change_id, key)| RunName { change_id, key: RunKey(key) })
}

fn configuration() -> impl Strategy<Value = Configuration> {
    let list = option::of(btree_set("[A-Za-z0-9_-]{1,10}", 0..5));
    (option::of(any::<i64>()), list).prop_map(|(size, list)| Configuration {
        maximum_size_limit_in_bytes: size,
        allowed_extensions: list,
    })
}

fn who() -> impl Strategy<Value = Who> {
    (option::of(".*"), option::of(".*"), select(IdentitySource::ALL.to_vec()))
        .prop_map(|(principal, account, vouched_by)| Who { principal, account, vouched_by })
}

fn origin() -> impl Strategy<Value = RecordedOrigin> {
    let texts = (option::of(".*"), option::of(".*"), ".*", option::of(".*"));
    (select(TriggerKind::ALL.to_vec()), who(), texts).prop_map(
        |(trigger, who, (claimed_account, source_ip, service, request_id))| RecordedOrigin {
            trigger,
            who,
            claimed_account,
            source_ip,
            service,
            request_id,
        },
    )
}

fn target_name() -> impl Strategy<Value = TargetName> {
    let account = option::of("[0-9]{12}".prop_map(|id| AccountId::parse(&id).unwrap()));
    let region = "[a-z]{2}-[a-z]{4,9}-[1-9]".prop_map(|name| RegionName::parse(&name).unwrap());
    let instance = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}";
    let instance = instance.prop_map(|id| InstanceId::parse(&id).unwrap());
    (account, region, instance, select(Scope::ALL.to_vec())).prop_map(|(account, region, instance, scope)| {
        TargetName { lane: LaneName { account, region }, instance, scope }
    })
}

fn counts() -> impl Strategy<Value = Counts> {
    let outcomes = btree_map(select(OutcomeKind::ALL.to_vec()), 1..9_999_u32, 0..5);
    (outcomes, 0..9_999_u32).prop_map(|(outcomes, retry)| Counts { outcomes, retry })
}

fn plan() -> impl Strategy<Value = PlanRef> {
    prop_oneof![
        ".*".prop_map(PlanRef::Own),
        ("[0-9a-f]{64}", 1..4_u32).prop_map(|(name, count)| PlanRef::Parts { name, count }),
    ]
}

fn halt() -> impl Strategy<Value = Halt> {
    (select(vec![Halted::Cancelled, Halted::Superseded]), millis(), who(), option::of(".*"))
        .prop_map(|(as_what, at, who, reason)| Halt { as_what, at, who, reason })
}

fn violation() -> impl Strategy<Value = Violation> {
    (".*", select(ViolationCode::ALL.to_vec()), ".*").prop_map(|(pointer, code, message)| Violation {
        pointer,
        code,
        message,
    })
}

fn relations() -> impl Strategy<Value = Relations> {
    (option::of(id()), option::of(id()), option::of(id()), option::of(id())).prop_map(
        |(undoes, undone_by, applies, applied_by)| Relations { undoes, undone_by, applies, applied_by },
    )
}

/// What a run has however it stands, then the rest.
fn record() -> impl Strategy<Value = ChangeRecord> {
    let texts = (".*", "[0-9a-f]{64}", option::of(".*"), option::of(".*"), option::of("[0-9a-f]{64}"));
    let flags = (any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>());
    let times = (millis(), millis(), millis(), option::of(millis()), option::of(millis()));
    let numbers = (
        1..1_000_000_u32,
        any::<u32>(),
        any::<u32>(),
        any::<u32>(),
        option::of((any::<u32>(), any::<u32>())),
    );
    let kinds = (select(RecordStatus::ALL.to_vec()), select(vec![Mode::Inline, Mode::Lanes]));
    let holder = (".*", millis()).prop_map(|(token, until)| Holder { token, until });
    let more = (origin(), plan(), counts(), option::of(halt()), option::of(holder), relations());
    let lists = (btree_set(".+", 0..3), vec(violation(), 0..3));
    (order(), texts, flags, times, numbers, kinds, more, lists).prop_map(
        |(order, texts, flags, times, numbers, (status, mode), more, (replays, violations))| ChangeRecord {
            change_id: order.change_id.clone(),
            order,
            token: texts.0,
            hash: texts.1,
            reason: texts.2,
            requested_by: texts.3,
            plan_hash: texts.4,
            chosen: flags.0,
            is_batch: flags.1,
            dry_run: flags.2,
            checks_drift: flags.5,
            sent: flags.3,
            announce: flags.4,
            key: RunKey(times.0),
            first: times.1,
            submitted: times.2,
            started: times.3,
            finished: times.4,
            run: numbers.0,
            lanes: numbers.1,
            lanes_done: numbers.2,
            targets: numbers.3,
            stop_after: numbers.4.map(|(most, _)| most),
            failures: numbers.4.map_or(0, |(_, failures)| failures),
            status,
            mode,
            origin: more.0,
            plan: more.1,
            counts: more.2,
            halt: more.3,
            holder: more.4,
            relations: more.5,
            declared: None,
            replays,
            violations,
            expires: None,
        },
    )
}

fn recorded_result() -> impl Strategy<Value = RecordedResult> {
    let error = (".*", ".*", any::<bool>());
    let error = error.prop_map(|(code, message, retryable)| RecordedError { code, message, retryable });
    let held = (option::of(configuration()), option::of(configuration()), option::of(error));
    let owner = (".*", ".*").prop_map(|(stack_id, logical_id)| DeclaredBy { stack_id, logical_id });
    let whose = (option::of(who()), option::of(owner));
    let trace = (any::<u32>(), option::of(".*"), option::of(millis()), millis(), whose, ".*");
    (target_name(), id(), select(OutcomeKind::ALL.to_vec()), any::<bool>(), held, trace).prop_map(
        |(target, change_id, outcome, done, (before, after, error), trace)| RecordedResult {
            target,
            change_id,
            outcome,
            done,
            before,
            after,
            error,
            attempts: trace.0,
            request_id: trace.1,
            last_modified: trace.2,
            at: trace.3,
            who: trace.4.0,
            declared_by: trace.4.1,
            token: trace.5,
        },
    )
}

fn intent() -> impl Strategy<Value = Intent> {
    let named = (any::<bool>(), any::<bool>()).prop_map(|(size, extensions)| Members { size, extensions });
    let held = (configuration(), configuration());
    let was = (option::of(order()), option::of(order()));
    (".*", (millis(), millis()), run_name(), id(), order(), named, held, was).prop_map(
        |(
            token,
            (begun, until),
            run,
            reported_as,
            order,
            named,
            (values, before),
            (was_size, was_extensions),
        )| Intent {
            token,
            begun,
            until,
            run,
            reported_as,
            order,
            named,
            values,
            before,
            was_size,
            was_extensions,
            handover: Handover::Stays,
        },
    )
}

proptest! {
    #[test]
    fn a_change_is_read_as_it_was_written(
        record in record(), declared in option::of(owners::declared()), due in option::of(millis()),
    ) {
        let record = ChangeRecord { declared, ..record };
        let item = change::encode(&record, number(9), due);
        let expires = record.status.is_final().then_some(Millis(9_000));
        prop_assert_eq!(change::decode(&item).unwrap(), ChangeRecord { expires, ..record.clone() });
        let listed = change::decode_listed(&item).unwrap();
        prop_assert_eq!((listed.change_id, listed.submitted, listed.counts), (record.change_id.clone(), record.submitted, record.counts.clone()));
        let glance = change::decode_glance(&item).unwrap();
        prop_assert_eq!((glance.key, glance.halt, glance.failures), (record.key, record.halt.clone(), record.failures));
        let earlier = change::encode_earlier(&record, number(9), due);
        prop_assert_eq!(change::decode(&earlier).unwrap(), ChangeRecord { expires: Some(Millis(9_000)), ..record });
    }

    #[test]
    fn a_result_is_read_as_it_was_written(result in recorded_result(), run in run_name(), listed: bool) {
        let item = super::result::encode(&run, &result, number(9), listed);
        prop_assert_eq!(super::result::decode(&item).unwrap(), result.clone());
        prop_assert_eq!(item.contains_key("list"), listed);
        if listed {
            let past = super::result::decode_past(&item).unwrap();
            prop_assert_eq!((past.run, past.at, past.before, past.error), (run, result.at, result.before, result.error));
        }
    }

    #[test]
    fn an_intent_is_read_as_it_was_written(intent in intent(), handover in owners::handover()) {
        let intent = Intent { handover, ..intent };
        let item = Draft::default().with("intent", target::encode_intent(&intent)).done();
        let expected = TargetRecord { intent: Some(intent), ..TargetRecord::default() };
        prop_assert_eq!(target::decode(&item).unwrap(), expected);
    }

    #[test]
    fn a_freeze_is_read_as_it_was_written(who in who(), at in millis(), reason in option::of(".*"), drain: bool) {
        let freeze = Freeze { who, at, reason, drain };
        prop_assert_eq!(freeze::decode(&freeze::encode(&freeze)).unwrap(), freeze);
    }

    /// One attribute of another type makes an item corrupt, by name; what nothing reads may be anything.
    #[test]
    fn an_attribute_of_another_type_is_told_by_its_name(record in record(), at in any::<prop::sample::Index>()) {
        const NOT_READ: [&str; 7] = ["kind", "list", "at", "owed", "due", "sk", TTL];
        let mut item = change::encode(&record, number(9), None);
        let mut names: Vec<_> = item.keys().filter(|name| !NOT_READ.contains(&name.as_str())).cloned().collect();
        names.sort();
        let name = at.get(&names);
        item.insert(name.clone(), AttributeValue::Null(true));
        match change::decode(&item) {
            Err(LedgerError::Corrupt { what, .. }) => prop_assert!(what.contains(name.as_str()), "{what} {name}"),
            other => prop_assert!(false, "{name}: {other:?}"),
        }
    }
}

#[test]
fn a_plan_is_in_one_attribute_and_not_in_the_other() {
    let own = PlanRef::Own("p".to_owned());
    let parts = PlanRef::Parts { name: "n".to_owned(), count: 2 };
    for (plan, attribute, other) in [(own, "plan", "parts"), (parts, "parts", "plan")] {
        assert_eq!((run::plan(&plan).0, run::other_plan(&plan)), (attribute, other));
    }
}

#[test]
fn an_item_without_attributes_is_no_change_and_no_result_but_a_target() {
    let item: Item = Draft::of(Key { pk: "change#X".to_owned(), sk: "change".to_owned() }).done();
    assert!(matches!(change::decode(&item), Err(LedgerError::Corrupt { .. })));
    assert!(matches!(result::decode(&item), Err(LedgerError::Corrupt { .. })));
    assert_eq!(target::decode(&Item::new()).unwrap(), TargetRecord::default());
}
