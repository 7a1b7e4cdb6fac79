use crate::text;
use std::io::Write;
use std::process::{Command, Stdio};

/// The exit code and the error message for an answer to a payload of this name.
fn check(payload: &str, answer: &str) -> (Option<i32>, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_sandbox"))
        .args(["check", payload])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("a start");
    // A name that is refused leaves the answer unread.
    let _ = child.stdin.take().expect("a pipe").write_all(answer.as_bytes());
    let output = child.wait_with_output().expect("an end");
    assert_eq!(text(&output.stdout), "");
    (output.status.code(), text(&output.stderr))
}

#[test]
fn check_accepts_the_announced_answer_silently_and_reports_any_other() {
    let rejected = r#"{"errorType": "PolicyChangeRejected", "errorMessage": "{\"status\": \"rejected\"}"}"#;
    assert_eq!(check("events/bare.rejected.json", rejected), (Some(0), String::new()));
    assert_eq!(
        check("events/bare.succeeded.json", rejected),
        (
            Some(1),
            "sandbox: `events/bare.succeeded.json`: expected a report of status `succeeded`, but got \
             the function error `PolicyChangeRejected`: {\"status\": \"rejected\"}\n"
                .to_owned()
        )
    );
}

#[test]
fn check_refuses_a_name_that_announces_nothing() {
    let (code, message) = check("notes.txt", "{}");
    assert_eq!(code, Some(1));
    assert!(
        message.starts_with("sandbox: `notes.txt`: a name must begin with a trigger, one of `http`, "),
        "{message}"
    );
}
