//! A connection before the first call needs one.

use super::{Connect, LaneKey};
use aws_sdk_connect::config::interceptors::BeforeTransmitInterceptorContextMut;
use aws_sdk_connect::config::retry::RetryConfig;
use aws_sdk_connect::config::{Builder, ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_connect::error::BoxError;
use policy_core::aws::RegionName;

impl Connect {
    /// Opens a connection to a Region's endpoint with our own credentials' client.
    ///
    /// Its request has no signature and names no operation: Amazon Connect refuses it, and no quota counts it. What
    /// it answers does not matter, nor whether it does.
    pub async fn open_connection(&self, region: &RegionName) {
        let lane = self.lane(&LaneKey { role_arn: None, region: region.clone() });
        let once = Builder::new().retry_config(RetryConfig::disabled());
        let request = lane.client.list_instances().customize().config_override(once).interceptor(AsksNothing);
        // refused, as it should be
        drop(request.send().await);
    }
}

/// Makes any request one that asks for nothing.
#[derive(Debug)]
struct AsksNothing;

impl Intercept for AsksNothing {
    fn name(&self) -> &'static str {
        "AsksNothing"
    }

    fn modify_before_transmit(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let request = context.request_mut();
        request.set_method("HEAD")?;
        for credential in ["authorization", "x-amz-security-token"] {
            request.headers_mut().remove(credential);
        }
        Ok(())
    }
}
