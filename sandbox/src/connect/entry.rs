//! One line of the journal: a request received, and its answer.

use serde::Serialize;
use time::OffsetDateTime;

use super::{fault::Fault, operation::Operation, scope::Scope};
use crate::journal::Numbered;

/// One request and its answer.
///
/// It is entered when the request arrives and completed before the answer is sent, so that a
/// client that has the answer finds it here.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Entry {
    /// The request's number, from 1; clearing the journal does not start it again.
    pub sequence: u64,
    /// When it arrived.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// The operation, if there is one at this method and path.
    pub operation: Option<Operation>,
    /// The HTTP method.
    pub method: String,
    /// The path and query, as they were sent.
    pub path: String,
    /// The id of the instance named, also where it was named by ARN.
    pub instance_id: Option<String>,
    /// The scope named.
    pub scope: Option<Scope>,
    /// The account that signed, empty if nothing was signed.
    pub account: String,
    /// The Region it was signed for, empty if nothing was signed.
    pub region: String,
    /// The client's count of its attempts at this call: `attempt` of `amz-sdk-request`.
    pub attempt: Option<u32>,
    /// The body, if it was JSON.
    pub body: Option<serde_json::Value>,
    /// The status answered; `None` if the connection ended, or the client left, without an answer.
    pub status: Option<u16>,
    /// The name of the error answered.
    pub error: Option<String>,
    /// The answer's `x-amzn-requestid`.
    pub request_id: String,
    /// Whether the stored configuration was written.
    pub effect: bool,
    /// Whether it was written and its values differ from those before.
    pub changed: bool,
    /// The fault that it got.
    pub fault: Option<Fault>,
}

impl Numbered for Entry {
    fn sequence(&self) -> u64 {
        self.sequence
    }

    fn number(&mut self, sequence: u64) {
        self.sequence = sequence;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_one_line_of_json_with_names_as_on_the_wire() {
        let entry = Entry {
            sequence: 0,
            at: OffsetDateTime::UNIX_EPOCH,
            operation: Some(Operation::ListInstances),
            method: "GET".to_owned(),
            path: "/instance".to_owned(),
            instance_id: None,
            scope: None,
            account: String::new(),
            region: String::new(),
            attempt: None,
            body: None,
            status: None,
            error: None,
            request_id: String::new(),
            effect: false,
            changed: false,
            fault: Some(Fault::Slow(std::time::Duration::from_secs(2))),
        };
        let json = serde_json::to_value(entry).unwrap();
        assert_eq!(json["at"], "1970-01-01T00:00:00Z");
        assert_eq!(json["operation"], "ListInstances");
        assert_eq!(json["fault"], "slow:2000");
    }
}
