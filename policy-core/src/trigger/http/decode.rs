//! From a payload to a [`Request`].

use super::{InvalidBody, Request};
use crate::origin::{IdentitySource, Invocation, Origin, TriggerKind};
use crate::trigger::envelope::{Envelope, NotAccepted};
use aws_lambda_events::apigw::{
    ApiGatewayProxyRequest, ApiGatewayRequestAuthorizer, ApiGatewayV2httpRequest,
};
use aws_lambda_events::http::HeaderMap;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::Deserialize;
use serde_json::value::RawValue;
use time::OffsetDateTime;

/// An HTTP API's or a function URL's request.
pub(in crate::trigger) fn version_2(
    payload: &RawValue,
    envelope: &Envelope<'_>,
    invocation: &Invocation,
) -> Result<Request, NotAccepted> {
    envelope.once(
        TriggerKind::Http,
        &["version", "requestContext", "rawPath", "body", "headers", "isBase64Encoded"],
    )?;
    envelope.object(TriggerKind::Http, "requestContext")?;
    envelope.brief(TriggerKind::Http, payload)?;
    let event: ApiGatewayV2httpRequest = parse(payload)?;
    let context = event.request_context;
    let url = context.domain_name.as_deref().is_some_and(|name| name.contains(".lambda-url."));
    let service = if url { "lambda-url.amazonaws.com" } else { "apigateway.amazonaws.com" };
    let mut origin = Origin {
        kind: TriggerKind::Http,
        principal: None,
        account: None,
        claimed_account: None,
        vouched_by: IdentitySource::Nobody,
        source_ip: context.http.source_ip,
        service: service.to_owned(),
        request_id: context.request_id,
        received_at: received_at(context.time_epoch),
        invocation: invocation.clone(),
    };
    if let Some(authorizer) = context.authorizer {
        identify(&mut origin, &authorizer);
    }
    Ok(Request {
        origin,
        is_version_2: true,
        method: context.http.method.to_string(),
        path: event.raw_path.unwrap_or_default(),
        stage: context.stage,
        query: event.query_string_parameters.iter().map(owned).collect(),
        content_type: header(&event.headers, "content-type"),
        if_match: header(&event.headers, "if-match"),
        body: body(event.body, event.is_base64_encoded),
    })
}

/// A REST API's request (or an HTTP API's with payload 1.0).
pub(in crate::trigger) fn version_1(
    payload: &RawValue,
    envelope: &Envelope<'_>,
    invocation: &Invocation,
) -> Result<Request, NotAccepted> {
    envelope.once(
        TriggerKind::Http,
        &["httpMethod", "requestContext", "path", "body", "headers", "isBase64Encoded"],
    )?;
    envelope.object(TriggerKind::Http, "requestContext")?;
    envelope.brief(TriggerKind::Http, payload)?;
    let event: ApiGatewayProxyRequest = parse(payload)?;
    let context = event.request_context;
    let mut origin = Origin {
        kind: TriggerKind::Http,
        principal: None,
        account: None,
        claimed_account: None,
        vouched_by: IdentitySource::Nobody,
        source_ip: context.identity.source_ip,
        service: "apigateway.amazonaws.com".to_owned(),
        request_id: context.request_id,
        received_at: received_at(context.request_time_epoch),
        invocation: invocation.clone(),
    };
    identify(&mut origin, &context.authorizer);
    if let Some(arn) = context.identity.user_arn {
        origin.principal = Some(arn);
        origin.account = context.identity.account_id;
        origin.vouched_by = IdentitySource::ApiGatewayIam;
    }
    let headers =
        if event.multi_value_headers.is_empty() { &event.headers } else { &event.multi_value_headers };
    let query = if event.multi_value_query_string_parameters.is_empty() {
        &event.query_string_parameters
    } else {
        &event.multi_value_query_string_parameters
    };
    Ok(Request {
        origin,
        is_version_2: false,
        method: event.http_method.to_string(),
        path: event.path.unwrap_or_default(),
        stage: context.stage,
        query: query.iter().map(owned).collect(),
        content_type: header(headers, "content-type"),
        if_match: header(headers, "if-match"),
        body: body(event.body, event.is_base64_encoded),
    })
}

fn parse<'a, T: Deserialize<'a>>(payload: &'a RawValue) -> Result<T, NotAccepted> {
    serde_json::from_str(payload.get())
        .map_err(|error| NotAccepted::shape(TriggerKind::Http, "the request", &error))
}

/// The identity the authoriser verified: IAM before JWT before a Lambda authoriser's word.
fn identify(origin: &mut Origin, authorizer: &ApiGatewayRequestAuthorizer) {
    let text = |value: &serde_json::Value| value.as_str().map(str::to_owned);
    if let Some(iam) = &authorizer.iam {
        origin.principal.clone_from(&iam.user_arn);
        origin.account.clone_from(&iam.account_id);
        origin.vouched_by = IdentitySource::ApiGatewayIam;
    } else if let Some(jwt) = &authorizer.jwt {
        origin.principal = ["sub", "client_id"].iter().find_map(|claim| jwt.claims.get(*claim)).cloned();
        origin.vouched_by = IdentitySource::ApiGatewayJwt;
    } else if let Some(claims) = authorizer.fields.get("claims").and_then(serde_json::Value::as_object) {
        // a REST API's Cognito authoriser: requestContext.authorizer.claims
        origin.principal = ["sub", "client_id"].iter().find_map(|claim| claims.get(*claim)).and_then(text);
        origin.vouched_by = IdentitySource::ApiGatewayJwt;
    } else if !authorizer.fields.is_empty() {
        // a Lambda authoriser names its principal, or a context key of its own
        let names = ["principalId", "principal", "sub", "user"];
        origin.principal = names.iter().find_map(|name| authorizer.fields.get(*name)).and_then(text);
        origin.vouched_by = IdentitySource::ApiGatewayLambda;
    }
}

/// API Gateway's own time of the request, in milliseconds; 0 where there is none.
fn received_at(milliseconds: i64) -> Option<OffsetDateTime> {
    let at = OffsetDateTime::from_unix_timestamp_nanos(i128::from(milliseconds) * 1_000_000).ok()?;
    (milliseconds > 0).then_some(at)
}

fn owned((name, value): (&str, &str)) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

/// The header's lines as one (RFC 9110 section 5.2). Bytes that are not text are replaced and not dropped: a condition
/// that cannot be read must not become no condition.
fn header(headers: &HeaderMap, name: &str) -> Option<String> {
    let lines = headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes()));
    let lines: Vec<_> = lines.collect();
    (!lines.is_empty()).then(|| lines.join(", "))
}

fn body(body: Option<String>, is_base64_encoded: bool) -> Result<Option<String>, InvalidBody> {
    match body {
        Some(body) if is_base64_encoded => {
            let bytes = BASE64_STANDARD.decode(body).map_err(|_| InvalidBody::Base64)?;
            String::from_utf8(bytes).map(Some).map_err(|_| InvalidBody::Utf8)
        }
        body => Ok(body),
    }
}
