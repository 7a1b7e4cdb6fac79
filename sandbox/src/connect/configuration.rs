//! The values an instance holds for one scope.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// The smallest size the API accepts, in bytes.
///
/// `MaximumSizeLimitInBytes` of the service model.
pub const SMALLEST_SIZE: i64 = 1;

/// The largest size the API accepts, in bytes: 100 MB.
///
/// `MaximumSizeLimitInBytes` of the service model.
pub const LARGEST_SIZE: i64 = 104_857_600;

/// What every scope allows until it is configured, in bytes: 20 MB.
///
/// Amazon Connect administrator guide, the page on the attachments feature.
pub const DEFAULT_SIZE: i64 = 20_971_520;

/// The file types every scope allows until it is configured.
///
/// Amazon Connect administrator guide, the page on the attachments feature.
pub const DEFAULT_EXTENSIONS: [&str; 18] = [
    "csv", "doc", "docx", "heic", "jfif", "jpeg", "jpg", "mov", "mp4", "pdf", "png", "ppt", "pptx", "rtf",
    "txt", "wav", "xls", "xlsx",
];

/// What one scope of one instance allows.
///
/// Kept exactly as it was sent: AWS does not document whether Connect changes case, order or
/// duplicates.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Configuration {
    /// The largest file, in bytes.
    pub maximum_size_limit_in_bytes: i64,
    /// The file types, without a dot.
    pub extensions: Vec<String>,
    /// When it was last written, to the millisecond; `None` for the defaults.
    #[serde(default, with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub last_modified: Option<OffsetDateTime>,
}

impl Default for Configuration {
    /// What a scope allows until it is configured.
    fn default() -> Self {
        Self {
            maximum_size_limit_in_bytes: DEFAULT_SIZE,
            extensions: DEFAULT_EXTENSIONS.map(str::to_owned).to_vec(),
            last_modified: None,
        }
    }
}

impl Configuration {
    /// Whether both allow the same, whenever they were written.
    #[must_use]
    pub fn same_values(&self, other: &Self) -> bool {
        self.maximum_size_limit_in_bytes == other.maximum_size_limit_in_bytes
            && self.extensions == other.extensions
    }
}
