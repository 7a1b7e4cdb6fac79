//! Where a recorded change came from: kept with its record, so that a worker's audit names who asked for it.

use super::{RecordedOrigin, Who};
use crate::origin::{Invocation, Origin};

/// The most characters that are kept of a text of an envelope. EventBridge's sources end at 256, and its own ids, accounts
/// and replays' names before that; but whoever may send to a queue can write any. An item above 400 KB is refused however
/// often it is written, and all that time its message holds up every one behind it. A record keeps 100 replays' names.
const LONGEST: usize = 256;

/// What of an envelope's text is kept.
pub(crate) fn cut(text: &str) -> String {
    text.chars().take(LONGEST).collect()
}

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
            claimed_account: origin.claimed_account.as_deref().map(cut),
            source_ip: origin.source_ip.as_deref().map(cut),
            service: cut(&origin.service),
            request_id: origin.request_id.as_deref().map(cut),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_envelope_brings_along_is_kept_up_to_a_length() {
        let text = |letter: &str, count: usize| Some(letter.repeat(count));
        for (count, kept) in [(1, 1), (LONGEST, LONGEST), (LONGEST + 1, LONGEST), (450_000, LONGEST)] {
            let origin = Origin {
                claimed_account: text("1", count),
                source_ip: text("i", count),
                service: "é".repeat(count),
                request_id: text("r", count),
                ..Origin::invoker(&Invocation::default())
            };
            let recorded = RecordedOrigin::of(&origin);
            assert_eq!(recorded.claimed_account, text("1", kept), "{count}");
            assert_eq!(recorded.source_ip, text("i", kept), "{count}");
            assert_eq!(recorded.service, "é".repeat(kept), "{count}");
            assert_eq!(recorded.request_id, text("r", kept), "{count}");
        }
    }
}
