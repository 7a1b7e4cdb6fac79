use super::reader::shown;
use super::violation::{InvalidValue, ViolationCode};
use serde::Serialize;

/// A maximum attachment size in bytes, 1–104857600 (`MaximumSizeLimitInBytes` in the API model).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct MaxSize(u32);

/// 100 MB as Connect counts: the API model's maximum.
pub const MAX_SIZE: u32 = 104_857_600;
/// 20 MB: the administrator guide's maximum for EMAIL, whatever the API model says.
pub(super) const MAX_EMAIL_SIZE: u32 = 20_971_520;
/// 1 MB: the administrator guide's minimum for every scope.
pub(super) const DOCUMENTED_MINIMUM: u32 = 1_048_576;

impl MaxSize {
    /// The size, which must be within 1–104857600.
    ///
    /// # Errors
    /// The rule that it breaks, and what is allowed.
    pub fn from_bytes(bytes: i128) -> Result<Self, InvalidValue> {
        if let Ok(bytes @ 1..=MAX_SIZE) = u32::try_from(bytes) {
            return Ok(Self(bytes));
        }
        let message = format!("must be 1 to {MAX_SIZE} bytes (100 MB), not {bytes}");
        Err(InvalidValue::new(ViolationCode::SizeOutOfRange, message))
    }

    /// A JSON number. It must be integral: `1048576.0` is 1 MB, `1048576.5` is invalid.
    pub(super) fn from_float(number: f64) -> Result<Self, InvalidValue> {
        if number.fract() != 0.0 {
            let message = format!("must be a whole number of bytes, not {number}");
            return Err(InvalidValue::new(ViolationCode::InvalidSize, message));
        }
        #[expect(clippy::cast_possible_truncation, reason = "saturates, and what saturates is out of range")]
        Self::from_bytes(number as i128)
    }

    /// A string of digits: bytes, for producers that cannot send numbers.
    pub(super) fn from_digits(text: &str) -> Result<Self, InvalidValue> {
        if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
            let message = format!(
                "must be a number of bytes, not `{}`; for a value with a unit, such as `10 MB`, use `maximumSize`",
                shown(text)
            );
            return Err(InvalidValue::new(ViolationCode::InvalidSize, message));
        }
        // only digits, so a number that does not fit an i128 is far out of range
        Self::from_bytes(text.parse().unwrap_or(i128::MAX))
    }

    /// A number with a unit: `10 MB`, `10MiB`, `512 KB`, `1.5 MB`.
    ///
    /// 1 MB is 1 MiB is 1,048,576 bytes, as Connect counts ("100 MB" is 104857600 in its documentation).
    pub(super) fn from_units(text: &str) -> Result<Self, InvalidValue> {
        let invalid = || {
            let message = format!(
                "must be a number and a unit (B, KB, KiB, MB, MiB), such as `10 MB`, not `{}`",
                shown(text)
            );
            InvalidValue::new(ViolationCode::InvalidSize, message)
        };
        let trimmed = text.trim();
        let split = trimmed.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or_else(invalid)?;
        let (number, unit) = trimmed.split_at(split);
        let unit: i128 = match unit.trim_start().to_ascii_lowercase().as_str() {
            "b" => 1,
            "kb" | "kib" => 1 << 10,
            "mb" | "mib" => 1 << 20,
            "gb" | "gib" => 1 << 30,
            _ => return Err(invalid()),
        };
        let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
        // 12 digits before the point and 9 after it cover every valid size, and cannot overflow
        if whole.is_empty() || whole.len() > 12 || fraction.is_empty() || fraction.len() > 9 {
            return Err(invalid());
        }
        let whole: i128 = whole.parse().map_err(|_| invalid())?;
        let scale = 10_i128.pow(u32::try_from(fraction.len()).map_err(|_| invalid())?);
        let fraction: i128 = fraction.parse().map_err(|_| invalid())?;
        let scaled = (whole * scale + fraction) * unit;
        if scaled % scale != 0 {
            let message = format!("must be a whole number of bytes, not `{}`", shown(text));
            return Err(InvalidValue::new(ViolationCode::InvalidSize, message));
        }
        Self::from_bytes(scaled / scale)
    }

    /// The size in bytes.
    pub const fn bytes(self) -> u32 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_binary_and_case_does_not_matter() {
        for (text, bytes) in [
            ("10 MB", 10_485_760),
            ("10MiB", 10_485_760),
            ("512 KB", 524_288),
            ("512kib", 524_288),
            (" 1.5 mb ", 1_572_864),
            ("7 B", 7),
            ("100 MB", MAX_SIZE),
            ("0.0625 GB", 67_108_864),
            ("0.0625gib", 67_108_864),
            ("000000000010 MB", 10_485_760),
            ("1.500000000 MB", 1_572_864),
        ] {
            assert_eq!(MaxSize::from_units(text).map(MaxSize::bytes), Ok(bytes), "{text}");
        }
    }

    #[test]
    fn an_invalid_size_and_a_size_out_of_range_have_different_codes() {
        for (text, code) in [
            ("10", ViolationCode::InvalidSize),
            ("MB", ViolationCode::InvalidSize),
            ("10 XB", ViolationCode::InvalidSize),
            ("-1 MB", ViolationCode::InvalidSize),
            ("1e1 MB", ViolationCode::InvalidSize),
            ("1..5 MB", ViolationCode::InvalidSize),
            ("0.0000001 MB", ViolationCode::InvalidSize),
            ("1. MB", ViolationCode::InvalidSize),
            (".5 MB", ViolationCode::InvalidSize),
            ("0000000000010 MB", ViolationCode::InvalidSize),
            ("1.5000000000 MB", ViolationCode::InvalidSize),
            ("1 GB", ViolationCode::SizeOutOfRange),
            ("0 MB", ViolationCode::SizeOutOfRange),
            ("101 MB", ViolationCode::SizeOutOfRange),
        ] {
            assert_eq!(MaxSize::from_units(text).map_err(|e| e.code), Err(code), "{text}");
        }
    }

    #[test]
    fn numbers_beyond_any_integer_are_out_of_range() {
        assert_eq!(MaxSize::from_float(1_048_576.0).map(MaxSize::bytes), Ok(1_048_576));
        assert_eq!(MaxSize::from_float(0.5).map_err(|e| e.code), Err(ViolationCode::InvalidSize));
        assert_eq!(MaxSize::from_float(1e300).map_err(|e| e.code), Err(ViolationCode::SizeOutOfRange));
        assert_eq!(
            MaxSize::from_digits(&"9".repeat(60)).map_err(|e| e.code),
            Err(ViolationCode::SizeOutOfRange)
        );
        assert_eq!(MaxSize::from_digits("").map_err(|e| e.code), Err(ViolationCode::InvalidSize));
        assert_eq!(MaxSize::from_digits("+5").map_err(|e| e.code), Err(ViolationCode::InvalidSize));
    }
}
