use crate::stand_in;
use serde_json::{Value, json};
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

pub(crate) const CHAT_OF_1: &str = "/attached-files-configurations/00000001-0000-4000-8000-000000000001/CHAT";

pub(crate) fn sandbox(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sandbox"));
    command.args(arguments).arg("--function").arg(stand_in());
    command
}

/// A directory of payloads, removed at the end.
pub(crate) struct Events(PathBuf);

impl Events {
    pub(crate) fn new(name: &str, files: &[(&str, Value)]) -> Self {
        let directory = std::env::temp_dir().join(format!("sandbox-{name}-{}", std::process::id()));
        fs::create_dir_all(&directory).expect("a directory");
        for (file, payload) in files {
            fs::write(directory.join(file), payload.to_string()).expect("a file");
        }
        Self(directory)
    }

    fn demo(&self, arguments: &[&str]) -> Output {
        sandbox(&["demo", "--events-only"])
            .args(arguments)
            .arg("--events")
            .arg(&self.0)
            .output()
            .expect("a run")
    }

    pub(crate) fn path(&self, file: &str) -> String {
        self.0.join(file).display().to_string()
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("text")
}

/// An audit line of a step of a change of sandbox-1's chat.
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
    let events = Events::new("pages", &[("bare.succeeded.json", change())]);
    let output = events.demo(&[]);
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
fn the_demo_ends_with_a_sentence_about_every_answer_that_is_not_as_expected() {
    let events = Events::new(
        "wrong",
        &[
            ("bare.succeeded.json", change()),
            ("bare.rejected.json", change()),
            ("http.succeeded.json", json!({"stderr": "last words", "exit": 3})),
        ],
    );
    let output = events.demo(&[]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        text(&output.stderr),
        format!(
            "sandbox: `{}`: expected the function error `PolicyChangeRejected`, \
             but a report of status `succeeded` came\n\
             sandbox: `{}`: expected HTTP 200 (`succeeded`), \
             but an end of the process with code 3 came\n",
            events.path("bare.rejected.json"),
            events.path("http.succeeded.json")
        )
    );
    let page = text(&output.stdout);
    assert!(page.contains("last words"), "{page}");
    assert!(page.contains("✗ 3 payloads sent, not as expected: 2"));
}

#[test]
fn the_demo_for_machines_is_one_document_per_payload_with_the_audit_as_written() {
    let events = Events::new(
        "json",
        &[
            (
                "bare.rejected.json",
                json!({"error": {"errorType": "PolicyChangeRejected", "errorMessage": "no"}}),
            ),
            ("bare.succeeded.json", change()),
        ],
    );
    let output = events.demo(&["--json"]);
    assert!(output.status.success());
    let documents: Vec<Value> =
        text(&output.stdout).lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(documents.len(), 2);
    assert_eq!(
        documents[0]["answer"],
        json!({"kind": "error", "errorType": "PolicyChangeRejected", "errorMessage": "no"})
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
fn the_demo_names_what_it_lacks() {
    let empty = Events::new("empty", &[]);
    let output = empty.demo(&[]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(text(&output.stderr), format!("sandbox: no payload `*.json` in `{}`\n", empty.0.display()));
    let odd = Events::new("odd", &[("kafka.succeeded.json", json!({}))]);
    let says = text(&odd.demo(&[]).stderr);
    assert!(says.contains("kafka.succeeded.json`: a name begins with its trigger"), "{says}");
    let output = Command::new(env!("CARGO_BIN_EXE_sandbox"))
        .args(["demo", "--function", "/nowhere/function"])
        .output()
        .expect("a run");
    assert_eq!(
        text(&output.stderr),
        "sandbox: no function at `/nowhere/function`: build it with `cargo build --release`, \
         or name it with `--function`\n"
    );
}
