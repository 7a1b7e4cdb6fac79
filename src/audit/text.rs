//! Makes free text safe for a log line and for a terminal.

use std::fmt::Write;

/// The most characters of a free text: what `reason` takes, so that a reason is never cut.
pub(super) const FREE_TEXT: usize = 1_024;
/// The most characters of a refusal's message. Our own messages are shorter, and so is what they repeat of the payload.
pub(super) const MESSAGE: usize = 512;
/// The most characters of an id, a name or a JSON pointer. EventBridge's sources end at 256 too.
///
/// With 16 reasons, every character spelled out in 9 bytes, a refusal stays below 128 KB: half of
/// what one event of CloudWatch Logs takes.
pub(super) const NAME: usize = 256;
/// Marks a text that was cut.
const CUT: &str = "…[cut]";

/// Spells out what would break a line, reverse it, or hide in it: control characters, line and
/// paragraph separators, and invisible or direction-changing format characters (Unicode TR 36,
/// section 3; the "Trojan Source" set) become `<U+202E>`. Longer than `limit` characters, counted
/// before that: cut, with a mark.
pub(super) fn clean(text: &str, limit: usize) -> String {
    // nearly every text is short and printable ASCII
    if text.len() <= limit && text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return text.to_owned();
    }
    let mut clean = String::with_capacity(text.len().min(limit * 4));
    for (count, c) in text.chars().enumerate() {
        if count == limit {
            clean.push_str(CUT);
            break;
        }
        if is_unsafe(c) {
            // writing to a String cannot fail
            let _ = write!(clean, "<U+{:04X}>", u32::from(c));
        } else {
            clean.push(c);
        }
    }
    clean
}

fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{00ad}' | '\u{061c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_that_break_reverse_or_hide_text_are_spelled_out() {
        assert_eq!(clean("a\nb\r\t\u{1b}[31m", NAME), "a<U+000A>b<U+000D><U+0009><U+001B>[31m");
        assert_eq!(
            clean("exe\u{202e}fdp\u{2028}\u{200b}\u{feff}", NAME),
            "exe<U+202E>fdp<U+2028><U+200B><U+FEFF>"
        );
        assert_eq!(clean(" ~\u{7f}\u{1f}", NAME), " ~<U+007F><U+001F>");
        assert_eq!(clean("naïve 漢字 🙂 \"quoted\"", NAME), "naïve 漢字 🙂 \"quoted\"");
    }

    #[test]
    fn a_long_text_is_cut_with_a_mark() {
        assert_eq!(clean(&"e".repeat(NAME), NAME), "e".repeat(NAME));
        assert_eq!(clean(&"e".repeat(NAME + 1), NAME), format!("{}{CUT}", "e".repeat(NAME)));
        assert_eq!(clean(&"é".repeat(NAME), NAME), "é".repeat(NAME));
        assert_eq!(clean(&"é".repeat(NAME + 1), NAME), format!("{}{CUT}", "é".repeat(NAME)));
    }
}
