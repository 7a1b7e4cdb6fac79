//! STS: whose credentials it gives, and what it refuses.

use sandbox::lambda::access_key_id;
use sandbox::sts::Sts;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const ROLE: &str = "arn:aws:iam::444455556666:role/path/spoke";

/// The status and the XML.
async fn send(sts: &Sts, signed: bool, form: &str) -> (u16, String) {
    let address = sts.url().replace("http://", "");
    let mut stream = TcpStream::connect(&address).await.unwrap();
    let scope = "ASIA/20260101/us-east-1/sts/aws4_request";
    let signature =
        format!("authorization: AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0\r\n");
    let signature = if signed { signature.as_str() } else { "" };
    let request = format!(
        "POST / HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n{signature}content-length: {}\r\n\r\n{form}",
        form.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

fn form(role: &str, session: &str) -> String {
    let role = role.replace(':', "%3A").replace('/', "%2F");
    format!("Action=AssumeRole&Version=2011-06-15&RoleArn={role}&RoleSessionName={session}")
}

#[tokio::test]
async fn a_role_gives_credentials_of_its_account_unless_that_denies_it() {
    let sts = Sts::start(0).await.unwrap();
    let (status, xml) = send(&sts, true, &form(ROLE, "session-1")).await;
    assert_eq!(status, 200, "{xml}");
    assert!(xml.contains(&format!("<AccessKeyId>{}</AccessKeyId>", access_key_id(444_455_556_666))), "{xml}");
    assert!(xml.contains("arn:aws:sts::444455556666:assumed-role/path/spoke/session-1"), "{xml}");
    sts.deny("444455556666");
    let (status, xml) = send(&sts, true, &form(ROLE, "session-1")).await;
    assert_eq!((status, xml.contains("<Code>AccessDenied</Code>")), (403, true), "{xml}");
    let (status, _) = send(&sts, true, &form(&ROLE.replace("4444", "7777"), "session-1")).await;
    assert_eq!(status, 200, "another account");
    sts.allow("444455556666");
    assert_eq!(send(&sts, true, &form(ROLE, "session-1")).await.0, 200);
    assert_eq!(sts.asked(), [ROLE, ROLE, "arn:aws:iam::777755556666:role/path/spoke", ROLE]);
}

#[tokio::test]
async fn what_aws_would_refuse_is_refused() {
    let sts = Sts::start(0).await.unwrap();
    let good = form(ROLE, "session-1");
    for (signed, form, status, code) in [
        (false, good.clone(), 403, "MissingAuthenticationToken"),
        (true, good.replace("AssumeRole&", "GetCallerIdentity&"), 400, "InvalidAction"),
        (true, good.replace("2011-06-15", "2012-11-05"), 400, "InvalidAction"),
        (true, form("arn:aws:iam::4444:role/x", "session-1"), 400, "ValidationError"),
        (true, form("arn:aws:iam::444455556666:user/x", "session-1"), 400, "ValidationError"),
        (true, form(ROLE, "s"), 400, "ValidationError"),
        (true, form(ROLE, "two%20words"), 400, "ValidationError"),
    ] {
        let (answered, xml) = send(&sts, signed, &form).await;
        assert_eq!(
            (answered, xml.contains(&format!("<Code>{code}</Code>"))),
            (status, true),
            "{form}: {xml}"
        );
    }
    assert_eq!(sts.asked(), Vec::<String>::new());
}
