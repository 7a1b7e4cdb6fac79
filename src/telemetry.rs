//! Standard output: one pipe for every line, and the structured log that goes through it.

use crate::lock::Lock;
use serde::Serialize;
use std::error::Error;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::sync::Arc;
use tracing::Level;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// The device number of `/dev/null`, major 1 minor 3 (Linux, "Allocated devices").
const DEV_NULL: u64 = 0x103;

/// The capacity in bytes that most lines of the audit and the metrics need, so that each takes one allocation.
const LINE_LENGTH: usize = 4_096;

/// The output for the lines of audit, metrics and log. Each line is written by one `write`, one at a time.
///
/// Not `std::io::Stdout`: its buffer could still hold a line that the audit has reported as written.
#[derive(Clone)]
pub struct LogPipe(Arc<Lock<Pipe<dyn Write + Send>>>);

struct Pipe<W: ?Sized> {
    /// Whether the last line was perhaps written in part: the next one must not be glued to it.
    is_cut: bool,
    writer: W,
}

impl LogPipe {
    /// Standard output, unbuffered.
    ///
    /// # Errors
    /// Where the descriptor cannot be duplicated, or leads nowhere: Rust opens `/dev/null` in place of
    /// a standard output that was closed, and the audit would be lost without a word.
    pub fn stdout() -> io::Result<Self> {
        let stdout = File::from(io::stdout().as_fd().try_clone_to_owned()?);
        let metadata = stdout.metadata()?;
        if metadata.file_type().is_char_device() && metadata.rdev() == DEV_NULL {
            return Err(io::Error::other("standard output is /dev/null: the audit would be lost"));
        }
        Ok(Self::new(stdout))
    }

    /// Any writer, for tests.
    pub fn new(writer: impl Write + Send + 'static) -> Self {
        Self(Arc::new(Lock::new(Pipe { is_cut: false, writer })))
    }

    /// Writes a value as a line of JSON.
    ///
    /// # Errors
    /// A full or closed pipe.
    pub fn write_json(&self, value: &impl Serialize) -> io::Result<()> {
        let mut line = Vec::with_capacity(LINE_LENGTH);
        serde_json::to_writer(&mut line, value)?;
        line.push(b'\n');
        self.write_line(&line)
    }

    /// Writes a whole line, its newline included, and returns once it is handed over.
    ///
    /// # Errors
    /// A full or closed pipe.
    pub fn write_line(&self, line: &[u8]) -> io::Result<()> {
        let mut pipe = self.0.lock();
        if pipe.is_cut {
            pipe.writer.write_all(b"\n")?;
        }
        pipe.is_cut = true;
        pipe.writer.write_all(line)?;
        pipe.writer.flush()?;
        pipe.is_cut = false;
        Ok(())
    }
}

impl std::fmt::Debug for LogPipe {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LogPipe")
    }
}

/// One event's line, written whole when the event is complete.
#[derive(Debug)]
pub struct Line {
    pipe: LogPipe,
    bytes: Vec<u8>,
}

impl Write for Line {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        // if the log cannot be written, the audit reports the error
        let _ = self.pipe.write_line(&self.bytes);
    }
}

impl<'a> MakeWriter<'a> for LogPipe {
    type Writer = Line;

    fn make_writer(&'a self) -> Line {
        Line { pipe: self.clone(), bytes: Vec::with_capacity(512) }
    }
}

/// An error and its causes in one line. Not the SDK's `DisplayErrorContext`: that adds the raw
/// response with its headers.
pub fn causes(error: &(dyn Error + 'static)) -> String {
    let mut line = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        line.push_str(": ");
        line.push_str(&cause.to_string());
        source = cause.source();
    }
    line
}

/// Lambda's log level: what is below it, Lambda drops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogLevel {
    /// As `tracing` knows it.
    Level(Level),
    /// Above every level of `tracing`.
    Fatal,
}

