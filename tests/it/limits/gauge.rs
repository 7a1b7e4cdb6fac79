//! One process, measured case by case.

use super::{
    Case, Ends, Explanation, LONG, LONGEST_LINE, MEMORY, MEMORY_PER_BYTE, NO_JSON, TIME, Through, violations,
};
use crate::world::{ONE, chat, launch};
use sandbox::connect::{Connect, Options};
use sandbox::function_url::FunctionUrl;
use sandbox::lambda::{Answer, Function};
use serde_json::{Value, json};
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

pub(super) struct Gauge {
    connect: Connect,
    function: Arc<Function>,
    url: FunctionUrl,
}

/// The result of a case.
pub(super) struct Seen {
    answer: Answered,
    /// What the process wrote meanwhile.
    lines: Vec<String>,
    took: Duration,
    /// Resident memory before it, and its peak, in KiB.
    before: usize,
    peak: usize,
}

enum Answered {
    Invocation(Answer),
    Response(u16, Vec<u8>),
}

impl Gauge {
    pub(super) async fn start() -> Self {
        let connect = Connect::start(Options::default()).await.unwrap();
        let mut launch = launch(&connect).env("FUNCTION", env!("CARGO_BIN_EXE_connect-attachment-policy"));
        launch.binary = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/limited.sh").into();
        launch.timeout = TIME * 2;
        let function = Arc::new(Function::start(launch).await.unwrap());
        let url = FunctionUrl::start(Arc::clone(&function), 0).await.unwrap();
        let gauge = Self { connect, function, url };
        gauge.warm_up().await;
        gauge
    }

    /// The first work of a process does not count for a case.
    async fn warm_up(&self) {
        self.function.ensure_running().await.unwrap();
        self.function.invoke(b"{}").await;
        let _ = self.function.take_output();
    }

    fn file(&self, name: &str) -> String {
        format!("/proc/{}/{name}", self.function.pid().unwrap_or_default())
    }

    #[expect(clippy::print_stdout, reason = "figures are part of what this test is for")]
    pub(super) fn print_head(&self) {
        let build =
            if cfg!(development) { "a debug build: times are not production's" } else { "a release build" };
        let fresh = if self.reset() { "each case's own" } else { "its process's" };
        println!("{build}; the peak of memory is {fresh}");
        println!("{:>9} {:>9} {:>10} {:>10}  case", "bytes", "ms", "peak MB", "besides");
    }

    /// Begins a new peak; not every kernel can.
    fn reset(&self) -> bool {
        fs::write(self.file("clear_refs"), "5").is_ok()
    }

    /// A line of `/proc/PID/status`, in KiB (`proc_pid_status(5)`).
    fn memory(&self, name: &str) -> usize {
        let status = fs::read_to_string(self.file("status")).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
        line.split_whitespace().nth(1).and_then(|kib| kib.parse().ok()).unwrap_or_default()
    }

    pub(super) async fn measure(&self, case: &Case) -> Seen {
        if case.payload.len() > LONG {
            self.function.kill().await;
            self.warm_up().await;
        }
        self.reset();
        let pid = self.function.pid();
        let (before, started) = (self.memory("VmRSS"), Instant::now());
        let answer = match case.through {
            Through::Invoke => Answered::Invocation(self.function.invoke(&case.payload).await.outcome),
            Through::Url(head) => self.request(head, case.payload.clone()).await,
        };
        let took = started.elapsed();
        let peak = self.memory("VmHWM");
        assert!(pid.is_some() && self.function.pid() == pid, "{} ended the process", case.name);
        Seen { answer, lines: self.function.take_output(), took, before, peak }
    }

    async fn request(&self, head: &'static str, body: Vec<u8>) -> Answered {
        let address = self.url.url().replace("http://", "");
        let exchange = move || {
            let mut stream = TcpStream::connect(address).unwrap();
            let length = body.len();
            let head =
                format!("{head}\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n");
            stream.write_all(head.as_bytes()).unwrap();
            stream.write_all(&body).unwrap();
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer).unwrap();
            let end = answer.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
            let status = str::from_utf8(&answer[9..12]).unwrap().parse().unwrap();
            Answered::Response(status, answer.split_off(end + 4))
        };
        tokio::task::spawn_blocking(exchange).await.unwrap()
    }

    /// The requests that reached Connect.
    pub(super) fn calls(&self) -> usize {
        self.connect.journal().len()
    }

    /// Afterwards a change is still carried out.
    pub(super) async fn assert_still_works(&self) {
        let invocation = self.function.invoke(chat(ONE, &json!({})).to_string().as_bytes()).await;
        assert!(matches!(invocation.outcome, Answer::Response(_)), "{:?}", invocation.outcome);
        assert_eq!(self.calls(), 2);
    }
}

