//! The functions' log, for a person: the audit in one line a target, and what went wrong.

use crate::demo::audit::{is_audit, steps};
use crate::palette::Palette;
use serde_json::Value;

/// The lines that are shown of one of the log; none of metrics and of what went well.
pub(super) fn lines(line: &str, palette: Palette) -> Vec<String> {
    if is_audit(line) {
        return steps(line).iter().map(|step| step.line(palette)).collect();
    }
    let Ok(document) = serde_json::from_str::<Value>(line) else {
        // no line of the function's own: a panic, or the output of a library
        return vec![palette.bad(line)];
    };
    let text = |name: &str| document.get(name).and_then(Value::as_str).unwrap_or_default();
    match text("level") {
        "ERROR" | "WARN" => {
            let why = [text("message"), text("error")]
                .iter()
                .filter(|text| !text.is_empty())
                .copied()
                .collect::<Vec<_>>();
            vec![palette.careful(why.join(": "))]
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_audit_what_went_wrong_and_what_is_no_log_are_shown_and_nothing_else() {
        let audit = json!({"timestamp": "2026-01-02T03:04:05.678Z", "logger": "audit", "event": {
            "metadata": {"event_code": "refusal"}, "status": "Failure", "status_code": "TriggerNotAccepted",
        }});
        for (line, shown) in [
            (
                audit.to_string(),
                vec![
                    "03:04:05.678               refusal          –          –      failure  TriggerNotAccepted",
                ],
            ),
            (json!({"level": "INFO", "logger": "metrics", "ColdStarts": 1}).to_string(), vec![]),
            (json!({"level": "INFO", "message": "started"}).to_string(), vec![]),
            (
                json!({"level": "WARN", "message": "late", "error": "no answer"}).to_string(),
                vec!["late: no answer"],
            ),
            (json!({"level": "ERROR", "message": "late"}).to_string(), vec!["late"]),
            ("thread 'main' panicked".to_owned(), vec!["thread 'main' panicked"]),
        ] {
            assert_eq!(lines(&line, Palette::plain()), shown, "{line}");
        }
    }
}
