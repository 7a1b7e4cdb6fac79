use policy_core::declare::{Addressee, Owed, RequestType};
use policy_core::record::Millis;

#[test]
fn a_create_may_be_unheard_until_its_timeout() {
    use RequestType::{Create, Delete, Update};
    for (kind, now, may_be) in [
        (Create, 0, true),
        (Create, 1_089_999, true),
        (Create, 1_090_000, false),
        (Update, 0, false),
        (Delete, 0, false),
    ] {
        let to = Addressee {
            stack_id: "stack".to_owned(),
            logical_id: "Policy".to_owned(),
            request_id: "request".to_owned(),
            physical_id: "physical".to_owned(),
        };
        let (url, change, body) = (None, None, Some("{}".to_owned()));
        let deadline = Millis(1_000_000);
        let owed = Owed { to, generation: 1, kind, url, deadline, change, body, is_lost: false };
        assert_eq!(owed.may_be_unheard(Millis(now)), may_be, "{kind:?} at {now}");
    }
}
