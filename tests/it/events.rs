//! Every file of events/ does what its name announces; `sandbox::expectation` says what that is.

use crate::declared::{Asked, Stack};
use crate::world::World;
use sandbox::custom_resource::ResourceRequest;
use sandbox::expectation::{Expectation, Trigger};
use sandbox::lambda::Answer;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

#[tokio::test]
async fn every_file_does_what_its_name_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("events");
    let mut triggers = BTreeSet::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let expectation = Expectation::of_file(&name).unwrap();
        let payload = fs::read_to_string(&path).unwrap();
        triggers.insert(expectation.trigger);
        if expectation.trigger == Trigger::Cloudformation {
            Box::pin(is_answered(&payload, expectation, &name)).await;
            continue;
        }
        let world = World::new().await;
        let answer = match world.invoke_text(&payload, 0).await {
            Ok(document) => Answer::Response(document.to_string().into_bytes()),
            Err(error) => Answer::Error { error_type: error.error_type, error_message: error.error_message },
        };
        assert_eq!(expectation.check(&answer), Ok(()), "{name}");
        assert!(!world.audit().is_empty(), "{name} left no audit");
    }
    assert_eq!(triggers, BTreeSet::from(Trigger::ALL));
}

/// CloudFormation gets the answer that the name announces, once the resource is what the request presupposes.
async fn is_answered(payload: &str, expectation: Expectation, name: &str) {
    let stack = Stack::new().await;
    let request = ResourceRequest::parse(payload.as_bytes()).unwrap();
    let asked = |request: &ResourceRequest| Asked {
        payload: serde_json::from_str(&request.answered_at(&stack.bucket)).unwrap(),
    };
    if let Some(create) = request.presupposed() {
        assert_eq!(stack.answered(&asked(&create)).await["Status"], "SUCCESS", "{name}");
    }
    let asked = asked(&request);
    let answer = stack.answered(&asked).await;
    assert_eq!(expectation.check(&Answer::Response(answer.to_string().into_bytes())), Ok(()), "{name}");
    // the file's own id is the one that the resource has
    let id = &asked.payload["PhysicalResourceId"];
    assert!(id.is_null() || *id == answer["PhysicalResourceId"], "{name}: {answer}");
    let codes = stack.stage.world.audited();
    assert!(codes.contains(&"declare".to_owned()), "{name}: {codes:?}");
}
