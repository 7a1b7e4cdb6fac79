//! Query parameters. A misspelt one is an error: a misspelt dry run must not change anything.

use super::NoRoute;
use crate::policy::{InstanceName, document};
use crate::record::RecordStatus;
use crate::report::OutcomeKind;
use time::OffsetDateTime;

/// Which changes are listed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChangesQuery {
    /// Those with a result of this instance.
    pub instance: Option<InstanceName>,
    /// Those of this status.
    pub status: Option<RecordStatus>,
    /// Those submitted at this time or later.
    pub from: Option<OffsetDateTime>,
    /// Those submitted at this time or earlier.
    pub to: Option<OffsetDateTime>,
    /// Where the page begins.
    pub next_token: Option<String>,
}

/// Which results of a record are shown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RecordQuery {
    /// Those of this run; absent: of the last one.
    pub run: Option<u32>,
    /// Those that ended like this.
    pub outcome: Option<OutcomeKind>,
    /// Where the page begins.
    pub next_token: Option<String>,
}

/// The parameters as they were sent.
pub(super) struct Query<'a>(pub(super) &'a [(String, String)]);

impl Query<'_> {
    /// The values of these parameters, in their order; no other one, and none twice.
    fn only<const N: usize>(&self, names: [&str; N]) -> Result<[Option<&str>; N], NoRoute> {
        let mut values = [None; N];
        for (name, value) in self.0 {
            let place = names.iter().position(|known| known == name).and_then(|at| values.get_mut(at));
            match place {
                Some(Some(_)) => {
                    return Err(NoRoute::Query(format!("query parameter `{name}` appears more than once")));
                }
                Some(place) => *place = Some(value.as_str()),
                None => return Err(unknown(name, &names)),
            }
        }
        Ok(values)
    }

    pub(super) fn none<T>(&self, route: T) -> Result<T, NoRoute> {
        self.only([]).map(|[]| route)
    }

    /// `dryRun=true` on a write.
    pub(super) fn dry_run(&self) -> Result<bool, NoRoute> {
        let [dry_run] = self.only(["dryRun"])?;
        match dry_run {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(_) => Err(invalid("dryRun", "`true` or `false`")),
        }
    }

    pub(super) fn next_token(&self) -> Result<Option<String>, NoRoute> {
        let [token] = self.only(["nextToken"])?;
        Ok(token.map(str::to_owned))
    }

    pub(super) fn changes(&self) -> Result<ChangesQuery, NoRoute> {
        let [instance, status, from, to, token] =
            self.only(["instanceId", "status", "from", "to", "nextToken"])?;
        Ok(ChangesQuery {
            instance: parsed(instance, "instanceId", "an instance id or ARN", InstanceName::parse)?,
            status: parsed(status, "status", &names(RecordStatus::ALL, RecordStatus::name), |text| {
                RecordStatus::ALL.iter().copied().find(|status| status.name() == text)
            })?,
            from: parsed(from, "from", "an RFC 3339 time", document::timestamp)?,
            to: parsed(to, "to", "an RFC 3339 time", document::timestamp)?,
            next_token: token.map(str::to_owned),
        })
    }

    pub(super) fn record(&self) -> Result<RecordQuery, NoRoute> {
        let [run, outcome, token] = self.only(["run", "outcome", "nextToken"])?;
        Ok(RecordQuery {
            run: parsed(run, "run", "a run's number, from 1", |text| {
                text.parse().ok().filter(|run| *run > 0)
            })?,
            outcome: parsed(outcome, "outcome", &names(OutcomeKind::ALL, OutcomeKind::name), |text| {
                OutcomeKind::ALL.iter().copied().find(|kind| kind.name() == text)
            })?,
            next_token: token.map(str::to_owned),
        })
    }
}

fn parsed<T>(
    value: Option<&str>,
    name: &str,
    expected: &str,
    parse: impl FnOnce(&str) -> Option<T>,
) -> Result<Option<T>, NoRoute> {
    value.map(|value| parse(value).ok_or_else(|| invalid(name, expected))).transpose()
}

fn invalid(name: &str, expected: &str) -> NoRoute {
    NoRoute::Query(format!("query parameter `{name}` must be {expected}"))
}

fn names<T: Copy>(all: &[T], name: impl Fn(T) -> &'static str) -> String {
    format!("one of {}", all.iter().map(|one| name(*one)).collect::<Vec<_>>().join(", "))
}

fn unknown(name: &str, known: &[&str]) -> NoRoute {
    let name: String = name.chars().take(40).collect();
    let known = match known {
        [] => "this path has no query parameters".to_owned(),
        [one] => format!("only `{one}` is supported"),
        several => format!("`{}` are supported", several.join("`, `")),
    };
    NoRoute::Query(format!("unknown query parameter `{name}`: {known}"))
}
