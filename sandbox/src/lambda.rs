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
//!
//! # Why not `cargo lambda watch`
//!
//! It has a Runtime API too, and `conformance/test_cargo_lambda.py` runs the function against it. It
//! does not replace this module. Observed with 1.9.2:
//!
//! - The deadline is always 600,000 ms after the beginning of 1970, so that timeouts cannot be tested,
//!   and nothing ends an invocation that is never answered.
//! - The ARN is always `function-arn`, from which a function cannot learn its account.
//! - It builds the function itself, with other features than the workspace's build, or starts no
//!   process at all (`--only-lambda-apis`). Neither way can a test kill the process, start it again, or
//!   know which lines it wrote during an invocation.
//! - It has no port 0: a test has to find a free port and hope that it stays free.
//!
//! [`function_url`](crate::function_url) and [`invoke_api`](crate::invoke_api) say why its HTTP and its
//! `Invoke` do not replace those.

mod api;
mod callable;
mod capture;
mod environment;
mod exchange;
mod fleet;
mod function;
mod invocation;
mod launch;
mod process;
mod stream;

pub use callable::Callable;
pub use fleet::Fleet;
pub(crate) use fleet::Lease;
pub use function::Function;
pub use invocation::{Answer, Invocation, Invoke};
pub use launch::{Launch, access_key_id};
pub use stream::{Echo, Stream};

/// The largest answer of a function, in bytes.
///
/// 6 MiB and a little for the envelope. Lambda refuses a larger one with 413 (AWS's page "Lambda
/// quotas": 6 MB for synchronous invocations; the exact number is in Lambda's own error message).
pub const LARGEST_ANSWER: usize = 6_291_556;

/// The largest payload of a synchronous invocation, in bytes.
///
/// The exact number is in Lambda's own error message.
pub const LARGEST_PAYLOAD: usize = 6_291_456;
