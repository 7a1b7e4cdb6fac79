//! One request of the long change, and what became of it.

use super::targets;
use crate::palette::Palette;
use serde_json::{Value, json};
use std::time::Duration;

/// One request, and what became of it.
#[derive(Debug)]
pub(super) struct Half {
    pub request: String,
    /// The status of the answer, and where it says that the record is.
    pub answered: (u16, Option<String>),
    pub answered_after: Duration,
    /// The status of the record in the end, and its counts.
    pub status: String,
    pub summary: Value,
    pub ended_after: Duration,
    pub updates: usize,
}

/// A document's status.
pub(super) fn word(document: &Value) -> String {
    document.get("status").and_then(Value::as_str).unwrap_or("no status").to_owned()
}

impl Half {
    /// What was sent and answered, for a person.
    pub(super) fn sent(&self, palette: Palette) -> String {
        let (status, location) = &self.answered;
        let location = location.as_deref().unwrap_or("none");
        format!(
            "  {}\n    HTTP {status} after {:.2} s, Location: {location}\n",
            palette.bold(&self.request),
            self.answered_after.as_secs_f64()
        )
    }

    /// How it ended, for a person.
    pub(super) fn ended(&self, palette: Palette) -> String {
        let mark = if self.problem().is_none() { palette.good("✓") } else { palette.bad("✗") };
        let counts = self.summary.as_object().into_iter().flatten();
        let counts: Vec<String> = counts.map(|(outcome, count)| format!("{count} {outcome}")).collect();
        format!(
            "  {mark} {} after {:.2} s: {}\n",
            self.status,
            self.ended_after.as_secs_f64(),
            counts.join(", ")
        )
    }

    pub(super) fn problem(&self) -> Option<String> {
        let (status, location) = &self.answered;
        let is_queued = *status == 202 && location.is_some();
        let is_whole = self.status == "succeeded" && self.updates == targets();
        (!is_queued || !is_whole).then(|| {
            format!(
                "`{}`: expected HTTP 202 with a Location, then `succeeded` and {} updates, but got {status} and {}, \
                 then `{}` and {}",
                self.request,
                targets(),
                location.as_deref().unwrap_or("no Location"),
                self.status,
                self.updates
            )
        })
    }

    /// The figures, for a program.
    pub(super) fn document(&self) -> Value {
        json!({
            "request": self.request,
            "httpStatus": self.answered.0,
            "location": self.answered.1,
            "answeredAfterSeconds": self.answered_after.as_secs_f64(),
            "status": self.status,
            "summary": self.summary,
            "updates": self.updates,
            "endedAfterSeconds": self.ended_after.as_secs_f64(),
        })
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in super::super) fn half(status: u16, location: Option<&str>, ended: &str, updates: usize) -> Half {
        Half {
            request: "POST /policy-changes".to_owned(),
            answered: (status, location.map(str::to_owned)),
            answered_after: Duration::from_millis(250),
            status: ended.to_owned(),
            summary: json!({"applied": updates}),
            ended_after: Duration::from_secs(5),
            updates,
        }
    }

    #[test]
    fn a_half_is_as_expected_when_it_was_queued_and_changed_every_target() {
        let location = Some("/policy-changes/CHG-2045");
        assert_eq!(half(202, location, "succeeded", 96).problem(), None);
        for wrong in [
            half(200, location, "succeeded", 96),
            half(202, None, "succeeded", 96),
            half(202, location, "partial", 96),
        ] {
            assert!(wrong.problem().is_some(), "{wrong:?}");
        }
        assert_eq!(
            half(202, location, "succeeded", 95).problem().as_deref(),
            Some(
                "`POST /policy-changes`: expected HTTP 202 with a Location, then `succeeded` and 96 updates, but got \
                 202 and /policy-changes/CHG-2045, then `succeeded` and 95"
            )
        );
    }

    #[test]
    fn a_half_is_two_lines_for_a_person() {
        let half = half(202, Some("/policy-changes/CHG-2045"), "succeeded", 96);
        assert_eq!(
            half.sent(Palette::plain()),
            "  POST /policy-changes\n    HTTP 202 after 0.25 s, Location: /policy-changes/CHG-2045\n"
        );
        assert_eq!(half.ended(Palette::plain()), "  ✓ succeeded after 5.00 s: 96 applied\n");
    }
}
