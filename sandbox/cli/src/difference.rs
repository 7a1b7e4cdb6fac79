//! The difference between two configurations, in words.

use sandbox::connect::Configuration;

/// A change of one scope of one instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Difference {
    /// `20 MB → 10 MB`, or the size alone if it did not change.
    pub size: String,
    /// Whether the size changed.
    pub resized: bool,
    /// The types allowed now and not before.
    pub added: Vec<String>,
    /// The types allowed before and not now.
    pub removed: Vec<String>,
}

impl Difference {
    /// Compares the values, not the times; `None` if they are equal.
    pub(crate) fn between(before: &Configuration, after: &Configuration) -> Option<Self> {
        if before.same_values(after) {
            return None;
        }
        let (old, new) = (before.maximum_size_limit_in_bytes, after.maximum_size_limit_in_bytes);
        let without = |these: &Configuration, those: &Configuration| {
            let mut rest = these.extensions.clone();
            rest.retain(|extension| !those.extensions.contains(extension));
            rest
        };
        Some(Self {
            size: if old == new { size(new) } else { format!("{} → {}", size(old), size(new)) },
            resized: old != new,
            added: without(after, before),
            removed: without(before, after),
        })
    }

    /// The types, each with a sign: `+csv`, `−mov`.
    pub(crate) fn types(&self) -> Vec<String> {
        let added = self.added.iter().map(|extension| format!("+{extension}"));
        let removed = self.removed.iter().map(|extension| format!("−{extension}"));
        added.chain(removed).collect()
    }
}

/// A number of bytes in the largest unit that needs no rounding: `20 MB`, `10.5 MB`, `512 KB`, `1 byte`.
///
/// 1 MB is 1,048,576 bytes, as Amazon Connect counts.
pub(crate) fn size(bytes: i64) -> String {
    const KB: i64 = 1_024;
    const MB: i64 = 1_024 * KB;
    let exact = |unit: i64| bytes >= unit && (bytes % unit) * 10 % unit == 0;
    let written = |unit: i64, name: &str| match (bytes % unit) * 10 / unit {
        0 => format!("{} {name}", bytes / unit),
        tenths => format!("{}.{tenths} {name}", bytes / unit),
    };
    if exact(MB) {
        written(MB, "MB")
    } else if bytes < MB && exact(KB) {
        written(KB, "KB")
    } else if bytes == 1 {
        "1 byte".to_owned()
    } else {
        format!("{bytes} bytes")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_written_short_only_where_that_is_exact() {
        for (bytes, written) in [
            (20_971_520, "20 MB"),
            (11_010_048, "10.5 MB"),
            (104_857_600, "100 MB"),
            (10_485_761, "10485761 bytes"),
            (524_288, "512 KB"),
            (1, "1 byte"),
            (0, "0 bytes"),
            (10_000_000, "10000000 bytes"),
        ] {
            assert_eq!(size(bytes), written);
        }
    }

    #[test]
    fn a_difference_names_the_size_and_every_type() {
        let before = Configuration::default();
        let mut after = before.clone();
        assert_eq!(Difference::between(&before, &after), None);
        after.maximum_size_limit_in_bytes = 10_485_760;
        after.extensions.retain(|extension| extension != "mov");
        after.extensions.push("json".into());
        let difference = Difference::between(&before, &after).expect("a difference");
        assert_eq!(difference.size, "20 MB → 10 MB");
        assert!(difference.resized);
        assert_eq!(difference.types(), ["+json", "−mov"]);
    }
}
