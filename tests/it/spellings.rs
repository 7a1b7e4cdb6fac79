//! No spelling gets round a guardrail: case, ARN forms, percent-encoding, look-alike letters, escapes, duplicate
//! keys, selectors, triggers, base64. Judged by what Amazon Connect received. policy-core/tests/it/spellings.rs shows
//! it of the guardrails alone.

mod respelt;

use crate::world::World;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed, TestError, TestRunner};
use respelt::{ALLOWED, Attempt, OTHER, attempt};
use sandbox::connect::{Entry, Instance, InstanceStatus, Operation, Options};
use std::cell::Cell;

/// `POLICY_MAX_SIZE_BYTES`, 5 MB.
const LIMIT: u64 = 5_242_880;
const BLOCKED: &str = "exe";
/// Attempts over HTTP; each is one of millions of combinations, and every run takes others.
const ATTEMPTS: u32 = 256;

/// Both exist, with the same tags.
fn instances() -> Vec<Instance> {
    let of = |id: &str| Instance {
        id: id.to_owned(),
        account: "111122223333".to_owned(),
        region: "us-east-1".to_owned(),
        alias: format!("instance-{}", &id[35..]),
        status: InstanceStatus::Active,
        tags: [("stage".to_owned(), "prod".to_owned())].into(),
    };
    vec![of(ALLOWED), of(OTHER)]
}

/// What the guardrails are to keep out of each call.
fn breach(entry: &Entry, by_arn: bool) -> Option<&'static str> {
    let path = entry.path.to_ascii_lowercase();
    let names = |id: &str| path.contains(id) || entry.instance_id.as_deref() == Some(id);
    // neither a listing nor a role's credentials name one
    let names_none =
        entry.operation == Some(Operation::ListInstances) || (entry.method == "POST" && path == "/");
    if names(OTHER) || !(names(ALLOWED) || names_none) {
        return Some("names an instance outside the allow-list");
    }
    // an id alone means that instance wherever an ARN says it is: ids are unique
    if by_arn && (entry.account.as_str(), entry.region.as_str()) != ("111122223333", "us-east-1") {
        return Some("went to another account or Region");
    }
    let body = entry.body.as_ref()?;
    let size = body["MaximumSizeLimitInBytes"].as_u64().unwrap_or_default();
    let list = body["ExtensionConfiguration"]["AllowedExtensions"].as_array().into_iter().flatten();
    let mut names = list.map(|entry| entry["Extension"].as_str().unwrap());
    if size > LIMIT {
        return Some("asks for more than the largest size");
    }
    names.any(|name| name.eq_ignore_ascii_case(BLOCKED)).then_some("allows a blocked extension")
}

/// Sends attempts and judges what each made Connect receive; the calls there were in all, by operation.
async fn calls_of(world: &World, attempt: &Attempt) -> Vec<Entry> {
    world.connect.clear_journal();
    // past, as `cargo lambda watch` sends it: then it has 30 seconds
    let _ = world.invoke_text(&attempt.payload, 1).await;
    world.connect.journal()
}

fn runner(rng_seed: RngSeed) -> TestRunner {
    TestRunner::new(Config { cases: ATTEMPTS, failure_persistence: None, rng_seed, ..Config::default() })
}

fn run(
    seed: RngSeed,
    variables: &'static [(&'static str, &'static str)],
    judge: impl Fn(&Attempt, &[Entry]) -> Result<(), TestCaseError>,
) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let options = Options { instances: instances(), ..Options::default() };
    let world = runtime.block_on(World::with(options, variables));
    let result = runner(seed).run(&attempt(), |attempt| {
        let calls = runtime.block_on(calls_of(&world, &attempt));
        judge(&attempt, &calls)
    });
    match result {
        Ok(()) => {}
        Err(TestError::Fail(why, attempt)) => panic!("{why}\n{}", attempt.payload),
        Err(error) => panic!("{error}"),
    }
    runtime.block_on(async { drop(world) });
}

fn assert_kept(by_arn: bool, variables: &'static [(&'static str, &'static str)]) {
    let (reads, updates) = (Cell::new(0), Cell::new(0));
    run(RngSeed::Random, variables, |_, calls| {
        for entry in calls {
            if let Some(why) = breach(entry, by_arn) {
                prop_assert!(false, "a call {why}: {} {} {:?}", entry.method, entry.path, entry.body);
            }
            let counted = if entry.effect { &updates } else { &reads };
            counted.set(counted.get() + 1);
        }
        Ok(())
    });
    // otherwise nothing was shown: what is allowed does get through
    assert!(reads.get() > 0 && updates.get() > 0, "{} reads, {} updates", reads.get(), updates.get());
}

#[test]
fn whatever_the_spelling_no_call_leaves_the_guardrails_of_an_id() {
    assert_kept(
        false,
        &[
            ("POLICY_ALLOWED_INSTANCES", ALLOWED),
            ("POLICY_BLOCKED_EXTENSIONS", BLOCKED),
            ("POLICY_MAX_SIZE_BYTES", "5242880"),
            ("CONNECT_ROLE_ARNS", "arn:aws:iam::444455556666:role/attachment-policy"),
        ],
    );
}

#[test]
fn whatever_the_spelling_no_call_leaves_the_guardrails_of_an_arn() {
    assert_kept(
        true,
        &[
            (
                "POLICY_ALLOWED_INSTANCES",
                "arn:aws:connect:us-east-1:111122223333:instance/A0B1C2D3-E4F5-4A6B-8C7D-9E8F7A6B5C4D",
            ),
            ("POLICY_BLOCKED_EXTENSIONS", " .EXE"),
            ("POLICY_MAX_SIZE_BYTES", "5242880"),
        ],
    );
}

/// Checks the tests above: without guardrails, the same attempts succeed.
#[test]
fn without_guardrails_the_same_attempts_succeed() {
    let breaches = std::cell::RefCell::new(std::collections::BTreeSet::new());
    // a fixed seed, so that the result does not depend on chance
    run(RngSeed::Fixed(1), &[], |_, calls| {
        breaches.borrow_mut().extend(calls.iter().filter_map(|entry| breach(entry, false)));
        Ok(())
    });
    let expected = [
        "allows a blocked extension",
        "asks for more than the largest size",
        "names an instance outside the allow-list",
    ];
    assert!(expected.iter().all(|why| breaches.borrow().contains(why)), "{:?}", breaches.borrow());
}
