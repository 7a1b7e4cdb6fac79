//! Amazon Connect's attached-files protocol and Lambda's Runtime API, on loopback.
//!
//! Everything here is written against what AWS publishes, never against the function
//! it serves, so that a request or an answer that AWS would refuse is refused here too.
//!
//! - [`connect`]: Amazon Connect itself: five operations, quota, latency and faults.
//! - [`lambda`]: the Runtime API, and a function process run against it.
//! - [`function_url`]: HTTP in front of a function, as a Lambda function URL.
//! - [`invoke_api`]: Lambda's `Invoke` in front of a function, for any payload.

#![forbid(unsafe_code)]

pub mod connect;
pub mod function_url;
pub mod invoke_api;
pub mod lambda;
