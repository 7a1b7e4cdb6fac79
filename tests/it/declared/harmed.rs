//! Whatever befalls an invocation in the life of a declared resource, at whichever of its requests to the table, each
//! request of CloudFormation gets one answer, always the same, and the next request finds a ledger that is in order.
//! These are the crash points of docs/declarations.md, one after another, and DynamoDB's faults at the same places.
//!
//! An invocation that dies is one that nobody hears of again. Who comes back is Lambda with the same request, or the
//! sweep alone.

mod life;

use futures_util::{StreamExt, stream};
use life::{Life, Script};

/// What befalls an invocation at its n-th request to the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Harm {
    /// It dies before the request is carried out.
    DiesBefore,
    /// It dies once the request is carried out.
    DiesAfter,
    /// The request is carried out, and its answer is lost.
    AnswerLost,
    /// This request and those after it are throttled.
    Throttled,
    /// This request and those after it fail.
    Down,
    /// This request and those after it are refused for good.
    Denied,
}

const HARMS: [Harm; 6] =
    [Harm::DiesBefore, Harm::DiesAfter, Harm::AnswerLost, Harm::Throttled, Harm::Down, Harm::Denied];

/// Where what befalls whom, and who comes back.
#[derive(Debug, Clone, Copy)]
struct Case {
    script: Script,
    /// The place of the act in the script.
    act: usize,
    /// The request to the table, from 1.
    request: usize,
    harm: Harm,
    /// Whether Lambda tries a request of CloudFormation again; otherwise the sweep finds it, unless nothing is recorded.
    by_lambda: bool,
}

/// Lives at once: many of them wait.
const AT_ONCE: usize = 12;

/// Every third place of the script with one harm, or with `DECLARED_HARMS=all` each place with each of them.
fn cases(script: Script, requests: &[usize]) -> Vec<Case> {
    let all = std::env::var("DECLARED_HARMS").is_ok_and(|which| which == "all");
    let mut cases = Vec::new();
    for act in script.harmed() {
        for request in 1..=requests[act] {
            for (turn, harm) in HARMS.into_iter().enumerate() {
                let is_some = (act + request) % 3 == 0 && turn == (act + request / 3) % HARMS.len();
                if all || is_some {
                    let by_lambda = (request / HARMS.len() + turn).is_multiple_of(2);
                    cases.push(Case { script, act, request, harm, by_lambda });
                }
            }
        }
    }
    cases
}

#[expect(clippy::print_stdout, reason = "how many places there are is part of what this shows")]
async fn assert_unharmed(script: Script) {
    let requests =
        Box::pin(Life::new(script).await.play(None)).await.unwrap_or_else(|wrong| panic!("{wrong:#?}"));
    let cases = cases(script, &requests);
    println!("{script:?}: requests of each act {requests:?}, {} lives", cases.len());
    let played = stream::iter(cases.into_iter().map(|case| async move {
        let played = Box::pin(Life::new(case.script).await.play(Some(case))).await;
        played.err().map(|wrong| format!("{case:?}: {wrong:#?}"))
    }));
    let wrong: Vec<_> = played.buffer_unordered(AT_ONCE).filter_map(|wrong| async { wrong }).collect().await;
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn a_resource_that_is_created_updated_and_deleted_with_its_values() {
    assert_unharmed(Script::Restored).await;
}

#[tokio::test]
async fn a_resource_whose_delete_hands_its_targets_over() {
    assert_unharmed(Script::Retained).await;
}

#[tokio::test]
async fn a_resource_whose_time_was_not_enough() {
    assert_unharmed(Script::Late).await;
}
