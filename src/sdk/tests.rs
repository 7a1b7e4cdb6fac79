use super::*;
use std::collections::HashMap;

fn configured(variables: &[(&str, &str)]) -> SdkConfig {
    let variables: HashMap<_, _> = variables.iter().copied().collect();
    let lookup = |name: &str| variables.get(name).map(|value| (*value).to_owned());
    config("eu-west-2", http(&lookup).unwrap(), &lookup)
}

/// The endpoint a client of that service is given, as the SDK asks for it.
fn endpoint(config: &SdkConfig, service: &str) -> Option<String> {
    let key = ServiceConfigKey::builder().service_id(service).env("AWS_ENDPOINT_URL").profile("endpoint_url");
    let own = config.service_config().and_then(|services| services.load_config(key.build().unwrap()));
    own.or_else(|| config.endpoint_url().map(str::to_owned))
}

#[test]
fn a_services_own_endpoint_comes_before_the_common_one() {
    let config = configured(&[("AWS_ENDPOINT_URL_SQS", "http://sqs"), ("AWS_ENDPOINT_URL", "http://any")]);
    assert_eq!(endpoint(&config, "SQS").as_deref(), Some("http://sqs"));
    let of_the_table = configured(&[("AWS_ENDPOINT_URL_DYNAMODB", "http://table")]);
    assert_eq!(endpoint(&of_the_table, "DynamoDB").as_deref(), Some("http://table"));
    assert_eq!(endpoint(&config, "Connect").as_deref(), Some("http://any"));
    assert_eq!(endpoint(&config, "STS").as_deref(), Some("http://any"));
    assert_eq!(endpoint(&configured(&[]), "Connect"), None);
}

#[test]
fn endpoints_can_be_ignored() {
    let config = configured(&[
        ("AWS_ENDPOINT_URL_CONNECT", "http://connect"),
        ("AWS_ENDPOINT_URL", "http://any"),
        ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true"),
    ]);
    assert_eq!(endpoint(&config, "Connect"), None);
}

#[test]
fn an_invalid_value_is_ignored() {
    let config = configured(&[
        ("AWS_ENDPOINT_URL", ""),
        ("AWS_ENDPOINT_URL_SQS", "sqs.local"),
        ("AWS_USE_FIPS_ENDPOINT", "yes"),
        ("AWS_MAX_ATTEMPTS", "0"),
        ("AWS_RETRY_MODE", "eager"),
    ]);
    assert_eq!((endpoint(&config, "SQS"), config.use_fips()), (None, Some(false)));
    let retries = config.retry_config().unwrap();
    assert_eq!((retries.max_attempts(), retries.mode()), (3, RetryMode::Standard));
}

#[test]
fn the_environment_decides_on_retries_of_the_queues() {
    let config = configured(&[("AWS_MAX_ATTEMPTS", "7"), ("AWS_RETRY_MODE", "adaptive")]);
    let retries = config.retry_config().unwrap();
    assert_eq!((retries.max_attempts(), retries.mode()), (7, RetryMode::Adaptive));
}

#[test]
fn the_environment_decides_on_fips_and_dual_stack() {
    let config = configured(&[("AWS_USE_FIPS_ENDPOINT", "true"), ("AWS_USE_DUALSTACK_ENDPOINT", "TRUE")]);
    assert_eq!((config.use_fips(), config.use_dual_stack()), (Some(true), Some(true)));
    assert_eq!(config.region().map(AsRef::as_ref), Some("eu-west-2"));
    let config = configured(&[("AWS_USE_FIPS_ENDPOINT", "false")]);
    assert_eq!((config.use_fips(), config.use_dual_stack()), (Some(false), Some(false)));
}

/// Five certificates, each whole: base64 that decodes to one DER SEQUENCE of exactly its length.
#[test]
fn all_five_roots_of_amazon_are_whole() {
    use base64::Engine;
    let bodies: Vec<String> = AMAZON_TRUST_SERVICES
        .split("-----BEGIN CERTIFICATE-----")
        .skip(1)
        .map(|rest| rest.split("-----END CERTIFICATE-----").next().unwrap().split_whitespace().collect())
        .collect();
    assert_eq!(bodies.len(), 5);
    for body in bodies {
        let der = base64::engine::general_purpose::STANDARD.decode(body).unwrap();
        assert_eq!(der[..2], [0x30, 0x82]);
        assert_eq!(usize::from(der[2]) << 8 | usize::from(der[3]), der.len() - 4);
    }
}

fn trust(variables: &[(&str, &str)]) -> Result<String, Vec<String>> {
    let variables: HashMap<_, _> = variables.iter().copied().collect();
    let lookup = |name: &str| variables.get(name).map(|value| (*value).to_owned());
    let store = trusted(&lookup).map(|store| format!("{store:?}"));
    store.map_err(|wrong| wrong.iter().map(ToString::to_string).collect())
}

#[test]
fn an_empty_trust_variable_is_an_absent_one() {
    let pinned = trust(&[]);
    assert_eq!(trust(&[("SSL_CERT_FILE", ""), ("SSL_CERT_DIR", " ")]), pinned);
    let own = trust(&[("SSL_CERT_FILE", "src/sdk/amazon_trust_services.pem")]);
    assert!(own.is_ok() && own != pinned);
    assert_eq!(trust(&[("SSL_CERT_DIR", "src:tests:")]), own);
}

#[test]
fn every_trust_variable_that_cannot_be_used_is_named() {
    let wrong =
        trust(&[("SSL_CERT_FILE", "no/such/file"), ("SSL_CERT_DIR", "src:no/such/folder:Cargo.toml")]);
    let named = |variable: &str, path: &str| format!("{variable} names `{path}`, which cannot be read");
    let expected = vec![
        named("SSL_CERT_FILE", "no/such/file"),
        named("SSL_CERT_DIR", "no/such/folder"),
        named("SSL_CERT_DIR", "Cargo.toml"),
    ];
    assert_eq!(wrong, Err(expected));
    let none = "SSL_CERT_FILE names `Cargo.toml`, which has no certificate in PEM form".to_owned();
    assert_eq!(trust(&[("SSL_CERT_FILE", "Cargo.toml")]), Err(vec![none]));
}
