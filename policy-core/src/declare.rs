//! The protocol of a CloudFormation custom resource: what is asked, under which id the resource is known, which
//! request of a resource counts, where the answer may go and what it says; and who owns a declared target.
//!
//! The request is read here and not by `aws_lambda_events`, whose types hold the properties as a value that keeps the
//! last of two equal keys and forgets their order, and hold the secret URL as a text that is printed with the rest.

mod answer;
mod generation;
mod kept;
mod owner;
mod request;
mod response_url;
pub mod verdict;

pub use answer::{Answer, Attributes, MAX_ANSWER, Reason, Verdict};
pub use generation::{Known, Step, step};
pub use kept::{EARLIER, Kept, Owed};
pub use owner::{
    Claim, DeclaredBy, DeclaredElsewhere, Leaver, Leaving, Left, MAX_CLAIMS, Owner, claimed, left,
};
pub use request::{Addressee, BadTimeout, Malformed, Request, RequestType, is_start_check};
pub use response_url::{Hosts, NotAnswerable, ResponseUrl};
