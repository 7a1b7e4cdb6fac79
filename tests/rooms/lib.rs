//! The rooms that decide, and what they know.
#![allow(dead_code, reason = "what they are for is not here")]

pub mod origin;
pub mod policy;
pub mod problem;
pub mod report;
pub mod trigger;

mod propagate {
    mod plan;
}
