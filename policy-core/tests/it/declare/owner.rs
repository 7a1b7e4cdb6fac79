use policy_core::declare::{
    Claim, DeclaredBy, DeclaredElsewhere, Leaver, Leaving, Left, MAX_CLAIMS, Owner, claimed, left,
};
use policy_core::policy::{Configuration, ExtensionSet, MaxSize, OnDelete, Values};
use proptest::prelude::*;

const STACK: &str = "stack/one";

fn values(size: i128) -> Values {
    Values {
        max_size: Some(MaxSize::from_bytes(size).unwrap()),
        extensions: Some(ExtensionSet::parse(["pdf"]).unwrap()),
    }
}

fn held(size: i128) -> Configuration {
    Configuration::default().after(&values(size))
}

fn claim(logical_id: &str, generation: u32, size: i128) -> Claim {
    Claim { logical_id: logical_id.to_owned(), generation, first: generation, declared: values(size) }
}

/// The owner after these claims, each on what the one before had set; 1 byte at first.
fn owner(claims: &[(&str, u32, i128)]) -> Owner {
    let mut before = held(1);
    let mut owner = None;
    for (logical_id, generation, size) in claims {
        let next = claimed(owner.as_ref(), STACK, claim(logical_id, *generation, *size), &before).unwrap();
        (owner, before) = (Some(next), held(*size));
    }
    owner.unwrap()
}

fn leaver(logical_id: &str, on_delete: OnDelete) -> Leaver<'_> {
    Leaver { stack_id: STACK, logical_id, on_delete, last_success: Some(1) }
}

fn names(owner: Option<&Owner>) -> Vec<&str> {
    owner.map_or_else(Vec::new, |owner| owner.claims.iter().map(|claim| &*claim.logical_id).collect())
}

#[test]
fn the_first_claim_remembers_what_was_there() {
    let first = owner(&[("A", 1, 10)]);
    assert_eq!(first, Owner { stack_id: STACK.into(), original: held(1), claims: vec![claim("A", 1, 10)] });
    // a later generation declares something else, and came with the first
    let later = owner(&[("A", 1, 10), ("A", 3, 30)]);
    assert_eq!(later.original, held(1));
    assert_eq!(later.claims, [Claim { first: 1, ..claim("A", 3, 30) }]);
}

#[test]
fn another_stacks_target_is_refused_and_named() {
    let owner = owner(&[("A", 1, 10), ("B", 1, 20)]);
    let refused = claimed(Some(&owner), "stack/two", claim("A", 1, 5), &held(20)).unwrap_err();
    assert_eq!(refused, DeclaredElsewhere(DeclaredBy { stack_id: STACK.into(), logical_id: "B".into() }));
    assert_eq!(refused.to_string(), "the target is declared by `B` of the stack `stack/one`");
    let stranger = Leaver { stack_id: "stack/two", ..leaver("B", OnDelete::Restore) };
    let unchanged = Leaving { owner: Some(owner.clone()), values: Left::Retained };
    assert_eq!(left(Some(&owner), &stranger, &held(20)), unchanged);
}

#[test]
fn retain_leaves_and_restore_puts_back_what_was_there() {
    let owner = owner(&[("A", 1, 10)]);
    let after = |on_delete, size| left(Some(&owner), &leaver("A", on_delete), &held(size));
    assert_eq!(after(OnDelete::Retain, 10), Leaving { owner: None, values: Left::Retained });
    assert_eq!(after(OnDelete::Restore, 10), Leaving { owner: None, values: Left::PutBack(values(1)) });
    // somebody changed it since
    assert_eq!(after(OnDelete::Restore, 11), Leaving { owner: None, values: Left::Elsewhere });
}

#[test]
fn what_never_succeeded_is_put_back_whatever_was_declared() {
    let created = owner(&[("A", 1, 10)]);
    let failed = Leaver { last_success: None, ..leaver("A", OnDelete::Retain) };
    let put_back = Leaving { owner: None, values: Left::PutBack(values(1)) };
    assert_eq!(left(Some(&created), &failed, &held(10)), put_back);
    // only the failed second generation came to it
    let reached = owner(&[("A", 2, 10)]);
    assert_eq!(left(Some(&reached), &leaver("A", OnDelete::Retain), &held(10)), put_back);
    let succeeded = Leaver { last_success: Some(2), ..leaver("A", OnDelete::Retain) };
    assert_eq!(left(Some(&reached), &succeeded, &held(10)).values, Left::Retained);
}

#[test]
fn a_resource_that_is_renamed_hands_its_targets_over() {
    let owner = owner(&[("Old", 1, 10), ("New", 1, 20)]);
    assert_eq!(names(Some(&owner)), ["Old", "New"]);
    // the stack deletes the old one: nothing is put back, whatever it declared
    let gone = left(Some(&owner), &leaver("Old", OnDelete::Restore), &held(20));
    assert_eq!((names(gone.owner.as_ref()), gone.values), (vec!["New"], Left::Retained));
    // and the new one still knows what was there before the old one
    let end = left(gone.owner.as_ref(), &leaver("New", OnDelete::Restore), &held(20));
    assert_eq!(end, Leaving { owner: None, values: Left::PutBack(values(1)) });
}

