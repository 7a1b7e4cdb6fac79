//! The fields of a document: their names, and the objects that have them.

crate::stable_names! {
    /// A field of a document, in the API's camelCase. Its PascalCase is accepted, too.
    pub enum Field {
        /// Instances by id or ARN, or `"*"`.
        InstanceId = "instanceId",
        /// The same.
        InstanceIds = "instanceIds",
        /// Which instances `"*"` means.
        InstanceTags = "instanceTags",
        /// Scopes.
        AttachmentScope = "attachmentScope",
        /// The same.
        AttachmentScopes = "attachmentScopes",
        /// A size in bytes.
        MaximumSizeLimitInBytes = "maximumSizeLimitInBytes",
        /// A size with a unit.
        MaximumSize = "maximumSize",
        /// A list of extensions.
        AllowedExtensions = "allowedExtensions",
        /// The same in the API's own form.
        ExtensionConfiguration = "extensionConfiguration",
        /// A size that a larger one is lowered to.
        MaximumSizeAtMost = "maximumSizeAtMost",
        /// Extensions that are added to the list.
        AddExtensions = "addExtensions",
        /// Extensions that are taken off the list.
        RemoveExtensions = "removeExtensions",
        /// Whether to bring the values within the guardrails.
        EnforceGuardrails = "enforceGuardrails",
        /// The id of a change, or the one that the ids of a batch's changes begin with.
        ChangeId = "changeId",
        /// An RFC 3339 time.
        IfUnmodifiedSince = "ifUnmodifiedSince",
        /// Free text.
        Reason = "reason",
        /// Free text.
        RequestedBy = "requestedBy",
        /// Whether to report only.
        DryRun = "dryRun",
        /// Whether to update a target that has the values already.
        Force = "force",
        /// After how many failed targets the rest is not begun.
        StopAfterFailures = "stopAfterFailures",
        /// The policy changes of a batch.
        Changes = "changes",
        /// The extension of one entry of a list.
        Extension = "extension",
        /// Marks a document that checks for drift.
        CheckDrift = "checkDrift",
        /// The plan of a dry run that is to be carried out.
        Plan = "plan",
        /// Whether a freeze lets accepted changes go on to their end.
        Drain = "drain",
    }
}

/// The objects that have fields: those of a document, and the bodies of requests about recorded changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ObjectKind {
    /// `{"changes": […]}`.
    Batch,
    /// A policy change.
    Change,
    /// `{"checkDrift": true}`.
    Check,
    /// The value of `extensionConfiguration`.
    ExtensionConfiguration,
    /// An entry of a list of extensions, in the API's own form.
    ExtensionEntry,
    /// What is said about an undo.
    Undo,
    /// What is said about a target that is to get back what it should hold.
    Restore,
    /// What is said about a dry run that is to be carried out.
    Apply,
    /// What is said about a change that is to be cancelled.
    Cancel,
    /// What is said about a freeze.
    Freeze,
}

impl Field {
    /// The field of a key.
    pub fn named(key: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|field| field.is_named(key))
    }

    /// Whether a key is that of this field. `InstanceId` is `instanceId` too, so that documents for the CLI or boto3 can
    /// be pasted.
    pub fn is_named(self, key: &str) -> bool {
        match (key.as_bytes(), self.name().as_bytes()) {
            ([first, rest @ ..], [own, others @ ..]) => rest == others && first.to_ascii_lowercase() == *own,
            _ => false,
        }
    }

    /// Whether such an object may have the field.
    pub const fn belongs_to(self, object: ObjectKind) -> bool {
        match object {
            ObjectKind::Batch => matches!(self, Self::Changes | Self::ChangeId | Self::StopAfterFailures),
            ObjectKind::Change => {
                !matches!(self, Self::Changes | Self::Extension | Self::Plan | Self::Drain | Self::CheckDrift)
            }
            ObjectKind::Check => matches!(
                self,
                Self::CheckDrift
                    | Self::InstanceId
                    | Self::InstanceIds
                    | Self::AttachmentScope
                    | Self::AttachmentScopes
                    | Self::ChangeId
                    | Self::Reason
                    | Self::RequestedBy
            ),
            ObjectKind::ExtensionConfiguration => matches!(self, Self::AllowedExtensions),
            ObjectKind::ExtensionEntry => matches!(self, Self::Extension),
            ObjectKind::Undo => matches!(self, Self::Reason | Self::ChangeId | Self::Force),
            ObjectKind::Restore => matches!(self, Self::Reason | Self::ChangeId),
            ObjectKind::Apply => matches!(self, Self::Reason | Self::ChangeId | Self::Plan),
            ObjectKind::Cancel => matches!(self, Self::Reason),
            ObjectKind::Freeze => matches!(self, Self::Reason | Self::Drain),
        }
    }

    /// Whether it selects targets, which the path of a PATCH does.
    pub(super) const fn is_target(self) -> bool {
        matches!(
            self,
            Self::InstanceId
                | Self::InstanceIds
                | Self::InstanceTags
                | Self::AttachmentScope
                | Self::AttachmentScopes
        )
    }

    /// Whether it is a value relative to what a target holds.
    pub(super) const fn is_relative(self) -> bool {
        matches!(
            self,
            Self::MaximumSizeAtMost | Self::AddExtensions | Self::RemoveExtensions | Self::EnforceGuardrails
        )
    }

    /// Whether it is a value, absolute or relative: a change has at least one.
    pub(super) const fn is_value(self) -> bool {
        matches!(
            self,
            Self::MaximumSizeLimitInBytes
                | Self::MaximumSize
                | Self::AllowedExtensions
                | Self::ExtensionConfiguration
        ) || self.is_relative()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_names_a_field_in_camel_and_in_pascal_case_only() {
        assert_eq!(Field::named("instanceId"), Some(Field::InstanceId));
        assert_eq!(Field::named("InstanceId"), Some(Field::InstanceId));
        for key in ["", "instanceid", "INSTANCEID", "instanceId ", "instance_id", "\u{49}\u{301}nstanceId"] {
            assert_eq!(Field::named(key), None, "{key}");
        }
        for field in Field::ALL {
            assert_eq!(Field::named(field.name()), Some(*field));
        }
    }

    #[test]
    fn a_change_has_every_field_except_those_of_other_objects() {
        let others: Vec<_> =
            Field::ALL.iter().filter(|field| !field.belongs_to(ObjectKind::Change)).collect();
        assert_eq!(
            others,
            [&Field::Changes, &Field::Extension, &Field::CheckDrift, &Field::Plan, &Field::Drain]
        );
    }
}
