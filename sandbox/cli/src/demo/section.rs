//! A page's layout: a column of labels, and the text of each beside it.

use super::json::{fill, lines};
use crate::palette::Palette;
use std::fmt::Write;

/// The widest line, unless a single value is wider.
pub(super) const WIDTH: usize = 96;

/// The width of the column of labels.
pub(super) const MARGIN: usize = 11;

/// At most so many lines of a document are shown.
const LONGEST: usize = 60;

/// A label, and lines in the column beside it.
pub(super) struct Section<'a> {
    page: &'a mut String,
    palette: Palette,
    label: &'static str,
}

impl<'a> Section<'a> {
    pub(super) fn new(page: &'a mut String, palette: Palette, label: &'static str) -> Self {
        Self { page, palette, label }
    }

    pub(super) fn line(&mut self, text: &str) {
        let label = format!("  {:<width$}", self.label, width = MARGIN - 2);
        let label = if self.label.is_empty() { label } else { self.palette.dim(label) };
        line(self.page, &format!("{label}{text}"));
        self.label = "";
    }

    /// Adds JSON laid out, or text broken between words; a long one is cut.
    pub(super) fn document(&mut self, text: &str) {
        let width = WIDTH - MARGIN;
        let laid_out = lines(text, width).unwrap_or_else(|| {
            let words: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
            fill(&words, " ", width)
        });
        let broken: Vec<String> = laid_out.iter().flat_map(|line| broken(line, width)).collect();
        for text in broken.iter().take(LONGEST) {
            self.line(text);
        }
        let hidden = broken.len().saturating_sub(LONGEST);
        if hidden > 0 {
            self.line(&self.palette.dim(format!("and {hidden} more lines")));
        }
    }
}

/// A line that is still too wide, because a single value is, in pieces.
fn broken(line: &str, width: usize) -> Vec<String> {
    let indent = line.chars().take_while(|c| *c == ' ').count();
    let mut pieces = vec![String::new()];
    let mut room = width;
    for c in line.chars() {
        if room == 0 {
            pieces.push(" ".repeat(indent + 4));
            room = width.saturating_sub(indent + 4).max(1);
        }
        if let Some(piece) = pieces.last_mut() {
            piece.push(c);
        }
        room -= 1;
    }
    pieces
}

fn line(page: &mut String, text: &str) {
    // Writing to a `String` cannot fail.
    let _ = writeln!(page, "{}", text.trim_end());
}