#[test]
fn a_stacks_rollback_gives_the_targets_back() {
    let owner = owner(&[("Old", 1, 10), ("New", 1, 20)]);
    for on_delete in [OnDelete::Retain, OnDelete::Restore] {
        let back = left(Some(&owner), &leaver("New", on_delete), &held(20));
        assert_eq!((names(back.owner.as_ref()), back.values), (vec!["Old"], Left::PutBack(values(10))));
        let changed = left(Some(&owner), &leaver("New", on_delete), &held(21));
        assert_eq!((names(changed.owner.as_ref()), changed.values), (vec!["Old"], Left::Elsewhere));
    }
}

#[test]
fn a_resource_that_claims_again_is_the_owner_again() {
    let again = owner(&[("A", 1, 10), ("B", 1, 20), ("A", 2, 30)]);
    assert_eq!(names(Some(&again)), ["B", "A"]);
    assert_eq!(again.claims[1], Claim { first: 1, ..claim("A", 2, 30) });
}

#[test]
fn what_is_not_claimed_is_not_touched() {
    let nobody = Leaving { owner: None, values: Left::Retained };
    assert_eq!(left(None, &leaver("A", OnDelete::Restore), &held(10)), nobody);
    let owner = owner(&[("A", 1, 10)]);
    let unchanged = Leaving { owner: Some(owner.clone()), values: Left::Retained };
    assert_eq!(left(Some(&owner), &leaver("B", OnDelete::Restore), &held(10)), unchanged);
}

#[test]
fn no_owner_grows() {
    let ids: Vec<_> = (0..20).map(|n| format!("R{n}")).collect();
    let claims: Vec<_> = ids.iter().map(|id| (id.as_str(), 1, 10)).collect();
    let owner = owner(&claims);
    assert_eq!(owner.claims.len(), MAX_CLAIMS);
    assert_eq!(names(Some(&owner)), ids[20 - MAX_CLAIMS..].iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(owner.original, held(1));
}

#[test]
fn a_size_that_no_update_can_set_is_left() {
    let odd = Configuration { maximum_size_limit_in_bytes: Some(0), ..held(1) };
    let owner = claimed(None, STACK, claim("A", 1, 10), &odd).unwrap();
    assert_eq!(left(Some(&owner), &leaver("A", OnDelete::Restore), &held(10)).values, Left::Elsewhere);
}

#[derive(Debug, Clone)]
enum Act {
    Claim(usize, i128),
    Leave(usize, bool),
    /// Somebody changes the target by other means.
    Edit,
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        4 => (0..3_usize, 10..20_i128).prop_map(|(who, size)| Act::Claim(who, size)),
        3 => (0..3_usize, any::<bool>()).prop_map(|(who, restore)| Act::Leave(who, restore)),
        1 => Just(Act::Edit),
    ];
    prop::collection::vec(act, 1..30)
}

proptest! {
    /// Whatever resources of a stack do in whatever order: the target holds what its owner declares unless somebody
    /// changed it, nobody's change is overwritten by one who leaves, and the last `Restore` brings back what was there.
    #[test]
    fn a_target_follows_its_owner(acts in acts()) {
        const IDS: [&str; 3] = ["A", "B", "C"];
        let (mut owner, mut holds, mut edits) = (None::<Owner>, held(1), 0_i128);
        let (mut original, mut is_edited) = (held(1), false);
        for act in acts {
            match act {
                Act::Claim(who, size) => {
                    if owner.is_none() {
                        original = holds.clone();
                    }
                    owner = Some(claimed(owner.as_ref(), STACK, claim(IDS[who], 1, size), &holds).unwrap());
                    (holds, is_edited) = (held(size), false);
                }
                Act::Leave(who, restore) => {
                    let on_delete = if restore { OnDelete::Restore } else { OnDelete::Retain };
                    let was_last = names(owner.as_ref()) == [IDS[who]];
                    let Leaving { owner: next, values } =
                        left(owner.as_ref(), &leaver(IDS[who], on_delete), &holds);
                    prop_assert!(!names(next.as_ref()).contains(&IDS[who]));
                    if let Left::PutBack(values) = values {
                        prop_assert!(!is_edited);
                        holds = holds.after(&values);
                    }
                    if was_last && !is_edited {
                        prop_assert_eq!(holds == original || !restore, true);
                    }
                    owner = next;
                }
                Act::Edit => {
                    edits += 1;
                    (holds, is_edited) = (held(100 + edits), true);
                }
            }
            if let Some(owner) = owner.as_ref().filter(|_| !is_edited) {
                prop_assert!(holds.holds(&owner.claims.last().unwrap().declared));
            }
        }
    }
}
