//! Which messages of a batch failed.

use crate::lambda::Answer;
use crate::queue::Received;
use serde_json::Value;
use std::collections::HashSet;

/// The ids of the messages that failed, by the rules of "Implementing partial batch responses".
///
/// A function error fails the whole batch. So does an answer that is no JSON, or a failure that names no message of the
/// batch. An answer that is empty or `null`, or whose list is, or that has none, fails nothing.
pub(super) fn of(batch: &[Received], answer: &Answer, reports_failures: bool) -> HashSet<String> {
    let all = || batch.iter().map(|received| received.message.id.clone()).collect();
    let Answer::Response(bytes) = answer else {
        return all();
    };
    if !reports_failures || bytes.is_empty() {
        return HashSet::new();
    }
    let Ok(answer) = serde_json::from_slice::<Value>(bytes) else {
        return all();
    };
    let failures = match answer.get("batchItemFailures") {
        None | Some(Value::Null) => return HashSet::new(),
        Some(Value::Array(failures)) => failures,
        Some(_) => return all(),
    };
    let named = |failure: &Value| {
        let id = failure.get("itemIdentifier").and_then(Value::as_str)?;
        batch.iter().any(|received| received.message.id == id).then(|| id.to_owned())
    };
    failures.iter().map(named).collect::<Option<_>>().unwrap_or_else(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queue::Message;
    use std::collections::BTreeMap;

    fn batch() -> Vec<Received> {
        let message = |id: &str| Message {
            id: id.to_owned(),
            body: String::new(),
            group: None,
            deduplication_id: None,
            sequence_number: None,
            attributes: BTreeMap::new(),
            trace_header: None,
            sender_id: String::new(),
            sent_ms: 0,
            receives: 1,
            first_received_ms: None,
            dead_letter_source: None,
            in_flight: true,
        };
        ["a", "b"].map(|id| Received { message: message(id), handle: String::new() }).into()
    }

    fn failed(answer: &str) -> Vec<String> {
        let answer = Answer::Response(answer.as_bytes().to_vec());
        let mut failed: Vec<_> = of(&batch(), &answer, true).into_iter().collect();
        failed.sort();
        failed
    }

    #[test]
    fn nothing_fails_without_a_list_of_failures_or_with_an_empty_one() {
        for answer in ["", "null", "{}", r#"{"batchItemFailures": null}"#, r#"{"batchItemFailures": []}"#] {
            assert!(failed(answer).is_empty(), "{answer}");
        }
    }

    #[test]
    fn what_is_named_fails() {
        assert_eq!(failed(r#"{"batchItemFailures": [{"itemIdentifier": "b"}]}"#), ["b"]);
    }

    #[test]
    fn everything_fails_where_a_failure_names_nothing_of_the_batch() {
        for answer in [
            "no JSON",
            r#"{"batchItemFailures": [{"itemIdentifier": ""}]}"#,
            r#"{"batchItemFailures": [{"itemIdentifier": null}]}"#,
            r#"{"batchItemFailures": [{"itemIdentifier": "c"}]}"#,
            r#"{"batchItemFailures": [{"id": "a"}]}"#,
            r#"{"batchItemFailures": "a"}"#,
        ] {
            assert_eq!(failed(answer), ["a", "b"], "{answer}");
        }
    }

    #[test]
    fn a_function_error_fails_everything_and_an_answer_that_does_not_count_nothing() {
        assert_eq!(of(&batch(), &Answer::TimedOut, false).len(), 2);
        let answer = Answer::Response(br#"{"batchItemFailures": [{"itemIdentifier": "b"}]}"#.to_vec());
        assert!(of(&batch(), &answer, false).is_empty());
    }
}
