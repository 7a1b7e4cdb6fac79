//! Which request of a resource counts: each Create, Update and Delete is a new generation, unless it came before.

use super::request::RequestType;

/// What is known of a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// The newest generation, from 1.
    pub generation: u32,
    /// The request that it came with.
    pub request_id: String,
    /// The requests of older generations, as many as are remembered.
    pub earlier: Vec<String>,
    /// Whether the newest generation was a Delete that has ended.
    pub is_gone: bool,
}

/// What a request leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// A generation of its own; what an older one still has to do is superseded.
    Begin {
        /// Its number.
        generation: u32,
    },
    /// The newest generation's own request once more: it goes on, or has the same answer again.
    Repeat,
    /// The request of an older generation, which is not taken up again.
    Overtaken,
    /// There is nothing to delete: the Delete succeeds.
    Nothing,
}

/// What a request leads to.
///
/// A request that came before is known by its id, never by its time or its values: a rollback has the values of an
/// older generation.
pub fn step(known: Option<&Known>, kind: RequestType, request_id: &str) -> Step {
    match known {
        None if kind == RequestType::Delete => Step::Nothing,
        None => Step::Begin { generation: 1 },
        Some(known) if known.request_id == request_id => Step::Repeat,
        Some(known) if known.earlier.iter().any(|earlier| earlier == request_id) => Step::Overtaken,
        Some(known) if known.is_gone && kind == RequestType::Delete => Step::Nothing,
        Some(known) => Step::Begin { generation: known.generation.saturating_add(1) },
    }
}
