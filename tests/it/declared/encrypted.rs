//! The answer over TLS, as Amazon S3 takes it. The sandbox's bucket has none, so the one who notes the request is the
//! sandbox's Amazon Connect, which refuses what has no signature of version 4.

use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode};
use connect_attachment_policy::callback::{Callback, NotDelivered};
use sandbox::connect::{Connect, Options};
use serde_json::json;

const OBJECT: &str =
    "/arn%3Aaws%3Acloudformation%3Aus-east-1%3A111122223333%3Astack/s/1%7CPolicy%7C1?Signature=a%2Bb%3D";

#[tokio::test]
async fn an_answer_is_one_put_over_tls_to_whom_the_client_trusts() {
    let connect = Connect::start(Options { tls: true, ..Options::default() }).await.unwrap();
    let url = format!("{}{OBJECT}", connect.url());
    let builder = || Builder::new().tls_provider(Provider::Rustls(CryptoMode::AwsLc));
    // a certificate of nobody: nothing is sent
    let stranger = Callback::new(builder().build_https());
    assert_eq!(stranger.put(&url, r#"{"Status":"SUCCESS"}"#).await, Err(NotDelivered::NoAnswer));
    assert!(connect.journal().is_empty());

    let trusted = TrustStore::default().with_pem_certificate(connect.tls().unwrap().ca_pem());
    let context = TlsContext::builder().with_trust_store(trusted).build().unwrap();
    let callback = Callback::new(builder().tls_context(context).build_https());
    assert_eq!(callback.put(&url, r#"{"Status":"SUCCESS"}"#).await, Err(NotDelivered::Refused(403)));
    let journal = connect.journal();
    let [entry] = &journal[..] else { panic!("{journal:#?}") };
    assert_eq!((entry.method.as_str(), entry.path.as_str()), ("PUT", OBJECT));
    assert_eq!((&entry.body, entry.status), (&Some(json!({"Status": "SUCCESS"})), Some(403)));
    assert_eq!((entry.account.as_str(), entry.attempt), ("", None), "not signed again, and no SDK's attempt");
}
