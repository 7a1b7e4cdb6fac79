//! The rooms stay apart: what may know what, read off the sources.

use std::fs;
use std::path::{Path, PathBuf};

fn sources(room: &str) -> Vec<PathBuf> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
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

fn assert_free_of(room: &str, words: &[&str]) {
    let sources = sources(room);
    assert!(!sources.is_empty());
    for path in sources {
        let text = fs::read_to_string(&path).unwrap();
        for word in words {
            assert!(!text.contains(word), "{} knows {word}", path.display());
        }
    }
}

#[test]
fn policy_trigger_and_report_import_no_sdk() {
    for room in ["policy", "trigger", "report"] {
        assert_free_of(room, &["aws_sdk_", "aws_config", "aws_smithy", "tokio::"]);
    }
}

#[test]
fn policy_depends_on_nothing_of_ours() {
    assert_free_of(
        "policy",
        &["crate::trigger", "crate::connect", "crate::audit", "crate::report", "crate::propagate"],
    );
}

#[test]
fn trigger_connect_and_audit_do_not_know_each_other() {
    assert_free_of("trigger", &["crate::connect", "crate::audit", "crate::propagate", "crate::handler"]);
    assert_free_of("connect", &["crate::trigger", "crate::audit", "crate::propagate", "crate::report"]);
    assert_free_of("audit", &["crate::trigger", "crate::connect", "crate::propagate"]);
}

#[test]
fn sdk_depends_on_nothing_of_ours() {
    assert_free_of("sdk", &["crate::"]);
}

#[test]
fn only_connect_knows_the_connect_sdk() {
    for room in
        ["policy", "trigger", "report", "audit", "propagate", "handler", "queue", "sdk", "settings", "start"]
    {
        assert_free_of(room, &["aws_sdk_connect"]);
    }
}
