use policy_core::declare::{Hosts, NotAnswerable, ResponseUrl};

const BUCKET: &str = "cloudformation-custom-resource-response-useast1";

fn fits(url: &str, hosts: Hosts) -> bool {
    match ResponseUrl::parse(url, hosts) {
        Ok(parsed) => {
            assert_eq!(parsed.secret(), url);
            true
        }
        Err(NotAnswerable) => false,
    }
}

#[test]
fn cloudformations_buckets_are_answered() {
    for service in [
        "s3.amazonaws.com",
        "s3.us-east-1.amazonaws.com",
        "s3-us-west-2.amazonaws.com",
        "s3.dualstack.eu-west-1.amazonaws.com",
        "s3.cn-north-1.amazonaws.com.cn",
        "s3.eusc-de-east-1.amazonaws.eu",
    ] {
        let url =
            format!("https://{BUCKET}.{service}/arn%3Aaws%3A?AWSAccessKeyId=A&Expires=1&Signature=s%2B");
        assert!(fits(&url, Hosts::CloudFormation), "{url}");
        assert!(fits(&url, Hosts::AndLoopback), "{url}");
    }
}

/// As botocore's `HmacV1QueryAuth` signs a PUT, the way that CloudFormation's URLs are signed.
#[test]
fn a_url_that_botocore_signed_is_answered() {
    let url = "https://cloudformation-custom-resource-response-eucentral1.s3.eu-central-1.amazonaws.com/\
        arn%3Aaws%3Acloudformation%3Aeu-central-1%3A111122223333%3Astack/policies/5f0c9b60%7CPolicy%7C7d1f7f2e\
        ?AWSAccessKeyId=AKIDEXAMPLE&Signature=pz%2FqwEibtCw5gBZ7s70j%2Bg9SOHU%3D&x-amz-security-token=t%2F%2B%3D\
        &Expires=1795696606";
    assert!(fits(url, Hosts::CloudFormation));
}

#[test]
fn nothing_else_is() {
    for url in [
        format!("http://{BUCKET}.s3.amazonaws.com/key"),
        format!("HTTPS://{BUCKET}.s3.amazonaws.com/key"),
        format!("https://{BUCKET}.s3.amazonaws.com"),
        format!("https://{BUCKET}.s3.amazonaws.com/"),
        format!("https://{BUCKET}.s3.amazonaws.com/?Signature=s"),
        format!("https://{BUCKET}.s3.amazonaws.com:8443/key"),
        format!("https://{BUCKET}.s3.amazonaws.com@example.com/key"),
        format!("https://user@{BUCKET}.s3.amazonaws.com/key"),
        format!("https://{BUCKET}.s3.amazonaws.com\\@example.com/key"),
        format!("https://{BUCKET}.s3.amazonaws.com#/key"),
        format!("https://{BUCKET}.s3.amazonaws.com/a b"),
        format!("https://{BUCKET}.s3.amazonaws.com/a\r\nHost: example.com"),
        format!("https://{BUCKET}.s3.amazonaws.com./key"),
        format!("https://{BUCKET}.s3.amazonaws.com.example.com/key"),
        format!("https://{BUCKET}.s3.example.com/key"),
        format!("https://{BUCKET}.s3x.amazonaws.com/key"),
        format!("https://{BUCKET}.s3.us-east.amazonaws.com/key"),
        format!("https://{BUCKET}.amazonaws.com/key"),
        format!("https://{BUCKET}.s3-website.us-east-1.amazonaws.com/key"),
        // other people's buckets
        format!("https://{BUCKET}.mine.s3.amazonaws.com/key"),
        format!("https://{BUCKET}-mine.s3.amazonaws.com/key"),
        "https://cloudformation-custom-resource-response-mine.s3.amazonaws.com/key".to_owned(),
        "https://cloudformation-custom-resource-response-.s3.amazonaws.com/key".to_owned(),
        "https://cloudformation-custom-resource-response-1.s3.amazonaws.com/key".to_owned(),
        format!("https://x{BUCKET}.s3.amazonaws.com/key"),
        format!("https://s3.amazonaws.com/{BUCKET}/key"),
        "https://169.254.169.254/latest".to_owned(),
        "https://127.0.0.1/key".to_owned(),
        "file:///etc/passwd".to_owned(),
        String::new(),
    ] {
        assert!(!fits(&url, Hosts::CloudFormation), "{url}");
        assert!(!fits(&url, Hosts::AndLoopback), "{url}");
    }
}

#[test]
fn this_machine_is_answered_where_it_is_admitted() {
    for url in [
        "http://127.0.0.1:8080/key",
        "http://localhost:1/key?s",
        "http://[::1]:8080/key",
        "http://127.0.0.1/k",
    ] {
        assert!(fits(url, Hosts::AndLoopback), "{url}");
        assert!(!fits(url, Hosts::CloudFormation), "{url}");
    }
    for url in ["http://127.0.0.1:99999/key", "http://127.0.0.1.example.com/key", "http://a@localhost/key"] {
        assert!(!fits(url, Hosts::AndLoopback), "{url}");
    }
}
