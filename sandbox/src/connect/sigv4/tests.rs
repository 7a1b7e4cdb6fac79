use hyper::header::HeaderValue;

use super::*;

const SIGNATURE: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
const KEY_ID: &str = "AKIAQAAAAAAAGMKEM7X5";

fn authorization(credential: &str) -> String {
    format!("AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host;x-amz-date, Signature={SIGNATURE}")
}

fn read(authorization: &str) -> Result<Caller, Refusal> {
    let mut headers = HeaderMap::new();
    headers.insert("authorization", HeaderValue::from_str(authorization).unwrap());
    headers.insert("x-amz-date", HeaderValue::from_static("20261123T101500Z"));
    caller(&headers)
}

fn refused(authorization: &str) -> (&'static str, String) {
    let refusal = read(authorization).unwrap_err();
    assert_eq!(refusal.status, 403);
    (refusal.name.unwrap(), refusal.message)
}

#[test]
fn a_signed_request_says_its_region_and_account() {
    let caller = read(&authorization("ASIAY34FZKBOKMUTVV7A/20261123/eu-west-2/connect/aws4_request"));
    assert_eq!(caller, Ok(Caller { account: "609629065308".to_owned(), region: "eu-west-2".to_owned() }));
}

#[test]
fn the_elements_may_come_without_spaces_and_in_any_order() {
    let header = format!(
        "AWS4-HMAC-SHA256 Signature={SIGNATURE},SignedHeaders=host;x-amz-date,\
         Credential={KEY_ID}/20261123/us-east-1/connect/aws4_request"
    );
    assert_eq!(read(&header).unwrap().region, "us-east-1");
}

#[test]
fn no_authorization_header_is_a_missing_token() {
    let refusal = caller(&HeaderMap::new()).unwrap_err();
    assert_eq!((refusal.status.as_u16(), refusal.name), (403, Some("MissingAuthenticationTokenException")));
}

#[test]
fn a_request_without_its_date_or_with_another_form_of_date_is_incomplete() {
    let mut headers = HeaderMap::new();
    let header = authorization(&format!("{KEY_ID}/20261123/us-east-1/connect/aws4_request"));
    headers.insert("authorization", HeaderValue::from_str(&header).unwrap());
    assert_eq!(caller(&headers).unwrap_err().message, "the request has no `X-Amz-Date` header");
    headers.insert("x-amz-date", HeaderValue::from_static("2026-11-23T10:15:00Z"));
    assert_eq!(
        caller(&headers).unwrap_err().message,
        "`2026-11-23T10:15:00Z` is not a date of the form YYYYMMDDTHHMMSSZ"
    );
}

#[test]
fn a_signature_in_the_wrong_form_is_incomplete() {
    let credential = format!("Credential={KEY_ID}/20261123/us-east-1/connect/aws4_request");
    let headers = "SignedHeaders=host;x-amz-date";
    let signature = format!("Signature={SIGNATURE}");
    for header in [
        String::new(),
        "Bearer token".to_owned(),
        format!("AWS4-ECDSA-P256-SHA256 {credential}, {headers}, {signature}"),
        "AWS4-HMAC-SHA256".to_owned(),
        format!("AWS4-HMAC-SHA256 {credential}, {headers}"),
        format!("AWS4-HMAC-SHA256 {credential}, {signature}"),
        format!("AWS4-HMAC-SHA256 {headers}, {signature}"),
        format!("AWS4-HMAC-SHA256 {credential}, {credential}, {headers}, {signature}"),
        format!("AWS4-HMAC-SHA256 {credential}, {headers}, {signature}, Extra=1"),
        format!("AWS4-HMAC-SHA256 {credential}, {headers}, Signature={}", "0".repeat(63)),
        format!("AWS4-HMAC-SHA256 {credential}, {headers}, Signature={}", "G".repeat(64)),
        format!("AWS4-HMAC-SHA256 {credential}, SignedHeaders=host, {signature}"),
        format!("AWS4-HMAC-SHA256 {credential}, SignedHeaders=x-amz-date, {signature}"),
        authorization(&format!("{KEY_ID}/20261123/us-east-1/connect")),
        authorization(&format!("{KEY_ID}/20261123/us-east-1/connect/aws4_request/more")),
        authorization(&format!("{KEY_ID}/20261123/us-east-1/connect/aws3_request")),
        authorization(&format!("{KEY_ID}/2026-11-23/us-east-1/connect/aws4_request")),
        authorization(&format!("{KEY_ID}/20261123//connect/aws4_request")),
        authorization("/20261123/us-east-1/connect/aws4_request"),
    ] {
        assert_eq!(refused(&header).0, "IncompleteSignatureException", "{header}");
    }
}

#[test]
fn a_signature_for_another_service_or_day_is_invalid() {
    assert_eq!(
        refused(&authorization(&format!("{KEY_ID}/20261123/us-east-1/sqs/aws4_request"))),
        (
            "InvalidSignatureException",
            "the Credential is scoped to the service `sqs`, not to `connect`".to_owned()
        )
    );
    assert_eq!(
        refused(&authorization(&format!("{KEY_ID}/20261122/us-east-1/connect/aws4_request"))),
        (
            "InvalidSignatureException",
            "the Credential is for the day `20261122`, but the request is dated `20261123T101500Z`"
                .to_owned()
        )
    );
}

#[test]
fn the_account_is_decoded_from_the_key_id() {
    // Published examples of the encoding, and the account next to one of them.
    assert_eq!(account_of("ASIAY34FZKBOKMUTVV7A").as_deref(), Some("609629065308"));
    assert_eq!(account_of("ASIAQNZGKIQY56JQ7WML").as_deref(), Some("029608264753"));
    assert_eq!(account_of("ASIAQAAAAAAAGMKEM7X5").as_deref(), Some("000000000000"));
    assert_eq!(account_of("ASIAQAAAAAAAQMKEM7X5").as_deref(), Some("000000000001"));
}

#[test]
fn a_key_id_without_an_account_belongs_to_the_default_account() {
    for key_id in
        ["test", "AKIAIOSFODNN7EXAMPLE", "AKIAQ1AAAAAAGMKEM7X5", "AKIAQAAAAA", "AKIA777777777777777"]
    {
        let caller =
            read(&authorization(&format!("{key_id}/20261123/us-east-1/connect/aws4_request"))).unwrap();
        assert_eq!(caller.account, "111122223333", "{key_id}");
    }
}
