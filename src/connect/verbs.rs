//! The calls to Amazon Connect, in this project's types.

use super::attempts::{Attach, AttemptTracker, Lease};
use super::error::CallError;
use super::{CALL_TIME, CallLog, LaneClient, NoTime, Operation, Permit};
use aws_sdk_connect::config::http::HttpResponse;
use aws_sdk_connect::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_connect::operation::RequestId;
use aws_sdk_connect::primitives::DateTime;
use aws_sdk_connect::types::{AllowedExtension, AttachmentScope, ExtensionConfiguration, InstanceStatus};
use policy_core::calls::CallCost;
use policy_core::policy::{Configuration, InstanceId, Scope, Values};
use std::collections::BTreeMap;
use std::error::Error;
use std::future::Future;
use std::sync::Arc;
use time::OffsetDateTime;
use tokio::time::{Instant, timeout_at};

/// The target of a call.
#[derive(Debug, Clone, Copy)]
pub struct Target<'a> {
    /// The instance's id.
    pub instance: &'a InstanceId,
    /// The scope.
    pub scope: Scope,
}

/// A target's configuration as a call returned it.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// What it holds.
    pub configuration: Configuration,
    /// `LastModifiedTime`; List has none.
    pub last_modified: Option<OffsetDateTime>,
    /// Connect's request id.
    pub request_id: Option<String>,
    /// What the call cost.
    pub cost: CallCost,
    /// Whether an earlier attempt got no usable answer: it may still take effect.
    pub any_unanswered: bool,
}

/// The bound of a call, and the log for its cost.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// The instant by which it must have ended.
    pub until: Instant,
    /// When its last attempt may begin, by both clocks; absent: as long as it lasts.
    pub last_attempt: Option<Lease>,
    /// The invocation's calls.
    pub log: &'a CallLog,
}

/// What one List returned of an instance's scopes.
#[derive(Debug, Clone, PartialEq)]
pub struct Listed {
    /// By scope; one that Connect does not list is absent.
    pub configurations: BTreeMap<Scope, Configuration>,
}

impl LaneClient {
    /// Waits for permission to send one update. Called before the intent is recorded.
    ///
    /// # Errors
    /// It would come too late.
    pub async fn update_permit(&self, until: Instant) -> Result<Permit, NoTime> {
        self.limiter(Operation::Update).permit(until).await
    }

    /// `UpdateAttachedFilesConfiguration`: sets these values. An omitted value stays as it is.
    ///
    /// # Errors
    /// Refused, failed, or cut off; the error says whether it may have taken effect.
    pub async fn update(
        &self,
        target: Target<'_>,
        values: &Values,
        permit: Permit,
        call: Call<'_>,
    ) -> Result<Answer, CallError> {
        let mut request = self
            .client
            .update_attached_files_configuration()
            .instance_id(target.instance.as_str())
            .attachment_scope(scope_of(target.scope))
            .set_maximum_size_limit_in_bytes(values.max_size.map(|size| size.bytes().into()));
        if let Some(extensions) = &values.extensions {
            // both builders fail only if a required member is missing
            let list =
                extensions.iter().filter_map(|name| AllowedExtension::builder().extension(name).build().ok());
            let list = ExtensionConfiguration::builder().set_allowed_extensions(Some(list.collect()));
            request = request.set_extension_configuration(list.build().ok());
        }
        self.send(Operation::Update, permit, call, |attach| request.customize().interceptor(attach).send())
            .await
            .map(|(output, attempts)| Answer {
                configuration: configuration(
                    output.maximum_size_limit_in_bytes,
                    output.extension_configuration.as_ref(),
                ),
                last_modified: output.last_modified_time.as_ref().and_then(timestamp),
                request_id: output.request_id().map(str::to_owned),
                cost: attempts.cost(),
                any_unanswered: attempts.lost_an_earlier_answer(),
            })
    }

    /// `DescribeAttachedFilesConfiguration`: one scope, with `LastModifiedTime`.
    ///
    /// # Errors
    /// Refused, failed, or not possible in time.
    pub async fn describe(&self, target: Target<'_>, call: Call<'_>) -> Result<Answer, CallError> {
        let permit = self.read_permit(Operation::Describe, call.until).await?;
        let request = self
            .client
            .describe_attached_files_configuration()
            .instance_id(target.instance.as_str())
            .attachment_scope(scope_of(target.scope));
        let (output, attempts) = self
            .send(Operation::Describe, permit, call, |attach| request.customize().interceptor(attach).send())
            .await?;
        let found = output.attached_files_configuration.as_ref();
        Ok(Answer {
            configuration: configuration(
                found.and_then(|found| found.maximum_size_limit_in_bytes),
                found.and_then(|found| found.extension_configuration.as_ref()),
            ),
            last_modified: found.and_then(|found| found.last_modified_time.as_ref()).and_then(timestamp),
            request_id: output.request_id().map(str::to_owned),
            cost: attempts.cost(),
            any_unanswered: attempts.lost_an_earlier_answer(),
        })
    }

