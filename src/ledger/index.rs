//! What the index of lists knows. It may be a moment behind, so nothing that decides reads it.

use super::LedgerError;
use super::client::{Found, Lookup};
use super::condition::Condition;
use super::item::{Fields, Item, text};
use policy_core::policy::ChangeId;
use policy_core::record::{Millis, Position, RunName};

/// A text above every sort key, and above every change's id.
pub(super) const LAST: &str = "~";

/// Entries of a partition within two sort keys, the newest first.
pub(super) fn entries(list: String, lowest: &str, highest: &str) -> Lookup {
    let keys = vec![Condition::Is("list", text(list)), Condition::Between("at", text(lowest), text(highest))];
    Lookup {
        index: Some("listed"),
        is_consistent: false,
        descending: true,
        ..Lookup::of(Condition::All(keys))
    }
}

/// Entries of several partitions, merged.
pub(super) struct Merged {
    /// With their sort keys, the newest first, down to the newest one up to which every partition was read.
    pub(super) entries: Vec<(String, Item)>,
    /// That one's sort key, where there may be more.
    pub(super) horizon: Option<String>,
}

/// Merges what was read of several partitions, without what is not below `highest`.
pub(super) fn merged(found: Vec<Found>, highest: &str) -> Result<Merged, LedgerError> {
    let mut entries = Vec::new();
    let mut horizon: Option<String> = None;
    for part in found {
        if let Some(last) = part.last {
            horizon = horizon.max(Some(at(&last)?));
        }
        for item in part.items {
            entries.push((at(&item)?, item));
        }
    }
    entries.retain(|(at, _)| at.as_str() < highest && horizon.as_ref().is_none_or(|horizon| at >= horizon));
    entries.sort_by(|one, other| other.0.cmp(&one.0));
    Ok(Merged { entries, horizon })
}

fn at(item: &Item) -> Result<String, LedgerError> {
    Ok(Fields::of(item).text("at")?.to_owned())
}

/// The place of an entry in its list.
pub(super) fn position(at: &str) -> Option<Position> {
    let (at, rest) = at.split_once('#')?;
    let at = Millis::parse(at)?;
    match ChangeId::parse(rest) {
        Some(change_id) => Some(Position::Listed { at, change_id }),
        None => Some(Position::History { at, run: RunName::parse(rest)? }),
    }
}

#[cfg(test)]
mod tests {
    use super::super::item::Draft;
    use super::*;

    fn entry(at: &str) -> Item {
        Draft::default().with("at", text(at)).done()
    }

    fn found(entries: &[&str], last: Option<&str>) -> Found {
        Found { items: entries.iter().map(|at| entry(at)).collect(), last: last.map(entry) }
    }

    fn keys(found: Vec<Found>, highest: &str) -> (Vec<String>, Option<String>) {
        let merged = merged(found, highest).unwrap();
        (merged.entries.into_iter().map(|(at, _)| at).collect(), merged.horizon)
    }

    #[test]
    fn what_is_merged_ends_where_the_first_partition_was_not_read_on() {
        let parts =
            || vec![found(&["9", "5", "4"], Some("4")), found(&["8", "7"], Some("6")), found(&["3"], None)];
        assert_eq!(keys(parts(), LAST), (vec!["9".into(), "8".into(), "7".into()], Some("6".into())));
        assert_eq!(keys(parts(), "9"), (vec!["8".into(), "7".into()], Some("6".into())));
        let whole = vec![found(&["2"], None), found(&["3", "1"], None)];
        assert_eq!(keys(whole, LAST), (vec!["3".into(), "2".into(), "1".into()], None));
    }

    #[test]
    fn a_place_is_that_of_a_change_or_of_a_run() {
        let id = ChangeId::parse("CHG/1").unwrap();
        let at = Millis(1_700_000_000_000);
        let listed = Position::Listed { at, change_id: id.clone() };
        let key = policy_core::record::RunKey(Millis(1_700_000_000_001));
        let history = Position::History { at, run: RunName { change_id: id, key } };
        for place in [listed, history] {
            assert_eq!(position(&place.key()), Some(place));
        }
        for bad in ["", "1700000000000", "17#CHG", "1700000000000#a#b"] {
            assert_eq!(position(bad), None, "{bad}");
        }
    }
}
