//! AWS STS on loopback: `AssumeRole`, for functions that reach into other accounts.
//!
//! The access keys that it gives carry the account of the role, as AWS's do, so that the sandbox's Amazon Connect knows
//! whose instances are meant. Every role can be assumed, unless its account denies it.
//!
//! ```no_run
//! # async fn example() -> std::io::Result<()> {
//! let sts = sandbox::sts::Sts::start(0).await?;
//! sts.deny("444455556666");
//! println!("point AWS_ENDPOINT_URL_STS at {}", sts.url());
//! # Ok(())
//! # }
//! ```

use crate::connections::{self, Answer, HangUp, Respond};
use crate::identifier::uuid;
use crate::lambda::access_key_id;
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use hyper::{Request, Response, StatusCode};
use percent_encoding::percent_decode_str;
use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::{fmt, io};
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// More than any request of this protocol has.
const LARGEST_BODY: usize = 65_536;
/// How long credentials last: the default of `DurationSeconds`.
const LIFETIME: Duration = Duration::HOUR;
const NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";

/// A running STS; dropping it closes its port and every connection.
pub struct Sts {
    address: SocketAddr,
    service: Arc<Service>,
    server: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct Service {
    denied: Mutex<BTreeSet<String>>,
    asked: Mutex<Vec<String>>,
}

/// A refusal: status, code, message.
type Refusal = (StatusCode, &'static str, String);

impl Sts {
    /// Starts serving on 127.0.0.1; port 0 takes a free one.
    ///
    /// # Errors
    ///
    /// The port is taken.
    pub async fn start(port: u16) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let address = listener.local_addr()?;
        let service = Arc::new(Service::default());
        let server = tokio::spawn(connections::serve(listener, Arc::clone(&service), None));
        Ok(Self { address, service, server })
    }

    /// The endpoint, for `AWS_ENDPOINT_URL_STS`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// From now on no role of this account can be assumed.
    pub fn deny(&self, account: &str) {
        lock(&self.service.denied).insert(account.to_owned());
    }

    /// From now on every role of this account can be assumed again.
    pub fn allow(&self, account: &str) {
        lock(&self.service.denied).remove(account);
    }

    /// The roles that were asked for so far, in order, denied ones too.
    #[must_use]
    pub fn asked(&self) -> Vec<String> {
        lock(&self.service.asked).clone()
    }
}

impl Drop for Sts {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl fmt::Debug for Sts {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Sts").field("url", &self.url()).finish_non_exhaustive()
    }
}

impl Service {
    /// The credentials, as the answer's XML.
    fn assume(&self, is_signed: bool, parameters: &BTreeMap<String, String>) -> Result<String, Refusal> {
        let refused = |status, code, message: String| Err((status, code, message));
        if !is_signed {
            let message = "Request is missing Authentication Token".to_owned();
            return refused(StatusCode::FORBIDDEN, "MissingAuthenticationToken", message);
        }
        let text = |name: &str| parameters.get(name).map_or("", String::as_str);
        if (text("Action"), text("Version")) != ("AssumeRole", "2011-06-15") {
            let message =
                format!("Could not find operation {} for version {}", text("Action"), text("Version"));
            return refused(StatusCode::BAD_REQUEST, "InvalidAction", message);
        }
        let (arn, session) = (text("RoleArn"), text("RoleSessionName"));
        let Some((partition, account, name)) = role(arn) else {
            let message = format!("{arn} is invalid");
            return refused(StatusCode::BAD_REQUEST, "ValidationError", message);
        };
        // "AssumeRole", AWS STS API reference
        let is_name = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
        if !(2..=64).contains(&session.len()) || !session.chars().all(is_name) {
            let message = format!("`{session}` is not a RoleSessionName");
            return refused(StatusCode::BAD_REQUEST, "ValidationError", message);
        }
        lock(&self.asked).push(arn.to_owned());
        if lock(&self.denied).contains(account) {
            let message = format!("User is not authorized to perform: sts:AssumeRole on resource: {arn}");
            return refused(StatusCode::FORBIDDEN, "AccessDenied", message);
        }
        let until = (OffsetDateTime::now_utc() + LIFETIME).format(&Rfc3339).unwrap_or_default();
        let key = access_key_id(account.parse().unwrap_or_default());
        Ok(format!(
            "<AssumeRoleResponse xmlns=\"{NAMESPACE}\"><AssumeRoleResult><Credentials>\
             <AccessKeyId>{key}</AccessKeyId><SecretAccessKey>sandbox</SecretAccessKey>\
             <SessionToken>sandbox</SessionToken><Expiration>{until}</Expiration></Credentials><AssumedRoleUser>\
             <AssumedRoleId>AROASANDBOX:{session}</AssumedRoleId>\
             <Arn>arn:{partition}:sts::{account}:assumed-role/{name}/{session}</Arn></AssumedRoleUser>\
             </AssumeRoleResult><ResponseMetadata><RequestId>{}</RequestId></ResponseMetadata></AssumeRoleResponse>",
            uuid()
        ))
    }
}

impl Respond for Service {
    async fn respond(self: Arc<Self>, request: Request<Incoming>) -> Result<Answer, HangUp> {
        let (head, body) = request.into_parts();
        let bytes = Limited::new(body, LARGEST_BODY).collect().await.map_err(|_| HangUp)?.to_bytes();
        let authorization = head.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let is_signed = authorization.is_some_and(|value| {
            value.starts_with("AWS4-HMAC-SHA256 ") && value.contains("/sts/aws4_request")
        });
        let (status, xml) = match self.assume(is_signed, &form(&String::from_utf8_lossy(&bytes))) {
            Ok(xml) => (StatusCode::OK, xml),
            Err((status, code, message)) => {
                let error = format!("<Type>Sender</Type><Code>{code}</Code><Message>{message}</Message>");
                let id = uuid();
                let xml = format!(
                    "<ErrorResponse xmlns=\"{NAMESPACE}\"><Error>{error}</Error><RequestId>{id}</RequestId></ErrorResponse>"
                );
                (status, xml)
            }
        };
        let body = Full::new(Bytes::from(xml)).map_err(|never: Infallible| match never {}).boxed();
        let mut answer = Response::new(body);
        *answer.status_mut() = status;
        answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/xml"));
        Ok(answer)
    }
}

/// The parameters of a form body (AWS Query protocol).
fn form(body: &str) -> BTreeMap<String, String> {
    let decoded = |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned();
    let pairs = body.split('&').filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, value)| (decoded(name), decoded(value))).collect()
}

/// Partition, account, and name with its path, of a role's ARN.
fn role(arn: &str) -> Option<(&str, &str, &str)> {
    let (partition, rest) = arn.strip_prefix("arn:")?.split_once(":iam::")?;
    let (account, name) = rest.split_once(":role/")?;
    let is_account = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
    (is_account && !name.is_empty()).then_some((partition, account, name))
}

/// Locks, also after a panic elsewhere: every change here is whole or not made.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
