//! `sandbox check`: whether an answer is the one that its payload's name announces.

use clap::Args;
use sandbox::expectation::Expectation;
use sandbox::lambda::Answer;
use serde_json::Value;
use std::io::{self, Read};
use std::path::PathBuf;
use std::process::ExitCode;

/// Checks an answer that another client of the function was given.
#[derive(Debug, Args)]
pub(crate) struct Check {
    /// The payload that was sent: only its name is read, `<trigger>.<ending>[.<note>].json`
    payload: PathBuf,
}

impl Check {
    /// Reads the answer from standard input; a failure if it is not the announced one.
    pub(crate) fn run(&self) -> io::Result<ExitCode> {
        let name = self.payload.file_name().unwrap_or_default().to_string_lossy();
        let expectation = Expectation::of_file(&name)
            .map_err(|problem| invalid(format!("`{}`: {problem}", self.payload.display())))?;
        let mut bytes = Vec::new();
        io::stdin().lock().read_to_end(&mut bytes)?;
        expectation
            .check(&answer(bytes))
            .map_err(|mismatch| invalid(format!("`{}`: {mismatch}", self.payload.display())))?;
        Ok(ExitCode::SUCCESS)
    }
}

/// What an `Invoke` answered: a document with an `errorType` is a function error.
fn answer(bytes: Vec<u8>) -> Answer {
    let document: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    let member = |name| document.get(name).and_then(Value::as_str).map(str::to_owned);
    match member("errorType") {
        Some(error_type) => {
            Answer::Error { error_type, error_message: member("errorMessage").unwrap_or_default() }
        }
        None => Answer::Response(bytes),
    }
}

fn invalid(message: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_with_an_error_type_is_a_function_error_and_any_other_is_a_response() {
        assert_eq!(
            answer(br#"{"errorType": "MalformedPayload", "errorMessage": "why"}"#.to_vec()),
            Answer::Error { error_type: "MalformedPayload".into(), error_message: "why".into() }
        );
        for response in [&br#"{"status": "succeeded"}"#[..], b"not JSON"] {
            assert_eq!(answer(response.to_vec()), Answer::Response(response.to_vec()));
        }
    }
}
