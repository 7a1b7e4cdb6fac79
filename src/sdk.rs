//! What the AWS SDK's clients share: credentials, Region, endpoints, one HTTP client.
//!
//! What aws-config's loader would find in a Lambda function, read from the environment and from nowhere else: no
//! profile files, no instance metadata, no web identity. docs/performance.md says what that saves.

use aws_config::ecs::EcsCredentialsProvider;
use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::identity::IdentityCache;
use aws_config::meta::credentials::CredentialsProviderChain;
use aws_config::provider_config::ProviderConfig;
use aws_config::retry::{RetryConfig, RetryMode};
use aws_config::{AppName, BehaviorVersion, Region, SdkConfig};
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_types::service_config::{LoadServiceConfig, ServiceConfigKey};
use std::error::Error;
use std::io;

/// The roots that the certificates of AWS's endpoints lead to, in the partitions that have Amazon Connect (Amazon Trust
/// Services, "Certification authorities": Amazon Root CA 1 to 4, and Starfield Services Root CA - G2).
const AMAZON_TRUST_SERVICES: &str = include_str!("sdk/amazon_trust_services.pem");

type Lookup<'a> = &'a dyn Fn(&str) -> Option<String>;

/// The shared configuration, with this Region and this HTTP client.
pub fn config(region: &str, http: SharedHttpClient, lookup: Lookup) -> SdkConfig {
    let is_set =
        |name: &str| parsed(lookup, name, |text| text.to_ascii_lowercase().parse().ok()) == Some(true);
    let mut builder = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(region.to_owned()))
        .credentials_provider(credentials(&http))
        .identity_cache(IdentityCache::lazy().build())
        .retry_config(retries(lookup))
        .use_fips(is_set("AWS_USE_FIPS_ENDPOINT"))
        .use_dual_stack(is_set("AWS_USE_DUALSTACK_ENDPOINT"))
        .http_client(http);
    if !is_set("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS") {
        builder.set_endpoint_url(parsed(lookup, "AWS_ENDPOINT_URL", url));
        builder = builder.service_config(Endpoints::read(lookup));
    }
    builder.set_app_name(AppName::new(env!("CARGO_PKG_NAME")).ok());
    builder.build()
}

/// A variable's value. An invalid one is ignored with a warning, as in other AWS SDKs.
fn parsed<T>(lookup: Lookup, name: &str, parse: impl Fn(&str) -> Option<T>) -> Option<T> {
    let text = lookup(name).filter(|text| !text.is_empty())?;
    let value = parse(&text);
    if value.is_none() {
        tracing::warn!(name, "the value is invalid and is ignored");
    }
    value
}

fn url(text: &str) -> Option<String> {
    ["http://", "https://"].iter().any(|scheme| text.starts_with(scheme)).then(|| text.to_owned())
}

/// For SQS and STS; Amazon Connect's retries are the function's own setting.
fn retries(lookup: Lookup) -> RetryConfig {
    let attempts =
        parsed(lookup, "AWS_MAX_ATTEMPTS", |text| text.parse().ok().filter(|attempts| *attempts > 0));
    let retries = match parsed(lookup, "AWS_RETRY_MODE", |text| text.parse().ok()) {
        Some(RetryMode::Adaptive) => RetryConfig::adaptive(),
        _ => RetryConfig::standard(),
    };
    attempts.map_or(retries.clone(), |attempts| retries.with_max_attempts(attempts))
}

/// Lambda's own variables, or the endpoint that they name for credentials that are renewed.
fn credentials(http: &SharedHttpClient) -> SharedCredentialsProvider {
    let container = ProviderConfig::without_region().with_http_client(http.clone());
    let container = EcsCredentialsProvider::builder().configure(&container).build();
    let environment = EnvironmentVariableCredentialsProvider::new();
    SharedCredentialsProvider::new(
        CredentialsProviderChain::first_try("Environment", environment).or_else("Container", container),
    )
}

/// What decides whom the HTTP client trusts is unusable. The function does not start then: to go on with other
/// authorities than those that were asked for would be to trust somebody unasked.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// The variable names nothing that can be read.
    #[error("{variable} names `{path}`, which cannot be read")]
    Unreadable {
        /// `SSL_CERT_FILE` or `SSL_CERT_DIR`.
        variable: &'static str,
        /// What it names.
        path: String,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// The TLS library does not take the certificates.
    #[error("the trusted certificates cannot be used")]
    Unusable(#[source] Box<dyn Error + Send + Sync>),
}

/// The one HTTP client.
///
/// It trusts Amazon's own CAs and no others, unless `SSL_CERT_FILE` or `SSL_CERT_DIR` name what to trust: a proxy
/// that ends TLS needs that. An empty variable is an absent one.
///
/// # Errors
/// The variable names nothing readable, or the certificates cannot be used.
pub fn http(lookup: Lookup) -> Result<SharedHttpClient, TrustError> {
    let context = TlsContext::builder().with_trust_store(trusted(lookup)?).build();
    let context = context.map_err(|error| TrustError::Unusable(error.into()))?;
    Ok(Builder::new().tls_provider(Provider::Rustls(CryptoMode::AwsLc)).tls_context(context).build_https())
}

/// Whom to trust.
fn trusted(lookup: Lookup) -> Result<TrustStore, TrustError> {
    let mut is_named = false;
    for variable in ["SSL_CERT_FILE", "SSL_CERT_DIR"] {
        if let Some(path) = lookup(variable).filter(|path| !path.trim().is_empty()) {
            is_named = true;
            if let Err(source) = std::fs::metadata(&path) {
                return Err(TrustError::Unreadable { variable, path, source });
            }
        }
    }
    // the default store reads these two variables, and the platform's CAs only where neither is there
    Ok(if is_named {
        TrustStore::default()
    } else {
        TrustStore::empty().with_pem_certificate(AMAZON_TRUST_SERVICES)
    })
}

/// `AWS_ENDPOINT_URL_<SERVICE>` of the services that are called.
#[derive(Debug)]
struct Endpoints(Vec<(&'static str, String)>);

impl Endpoints {
    fn read(lookup: Lookup) -> Self {
        let services = ["Connect", "SQS", "STS"].into_iter().filter_map(|id| {
            let name = format!("AWS_ENDPOINT_URL_{}", id.to_ascii_uppercase());
            Some((id, parsed(lookup, &name, url)?))
        });
        Self(services.collect())
    }
}

impl LoadServiceConfig for Endpoints {
    fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
        if key.env() != "AWS_ENDPOINT_URL" {
            return None;
        }
        self.0.iter().find(|(id, _)| *id == key.service_id()).map(|(_, url)| url.clone())
    }
}

#[cfg(test)]
mod tests;
