//! AWS's own identifiers: accounts, Regions, partitions and resource names, each parsed once.

mod account;
mod arn;
mod region;
mod role;

pub use account::AccountId;
pub use arn::Arn;
pub use region::{Partition, RegionName};
pub use role::RoleArn;
