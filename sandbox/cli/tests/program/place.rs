use serde_json::Value;
use std::fs;
use std::path::PathBuf;

/// A directory of a test's own, removed at the end.
pub(crate) struct Place(PathBuf);

impl Place {
    pub(crate) fn new(name: &str, files: &[(&str, Value)]) -> Self {
        let directory = std::env::temp_dir().join(format!("sandbox-{name}-{}", std::process::id()));
        fs::create_dir_all(&directory).expect("a directory");
        for (file, payload) in files {
            fs::write(directory.join(file), payload.to_string()).expect("a file");
        }
        Self(directory)
    }

    pub(crate) fn path(&self, file: &str) -> String {
        self.0.join(file).display().to_string()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
