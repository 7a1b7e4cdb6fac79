//! Environment variables, read once at start. One error names every invalid one.

mod values;

use crate::connect::ConnectSettings;
use policy_core::aws::{AccountId, RegionName};
use policy_core::declare::Hosts;
use policy_core::origin::TriggerKind;
use policy_core::policy::{ExtensionSet, Guardrails, Home, MaxSize, Rules};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use values::{
    boolean, bus_name, entries, instances, queue_url, rate, regions, roles, table_name, triggers, within,
};

/// What an operator sets; docs/settings.md has the table.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `ACCEPTED_TRIGGERS`.
    pub accepted_triggers: BTreeSet<TriggerKind>,
    /// `POLICY_ALLOWED_INSTANCES`, `POLICY_BLOCKED_EXTENSIONS`, `POLICY_MAX_SIZE_BYTES`.
    pub guardrails: Guardrails,
    /// `POLICY_ALLOW_EMPTY_EXTENSIONS`.
    pub allow_empty_extensions: bool,
    /// How Connect is called.
    pub connect: ConnectSettings,
    /// `CONNECT_REGIONS`: what `*` means in the place of a Region. Sorted, each once.
    pub regions: Arc<[RegionName]>,
    /// `LEDGER_TABLE` and what belongs to it; absent: standalone.
    pub ledger: Option<LedgerSettings>,
    /// `CHANGE_QUEUE_URL`.
    pub change_queue_url: Option<String>,
    /// `INTAKE_QUEUE_URL`.
    pub intake_queue_url: Option<String>,
    /// `ANSWER_LOOPBACK`: which hosts a declaration's answer may go to.
    pub answer_hosts: Hosts,
    /// `PARKED_QUEUE_URL`.
    pub parked_queue_url: Option<String>,
    /// `OUTCOME_BUS`: the event bus, by name or ARN, that hears of every run that ends.
    pub outcome_bus: Option<String>,
    /// `AWS_REGION`, which Lambda sets.
    pub region: RegionName,
    /// `AWS_LAMBDA_FUNCTION_NAME`, which Lambda sets: the metrics' dimension.
    pub function_name: String,
}

/// The ledger, and how long it remembers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerSettings {
    /// `LEDGER_TABLE`.
    pub table: String,
    /// `LEDGER_RETENTION_DAYS`: how long records and history are kept.
    pub retention: Duration,
    /// `MAX_STALLED_DELIVERIES`: deliveries of a lane's message without progress before the lane is parked.
    pub max_stalled: u32,
}

/// Every setting that is wrong.
#[derive(Debug, PartialEq, Eq)]
pub struct InvalidSettings(pub Vec<String>);

impl fmt::Display for InvalidSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "invalid settings: {}", self.0.join("; "))
    }
}

impl std::error::Error for InvalidSettings {}

struct Reader<'a> {
    lookup: &'a dyn Fn(&str) -> Option<String>,
    wrong: Vec<String>,
}

impl Reader<'_> {
    fn lookup(&self, name: &str) -> Option<String> {
        (self.lookup)(name).filter(|value| !value.trim().is_empty())
    }

    /// The variable, parsed; absent or empty is `default`.
    fn read<T>(&mut self, name: &str, default: T, parse: impl FnOnce(&str) -> Result<T, String>) -> T {
        let value = self.lookup(name);
        value.and_then(|value| self.parsed(name, &value, parse)).unwrap_or(default)
    }

    /// The variable, parsed; absent or empty is an error, with a hint.
    fn required<T>(
        &mut self,
        name: &str,
        hint: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        let value = self.lookup(name);
        if value.is_none() {
            self.wrong.push(format!("{name} is missing; {hint}"));
        }
        self.parsed(name, &value?, parse)
    }

    fn parsed<T>(
        &mut self,
        name: &str,
        value: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        parse(value.trim()).map_err(|why| self.wrong.push(format!("{name} {why}"))).ok()
    }
}

impl Settings {
    /// Reads the settings through `lookup`, the environment in production.
    ///
    /// # Errors
    /// Every wrong one, by name.
    pub fn read(lookup: &dyn Fn(&str) -> Option<String>) -> Result<Self, InvalidSettings> {
        let mut reader = Reader { lookup, wrong: Vec::new() };
        let accepted_triggers = reader.read("ACCEPTED_TRIGGERS", TriggerKind::DEFAULT.into(), triggers);
        let guardrails = guardrails(&mut reader);
        let allow_empty_extensions = reader.read("POLICY_ALLOW_EMPTY_EXTENSIONS", false, boolean);
        let connect = connect(&mut reader, accepted_triggers == [TriggerKind::Lane].into());
        let ledger = ledger(&mut reader);
        let change_queue_url = reader.read("CHANGE_QUEUE_URL", None, |url| queue_url(url).map(Some));
        let intake_queue_url = reader.read("INTAKE_QUEUE_URL", None, |url| queue_url(url).map(Some));
        go_together(&mut reader, &accepted_triggers, ledger.is_some());
        let answer_hosts = if reader.read("ANSWER_LOOPBACK", false, boolean) {
            Hosts::AndLoopback
        } else {
            Hosts::CloudFormation
        };
        let parked_queue_url = reader.read("PARKED_QUEUE_URL", None, |url| queue_url(url).map(Some));
        let outcome_bus = reader.read("OUTCOME_BUS", None, |name| bus_name(name).map(Some));
        let region = reader.required("AWS_REGION", "Lambda sets it", |text| {
            RegionName::parse(text).ok_or_else(|| format!("must be the name of a Region, not `{text}`"))
        });
        let function_name =
            reader.read("AWS_LAMBDA_FUNCTION_NAME", env!("CARGO_PKG_NAME").to_owned(), |name| {
                Ok(name.to_owned())
            });
        // read after it, because they are of its partition
        let regions = reader
            .read("CONNECT_REGIONS", region.iter().cloned().collect(), |list| regions(list, region.as_ref()));
        match region {
            Some(region) if reader.wrong.is_empty() => Ok(Self {
                accepted_triggers,
                guardrails,
                allow_empty_extensions,
                connect,
                regions,
                ledger,
                change_queue_url,
                intake_queue_url,
                answer_hosts,
                parked_queue_url,
                outcome_bus,
                region,
                function_name,
            }),
            _ => Err(InvalidSettings(reader.wrong)),
        }
    }

