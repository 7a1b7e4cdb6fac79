//! The instances and what each of them allows.

use std::{collections::BTreeMap, io, path::PathBuf};

use serde::{Deserialize, Serialize};

use super::{
    caller::Caller,
    configuration::Configuration,
    instance::{Instance, InstanceStatus},
    scope::Scope,
};

mod file;

/// Everything that Amazon Connect remembers, in the order of the instances' ids.
///
/// With a file, every change is saved before it is made in memory.
#[derive(Debug)]
pub(super) struct State {
    records: Records,
    file: Option<PathBuf>,
}

type Records = BTreeMap<String, Record>;

/// An instance with the scopes that were ever configured.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Record {
    #[serde(flatten)]
    instance: Instance,
    #[serde(default)]
    configurations: BTreeMap<Scope, Configuration>,
}

impl State {
    /// Loads the file if it exists, and adds the instances it does not hold.
    ///
    /// Saves at once, so that a file that cannot be written is an error now and not in the middle
    /// of a session.
    pub(super) fn load(instances: Vec<Instance>, file: Option<PathBuf>) -> io::Result<Self> {
        let mut records = match &file {
            Some(path) => file::read(path)?,
            None => Records::new(),
        };
        for instance in instances {
            let record = || Record { instance: instance.clone(), configurations: BTreeMap::new() };
            records.entry(instance.id.clone()).or_insert_with(record);
        }
        let mut state = Self { records: Records::new(), file };
        state.replace(records)?;
        Ok(state)
    }

    fn replace(&mut self, records: Records) -> io::Result<()> {
        if let Some(path) = &self.file {
            file::write(path, &records)?;
        }
        self.records = records;
        Ok(())
    }

    /// Makes one change, or none if it cannot be saved.
    fn change(&mut self, id: &str, change: impl FnOnce(&mut Record)) -> io::Result<()> {
        let Some(record) = self.records.get_mut(id) else {
            return Ok(());
        };
        if self.file.is_none() {
            change(record);
            return Ok(());
        }
        let mut records = self.records.clone();
        records.entry(id.to_owned()).and_modify(change);
        self.replace(records)
    }

    /// Adds an instance, or replaces it and keeps its configurations.
    pub(super) fn add(&mut self, instance: Instance) -> io::Result<()> {
        let mut records = self.records.clone();
        let configurations =
            records.remove(&instance.id).map(|record| record.configurations).unwrap_or_default();
        records.insert(instance.id.clone(), Record { instance, configurations });
        self.replace(records)
    }

    /// Removes an instance and its configurations.
    pub(super) fn remove(&mut self, id: &str) -> io::Result<()> {
        let mut records = self.records.clone();
        records.remove(id);
        self.replace(records)
    }

    pub(super) fn instances(&self) -> impl Iterator<Item = &Instance> {
        self.records.values().map(|record| &record.instance)
    }

    /// The instances a caller can see, after a given id.
    pub(super) fn visible_after<'state>(
        &'state self,
        caller: &'state Caller,
        after: Option<&'state str>,
    ) -> impl Iterator<Item = &'state Instance> {
        self.instances()
            .filter(move |instance| is_visible(instance, caller))
            .filter(move |instance| after.is_none_or(|after| instance.id.as_str() > after))
    }

    /// An instance its caller can see.
    pub(super) fn visible(&self, id: &str, caller: &Caller) -> Option<&Instance> {
        self.records.get(id).map(|record| &record.instance).filter(|instance| is_visible(instance, caller))
    }

    /// An instance its caller can see and configure.
    pub(super) fn configurable(&self, id: &str, caller: &Caller) -> Option<&Instance> {
        self.visible(id, caller).filter(|instance| instance.status == InstanceStatus::Active)
    }

    /// What a scope allows: its configuration, else the defaults.
    pub(super) fn effective(&self, id: &str, scope: Scope) -> Option<Configuration> {
        self.records.get(id).map(|record| record.configurations.get(&scope).cloned().unwrap_or_default())
    }

    /// Configures a scope of an instance; does nothing if there is no such instance.
    pub(super) fn configure(
        &mut self,
        id: &str,
        scope: Scope,
        configuration: Configuration,
    ) -> io::Result<()> {
        self.change(id, |record| {
            record.configurations.insert(scope, configuration);
        })
    }
}

fn is_visible(instance: &Instance, caller: &Caller) -> bool {
    instance.account == caller.account && instance.region == caller.region
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: u32) -> String {
        Instance::numbered(n).id
    }

    fn small() -> Configuration {
        Configuration { maximum_size_limit_in_bytes: 7, ..Configuration::default() }
    }

    fn state() -> State {
        State::load((1..=3).map(Instance::numbered).collect(), None).unwrap()
    }

    #[test]
    fn a_scope_never_configured_has_the_defaults_and_one_that_was_has_its_own() {
        let mut state = state();
        state.configure(&id(1), Scope::Chat, small()).unwrap();
        assert_eq!(state.effective(&id(1), Scope::Chat), Some(small()));
        assert_eq!(state.effective(&id(1), Scope::Case), Some(Configuration::default()));
        assert_eq!(state.effective(&id(2), Scope::Chat), Some(Configuration::default()));
        assert_eq!(state.effective(&id(9), Scope::Chat), None);
    }

    #[test]
    fn an_instance_is_visible_in_its_own_account_and_region_only() {
        let state = state();
        let see = |account: &str, region: &str| {
            state
                .visible(&id(1), &Caller { account: account.to_owned(), region: region.to_owned() })
                .is_some()
        };
        assert!(see("111122223333", "us-east-1"));
        assert!(!see("111122223333", "us-west-2"));
        assert!(!see("444455556666", "us-east-1"));
    }

    #[test]
    fn an_instance_removed_and_added_again_starts_with_the_defaults() {
        let mut state = state();
        state.configure(&id(1), Scope::Chat, small()).unwrap();
        state.remove(&id(1)).unwrap();
        assert_eq!(state.effective(&id(1), Scope::Chat), None);
        state.add(Instance::numbered(1)).unwrap();
        assert_eq!(state.effective(&id(1), Scope::Chat), Some(Configuration::default()));
    }

    #[test]
    fn an_instance_added_in_another_status_keeps_what_it_allows() {
        let mut state = state();
        state.configure(&id(1), Scope::Chat, small()).unwrap();
        state.add(Instance { status: InstanceStatus::CreationFailed, ..Instance::numbered(1) }).unwrap();
        assert_eq!(state.effective(&id(1), Scope::Chat), Some(small()));
    }
}
