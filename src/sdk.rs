//! What the AWS SDK's clients share: credentials, Region, endpoints, one HTTP client.
//!
//! What aws-config's loader would find in a Lambda function, read from the environment and from nowhere else: no
//! profile files, no instance metadata, no web identity. docs/performance.md says what that saves.

use aws_config::ecs::EcsCredentialsProvider;
use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::meta::credentials::CredentialsProviderChain;
use aws_config::provider_config::ProviderConfig;
use aws_config::{AppName, BehaviorVersion, Region, SdkConfig};
use aws_sdk_connect::config::{SharedCredentialsProvider, SharedHttpClient};
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_types::service_config::{LoadServiceConfig, ServiceConfigKey};

/// The roots that every AWS endpoint's certificate leads to (Amazon Trust Services, "Certification authorities":
/// Amazon Root CA 1 to 4, and Starfield Services Root CA - G2).
const AMAZON_TRUST_SERVICES: &str = include_str!("sdk/amazon_trust_services.pem");

type Lookup<'a> = &'a dyn Fn(&str) -> Option<String>;

/// The shared configuration, with this Region and this HTTP client.
pub fn config(region: &str, http: SharedHttpClient, lookup: Lookup) -> SdkConfig {
    let is_set = |name: &str| lookup(name).is_some_and(|value| value.eq_ignore_ascii_case("true"));
    let mut builder = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(region.to_owned()))
        .credentials_provider(credentials(&http))
        .use_fips(is_set("AWS_USE_FIPS_ENDPOINT"))
        .use_dual_stack(is_set("AWS_USE_DUALSTACK_ENDPOINT"))
        .http_client(http);
    if !is_set("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS") {
        builder.set_endpoint_url(lookup("AWS_ENDPOINT_URL"));
        builder = builder.service_config(Endpoints::read(lookup));
    }
    builder.set_app_name(AppName::new(env!("CARGO_PKG_NAME")).ok());
    builder.build()
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

/// The one HTTP client.
///
/// It trusts Amazon's own CAs and no others, unless `SSL_CERT_FILE` or `SSL_CERT_DIR` name what to trust: a proxy
/// that ends TLS needs that.
pub fn http(lookup: Lookup) -> SharedHttpClient {
    let names_its_own = ["SSL_CERT_FILE", "SSL_CERT_DIR"].iter().any(|name| lookup(name).is_some());
    let trusted = if names_its_own {
        TrustStore::default()
    } else {
        TrustStore::empty().with_pem_certificate(AMAZON_TRUST_SERVICES)
    };
    let builder = Builder::new().tls_provider(Provider::Rustls(CryptoMode::AwsLc));
    match TlsContext::builder().with_trust_store(trusted).build() {
        Ok(context) => builder.tls_context(context).build_https(),
        // it has no way to fail; the platform's trust is the default
        Err(_) => builder.build_https(),
    }
}

/// `AWS_ENDPOINT_URL_<SERVICE>` of the services that are called.
#[derive(Debug)]
struct Endpoints(Vec<(&'static str, String)>);

impl Endpoints {
    fn read(lookup: Lookup) -> Self {
        let services = ["Connect", "SQS", "STS"].into_iter().filter_map(|id| {
            let url = lookup(&format!("AWS_ENDPOINT_URL_{}", id.to_ascii_uppercase()))?;
            Some((id, url))
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
