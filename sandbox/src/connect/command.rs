//! The operations: how a request reads or changes the state, and what it answers.

use serde_json::{Value, json};
use time::OffsetDateTime;

use super::{
    caller::Caller,
    change::Change,
    configuration::Configuration,
    document,
    operation::{Operation, Route},
    page::Page,
    reference,
    refusal::Refusal,
    scope::Scope,
    state::State,
};

/// The largest page of scopes, `MaxResult100` of the service model.
const LARGEST_PAGE_OF_SCOPES: usize = 100;

/// The largest page of instances, `MaxResult10` of the service model.
const LARGEST_PAGE_OF_INSTANCES: usize = 10;

/// A request whose every member is within the model.
#[derive(Debug)]
pub(super) enum Command {
    Update { id: String, scope: Scope, change: Change },
    Describe { id: String, scope: Scope },
    List { id: String, page: Page },
    Instances { page: Page },
    Instance { id: String },
}

/// What an operation did and answers.
#[derive(Debug)]
pub(super) struct Done {
    pub body: Value,
    /// The configuration was written.
    pub effect: bool,
    /// Its values differ from those before.
    pub changed: bool,
}

impl Done {
    fn reading(body: Value) -> Self {
        Self { body, effect: false, changed: false }
    }
}

impl Command {
    /// Reads a request. Nothing is looked up yet: an invalid parameter is reported before an unknown
    /// instance.
    pub(super) fn read(
        route: &Route,
        query: Option<&str>,
        body: &[u8],
        caller: &Caller,
    ) -> Result<Self, Refusal> {
        let resource = || reference::decode(route.resource.unwrap_or_default());
        let id = || reference::instance_id(&resource()?, caller);
        let scope = || {
            let text = reference::decode(route.scope.unwrap_or_default())?;
            text.parse::<Scope>().map_err(|error| Refusal::invalid_parameter(error.to_string()))
        };
        let list = |of: &str| format!("{}/{}/{}/{of}", route.operation, caller.account, caller.region);
        Ok(match route.operation {
            Operation::UpdateAttachedFilesConfiguration => {
                Self::Update { id: id()?, scope: scope()?, change: Change::read(body)? }
            }
            Operation::DescribeAttachedFilesConfiguration => Self::Describe { id: id()?, scope: scope()? },
            Operation::ListAttachedFilesConfigurations => {
                let id = id()?;
                let page = Page::read(query, LARGEST_PAGE_OF_SCOPES, list(&id));
                Self::List { id, page: page.map_err(Refusal::invalid_parameter)? }
            }
            Operation::ListInstances => {
                let page = Page::read(query, LARGEST_PAGE_OF_INSTANCES, list(""));
                Self::Instances { page: page.map_err(Refusal::invalid_request)? }
            }
            // the operation does not model InvalidParameterException
            Operation::DescribeInstance => {
                Self::Instance { id: id().map_err(Refusal::into_invalid_request)? }
            }
        })
    }

    /// Carries the request out; with `spoilt`, an update stores another size than the one it asks for.
    pub(super) fn run(
        self,
        state: &mut State,
        caller: &Caller,
        now: OffsetDateTime,
        spoilt: bool,
    ) -> Result<Done, Refusal> {
        match self {
            Self::Update { id, scope, change } => update(state, caller, (&id, scope), change, now, spoilt),
            Self::Describe { id, scope } => {
                let body = document::configuration(&id, scope, &configured(state, caller, &id, scope)?);
                Ok(Done::reading(json!({ "AttachedFilesConfiguration": body })))
            }
            Self::List { id, page } => {
                let after = page.after().and_then(|after| after.parse::<Scope>().ok());
                let scopes = Scope::ALL.into_iter().filter(|scope| after.is_none_or(|after| *scope > after));
                let (scopes, next) = page.take(scopes, Scope::to_string);
                let summary = |scope| {
                    let configuration = configured(state, caller, &id, scope)?;
                    let summary = Configuration { last_modified: None, ..configuration };
                    Ok(document::configuration(&id, scope, &summary))
                };
                configured(state, caller, &id, Scope::Email)?;
                let summaries: Vec<Value> =
                    scopes.into_iter().map(summary).collect::<Result<_, Refusal>>()?;
                Ok(Done::reading(document::page("AttachedFilesConfigurations", summaries, next)))
            }
            Self::Instances { page } => {
                let (instances, next) =
                    page.take(state.visible_after(caller, page.after()), |instance| instance.id.clone());
                let summaries = instances.into_iter().map(document::instance).collect();
                Ok(Done::reading(document::page("InstanceSummaryList", summaries, next)))
            }
            Self::Instance { id } => {
                let instance = state.visible(&id, caller).ok_or_else(|| no_instance(&id))?;
                Ok(Done::reading(json!({ "Instance": document::instance_with_tags(instance) })))
            }
        }
    }
}

fn no_instance(id: &str) -> Refusal {
    Refusal::not_found(format!("there is no instance `{id}`"))
}

fn configured(state: &State, caller: &Caller, id: &str, scope: Scope) -> Result<Configuration, Refusal> {
    let instance = state.configurable(id, caller).ok_or_else(|| no_instance(id))?;
    state.effective(&instance.id, scope).ok_or_else(|| no_instance(id))
}

fn update(
    state: &mut State,
    caller: &Caller,
    (id, scope): (&str, Scope),
    change: Change,
    now: OffsetDateTime,
    spoilt: bool,
) -> Result<Done, Refusal> {
    let before = configured(state, caller, id, scope)?;
    let mut after =
        Configuration { last_modified: Some(document::to_the_millisecond(now)), ..change.apply(&before) };
    if spoilt {
        after.maximum_size_limit_in_bytes = another_size(after.maximum_size_limit_in_bytes);
    }
    let saved = state.configure(id, scope, after.clone());
    saved.map_err(|error| Refusal::internal(error.to_string()))?;
    Ok(Done {
        body: document::configuration(id, scope, &after),
        effect: true,
        changed: !after.same_values(&before),
    })
}

/// An allowed size other than this one.
fn another_size(asked: i64) -> i64 {
    if asked > 1 { asked / 2 } else { asked + 1 }
}

#[cfg(test)]
mod tests;
