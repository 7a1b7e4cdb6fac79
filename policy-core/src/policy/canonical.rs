//! A change in its normal form: the document that, parsed again, gives the same change.

use super::{Instances, LaneName, PolicyChange};
use serde::ser::{Serialize, SerializeMap, Serializer};
use time::format_description::well_known::Rfc3339;

impl Serialize for PolicyChange {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        match &self.instances {
            Instances::Named(named) => {
                let spelled =
                    named.iter().map(|instance| instance.arn().unwrap_or_else(|| instance.id.to_string()));
                map.serialize_entry("instanceIds", &spelled.collect::<Vec<_>>())?;
            }
            Instances::All { places, tags } => {
                if places.is_own() {
                    map.serialize_entry("instanceId", "*")?;
                } else if places.are_known() {
                    // an account that is not known is the own one
                    let spelled = places.lanes().iter().map(LaneName::every_instance);
                    let spelled = spelled.map(|arn| arn.unwrap_or_else(|| "*".to_owned()));
                    map.serialize_entry("instanceIds", &spelled.collect::<Vec<_>>())?;
                }
                if !tags.is_empty() {
                    map.serialize_entry("instanceTags", tags)?;
                }
            }
        }
        map.serialize_entry("attachmentScopes", &self.scopes)?;
        if let Some(size) = &self.values.max_size {
            map.serialize_entry("maximumSizeLimitInBytes", size)?;
        }
        if let Some(extensions) = &self.values.extensions {
            map.serialize_entry("allowedExtensions", extensions)?;
        }
        let adjustments = &self.adjustments;
        if let Some(limit) = &adjustments.max_size_at_most {
            map.serialize_entry("maximumSizeAtMost", limit)?;
        }
        for (name, list) in [("addExtensions", &adjustments.add), ("removeExtensions", &adjustments.remove)] {
            if !list.is_empty() {
                map.serialize_entry(name, list)?;
            }
        }
        if adjustments.enforce_guardrails {
            map.serialize_entry("enforceGuardrails", &true)?;
        }
        map.serialize_entry("changeId", &self.change_id)?;
        if let Some(limit) = self.if_unmodified_since {
            let limit = limit.format(&Rfc3339).map_err(serde::ser::Error::custom)?;
            map.serialize_entry("ifUnmodifiedSince", &limit)?;
        }
        if let Some(reason) = &self.reason {
            map.serialize_entry("reason", reason)?;
        }
        if let Some(requested_by) = &self.requested_by {
            map.serialize_entry("requestedBy", requested_by)?;
        }
        if self.checks_drift {
            map.serialize_entry("checkDrift", &true)?;
        }
        // a check is a dry run by itself
        if self.dry_run && !self.checks_drift {
            map.serialize_entry("dryRun", &true)?;
        }
        if self.force {
            map.serialize_entry("force", &true)?;
        }
        map.end()
    }
}
