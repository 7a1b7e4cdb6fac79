//! The operations that are served, and the table of their methods and paths.

use std::{fmt, str::FromStr};

use hyper::Method;
use serde::{Deserialize, Serialize};

/// An operation of Amazon Connect that the sandbox serves.
///
/// The names are the service model's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Operation {
    /// Changes some or all values of one scope.
    UpdateAttachedFilesConfiguration,
    /// Reads one scope.
    DescribeAttachedFilesConfiguration,
    /// Reads every scope of an instance.
    ListAttachedFilesConfigurations,
    /// Reads the account's instances in a Region.
    ListInstances,
    /// Reads one instance, its tags included.
    DescribeInstance,
}

impl Operation {
    /// Every operation.
    pub const ALL: [Self; 5] = [
        Self::UpdateAttachedFilesConfiguration,
        Self::DescribeAttachedFilesConfiguration,
        Self::ListAttachedFilesConfigurations,
        Self::ListInstances,
        Self::DescribeInstance,
    ];

    /// The name in the service model, in IAM (after `connect:`) and in `CloudTrail`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::UpdateAttachedFilesConfiguration => "UpdateAttachedFilesConfiguration",
            Self::DescribeAttachedFilesConfiguration => "DescribeAttachedFilesConfiguration",
            Self::ListAttachedFilesConfigurations => "ListAttachedFilesConfigurations",
            Self::ListInstances => "ListInstances",
            Self::DescribeInstance => "DescribeInstance",
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

impl FromStr for Operation {
    type Err = UnknownOperation;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|operation| operation.name() == text)
            .ok_or_else(|| UnknownOperation(text.to_owned()))
    }
}

/// The text was not the name of an operation the sandbox serves.
///
/// Holds the text, so that the message can show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownOperation(pub String);

impl fmt::Display for UnknownOperation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "unknown operation `{}`", self.0)
    }
}

impl std::error::Error for UnknownOperation {}

/// An operation with the labels of its path, still percent-encoded.
///
/// Split before decoding, since an ARN in a label holds an encoded slash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Route<'path> {
    pub operation: Operation,
    /// The instance: its id or its ARN.
    pub resource: Option<&'path str>,
    pub scope: Option<&'path str>,
}

impl<'path> Route<'path> {
    /// Finds the operation of a request, by the `http` traits of the service model.
    pub(super) fn find(method: &Method, path: &'path str) -> Option<Self> {
        let segments: Vec<&str> = path.strip_prefix('/')?.split('/').collect();
        let (operation, resource, scope) = match (method, segments.as_slice()) {
            (&Method::GET, ["instance"]) => (Operation::ListInstances, None, None),
            (_, [_, "", ..] | [_, _, ""]) => return None,
            (&Method::GET, ["instance", id]) => (Operation::DescribeInstance, Some(*id), None),
            (&Method::GET, ["attached-files-configurations", id]) => {
                (Operation::ListAttachedFilesConfigurations, Some(*id), None)
            }
            (&Method::GET, ["attached-files-configurations", id, scope]) => {
                (Operation::DescribeAttachedFilesConfiguration, Some(*id), Some(*scope))
            }
            (&Method::POST, ["attached-files-configurations", id, scope]) => {
                (Operation::UpdateAttachedFilesConfiguration, Some(*id), Some(*scope))
            }
            _ => return None,
        };
        Some(Self { operation, resource, scope })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(method: &Method, path: &str) -> Option<Operation> {
        Route::find(method, path).map(|route| route.operation)
    }

    #[test]
    fn every_operation_is_found_by_its_method_and_path() {
        let configurations = "/attached-files-configurations";
        assert_eq!(
            found(&Method::POST, &format!("{configurations}/i/CHAT")),
            Some(Operation::UpdateAttachedFilesConfiguration)
        );
        assert_eq!(
            found(&Method::GET, &format!("{configurations}/i/CHAT")),
            Some(Operation::DescribeAttachedFilesConfiguration)
        );
        assert_eq!(
            found(&Method::GET, &format!("{configurations}/i")),
            Some(Operation::ListAttachedFilesConfigurations)
        );
        assert_eq!(found(&Method::GET, "/instance"), Some(Operation::ListInstances));
        assert_eq!(found(&Method::GET, "/instance/i"), Some(Operation::DescribeInstance));
    }

    #[test]
    fn an_encoded_slash_does_not_split_a_label() {
        let route =
            Route::find(&Method::GET, "/attached-files-configurations/arn%3Ainstance%2Fi/CHAT").unwrap();
        assert_eq!((route.resource, route.scope), (Some("arn%3Ainstance%2Fi"), Some("CHAT")));
    }

    #[test]
    fn another_method_another_depth_and_an_empty_label_find_no_operation() {
        assert_eq!(found(&Method::PUT, "/attached-files-configurations/i/CHAT"), None);
        assert_eq!(found(&Method::DELETE, "/attached-files-configurations/i/CHAT"), None);
        assert_eq!(found(&Method::POST, "/attached-files-configurations/i"), None);
        assert_eq!(found(&Method::GET, "/attached-files-configurations/i/CHAT/"), None);
        assert_eq!(found(&Method::GET, "/attached-files-configurations//CHAT"), None);
        assert_eq!(found(&Method::GET, "/attached-files-configurations/i/"), None);
        assert_eq!(found(&Method::GET, "/attached-files-configurations/"), None);
        assert_eq!(found(&Method::GET, "/instances"), None);
        assert_eq!(found(&Method::GET, "/"), None);
    }

    #[test]
    fn every_operation_reads_back_from_its_name() {
        for operation in Operation::ALL {
            assert_eq!(operation.to_string().parse(), Ok(operation));
        }
    }
}
