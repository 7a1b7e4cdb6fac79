//! Environment variables, read once at start. Every wrong one is named in one error.

use crate::connect::ConnectSettings;
use policy_core::origin::TriggerKind;
use policy_core::policy::{ExtensionSet, Guardrails, Home, InstanceName, MaxSize, Rules, is_account};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// What an operator sets; the README has the table.
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
    /// `CHANGE_QUEUE_URL`.
    pub change_queue_url: Option<String>,
    /// `PARKED_QUEUE_URL`.
    pub parked_queue_url: Option<String>,
    /// `AWS_REGION`, which Lambda sets.
    pub region: String,
    /// `AWS_LAMBDA_FUNCTION_NAME`, which Lambda sets: the metrics' dimension.
    pub function_name: String,
}

/// Every setting that is wrong.
#[derive(Debug, PartialEq, Eq)]
pub struct InvalidSettings(pub Vec<String>);

impl fmt::Display for InvalidSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "wrong settings: {}", self.0.join("; "))
    }
}

impl std::error::Error for InvalidSettings {}

struct Reader<'a> {
    lookup: &'a dyn Fn(&str) -> Option<String>,
    wrong: Vec<String>,
}

impl Reader<'_> {
    /// The variable, parsed; absent or empty is `default`.
    fn read<T>(&mut self, name: &str, default: T, parse: impl FnOnce(&str) -> Result<T, String>) -> T {
        let value = (self.lookup)(name).filter(|value| !value.trim().is_empty());
        let Some(value) = value else { return default };
        match parse(value.trim()) {
            Ok(parsed) => parsed,
            Err(why) => {
                self.wrong.push(format!("{name} {why}"));
                default
            }
        }
    }
}

impl Settings {
    /// Reads the settings through `lookup`, the environment in production.
    ///
    /// # Errors
    /// Every wrong one, by name.
    pub fn read(lookup: &dyn Fn(&str) -> Option<String>) -> Result<Self, InvalidSettings> {
        let mut reader = Reader { lookup, wrong: Vec::new() };
        let defaults = ConnectSettings::default();
        let settings = Self {
            accepted_triggers: reader.read("ACCEPTED_TRIGGERS", TriggerKind::ALL.into(), triggers),
            guardrails: Guardrails {
                allowed_instances: reader.read("POLICY_ALLOWED_INSTANCES", Vec::new(), instances),
                blocked_extensions: reader.read(
                    "POLICY_BLOCKED_EXTENSIONS",
                    ExtensionSet::default(),
                    |list| ExtensionSet::parse(entries(list)?),
                ),
                max_size: reader.read("POLICY_MAX_SIZE_BYTES", None, |text| {
                    let bytes =
                        text.parse().map_err(|_| format!("must be a number of bytes, not `{text}`"))?;
                    MaxSize::from_bytes(bytes).map(Some).map_err(|(_, message)| message)
                }),
            },
            allow_empty_extensions: reader.read("POLICY_ALLOW_EMPTY_EXTENSIONS", false, boolean),
            connect: ConnectSettings {
                requests_per_second: reader.read(
                    "CONNECT_REQUESTS_PER_SECOND",
                    defaults.requests_per_second,
                    rate,
                ),
                burst: reader.read("CONNECT_BURST", defaults.burst, |text| within(text, 1, 1_000)),
                shared_quota: reader.read("CONNECT_QUOTA", false, |text| match text {
                    "shared" => Ok(true),
                    "per-operation" => Ok(false),
                    other => Err(format!("must be `per-operation` or `shared`, not `{other}`")),
                }),
                max_attempts: reader
                    .read("CONNECT_MAX_ATTEMPTS", defaults.max_attempts, |text| within(text, 1, 100)),
                roles: reader.read("CONNECT_ROLE_ARNS", BTreeMap::new(), roles),
            },
            change_queue_url: reader.read("CHANGE_QUEUE_URL", None, |url| queue_url(url).map(Some)),
            parked_queue_url: reader.read("PARKED_QUEUE_URL", None, |url| queue_url(url).map(Some)),
            region: reader.read("AWS_REGION", String::new(), |region| Ok(region.to_owned())),
            function_name: reader.read(
                "AWS_LAMBDA_FUNCTION_NAME",
                env!("CARGO_PKG_NAME").to_owned(),
                |name| Ok(name.to_owned()),
            ),
        };
        if settings.region.is_empty() {
            reader.wrong.push("AWS_REGION is missing; Lambda sets it".to_owned());
        }
        if reader.wrong.is_empty() { Ok(settings) } else { Err(InvalidSettings(reader.wrong)) }
    }

    /// The rules for documents, once the function knows its account.
    pub fn rules(&self, account: Option<String>) -> Rules {
        Rules {
            home: Home { region: self.region.clone(), account },
            role_accounts: self.connect.roles.keys().cloned().collect(),
            allow_empty_extensions: self.allow_empty_extensions,
        }
    }
}

/// A list's entries. One that is set but names nothing (`,`) would lift the very limit it is meant to set.
fn entries(list: &str) -> Result<impl Iterator<Item = &str>, String> {
    let entries = list.split(',').map(str::trim).filter(|entry| !entry.is_empty());
    if entries.clone().next().is_none() {
        return Err(format!("names nothing: `{list}`"));
    }
    Ok(entries)
}

fn triggers(list: &str) -> Result<BTreeSet<TriggerKind>, String> {
    let known = |name| {
        let kind = TriggerKind::ALL.into_iter().find(|kind| kind.as_str() == name);
        kind.ok_or_else(|| format!("names `{name}`, which is none of http, eventbridge, sqs, bare"))
    };
    entries(list)?.map(known).collect()
}

fn instances(list: &str) -> Result<Vec<InstanceName>, String> {
    let known = |text| {
        InstanceName::parse(text).ok_or_else(|| format!("names `{text}`, which is no instance id or ARN"))
    };
    entries(list)?.map(known).collect()
}

fn boolean(text: &str) -> Result<bool, String> {
    match text {
        "true" => Ok(true),
        "false" => Ok(false),
        other => Err(format!("must be `true` or `false`, not `{other}`")),
    }
}

fn rate(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(rate) if (0.01..=1_000.0).contains(&rate) => Ok(rate),
        _ => Err(format!("must be 0.01 to 1000 calls a second, not `{text}`")),
    }
}

fn within(text: &str, low: u32, high: u32) -> Result<u32, String> {
    match text.parse() {
        Ok(number) if (low..=high).contains(&number) => Ok(number),
        _ => Err(format!("must be {low} to {high}, not `{text}`")),
    }
}

fn roles(list: &str) -> Result<BTreeMap<String, String>, String> {
    let mut roles = BTreeMap::new();
    for arn in entries(list)? {
        let mut parts = arn.splitn(6, ':');
        let account = parts.nth(4).filter(|account| is_account(account));
        let role = parts.next().filter(|role| role.starts_with("role/"));
        let (true, Some(account), Some(_)) = (arn.starts_with("arn:"), account, role) else {
            return Err(format!("names `{arn}`, which is no role ARN"));
        };
        if roles.insert(account.to_owned(), arn.to_owned()).is_some() {
            return Err(format!("names two roles of account {account}"));
        }
    }
    Ok(roles)
}

fn queue_url(url: &str) -> Result<String, String> {
    if url.starts_with("https://") || url.starts_with("http://") {
        Ok(url.to_owned())
    } else {
        Err(format!("must be a queue URL, not `{url}`"))
    }
}

#[cfg(test)]
mod tests;
