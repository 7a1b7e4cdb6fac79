//! Helpers: parse a document, list its violations, build a change.

use policy_core::aws::{AccountId, RegionName};
use policy_core::policy::{
    ChangeId, Defaults, Document, Form, Home, PolicyChange, Rejected, Rules, Violation, document,
};
use serde_json::{Value, json};

/// An instance id.
pub(crate) const ID: &str = "0123abcd-0000-4000-8000-00000000000f";

pub(crate) fn account(id: &str) -> AccountId {
    AccountId::parse(id).unwrap()
}

/// The rules of a function in `us-east-1` of 111122223333, with a role in 444455556666.
pub(crate) fn rules() -> Rules {
    let home =
        Home { region: RegionName::parse("us-east-1").unwrap(), account: Some(account("111122223333")) };
    Rules { role_accounts: [account("444455556666")].into(), ..Rules::at(home) }
}

/// The defaults of a trigger that supplies this id.
pub(crate) fn defaults(change_id: &str) -> Defaults {
    let change_id = ChangeId::parse(change_id).unwrap();
    Defaults { change_id, if_unmodified_since: None, dry_run: false }
}

pub(crate) fn parse(text: &str) -> Result<Document, Rejected> {
    document::parse(text, &Form::Submission, &defaults("default"), &rules())
}

/// The one change of a valid document.
pub(crate) fn change(value: &Value) -> PolicyChange {
    parse(&value.to_string()).unwrap().changes.remove(0)
}

/// Every violation, with its message.
pub(crate) fn refusal(parsed: Result<Document, Rejected>) -> Vec<Violation> {
    match parsed {
        Ok(_) => Vec::new(),
        Err(Rejected::Violations { violations, .. }) => violations,
        Err(Rejected::NotJson(message)) => panic!("{message}"),
    }
}

/// The pointer and the code of each violation.
pub(crate) fn violations(text: &str) -> Vec<(String, String)> {
    violations_of(text, &Form::Submission, &defaults("default"))
}

pub(crate) fn violations_of(text: &str, form: &Form, defaults: &Defaults) -> Vec<(String, String)> {
    let found = refusal(document::parse(text, form, defaults, &rules()));
    found.into_iter().map(|violation| at(&violation.pointer, violation.code.name())).collect()
}

/// One violation as `violations` lists it.
pub(crate) fn at(pointer: &str, code: &str) -> (String, String) {
    (pointer.to_owned(), code.to_owned())
}

/// A whole change with one field more, or replaced.
pub(crate) fn with(field: &str, value: Value) -> Value {
    let mut change =
        json!({"instanceId": ID, "attachmentScope": "CHAT", "maximumSizeLimitInBytes": 1_048_576});
    let others: &[&str] = match field {
        "instanceIds" => &["instanceId"],
        "attachmentScopes" => &["attachmentScope"],
        "maximumSize" => &["maximumSizeLimitInBytes"],
        _ => &[],
    };
    for other in others {
        change.as_object_mut().unwrap().remove(*other);
    }
    change[field] = value;
    change
}
