//! What the AWS SDK's clients share: credentials, Region, endpoints, one HTTP client.
//!
//! Everything is read from the environment, as aws-config's loader would in a Lambda function, which has no profile
//! files, no instance metadata and no web identity. docs/performance.md says what that saves.

mod opening;

pub(crate) use opening::AsksNothing;

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
use std::path::Path;

/// The roots that the certificates of AWS's endpoints lead to, in the partitions that have Amazon Connect (Amazon Trust
/// Services, "Certification authorities": Amazon Root CA 1 to 4, and Starfield Services Root CA - G2).
const AMAZON_TRUST_SERVICES: &str = include_str!("sdk/amazon_trust_services.pem");

/// How a certificate begins in PEM form (RFC 7468 section 5.1).
const PEM_MARK: &[u8] = b"-----BEGIN CERTIFICATE-----";

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

/// For SQS and STS; Amazon Connect's retries are the function's own setting, and the ledger has its own.
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

/// The variables that name trusted certificates cannot be used. The function does not start then, because falling back
/// to other authorities would trust them without the operator's consent.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// The variable names something that cannot be read.
    #[error("{variable} names `{path}`, which cannot be read")]
    Unreadable {
        /// `SSL_CERT_FILE` or `SSL_CERT_DIR`.
        variable: &'static str,
        /// The path.
        path: String,
        /// Why it cannot be read.
        #[source]
        source: io::Error,
    },
    /// The file has no certificate in PEM form.
    #[error("SSL_CERT_FILE names `{0}`, which has no certificate in PEM form")]
    NoCertificate(String),
    /// The TLS library does not accept the certificates.
    #[error("the trusted certificates cannot be used")]
    Unusable(#[source] Box<dyn Error + Send + Sync>),
}

/// The one HTTP client.
///
/// It trusts Amazon's own CAs and no others, unless `SSL_CERT_FILE` or `SSL_CERT_DIR` name what to trust: a proxy
/// that ends TLS needs that. An empty variable is an absent one.
///
/// # Errors
/// Everything that is wrong with what the variables name.
pub fn http(lookup: Lookup) -> Result<SharedHttpClient, Vec<TrustError>> {
    let context = TlsContext::builder().with_trust_store(trusted(lookup)?).build();
    let context = context.map_err(|error| vec![TrustError::Unusable(error.into())])?;
    Ok(Builder::new().tls_provider(Provider::Rustls(CryptoMode::AwsLc)).tls_context(context).build_https())
}

/// The certificates to trust.
fn trusted(lookup: Lookup) -> Result<TrustStore, Vec<TrustError>> {
    let set = |variable| lookup(variable).filter(|path| !path.trim().is_empty());
    let (file, folders) = (set("SSL_CERT_FILE"), set("SSL_CERT_DIR"));
    let mut wrong = Vec::new();
    if let Some(path) = &file {
        match std::fs::read(path) {
            Ok(pem) if pem.windows(PEM_MARK.len()).any(|window| window == PEM_MARK) => {}
            Ok(_) => wrong.push(TrustError::NoCertificate(path.clone())),
            Err(source) => wrong.push(unreadable("SSL_CERT_FILE", path, source)),
        }
    }
    // several, as in PATH
    for folder in folders.iter().flat_map(std::env::split_paths).filter(|path| path != Path::new("")) {
        if let Err(source) = std::fs::read_dir(&folder) {
            wrong.push(unreadable("SSL_CERT_DIR", &folder.to_string_lossy(), source));
        }
    }
    match (wrong.is_empty(), file.is_some() || folders.is_some()) {
        (false, _) => Err(wrong),
        // the default store reads these two variables, and the platform's CAs only if neither is set
        (true, true) => Ok(TrustStore::default()),
        (true, false) => Ok(TrustStore::empty().with_pem_certificate(AMAZON_TRUST_SERVICES)),
    }
}

fn unreadable(variable: &'static str, path: &str, source: io::Error) -> TrustError {
    TrustError::Unreadable { variable, path: path.to_owned(), source }
}

/// `AWS_ENDPOINT_URL_<SERVICE>` of the services that are called.
#[derive(Debug)]
struct Endpoints(Vec<(&'static str, String)>);

impl Endpoints {
    fn read(lookup: Lookup) -> Self {
        let services = ["Connect", "DynamoDB", "EventBridge", "SQS", "STS"].into_iter().filter_map(|id| {
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
