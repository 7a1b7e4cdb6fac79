//! Where an answer goes: a presigned URL of Amazon S3, which is a secret.

use crate::aws::RegionName;
use std::fmt;

/// A URL that may be answered. Whoever has it can answer for the resource, so it prints as its host alone.
#[derive(Clone, PartialEq, Eq)]
pub struct ResponseUrl {
    url: String,
    host: String,
}

/// Which hosts are answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hosts {
    /// CloudFormation's buckets.
    CloudFormation,
    /// This machine too, without encryption: for tests.
    AndLoopback,
}

/// The URL is not one of CloudFormation's. The text does not have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("`ResponseURL` must be an https URL of a bucket of CloudFormation in Amazon S3")]
pub struct NotAnswerable;

const BUCKETS: &str = "cloudformation-custom-resource-response-";
const SUFFIXES: [&str; 3] = [".amazonaws.com", ".amazonaws.com.cn", ".amazonaws.eu"];

impl ResponseUrl {
    /// A URL that CloudFormation sent.
    ///
    /// # Errors
    /// Another host, another scheme, or anything that two readers of a URL could take for different hosts.
    pub fn parse(url: &str, hosts: Hosts) -> Result<Self, NotAnswerable> {
        if !url.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b'\\' | b'#')) {
            return Err(NotAnswerable);
        }
        let (scheme, rest) = url.split_once("://").ok_or(NotAnswerable)?;
        let (authority, object) = rest.split_once('/').ok_or(NotAnswerable)?;
        let has_object = object.bytes().next().is_some_and(|b| b != b'?');
        let fits = match scheme {
            "https" => is_bucket(authority),
            "http" => hosts == Hosts::AndLoopback && is_loopback(authority),
            _ => false,
        };
        if fits && has_object {
            Ok(Self { url: url.to_owned(), host: authority.to_owned() })
        } else {
            Err(NotAnswerable)
        }
    }

    /// The whole URL, for the one request that answers and for the ledger until then.
    pub fn secret(&self) -> &str {
        &self.url
    }
}

impl fmt::Debug for ResponseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ResponseUrl(a URL at {})", self.host)
    }
}

/// `cloudformation-custom-resource-response-{region without hyphens}.s3[-.]{region}.amazonaws.com` and its kin. The
/// bucket's name is one word without a dot, because anybody may own a bucket whose longer name begins like it.
fn is_bucket(host: &str) -> bool {
    let Some((bucket, service)) = host.split_once('.') else { return false };
    let Some(place) = bucket.strip_prefix(BUCKETS) else { return false };
    let is_place = place.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        && place.bytes().next().is_some_and(|b| b.is_ascii_lowercase())
        && place.bytes().last().is_some_and(|b| b.is_ascii_digit());
    let service = SUFFIXES.iter().find_map(|suffix| service.strip_suffix(suffix));
    is_place && service.is_some_and(is_service)
}

fn is_service(service: &str) -> bool {
    let region = service
        .strip_prefix("s3.dualstack.")
        .or_else(|| service.strip_prefix("s3."))
        .or_else(|| service.strip_prefix("s3-"));
    service == "s3" || region.and_then(RegionName::parse).is_some()
}

fn is_loopback(authority: &str) -> bool {
    let (host, port) = authority.rsplit_once(':').unwrap_or((authority, "80"));
    matches!(host, "127.0.0.1" | "localhost" | "[::1]") && port.parse::<u16>().is_ok()
}