impl LogLevel {
    /// `AWS_LAMBDA_LOG_LEVEL`; INFO where it is absent or unknown.
    pub fn read(lookup: &dyn Fn(&str) -> Option<String>) -> Self {
        let level = lookup("AWS_LAMBDA_LOG_LEVEL").unwrap_or_default();
        match level.to_ascii_uppercase().as_str() {
            "FATAL" => Self::Fatal,
            other => Self::Level(other.parse().unwrap_or(Level::INFO)),
        }
    }

    /// The level of an audit line: the higher of INFO and the level in force, so that Lambda keeps it.
    pub const fn of_audit(self) -> &'static str {
        match self {
            Self::Fatal => "FATAL",
            Self::Level(Level::ERROR) => "ERROR",
            Self::Level(Level::WARN) => "WARN",
            Self::Level(_) => "INFO",
        }
    }
}

/// Starts the log: JSON lines with an RFC 3339 `timestamp` and a top-level `level`, by which Lambda
/// filters, or text where `AWS_LAMBDA_LOG_FORMAT` is `Text`.
pub fn start(pipe: LogPipe, level: LogLevel, lookup: &dyn Fn(&str) -> Option<String>) {
    let own = match level {
        LogLevel::Level(level) => LevelFilter::from_level(level),
        LogLevel::Fatal => LevelFilter::OFF,
    };
    // below INFO the SDK and the runtime log headers, tokens and whole payloads
    let others = own.min(LevelFilter::INFO);
    let filter = Targets::new()
        .with_default(others)
        .with_target("connect_attachment_policy", own)
        // the runtime's span carries the request and trace ids of every line, at every level
        .with_target("lambda_runtime::layers::trace", LevelFilter::INFO)
        // without the runtime's outer span, a line's first span is its request in every mode
        .with_target("lambda_runtime::runtime", own.min(LevelFilter::WARN))
        // it repeats the type of a function error, which the invocation's summary already has
        .with_target("lambda_runtime::layers::panic", LevelFilter::OFF);
    let registry = tracing_subscriber::registry().with(filter);
    let layer = tracing_subscriber::fmt::layer().with_writer(pipe).with_ansi(false);
    let text = lookup("AWS_LAMBDA_LOG_FORMAT").is_some_and(|format| format.eq_ignore_ascii_case("text"));
    // a second start (a test's) keeps the first
    let _ = if text {
        registry.with(layer).try_init()
    } else {
        registry
            .with(layer.json().flatten_event(true).with_current_span(false).with_span_list(true))
            .try_init()
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("not sent")]
    struct NotSent(#[source] io::Error);

    #[test]
    fn an_error_is_logged_with_its_causes_in_one_line() {
        assert_eq!(causes(&NotSent(io::Error::other("connection reset"))), "not sent: connection reset");
    }

    /// It takes half of the first line, then nothing for a while.
    struct Narrow(Arc<Lock<Vec<u8>>>, u32);

    impl Write for Narrow {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.1 += 1;
            match self.1 {
                1 => self.0.lock().write(&bytes[..bytes.len() / 2]),
                2 => Err(io::Error::other("full")),
                _ => self.0.lock().write(bytes),
            }
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_line_that_follows_one_that_was_cut_is_a_line_of_its_own() {
        let written = Arc::new(Lock::new(Vec::new()));
        let pipe = LogPipe::new(Narrow(Arc::clone(&written), 0));
        assert_eq!(pipe.write_line(b"{\"a\":1}\n").unwrap_err().to_string(), "full");
        for line in ["two\n", "three\n"] {
            pipe.write_line(line.as_bytes()).unwrap();
        }
        assert_eq!(written.lock().as_slice(), b"{\"a\"\ntwo\nthree\n");
    }

    #[test]
    fn an_audit_line_is_never_below_the_level_in_force() {
        for (set, of_audit) in [
            (None, "INFO"),
            (Some("TRACE"), "INFO"),
            (Some("debug"), "INFO"),
            (Some("INFO"), "INFO"),
            (Some("WARN"), "WARN"),
            (Some("ERROR"), "ERROR"),
            (Some("FATAL"), "FATAL"),
            (Some("loud"), "INFO"),
        ] {
            let level = LogLevel::read(&|_| set.map(str::to_owned));
            assert_eq!(level.of_audit(), of_audit, "{set:?}");
        }
    }
}
