//! Payloads of every length, depth and number that Lambda lets through: refused by name, in bounded time and
//! memory, with no call to Amazon Connect. The production binary, each case measured (`-- --nocapture limits`).

mod answers;
mod documents;
mod envelopes;
mod gauge;
mod numbers;

use gauge::Gauge;
use serde_json::Value;
use std::time::Duration;

/// What Lambda takes at most: `RequestTooLargeException`'s own number.
const LARGEST: usize = sandbox::lambda::LARGEST_PAYLOAD;
/// The longest document, in bytes.
const DOCUMENT: usize = policy_core::policy::document::MAX_DOCUMENT;
/// A debug build takes below two seconds for the slowest case; a minute would be something quadratic.
const TIME: Duration = Duration::from_mins(1);
/// The process itself takes 13 MB at rest. What a case may take besides: docs/audit.md has the longest line,
/// and a batch of records is held whole.
const MEMORY_PER_BYTE: usize = 20;
const MEMORY: usize = 24 * 1_048_576;
/// docs/audit.md: "The longest line a payload can cause".
const LONGEST_LINE: usize = 262_144;

/// The runtime's own error for a payload that is not JSON. Lambda lets no such payload through: "Could not parse
/// request body into json" (`InvalidRequestContentException`).
const NO_JSON: &str = "&lambda_runtime::deserializer::DeserializeError";
/// From this length on a case has a process of its own: memory that an earlier one left would hide its peak.
const LONG: usize = 10_000;

/// How a payload gets to the function.
enum Through {
    /// As it is, through the Runtime API.
    Invoke,
    /// As the body of a request to a function URL; the request's first lines.
    Url(&'static str),
}

/// How it ends.
enum Ends {
    /// A function error: its type, and its message or the report's violations.
    Error(&'static str, Explanation),
    /// An HTTP response: its status, problem, and detail or violations.
    Http(u16, &'static str, Explanation),
    /// A batch of which every message comes again: how many, and the code of each in the audit.
    Batch(usize, &'static str),
}

/// What the answer says.
enum Explanation {
    /// Text, exactly.
    Text(String),
    /// The violations: pointer and code, exactly.
    Violations(Vec<(String, &'static str)>),
    /// The first violation, 255 more of its code, and then that there are more.
    Many(String, &'static str),
}

struct Case {
    name: &'static str,
    through: Through,
    payload: Vec<u8>,
    ends: Ends,
}

impl Case {
    fn invoke(name: &'static str, payload: impl Into<Vec<u8>>, ends: Ends) -> Self {
        Self { name, through: Through::Invoke, payload: payload.into(), ends }
    }

    fn url(name: &'static str, head: &'static str, body: impl Into<Vec<u8>>, ends: Ends) -> Self {
        Self { name, through: Through::Url(head), payload: body.into(), ends }
    }
}

/// A bare document with one violation.
fn rejected(pointer: &str, code: &'static str) -> Ends {
    Ends::Error("PolicyChangeRejected", one(pointer, code))
}

fn one(pointer: &str, code: &'static str) -> Explanation {
    Explanation::Violations(vec![(pointer.to_owned(), code)])
}

fn many(pointer: &str, code: &'static str) -> Ends {
    Ends::Error("PolicyChangeRejected", Explanation::Many(pointer.to_owned(), code))
}

/// A whole change but for one field, which is written as given.
fn with(field: &str, raw: &str) -> String {
    let instance = format!(r#""{}""#, crate::world::ONE);
    let others = [
        (["instanceId", "instanceIds"], instance.as_str()),
        (["attachmentScope", "attachmentScopes"], r#""CHAT""#),
        (["maximumSizeLimitInBytes", "maximumSize"], "1048576"),
    ];
    let others = others.into_iter().filter(|(names, _)| !names.contains(&field));
    let members: Vec<String> = others.map(|(names, raw)| format!(r#""{}":{raw}"#, names[0])).collect();
    format!(r#"{{"{field}":{raw},{}}}"#, members.join(","))
}

/// `[entry,entry,…]`
fn array(entry: &str, count: usize) -> String {
    format!("[{}]", vec![entry; count].join(","))
}

/// `text` with its first `…` replaced by so many `x` that it has `length` bytes.
fn filled(text: &str, length: usize) -> String {
    let rest = text.len() - '…'.len_utf8();
    text.replacen('…', &"x".repeat(length - rest), 1)
}

#[tokio::test]
async fn whatever_is_too_long_too_deep_or_no_number_is_refused_in_bounded_time_and_memory() {
    let gauge = Gauge::start().await;
    gauge.print_head();
    let cases = documents::cases().into_iter().chain(numbers::cases()).chain(envelopes::cases());
    for case in cases {
        let seen = gauge.measure(&case).await;
        seen.print(&case);
        seen.assert(&case);
        assert_eq!(gauge.calls(), 0, "{}", case.name);
    }
    gauge.assert_still_works().await;
}

/// What an answer or a response says of its violations.
fn violations(document: &Value) -> Vec<(&str, &str)> {
    let listed = document["violations"].as_array().unwrap().iter();
    listed.map(|v| (v["pointer"].as_str().unwrap(), v["code"].as_str().unwrap())).collect()
}
