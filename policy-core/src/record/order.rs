//! Times, and the order of changes.

use crate::policy::ChangeId;
use std::fmt;
use std::time::Duration;
use time::OffsetDateTime;

/// Milliseconds since the Unix epoch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Millis(pub u64);

impl Millis {
    /// The last instant that has 13 digits, in the year 2286.
    const LAST: u64 = 9_999_999_999_999;

    /// The same instant; one before 1970 is 1970, and one after 2286 is the last one that has 13 digits: a bound that a
    /// caller chose stays a bound as text, too.
    pub fn of(at: OffsetDateTime) -> Self {
        Self(u64::try_from(at.unix_timestamp_nanos() / 1_000_000).unwrap_or(0).min(Self::LAST))
    }

    /// From its text: 13 digits.
    pub fn parse(text: &str) -> Option<Self> {
        let is_millis = text.len() == 13 && text.bytes().all(|byte| byte.is_ascii_digit());
        is_millis.then(|| text.parse().ok().map(Self)).flatten()
    }

    /// The same instant. `None`: after the year 9999.
    pub fn time(self) -> Option<OffsetDateTime> {
        OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0) * 1_000_000).ok()
    }

    /// That much later.
    #[must_use]
    pub fn plus(self, by: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(by.as_millis()).unwrap_or(u64::MAX)))
    }

    /// How long ago `earlier` was; zero if it is later.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}

/// 13 digits: as text in the same order as the number, until the year 2286.
impl fmt::Display for Millis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:013}", self.0)
    }
}

/// A run's name within its record: greater than that of every earlier run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunKey(pub Millis);

impl fmt::Display for RunKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One run of one record: `{changeId}#{key}`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunName {
    /// The record's id.
    pub change_id: ChangeId,
    /// The run's key.
    pub key: RunKey,
}

impl fmt::Display for RunName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.change_id, self.key)
    }
}

/// A run's place in the order of changes: its accepted time, and of two at the same time the greater id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Order {
    /// When the run was accepted.
    pub accepted: Millis,
    /// The record's id.
    pub change_id: ChangeId,
}

impl fmt::Display for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.accepted, self.change_id)
    }
}

fn split(text: &str) -> Option<(Millis, ChangeId)> {
    let (millis, id) = text.split_once('#')?;
    Some((Millis::parse(millis)?, ChangeId::parse(id)?))
}

impl Order {
    /// From its text.
    pub fn parse(text: &str) -> Option<Self> {
        split(text).map(|(accepted, change_id)| Self { accepted, change_id })
    }
}

impl RunKey {
    /// From its text.
    pub fn parse(text: &str) -> Option<Self> {
        Millis::parse(text).map(Self)
    }

    /// The key of a run that begins now: greater than the one before, whatever the clock says.
    #[must_use]
    pub fn next(previous: Option<Self>, now: Millis) -> Self {
        previous.map_or(Self(now), |previous| Self(now.max(Millis(previous.0.0.saturating_add(1)))))
    }
}

impl RunName {
    /// From its text.
    pub fn parse(text: &str) -> Option<Self> {
        let (id, key) = text.rsplit_once('#')?;
        Some(Self { change_id: ChangeId::parse(id)?, key: RunKey::parse(key)? })
    }
}
