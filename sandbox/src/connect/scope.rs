//! The four kinds of contact that files can be attached to.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// What kind of contact a configuration applies to.
///
/// The enumeration `AttachmentScope` of the service model; the declared order is the order in
/// which a list answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Scope {
    /// Files sent by e-mail.
    Email,
    /// Files sent in a chat.
    Chat,
    /// Files added to a case.
    Case,
    /// Files added to a task.
    Task,
}

impl Scope {
    /// Every scope, in the order in which a list answers.
    pub const ALL: [Self; 4] = [Self::Email, Self::Chat, Self::Case, Self::Task];

    /// The name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Email => "EMAIL",
            Self::Chat => "CHAT",
            Self::Case => "CASE",
            Self::Task => "TASK",
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

impl FromStr for Scope {
    type Err = UnknownScope;

    /// Reads the exact name on the wire: an enumeration's values are case-sensitive.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|scope| scope.name() == text).ok_or_else(|| UnknownScope(text.to_owned()))
    }
}

/// The text was not one of the four scopes.
///
/// Holds the text, so that the message can show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownScope(pub String);

impl fmt::Display for UnknownScope {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "unknown attachment scope `{}`, must be one of EMAIL, CHAT, CASE, TASK", self.0)
    }
}

impl std::error::Error for UnknownScope {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scope_reads_back_from_its_name() {
        for scope in Scope::ALL {
            assert_eq!(scope.to_string().parse(), Ok(scope));
        }
    }

    #[test]
    fn a_scope_in_lower_case_is_unknown_and_named_in_the_message() {
        assert_eq!(
            "chat".parse::<Scope>().unwrap_err().to_string(),
            "unknown attachment scope `chat`, must be one of EMAIL, CHAT, CASE, TASK"
        );
    }
}
