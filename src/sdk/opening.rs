//! What opens a connection to a service and asks it for nothing.

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::BeforeTransmitInterceptorContextMut;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::ConfigBag;

/// Makes any request one that asks for nothing.
///
/// It has no signature and names no operation: the service refuses it, and no quota counts it. What it answers does not
/// matter, nor whether it does.
#[derive(Debug)]
pub(crate) struct AsksNothing;

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
        *request.body_mut() = SdkBody::empty();
        for header in ["authorization", "content-length", "x-amz-security-token", "x-amz-target"] {
            request.headers_mut().remove(header);
        }
        Ok(())
    }
}
