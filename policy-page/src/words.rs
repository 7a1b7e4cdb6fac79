//! Values in the words of a person.

use policy_core::policy::Configuration;
use policy_core::record::{Millis, Who};
use std::collections::BTreeSet;
use time::UtcOffset;

const MB: i64 = 1_048_576;
const KB: i64 = 1_024;

/// `20 MB`, as Amazon Connect counts; exact.
pub(crate) fn size(bytes: i64) -> String {
    if bytes > 0 && bytes % MB == 0 {
        format!("{} MB", bytes / MB)
    } else if bytes > 0 && bytes % KB == 0 {
        format!("{} KB", grouped(bytes / KB))
    } else if bytes == 1 {
        "1 byte".to_owned()
    } else {
        format!("{} bytes", grouped(bytes))
    }
}

/// `1,048,577`.
fn grouped(number: i64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        let left = digits.len() - at;
        if at > 0 && left.is_multiple_of(3) && !text.ends_with('-') {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `2026-11-26 14:03`, where the viewer is.
pub(crate) fn minute(at: Millis, offset: UtcOffset) -> String {
    match at.time().and_then(|time| time.checked_to_offset(offset)) {
        Some(time) => {
            format!("{} {:02}:{:02}", day_of(time), time.hour(), time.minute())
        }
        None => at.to_string(),
    }
}

/// `2026-11-26`, where the viewer is.
pub(crate) fn day(at: Millis, offset: UtcOffset) -> String {
    at.time().and_then(|time| time.checked_to_offset(offset)).map_or_else(|| at.to_string(), day_of)
}

fn day_of(time: time::OffsetDateTime) -> String {
    format!("{:04}-{:02}-{:02}", time.year(), u8::from(time.month()), time.day())
}

/// `UTC+05:30`.
pub(crate) fn zone(offset: UtcOffset) -> String {
    if offset == UtcOffset::UTC {
        return "UTC".to_owned();
    }
    let (hours, minutes, _) = offset.as_hms();
    let sign = if offset.is_negative() { '-' } else { '+' };
    format!("UTC{sign}{:02}:{:02}", hours.unsigned_abs(), minutes.unsigned_abs())
}

/// `1 target`, `1,200 targets`.
pub(crate) fn count(number: usize, of: &str) -> String {
    let text = grouped(i64::try_from(number).unwrap_or(i64::MAX));
    if number == 1 { format!("{text} {of}") } else { format!("{text} {of}s") }
}

/// The verified identity, or the little that is known of it.
pub(crate) fn who(who: &Who) -> String {
    match (&who.principal, &who.account) {
        (Some(principal), _) => principal.clone(),
        (None, Some(account)) => format!("account {account}"),
        (None, None) => "nobody known".to_owned(),
    }
}

/// `attachments` of `arn:aws:cloudformation:us-east-1:111122223333:stack/attachments/1b2c…`; else the whole.
pub(crate) fn stack(id: &str) -> &str {
    let name = id.split_once(":stack/").and_then(|(_, rest)| rest.split('/').next());
    name.filter(|name| !name.is_empty()).unwrap_or(id)
}

/// How two lists differ.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ListDifference<'a> {
    pub(crate) added: Vec<&'a str>,
    pub(crate) removed: Vec<&'a str>,
}

impl<'a> ListDifference<'a> {
    pub(crate) fn between(before: &'a BTreeSet<String>, after: &'a BTreeSet<String>) -> Self {
        Self {
            added: after.difference(before).map(String::as_str).collect(),
            removed: before.difference(after).map(String::as_str).collect(),
        }
    }

    pub(crate) const fn is_none(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty()
    }
}

/// Whether something is known of it.
pub(crate) const fn is_known(configuration: &Configuration) -> bool {
    configuration.maximum_size_limit_in_bytes.is_some() || configuration.allowed_extensions.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::{datetime, offset};

    #[test]
    fn a_size_is_exact_in_the_largest_unit() {
        for (bytes, text) in [
            (20_971_520, "20 MB"),
            (104_857_600, "100 MB"),
            (1_572_864, "1,536 KB"),
            (524_288, "512 KB"),
            (1_048_577, "1,048,577 bytes"),
            (1_023, "1,023 bytes"),
            (1, "1 byte"),
            (0, "0 bytes"),
            (-1_000, "-1,000 bytes"),
            (-100, "-100 bytes"),
        ] {
            assert_eq!(size(bytes), text);
        }
    }

    #[test]
    fn a_time_is_that_of_the_viewer() {
        let at = Millis::of(datetime!(2026-11-26 23:59:59 UTC));
        for (offset, text, named) in [
            (offset!(UTC), "2026-11-26 23:59", "UTC"),
            (offset!(+5:30), "2026-11-27 05:29", "UTC+05:30"),
            (offset!(-3:30), "2026-11-26 20:29", "UTC-03:30"),
        ] {
            assert_eq!((minute(at, offset).as_str(), zone(offset).as_str()), (text, named));
        }
        assert_eq!(day(at, offset!(+1)), "2026-11-27");
        assert_eq!(minute(Millis(u64::MAX), offset!(UTC)), u64::MAX.to_string());
    }

    #[test]
    fn a_count_has_its_plural() {
        assert_eq!(
            [0, 1, 2, 12_000].map(|n| count(n, "target")).join(", "),
            "0 targets, 1 target, 2 targets, 12,000 targets"
        );
    }
}
