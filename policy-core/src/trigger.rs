//! What can invoke the function: recognise the envelope, take the change document out of it, answer in
//! its way. Knows AWS's event shapes; of policies only the names in a path and which fields a document has.

pub mod cloudtrail;
pub mod envelope;
pub mod event_bridge;
pub mod http;
pub mod lane;
mod recognition;
pub mod sqs;
pub mod widget;

pub use envelope::NotAccepted;
pub use recognition::recognise;

use crate::origin::TriggerKind;
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
    /// The scheduled look for what was left unfinished.
    Sweep,
    /// A request of a CloudFormation custom resource. It holds a secret, so that only `declare` reads it.
    Cloudformation(&'a RawValue),
    /// A dashboard that shows a page.
    Widget(widget::Widget),
}

impl Trigger<'_> {
    /// Which of the ways the function is invoked this is.
    pub fn kind(&self) -> TriggerKind {
        match self {
            Self::Http(_) => TriggerKind::Http,
            Self::EventBridge(_) => TriggerKind::EventBridge,
            Self::Sqs(records) if records.iter().all(sqs::Record::is_pointer) => TriggerKind::Lane,
            Self::Sqs(_) => TriggerKind::Sqs,
            Self::Bare(_) => TriggerKind::Bare,
            Self::Sweep => TriggerKind::Sweep,
            Self::Cloudformation(_) => TriggerKind::Cloudformation,
            Self::Widget(_) => TriggerKind::Widget,
        }
    }
}
