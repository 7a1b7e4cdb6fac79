//! The bytes read from a pipe, as lines, with the marks taken out.

use crate::identifier::uuid;
use std::collections::HashMap;
use std::mem;
use tokio::sync::oneshot;

/// What was read so far.
pub(super) struct Lines {
    pub whole: Vec<String>,
    /// The number of whole lines before the first of `whole`.
    pub taken: usize,
    /// The beginning of a line that is not whole yet.
    pub torn: Vec<u8>,
    /// The beginning of what may be a mark.
    undecided: Vec<u8>,
    /// The beginning of every mark of this pipe; no program can know it.
    prefix: Vec<u8>,
    marks: HashMap<Vec<u8>, oneshot::Sender<usize>>,
    next: u64,
}

/// The digits of a mark's number.
const NUMBER: usize = 16;

impl Lines {
    pub(super) fn new() -> Self {
        Self {
            whole: Vec::new(),
            taken: 0,
            torn: Vec::new(),
            undecided: Vec::new(),
            prefix: format!("\0{}:", uuid()).into_bytes(),
            marks: HashMap::new(),
            next: 0,
        }
    }

    pub(super) fn count(&self) -> usize {
        self.taken + self.whole.len()
    }

    /// The bytes of a new mark; `reached` gets the number of whole lines before it when it arrives.
    pub(super) fn expect_mark(&mut self, reached: oneshot::Sender<usize>) -> Vec<u8> {
        let number = format!("{:0NUMBER$x}", self.next).into_bytes();
        self.next += 1;
        let mark = [self.prefix.as_slice(), number.as_slice()].concat();
        self.marks.insert(number, reached);
        mark
    }

    /// Adds what was read; returns the new whole lines if they are wanted.
    pub(super) fn feed(&mut self, read: &[u8], wanted: bool) -> Vec<String> {
        let before = self.whole.len();
        let joined = [mem::take(&mut self.undecided).as_slice(), read].concat();
        let mut rest = joined.as_slice();
        while let Some(at) = rest.iter().position(|&byte| byte == b'\n' || byte == 0) {
            let (head, tail) = rest.split_at_checked(at).unwrap_or((rest, &[]));
            self.torn.extend(head);
            rest = match tail.split_first() {
                Some((b'\n', after)) => {
                    self.whole.push(text(&mem::take(&mut self.torn)));
                    after
                }
                _ => match self.mark_at(tail) {
                    Mark::Here(after) => after,
                    Mark::Perhaps => {
                        self.undecided = tail.to_vec();
                        &[]
                    }
                    Mark::Not => {
                        self.torn.push(0);
                        tail.get(1..).unwrap_or_default()
                    }
                },
            };
        }
        self.torn.extend(rest);
        if wanted { self.whole.get(before..).unwrap_or_default().to_vec() } else { Vec::new() }
    }

    /// Whether a mark begins here; if so, whoever waits for it is notified.
    fn mark_at<'a>(&mut self, bytes: &'a [u8]) -> Mark<'a> {
        let Some(behind) = bytes.strip_prefix(self.prefix.as_slice()) else {
            return if self.prefix.starts_with(bytes) { Mark::Perhaps } else { Mark::Not };
        };
        let Some((number, after)) = behind.split_at_checked(NUMBER) else {
            return Mark::Perhaps;
        };
        if let Some(reached) = self.marks.remove(number) {
            // Fails if the caller has given up.
            let _ = reached.send(self.count());
        }
        Mark::Here(after)
    }

    /// No byte will follow.
    pub(super) fn end(&mut self) {
        self.torn.append(&mut self.undecided);
        self.marks.clear();
    }
}

enum Mark<'a> {
    /// A whole mark, and what follows it.
    Here(&'a [u8]),
    /// Too short to decide.
    Perhaps,
    Not,
}

pub(super) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_in_pieces_is_distinguished_from_a_stray_nul() {
        let mut lines = Lines::new();
        let (sender, mut reached) = oneshot::channel();
        let mark = lines.expect_mark(sender);
        let whole = [b"a\0b\nc".as_slice(), &mark, b"d\n\0"].concat();
        for byte in &whole {
            lines.feed(&[*byte], false);
        }
        lines.end();
        assert_eq!(lines.whole, ["a\0b", "cd"]);
        assert_eq!(lines.torn, [0]);
        assert_eq!(reached.try_recv(), Ok(1));
    }
}
