//! What a relative change finds in order may be a drift: it asks for no value, so that it accepts none.

use super::super::stage::Stage;
use super::{ALL, MEGABYTE, change_elsewhere, drifts, findings, govern, is_checked, seen};
use crate::world::{ONE, chat};
use sandbox::connect::{Configuration, Options, Scope};
use serde_json::{Value, json};

const LIMITED: [(&str, &str); 3] =
    [ALL[0], ("POLICY_MAX_SIZE_BYTES", "20971520"), ("POLICY_BLOCKED_EXTENSIONS", "exe")];

/// A change of CHAT of the first instance, without a value.
async fn ask(stage: &Stage, more: &Value) -> Value {
    let mut change = json!({"instanceId": ONE, "attachmentScope": "CHAT"});
    change.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    stage.world.report(&change).await
}

#[tokio::test]
async fn a_relative_change_that_finds_nothing_to_do_leaves_a_drift_what_it_is() {
    for asked in [json!({"enforceGuardrails": true}), json!({"maximumSizeAtMost": "20 MB"})] {
        let stage = Stage::with(Options::default(), &LIMITED).await;
        govern(&stage, ONE).await;
        change_elsewhere(&stage, ONE, 15);
        assert_eq!(ask(&stage, &asked).await["summary"], json!({"unchanged": 1}), "{asked}");
        assert_eq!(findings(&stage.world), Vec::<Value>::new());
        // late, and the target still should hold what was asked
        assert!(is_checked(&stage, &seen("iam-user")).await);
        assert_eq!(findings(&stage.world), [json!(["drift", 10, 15])], "{asked}");
        // after it was reported, too
        assert_eq!(ask(&stage, &asked).await["summary"], json!({"unchanged": 1}), "{asked}");
        change_elsewhere(&stage, ONE, 10);
        assert!(is_checked(&stage, &seen("iam-user")).await);
        assert_eq!(findings(&stage.world)[1..], [json!(["drift-ended", null, null])], "{asked}");
    }
}

#[tokio::test]
async fn a_relative_change_of_one_member_leaves_the_drift_of_the_other_what_it_is() {
    let stage = Stage::with(Options::default(), &LIMITED).await;
    govern(&stage, ONE).await;
    let held = stage.world.connect.configuration(ONE, Scope::Chat).unwrap();
    let held = Configuration {
        maximum_size_limit_in_bytes: 15 * MEGABYTE,
        extensions: vec!["exe".to_owned(), "pdf".to_owned()],
        ..held
    };
    stage.world.connect.put(ONE, Scope::Chat, held);
    // the list is corrected; the size is in order, and reported in passing
    assert_eq!(ask(&stage, &json!({"enforceGuardrails": true})).await["summary"], json!({"applied": 1}));
    assert_eq!(findings(&stage.world), [json!(["drift", 10, 15])]);
    assert!(is_checked(&stage, &seen("iam-user")).await);
    assert_eq!(findings(&stage.world).len(), 1);
    change_elsewhere(&stage, ONE, 10);
    assert!(is_checked(&stage, &seen("iam-user")).await);
    assert_eq!(findings(&stage.world)[1..], [json!(["drift-ended", null, null])]);
}

#[tokio::test]
async fn of_two_members_that_drifted_one_that_is_put_back_makes_no_second_report() {
    let stage = Stage::with(Options::default(), &ALL).await;
    stage.world.report(&chat(ONE, &json!({"allowedExtensions": ["pdf"]}))).await;
    let governed = stage.world.connect.configuration(ONE, Scope::Chat).unwrap();
    let both = Configuration {
        maximum_size_limit_in_bytes: 15 * MEGABYTE,
        extensions: vec!["exe".to_owned()],
        ..governed.clone()
    };
    stage.world.connect.put(ONE, Scope::Chat, both.clone());
    assert!(is_checked(&stage, &seen("iam-user")).await);
    assert_eq!(drifts(&stage).len(), 1);
    // the list is put back, which nobody says, and a change overwrites the size
    stage.world.connect.put(ONE, Scope::Chat, Configuration { extensions: governed.extensions, ..both });
    stage.world.report(&chat(ONE, &json!({"maximumSize": "12 MB", "changeId": "CHG-2"}))).await;
    assert_eq!(findings(&stage.world).len(), 1);
}
