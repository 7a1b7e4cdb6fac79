//! The rooms of the function stay apart: the tests search the paths that their sources name. The deciding code needs no
//! such test, because `policy-core` is a crate without an SDK, a runtime or any of these rooms.

use std::fs;
use std::path::{Path, PathBuf};

const SDKS: [&str; 7] = [
    "aws_sdk_connect",
    "aws_sdk_dynamodb",
    "aws_sdk_eventbridge",
    "aws_sdk_sqs",
    "aws_sdk_sts",
    "aws_config",
    "aws_smithy",
];

fn source_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn sources(room: &str) -> Vec<PathBuf> {
    let src = source_folder();
    let mut found = vec![src.join(format!("{room}.rs"))];
    let mut folders = vec![src.join(room)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push(path);
            }
        }
    }
    found
}

/// The room's sources name none of these paths. A grouped import (`use crate::{connect, …}`), a renamed crate and a
/// path through `super` to the crate's root would get past the search, so all three are refused everywhere.
fn assert_free_of(room: &str, paths: &[&str]) {
    for path in sources(room) {
        let text = fs::read_to_string(&path).unwrap();
        for word in paths.iter().chain(&["crate::{", "use crate as", "extern crate"]) {
            assert!(!text.contains(word), "{} names {word}", path.display());
        }
        let depth = path.strip_prefix(source_folder()).unwrap().components().count();
        assert!(!climbs(&text, depth), "{} reaches the crate's root through `super`", path.display());
    }
}

/// Whether a file whose module is `depth` levels below the root names the root by `super::…`. Its unit tests are one
/// level further down.
fn climbs(text: &str, depth: usize) -> bool {
    let (code, tests) = text.split_once("mod tests {").unwrap_or((text, ""));
    code.contains(&"super::".repeat(depth)) || tests.contains(&"super::".repeat(depth + 1))
}

#[test]
fn a_path_through_super_to_the_root_is_found() {
    assert!(climbs("use super::queue;", 1) && climbs("use super::super::queue;", 2));
    assert!(!climbs("use super::other;", 2) && !climbs("mod tests { use super::*; }", 1));
    assert!(climbs("mod tests { use super::super::queue; }", 1));
}

#[test]
fn services_do_not_know_each_other_nor_what_calls_them() {
    let callers = ["crate::audit", "crate::propagate", "crate::handler", "crate::metrics", "crate::settings"];
    for (room, own) in [
        ("bus", &["crate::bus", "aws_sdk_eventbridge"][..]),
        ("connect", &["crate::connect", "aws_sdk_connect", "aws_sdk_sts"]),
        ("ledger", &["crate::ledger", "aws_sdk_dynamodb"]),
        ("queue", &["crate::queue", "aws_sdk_sqs"]),
    ] {
        let rooms = ["crate::bus", "crate::connect", "crate::ledger", "crate::queue"];
        let sdks =
            ["aws_sdk_connect", "aws_sdk_dynamodb", "aws_sdk_eventbridge", "aws_sdk_sqs", "aws_sdk_sts"];
        let others = [&callers[..], &rooms, &sdks].concat();
        let others: Vec<_> = others.into_iter().filter(|path| !own.contains(path)).collect();
        assert_free_of(room, &others);
    }
}

#[test]
fn only_the_ledgers_room_names_dynamodbs_sdk() {
    for room in [
        "audit",
        "bus",
        "connect",
        "handler",
        "metrics",
        "propagate",
        "queue",
        "sdk",
        "settings",
        "start",
        "telemetry",
    ] {
        assert_free_of(room, &["aws_sdk_dynamodb"]);
    }
}

#[test]
fn only_the_handler_makes_pages() {
    for room in
        ["audit", "connect", "ledger", "metrics", "propagate", "queue", "sdk", "settings", "telemetry"]
    {
        assert_free_of(room, &["policy_page"]);
    }
}

#[test]
fn the_audit_and_the_metrics_know_no_service_and_no_caller() {
    for room in ["audit", "metrics"] {
        let rooms = [
            "crate::bus",
            "crate::connect",
            "crate::ledger",
            "crate::queue",
            "crate::propagate",
            "crate::handler",
            "crate::settings",
        ];
        assert_free_of(room, &[&rooms[..], &SDKS].concat());
    }
}

#[test]
fn what_orders_and_what_puts_together_know_no_sdk() {
    assert_free_of(
        "propagate",
        &[&["crate::handler", "crate::settings", "crate::queue", "crate::bus"][..], &SDKS].concat(),
    );
    assert_free_of("handler", &SDKS);
    assert_free_of(
        "settings",
        &[&["crate::handler", "crate::propagate", "crate::audit"][..], &SDKS].concat(),
    );
}

#[test]
fn sdk_depends_on_nothing_of_ours() {
    assert_free_of("sdk", &["crate::", "policy_core"]);
}