impl Seen {
    #[expect(clippy::print_stdout, reason = "figures are part of what this test is for")]
    pub(super) fn print(&self, case: &Case) {
        let mb = |kib: usize| kib * 10 / 1024;
        let (peak, more) = (mb(self.peak), mb(self.peak.saturating_sub(self.before)));
        let (bytes, ms) = (case.payload.len(), self.took.as_millis());
        println!(
            "{bytes:>9} {ms:>9} {:>8}.{} {:>8}.{}  {}",
            peak / 10,
            peak % 10,
            more / 10,
            more % 10,
            case.name
        );
    }

    pub(super) fn assert(&self, case: &Case) {
        let name = case.name;
        match (&case.ends, &self.answer) {
            (
                Ends::Error(kind, explanation),
                Answered::Invocation(Answer::Error { error_type, error_message }),
            ) => {
                assert_eq!(error_type, kind, "{name}: {}", start(error_message));
                match explanation {
                    Explanation::Text(text) => assert_eq!(error_message, text, "{name}"),
                    _ => explanation.assert(name, &serde_json::from_str(error_message).unwrap()),
                }
            }
            (Ends::Http(status, slug, explanation), answer) => {
                let (seen, body) = answer.response(name);
                let problem: Value = serde_json::from_slice(&body).unwrap();
                let kind = problem["type"].as_str().unwrap().rsplit(':').next().unwrap();
                assert_eq!((seen, kind), (*status, *slug), "{name}: {problem}");
                match explanation {
                    Explanation::Text(text) => assert_eq!(problem["detail"], *text, "{name}"),
                    _ => explanation.assert(name, &problem),
                }
            }
            (Ends::Batch(count, _), Answered::Invocation(Answer::Response(bytes))) => {
                let answer: Value = serde_json::from_slice(bytes).unwrap();
                let expected: Vec<_> =
                    (0..*count).map(|n| json!({"itemIdentifier": format!("m{n}")})).collect();
                assert!(answer == json!({"batchItemFailures": expected}), "{name}");
            }
            (_, other) => panic!("{name}: {}", other.start()),
        }
        self.assert_audit(case);
        assert!(self.took < TIME, "{name} took {:?}", self.took);
        let (limit, more) =
            (MEMORY + MEMORY_PER_BYTE * case.payload.len(), (self.peak.saturating_sub(self.before)) * 1024);
        assert!(more < limit, "{name} took {more} bytes of memory, more than {limit}");
    }

    /// Each refusal has its audit line, whole and short. Text that is not JSON has none, because the runtime refuses
    /// it.
    fn assert_audit(&self, case: &Case) {
        let lines = self.lines.iter().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let refusals: Vec<_> =
            lines.filter(|line| line["event"]["metadata"]["event_code"] == "refusal").collect();
        let (count, code) = match &case.ends {
            Ends::Error(NO_JSON, _) => (0, None),
            Ends::Batch(count, code) => (*count, Some(*code)),
            Ends::Error(..) | Ends::Http(..) => (1, None),
        };
        assert_eq!(refusals.len(), count, "{}", case.name);
        if let Some(code) = code {
            assert!(refusals.iter().all(|line| line["event"]["status_code"] == code), "{}", case.name);
        }
        let longest = self.lines.iter().map(String::len).max().unwrap_or_default();
        assert!(longest < LONGEST_LINE, "{}: a line of {longest} bytes", case.name);
    }
}

impl Explanation {
    fn assert(&self, name: &str, document: &Value) {
        let found = violations(document);
        match self {
            Self::Text(_) => {}
            Self::Violations(expected) => {
                let expected: Vec<_> =
                    expected.iter().map(|(pointer, code)| (pointer.as_str(), *code)).collect();
                assert_eq!(found, expected, "{name}");
            }
            Self::Many(pointer, code) => {
                assert_eq!((found.len(), found[0]), (257, (pointer.as_str(), *code)), "{name}");
                assert!(found[..256].iter().all(|(_, found)| found == code), "{name}");
                assert_eq!(found[256], ("", "TooManyViolations"), "{name}");
            }
        }
    }
}

impl Answered {
    /// The response, also where the Runtime API took it.
    fn response(&self, name: &str) -> (u16, Vec<u8>) {
        match self {
            Self::Response(status, body) => (*status, body.clone()),
            Self::Invocation(Answer::Response(bytes)) => {
                let response: Value = serde_json::from_slice(bytes).unwrap();
                let status = response["statusCode"].as_u64().and_then(|status| u16::try_from(status).ok());
                (status.unwrap(), response["body"].as_str().unwrap().as_bytes().to_vec())
            }
            other @ Self::Invocation(_) => panic!("{name}: {}", other.start()),
        }
    }

    fn start(&self) -> String {
        match self {
            Self::Invocation(answer) => start(&format!("{answer:?}")),
            Self::Response(status, body) => format!("{status} {}", start(&String::from_utf8_lossy(body))),
        }
    }
}

fn start(text: &str) -> String {
    text.chars().take(400).collect()
}
