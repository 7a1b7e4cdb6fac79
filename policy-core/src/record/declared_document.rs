//! What the HTTP API shows of declarations: the request that a change carries out, and a target that is released.

use super::{Declared, TargetName};
use crate::declare::{DeclaredBy, RequestType};
use crate::policy::Scope;
use serde::Serialize;

/// The generation of a declared resource that a change carries out.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DeclaredDocument<'a> {
    stack_id: &'a str,
    logical_resource_id: &'a str,
    request_type: RequestType,
    generation: u32,
}

impl<'a> DeclaredDocument<'a> {
    pub(super) fn of(declared: &'a Declared) -> Self {
        Self {
            stack_id: &declared.stack_id,
            logical_resource_id: &declared.logical_id,
            request_type: declared.kind,
            generation: declared.generation,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ReleasedDocument<'a> {
    instance_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    instance_arn: Option<String>,
    attachment_scope: Scope,
    released_from: &'a DeclaredBy,
}

/// A target that a stack declares no more, and whose it was.
///
/// # Errors
/// Never for these types; kept so that no caller has to panic.
pub fn released_document(target: &TargetName, owner: &DeclaredBy) -> Result<String, serde_json::Error> {
    serde_json::to_string(&ReleasedDocument {
        instance_id: target.instance.as_str(),
        instance_arn: target.instance().arn(),
        attachment_scope: target.scope,
        released_from: owner,
    })
}
