//! A place in a list, as a caller gets it for the next page.

use super::{Millis, RunName, TargetName};
use crate::policy::ChangeId;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::fmt;

/// The longest token, in bytes. The longest position has 210.
pub const MAX_TOKEN: usize = 400;
/// What a position begins with, so that another kind of token cannot be taken for it.
const VERSION: &str = "1";

/// A place in a list: the last entry of a page. It names no table key, so a forged one leads only to another place in a
/// list that the caller may read from its start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Position {
    /// In the results of a run.
    Result(TargetName),
    /// In the list of changes.
    Listed {
        /// When the change was submitted.
        at: Millis,
        /// Its id.
        change_id: ChangeId,
    },
    /// In a target's history.
    History {
        /// When the result was stored.
        at: Millis,
        /// The run that it is of.
        run: RunName,
    },
}

/// A token that is no position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("`nextToken` is not one that this list has given")]
pub struct InvalidToken;

impl Position {
    /// From a token.
    ///
    /// # Errors
    /// It is none that [`Display`](fmt::Display) gives.
    pub fn parse(token: &str) -> Result<Self, InvalidToken> {
        if token.len() > MAX_TOKEN {
            return Err(InvalidToken);
        }
        let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| InvalidToken)?;
        let text = String::from_utf8(bytes).map_err(|_| InvalidToken)?;
        let position = text.strip_prefix(VERSION).and_then(Self::of_key).ok_or(InvalidToken)?;
        // an instance's id may be spelled in capitals; a key is not
        if position.key() == text.get(VERSION.len()..).unwrap_or_default() {
            Ok(position)
        } else {
            Err(InvalidToken)
        }
    }

    /// From the sort key of an entry.
    fn of_key(key: &str) -> Option<Self> {
        if let Some(target) = TargetName::parse(key) {
            return Some(Self::Result(target));
        }
        let (at, rest) = key.split_once('#')?;
        let at = Millis::parse(at)?;
        if let Some(change_id) = ChangeId::parse(rest) {
            return Some(Self::Listed { at, change_id });
        }
        RunName::parse(rest).map(|run| Self::History { at, run })
    }

    /// The sort key of the entry: the bound of the next page.
    pub fn key(&self) -> String {
        match self {
            Self::Result(target) => target.to_string(),
            Self::Listed { at, change_id } => format!("{at}#{change_id}"),
            Self::History { at, run } => format!("{at}#{run}"),
        }
    }
}

/// The token: base64url without padding.
impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode([VERSION, &self.key()].concat()))
    }
}
