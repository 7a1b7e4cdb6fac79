//! Every file of events/ does what its name announces; `sandbox::expectation` says what that is.

use crate::world::World;
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
        let world = World::new().await;
        let answer = match world.invoke_text(&payload, 0).await {
            Ok(document) => Answer::Response(document.to_string().into_bytes()),
            Err(error) => Answer::Error { error_type: error.error_type, error_message: error.error_message },
        };
        assert_eq!(expectation.check(&answer), Ok(()), "{name}");
        assert!(!world.audit().is_empty(), "{name} left no audit");
        triggers.insert(expectation.trigger);
    }
    assert_eq!(triggers, BTreeSet::from(Trigger::ALL));
}
