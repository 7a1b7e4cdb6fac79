//! A function for the sandbox's own tests: it does what its payload says.
//!
//! It speaks the Runtime API over plain sockets, written from AWS's page and sharing no
//! code with the sandbox, so that the two check each other. The payload's members, all
//! optional, in the order they are obeyed:
//!
//! - `connect`: requests to send to Amazon Connect, `{"method", "path", "body"}`
//! - `stdout`: lines to print; `torn`: a last piece without a line break
//! - `env`: names of variables to print, each as `name=value`
//! - `stderr`: a line for standard error
//! - `sleepMs`: milliseconds to wait
//! - `exit`: end the process with this code, without an answer
//! - `error`: the error document to report; `size`: answer a string of so many bytes
//! - `answer`: the answer; without it, what the invocation looked like from here
//!
//! Of an SQS event each record's body is obeyed, in their order. `fail` names its message in the answer's
//! `batchItemFailures`; an `answer`, `error` or `size` of a body takes the place of that answer.
//!
//! The variable `STAND_IN_INIT_ERROR` makes it report a failed start with that message,
//! `STAND_IN_POLLS` is the number of polls it keeps waiting (1).

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "it is a program that writes to both")]

use serde_json::{Value, json};
use std::env;
use std::error::Error;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::process;
use std::thread;
use std::time::Duration;

const RUNTIME: &str = "/2018-06-01/runtime";

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

fn main() -> Outcome<()> {
    let api = env::var("AWS_LAMBDA_RUNTIME_API")?;
    println!("stand-in: start");
    if let Ok(message) = env::var("STAND_IN_INIT_ERROR") {
        let error = json!({"errorType": "Stand.In", "errorMessage": message});
        send(&api, "POST", &format!("{RUNTIME}/init/error"), "", error.to_string().as_bytes())?;
        process::exit(1);
    }
    let polls = match env::var("STAND_IN_POLLS") {
        Ok(count) => count.parse()?,
        Err(_) => 1,
    };
    let pollers: Vec<_> = (0..polls)
        .map(|_| {
            let api = api.clone();
            thread::spawn(move || -> Outcome<()> {
                loop {
                    obey(&api)?;
                }
            })
        })
        .collect();
    for poller in pollers {
        poller.join().map_err(|_| "a poller panicked")??;
    }
    Ok(())
}

/// Takes one invocation and answers it.
fn obey(api: &str) -> Outcome<()> {
    let (status, head, payload) = send(api, "GET", &format!("{RUNTIME}/invocation/next"), "", b"")?;
    if status != 200 {
        return Err(format!("next answered {status}").into());
    }
    let header = |name: &str| {
        head.lines().find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    };
    let id = header("lambda-runtime-aws-request-id").ok_or("no request id")?;
    let order: Value = serde_json::from_slice(&payload).unwrap_or_default();
    let own = match order.get("Records").and_then(Value::as_array) {
        Some(records) => batch(records)?,
        None => act(&order)?,
    };
    let (outcome, document) = own.unwrap_or_else(|| {
        let seen = json!({
            "requestId": id,
            "deadlineMs": header("lambda-runtime-deadline-ms"),
            "arn": header("lambda-runtime-invoked-function-arn"),
            "traceId": header("lambda-runtime-trace-id"),
            "region": env::var("AWS_REGION").ok(),
            "home": env::var("HOME").ok(),
            "maxConcurrency": env::var("AWS_LAMBDA_MAX_CONCURRENCY").ok(),
            "payload": serde_json::from_slice::<Value>(&payload).ok(),
        });
        ("response", seen.to_string())
    });
    let path = format!("{RUNTIME}/invocation/{id}/{outcome}");
    let (status, _, _) = send(api, "POST", &path, "", document.as_bytes())?;
    println!("stand-in: {outcome} answered {status}");
    Ok(())
}

/// Obeys the messages of an SQS event; the answer.
fn batch(records: &[Value]) -> Outcome<Option<(&'static str, String)>> {
    let mut failures = Vec::new();
    for record in records {
        let body = record.get("body").and_then(Value::as_str).ok_or("no body")?;
        let order: Value = serde_json::from_str(body)?;
        if let Some(own) = act(&order)? {
            return Ok(Some(own));
        }
        if order.get("fail") == Some(&Value::Bool(true)) {
            failures.push(json!({"itemIdentifier": record.get("messageId")}));
        }
    }
    Ok(Some(("response", json!({"batchItemFailures": failures}).to_string())))
}

/// Obeys one order; its own answer, if it has one.
fn act(order: &Value) -> Outcome<Option<(&'static str, String)>> {
    let member = |name: &str| order.get(name).cloned().unwrap_or_default();
    for request in member("connect").as_array().into_iter().flatten() {
        call_connect(request)?;
    }
    let mut output = io::stdout();
    for line in member("stdout").as_array().into_iter().flatten() {
        writeln!(output, "{}", line.as_str().unwrap_or_default())?;
    }
    for name in member("env").as_array().into_iter().flatten().filter_map(Value::as_str) {
        writeln!(output, "{name}={}", env::var(name).unwrap_or_default())?;
    }
    if let Some(torn) = member("torn").as_str() {
        write!(output, "{torn}")?;
        output.flush()?;
    }
    if let Some(line) = member("stderr").as_str() {
        eprintln!("{line}");
    }
    if let Some(pause) = member("sleepMs").as_u64() {
        thread::sleep(Duration::from_millis(pause));
    }
    if let Some(code) = member("exit").as_i64() {
        process::exit(i32::try_from(code)?);
    }
    Ok(if let Some(error) = order.get("error") {
        Some(("error", error.to_string()))
    } else if let Some(size) = member("size").as_u64() {
        let filling = usize::try_from(size)?.saturating_sub(2);
        Some(("response", format!("\"{}\"", "x".repeat(filling))))
    } else {
        order.get("answer").map(|answer| ("response", answer.to_string()))
    })
}

/// Sends a request to Amazon Connect with a signature of the right shape.
fn call_connect(request: &Value) -> Outcome<()> {
    let url = env::var("AWS_ENDPOINT_URL_CONNECT")?;
    let authority = url.strip_prefix("http://").ok_or("not an http URL")?;
    let signature = format!(
        "X-Amz-Date: 20260101T000000Z\r\nContent-Type: application/json\r\n\
         Authorization: AWS4-HMAC-SHA256 \
         Credential={}/20260101/us-east-1/connect/aws4_request, \
         SignedHeaders=host;x-amz-date, Signature={}\r\n",
        env::var("AWS_ACCESS_KEY_ID")?,
        "0".repeat(64)
    );
    let method = request.get("method").and_then(Value::as_str).unwrap_or("GET");
    let path = request.get("path").and_then(Value::as_str).ok_or("no path")?;
    let body = request.get("body").map(Value::to_string).unwrap_or_default();
    let (status, _, _) = send(authority, method, path, &signature, body.as_bytes())?;
    println!("stand-in: {method} {path} answered {status}");
    Ok(())
}

/// One request on a new connection; the status, the head and the body.
fn send(
    authority: &str,
    method: &str,
    path: &str,
    headers: &str,
    body: &[u8],
) -> Outcome<(u16, String, Vec<u8>)> {
    let mut stream = TcpStream::connect(authority)?;
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n\
         Content-Length: {}\r\n{headers}\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes())?;
    stream.write_all(body)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n").ok_or("no head")?;
    let body = answer.split_off(end + 4);
    answer.truncate(end);
    let head = String::from_utf8(answer)?;
    let status = head.split(' ').nth(1).ok_or("no status")?.parse()?;
    Ok((status, head, body))
}
