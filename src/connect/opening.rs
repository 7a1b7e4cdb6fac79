//! A connection before the first call needs one.

use super::{Access, Connect, LaneKey};
use crate::sdk::AsksNothing;
use aws_sdk_connect::config::Builder;
use aws_sdk_connect::config::retry::RetryConfig;
use policy_core::aws::RegionName;

impl Connect {
    /// Opens a connection to a Region's endpoint with our own credentials' client.
    pub async fn open_connection(&self, region: &RegionName) {
        let lane = self.lane(&LaneKey { access: Access::Own, region: region.clone() });
        let once = Builder::new().retry_config(RetryConfig::disabled());
        let request = lane.client.list_instances().customize().config_override(once).interceptor(AsksNothing);
        // refused, as it should be
        drop(request.send().await);
    }
}
