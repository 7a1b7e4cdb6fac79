use crate::stand_in;
use serde_json::{Value, json};
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

const CHAT_OF_1: &str = "/attached-files-configurations/00000001-0000-4000-8000-000000000001/CHAT";

fn sandbox(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sandbox"));
    command.args(arguments).arg("--function").arg(stand_in());
    command
}

/// A directory of payloads, removed at the end.
struct Events(PathBuf);

impl Events {
    fn new(name: &str, files: &[(&str, Value)]) -> Self {
        let directory = std::env::temp_dir().join(format!("sandbox-{name}-{}", std::process::id()));
        fs::create_dir_all(&directory).expect("a directory");
        for (file, payload) in files {
            fs::write(directory.join(file), payload.to_string()).expect("a file");
        }
        Self(directory)
    }

    fn demo(&self, arguments: &[&str]) -> Output {
        sandbox(&["demo"])
            .args(arguments)
            .arg("--events")
            .arg(&self.0)
            .output()
            .expect("a run")
    }

    fn path(&self, file: &str) -> String {
        self.0.join(file).display().to_string()
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn text(bytes: &[u8]) -> String {
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
    let documents: Vec<Value> = text(&output.stdout)
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
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
    assert_eq!(
        done["changes"][0]["before"]["maximumSizeLimitInBytes"],
        20_971_520
    );
    assert_eq!(done["changes"][0]["after"]["extensions"], json!(["pdf", "json"]));
    assert_eq!(done["calls"][0]["operation"], "UpdateAttachedFilesConfiguration");
    assert_eq!(done["audit"][1]["event"]["status"], "Success");
}

#[test]
fn the_demo_names_what_it_lacks() {
    let empty = Events::new("empty", &[]);
    let output = empty.demo(&[]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        text(&output.stderr),
        format!("sandbox: no payload `*.json` in `{}`\n", empty.0.display())
    );
    let odd = Events::new("odd", &[("kafka.succeeded.json", json!({}))]);
    let says = text(&odd.demo(&[]).stderr);
    assert!(
        says.contains("kafka.succeeded.json`: a name begins with its trigger"),
        "{says}"
    );
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

/// A running `sandbox serve`, ended with the test.
struct Serving {
    child: Child,
    lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
}

impl Serving {
    fn start(arguments: &[&str]) -> Self {
        let mut child = sandbox(&["serve"])
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .expect("a start");
        let output = child.stdout.take().expect("a pipe");
        let lines = BufReader::new(output).lines();
        Self { child, lines }
    }

    /// Reads until a line contains this.
    fn line_with(&mut self, part: &str) -> String {
        self.lines
            .by_ref()
            .map(|line| line.expect("text"))
            .find(|line| line.contains(part))
            .expect("such a line")
    }

    /// The processes it has started, whichever of its threads did.
    fn processes(&self) -> Vec<String> {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.child.id()));
        let children = tasks
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|task| fs::read_to_string(task.path().join("children")).ok());
        children
            .flat_map(|ids| ids.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
            .collect()
    }

    fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args(["-s", name, &id]).status();
        assert!(sent.expect("kill").success());
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn serve_says_where_it_is_and_ends_with_its_function_when_asked_to() {
    for signal in ["INT", "TERM", "HUP"] {
        let mut serving = Serving::start(&["--quiet", "--instances", "7"]);
        assert!(serving.line_with("Amazon Connect").contains("http://127.0.0.1:"));
        assert!(serving.line_with("Function URL").contains("http://127.0.0.1:"));
        assert!(serving.line_with("Lambda Invoke").contains("http://127.0.0.1:"));
        serving.line_with("00000005-0000-4000-8000-000000000005");
        serving.line_with("and 2 more");
        serving.line_with("Ctrl-C");
        let functions = serving.processes();
        assert_eq!(functions.len(), 1, "one function process");
        serving.signal(signal);
        let status = serving.child.wait().expect("an end");
        assert!(status.success(), "{signal}: {status}");
        let left = PathBuf::from(format!("/proc/{}", functions[0]));
        assert!(!left.exists(), "{signal}: the function was left behind");
    }
}

#[test]
fn serve_prints_and_journals_every_call() {
    let directory = Events::new("journal", &[]);
    let journal = directory.path("calls.jsonl");
    let mut serving = Serving::start(&["--quiet", "--rate", "0", "--journal", &journal]);
    let url = serving.line_with("Function URL");
    let url = url.split("http://").nth(1).expect("a URL").to_owned();
    let connect = serving.line_with("--endpoint-url");
    let connect = connect.split("http://").nth(1).expect("a URL");
    let connect = connect.split(' ').next().expect("an authority");
    serving.line_with("Ctrl-C");
    assert!(request(&url, "GET /hello").starts_with("HTTP/1.1 200"));
    let refused = request(connect, &format!("GET {CHAT_OF_1}"));
    assert!(refused.starts_with("HTTP/1.1 403"), "{refused}");
    let line = serving.line_with("Describe");
    assert!(
        line.contains("  Describe            sandbox-1    CHAT   403 "),
        "{line}"
    );
    serving.signal("TERM");
    serving.child.wait().expect("an end");
    let kept = fs::read_to_string(&journal).expect("a journal");
    let entry: Value = serde_json::from_str(kept.trim()).expect("one line of JSON");
    assert_eq!(entry["operation"], "DescribeAttachedFilesConfiguration");
    assert_eq!(entry["status"], 403);
}

#[test]
fn what_serve_says_for_programs_is_a_name_two_spaces_and_a_url_that_answers() {
    let mut serving = Serving::start(&["--quiet"]);
    for name in ["Amazon Connect  ", "Function URL    ", "Lambda Invoke   "] {
        let line = serving.lines.next().expect("a line").expect("text");
        let url = line.strip_prefix(name).expect("the name first");
        let authority = url.strip_prefix("http://").expect("a URL");
        assert!(request(authority, "GET /").starts_with("HTTP/1.1 "), "{line}");
    }
}

#[test]
fn serve_holds_the_instances_it_is_given_and_refuses_what_is_none() {
    let arn = "arn:aws:connect:eu-west-2:444455556666:instance/0000001f-0000-4000-8000-00000000001f";
    let mut serving = Serving::start(&["--quiet", "--instances", "1", "--instance", arn]);
    let line = serving.line_with("0000001f-0000-4000-8000-00000000001f");
    assert!(line.ends_with("444455556666-eu-west-2-0000001f"), "{line}");
    let refused = sandbox(&["serve", "--instance", "nonsense"])
        .output()
        .expect("a run");
    assert_eq!(refused.status.code(), Some(2));
    let says = text(&refused.stderr);
    assert!(
        says.contains(
            "`nonsense` is not the ARN of an Amazon Connect instance, such as `arn:aws:connect:us-east-1:"
        ),
        "{says}"
    );
}

#[test]
fn serve_announces_nothing_where_it_cannot_keep_its_journal() {
    let refused = sandbox(&["serve", "--journal", "/nowhere/calls.jsonl"])
        .output()
        .expect("a run");
    assert_eq!(
        (refused.status.code(), text(&refused.stdout)),
        (Some(1), String::new())
    );
    let says = text(&refused.stderr);
    assert!(
        says.starts_with("sandbox: cannot write the journal `/nowhere/calls.jsonl`: "),
        "{says}"
    );
}

fn request(authority: &str, line: &str) -> String {
    use std::io::{Read, Write};
    let mut stream = std::net::TcpStream::connect(authority.trim()).expect("a connection");
    write!(
        stream,
        "{line} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    )
    .expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    answer
}
