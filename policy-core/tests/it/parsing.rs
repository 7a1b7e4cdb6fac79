//! How these tests parse a document, and what they look at.

use policy_core::policy::{ChangeId, Defaults, Form, Home, Rejected, Rules, document};

/// An instance id.
pub(crate) const ID: &str = "0123abcd-0000-4000-8000-00000000000f";

/// The rules of a function in `us-east-1` of 111122223333, with a role in 444455556666.
pub(crate) fn rules() -> Rules {
    Rules {
        home: Home { region: "us-east-1".into(), account: Some("111122223333".into()) },
        role_accounts: ["444455556666".to_owned()].into(),
        allow_empty_extensions: false,
    }
}

/// What a trigger supplies that gave the document this id.
pub(crate) fn defaults(change_id: &str) -> Defaults {
    let change_id = ChangeId::parse(change_id).unwrap();
    Defaults { change_id, if_unmodified_since: None, dry_run: false }
}

/// The pointer and the code of each violation.
pub(crate) fn violations(text: &str) -> Vec<(String, String)> {
    violations_of(text, &Form::Submission, &defaults("default"))
}

pub(crate) fn violations_of(text: &str, form: &Form, defaults: &Defaults) -> Vec<(String, String)> {
    match document::parse(text, form, defaults, &rules()) {
        Ok(_) => Vec::new(),
        Err(Rejected::Violations { violations, .. }) => {
            violations.into_iter().map(|v| (v.pointer, v.code.name().to_owned())).collect()
        }
        Err(Rejected::NotJson(message)) => panic!("{text}: {message}"),
    }
}

/// One violation as `violations` lists it.
pub(crate) fn at(pointer: &str, code: &str) -> (String, String) {
    (pointer.to_owned(), code.to_owned())
}
