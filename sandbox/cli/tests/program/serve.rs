use crate::place::Place;
use crate::{CHAT_OF_1, sandbox, text};
use serde_json::{Value, json};
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

/// A running `sandbox serve`, ended with the test.
struct Serving {
    child: Child,
    lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
}

impl Serving {
    fn start(arguments: &[&str]) -> Self {
        let mut child = sandbox(&["serve"]).args(arguments).stdout(Stdio::piped()).spawn().expect("a start");
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
        children.flat_map(|ids| ids.split_whitespace().map(str::to_owned).collect::<Vec<_>>()).collect()
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
fn serve_prints_its_addresses_and_a_signal_ends_it_with_its_function() {
    for signal in ["INT", "TERM", "HUP"] {
        let mut serving = Serving::start(&["--quiet", "--standalone", "--instances", "7"]);
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
fn serve_governs_unless_it_is_told_otherwise_and_a_signal_ends_every_function() {
    let mut serving = Serving::start(&["--quiet", "--sweep", "1"]);
    let url = serving.line_with("Function URL");
    let url = url.split("http://").nth(1).expect("a URL").to_owned();
    let sqs = serving.line_with("Amazon SQS");
    let sqs = sqs.split("http://").nth(1).expect("a URL").to_owned();
    serving.line_with("attachment-policy-ledger");
    let changes = serving.line_with("changes.fifo");
    let changes = changes.split_whitespace().next().expect("a URL").to_owned();
    for name in ["sweep", "widget", "declare"] {
        serving.line_with(&format!("connect-attachment-policy-{name}"));
    }
    serving.line_with("Look at the fleet in a browser");
    let pages = serving.lines.next().expect("a line").expect("text");
    assert!(pages.starts_with("  http://127.0.0.1:"), "{pages}");
    serving.line_with("Ctrl-C");
    assert!(request(&url, "GET /hello").starts_with("HTTP/1.1 200"));
    let message = json!({
        "QueueUrl": changes, "MessageBody": "{}", "MessageGroupId": "111122223333/us-east-1",
    });
    let sent = post(&sqs, "AmazonSQS.SendMessage", &message.to_string());
    assert!(sent.starts_with("HTTP/1.1 200"), "{sent}");
    let line = serving.line_with("lane message");
    assert!(line.contains("  lane message        111122223333/us-east-1  done, "), "{line}");
    while serving.processes().len() < 3 {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    let functions = serving.processes();
    serving.signal("TERM");
    assert!(serving.child.wait().expect("an end").success());
    for function in functions {
        assert!(!PathBuf::from(format!("/proc/{function}")).exists(), "{function} was left behind");
    }
}

#[test]
fn the_services_of_a_stack_are_served_without_any_function() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_sandbox"))
        .arg("services")
        .stdout(Stdio::piped())
        .spawn()
        .expect("a start");
    let lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    let mut serving = Serving { child, lines };
    for name in ["Amazon Connect  ", "DynamoDB        ", "Amazon SQS      "] {
        let line = serving.lines.next().expect("a line").expect("text");
        assert!(line.strip_prefix(name).is_some_and(|url| url.starts_with("http://127.0.0.1:")), "{line}");
    }
    serving.line_with("Ctrl-C");
    assert!(serving.processes().is_empty());
    serving.signal("TERM");
    assert!(serving.child.wait().expect("an end").success());
}

#[test]
fn serve_takes_no_port_of_the_table_where_there_is_none() {
    let refused = sandbox(&["serve", "--standalone", "--table-port", "8000"]).output().expect("a run");
    assert_eq!(refused.status.code(), Some(2));
    let message = text(&refused.stderr);
    assert!(message.contains("'--standalone' cannot be used with '--table-port <PORT>'"), "{message}");
}

#[test]
fn serve_prints_and_journals_every_call() {
    let directory = Place::new("journal", &[]);
    let journal = directory.path("calls.jsonl");
    let mut serving = Serving::start(&["--quiet", "--rate", "0", "--journal", &journal]);
    let connect = serving.line_with("Amazon Connect");
    let connect = connect.split("http://").nth(1).expect("a URL");
    let url = serving.line_with("Function URL");
    let url = url.split("http://").nth(1).expect("a URL").to_owned();
    serving.line_with("Ctrl-C");
    assert!(request(&url, "GET /hello").starts_with("HTTP/1.1 200"));
    let refused = request(connect, &format!("GET {CHAT_OF_1}"));
    assert!(refused.starts_with("HTTP/1.1 403"), "{refused}");
    let line = serving.line_with("Describe");
    assert!(line.contains("  Describe            sandbox-1    CHAT   403 "), "{line}");
    serving.signal("TERM");
    serving.child.wait().expect("an end");
    let kept = fs::read_to_string(&journal).expect("a journal");
    let entry: Value = serde_json::from_str(kept.trim()).expect("one line of JSON");
    assert_eq!(entry["operation"], "DescribeAttachedFilesConfiguration");
    assert_eq!(entry["status"], 403);
}

#[test]
fn the_first_lines_of_serve_are_a_name_two_spaces_and_a_url_that_answers() {
    let mut serving = Serving::start(&["--quiet"]);
    for name in [
        "Amazon Connect  ",
        "Function URL    ",
        "Lambda Invoke   ",
        "DynamoDB        ",
        "Amazon SQS      ",
        "EventBridge     ",
        "Pages           ",
    ] {
        let line = serving.lines.next().expect("a line").expect("text");
        let url = line.strip_prefix(name).expect("the name first");
        let authority = url.strip_prefix("http://").expect("a URL");
        assert!(request(authority, "GET /").starts_with("HTTP/1.1 "), "{line}");
    }
}

#[test]
fn serve_has_the_instances_it_is_given_and_refuses_an_invalid_arn() {
    let arn = "arn:aws:connect:eu-west-2:444455556666:instance/0000001f-0000-4000-8000-00000000001f";
    let mut serving = Serving::start(&["--quiet", "--instances", "1", "--instance", arn]);
    let line = serving.line_with("0000001f-0000-4000-8000-00000000001f");
    assert!(line.ends_with("444455556666-eu-west-2-0000001f"), "{line}");
    let refused = sandbox(&["serve", "--instance", "nonsense"]).output().expect("a run");
    assert_eq!(refused.status.code(), Some(2));
    let message = text(&refused.stderr);
    assert!(
        message.contains(
            "`nonsense` is not the ARN of an Amazon Connect instance, such as `arn:aws:connect:us-east-1:"
        ),
        "{message}"
    );
}

#[test]
fn serve_does_not_start_if_it_cannot_write_its_journal() {
    let refused = sandbox(&["serve", "--journal", "/nowhere/calls.jsonl"]).output().expect("a run");
    assert_eq!((refused.status.code(), text(&refused.stdout)), (Some(1), String::new()));
    let message = text(&refused.stderr);
    assert!(message.starts_with("sandbox: cannot write the journal `/nowhere/calls.jsonl`: "), "{message}");
}

fn request(authority: &str, line: &str) -> String {
    exchange(authority, &format!("{line} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"))
}

/// A call of AWS JSON 1.0.
fn post(authority: &str, target: &str, body: &str) -> String {
    let head = format!(
        "POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX-Amz-Target: {target}\r\n\
         Authorization: AWS4-HMAC-SHA256 Credential=test/x\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    exchange(authority, &format!("{head}{body}"))
}

fn exchange(authority: &str, request: &str) -> String {
    use std::io::{Read, Write};
    let mut stream = std::net::TcpStream::connect(authority.trim()).expect("a connection");
    stream.write_all(request.as_bytes()).expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    answer
}
