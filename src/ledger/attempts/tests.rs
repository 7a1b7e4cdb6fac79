use super::*;
use aws_sdk_dynamodb::config::http::HttpResponse;
use aws_sdk_dynamodb::error::ErrorMetadata;
use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_dynamodb::types::error::{ConditionalCheckFailedException, TransactionCanceledException};

fn answer<E>(cause: E, status: u16) -> SdkError<E, HttpResponse> {
    SdkError::service_error(cause, HttpResponse::new(status.try_into().unwrap(), "".into()))
}

fn named(name: &str, status: u16) -> SdkError<GetItemError, HttpResponse> {
    answer(GetItemError::generic(ErrorMetadata::builder().code(name).build()), status)
}

fn cancelled(codes: &[&str]) -> TransactWriteItemsError {
    let item = Item::from([("pk".to_owned(), AttributeValue::S(codes.join(" ")))]);
    let reason = |code: &&str| {
        let reason = CancellationReason::builder().code(*code);
        if *code == CONDITION { reason.set_item(Some(item.clone())).build() } else { reason.build() }
    };
    let cancelled = TransactionCanceledException::builder()
        .set_cancellation_reasons(Some(codes.iter().map(reason).collect()))
        .meta(ErrorMetadata::builder().code("TransactionCanceledException").build());
    TransactWriteItemsError::TransactionCanceledException(cancelled.build())
}

fn passes_by_itself<E: Cause>(error: SdkError<E, HttpResponse>) -> bool {
    match sorted(error) {
        LedgerError::Unavailable(_) => true,
        LedgerError::Refused(_) => false,
        other @ LedgerError::Corrupt { .. } => panic!("{other:?}"),
    }
}

#[test]
fn a_failure_passes_by_its_name_by_its_status_or_because_nobody_answered() {
    for name in PASSING {
        assert!(passes_by_itself(named(name, 400)), "{name}");
    }
    for name in ["ValidationException", "ResourceNotFoundException", "AccessDeniedException", "Unheard"] {
        assert!(!passes_by_itself(named(name, 400)), "{name}");
        assert!(passes_by_itself(named(name, 503)), "{name}");
    }
    assert!(passes_by_itself(SdkError::<GetItemError, _>::timeout_error("too slow")));
    assert!(!passes_by_itself(SdkError::<GetItemError, _>::construction_failure("no table")));
}

#[test]
fn a_transaction_passes_if_all_its_reasons_do() {
    for (codes, passes) in [
        (&["TransactionConflict", "None"][..], true),
        (&["None", "ThrottlingError", "ProvisionedThroughputExceeded"], true),
        (&["TransactionConflict", "ValidationError"], false),
        (&["None", "AccessDenied"], false),
        (&[], false),
    ] {
        assert_eq!(passes_by_itself(answer(cancelled(codes), 400)), passes, "{codes:?}");
        assert_eq!(met_a_transaction(&answer(cancelled(codes), 400)), passes, "{codes:?}");
    }
    assert!(!met_a_transaction(&named("ThrottlingException", 400)));
    assert!(met_a_transaction(&named("TransactionConflictException", 400)));
    assert!(met_a_transaction(&named("TransactionInProgressException", 400)));
}

#[test]
fn a_failed_condition_comes_with_the_items_that_made_it_fail() {
    let there = Item::from([("pk".to_owned(), AttributeValue::S("p".to_owned()))]);
    let failed = |item: Option<Item>| {
        PutItemError::ConditionalCheckFailedException(
            ConditionalCheckFailedException::builder().set_item(item).build(),
        )
    };
    assert_eq!(failed(Some(there.clone())).conditions(), Some(vec![Some(there)]));
    assert_eq!(failed(None).conditions(), Some(vec![Some(Item::new())]));

    let codes = ["None", CONDITION, "TransactionConflict"];
    let item = Item::from([("pk".to_owned(), AttributeValue::S(codes.join(" ")))]);
    assert_eq!(cancelled(&codes).conditions(), Some(vec![None, Some(item), None]));
    assert_eq!(cancelled(&["None", "TransactionConflict"]).conditions(), None);
}

#[test]
fn a_pause_is_random_and_grows_to_400_milliseconds() {
    for (repeats, longest) in [(0, 25), (1, 50), (2, 100), (3, 200), (4, 400), (9, 400)] {
        let longest = Duration::from_millis(longest);
        let micros = u64::try_from(longest.as_micros()).unwrap();
        assert_eq!(pause(repeats, micros), longest);
        assert_eq!(pause(repeats, micros + 1), Duration::ZERO);
        assert_eq!(pause(repeats, 7), Duration::from_micros(7));
    }
}
