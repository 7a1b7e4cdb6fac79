//! The state as a file of JSON, so that a sandbox can be stopped and started again.

use std::{fs, io, path::Path};

use serde::{Deserialize, Serialize};

use super::{Record, Records};

#[derive(Deserialize)]
struct Loaded {
    instances: Vec<Record>,
}

#[derive(Serialize)]
struct Saved<'state> {
    instances: Vec<&'state Record>,
}

/// Reads the file; one that does not exist holds nothing.
pub(super) fn read(path: &Path) -> io::Result<Records> {
    let text = match fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Records::new()),
        Err(error) => return Err(naming(path, "read", &error)),
    };
    let loaded: Loaded =
        serde_json::from_slice(&text).map_err(|error| naming(path, "understand", &error.into()))?;
    Ok(loaded.instances.into_iter().map(|record| (record.instance.id.clone(), record)).collect())
}

/// Writes another file and renames it, so that no reader sees half a file.
pub(super) fn write(path: &Path, records: &Records) -> io::Result<()> {
    let failed = |error: &io::Error| naming(path, "write", error);
    let text = serde_json::to_vec_pretty(&Saved { instances: records.values().collect() })
        .map_err(|error| failed(&error.into()))?;
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    fs::write(&beside, text).and_then(|()| fs::rename(&beside, path)).map_err(|error| failed(&error))
}

fn naming(path: &Path, verb: &str, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("cannot {verb} the state file `{}`: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use std::{env, path::PathBuf};

    use time::macros::datetime;

    use super::super::{Configuration, Instance, Scope, State};

    /// A directory for one test; removed with everything in it.
    struct Place(PathBuf);

    impl Place {
        fn new(name: &str) -> Self {
            let place = env::temp_dir().join(format!("sandbox-state-{name}-{}", std::process::id()));
            std::fs::create_dir_all(&place).unwrap();
            Self(place)
        }

        #[expect(clippy::unnecessary_wraps, reason = "what `Options::state` takes")]
        fn file(&self) -> Option<PathBuf> {
            Some(self.0.join("state.json"))
        }
    }

    impl Drop for Place {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn what_one_run_wrote_the_next_one_reads() {
        let place = Place::new("round");
        let configuration = Configuration {
            maximum_size_limit_in_bytes: 5,
            extensions: vec!["pdf".to_owned()],
            last_modified: Some(datetime!(2026-11-23 10:00:00.123 UTC)),
        };
        let instance = Instance { region: "eu-west-2".to_owned(), ..Instance::numbered(1) };
        let mut first = State::load(vec![instance.clone()], place.file()).unwrap();
        first.configure(&instance.id, Scope::Task, configuration.clone()).unwrap();
        let second = State::load(vec![Instance::numbered(1), Instance::numbered(2)], place.file()).unwrap();
        assert_eq!(second.effective(&instance.id, Scope::Task), Some(configuration));
        assert_eq!(second.instances().cloned().collect::<Vec<_>>(), [instance, Instance::numbered(2)]);
        assert_eq!(std::fs::read_dir(&place.0).unwrap().count(), 1);
    }

    #[test]
    fn a_file_that_is_not_a_state_stops_the_start_and_is_named() {
        let place = Place::new("broken");
        let file = place.file().unwrap();
        std::fs::write(&file, "{}").unwrap();
        let error = State::load(Vec::new(), place.file()).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::InvalidData);
        assert_eq!(
            error.to_string(),
            format!(
                "cannot understand the state file `{}`: missing field `instances` at line 1 column 2",
                file.display()
            )
        );
    }

    #[test]
    fn a_change_that_cannot_be_saved_is_not_made() {
        let place = Place::new("gone");
        let mut state = State::load(vec![Instance::numbered(1)], place.file()).unwrap();
        std::fs::remove_dir_all(&place.0).unwrap();
        let id = Instance::numbered(1).id;
        let small = Configuration { maximum_size_limit_in_bytes: 1, ..Configuration::default() };
        assert!(state.configure(&id, Scope::Chat, small).is_err());
        assert_eq!(state.effective(&id, Scope::Chat), Some(Configuration::default()));
    }
}
