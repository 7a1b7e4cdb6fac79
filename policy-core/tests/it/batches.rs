//! Several changes in one document.

use crate::parsing::{ID, at, parse, violations, with};
use serde_json::json;

#[test]
fn changes_keep_their_place_and_may_not_overlap() {
    let changes = json!({"changes": [with("force", json!(true)), with("attachmentScope", json!("CASE"))], "changeId": "CHG"});
    let document = parse(&changes.to_string()).unwrap();
    let ids: Vec<_> = document.changes.iter().map(|c| c.change_id.to_string()).collect();
    assert_eq!((document.is_batch, ids), (true, vec!["CHG/0".to_owned(), "CHG/1".to_owned()]));
    let same = with("maximumSize", json!("5 MB"));
    let star = json!({"instanceId": "*", "attachmentScope": "chat", "maximumSize": "5 MB"});
    for (first, second, code) in [
        (&same, &same, "OverlappingTarget"),
        (&star, &same, "OverlappingTarget"),
        (&same, &star, "OverlappingTarget"),
    ] {
        let text = json!({"changes": [first, second]}).to_string();
        assert_eq!(violations(&text), [at("/changes/1", code)], "{text}");
    }
    let text =
        json!({"changes": [same, {"instanceId": ID, "attachmentScope": "TASK", "maximumSize": "0 MB"}]})
            .to_string();
    assert_eq!(violations(&text), [at("/changes/1/maximumSize", "SizeOutOfRange")]);
    for (changes, code) in [(json!([]), "EmptyList"), (json!({}), "WrongType")] {
        assert_eq!(violations(&json!({"changes": changes}).to_string()), [at("/changes", code)]);
    }
}
