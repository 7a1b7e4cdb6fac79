//! Assumes a role in another account.

use super::SESSION_NAME;
use crate::telemetry::causes;
use aws_config::SdkConfig;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{self, ProvideCredentials, future};
use aws_sdk_connect::config::Credentials;
use aws_sdk_sts::Client;
use std::time::SystemTime;

/// The credentials of `AssumeRole`. The client that uses them caches them until they expire.
///
/// Not aws-config's `AssumeRoleProvider`: it can load every default of aws-config, and so links all of it.
#[derive(Debug)]
pub(super) struct AssumedRole {
    client: Client,
    role_arn: String,
}

impl AssumedRole {
    /// Uses the STS of the function's own Region, whose credentials work in every Region. The STS of an opt-in Region
    /// answers only accounts that have enabled that Region.
    pub(super) fn new(config: &SdkConfig, role_arn: &str) -> Self {
        let config = aws_sdk_sts::config::Builder::from(config).build();
        Self { client: Client::from_conf(config), role_arn: role_arn.to_owned() }
    }

    /// The Region whose STS is used.
    #[cfg(test)]
    pub(super) fn region(&self) -> Option<&str> {
        self.client.config().region().map(AsRef::as_ref)
    }

    async fn credentials(&self) -> provider::Result {
        let request = self.client.assume_role().role_arn(&self.role_arn).role_session_name(SESSION_NAME);
        let assumed = request.send().await.map_err(|error| {
            tracing::warn!(error = causes(&error), role_arn = self.role_arn, "the role could not be assumed");
            CredentialsError::provider_error(error)
        })?;
        let given = assumed
            .credentials
            .ok_or_else(|| CredentialsError::unhandled("AssumeRole returned no credentials"))?;
        let expiry = SystemTime::try_from(given.expiration).map_err(CredentialsError::unhandled)?;
        Ok(Credentials::new(
            given.access_key_id,
            given.secret_access_key,
            Some(given.session_token),
            Some(expiry),
            "AssumeRole",
        ))
    }
}

impl ProvideCredentials for AssumedRole {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.credentials())
    }
}
