//! An audit line, shortened for a person.

use crate::palette::Palette;
use serde_json::Value;

/// One audited step; a member that the line lacks is empty.
///
/// The line should be OCSF 1.8.0, class API Activity, but one that lacks members is still worth
/// showing.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Step {
    time: String,
    who: String,
    /// `intent`, `outcome`, `refusal`.
    kind: String,
    operation: String,
    instance: String,
    scope: String,
    status: String,
    /// The target's outcome, or the error code.
    code: String,
}

/// Whether a line of the log belongs to the audit.
pub(crate) fn is_audit(line: &str) -> bool {
    let document: Result<Value, _> = serde_json::from_str(line);
    document.is_ok_and(|document| document.get("logger").and_then(Value::as_str) == Some("audit"))
}

/// The steps of an audit line: one for each of its resources, or one without a resource.
pub(crate) fn steps(line: &str) -> Vec<Step> {
    let document: Value = serde_json::from_str(line).unwrap_or_default();
    let event = document.get("event").unwrap_or(&Value::Null);
    let resources = event.get("resources").and_then(Value::as_array);
    match resources.map(Vec::as_slice) {
        None | Some([]) => vec![step(&document, event, &Value::Null)],
        Some(resources) => resources.iter().map(|resource| step(&document, event, resource)).collect(),
    }
}

fn step(document: &Value, event: &Value, resource: &Value) -> Step {
    let first = |pointers: &[&str]| {
        let found = pointers.iter().find_map(|pointer| event.pointer(pointer).and_then(text));
        found.unwrap_or_default()
    };
    let timestamp = document.get("timestamp").and_then(text);
    let uid = resource.get("uid").or_else(|| resource.get("name"));
    let scope = resource.pointer("/data/attachmentScope").and_then(text);
    let operation = first(&["/api/operation"]);
    Step {
        time: timestamp.map(|time| of_day(&time)).unwrap_or_default(),
        who: last_part(&first(&[
            "/actor/user/name",
            "/actor/user/uid",
            "/actor/app_name",
            "/actor/invoked_by",
        ])),
        kind: first(&["/metadata/event_code"]),
        operation: operation.replace("AttachedFilesConfiguration", ""),
        instance: uid.and_then(text).map(|uid| instance(&uid)).unwrap_or_default(),
        scope: scope.unwrap_or_else(|| first(&["/unmapped/attachmentScope"])),
        status: status(event),
        code: first(&["/api/response/error", "/status_code", "/api/response/code", "/unmapped/outcome"]),
    }
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// `status` in lower case, else the name of `status_id`.
fn status(event: &Value) -> String {
    let word = event.get("status").and_then(Value::as_str);
    let id = event.get("status_id").and_then(Value::as_u64);
    word.map_or_else(
        || {
            match id {
                Some(1) => "success",
                Some(2) => "failure",
                Some(99) => "pending",
                _ => "unknown",
            }
            .to_owned()
        },
        str::to_lowercase,
    )
}

/// `2026-01-02T03:04:05.678Z` to `03:04:05.678`.
fn of_day(timestamp: &str) -> String {
    let time = timestamp.split_once('T').map_or(timestamp, |(_, time)| time);
    time.chars()
        .take_while(|c| c.is_ascii_digit() || matches!(c, ':' | '.'))
        .take("03:04:05.678".len())
        .collect()
}

/// `arn:aws:iam::111122223333:user/alice` to `alice`.
fn last_part(name: &str) -> String {
    match name.strip_prefix("arn:") {
        Some(arn) => arn.rsplit(['/', ':']).next().unwrap_or(arn).to_owned(),
        None => name.to_owned(),
    }
}

/// The short name of a numbered instance, the id of any other.
fn instance(uid: &str) -> String {
    let id = last_part(uid);
    let number = id
        .strip_suffix(id.trim_start_matches(|c: char| c.is_ascii_hexdigit()))
        .and_then(|digits| u32::from_str_radix(digits, 16).ok());
    match number.map(sandbox::connect::Instance::numbered) {
        Some(numbered) if numbered.id == id => numbered.alias,
        _ => id,
    }
}

impl Step {
    /// Time, who, step, operation, instance, scope, status, code.
    pub(crate) fn line(&self, palette: Palette) -> String {
        let status = format!("{:<8}", self.status);
        let status = match self.status.as_str() {
            "success" => palette.good(status),
            "failure" => palette.bad(status),
            "unknown" => palette.careful(status),
            _ => palette.dim(status),
        };
        let line = format!(
            "{}  {:<12} {:<8} {:<7} {:<10} {:<6} {status} {}",
            palette.dim(format!("{:<12}", self.time)),
            self.who,
            self.kind,
            self.operation,
            dash(&self.instance),
            dash(&self.scope),
            self.code,
        );
        line.trim_end().to_owned()
    }
}

fn dash(text: &str) -> &str {
    if text.is_empty() { "–" } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_line_shows_who_did_what_to_what_and_the_result() {
        let line = json!({
            "timestamp": "2026-01-02T03:04:05.678901Z", "level": "INFO", "logger": "audit",
            "event": {
                "status": "Failure", "status_id": 2,
                "metadata": {"event_code": "outcome"},
                "actor": {"user": {"uid": "arn:aws:iam::111122223333:user/alice"}},
                "api": {
                    "operation": "UpdateAttachedFilesConfiguration",
                    "response": {"error": "AccessDeniedException"}
                },
                "resources": [{
                    "uid": "arn:aws:connect:us-east-1:111122223333:instance/00000001-0000-4000-8000-000000000001",
                    "data": {"attachmentScope": "CHAT"}
                }]
            }
        })
        .to_string();
        assert!(is_audit(&line));
        let lines: Vec<String> = steps(&line).iter().map(|step| step.line(Palette::plain())).collect();
        assert_eq!(
            lines,
            ["03:04:05.678  alice        outcome  Update  sandbox-1  CHAT   failure  AccessDeniedException"]
        );
    }

    #[test]
    fn a_line_that_lacks_members_is_still_shown() {
        let line = json!({"logger": "audit", "event": {"status_id": 99, "resources": []}});
        let lines: Vec<String> = steps(&line.to_string())
            .iter()
            .map(|step| step.line(Palette::plain()).trim().to_owned())
            .collect();
        assert_eq!(lines.len(), 1);
        assert!(lines[0].ends_with("–      pending"), "{lines:?}");
    }

    #[test]
    fn an_instance_of_the_sandbox_has_a_short_name() {
        assert_eq!(instance("0000000a-0000-4000-8000-00000000000a"), "sandbox-10");
        let other = "0000000a-0000-4000-8000-00000000000b";
        assert_eq!(instance(other), other);
        assert_eq!(instance("*"), "*");
    }

    #[test]
    fn other_lines_do_not_belong_to_the_audit() {
        for line in ["", "panic!", "{}", r#"{"logger":"app"}"#] {
            assert!(!is_audit(line), "{line}");
        }
    }
}
