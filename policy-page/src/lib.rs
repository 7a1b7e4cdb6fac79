//! The pages of a CloudWatch dashboard's custom widget: what the ledger remembers, as HTML. Without I/O and without a
//! clock: what a page shows is passed in.
//!
//! Every text is escaped by construction: the templates are compiled by `maud`, which writes a value as text. The one
//! thing that is written as it is is the style sheet of this crate. A page has no script, and nothing that is loaded from
//! elsewhere. Its links are `cwdb-action`s, with which the dashboard calls the same function again.

mod change;
mod changes;
mod comparison;
mod fleet;
mod frame;
mod parts;
mod target;
mod words;

pub use change::Change;
pub use changes::{Changes, Entry};
pub use fleet::Fleet;
pub use frame::{Frame, Nothing};
pub use target::Target;

/// What `{"describe": true}` is answered with, in Markdown.
pub const DOCUMENTATION: &str = include_str!("documentation.md");
