//! JSON laid out for reading: short values on one line, long ones broken where they nest.

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use std::fmt;

/// A document with its members in the order in which they were sent.
#[derive(Debug)]
enum Json {
    Scalar(String),
    Array(Vec<Json>),
    Object(Vec<(String, Json)>),
}

/// The lines of a document, none longer than `width` unless a single value is.
///
/// `None` if the text is not JSON.
pub(super) fn lines(text: &str, width: usize) -> Option<Vec<String>> {
    let document: Json = serde_json::from_str(text).ok()?;
    let mut lines = Vec::new();
    document.lay_out("", "", 0, width, &mut lines);
    Some(lines)
}

impl Json {
    fn one_line(&self) -> String {
        let joined = |parts: Vec<String>| parts.join(", ");
        match self {
            Self::Scalar(text) => text.clone(),
            Self::Array(items) => {
                format!("[{}]", joined(items.iter().map(Self::one_line).collect()))
            }
            Self::Object(members) => {
                let members =
                    members.iter().map(|(name, value)| format!("{}: {}", quoted(name), value.one_line()));
                format!("{{{}}}", joined(members.collect()))
            }
        }
    }

    /// Adds the lines of this value; `before` begins the first one and `after` ends the last one.
    fn lay_out(&self, before: &str, after: &str, indent: usize, width: usize, lines: &mut Vec<String>) {
        let margin = " ".repeat(indent);
        let whole = format!("{margin}{before}{}{after}", self.one_line());
        if whole.chars().count() <= width {
            lines.push(whole);
            return;
        }
        let comma = |last: bool| if last { "" } else { "," };
        match self {
            Self::Scalar(_) => lines.push(whole),
            Self::Array(items) if items.iter().all(|item| matches!(item, Self::Scalar(_))) => {
                let words: Vec<String> = items.iter().map(Self::one_line).collect();
                let room = width.saturating_sub(indent + 3);
                lines.push(format!("{margin}{before}["));
                let filled = fill(&words, ", ", room);
                for (number, line) in filled.iter().enumerate() {
                    let comma = comma(number + 1 == filled.len());
                    lines.push(format!("{margin}  {line}{comma}"));
                }
                lines.push(format!("{margin}]{after}"));
            }
            Self::Array(items) => {
                lines.push(format!("{margin}{before}["));
                for (number, item) in items.iter().enumerate() {
                    let comma = comma(number + 1 == items.len());
                    item.lay_out("", comma, indent + 2, width, lines);
                }
                lines.push(format!("{margin}]{after}"));
            }
            Self::Object(members) => {
                lines.push(format!("{margin}{before}{{"));
                for (number, (name, value)) in members.iter().enumerate() {
                    let comma = comma(number + 1 == members.len());
                    let name = format!("{}: ", quoted(name));
                    value.lay_out(&name, comma, indent + 2, width, lines);
                }
                lines.push(format!("{margin}}}{after}"));
            }
        }
    }
}

/// Words on as few lines as possible, with a separator between two on a line.
pub(super) fn fill(words: &[String], separator: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in words {
        match lines.last_mut() {
            Some(line)
                if line.chars().count() + separator.chars().count() + word.chars().count() <= width =>
            {
                line.push_str(separator);
                line.push_str(word);
            }
            _ => lines.push(word.clone()),
        }
    }
    lines
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(InOrder)
    }
}

struct InOrder;

impl<'de> Visitor<'de> for InOrder {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Scalar("null".into()))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Scalar(value.to_string()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
        Ok(Json::Scalar(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
        Ok(Json::Scalar(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Json, E> {
        Ok(Json::Scalar(serde_json::Value::from(value).to_string()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Json, E> {
        Ok(Json::Scalar(quoted(value)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json, A::Error> {
        let mut read = Vec::new();
        while let Some(item) = items.next_element()? {
            read.push(item);
        }
        Ok(Json::Array(read))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Json, A::Error> {
        let mut read = Vec::new();
        while let Some(member) = members.next_entry()? {
            read.push(member);
        }
        Ok(Json::Object(read))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_document_is_one_line_in_its_own_order() {
        assert_eq!(
            lines(r#"{"b":[1,2.5,null],"a":"x\ny","b":true}"#, 80),
            Some(vec![r#"{"b": [1, 2.5, null], "a": "x\ny", "b": true}"#.to_owned()])
        );
    }

    #[test]
    fn a_long_document_is_broken_where_its_values_nest() {
        let text = r#"{"status":"succeeded","results":[{"outcome":"applied","attempts":1}],"extensions":["csv","doc","docx","heic"]}"#;
        assert_eq!(
            lines(text, 42).expect("JSON").join("\n"),
            r#"{
  "status": "succeeded",
  "results": [
    {"outcome": "applied", "attempts": 1}
  ],
  "extensions": [
    "csv", "doc", "docx", "heic"
  ]
}"#
        );
    }

    #[test]
    fn what_is_not_json_has_no_lines() {
        assert_eq!(lines("{", 80), None);
    }
}
