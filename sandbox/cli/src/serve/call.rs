//! One call of Amazon Connect as one line.

use crate::difference::{Difference, size};
use crate::palette::Palette;
use sandbox::connect::{Configuration, Connect, Entry, Operation, Scope};
use std::collections::HashMap;

/// Makes lines of entries, and remembers what each scope allowed before.
#[derive(Debug)]
pub(crate) struct Calls {
    palette: Palette,
    names: HashMap<String, String>,
    known: HashMap<(String, Scope), Configuration>,
}

impl Calls {
    /// Remembers the configurations of all instances.
    pub(crate) fn new(connect: &Connect, palette: Palette) -> Self {
        let mut known = HashMap::new();
        let mut names = HashMap::new();
        for instance in connect.instances() {
            for scope in Scope::ALL {
                if let Some(configuration) = connect.configuration(&instance.id, scope) {
                    known.insert((instance.id.clone(), scope), configuration);
                }
            }
            names.insert(instance.id, instance.alias);
        }
        Self { palette, names, known }
    }

    /// Time, operation, instance, scope, status, and what changed or went wrong.
    pub(crate) fn line(&mut self, connect: &Connect, entry: &Entry) -> String {
        let palette = self.palette;
        let effect = self.effect(connect, entry);
        let time = clock(entry.at);
        let operation = match entry.operation {
            Some(operation) => short(operation),
            None => entry.method.as_str(),
        };
        let instance = match &entry.instance_id {
            Some(id) => self.names.get(id).unwrap_or(id).as_str(),
            None => "",
        };
        let scope = entry.scope.map_or("", Scope::name);
        let status = entry.status.map_or_else(|| "no answer".to_owned(), |status| status.to_string());
        let painted = match entry.status {
            Some(200..=299) => palette.good(format!("{status:<9}")),
            Some(429) => palette.careful(format!("{status:<9}")),
            _ => palette.bad(format!("{status:<9}")),
        };
        let mut notes = Vec::new();
        if entry.operation.is_none() {
            notes.push(entry.path.clone());
        }
        if let Some(attempt @ 2..) = entry.attempt {
            notes.push(format!("attempt {attempt}"));
        }
        if let Some(error) = &entry.error {
            notes.push(error.clone());
        }
        if let Some(fault) = entry.fault {
            notes.push(palette.careful(format!("fault {fault}")));
        }
        notes.extend(effect);
        format!(
            "{}  {operation:<19} {instance:<12} {scope:<5}  {painted} {}",
            palette.dim(time),
            notes.join(", ")
        )
        .trim_end()
        .to_owned()
    }

    /// What an update changed; `None` if this is no update, or one without an effect.
    fn effect(&mut self, connect: &Connect, entry: &Entry) -> Option<String> {
        let (Some(id), Some(scope), true) = (&entry.instance_id, entry.scope, entry.effect) else {
            return None;
        };
        let now = connect.configuration(id, scope)?;
        let before = self.known.insert((id.clone(), scope), now.clone()).unwrap_or_default();
        let Some(difference) = Difference::between(&before, &now) else {
            return Some("nothing changed".to_owned());
        };
        let mut parts = Vec::new();
        if difference.resized {
            parts.push(difference.size.clone());
        }
        let types = difference.types();
        match types.len() {
            0 if difference.resized => {}
            0 => parts.push("the same types in another order".to_owned()),
            1..=8 => parts.push(types.join(" ")),
            _ => parts.push(format!(
                "+{} −{} types, now {}",
                difference.added.len(),
                difference.removed.len(),
                now.extensions.len()
            )),
        }
        if !difference.resized {
            parts.push(format!("still {}", size(now.maximum_size_limit_in_bytes)));
        }
        Some(self.palette.bold(parts.join(", ")))
    }
}

/// An operation's name, shortened.
pub(crate) fn short(operation: Operation) -> &'static str {
    match operation {
        Operation::UpdateAttachedFilesConfiguration => "Update",
        Operation::DescribeAttachedFilesConfiguration => "Describe",
        Operation::ListAttachedFilesConfigurations => "List",
        Operation::ListInstances | Operation::DescribeInstance => operation.name(),
    }
}

/// `14:03:59.120`, in UTC.
pub(super) fn clock(at: time::OffsetDateTime) -> String {
    let (hour, minute, second) = at.to_hms();
    format!("{hour:02}:{minute:02}:{second:02}.{:03}", at.millisecond())
}

#[cfg(test)]
mod tests {
    use super::*;
    use sandbox::connect::{Fault, Instance, Options};
    use time::macros::datetime;

    fn entry() -> Entry {
        Entry {
            sequence: 1,
            at: datetime!(2026-01-02 03:04:05.678 UTC),
            operation: Some(Operation::UpdateAttachedFilesConfiguration),
            method: "POST".into(),
            path: "/x".into(),
            instance_id: Some(Instance::numbered(1).id),
            scope: Some(Scope::Chat),
            account: "111122223333".into(),
            region: "us-east-1".into(),
            attempt: Some(1),
            body: None,
            status: Some(200),
            error: None,
            request_id: "r".into(),
            effect: true,
            changed: true,
            fault: None,
        }
    }

    #[tokio::test]
    async fn a_line_shows_what_changed_since_the_last() {
        let connect = Connect::start(Options::default()).await.expect("a port");
        let mut calls = Calls::new(&connect, Palette::plain());
        let id = Instance::numbered(1).id;
        let mut configuration =
            Configuration { maximum_size_limit_in_bytes: 10_485_760, ..Configuration::default() };
        connect.put(&id, Scope::Chat, configuration.clone());
        assert_eq!(
            calls.line(&connect, &entry()),
            "03:04:05.678  Update              sandbox-1    CHAT   200       20 MB → 10 MB"
        );
        configuration.extensions.push("json".into());
        connect.put(&id, Scope::Chat, configuration);
        assert_eq!(
            calls.line(&connect, &entry()),
            "03:04:05.678  Update              sandbox-1    CHAT   200       +json, still 10 MB"
        );
        assert_eq!(
            calls.line(&connect, &entry()),
            "03:04:05.678  Update              sandbox-1    CHAT   200       nothing changed"
        );
    }

    #[tokio::test]
    async fn a_line_shows_what_went_wrong() {
        let connect = Connect::start(Options::default()).await.expect("a port");
        let mut calls = Calls::new(&connect, Palette::plain());
        let throttled = Entry {
            attempt: Some(2),
            status: Some(429),
            error: Some("ThrottlingException".into()),
            effect: false,
            changed: false,
            fault: Some(Fault::Throttle),
            ..entry()
        };
        assert_eq!(
            calls.line(&connect, &throttled),
            "03:04:05.678  Update              sandbox-1    CHAT   429       \
             attempt 2, ThrottlingException, fault throttle"
        );
        let reset =
            Entry { status: None, fault: Some(Fault::ResetBefore), error: None, attempt: None, ..throttled };
        assert_eq!(
            calls.line(&connect, &reset),
            "03:04:05.678  Update              sandbox-1    CHAT   no answer fault reset-before"
        );
    }
}
