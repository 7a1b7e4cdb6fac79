//! A page's parameters: as a dashboard's definition has them, and as the links between pages do.

use super::View;
use crate::policy::{ChangeId, InstanceName, LaneName, Scope};
use crate::record::{Position, TargetName};
use crate::report::OutcomeKind;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// The parameters name no page.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unclear {
    /// One has a value of another type, or appears twice.
    #[error("the parameters do not have the documented types (line {line}, column {column})")]
    Shape {
        /// Where in the payload.
        line: usize,
        /// Where in that line.
        column: usize,
    },
    /// One has another value.
    #[error("the parameter `{name}` must be {expected}")]
    Value {
        /// Which.
        name: &'static str,
        /// What it may be.
        expected: &'static str,
    },
}

/// What a dashboard sends besides its context. No name is one of a policy change's fields.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parameters {
    #[serde(skip_serializing_if = "Option::is_none")]
    view: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    change: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    instance: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lane: Option<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    differing: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    page: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

impl View {
    /// From the payload.
    pub(super) fn parse(payload: &RawValue) -> Result<Self, Unclear> {
        let sent: Parameters = serde_json::from_str(payload.get())
            .map_err(|error| Unclear::Shape { line: error.line(), column: error.column() })?;
        match sent.view.as_deref() {
            None | Some("fleet") => Ok(Self::Fleet {
                lane: optional(sent.lane, "lane", "`{account}/{region}`", LaneName::parse)?,
                differing: sent.differing,
                page: match sent.page {
                    Some(0) => return Err(Unclear::Value { name: "page", expected: "a number from 1" }),
                    page => page.unwrap_or(1),
                },
            }),
            Some("changes") => Ok(Self::Changes { next: next(sent.next, listed)? }),
            Some("change") => Ok(Self::Change {
                id: required(sent.change, "change", "the id of a change", ChangeId::parse)?,
                outcome: optional(sent.outcome, "outcome", "an outcome, such as failed", |name| {
                    OutcomeKind::ALL.iter().copied().find(|kind| kind.name() == name)
                })?,
                next: next(sent.next, of_result)?,
            }),
            Some("target") => Ok(Self::Target {
                instance: required(sent.instance, "instance", "an instance id or ARN", InstanceName::parse)?,
                scope: required(sent.scope, "scope", "EMAIL, CHAT, CASE or TASK", Scope::parse)?,
                next: next(sent.next, of_history)?,
            }),
            Some(_) => Err(Unclear::Value { name: "view", expected: "fleet, changes, change or target" }),
        }
    }

    /// What leads to this page.
    pub fn parameters(&self) -> Parameters {
        let view = |name: &str| Parameters { view: Some(name.to_owned()), ..Parameters::default() };
        match self {
            Self::Fleet { lane, differing, page } => Parameters {
                lane: lane.as_ref().map(LaneName::to_string),
                differing: *differing,
                page: Some(*page).filter(|page| *page > 1),
                ..view("fleet")
            },
            Self::Changes { next } => {
                Parameters { next: next.as_ref().map(Position::to_string), ..view("changes") }
            }
            Self::Change { id, outcome, next } => Parameters {
                change: Some(id.to_string()),
                outcome: outcome.map(|kind| kind.name().to_owned()),
                next: next.clone().map(|next| Position::Result(next).to_string()),
                ..view("change")
            },
            Self::Target { instance, scope, next } => Parameters {
                instance: Some(match instance {
                    InstanceName::Id(id) => id.to_string(),
                    InstanceName::Arn(instance) => instance.arn().unwrap_or_else(|| instance.id.to_string()),
                }),
                scope: Some(scope.to_string()),
                next: next.as_ref().map(Position::to_string),
                ..view("target")
            },
        }
    }
}

fn optional<V>(
    sent: Option<String>,
    name: &'static str,
    expected: &'static str,
    parse: impl FnOnce(&str) -> Option<V>,
) -> Result<Option<V>, Unclear> {
    sent.map(|sent| parse(&sent).ok_or(Unclear::Value { name, expected })).transpose()
}

fn required<V>(
    sent: Option<String>,
    name: &'static str,
    expected: &'static str,
    parse: impl FnOnce(&str) -> Option<V>,
) -> Result<V, Unclear> {
    optional(sent, name, expected, parse)?.ok_or(Unclear::Value { name, expected })
}

fn next<V>(sent: Option<String>, of_kind: impl FnOnce(Position) -> Option<V>) -> Result<Option<V>, Unclear> {
    optional(sent, "next", "one that the page before has given", |token| {
        of_kind(Position::parse(token).ok()?)
    })
}

fn listed(position: Position) -> Option<Position> {
    matches!(position, Position::Listed { .. }).then_some(position)
}

