//! What a policy change says: its vocabulary, its rules, and every way a document can break them.
//!
//! Pure: no input or output, no AWS SDK, nothing from the other modules but [`crate::aws`]. Everything here is
//! parsed once ([`document::parse`]); the types then carry the knowledge, and nothing downstream checks again.

mod adjustments;
mod canonical;
mod change_id;
mod configuration;
pub mod document;
mod entity_tag;
mod extensions;
mod field;
mod guardrail;
mod instance;
mod json;
mod lane_name;
mod order;
mod places;
mod reader;
pub mod request;
mod scope;
mod selector;
mod size;
mod violation;
mod violations;

pub use adjustments::{Adjustments, Limits, NotComputed};
pub use change_id::ChangeId;
pub use configuration::Configuration;
pub use document::{Declaration, Defaults, Document, Form, OnDelete, Rejected};
pub use entity_tag::{IfMatch, entity_tag, entity_tag_of_all};
pub use extensions::{ExtensionSet, MAX_EXTENSIONS};
pub use guardrail::{Blocked, Guardrails};
pub use instance::{Home, Instance, InstanceId, InstanceName, percent_decoded};
pub use lane_name::LaneName;
pub use places::Places;
pub use scope::Scope;
pub use size::{MAX_SIZE, MaxSize};
pub use violation::{InvalidValue, Violation, ViolationCode};

use crate::aws::{AccountId, RegionName};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use time::OffsetDateTime;

/// One validated policy change: targets (instances × scopes) and the values they are to hold.
#[derive(Debug, Clone, PartialEq)]
pub struct PolicyChange {
    /// Correlates the request, the audit and the report.
    pub change_id: ChangeId,
    /// Which instances.
    pub instances: Instances,
    /// Which scopes of each, in the order they were named, without duplicates.
    pub scopes: Vec<Scope>,
    /// What they are to hold.
    pub values: Values,
    /// Values relative to what each holds.
    pub adjustments: Adjustments,
    /// Only targets that were not modified after this instant are changed.
    pub if_unmodified_since: Option<OffsetDateTime>,
    /// Why, in the requester's words.
    pub reason: Option<String>,
    /// Who, in the requester's words: a claim, never the verified identity.
    pub requested_by: Option<String>,
    /// `If-Match` of a PATCH: only a target that holds one of these values is changed.
    pub if_match: Option<IfMatch>,
    /// Report what would change, change nothing.
    pub dry_run: bool,
    /// Update even where nothing would change: pins a value that equals the default.
    pub force: bool,
    /// Whether targets are only compared with what the ledger says that they should hold: then it is a dry run without
    /// values.
    pub checks_drift: bool,
    /// What is allowed but probably a mistake.
    pub warnings: Vec<Violation>,
}

/// The instances a change names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Instances {
    /// By id or ARN, in the order they were named, without duplicates.
    Named(Vec<Instance>),
    /// `"*"`, and whole accounts and Regions: every ACTIVE instance there that carries every tag.
    All {
        /// Where.
        places: Places,
        /// Tag key → accepted values; empty: no condition.
        tags: BTreeMap<String, BTreeSet<String>>,
    },
}

/// The values of a change. An omitted one keeps what the instance has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Values {
    /// `MaximumSizeLimitInBytes`.
    pub max_size: Option<MaxSize>,
    /// `ExtensionConfiguration.AllowedExtensions`, replaced as a whole.
    pub extensions: Option<ExtensionSet>,
}

impl Values {
    /// Whether there is nothing to send.
    pub const fn is_empty(&self) -> bool {
        self.max_size.is_none() && self.extensions.is_none()
    }
}

/// What an operator decided about documents, as opposed to what AWS allows.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a decision of its own")]
pub struct Rules {
    /// Where this function runs: completes a bare instance id.
    pub home: Home,
    /// Accounts for which `CONNECT_ROLE_ARNS` has a role.
    pub role_accounts: BTreeSet<AccountId>,
    /// `CONNECT_REGIONS`: what `*` means in the place of a Region. Shared, because each invocation has its own rules.
    pub regions: Arc<[RegionName]>,
    /// `POLICY_ALLOW_EMPTY_EXTENSIONS`: an empty list may lock every customer out.
    pub allow_empty_extensions: bool,
    /// Whether there are guardrails that `enforceGuardrails` can enforce.
    pub can_enforce_guardrails: bool,
    /// Whether a ledger remembers changes: an id is then the name of a record and part of a path.
    pub governed: bool,
    /// Whether every account counts as one that has a role.
    pub takes_every_account: bool,
}

impl Rules {
    /// The defaults for a function that runs in `home`: no roles, no other Region, no empty lists, no guardrails.
    pub fn at(home: Home) -> Self {
        Self {
            regions: [home.region.clone()].into(),
            home,
            role_accounts: BTreeSet::new(),
            allow_empty_extensions: false,
            can_enforce_guardrails: false,
            governed: false,
            takes_every_account: false,
        }
    }

    /// The same for a document that was accepted before: what an operator has decided since does not matter to it.
    /// Guardrails and roles still decide about each of its targets.
    #[must_use]
    pub fn of_what_was_accepted(&self) -> Self {
        Self {
            allow_empty_extensions: true,
            can_enforce_guardrails: true,
            governed: true,
            takes_every_account: true,
            ..self.clone()
        }
    }

    /// Whether the instance is in the function's own account, or in one that has a role here.
    pub fn reaches(&self, instance: &Instance) -> bool {
        instance.account.is_none_or(|account| self.reaches_account(account))
    }

    /// Whether it is the function's own account, or one that has a role here.
    pub fn reaches_account(&self, account: AccountId) -> bool {
        self.takes_every_account
            || self.home.account.is_none_or(|own| account == own)
            || self.role_accounts.contains(&account)
    }
}
