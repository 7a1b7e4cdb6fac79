//! What happened to each target, by the journals of Amazon Connect and of the table.

use super::evidence::{Intent, Moment, Target, Values, plain, target};
use super::life::Life;
use sandbox::connect::Operation;
use sandbox::ledger::{self, Entry};
use serde_json::Value;
use std::collections::BTreeMap;
use time::OffsetDateTime;

pub(super) fn moments(life: &Life) -> BTreeMap<Target, Vec<Moment>> {
    let mut all: Vec<(OffsetDateTime, Target, Moment)> = Vec::new();
    for entry in life.connect.journal() {
        if entry.operation == Some(Operation::UpdateAttachedFilesConfiguration) {
            let target = format!("{}#{}", entry.instance_id.unwrap(), entry.scope.unwrap());
            let values = Values::sent(&entry.body.unwrap());
            all.push((entry.at, target, Moment::Updated { values, has_effect: entry.effect }));
        }
    }
    for entry in life.governed.ledger().journal().iter().filter(|entry| entry.executed) {
        for update in updates(entry) {
            if let Some((target, moment)) = of_target(update) {
                all.push((entry.at, target, moment));
            }
        }
    }
    // a process sends its next request when it has the answer to the one before
    all.sort_by_key(|(at, ..)| *at);
    let mut moments: BTreeMap<Target, Vec<Moment>> = BTreeMap::new();
    for (_, target, moment) in all {
        moments.entry(target).or_default().push(moment);
    }
    moments
}

/// The request itself, or those of its transaction, where it updates an item.
fn updates(entry: &Entry) -> Vec<&Value> {
    match entry.operation {
        Some(ledger::Operation::UpdateItem) => vec![&entry.body],
        Some(ledger::Operation::TransactWriteItems) => {
            let writes = entry.body["TransactItems"].as_array().unwrap();
            writes.iter().filter_map(|write| write.get("Update")).collect()
        }
        _ => Vec::new(),
    }
}

fn of_target(update: &Value) -> Option<(Target, Moment)> {
    let key = plain(&update["Key"]);
    let name = key["pk"].as_str()?.starts_with("target#").then(|| target(key["sk"].as_str().unwrap()))?;
    let expression = update["UpdateExpression"].as_str()?;
    let removed = expression.split("REMOVE ").nth(1).and_then(|rest| rest.split(" ADD ").next());
    if removed.is_some_and(|removed| removed.split(", ").any(|one| one == "#intent")) {
        return Some((name, Moment::Closed));
    }
    let values = update["ExpressionAttributeValues"].as_object()?.values();
    let intent = values.filter_map(|value| value.get("M")).find(|map| map.get("begun").is_some())?;
    let intent = plain(intent);
    let text = |name: &str| intent[name].as_str().unwrap().to_owned();
    let named = intent["named"].as_array().into_iter().flatten();
    let intent = Intent {
        token: text("token"),
        run: format!("{}#{}", text("change"), text("run")),
        change: text("change"),
        order: text("order"),
        named: named.map(|name| name.as_str().unwrap().to_owned()).collect(),
        values: Values::of(&intent),
    };
    Some((name, Moment::Begun(intent)))
}
