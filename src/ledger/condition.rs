//! Conditions and filters as values. Every attribute gets a placeholder, so that no reserved word is met.

use aws_sdk_dynamodb::types::AttributeValue;
use std::collections::HashMap;

/// What an item must be like. A path is an attribute, or with a dot a member of one.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Condition {
    /// It has this value.
    Is(&'static str, AttributeValue),
    /// It has another value, or none.
    IsNot(&'static str, AttributeValue),
    /// It has one of these values.
    OneOf(&'static str, Vec<AttributeValue>),
    /// It has a value below this one.
    Below(&'static str, AttributeValue),
    /// It has a value up to this one.
    AtMost(&'static str, AttributeValue),
    /// It has a value above this one.
    Above(&'static str, AttributeValue),
    /// It has a value between these two, or one of them.
    Between(&'static str, AttributeValue, AttributeValue),
    /// It begins with this text.
    StartsWith(&'static str, String),
    /// Two attributes have the same value.
    Same(&'static str, &'static str),
    /// It has a value.
    Present(&'static str),
    /// It has none.
    Absent(&'static str),
    /// Every one of these holds.
    All(Vec<Condition>),
    /// One of these holds.
    Any(Vec<Condition>),
}

impl Condition {
    /// The attribute is as it was seen: that value, or none.
    pub(super) fn as_seen(path: &'static str, seen: Option<AttributeValue>) -> Self {
        seen.map_or(Self::Absent(path), |value| Self::Is(path, value))
    }

    /// The same without a list of one.
    fn simple(self) -> Self {
        match self {
            Self::All(mut parts) | Self::Any(mut parts) if parts.len() == 1 => {
                parts.pop().map_or(Self::All(parts), Self::simple)
            }
            other => other,
        }
    }

    /// The attribute has no value above this one.
    pub(super) fn not_above(path: &'static str, value: AttributeValue) -> Self {
        Self::Any(vec![Self::Absent(path), Self::AtMost(path, value)])
    }
}

/// The placeholders of one request's expressions.
#[derive(Debug, Default, Clone, PartialEq)]
pub(super) struct Placeholders {
    pub(super) names: HashMap<String, String>,
    pub(super) values: HashMap<String, AttributeValue>,
}

impl Placeholders {
    /// `intent.token` → `#intent.#token`.
    pub(super) fn path(&mut self, path: &str) -> String {
        let mut placeholders = Vec::with_capacity(2);
        for name in path.split('.') {
            let placeholder = format!("#{name}");
            self.names.insert(placeholder.clone(), name.to_owned());
            placeholders.push(placeholder);
        }
        placeholders.join(".")
    }

    /// The value's placeholder: `:0`, `:1` and so on.
    pub(super) fn value(&mut self, value: AttributeValue) -> String {
        let placeholder = format!(":{}", self.values.len());
        self.values.insert(placeholder.clone(), value);
        placeholder
    }

    /// The names; `None` where there are none, which DynamoDB refuses.
    pub(super) fn names(&self) -> Option<HashMap<String, String>> {
        Some(self.names.clone()).filter(|names| !names.is_empty())
    }

    /// The values; `None` where there are none, which DynamoDB refuses.
    pub(super) fn values(&self) -> Option<HashMap<String, AttributeValue>> {
        Some(self.values.clone()).filter(|values| !values.is_empty())
    }

    /// The condition as DynamoDB reads it.
    pub(super) fn condition(&mut self, condition: Condition) -> String {
        let mut compared = |path: &str, operator: &str, value: AttributeValue| {
            let path = self.path(path);
            format!("{path} {operator} {}", self.value(value))
        };
        match condition.simple() {
            Condition::Is(path, value) => compared(path, "=", value),
            Condition::IsNot(path, value) => compared(path, "<>", value),
            Condition::Below(path, value) => compared(path, "<", value),
            Condition::AtMost(path, value) => compared(path, "<=", value),
            Condition::Above(path, value) => compared(path, ">", value),
            Condition::OneOf(path, values) => {
                let path = self.path(path);
                let values: Vec<_> = values.into_iter().map(|value| self.value(value)).collect();
                format!("{path} IN ({})", values.join(", "))
            }
            Condition::Between(path, from, to) => {
                let path = self.path(path);
                let from = self.value(from);
                format!("{path} BETWEEN {from} AND {}", self.value(to))
            }
            Condition::StartsWith(path, text) => {
                let path = self.path(path);
                format!("begins_with({path}, {})", self.value(AttributeValue::S(text)))
            }
            Condition::Same(one, other) => {
                let one = self.path(one);
                format!("{one} = {}", self.path(other))
            }
            Condition::Present(path) => format!("attribute_exists({})", self.path(path)),
            Condition::Absent(path) => format!("attribute_not_exists({})", self.path(path)),
            Condition::All(all) => self.joined(all, " AND ", |part| matches!(part, Condition::Any(_))),
            Condition::Any(any) => self.joined(any, " OR ", |part| matches!(part, Condition::All(_))),
        }
    }

    /// DynamoDB refuses parentheses around what needs none.
    fn joined(&mut self, parts: Vec<Condition>, with: &str, binds_weaker: fn(&Condition) -> bool) -> String {
        let texts: Vec<_> = parts
            .into_iter()
            .map(Condition::simple)
            .map(|part| {
                if binds_weaker(&part) { format!("({})", self.condition(part)) } else { self.condition(part) }
            })
            .collect();
        texts.join(with)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> AttributeValue {
        AttributeValue::S(text.to_owned())
    }

    #[test]
    fn every_condition_is_written_as_dynamodb_reads_it() {
        for (condition, written) in [
            (Condition::Is("a", text("x")), "#a = :0"),
            (Condition::IsNot("a", text("x")), "#a <> :0"),
            (Condition::OneOf("a", vec![text("x"), text("y")]), "#a IN (:0, :1)"),
            (Condition::Below("a", text("x")), "#a < :0"),
            (Condition::AtMost("a", text("x")), "#a <= :0"),
            (Condition::Above("a", text("x")), "#a > :0"),
            (Condition::Between("a", text("x"), text("y")), "#a BETWEEN :0 AND :1"),
            (Condition::StartsWith("a.b", "x".to_owned()), "begins_with(#a.#b, :0)"),
            (Condition::Same("a", "b"), "#a = #b"),
            (Condition::Present("a"), "attribute_exists(#a)"),
            (Condition::as_seen("a", None), "attribute_not_exists(#a)"),
            (Condition::as_seen("a", Some(text("x"))), "#a = :0"),
            (Condition::not_above("a", text("x")), "attribute_not_exists(#a) OR #a <= :0"),
            (
                Condition::Any(vec![
                    Condition::All(vec![Condition::Present("a"), Condition::Absent("b")]),
                    Condition::Present("c"),
                ]),
                "(attribute_exists(#a) AND attribute_not_exists(#b)) OR attribute_exists(#c)",
            ),
            (
                Condition::All(vec![
                    Condition::Present("a"),
                    Condition::Any(vec![Condition::Absent("b"), Condition::Present("c")]),
                ]),
                "attribute_exists(#a) AND (attribute_not_exists(#b) OR attribute_exists(#c))",
            ),
            (
                Condition::All(vec![
                    Condition::Present("a"),
                    Condition::All(vec![Condition::Any(vec![
                        Condition::Absent("b"),
                        Condition::Present("c"),
                    ])]),
                ]),
                "attribute_exists(#a) AND (attribute_not_exists(#b) OR attribute_exists(#c))",
            ),
            (Condition::Any(vec![Condition::All(vec![Condition::Present("a")])]), "attribute_exists(#a)"),
        ] {
            assert_eq!(Placeholders::default().condition(condition), written);
        }
    }

    #[test]
    fn placeholders_stand_for_names_and_values_in_their_order() {
        let mut placeholders = Placeholders::default();
        assert_eq!((placeholders.names(), placeholders.values()), (None, None));
        placeholders.condition(Condition::Between("a.b", text("x"), text("y")));
        let names = [("#a".to_owned(), "a".to_owned()), ("#b".to_owned(), "b".to_owned())];
        let values = [(":0".to_owned(), text("x")), (":1".to_owned(), text("y"))];
        assert_eq!(placeholders.names(), Some(HashMap::from(names)));
        assert_eq!(placeholders.values(), Some(HashMap::from(values)));
    }
}
