//! A process's output, line by line, cut exactly where an invocation begins and ends.
//!
//! A process writes its lines, then answers through the Runtime API. When the answer
//! arrives, its lines are in the pipe but perhaps not read yet, and no waiting time would
//! guarantee that they are. So the sandbox keeps a writing end of the same pipe, and writes a
//! mark into it: a pipe is first in, first out, so when the mark has come back, every byte
//! that was written before it has too. A mark is shorter than `PIPE_BUF`, so it arrives
//! whole (POSIX, `write`). It is taken out again, even from the middle of a line.

mod lines;

use super::stream::{Echo, Stream};
use lines::{Lines, text};
use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::mem;
use std::process::Stdio;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use tokio::sync::oneshot;

/// A pipe that processes write to, and what was read from it.
pub(super) struct Capture {
    lines: Arc<Mutex<Lines>>,
    /// Kept so that marks can be written; blocking, as the process's own end must stay:
    /// the two share one file description, and with it the `O_NONBLOCK` flag.
    writer: Mutex<Option<PipeWriter>>,
}

impl Capture {
    /// Makes a pipe, and a thread that reads it until the last writing end is closed.
    pub(super) fn start(stream: Stream, echo: Option<Echo>) -> io::Result<Self> {
        let (reader, writer) = io::pipe()?;
        let lines = Arc::new(Mutex::new(Lines::new()));
        let filled = Arc::clone(&lines);
        thread::Builder::new()
            .name("function-output".into())
            .spawn(move || read_all(reader, &filled, stream, echo.as_ref()))?;
        Ok(Self { lines, writer: Mutex::new(Some(writer)) })
    }

    /// A writing end for a process.
    pub(super) fn stdio(&self) -> io::Result<Stdio> {
        match lock(&self.writer).as_ref() {
            Some(writer) => Ok(writer.try_clone()?.into()),
            None => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }

    /// Waits until everything written so far has been read; the number of whole lines then.
    pub(super) async fn mark(&self) -> usize {
        let (sender, reached) = oneshot::channel();
        let mark = lock(&self.lines).expect_mark(sender);
        let written = match lock(&self.writer).as_mut() {
            // A full pipe makes this wait for the reading thread, which never waits for anything.
            Some(writer) => writer.write_all(&mark),
            None => Err(io::ErrorKind::BrokenPipe.into()),
        };
        match written {
            Ok(()) => match reached.await {
                Ok(count) => count,
                Err(_) => self.count(),
            },
            Err(_) => self.count(),
        }
    }

    /// Lets the reading thread end when the process has.
    pub(super) fn close(&self) {
        lock(&self.writer).take();
    }

    /// The number of whole lines so far, whether taken or not.
    fn count(&self) -> usize {
        lock(&self.lines).count()
    }

    /// The whole lines from one count to another, without those already taken.
    pub(super) fn between(&self, first: usize, end: usize) -> Vec<String> {
        let lines = lock(&self.lines);
        let first = first.saturating_sub(lines.taken);
        let end = end.saturating_sub(lines.taken);
        lines.whole.get(first..end).unwrap_or_default().to_vec()
    }

    /// Every whole line that has not been taken.
    pub(super) fn whole(&self) -> Vec<String> {
        lock(&self.lines).whole.clone()
    }

    /// Every whole line, and forgets them.
    pub(super) fn take(&self) -> Vec<String> {
        let mut lines = lock(&self.lines);
        let whole = mem::take(&mut lines.whole);
        lines.taken += whole.len();
        whole
    }

    /// What follows the last line break, if anything.
    pub(super) fn torn(&self) -> Option<String> {
        let lines = lock(&self.lines);
        (!lines.torn.is_empty()).then(|| text(&lines.torn))
    }
}

/// Locks, also after a panic elsewhere, which leaves a list of lines correct.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn read_all(mut pipe: PipeReader, lines: &Mutex<Lines>, stream: Stream, echo: Option<&Echo>) {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let read = match pipe.read(&mut buffer) {
            Ok(read @ 1..) => buffer.get(..read).unwrap_or_default(),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Ok(_) | Err(_) => break,
        };
        let new = lock(lines).feed(read, echo.is_some());
        if let Some(echo) = echo {
            for line in &new {
                echo(stream, line);
            }
        }
    }
    lock(lines).end();
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    fn shell(capture: &Capture, script: &str) -> std::process::Child {
        Command::new("sh")
            .args(["-c", script])
            .stdout(capture.stdio().expect("a writing end"))
            .spawn()
            .expect("a shell")
    }

    #[tokio::test]
    async fn a_mark_comes_back_after_everything_written_before_it() {
        let capture = Capture::start(Stream::Output, None).expect("a pipe");
        for round in 1..=20 {
            let mut child = shell(&capture, "seq 1 5000");
            child.wait().expect("an end");
            assert_eq!(capture.mark().await, 5000 * round);
        }
        assert_eq!(capture.whole()[4999..5001], ["5000", "1"]);
        assert_eq!(capture.torn(), None);
    }

    #[tokio::test]
    async fn a_torn_line_is_kept_apart_and_a_mark_within_a_line_is_taken_out() {
        let capture = Capture::start(Stream::Output, None).expect("a pipe");
        shell(&capture, "printf 'one\\ntw'").wait().expect("an end");
        assert_eq!(capture.mark().await, 1);
        assert_eq!(capture.torn().as_deref(), Some("tw"));
        shell(&capture, "printf 'o\\n'").wait().expect("an end");
        assert_eq!(capture.mark().await, 2);
        assert_eq!(capture.between(1, 2), ["two"]);
        assert_eq!(capture.take(), ["one", "two"]);
        assert_eq!(capture.whole(), [""; 0]);
        assert_eq!(capture.between(1, 2), [""; 0]);
    }

    #[tokio::test]
    async fn a_closed_capture_answers_a_mark_at_once() {
        let capture = Capture::start(Stream::Output, None).expect("a pipe");
        capture.close();
        assert_eq!(capture.mark().await, 0);
    }
}
