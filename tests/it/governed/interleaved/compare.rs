//! What the function and the model come to.

use super::model::{Ended, Held, TARGETS};
use super::play::{IDS, INSTANCES, Play};
use crate::governed::stage::Stage;
use sandbox::connect::Scope;
use serde_json::{Value, json};
use std::collections::BTreeMap;

impl Play<'_> {
    /// What each target holds and each record says at last, by the function and by the model.
    pub(super) async fn compare(&mut self) {
        let mut wrong = Vec::new();
        let held_now = TARGETS.map(|place| held(&self.stage, place));
        for (place, (held, expected)) in held_now.iter().zip(self.model.held()).enumerate() {
            if held != expected {
                wrong.push(format!("{place} holds {held:?}, not {expected:?}"));
            }
        }
        for (id, status, ended) in self.model.records() {
            let record = self.stage.record(IDS[id]).await;
            if record["status"] != json!(status) {
                wrong.push(format!("{} ends as {}, not {status:?}", IDS[id], record["status"]));
            }
            let mut summary: BTreeMap<&str, u64> = BTreeMap::new();
            for ended in ended.iter().flatten() {
                *summary.entry(ended.outcome).or_default() += 1;
            }
            if record["summary"] != json!(summary) {
                wrong.push(format!("{} comes to {}, not {summary:?}", IDS[id], record["summary"]));
            }
            for (place, expected) in ended.iter().enumerate() {
                if let Some(is) = differs(&record, place, expected.as_ref()) {
                    wrong.push(format!("{} at {place} is {is}, not {expected:?}", IDS[id]));
                }
            }
        }
        for item in self.stage.ledger.items().unwrap() {
            let (pk, sk) = (item["pk"]["S"].as_str().unwrap(), item["sk"]["S"].as_str().unwrap());
            let place = INSTANCES.iter().position(|instance| sk.contains(instance));
            let is_held = |place: usize| {
                let list: Vec<_> = held_now[place].list.iter().cloned().collect();
                let is = |name: &str, kind: &str, value: String| {
                    item.get(name).is_none_or(|there| there[kind] == value)
                };
                is("held_size", "N", held_now[place].size.to_string()) && is("held_ext", "S", list.join(","))
            };
            let is_wrong = sk.starts_with("work#")
                || item.get("owed").is_some()
                || item.get("intent").is_some()
                || (pk.starts_with("target#") && !place.is_some_and(is_held));
            if is_wrong {
                wrong.push(format!("the table has {item}"));
            }
        }
        self.wrong.append(&mut wrong);
    }
}

/// What the record says of the target, where that is something else.
fn differs(record: &Value, place: usize, expected: Option<&Ended>) -> Option<String> {
    let mut results = record["results"].as_array().unwrap().iter();
    let result = results.find(|result| result["instanceId"] == INSTANCES[place]);
    // what was not begun has no result
    let expected = expected.filter(|ended| !matches!(ended.outcome, "pending" | "skipped"));
    let is_same = match (result, expected) {
        (None, None) => true,
        (Some(result), Some(expected)) => {
            // what did not change is said once
            let is_said_once = result["outcome"] == "unchanged" && result["after"].is_null();
            let is = |name: &str, held: &Held| {
                let name = if is_said_once { "before" } else { name };
                values(&result[name]).as_ref() == Some(held)
            };
            let mut held = expected.values.iter();
            result["outcome"] == expected.outcome
                && held.all(|(before, after)| is("before", before) && is("after", after))
        }
        _ => false,
    };
    (!is_same).then(|| result.map_or_else(|| "nothing".to_owned(), Value::to_string))
}

pub(super) fn held(stage: &Stage, place: usize) -> Held {
    let configuration = stage.world.connect.configuration(INSTANCES[place], Scope::Chat).unwrap();
    Held {
        size: configuration.maximum_size_limit_in_bytes,
        list: configuration.extensions.into_iter().collect(),
    }
}

fn values(of: &Value) -> Option<Held> {
    let list = of["allowedExtensions"].as_array()?;
    let list = list.iter().map(|one| one.as_str().unwrap().to_owned()).collect();
    Some(Held { size: of["maximumSizeLimitInBytes"].as_i64()?, list })
}
