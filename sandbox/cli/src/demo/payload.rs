//! A payload: a file of the events directory.

use sandbox::expectation::{Expectation, Trigger};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// One payload to send.
#[derive(Debug)]
pub(super) struct Payload {
    /// The path as the command line gives the directory.
    pub path: PathBuf,
    pub expectation: Expectation,
    /// The file as it is: a malformed payload may be anything.
    pub bytes: Vec<u8>,
}

/// Every payload of a directory, sorted by file name.
///
/// A file with an unknown name is an error, so that no file is left out silently.
pub(super) fn all(directory: &Path) -> io::Result<Vec<Payload>> {
    let unreadable = |error: io::Error| {
        let what = format!("cannot read `{}`: {error}", directory.display());
        io::Error::new(error.kind(), what)
    };
    let mut paths = Vec::new();
    for file in fs::read_dir(directory).map_err(unreadable)? {
        let path = file.map_err(unreadable)?.path();
        if path.extension().is_some_and(|extension| extension == "json") {
            paths.push(path);
        }
    }
    paths.sort();
    if paths.is_empty() {
        let what = format!("`{}` holds no payloads (`*.json`)", directory.display());
        return Err(io::Error::new(io::ErrorKind::NotFound, what));
    }
    paths.into_iter().map(read).collect()
}

fn read(path: PathBuf) -> io::Result<Payload> {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let expectation = Expectation::of_file(&name).map_err(|problem| {
        let what = format!("`{}`: {problem}", path.display());
        io::Error::new(io::ErrorKind::InvalidData, what)
    })?;
    let bytes = fs::read(&path).map_err(|error| {
        let what = format!("cannot read `{}`: {error}", path.display());
        io::Error::new(error.kind(), what)
    })?;
    Ok(Payload { path, expectation, bytes })
}

/// A trigger, explained to a newcomer.
pub(super) const fn description(trigger: Trigger) -> &'static str {
    match trigger {
        Trigger::Http => "an HTTP request, through an API Gateway HTTP API or a function URL",
        Trigger::Rest => "an HTTP request, through an API Gateway REST API",
        Trigger::EventBridge => "an event from EventBridge",
        Trigger::Sqs => "messages from an SQS queue",
        Trigger::Bare => "a policy change alone: `aws lambda invoke`, Step Functions, Scheduler",
        Trigger::Cloudformation => {
            "a resource of a stack, by CloudFormation, which waits at a URL for the answer"
        }
    }
}
