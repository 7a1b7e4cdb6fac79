use serde::Serialize;
use std::fmt;

/// Where in Amazon Connect a file may be attached: the API's `AttachmentScope`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Scope {
    /// E-mail contacts; at most 20 MB by the administrator guide.
    Email,
    /// Chat contacts.
    Chat,
    /// Cases.
    Case,
    /// Tasks.
    Task,
}

impl Scope {
    /// Every scope, in the order of the API's documentation.
    pub const ALL: [Self; 4] = [Self::Email, Self::Chat, Self::Case, Self::Task];

    /// `None` unless `name` is a scope's name in any ASCII case.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.as_str().eq_ignore_ascii_case(name))
    }

    /// The API's name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Email => "EMAIL",
            Self::Chat => "CHAT",
            Self::Case => "CASE",
            Self::Task => "TASK",
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
