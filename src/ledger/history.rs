//! A target's history.

use super::answer::Page;
use super::client::Lookup;
use super::index::{LAST, entries, merged, position};
use super::items::living;
use super::items::result::decode_past;
use super::{AFTER_THE_CHANGE, Ledger, LedgerError, keys};
use policy_core::record::{Millis, Past, Position, TargetName};

impl Ledger {
    /// A page of what real runs came to on a target, the newest first.
    pub async fn history(
        &self,
        target: &TargetName,
        before: Option<&Position>,
        limit: usize,
        now: Millis,
    ) -> Result<Page<Past>, LedgerError> {
        let highest = before.map_or_else(|| LAST.to_owned(), Position::key);
        // one more tells whether there is a next page, and one that is not below the position may come first
        let lookup = Lookup { limit: Some(limit + 2), ..entries(keys::history(target), "0", &highest) };
        let merged = merged(vec![self.look_up(&lookup, None).await?], &highest)?;
        let mut items = Vec::new();
        for (_, item) in merged.entries {
            // the change that leads to it has expired
            if let Some(item) = living(item, now.plus(AFTER_THE_CHANGE))? {
                items.push(decode_past(&item)?);
            }
        }
        let next = if items.len() > limit {
            items.truncate(limit);
            items.last().map(|last| Position::History { at: last.at, run: last.run.clone() })
        } else {
            merged.horizon.as_deref().and_then(position)
        };
        Ok(Page { items, next })
    }
}
