//! Every page: exactly what it says, and that no text of others becomes markup.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on fails")]

mod change;
mod changes;
mod fleet;
mod hostile;
mod reading;
mod samples;
mod target;
