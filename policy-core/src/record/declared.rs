//! A change that carries out a generation of a declared resource, and what it makes of its targets' owners.

use crate::declare::{self, Claim, DeclaredElsewhere, Leaver, Owner, RequestType};
use crate::policy::{Configuration, OnDelete, Values};

/// Which generation of which resource a change carries out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declared {
    /// The resource's stack, as its request claims.
    pub stack_id: String,
    /// Its name there.
    pub logical_id: String,
    /// The generation.
    pub generation: u32,
    /// What was asked.
    pub kind: RequestType,
    /// What becomes of the values of targets that the resource leaves.
    pub on_delete: OnDelete,
    /// The resource's last generation that succeeded before.
    pub last_success: Option<u32>,
    /// Targets that were left with values that should have been put back.
    pub left: u32,
}

/// What the end of an update makes of its target's owner.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Handover {
    /// Nothing: whoever owns it goes on to.
    #[default]
    Stays,
    /// Whose it is then.
    To(Owner),
    /// Nobody's.
    Released,
}

impl Declared {
    /// The resource, as one that leaves a target.
    pub fn leaver(&self) -> Leaver<'_> {
        Leaver {
            stack_id: &self.stack_id,
            logical_id: &self.logical_id,
            on_delete: self.on_delete,
            last_success: self.last_success,
        }
    }

    /// Whose a target is once it holds `values`, where it held `before`.
    ///
    /// # Errors
    /// It is another stack's.
    pub fn claims(
        &self,
        owner: Option<&Owner>,
        values: &Values,
        before: &Configuration,
    ) -> Result<Handover, DeclaredElsewhere> {
        let claim = Claim {
            logical_id: self.logical_id.clone(),
            generation: self.generation,
            first: self.generation,
            declared: values.clone(),
        };
        declare::claimed(owner, &self.stack_id, claim, before).map(Handover::To)
    }

    /// Whose a target is once the resource has left it.
    pub fn leaves(&self, owner: Option<&Owner>) -> Handover {
        let left = declare::left(owner, &self.leaver(), &Configuration::default());
        left.owner.map_or(Handover::Released, Handover::To)
    }

    /// The resource's claim on a target, where it was set by an earlier generation.
    pub fn earlier_claim<'o>(&self, owner: Option<&'o Owner>) -> Option<&'o Claim> {
        let owner = owner.filter(|owner| owner.stack_id == self.stack_id)?;
        let own = |claim: &&Claim| claim.logical_id == self.logical_id && claim.generation < self.generation;
        owner.claims.iter().find(own)
    }
}
