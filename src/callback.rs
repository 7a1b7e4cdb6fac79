//! The answer to CloudFormation: one HTTPS PUT to a presigned URL. The URL is a secret, which no line has.

use aws_config::timeout::TimeoutConfig;
use aws_smithy_runtime::client::orchestrator::operation::Operation;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse, OrchestratorError};
use std::convert::Infallible;
use std::time::Duration;

/// TCP and TLS to Amazon S3.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// The whole request.
pub const PATIENCE: Duration = Duration::from_secs(5);

/// What answers.
#[derive(Debug, Clone)]
pub struct Callback {
    http: SharedHttpClient,
}

/// Why an answer did not arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotDelivered {
    /// Amazon S3 refuses it: usually its URL has expired.
    #[error("Amazon S3 answered {0}")]
    Refused(u16),
    /// There was no answer. The cause is not named, since it may have the URL.
    #[error("Amazon S3 did not answer")]
    NoAnswer,
}

impl Callback {
    /// By this HTTP client.
    pub const fn new(http: SharedHttpClient) -> Self {
        Self { http }
    }

    /// Puts the body there. The `Content-Type` is empty, because the URL's signature (version 2) covers it.
    ///
    /// # Errors
    /// It did not arrive, or nobody knows.
    pub async fn put(&self, url: &str, body: &str) -> Result<(), NotDelivered> {
        let (endpoint, object) = split(url).ok_or(NotDelivered::NoAnswer)?;
        let timeouts = TimeoutConfig::builder().connect_timeout(CONNECT_TIMEOUT).operation_timeout(PATIENCE);
        let object = object.to_owned();
        let operation = Operation::builder()
            .service_name("CloudFormation")
            .operation_name("Answer")
            .http_client(self.http.clone())
            .endpoint_url(endpoint)
            .no_auth()
            .no_retry()
            .timeout_config(timeouts.build())
            .serializer(move |body: String| {
                let length = body.len().to_string();
                let mut request = HttpRequest::new(body.into());
                request.set_method("PUT")?;
                request.set_uri(object.as_str())?;
                request.headers_mut().insert("content-type", "");
                request.headers_mut().insert("content-length", length);
                Ok(request)
            })
            .deserializer(|response: &HttpResponse| -> Result<u16, OrchestratorError<Infallible>> {
                Ok(response.status().as_u16())
            })
            .build();
        match operation.invoke(body.to_owned()).await {
            Ok(200..=299) => Ok(()),
            Ok(status) => Err(NotDelivered::Refused(status)),
            Err(_) => Err(NotDelivered::NoAnswer),
        }
    }
}

/// The host, and the rest as it was signed.
fn split(url: &str) -> Option<(&str, &str)> {
    let host = url.find("://")?.checked_add(3)?;
    let object = url.get(host..)?.find('/')?.checked_add(host)?;
    Some(url.split_at(object))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_parted_behind_its_host() {
        assert_eq!(split("https://h.example/a%2Fb?c=d/e"), Some(("https://h.example", "/a%2Fb?c=d/e")));
        assert_eq!(split("https://h.example"), None);
        assert_eq!(split("nothing"), None);
    }
}
