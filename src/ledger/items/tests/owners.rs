//! What a stack declares, in the items that have some of it.

use super::super::super::item::Draft;
use super::super::super::keys::Key;
use super::super::{declaration, owner, target};
use super::{configuration, id, millis};
use policy_core::declare::{Addressee, Claim, Kept, Known, Owed, Owner, RequestType};
use policy_core::policy::{Configuration, LaneName, OnDelete};
use policy_core::record::{Declared, Handover, TargetRecord};
use proptest::collection::{btree_set, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

fn stack() -> impl Strategy<Value = String> {
    "arn:aws:cloudformation:[a-z#/]{1,20}".prop_map(|text| text)
}

fn logical() -> impl Strategy<Value = String> {
    "[A-Za-z0-9]{1,20}".prop_map(|text| text)
}

fn kind() -> impl Strategy<Value = RequestType> {
    select(vec![RequestType::Create, RequestType::Update, RequestType::Delete])
}

fn owner() -> impl Strategy<Value = Owner> {
    let sizes = option::of(1_048_576..1_073_741_824_i64);
    let lists = option::of(btree_set("[a-z0-9]{1,10}", 1..5));
    let declared = (sizes, lists).prop_map(|(size, list)| {
        let held = Configuration { maximum_size_limit_in_bytes: size, allowed_extensions: list };
        held.as_values().unwrap_or_default()
    });
    let claim = (logical(), any::<u32>(), any::<u32>(), declared);
    let claim = claim.prop_map(|(logical_id, generation, first, declared)| Claim {
        logical_id,
        generation,
        first,
        declared,
    });
    (stack(), configuration(), vec(claim, 1..4)).prop_map(|(stack_id, original, claims)| Owner {
        stack_id,
        original,
        claims,
    })
}

pub(super) fn handover() -> impl Strategy<Value = Handover> {
    prop_oneof![Just(Handover::Stays), Just(Handover::Released), owner().prop_map(Handover::To)]
}

pub(super) fn declared() -> impl Strategy<Value = Declared> {
    let numbers = (any::<u32>(), option::of(any::<u32>()), any::<u32>());
    (stack(), logical(), kind(), select(OnDelete::ALL.to_vec()), numbers).prop_map(
        |(stack_id, logical_id, kind, on_delete, (generation, last_success, left))| Declared {
            stack_id,
            logical_id,
            generation,
            kind,
            on_delete,
            last_success,
            left,
        },
    )
}

fn kept() -> impl Strategy<Value = Kept> {
    let known = (any::<u32>(), ".{1,9}", vec(".{0,9}", 0..4), any::<bool>());
    let known = known.prop_map(|(generation, request_id, earlier, is_gone)| Known {
        generation,
        request_id,
        earlier,
        is_gone,
    });
    let lane = select(vec!["111122223333/eu-central-1", "444455556666/us-east-1"]);
    let lanes = btree_set(lane.prop_map(|lane| LaneName::parse(lane).unwrap()), 0..3);
    let good = option::of((any::<u32>(), "[0-9a-f]{64}"));
    let rest = (kind(), millis(), select(OnDelete::ALL.to_vec()), option::of(id()));
    (stack(), logical(), known, lanes, good, rest).prop_map(
        |(stack_id, logical_id, known, lanes, good, (kind, accepted, on_delete, change))| Kept {
            stack_id,
            logical_id,
            known,
            kind,
            accepted,
            on_delete,
            lanes,
            good,
            change,
        },
    )
}

fn owed() -> impl Strategy<Value = Owed> {
    let texts = (".{1,9}", ".{1,9}", option::of(".{1,9}"), option::of(".{1,9}"));
    (stack(), logical(), any::<u32>(), kind(), texts, (millis(), any::<bool>()), option::of(id())).prop_map(
        |(stack_id, logical_id, generation, kind, texts, (deadline, is_lost), change)| Owed {
            to: Addressee { stack_id, logical_id, request_id: texts.0, physical_id: texts.1 },
            generation,
            kind,
            url: texts.2,
            deadline,
            change,
            body: texts.3,
            is_lost,
        },
    )
}

proptest! {
    #[test]
    fn an_owner_is_read_as_it_was_written(owner in owner()) {
        let item = Draft::default().with(owner::OWNER, owner::encode(&owner)).done();
        let expected = TargetRecord { owner: Some(owner), ..TargetRecord::default() };
        prop_assert_eq!(target::decode(&item).unwrap(), expected);
    }

    #[test]
    fn a_declaration_and_its_answer_are_read_as_they_were_written(kept in kept(), owed in owed(), due in millis()) {
        prop_assert_eq!(declaration::decode(&declaration::encode(&kept)).unwrap(), kept);
        let item = declaration::encode_answer(&owed, due);
        prop_assert_eq!(declaration::decode_answer(&item).unwrap(), owed);
    }
}

#[test]
fn a_declaration_and_its_answers_are_in_the_partition_of_their_stack() {
    let key = |key: Key| (key.pk, key.sk);
    let pk = || "declaration#arn:stack/a".to_owned();
    assert_eq!(key(Key::declaration("arn:stack/a", "Policy")), (pk(), "Policy".to_owned()));
    assert_eq!(key(Key::answer("arn:stack/a", "Policy", 7)), (pk(), "Policy#7".to_owned()));
}
