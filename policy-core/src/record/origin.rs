//! Where a recorded change came from: kept with its record, so that a worker's audit names who asked for it.

use super::{RecordedOrigin, Who};
use crate::origin::{Invocation, Origin};

impl Who {
    /// Who stands behind a request.
    pub fn of(origin: &Origin) -> Self {
        Self {
            principal: origin.principal.clone(),
            account: origin.account.clone(),
            vouched_by: origin.vouched_by,
        }
    }
}

impl RecordedOrigin {
    /// What of a request's origin is kept.
    pub fn of(origin: &Origin) -> Self {
        Self {
            trigger: origin.kind,
            who: Who::of(origin),
            claimed_account: origin.claimed_account.clone(),
            source_ip: origin.source_ip.clone(),
            service: origin.service.clone(),
            request_id: origin.request_id.clone(),
        }
    }

    /// The origin again, in the invocation that carries the change out.
    pub fn in_invocation(&self, invocation: &Invocation) -> Origin {
        Origin {
            kind: self.trigger,
            principal: self.who.principal.clone(),
            account: self.who.account.clone(),
            claimed_account: self.claimed_account.clone(),
            vouched_by: self.who.vouched_by,
            source_ip: self.source_ip.clone(),
            service: self.service.clone(),
            request_id: self.request_id.clone(),
            received_at: None,
            invocation: invocation.clone(),
        }
    }
}
