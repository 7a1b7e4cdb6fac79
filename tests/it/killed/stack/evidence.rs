//! What Amazon Connect got, the table has and the audit says at the end of a life.

use super::life::Life;
use super::moments::moments;
use sandbox::connect::Scope;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// `{instance}#{scope}`.
pub(super) type Target = String;

/// Values of a target; a member that is not meant is absent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Values {
    pub(super) size: Option<i64>,
    pub(super) list: Option<BTreeSet<String>>,
}

/// An intent that was stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Intent {
    pub(super) token: String,
    pub(super) change: String,
    /// `{change}#{key}`.
    pub(super) run: String,
    pub(super) order: String,
    pub(super) named: BTreeSet<String>,
    pub(super) values: Values,
}

/// What happened to a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Moment {
    /// An intent was stored.
    Begun(Intent),
    /// The open intent was ended.
    Closed,
    /// An update was received, and perhaps took effect.
    Updated { values: Values, has_effect: bool },
}

/// How a run says that a target ended.
#[derive(Debug, Clone)]
pub(super) struct Ended {
    /// The change as reported: of a batch the part of it.
    pub(super) change: String,
    pub(super) outcome: String,
    pub(super) done: bool,
    pub(super) before: Values,
    pub(super) after: Values,
    pub(super) token: String,
}

/// What the table has of a target.
#[derive(Debug, Clone)]
pub(super) struct Item {
    pub(super) is_open: bool,
    pub(super) held: Values,
    /// The last run that applied a value.
    pub(super) applied: Option<String>,
}

/// A run of a change.
#[derive(Debug, Clone)]
pub(super) struct Record {
    pub(super) change: String,
    pub(super) run: String,
    pub(super) status: String,
    pub(super) dry_run: bool,
    pub(super) is_undo: bool,
    pub(super) is_declared: bool,
    pub(super) counts: BTreeMap<String, u64>,
}

/// What the audit says.
#[derive(Debug, Clone, Default)]
pub(super) struct Audit {
    /// How many intents it has, by target and change.
    pub(super) intents: BTreeMap<(Target, String), usize>,
    /// The outcomes that it has, with target and change.
    pub(super) outcomes: BTreeSet<(Target, String, String)>,
    /// How many of them were found out by somebody else.
    settled: usize,
}

#[derive(Debug, Clone)]
pub(super) struct Evidence {
    /// What each target held before the life.
    pub(super) start: Values,
    /// What it holds now.
    pub(super) held: BTreeMap<Target, Values>,
    pub(super) moments: BTreeMap<Target, Vec<Moment>>,
    pub(super) audit: Audit,
    pub(super) records: Vec<Record>,
    /// By run and target.
    pub(super) results: BTreeMap<(String, Target), Ended>,
    pub(super) items: BTreeMap<Target, Item>,
    /// The requests of CloudFormation that were taken.
    pub(super) taken: BTreeSet<String>,
    /// The answers that arrived, by request.
    pub(super) answers: BTreeMap<String, BTreeSet<String>>,
    /// Lanes that are open, work that is not done, messages that somebody should still get or has to look at.
    pub(super) left: Vec<String>,
}

impl Evidence {
    pub(super) fn of(life: &Life) -> Self {
        let items: Vec<Value> = life.governed.ledger().items().unwrap().iter().map(plain).collect();
        let mut evidence = Self {
            start: Values {
                size: Some(sandbox::connect::DEFAULT_SIZE),
                list: Some(sandbox::connect::DEFAULT_EXTENSIONS.map(str::to_owned).into()),
            },
            held: held(life),
            moments: moments(life),
            audit: Audit::of(&life.governed.output()),
            records: Vec::new(),
            results: BTreeMap::new(),
            items: BTreeMap::new(),
            taken: BTreeSet::new(),
            answers: BTreeMap::new(),
            left: Vec::new(),
        };
        for item in &items {
            evidence.add(item);
        }
        for arrived in life.bucket.arrived() {
            let body: Value = serde_json::from_str(&arrived.body).unwrap();
            let request = body["RequestId"].as_str().unwrap().to_owned();
            evidence.answers.entry(request).or_default().insert(arrived.body);
        }
        for queue in ["intake.fifo", "changes.fifo", "intake-failed.fifo", "failed.fifo", "parked"] {
            let messages = life.governed.queues().messages(queue);
            evidence.left.extend(
                messages.iter().map(|message| format!("{queue}: {} {:?}", message.body, message.attributes)),
            );
        }
        evidence
    }

    fn add(&mut self, item: &Value) {
        let (pk, sk) = (item["pk"].as_str().unwrap(), item["sk"].as_str().unwrap());
        if item["kind"] == "change" {
            let change = pk.trim_start_matches("change#").to_owned();
            let counts = item["counts"].as_object().unwrap().iter();
            self.records.push(Record {
                run: format!("{change}#{}", item["key"].as_str().unwrap()),
                change,
                status: item["status"].as_str().unwrap().to_owned(),
                dry_run: item["dry"] == true,
                is_undo: item.get("undoes").is_some(),
                is_declared: item.get("declared").is_some(),
                counts: counts.map(|(name, count)| (name.clone(), count.as_u64().unwrap())).collect(),
            });
        } else if let Some(run) = pk.strip_prefix("run#") {
            let ended = Ended {
                change: item["change"].as_str().unwrap().to_owned(),
                outcome: item["outcome"].as_str().unwrap().to_owned(),
                done: item["done"] == true,
                before: Values::of(&item["before"]),
                after: Values::of(&item["after"]),
                token: item["token"].as_str().unwrap().to_owned(),
            };
            self.results.insert((run.to_owned(), target(sk)), ended);
        } else if pk.starts_with("target#") {
            let held = json!({"size": item["held_size"], "ext": item["held_ext"]});
            let is_open = item.get("intent").is_some();
            let applied = item["applied"].as_str().map(str::to_owned);
            self.items.insert(target(sk), Item { is_open, held: Values::of(&held), applied });
        } else if pk.starts_with("declaration#") && sk.contains('#') {
            self.taken.insert(item["request"].as_str().unwrap().to_owned());
        } else if sk.starts_with("work#") || item["state"] == "open" {
            self.left.push(item.to_string());
        }
    }

