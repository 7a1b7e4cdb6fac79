//! API Gateway (payload 1.0 and 2.0) and function URLs: one request, one response.

pub mod answer;
pub mod decode;
pub mod route;

use crate::origin::Origin;

/// A request, whichever payload version carried it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Who asks and from where.
    pub origin: Origin,
    /// Whether it came as payload 2.0, and is answered in its format.
    pub is_version_2: bool,
    /// The method, as sent.
    pub method: String,
    /// The path, as sent.
    pub path: String,
    /// `requestContext.stage`, which the path may begin with.
    pub stage: Option<String>,
    /// Query parameters, each as often as it was sent.
    pub query: Vec<(String, String)>,
    /// `Content-Type`.
    pub content_type: Option<String>,
    /// `If-Match`.
    pub if_match: Option<String>,
    /// The body as text; `None` where there is none.
    pub body: Result<Option<String>, InvalidBody>,
}

/// A body that cannot be decoded to text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidBody {
    /// `isBase64Encoded`, and it is not (RFC 4648 section 4).
    #[error("the body is not valid base64, although `isBase64Encoded` is true")]
    Base64,
    /// JSON is UTF-8 (RFC 8259 section 8.1).
    #[error("the body is not valid UTF-8")]
    Utf8,
}
