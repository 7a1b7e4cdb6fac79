//! Colour, for a terminal.

use std::env;
use std::io::IsTerminal;

/// Wraps text in colour, or leaves it as it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Palette {
    colour: bool,
}

impl Palette {
    /// Colour if the stream is a terminal and `NO_COLOR` is unset or empty (no-color.org).
    pub(crate) fn of(stream: &impl IsTerminal) -> Self {
        let refused = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self { colour: stream.is_terminal() && !refused }
    }

    /// No colour.
    #[cfg(test)]
    pub(crate) const fn plain() -> Self {
        Self { colour: false }
    }

    pub(crate) fn bold(self, text: impl AsRef<str>) -> String {
        self.paint("1", text.as_ref())
    }

    pub(crate) fn dim(self, text: impl AsRef<str>) -> String {
        self.paint("2", text.as_ref())
    }

    pub(crate) fn good(self, text: impl AsRef<str>) -> String {
        self.paint("32", text.as_ref())
    }

    pub(crate) fn bad(self, text: impl AsRef<str>) -> String {
        self.paint("31", text.as_ref())
    }

    pub(crate) fn careful(self, text: impl AsRef<str>) -> String {
        self.paint("33", text.as_ref())
    }

    fn paint(self, code: &str, text: &str) -> String {
        if self.colour && !text.is_empty() { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_coloured_only_if_colour_is_on() {
        assert_eq!(Palette { colour: true }.bad("no"), "\x1b[31mno\x1b[0m");
        assert_eq!(Palette::plain().bad("no"), "no");
    }
}
