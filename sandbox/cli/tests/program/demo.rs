use crate::place::Place;
use crate::{CHAT_OF_1, sandbox, text};
use serde_json::{Value, json};
use std::process::{Command, Output};

/// Runs the demo with the payloads of a directory, without the propagation at its end.
fn demo(events: &Place, arguments: &[&str]) -> Output {
    sandbox(&["demo", "--events-only"])
        .args(arguments)
        .arg("--events")
        .arg(events.path(""))
        .output()
        .expect("a run")
}

/// An audit line about the CHAT scope of sandbox-1.
fn audit(kind: &str, status: &str) -> String {
    json!({
        "timestamp": "2026-01-02T03:04:05.678Z", "level": "INFO", "logger": "audit",
        "event": {
            "status": status,
            "metadata": {"event_code": kind},
            "actor": {"user": {"uid": "arn:aws:iam::111122223333:user/alice"}},
            "api": {"operation": "UpdateAttachedFilesConfiguration"},
            "resources": [{
                "uid": "arn:aws:connect:us-east-1:111122223333:instance/00000001-0000-4000-8000-000000000001",
                "data": {"attachmentScope": "CHAT"}
            }]
        }
    })
    .to_string()
}

/// The report of a refused change.
const REJECTED: &str = r#"{"status": "rejected"}"#;

/// A change that the stand-in really makes.
fn change() -> Value {
    json!({
        "connect": [{"method": "POST", "path": CHAT_OF_1, "body": {
            "MaximumSizeLimitInBytes": 10_485_760,
            "ExtensionConfiguration": {"AllowedExtensions": [{"Extension": "pdf"}, {"Extension": "json"}]}
        }}],
        "stdout": [audit("intent", "Pending"), audit("outcome", "Success")],
        "answer": {"status": "succeeded"}
    })
}

#[test]
fn the_demo_shows_the_answer_the_changes_and_the_audit_of_every_payload() {
    let events = Place::new("pages", &[("bare.succeeded.json", change())]);
    let output = demo(&events, &[]);
    let page = text(&output.stdout);
    assert_eq!(text(&output.stderr), "");
    assert!(output.status.success());
    for part in [
        "  ✓ payloads        1 in ",
        "── bare.succeeded.json ──",
        &events.path("bare.succeeded.json"),
        "  Answer   report succeeded  ✓ as expected  (",
        "           {\"status\": \"succeeded\"}\n",
        "  Changed  instance   scope  largest file       file types  (calls: 1 Update)\n",
        "           sandbox-1  CHAT   20 MB → 10 MB      +json −csv −doc −docx ",
        "  Audit    03:04:05.678  alice        intent   Update  sandbox-1  CHAT   pending\n",
        "           03:04:05.678  alice        outcome  Update  sandbox-1  CHAT   success\n",
        "✓ 1 payload sent, every answer as expected, in ",
    ] {
        assert!(page.contains(part), "{part}\nis not in\n{page}");
    }
    assert!(!page.contains('\x1b'), "colour without a terminal");
    let widest = page.lines().map(|line| line.chars().count()).max();
    assert!(widest <= Some(96), "{page}");
}

#[test]
fn the_demo_ends_with_a_sentence_for_every_unexpected_answer() {
    let events = Place::new(
        "wrong",
        &[
            ("bare.succeeded.json", change()),
            ("bare.rejected.json", change()),
            ("http.succeeded.json", json!({"stderr": "last words", "exit": 3})),
        ],
    );
    let output = demo(&events, &[]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        text(&output.stderr),
        format!(
            "sandbox: `{}`: expected the function error `PolicyChangeRejected` with a report of status \
             `rejected`, but got a report of status `succeeded`\n\
             sandbox: `{}`: expected HTTP 200 (`succeeded`), but got a process that exited with code 3\n",
            events.path("bare.rejected.json"),
            events.path("http.succeeded.json")
        )
    );
    let page = text(&output.stdout);
    assert!(page.contains("last words"), "{page}");
    assert!(page.contains("✗ 3 payloads sent, 2 with another answer than expected, in "));
}

#[test]
fn the_demo_for_machines_is_one_document_per_payload_with_the_audit_as_written() {
    let events = Place::new(
        "json",
        &[
            (
                "bare.rejected.json",
                json!({"error": {"errorType": "PolicyChangeRejected", "errorMessage": REJECTED}}),
            ),
            ("bare.succeeded.json", change()),
        ],
    );
    let output = demo(&events, &["--json"]);
    assert!(output.status.success());
    let documents: Vec<Value> =
        text(&output.stdout).lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(documents.len(), 2);
    assert_eq!(
        documents[0]["answer"],
        json!({"kind": "error", "errorType": "PolicyChangeRejected", "errorMessage": REJECTED})
    );
    assert_eq!(documents[0]["changes"], json!([]));
    let done = &documents[1];
    assert_eq!(done["asExpected"], true);
    assert_eq!(done["answer"]["document"], json!({"status": "succeeded"}));
    assert_eq!(done["changes"][0]["attachmentScope"], "CHAT");
    assert_eq!(done["changes"][0]["before"]["maximumSizeLimitInBytes"], 20_971_520);
    assert_eq!(done["changes"][0]["after"]["extensions"], json!(["pdf", "json"]));
    assert_eq!(done["calls"][0]["operation"], "UpdateAttachedFilesConfiguration");
    assert_eq!(done["audit"][1]["event"]["status"], "Success");
}

#[test]
fn the_demo_names_what_is_missing_or_misnamed() {
    let empty = Place::new("empty", &[]);
    let output = demo(&empty, &[]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(text(&output.stderr), format!("sandbox: `{}` holds no payloads (`*.json`)\n", empty.path("")));
    let odd = Place::new("odd", &[("kafka.succeeded.json", json!({}))]);
    let message = text(&demo(&odd, &[]).stderr);
    assert!(message.contains("kafka.succeeded.json`: a name must begin with a trigger"), "{message}");
    let output = Command::new(env!("CARGO_BIN_EXE_sandbox"))
        .args(["demo", "--function", "/nowhere/function"])
        .output()
        .expect("a run");
    assert_eq!(
        text(&output.stderr),
        "sandbox: no function at `/nowhere/function`: build it with `cargo build --workspace`, \
         or name another with `--function`\n"
    );
}
