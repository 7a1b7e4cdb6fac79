//! Calls that are not looked at, or cannot be.

use super::super::stage::PARKED;
use super::{change_elsewhere, drifts, findings, is_checked, of, stage};
use crate::world::TWO;
use sandbox::connect::{self, Operation};

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