    /// The rules for documents, once the function knows its account.
    pub fn rules(&self, account: Option<AccountId>) -> Rules {
        Rules {
            home: Home { region: self.region.clone(), account },
            role_accounts: self.connect.roles.keys().copied().collect(),
            regions: Arc::clone(&self.regions),
            allow_empty_extensions: self.allow_empty_extensions,
            can_enforce_guardrails: self.guardrails.can_be_enforced(),
            governed: self.ledger.is_some(),
            takes_every_account: false,
        }
    }
}

fn ledger(reader: &mut Reader<'_>) -> Option<LedgerSettings> {
    const DAY: u64 = 86_400;
    let days = reader.read("LEDGER_RETENTION_DAYS", 400, |text| within(text, 1, 3_650));
    let max_stalled = reader.read("MAX_STALLED_DELIVERIES", 15, |text| within(text, 1, 900));
    let retention = Duration::from_secs(DAY * u64::from(days));
    let table = reader.read("LEDGER_TABLE", None, |name| table_name(name).map(Some))?;
    Some(LedgerSettings { table, retention, max_stalled })
}

/// The ledger and its queues go together: without the table nothing could be read from a queue's messages, and a change
/// that is recorded needs a queue to be carried out.
fn go_together(reader: &mut Reader<'_>, accepted: &BTreeSet<TriggerKind>, has_ledger: bool) {
    let is_set = |name: &str| reader.lookup(name).is_some();
    let mut wrong = Vec::new();
    if !has_ledger {
        for name in ["CHANGE_QUEUE_URL", "INTAKE_QUEUE_URL", "OUTCOME_BUS"] {
            if is_set(name) {
                wrong.push(format!("{name} needs LEDGER_TABLE"));
            }
        }
        for kind in [
            TriggerKind::Lane,
            TriggerKind::Sweep,
            TriggerKind::CloudTrail,
            TriggerKind::Cloudformation,
            TriggerKind::Widget,
        ] {
            if accepted.contains(&kind) {
                wrong.push(format!("ACCEPTED_TRIGGERS has {kind}, which needs LEDGER_TABLE"));
            }
        }
    } else if !is_set("CHANGE_QUEUE_URL")
        && accepted.iter().any(|kind| !matches!(kind, TriggerKind::Lane | TriggerKind::Widget))
    {
        wrong.push("LEDGER_TABLE needs CHANGE_QUEUE_URL".to_owned());
    }
    reader.wrong.extend(wrong);
}

fn guardrails(reader: &mut Reader<'_>) -> Guardrails {
    Guardrails {
        allowed_instances: reader.read("POLICY_ALLOWED_INSTANCES", Vec::new(), instances),
        blocked_extensions: reader.read("POLICY_BLOCKED_EXTENSIONS", ExtensionSet::default(), |list| {
            ExtensionSet::parse(entries(list)?)
        }),
        max_size: reader.read("POLICY_MAX_SIZE_BYTES", None, |text| {
            let bytes = text.parse().map_err(|_| format!("must be a number of bytes, not `{text}`"))?;
            MaxSize::from_bytes(bytes).map(Some).map_err(|invalid| invalid.message)
        }),
    }
}

fn connect(reader: &mut Reader<'_>, is_worker: bool) -> ConnectSettings {
    let defaults = ConnectSettings::default();
    ConnectSettings {
        requests_per_second: reader.read("CONNECT_REQUESTS_PER_SECOND", defaults.requests_per_second, rate),
        burst: reader.read("CONNECT_BURST", defaults.burst, |text| within(text, 1, 1_000)),
        shared_quota: reader.read("CONNECT_QUOTA", false, |text| match text {
            "shared" => Ok(true),
            "per-operation" => Ok(false),
            other => Err(format!("must be `per-operation` or `shared`, not `{other}`")),
        }),
        gives_way: is_worker,
        max_attempts: reader.read("CONNECT_MAX_ATTEMPTS", defaults.max_attempts, |text| within(text, 1, 100)),
        roles: reader.read("CONNECT_ROLE_ARNS", BTreeMap::new(), roles),
    }
}

#[cfg(test)]
mod tests;
