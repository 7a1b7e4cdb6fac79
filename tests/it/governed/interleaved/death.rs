//! Invocations that die at a certain request to the table.

use super::play::Play;
use super::steps::Death;
use sandbox::ledger::{self, Fault, Rule};
use serde_json::Value;
use std::time::Duration;

/// After it a lease is over.
const LEASE: Duration = Duration::from_secs(62);

impl Play<'_> {
    /// An invocation; `None`: it died.
    pub(super) async fn until_death(&mut self, payload: &Value, death: Option<Death>) -> Option<Value> {
        self.arm(death);
        let answer = tokio::select! {
            biased;
            () = self.stage.struck() => None,
            answer = self.stage.world.invoke(payload) => Some(answer.unwrap()),
        };
        self.disarm(answer.is_none());
        answer
    }

    pub(super) fn arm(&self, death: Option<Death>) {
        let rule = match death {
            None => return,
            Some(Death::Begun(at)) => {
                let begins = |body: &Value| body.to_string().contains(r#""begun""#);
                Rule::new(Fault::NeverAnswered).on(ledger::Operation::UpdateItem).of(begins).nth(at)
            }
            Some(Death::Sent(at)) => {
                let never = Fault::Late(Duration::from_hours(1));
                Rule::new(never).on(ledger::Operation::TransactWriteItems).nth(at)
            }
            Some(Death::Stored(at)) => {
                Rule::new(Fault::NeverAnswered).on(ledger::Operation::TransactWriteItems).nth(at)
            }
        };
        self.stage.ledger.fault(rule);
    }

    /// After a death nobody comes before the lease is over: what is busy is waited for in seconds.
    pub(super) fn disarm(&self, died: bool) {
        self.stage.ledger.clear_faults();
        self.stage.ledger.clear_journal();
        if died {
            self.stage.world.clock.advance(LEASE);
        }
    }
}