fn of_history(position: Position) -> Option<Position> {
    matches!(position, Position::History { .. }).then_some(position)
}

fn of_result(position: Position) -> Option<TargetName> {
    match position {
        Position::Result(target) => Some(target),
        Position::Listed { .. } | Position::History { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Millis, RunName};
    use serde_json::json;

    fn parsed(payload: &serde_json::Value) -> Result<View, Unclear> {
        View::parse(&serde_json::value::to_raw_value(payload).unwrap())
    }

    fn id(text: &str) -> ChangeId {
        ChangeId::parse(text).unwrap()
    }

    #[test]
    fn a_link_leads_to_the_page_that_it_names() {
        let at = Millis(1_732_500_000_123);
        let ids = "00000001-0000-4000-8000-000000000001";
        let known = TargetName::parse(&format!("111122223333/eu-central-1#{ids}#CHAT")).unwrap();
        let own = TargetName::parse(&format!("self/us-east-1#{ids}#EMAIL")).unwrap();
        let lane = known.lane.clone();
        let listed = Position::Listed { at, change_id: id("CHG/1") };
        let history = Position::History { at, run: RunName::parse("CHG/1#1732500000123").unwrap() };
        let View::Target { instance, scope, .. } = View::of_target(&known) else { unreachable!() };
        for (view, parameters) in [
            (View::default(), json!({"view": "fleet"})),
            (
                View::Fleet { lane: Some(lane), differing: true, page: 3 },
                json!({"view": "fleet", "lane": "111122223333/eu-central-1", "differing": true, "page": 3}),
            ),
            (View::Changes { next: None }, json!({"view": "changes"})),
            (
                View::Changes { next: Some(listed.clone()) },
                json!({"view": "changes", "next": listed.to_string()}),
            ),
            (View::of_change(id("CHG/1")), json!({"view": "change", "change": "CHG/1"})),
            (
                View::Change { id: id("a"), outcome: Some(OutcomeKind::Failed), next: Some(known.clone()) },
                json!({
                    "view": "change", "change": "a", "outcome": "failed",
                    "next": Position::Result(known.clone()).to_string(),
                }),
            ),
            (
                View::of_target(&known),
                json!({
                    "view": "target", "scope": "CHAT",
                    "instance": format!("arn:aws:connect:eu-central-1:111122223333:instance/{ids}"),
                }),
            ),
            (View::of_target(&own), json!({"view": "target", "scope": "EMAIL", "instance": ids})),
            (
                View::Target { instance, scope, next: Some(history.clone()) },
                json!({
                    "view": "target", "scope": "CHAT", "next": history.to_string(),
                    "instance": format!("arn:aws:connect:eu-central-1:111122223333:instance/{ids}"),
                }),
            ),
        ] {
            assert_eq!(serde_json::to_value(view.parameters()).unwrap(), parameters);
            assert_eq!(parsed(&parameters), Ok(view), "{parameters}");
        }
        assert_eq!(parsed(&json!({})), Ok(View::default()));
    }

    #[test]
    fn parameters_that_name_no_page_are_named() {
        let token = |position: Position| position.to_string();
        let listed = token(Position::Listed { at: Millis(1_732_500_000_123), change_id: id("a") });
        let instance = "00000001-0000-4000-8000-000000000001";
        for (sent, said) in [
            (json!({"view": "all"}), "the parameter `view` must be fleet, changes, change or target"),
            (json!({"lane": "x"}), "the parameter `lane` must be `{account}/{region}`"),
            (json!({"page": 0}), "the parameter `page` must be a number from 1"),
            (json!({"page": "2"}), "the parameters do not have the documented types (line 1, column 11)"),
            (json!({"view": "change"}), "the parameter `change` must be the id of a change"),
            (json!({"view": "change", "change": "a b"}), "the parameter `change` must be the id of a change"),
            (
                json!({"view": "change", "change": "a", "outcome": "done"}),
                "the parameter `outcome` must be an outcome, such as failed",
            ),
            (
                json!({"view": "change", "change": "a", "next": listed}),
                "the parameter `next` must be one that the page before has given",
            ),
            (
                json!({"view": "changes", "next": "AAAA"}),
                "the parameter `next` must be one that the page before has given",
            ),
            (json!({"view": "target"}), "the parameter `instance` must be an instance id or ARN"),
            (
                json!({"view": "target", "instance": instance, "scope": "VOICE"}),
                "the parameter `scope` must be EMAIL, CHAT, CASE or TASK",
            ),
            (
                json!({"view": "target", "instance": instance, "scope": "CHAT", "next": listed}),
                "the parameter `next` must be one that the page before has given",
            ),
        ] {
            assert_eq!(parsed(&sent).map_err(|unclear| unclear.to_string()), Err(said.to_owned()), "{sent}");
        }
    }
}
