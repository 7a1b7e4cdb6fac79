//! Unusual spellings of ids, ARNs and words, as an attacker might try them. Each is a piece of JSON text.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use proptest::prelude::*;
use proptest::sample::select;

pub(crate) const ALLOWED: &str = "a0b1c2d3-e4f5-4a6b-8c7d-9e8f7a6b5c4d";
/// Another instance, whose id differs only in the last digit.
pub(crate) const OTHER: &str = "a0b1c2d3-e4f5-4a6b-8c7d-9e8f7a6b5c4e";

/// Letters and signs that look like ASCII, or that some Unicode folding turns into ASCII.
fn look_alike(c: char) -> char {
    match c {
        'a' => '\u{430}',
        'c' => '\u{441}',
        'e' => '\u{435}',
        'x' => '\u{445}',
        'k' => '\u{212a}',
        '-' => '\u{2010}',
        '/' => '\u{2044}',
        ':' => '\u{a789}',
        '0'..='9' | 'b'..='z' => char::from_u32(u32::from(c) + 0xFEE0).unwrap(),
        other => other,
    }
}

/// A text in one of many spellings.
fn dressed(text: &str, way: usize, bits: u64) -> String {
    let bit = |n: usize| bits >> (n % 64) & 1 == 1;
    let each = |change: &dyn Fn(char) -> String| -> String {
        text.chars().enumerate().map(|(n, c)| if bit(n) { change(c) } else { c.to_string() }).collect()
    };
    let hidden = ["\u{200b}", "\u{ad}", "\u{202e}", "\u{feff}", "\u{0}", "\u{301}"]
        [usize::try_from(bits % 6).unwrap()];
    match way {
        0..=3 => text.to_owned(),
        4..=6 => each(&|c| c.to_ascii_uppercase().to_string()),
        7 => each(&|c| format!("%{:02x}", u32::from(c))),
        8 => each(&|c| format!("%25{:02X}", u32::from(c))),
        9 => each(&|c| look_alike(c).to_string()),
        10 => each(&|c| format!("{c}{hidden}")),
        11 => format!(" \t{text}\n"),
        12 => format!("\u{a0}{text}\u{3000}"),
        13 => BASE64_STANDARD.encode(text),
        14 => format!("{text}\u{0}"),
        15 => format!(".{text}"),
        16 => format!("..{text}."),
        17 => format!("pdf,{text}"),
        18 => format!("{{{text}}}"),
        _ => each(&|c| c.to_uppercase().to_string()),
    }
}

/// As a JSON string, some characters by their escapes.
fn quoted(text: &str, bits: u64) -> String {
    let units = text.encode_utf16().enumerate();
    let escaped = |n: usize, unit: u16| {
        let plain =
            char::from_u32(unit.into()).filter(|c| c.is_ascii() && !c.is_control() && !"\"\\".contains(*c));
        match plain.filter(|_| bits >> (n % 64) & 1 == 1) {
            Some(c) => c.to_string(),
            None => format!("\\u{unit:04x}"),
        }
    };
    format!("\"{}\"", units.map(|(n, unit)| escaped(n, unit)).collect::<String>())
}

/// A word such as an extension.
pub(crate) fn word(text: &'static str) -> impl Strategy<Value = String> {
    (0..20_usize, any::<u64>(), any::<u64>())
        .prop_map(|(way, bits, escapes)| quoted(&dressed(text, way, bits), escapes))
}

fn arn(id: &str, form: usize) -> String {
    let of = |partition: &str, region: &str, account: &str, resource: &str| {
        format!("arn:{partition}:connect:{region}:{account}:{resource}/{id}")
    };
    match form {
        0 | 1 => of("aws", "us-east-1", "111122223333", "instance"),
        2 => of("aws", "us-west-2", "111122223333", "instance"),
        3 => of("aws", "us-east-1", "444455556666", "instance"),
        4 => of("aws-cn", "us-east-1", "111122223333", "instance"),
        5 => of("aws", "US-EAST-1", "111122223333", "Instance"),
        6 => format!("{}/../{OTHER}", of("aws", "us-east-1", "111122223333", "instance")),
        7 => format!("{ALLOWED}/../{id}"),
        8 => format!("{ALLOWED},{id}"),
        9 => format!("urn:uuid:{id}"),
        10 => id.replace('-', ""),
        _ => id.to_owned(),
    }
}

/// Mostly the other instance, and sometimes the allowed one so that something gets through; some are plain.
pub(crate) fn id() -> impl Strategy<Value = String> {
    (select(vec![ALLOWED, OTHER, OTHER]), 0..24_usize, 0..20_usize, any::<u64>())
        .prop_map(|(id, form, way, bits)| dressed(&arn(id, form), way, bits))
}

/// An instance as a JSON string.
pub(crate) fn instance() -> impl Strategy<Value = String> {
    (id(), any::<u64>()).prop_map(|(text, escapes)| quoted(&text, escapes))
}
