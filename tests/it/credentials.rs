//! The production binary's credentials, and the servers that it trusts.

use crate::world::{ONE, chat, launch};
use sandbox::connect::{Connect, Options, Scope};
use sandbox::lambda::{Answer, Function, Invocation, access_key_id};
use serde_json::{Value, json};
use std::fs;
use std::path::PathBuf;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

fn report(invocation: &Invocation) -> Value {
    match &invocation.outcome {
        Answer::Response(bytes) => serde_json::from_slice(bytes).unwrap(),
        Answer::Error { error_message, .. } => serde_json::from_str(error_message).unwrap(),
        other => panic!("{other:?}"),
    }
}

/// An endpoint for credentials (ECS and EKS have them) that answers once, with how often it was asked.
async fn endpoint(account: u64) -> (String, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/credentials", listener.local_addr().unwrap());
    let serving = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = vec![0; 4_096];
        let length = stream.read(&mut request).await.unwrap();
        let body = json!({
            "AccessKeyId": access_key_id(account), "SecretAccessKey": "secret", "Token": "token",
            "Expiration": "2099-01-01T00:00:00Z",
        })
        .to_string();
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
        String::from_utf8_lossy(&request[..length]).into_owned()
    });
    (url, serving)
}

#[tokio::test]
async fn without_lambdas_variables_a_containers_endpoint_is_asked_once() {
    let connect = Connect::start(Options::default()).await.unwrap();
    let (url, asked) = endpoint(111_122_223_333).await;
    let mut launch = launch(&connect);
    for (name, value) in [
        ("AWS_ACCESS_KEY_ID", ""),
        ("AWS_SECRET_ACCESS_KEY", ""),
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", url.as_str()),
        ("AWS_CONTAINER_AUTHORIZATION_TOKEN", "pod"),
    ] {
        launch.env.push((name.to_owned(), value.to_owned()));
    }
    let function = Function::start(launch).await.unwrap();
    for outcome in ["applied", "unchanged"] {
        let invocation = function.invoke(chat(ONE, &json!({})).to_string().as_bytes()).await;
        assert_eq!(report(&invocation)["results"][0]["outcome"], outcome);
    }
    let request = asked.await.unwrap().to_lowercase();
    assert!(request.starts_with("get /credentials ") && request.contains("authorization: pod"), "{request}");
    assert!(connect.journal().iter().all(|entry| entry.account == "111122223333"));
}

/// A file in the tests' own folder, removed with it.
struct Pem(PathBuf);

impl Drop for Pem {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// Amazon's CAs alone are trusted, unless the environment names others.
#[tokio::test]
async fn nothing_is_sent_to_a_server_that_is_not_trusted() {
    let connect = Connect::start(Options { tls: true, ..Options::default() }).await.unwrap();
    let payload = chat(ONE, &json!({})).to_string();

    let mut plain = launch(&connect);
    plain.env.push(("CONNECT_MAX_ATTEMPTS".to_owned(), "1".to_owned()));
    let function = Function::start(plain.clone()).await.unwrap();
    let refused = report(&function.invoke(payload.as_bytes()).await);
    assert_eq!(
        (&refused["status"], &refused["results"][0]["error"]["code"]),
        (&json!("incomplete"), &json!("ConnectionFailed"))
    );
    assert!(connect.journal().is_empty());

    let pem = Pem(PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("ca-{}.pem", std::process::id())));
    fs::write(&pem.0, connect.tls().unwrap().ca_pem()).unwrap();
    plain.env.push(("SSL_CERT_FILE".to_owned(), pem.0.display().to_string()));
    let function = Function::start(plain).await.unwrap();
    assert_eq!(report(&function.invoke(payload.as_bytes()).await)["status"], "succeeded");
    assert_eq!(connect.configuration(ONE, Scope::Chat).unwrap().maximum_size_limit_in_bytes, 10_485_760);
}
