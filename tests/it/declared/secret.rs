//! The URL of an answer is a secret: no log line has it, at any log level. The tests run the function's own program, with
//! the variables of a stack.

use super::STACK;
use crate::world::{ONE, launch};
use sandbox::callback::Callback;
use sandbox::connect::{Connect, Options};
use sandbox::governed::{self, Governed};
use sandbox::lambda::{Answer, Invoke};
use serde_json::json;
use std::time::Duration;

#[tokio::test]
async fn no_log_of_any_level_has_the_url_of_an_answer() {
    let connect = Connect::start(Options::default()).await.unwrap();
    for (level, format) in [("TRACE", "JSON"), ("TRACE", "Text")] {
        let logged = launch(&connect)
            .env("AWS_LAMBDA_LOG_LEVEL", level)
            .env("AWS_LAMBDA_LOG_FORMAT", format)
            .env("RUST_LOG", "trace")
            .env("CONNECT_REQUESTS_PER_SECOND", "1000")
            .env("CONNECT_BURST", "1000");
        let options = governed::Options { sweep_every: None, ..governed::Options::default() };
        let governed = Governed::start(logged, options).await.unwrap();
        let bucket = Callback::start(0).await.unwrap();
        let ask = |url: &str, name: &str, size: &str| {
            json!({
                "RequestType": "Create", "RequestId": name, "ResponseURL": url, "StackId": STACK,
                "LogicalResourceId": name, "ResourceType": "Custom::AttachmentPolicy",
                "ResourceProperties": {"ServiceToken": "arn", "InstanceIds": [ONE], "AttachmentScopes": ["CHAT"],
                    "MaximumSize": size, "AllowedExtensions": ["pdf"]},
            })
        };
        // refused: by the worker, by the function itself, and by the sweep
        bucket.refuse(Some(503));
        for (url, name, size, is_error) in [
            (bucket.url("Worked"), "Worked", "10 MB", false),
            (bucket.url("Refused"), "Refused", "many", true),
            ("https://elsewhere.example/object?Signature=secret".to_owned(), "Elsewhere", "10 MB", true),
        ] {
            let asked = ask(&url, name, size).to_string();
            let invoked = governed.declare().invoke(asked.as_bytes(), Invoke::default()).await.unwrap();
            assert_eq!(matches!(invoked.outcome, Answer::Error { .. }), is_error, "{:?}", invoked.outcome);
        }
        governed.workers().until(|lanes| lanes.iter().any(|lane| lane.answer.is_some())).await;
        governed.run_sweep().await.unwrap();
        assert!(bucket.refused() >= 4, "{}", bucket.refused());
        // and answered
        bucket.refuse(None);
        governed.run_sweep().await.unwrap();
        let asked = ask(&bucket.url("Later"), "Later", "many").to_string();
        governed.declare().invoke(asked.as_bytes(), Invoke::default()).await.unwrap();
        tokio::time::timeout(Duration::from_secs(30), async {
            while bucket.arrived().is_empty() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        })
        .await
        .unwrap();
        let fleets = [governed.declare(), governed.workers().fleet(), governed.sweep()];
        let mut lines = Vec::new();
        for process in fleets.iter().flat_map(|fleet| fleet.functions()) {
            // afterwards its output is complete
            process.kill().await;
            lines.extend(process.output());
            lines.push(process.errors());
        }
        assert!(
            lines.iter().any(|line| line.contains("CloudFormation was not answered yet")),
            "nothing was logged"
        );
        let leaks: Vec<_> =
            lines.iter().filter(|line| line.contains("Signature") || line.contains("secret%2B")).collect();
        assert!(leaks.is_empty(), "{level} {format}: {leaks:#?}");
    }
}