    /// `ListAttachedFilesConfigurations`: every scope of an instance, without `LastModifiedTime`.
    ///
    /// # Errors
    /// Refused, failed, or not possible in time.
    pub async fn list(&self, instance: &InstanceId, call: Call<'_>) -> Result<Listed, CallError> {
        let mut listed = Listed { configurations: BTreeMap::new() };
        let mut next_token = None;
        loop {
            let permit = self.read_permit(Operation::List, call.until).await?;
            let request = self
                .client
                .list_attached_files_configurations()
                .instance_id(instance.as_str())
                .set_next_token(next_token);
            let (output, _) = self
                .send(Operation::List, permit, call, |attach| request.customize().interceptor(attach).send())
                .await?;
            for found in output.attached_files_configurations() {
                if let Some(scope) = Scope::parse(found.attachment_scope.as_str()) {
                    let held = configuration(
                        found.maximum_size_limit_in_bytes,
                        found.extension_configuration.as_ref(),
                    );
                    listed.configurations.insert(scope, held);
                }
            }
            next_token = output.next_token;
            if next_token.is_none() {
                return Ok(listed);
            }
        }
    }

    /// `ListInstances`, every page: the ACTIVE ones.
    ///
    /// # Errors
    /// Refused, failed, or not possible in time.
    pub async fn active_instances(&self, call: Call<'_>) -> Result<Vec<InstanceId>, CallError> {
        let mut instances = Vec::new();
        let mut next_token = None;
        loop {
            let permit = self.read_permit(Operation::ListInstances, call.until).await?;
            let request = self.client.list_instances().set_next_token(next_token);
            let (output, _) = self
                .send(Operation::ListInstances, permit, call, |attach| {
                    request.customize().interceptor(attach).send()
                })
                .await?;
            for found in output.instance_summary_list() {
                let active = found.instance_status == Some(InstanceStatus::Active);
                instances.extend(found.id().filter(|_| active).and_then(InstanceId::parse));
            }
            next_token = output.next_token;
            if next_token.is_none() {
                return Ok(instances);
            }
        }
    }

    /// An instance's tags, by `DescribeInstance`. `ListTagsForResource` returns them too, but IAM's documentation does
    /// not list instances among its resource types, so that a policy for an instance may not permit it.
    ///
    /// # Errors
    /// Refused, failed, or not possible in time.
    pub async fn tags(
        &self,
        instance: &InstanceId,
        call: Call<'_>,
    ) -> Result<BTreeMap<String, String>, CallError> {
        let permit = self.read_permit(Operation::DescribeInstance, call.until).await?;
        let request = self.client.describe_instance().instance_id(instance.as_str());
        let (output, _) = self
            .send(Operation::DescribeInstance, permit, call, |attach| {
                request.customize().interceptor(attach).send()
            })
            .await?;
        let tags = output.instance.and_then(|instance| instance.tags);
        Ok(tags.unwrap_or_default().into_iter().collect())
    }

    async fn read_permit(&self, operation: Operation, until: Instant) -> Result<Permit, CallError> {
        let last = until.checked_sub(CALL_TIME).unwrap_or(until);
        let permit = self.limiter(operation).permit(last).await;
        permit.map_err(|NoTime| CallError::out_of_time())
    }

    /// Sends one call, the SDK's retries included, and gives up when its time is over.
    async fn send<T, E, F>(
        &self,
        operation: Operation,
        permit: Permit,
        call: Call<'_>,
        send: impl FnOnce(Attach) -> F,
    ) -> Result<(T, Arc<AttemptTracker>), CallError>
    where
        E: ProvideErrorMetadata + Error + 'static,
        F: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
    {
        if let Some(account) = self.out_of_reach {
            return Err(CallError::no_role(account));
        }
        let limiter = Arc::clone(self.limiter(operation));
        let attempts = AttemptTracker::new(limiter, call.until, call.last_attempt, permit.waited);
        let answer = match timeout_at(call.until, send(Attach(Arc::clone(&attempts)))).await {
            Ok(Ok(output)) => Ok(output),
            Ok(Err(error)) => Err(CallError::from_sdk(&error, &attempts)),
            Err(_) => Err(CallError::deadline(&attempts)),
        };
        call.log.add(operation, attempts.cost());
        answer.map(|output| (output, attempts))
    }
}

fn scope_of(scope: Scope) -> AttachmentScope {
    match scope {
        Scope::Email => AttachmentScope::Email,
        Scope::Chat => AttachmentScope::Chat,
        Scope::Case => AttachmentScope::Case,
        Scope::Task => AttachmentScope::Task,
    }
}

fn configuration(size: Option<i64>, extensions: Option<&ExtensionConfiguration>) -> Configuration {
    Configuration {
        maximum_size_limit_in_bytes: size,
        allowed_extensions: extensions.map(|list| {
            list.allowed_extensions().iter().map(|allowed| allowed.extension().to_owned()).collect()
        }),
    }
}

/// Rounds to the millisecond, the precision of Connect's fractional epoch seconds. Below it, their binary fraction
/// would make a time differ from itself when it is sent back.
fn timestamp(at: &DateTime) -> Option<OffsetDateTime> {
    const MILLISECOND: i128 = 1_000_000;
    let rounded = (at.as_nanos() + MILLISECOND / 2).div_euclid(MILLISECOND) * MILLISECOND;
    OffsetDateTime::from_unix_timestamp_nanos(rounded).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn a_time_is_rounded_to_the_millisecond() {
        let second = datetime!(2026-06-01 12:00 UTC);
        for (nanoseconds, milliseconds) in
            [(0, 0), (499_999, 0), (500_000, 1), (249_999_999, 250), (250_499_999, 250), (999_500_000, 1_000)]
        {
            let at = DateTime::from_secs_and_nanos(second.unix_timestamp(), nanoseconds);
            let rounded = second + std::time::Duration::from_millis(milliseconds);
            assert_eq!(timestamp(&at), Some(rounded), "{nanoseconds}");
        }
    }
}
