//! A named pipe as the standard output, whose reader is slow, stops, or goes away.

use std::fs::{self, File};
use std::io::Read;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use tokio::sync::oneshot;

/// A named pipe in the tests' own folder, removed with it.
pub(crate) struct Fifo(pub(crate) PathBuf);

impl Fifo {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("fifo-{}-{number}", std::process::id());
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
        assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
        Self(path)
    }

    /// A second writer, so that the reader does not see the end before the process has opened the pipe.
    pub(crate) fn writer(&self) -> File {
        File::options().write(true).open(&self.0).unwrap()
    }

    /// Reads so many bytes, or to the end, and says so; then reads on or closes, as the test decides.
    pub(crate) fn reader(&self, bytes: u64) -> Reader {
        let path = self.0.clone();
        let (reached, has_reached) = oneshot::channel();
        let (go_on, signal) = mpsc::channel();
        let thread = thread::spawn(move || {
            let mut file = File::open(path).unwrap();
            let mut read = Vec::new();
            (&mut file).take(bytes).read_to_end(&mut read).unwrap();
            let _ = reached.send(());
            if signal.recv() == Ok(true) {
                file.read_to_end(&mut read).unwrap();
            }
            String::from_utf8_lossy(&read).into_owned()
        });
        Reader { reached: Some(has_reached), go_on, thread: Some(thread) }
    }
}

impl Drop for Fifo {
    fn drop(&mut self) {
        fs::remove_file(&self.0).unwrap();
    }
}

/// A thread at a FIFO's reading end.
pub(crate) struct Reader {
    reached: Option<oneshot::Receiver<()>>,
    go_on: mpsc::Sender<bool>,
    thread: Option<JoinHandle<String>>,
}

impl Reader {
    /// Waits until it has read so many bytes.
    pub(crate) async fn reached(&mut self) {
        self.reached.take().unwrap().await.unwrap();
    }

    /// Everything, once no writer is left.
    pub(crate) fn rest(&mut self) -> String {
        self.go_on.send(true).unwrap();
        self.thread.take().unwrap().join().unwrap()
    }

    /// Leaves the writers without a reader.
    pub(crate) fn close(&mut self) {
        self.go_on.send(false).unwrap();
        self.thread.take().unwrap().join().unwrap();
    }
}
