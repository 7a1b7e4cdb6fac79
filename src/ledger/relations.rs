//! A change that undoes another, or carries out a dry run.

use super::answer::{Recorded, Related, Relation};
use super::changes::{is_final, recorded};
use super::client::Transacted;
use super::condition::Condition;
use super::item::text;
use super::keys::Key;
use super::write::{Change, Write};
use super::{Ledger, LedgerError};
use policy_core::record::{ChangeRecord, Millis, RunName};

impl Ledger {
    /// Records a change that refers to a final run, and notes it there: so the run stays the record's newest one until
    /// then.
    ///
    /// `old`: the run of the new change before this one.
    pub async fn relate(
        &self,
        new: &ChangeRecord,
        old: Option<&ChangeRecord>,
        of: &RunName,
        relation: Relation,
        now: Millis,
    ) -> Result<Related, LedgerError> {
        let attribute = match relation {
            Relation::UndoneBy => "undone_by",
            Relation::AppliedBy => "applied_by",
        };
        let noted = Change::of(Key::change(&of.change_id))
            .set(attribute, text(&new.change_id))
            .when(Condition::All(vec![Condition::Is("key", text(of.key)), is_final()]));
        let mut writes = match old {
            None => vec![Write::Put(self.first_run(new, now))],
            Some(old) => self.as_next_run(old, new, now),
        };
        let its_own = writes.len() - 1;
        writes.push(Write::Update(noted));
        let reasons = match self.transact(writes).await? {
            Transacted::Now => return Ok(Related::Stored),
            Transacted::Not(reasons) => reasons,
        };
        match Transacted::refused(&reasons, its_own) {
            None => Ok(Related::Moved),
            Some(item) => Ok(match recorded(item, new)? {
                Recorded::Stored => Related::Stored,
                Recorded::Exists(there) => Related::Exists(there),
            }),
        }
    }
}
