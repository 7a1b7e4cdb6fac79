//! Lambda's Runtime API on loopback, and a function process run against it.
//!
//! ```text
//!   invoke ──► queue ──► GET …/invocation/next ──► the function process
//!     ▲                                                     │ stdout, stderr: pipes
//!     └──────── POST …/invocation/{id}/response | error ◄───┘
//! ```
//!
//! The protocol is the one of AWS's page "Using the Lambda runtime API for custom
//! runtimes". The process is the production binary, unchanged: nothing in it knows that
//! it is not in Lambda.

mod api;
mod capture;
mod environment;
mod exchange;
mod function;
mod invocation;
mod launch;
mod process;
mod stream;

pub use function::Function;
pub use invocation::{Answer, Invocation, Invoke};
pub use launch::{Launch, access_key_id};
pub use stream::{Echo, Stream};

/// The largest answer of a function, in bytes.
///
/// 6 MiB and a little for the envelope; beyond it Lambda refuses the answer with 413
/// (AWS's page "Lambda quotas": 6 MB for synchronous invocations; the exact number is the
/// one in Lambda's own error message).
pub const LARGEST_ANSWER: usize = 6_291_556;

/// The largest payload of a synchronous invocation, in bytes.
///
/// The number is the one in Lambda's own error message.
pub const LARGEST_PAYLOAD: usize = 6_291_456;