    /// The intents whose updates took effect, in their order, each with what the target held before.
    pub(super) fn landings(&self, target: &Target) -> Vec<(Intent, Values)> {
        let (mut open, mut held, mut landings) = (None, self.start.clone(), Vec::new());
        for moment in self.moments.get(target).into_iter().flatten() {
            match moment {
                Moment::Begun(intent) => open = Some(intent.clone()),
                Moment::Closed => open = None,
                Moment::Updated { has_effect: false, .. } => {}
                Moment::Updated { values, has_effect: true } => {
                    if let Some(intent) = &open {
                        landings.push((intent.clone(), held.clone()));
                    }
                    held = held.with(values);
                }
            }
        }
        landings
    }

    /// The records, intents, updates, settled updates, undos and answered requests of this life.
    pub(super) fn sums(&self) -> [usize; 6] {
        let moments = || self.moments.values().flatten();
        let begun = moments().filter(|moment| matches!(moment, Moment::Begun(_))).count();
        let updates = moments().filter(|moment| matches!(moment, Moment::Updated { .. })).count();
        let looks = self.records.iter().filter(|record| record.change.starts_with("look-")).count();
        [self.records.len(), begun, updates, self.audit.settled, looks, self.taken.len()]
    }
}

impl Values {
    /// Of an item's map.
    pub(super) fn of(map: &Value) -> Self {
        let split = |list: &str| list.split(',').filter(|one| !one.is_empty()).map(str::to_owned).collect();
        Self { size: map["size"].as_i64(), list: map["ext"].as_str().map(split) }
    }

    /// Of an update's body.
    pub(super) fn sent(body: &Value) -> Self {
        let list = body["ExtensionConfiguration"]["AllowedExtensions"].as_array();
        let named = |one: &Value| one["Extension"].as_str().unwrap().to_owned();
        Self {
            size: body["MaximumSizeLimitInBytes"].as_i64(),
            list: list.map(|list| list.iter().map(named).collect()),
        }
    }

    /// These values with those in their place.
    pub(super) fn with(&self, those: &Self) -> Self {
        Self { size: those.size.or(self.size), list: those.list.clone().or_else(|| self.list.clone()) }
    }

    /// Of these values the members that `which` has.
    pub(super) fn only(&self, which: &Self) -> Self {
        Self {
            size: self.size.filter(|_| which.size.is_some()),
            list: self.list.clone().filter(|_| which.list.is_some()),
        }
    }
}

/// The last two parts of `{lane}#{instance}#{scope}`.
pub(super) fn target(sk: &str) -> Target {
    let mut parts = sk.rsplitn(3, '#');
    let (scope, instance) = (parts.next().unwrap(), parts.next().unwrap());
    format!("{instance}#{scope}")
}

/// An item, an attribute or a map of them as JSON that says no types.
pub(super) fn plain(value: &Value) -> Value {
    let members = |map: &Map<String, Value>| {
        map.iter().map(|(name, value)| (name.clone(), plain_attribute(value))).collect::<Map<_, _>>()
    };
    Value::Object(members(value.as_object().unwrap()))
}

fn plain_attribute(attribute: &Value) -> Value {
    let (kind, value) = attribute.as_object().unwrap().iter().next().unwrap();
    match kind.as_str() {
        "N" => json!(value.as_str().unwrap().parse::<i64>().unwrap()),
        "M" => plain(value),
        "L" => value.as_array().unwrap().iter().map(plain_attribute).collect(),
        // texts, flags and sets of texts
        _ => value.clone(),
    }
}

fn held(life: &Life) -> BTreeMap<Target, Values> {
    let mut held = BTreeMap::new();
    for instance in life.connect.instances() {
        for scope in Scope::ALL {
            let configuration = life.connect.configuration(&instance.id, scope).unwrap();
            let values = Values {
                size: Some(configuration.maximum_size_limit_in_bytes),
                list: Some(configuration.extensions.into_iter().collect()),
            };
            held.insert(format!("{}#{scope}", instance.id), values);
        }
    }
    held
}

impl Audit {
    /// A line that a kill cut off does not count.
    fn of(lines: &[String]) -> Self {
        let mut audit = Self::default();
        for line in lines.iter().filter_map(|line| serde_json::from_str::<Value>(line).ok()) {
            let event = &line["event"];
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            let (resource, change) = (&event["resources"][0], &event["metadata"]["correlation_uid"]);
            let target =
                || format!("{}#{}", text(&resource["name"]), text(&resource["data"]["attachmentScope"]));
            match event["metadata"]["event_code"].as_str() {
                Some("intent") => *audit.intents.entry((target(), text(change))).or_default() += 1,
                Some("outcome") if !resource["name"].is_null() => {
                    audit.outcomes.insert((target(), text(change), text(&event["unmapped"]["outcome"])));
                }
                _ => {}
            }
            audit.settled += usize::from(event["unmapped"]["settled"] == true);
        }
        audit
    }
}
