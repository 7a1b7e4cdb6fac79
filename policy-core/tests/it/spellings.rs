//! No spelling gets round a guardrail: case, ARN forms, percent-encoding, look-alike letters, escapes, duplicate
//! keys.

mod dressed;

use crate::parsing::{parse, rules};
use dressed::{ALLOWED, instance, word};
use policy_core::policy::{
    Blocked, ExtensionSet, Guardrails, InstanceId, InstanceName, Instances, PolicyChange,
};
use proptest::prelude::*;

const BLOCKED: &str = "exe";

fn one(text: &str) -> Option<PolicyChange> {
    parse(text).ok().map(|mut document| document.changes.remove(0))
}

proptest! {
    /// The document is refused, or blocked, or names another extension. A blocked extension is never sent in another
    /// spelling.
    #[test]
    fn a_blocked_extension_is_blocked_in_every_spelling(written in word(BLOCKED), form in 0..6_usize) {
        let list = match form {
            0 => format!(r#""allowedExtensions":[{written}]"#),
            1 => format!(r#""AllowedExtensions":[{{"Extension":{written}}}]"#),
            2 => format!(r#""extensionConfiguration":{{"allowedExtensions":["pdf",{written}]}}"#),
            3 => format!(r#""ExtensionConfiguration":{{"AllowedExtensions":[{{"extension":{written}}}]}}"#),
            4 => format!(r#""allowedExtensions":["pdf"],"allowedExtensions":[{written}]"#),
            _ => format!(r#""allowedExtensions":[{written}],"extensionConfiguration":{{"allowedExtensions":["pdf"]}}"#),
        };
        let change = one(&format!(r#"{{"instanceId":"{ALLOWED}","attachmentScope":"CHAT",{list}}}"#));
        prop_assert!(form < 4 || change.is_none(), "two lists: {list}");
        if let Some(change) = change {
            let blocked_extensions = ExtensionSet::parse([BLOCKED]).unwrap();
            let guardrails = Guardrails { blocked_extensions, ..Guardrails::default() };
            let Instances::Named(named) = &change.instances else { unreachable!() };
            let sent = change.values.extensions.as_ref().unwrap();
            match guardrails.check(&named[0], &change) {
                Err(blocked) => prop_assert!(matches!(blocked, Blocked::Extensions(_)), "{blocked}"),
                Ok(()) => prop_assert!(sent.iter().all(|name| name.is_ascii() && !name.eq_ignore_ascii_case(BLOCKED))),
            }
        }
    }

    /// A name of an instance is refused, or is compared as the instance that the call would go to.
    #[test]
    fn an_instance_is_compared_as_the_one_that_a_call_would_go_to(written in instance(), by_arn in any::<bool>()) {
        let allowed = rules().home.instance(InstanceId::parse(ALLOWED).unwrap());
        let name = if by_arn { InstanceName::Arn(allowed.clone()) } else { InstanceName::Id(allowed.id.clone()) };
        let guardrails = Guardrails { allowed_instances: vec![name], ..Guardrails::default() };
        let text = format!(r#"{{"instanceId":{written},"attachmentScope":"CHAT","maximumSize":"1 MB"}}"#);
        if let Some(Instances::Named(named)) = one(&text).map(|change| change.instances) {
            for instance in named {
                let same = instance.id.as_str() == ALLOWED && (!by_arn || instance == allowed);
                prop_assert_eq!(guardrails.allows(&instance), same, "{}", written);
            }
        }
    }
}
