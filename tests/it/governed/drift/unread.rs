//! Calls that are not looked at, or cannot be.

use super::super::stage::{PARKED, Stage};
use super::{change_elsewhere, drifts, findings, is_checked, of, seen, stage};
use crate::world::TWO;
use sandbox::connect::{self, Operation, Options};
use serde_json::{Value, json};

/// The id becomes a key and a word of the audit.
#[tokio::test]
async fn what_has_no_id_of_cloudtrail_s_is_parked_and_not_looked_at() {
    let stage = stage().await;
    change_elsewhere(&stage, TWO, 5);
    for id in ["", "e\u{202e}1", &"e".repeat(129)] {
        assert!(is_checked(&stage, &of(TWO, id)).await, "{id}");
    }
    assert_eq!((drifts(&stage).len(), findings(&stage.world)), (0, vec![]));
    assert_eq!(stage.queues.messages(PARKED).len(), 3);
}

#[tokio::test]
async fn what_nobody_governs_and_the_role_may_not_read_does_not_come_again() {
    let stage = stage().await;
    change_elsewhere(&stage, TWO, 5);
    let read = Operation::DescribeAttachedFilesConfiguration;
    stage.world.connect.always(read, Some(connect::Fault::AccessDenied));
    assert!(is_checked(&stage, &of(TWO, "denied")).await);
    stage.world.connect.always(read, Some(connect::Fault::Throttle));
    assert!(!is_checked(&stage, &of(TWO, "throttled")).await);
    assert_eq!((drifts(&stage).len(), findings(&stage.world)), (0, vec![]));
}

/// It is nobody's change: there is neither a record of it nor an event about it.
#[tokio::test]
async fn what_cannot_be_read_as_a_call_is_parked_with_its_reason_and_is_no_change() {
    let stage = Stage::with(Options::default(), &[("ACCEPTED_TRIGGERS", "sweep,cloudtrail")]).await;
    let mut another = seen("iam-user");
    another["detail"]["eventName"] = json!("DeleteInstance");
    let mut no_scope = seen("iam-user");
    no_scope["detail"]["requestParameters"]["AttachmentScope"] = json!("FAX");
    for event in [&another, &no_scope, &of(TWO, "")] {
        assert!(is_checked(&stage, event).await, "{event}");
    }
    let parked = stage.queues.messages(PARKED);
    let reasons = parked.iter().map(|message| message.attributes["reasons"].string_value.as_deref().unwrap());
    assert_eq!(
        reasons.collect::<Vec<_>>(),
        [
            "SourceRefused at ``: CloudTrail's event is not about UpdateAttachedFilesConfiguration",
            "SourceRefused at ``: CloudTrail's event names no scope",
            "SourceRefused at ``: CloudTrail's event has no `eventID`",
        ]
    );
    assert_eq!(stage.world.audited(), ["refusal"; 3]);
    assert_eq!((stage.ledger.items().unwrap(), stage.bus.events().len()), (Vec::<Value>::new(), 0));
}
