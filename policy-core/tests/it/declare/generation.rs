use policy_core::declare::{Known, RequestType, Step, step};

/// The second generation, after one that came as `first`.
fn known() -> Known {
    Known { generation: 2, request_id: "second".into(), earlier: vec!["first".into()], is_gone: false }
}

const ALL: [RequestType; 3] = [RequestType::Create, RequestType::Update, RequestType::Delete];

#[test]
fn a_resource_that_is_not_known_begins_or_has_nothing_to_delete() {
    assert_eq!(step(None, RequestType::Create, "r"), Step::Begin { generation: 1 });
    // its Create was refused before anything was stored, or it was declared before this table existed
    assert_eq!(step(None, RequestType::Update, "r"), Step::Begin { generation: 1 });
    assert_eq!(step(None, RequestType::Delete, "r"), Step::Nothing);
}

#[test]
fn a_request_that_comes_twice_is_one_generation() {
    for kind in ALL {
        assert_eq!(step(Some(&known()), kind, "second"), Step::Repeat);
        assert_eq!(step(Some(&Known { is_gone: true, ..known() }), kind, "second"), Step::Repeat);
    }
}

#[test]
fn an_old_request_does_not_come_back_over_a_rollback() {
    for kind in ALL {
        assert_eq!(step(Some(&known()), kind, "first"), Step::Overtaken);
        assert_eq!(step(Some(&Known { is_gone: true, ..known() }), kind, "first"), Step::Overtaken);
    }
}

#[test]
fn every_other_request_is_the_next_generation() {
    for kind in ALL {
        assert_eq!(step(Some(&known()), kind, "third"), Step::Begin { generation: 3 });
    }
}

#[test]
fn what_is_gone_can_be_declared_again_and_is_not_deleted_again() {
    let gone = Known { is_gone: true, ..known() };
    assert_eq!(step(Some(&gone), RequestType::Delete, "third"), Step::Nothing);
    assert_eq!(step(Some(&gone), RequestType::Create, "third"), Step::Begin { generation: 3 });
}
