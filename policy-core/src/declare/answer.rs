//! What CloudFormation is answered. The same work always gives the same text, since an answer may be sent twice.

use super::request::Addressee;
use crate::policy::{ChangeId, Violation};
use serde::Serialize;
use std::fmt::{self, Write};

/// The most bytes that CloudFormation reads.
pub const MAX_ANSWER: usize = 4_096;
/// A longer text is cut. With the longest ids, an answer still has room for this much of escaped text.
const MAX_TEXT: usize = 300;

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The resource is as declared, or gone.
    Success,
    /// It is not.
    Failed,
}

/// Why, in words: one text, then as many particulars as fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    text: String,
    particulars: Vec<String>,
}

/// What a template reads by `!GetAtt`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Attributes {
    /// The change's id.
    pub change_id: ChangeId,
    /// How many targets it has.
    pub targets: u64,
    /// How many were updated.
    pub applied: u64,
    /// How many had the values already.
    pub unchanged: u64,
}

/// The answer to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// How it ended.
    pub verdict: Verdict,
    /// Why; there always is a reason.
    pub reason: Reason,
    /// Where there was a change.
    pub attributes: Option<Attributes>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Body<'a> {
    status: &'static str,
    reason: &'a str,
    physical_resource_id: &'a str,
    stack_id: &'a str,
    request_id: &'a str,
    logical_resource_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a Attributes>,
}

impl Reason {
    /// One text.
    pub fn of(text: impl fmt::Display) -> Self {
        Self { text: text.to_string(), particulars: Vec::new() }
    }

    /// A text with particulars.
    pub fn with_particulars(text: impl fmt::Display, particulars: Vec<String>) -> Self {
        Self { text: text.to_string(), particulars }
    }

    /// Properties that break rules.
    pub fn of_violations(violations: &[Violation]) -> Self {
        let particulars = violations.iter().map(|violation| match violation.pointer.as_str() {
            "" => format!("the properties {}", violation.message),
            pointer => format!("`{pointer}` {}", violation.message),
        });
        Self {
            text: "The properties break the rules, and nothing was changed".to_owned(),
            particulars: particulars.collect(),
        }
    }

    /// Without the particulars.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// With the first so many particulars, and how many more there are.
    fn with(&self, shown: usize) -> String {
        let mut reason = plain(&self.text);
        for (number, particular) in self.particulars.iter().take(shown).enumerate() {
            reason.push_str(if number == 0 { ": " } else { "; " });
            reason.push_str(&plain(particular));
        }
        match self.particulars.len().saturating_sub(shown) {
            0 => {}
            more => {
                // writing to a String cannot fail
                let _ = write!(reason, " ({more} more are not shown)");
            }
        }
        reason
    }
}

impl Answer {
    /// The body of the one request that answers.
    pub fn body(&self, to: &Addressee) -> String {
        let with = |shown| self.written(to, &self.reason.with(shown));
        let shorter = (0..=self.reason.particulars.len()).rev().map(with);
        shorter.reduce(|best, next| if best.len() <= MAX_ANSWER { best } else { next }).unwrap_or_default()
    }

    fn written(&self, to: &Addressee, reason: &str) -> String {
        let body = Body {
            status: match self.verdict {
                Verdict::Success => "SUCCESS",
                Verdict::Failed => "FAILED",
            },
            reason,
            physical_resource_id: &to.physical_id,
            stack_id: &to.stack_id,
            request_id: &to.request_id,
            logical_resource_id: &to.logical_id,
            data: self.attributes.as_ref(),
        };
        // texts and numbers cannot fail to be written
        serde_json::to_string(&body).unwrap_or_default()
    }
}

/// Without control characters, each of which takes six bytes, and cut where it is long.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len().min(MAX_TEXT));
    for c in text.chars() {
        if plain.len() + c.len_utf8() > MAX_TEXT {
            plain.push('…');
            break;
        }
        plain.push(if c.is_control() { ' ' } else { c });
    }
    plain
}
