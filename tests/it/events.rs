//! Every file of events/ does what its name says: `<trigger>.<status>[.<note>].json`.

use crate::world::World;
use serde_json::Value;
use std::fs;
use std::path::Path;

fn outcome(answer: Result<Value, lambda_runtime::Diagnostic>) -> String {
    match answer {
        Ok(answer) => {
            if let Some(failures) = answer.get("batchItemFailures") {
                return if failures.as_array().unwrap().is_empty() {
                    "succeeded".into()
                } else {
                    "incomplete".into()
                };
            }
            let Some(code) = answer["statusCode"].as_u64() else {
                return answer["status"].as_str().unwrap().to_owned();
            };
            let body: Value = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
            match (code, body["status"].as_str()) {
                (200..=299, Some(status)) => status.to_owned(),
                (400, _) => "malformed".to_owned(),
                (422, _) => "rejected".to_owned(),
                _ => body["report"]["status"].as_str().unwrap().to_owned(),
            }
        }
        Err(error) => match error.error_type.as_str() {
            "UnrecognisedPayload" => "unrecognised".to_owned(),
            "MalformedPayload" => "malformed".to_owned(),
            _ => {
                let report: Value = serde_json::from_str(&error.error_message).unwrap();
                report["status"].as_str().unwrap().to_owned()
            }
        },
    }
}

#[tokio::test]
async fn every_file_does_what_its_name_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("events");
    let mut triggers = std::collections::BTreeSet::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let mut parts = name.split('.');
        let (trigger, status) = (parts.next().unwrap(), parts.next().unwrap());
        let payload = fs::read_to_string(&path).unwrap();
        let world = World::new().await;
        assert_eq!(outcome(world.invoke_text(&payload, 0).await), status, "{name}");
        assert!(!world.audit().is_empty(), "{name} left no audit");
        triggers.insert(trigger.to_owned());
    }
    let expected = ["bare", "event-bridge", "http", "rest", "sqs"];
    assert_eq!(triggers.into_iter().collect::<Vec<_>>(), expected);
}
