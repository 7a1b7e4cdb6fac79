//! What can invoke the function: recognise the envelope, take the change document out of it, answer in
//! its way. Knows AWS's event shapes and nothing of policies or Connect.

pub mod envelope;
pub mod event_bridge;
pub mod http;
mod recognition;
pub mod sqs;

pub use envelope::NotAccepted;
pub use recognition::recognise;

use serde_json::value::RawValue;

/// A recognised payload.
#[derive(Debug)]
pub enum Trigger<'a> {
    /// API Gateway or a function URL.
    Http(Box<http::Request>),
    /// One EventBridge event.
    EventBridge(Box<event_bridge::Event<'a>>),
    /// A batch of SQS messages.
    Sqs(Vec<sqs::Record>),
    /// A policy change as the whole payload.
    Bare(&'a RawValue),
}
