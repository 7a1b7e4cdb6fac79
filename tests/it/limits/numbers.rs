//! Numbers at and beyond what 64 bits and a double hold.

use super::{Case, Ends, one, rejected, with};

pub(super) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    let mut bytes = |name, raw: &str, ends| {
        cases.push(Case::invoke(name, with("maximumSizeLimitInBytes", raw), ends));
    };
    let range = || rejected("/maximumSizeLimitInBytes", "SizeOutOfRange");
    let invalid = || rejected("/maximumSizeLimitInBytes", "InvalidSize");
    let no_number = || rejected("", "NotJson");
    bytes("i64's last", "9223372036854775807", range());
    bytes("i64's last and 1", "9223372036854775808", range());
    bytes("i64's first", "-9223372036854775808", range());
    bytes("i64's first less 1", "-9223372036854775809", range());
    bytes("u64's last", "18446744073709551615", range());
    bytes("u64's last and 1", "18446744073709551616", range());
    bytes("2^32 and 1 MB", "4296015872", range());
    bytes("2^64 and 1 MB", "18446744073710600192", range());
    bytes("f64's last", "1.7976931348623157e308", range());
    bytes("f64's first", "-1.7976931348623157e308", range());
    bytes("beyond f64", "1.8e308", no_number());
    bytes("f64's least", "5e-324", invalid());
    bytes("below f64's least", "1e-999", range());
    bytes("minus zero", "-0", range());
    bytes("minus zero, a fraction", "-0.0", range());
    bytes("an exponent of 400", "1e400", no_number());
    bytes("an exponent of 20 digits", "1e99999999999999999999", no_number());
    bytes("minus an exponent of 20 digits", "1e-99999999999999999999", range());
    bytes("zero with an exponent of 20 digits", "0e99999999999999999999", range());
    bytes("half a byte", "1048576.5", invalid());
    let million = "9".repeat(1_000_000);
    bytes("1,000,000 digits", &million, no_number());
    bytes("1,000,000 digits in a string", &format!("\"{million}\""), range());
    bytes("1,000,000 digits of a fraction", &format!("1048576.{}", "3".repeat(1_000_000)), invalid());
    bytes("1,000,000 zeros before a digit", &format!("0.{}1", "0".repeat(1_000_000)), range());
    bytes("an exponent of 1,000,000 digits", &format!("1e{million}"), no_number());
    let mut unit = |name, text: &str, code| {
        let raw = format!("\"{text}\"");
        cases.push(Case::invoke(name, with("maximumSize", &raw), rejected("/maximumSize", code)));
    };
    unit("1,000,000 digits of MB", &format!("{million} MB"), "InvalidSize");
    unit("1,000,000 points", &format!("1{} MB", ".".repeat(1_000_000)), "InvalidSize");
    unit("12 digits of GB", "999999999999 GB", "SizeOutOfRange");
    unit("an exponent of MB", "1e1 MB", "InvalidSize");
    unit("Arabic digits", "\u{661}\u{660} MB", "InvalidSize");
    // the Runtime API's payload is JSON at least; a request's body may be anything
    for (name, raw) in [
        ("beyond f64, through HTTP", "1e400"),
        ("no digit", "1048576."),
        ("a leading zero", "01048576"),
        ("a plus", "+1048576"),
        ("hexadecimal", "0x100000"),
        ("NaN", "NaN"),
        ("Infinity", "-Infinity"),
    ] {
        let ends = Ends::Http(400, "not-json", one("", "NotJson"));
        cases.push(Case::url(name, super::envelopes::POST, with("maximumSizeLimitInBytes", raw), ends));
    }
    cases
}
