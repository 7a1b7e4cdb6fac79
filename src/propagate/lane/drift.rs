//! Drift in passing: what a change is about to overwrite is not what the target should have held.

use super::super::governed::Governed;
use super::{Due, LanePropagation};
use crate::audit::Finding;
use crate::telemetry::causes;
use policy_core::record::{Drift, Intent, TargetRecord, differing, is_news};

impl<'a> LanePropagation<'a> {
    /// Puts the drift on record before it is gone, unless somebody has reported it. The intent is stored, so that the item
    /// is as it was when the target was read.
    pub(super) async fn note_drift(
        &self,
        governed: &Governed<'_>,
        due: &Due<'a>,
        record: &TargetRecord,
        intent: &Intent,
    ) {
        let drifting = differing(&record.held, &due.before);
        if !is_news(&drifting, &record.drift) {
            return;
        }
        let (propagation, audited) = (self.propagation, self.audited);
        let found = Drift {
            id: intent.token.clone(),
            target: due.target.name(),
            governed: true,
            expected: record.held.clone(),
            observed: due.before.clone(),
            found: governed.now(),
            change: Some(audited.change.change_id.clone()),
            cause: None,
            told: true,
        };
        let (origin, home) = (audited.origin, audited.home);
        if let Err(error) = propagation.audit.finding(origin, home, Finding::Found(&found)) {
            tracing::error!(%error, "the audit log could not be written");
        }
        governed.drifted();
        // the sweep puts its event; where it is not stored, the audit has it all the same
        if let Err(error) = governed.ledger.drifted_in_passing(&found, &drifting, &intent.token).await {
            tracing::warn!(error = causes(&error), target = %found.target, "the drift is not announced");
        }
    }
}
