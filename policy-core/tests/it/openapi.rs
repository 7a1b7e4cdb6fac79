//! openapi.yaml has the code's enumerations, limits and routes. conformance/ checks everything else in it.

use crate::parsing::{at, violations, with};
use policy_core::origin::{IdentitySource, Invocation, Origin, TriggerKind};
use policy_core::policy::document::{MAX_CHANGES, MAX_GOVERNED_TARGETS, MAX_TARGETS};
use policy_core::policy::{ChangeId, InstanceName, MAX_EXTENSIONS, MAX_SIZE, Scope, ViolationCode};
use policy_core::record::{LaneState, MAX_PLAN, MAX_TOKEN, RecordStatus};
use policy_core::report::{OutcomeKind, Status};
use policy_core::trigger::http::Request;
use policy_core::trigger::http::route::{self, ChangesQuery, NoRoute, RecordQuery, Route};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

const OPENAPI: &str = include_str!("../../../openapi.yaml");
const ID: &str = "0123abcd-0000-4000-8000-00000000000f";
const METHODS: [&str; 8] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"];

/// The lines that are indented further than the one that holds only `key` and a colon.
fn below<'t>(text: &'t str, key: &str) -> Vec<&'t str> {
    let depth = |line: &str| line.len() - line.trim_start().len();
    let mut lines = text.lines().skip_while(|line| line.trim() != format!("{key}:"));
    let own = lines.next().map_or_else(|| panic!("no `{key}:`"), depth);
    lines.take_while(|line| line.is_empty() || depth(line) > own).collect()
}

/// The lines of a schema.
fn schema(name: &str) -> String {
    let schemas = below(OPENAPI, "schemas").join("\n");
    below(&schemas, name).join("\n")
}

/// What follows `key: ` at its first place in a schema.
fn value<'s>(schema: &'s str, key: &str) -> &'s str {
    let (_, rest) = schema.split_once(&format!("{key}: ")).unwrap_or_else(|| panic!("no {key} in {schema}"));
    rest.split(['\n', '}', ',']).next().unwrap()
}

fn number(name: &str, key: &str) -> usize {
    value(&schema(name), key).parse().unwrap()
}

/// The names of an enumeration, on one line or one on each.
fn names(name: &str) -> Vec<String> {
    let schema = schema(name);
    if let Some((_, list)) = schema.split_once("enum: [") {
        return list.split_once(']').unwrap().0.split(", ").map(str::to_owned).collect();
    }
    below(&schema, "enum").iter().map(|line| line.trim().strip_prefix("- ").unwrap().to_owned()).collect()
}

#[test]
fn every_enumeration_is_the_codes_own() {
    let violations: Vec<_> = ViolationCode::ALL.iter().map(|code| code.name()).collect();
    assert_eq!(names("ViolationCode"), violations);
    assert_eq!(names("Scope"), Scope::ALL.map(|scope| scope.to_string()));
    let outcomes: Vec<_> = OutcomeKind::ALL.iter().map(|kind| kind.name()).collect();
    assert_eq!(names("Outcome"), outcomes);
    let statuses: Vec<_> = Status::ALL.iter().map(|status| status.name()).collect();
    assert_eq!(names("Status"), statuses);
    let statuses: Vec<_> = RecordStatus::ALL.iter().map(|status| status.name()).collect();
    assert_eq!(names("RecordStatus"), statuses);
    let states: Vec<_> = LaneState::ALL.iter().map(|state| state.name()).collect();
    assert_eq!(names("Lane"), states);
    let sources: Vec<_> = IdentitySource::ALL.iter().map(|source| source.name()).collect();
    assert_eq!(names("VouchedBy"), sources);
    let origins = TriggerKind::DEFAULT.into_iter().chain([TriggerKind::Cloudformation]);
    assert_eq!(names("Origin"), origins.map(TriggerKind::name).collect::<Vec<_>>());
}

/// The document at a limit, and the violation of the one that goes beyond it by one.
fn assert_ends_at(limit: usize, of: impl Fn(usize) -> Value, pointer: &str, code: &str) {
    assert_eq!(violations(&of(limit).to_string()), [], "{pointer} {limit}");
    assert_eq!(violations(&of(limit + 1).to_string()), [at(pointer, code)], "{limit}");
}

#[test]
fn every_limit_is_the_one_that_the_code_keeps() {
    assert_eq!(number("PolicyChanges", "maxItems"), MAX_CHANGES);
    assert_eq!(number("Instances", "maxItems"), MAX_GOVERNED_TARGETS);
    assert_eq!(number("Bytes", "maximum"), usize::try_from(MAX_SIZE).unwrap());
    assert_eq!(number("NextToken", "maxLength"), MAX_TOKEN);
    let targets = schema("PolicyChange");
    assert!(targets.contains("at most 1,000 in a document") && MAX_TARGETS == 1_000);
    assert!(targets.contains("10,000 with a ledger") && MAX_GOVERNED_TARGETS == 10_000);
    assert!(OPENAPI.contains("more than 307,200 bytes in normal") && MAX_PLAN == 307_200);
    for list in ["Extensions", "SomeExtensions"] {
        assert_eq!(number(list, "maxItems"), MAX_EXTENSIONS);
    }
    let text = |field: &'static str| move |length: usize| with(field, json!("x".repeat(length)));
    for (name, field, code) in [
        ("Reason", "reason", "TooLong"),
        ("RequestedBy", "requestedBy", "TooLong"),
        ("ChangeId", "changeId", "InvalidChangeId"),
        ("ChosenId", "changeId", "InvalidChangeId"),
    ] {
        assert_ends_at(number(name, "maxLength"), text(field), &format!("/{field}"), code);
    }
    let tagged = |length: usize| {
        let mut change = with("instanceId", json!("*"));
        change["instanceTags"] = json!({"k".repeat(length): "v"});
        change
    };
    assert_ends_at(number("Tags", "maxLength"), tagged, "/instanceTags", "InvalidTags");
    let pattern = schema("Extension");
    let (_, longest) = pattern.split_once("{1,").unwrap();
    let longest = longest.split_once('}').unwrap().0.parse().unwrap();
    let extension = |length: usize| with("allowedExtensions", json!(["x".repeat(length)]));
    assert_ends_at(longest, extension, "/allowedExtensions/0", "InvalidExtension");
}

/// The documented methods of each path.
fn operations() -> BTreeMap<String, Vec<String>> {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut path = "";
    for line in below(OPENAPI, "paths") {
        let key = line.trim().trim_end_matches(':');
        if line.starts_with("  /") {
            path = key;
        } else if line.starts_with("    ") && !line.starts_with("     ") {
            let method = METHODS.iter().find(|method| **method == key.to_uppercase());
            found.entry(path.to_owned()).or_default().extend(method.map(|method| (*method).to_owned()));
        }
    }
    found
}

fn request(method: &str, path: &str) -> Request {
    Request {
        origin: Origin::invoker(&Invocation::default()),
        is_version_2: true,
        method: method.to_owned(),
        path: path.replace("{instanceId}", ID).replace("{scope}", "CHAT").replace("{changeId}", "CHG-1"),
        stage: None,
        query: Vec::new(),
        content_type: None,
        if_match: None,
        body: Ok(None),
    }
}

/// The operation of a route. A new variant does not compile until it has one here, and fails until openapi.yaml
/// has it too.
fn operation(route: &Route) -> (&'static str, &'static str) {
    match route {
        Route::Submit { .. } => ("POST", "/policy-changes"),
        Route::Patch { .. } => ("PATCH", "/instances/{instanceId}/attachment-policies/{scope}"),
        Route::Read(_, None) => ("GET", "/instances/{instanceId}/attachment-policies"),
        Route::Read(_, Some(_)) => ("GET", "/instances/{instanceId}/attachment-policies/{scope}"),
        Route::Changes(_) => ("GET", "/policy-changes"),
        Route::Record(..) => ("GET", "/policy-changes/{changeId}"),
        Route::History(..) => ("GET", "/instances/{instanceId}/attachment-policies/{scope}/history"),
        Route::Restore { .. } => ("POST", "/instances/{instanceId}/attachment-policies/{scope}/restore"),
        Route::Release(..) => ("DELETE", "/instances/{instanceId}/attachment-policies/{scope}/declaration"),
        Route::Undo { .. } => ("POST", "/policy-changes/{changeId}/undo"),
        Route::Apply(_) => ("POST", "/policy-changes/{changeId}/apply"),
        Route::Cancel(_) => ("POST", "/policy-changes/{changeId}/cancel"),
        Route::Frozen => ("GET", "/freeze"),
        Route::Freeze => ("PUT", "/freeze"),
        Route::Thaw => ("DELETE", "/freeze"),
    }
}

#[test]
fn every_path_has_the_documented_methods_and_no_others() {
    let documented = operations();
    for (path, methods) in &documented {
        for method in METHODS {
            let found = route::of(&request(method, path), true).map(|route| operation(&route));
            if methods.iter().any(|documented| documented == method) {
                assert_eq!(found, Ok((method, path.as_str())));
            } else {
                let Err(NoRoute::MethodNotAllowed(allowed)) = found else {
                    panic!("{method} {path}: {found:?}")
                };
                assert_eq!(allowed, methods.join(", "), "{path}");
            }
        }
    }
}

#[test]
fn the_header_allow_has_the_methods_of_every_path() {
    let header = below(OPENAPI, "Allow").join("\n");
    let name = |line: &str| line.trim().trim_start_matches("- ").trim_matches('\'').to_owned();
    let listed: BTreeSet<_> = below(&header, "enum").into_iter().map(name).collect();
    let mut sent: BTreeSet<_> = operations().values().map(|methods| methods.join(", ")).collect();
    // without a ledger, there is no list of changes
    let standalone = route::of(&request("GET", "/policy-changes"), false);
    assert_eq!(standalone, Err(NoRoute::MethodNotAllowed("POST")));
    sent.insert("POST".to_owned());
    assert_eq!(listed, sent);
}

#[test]
fn every_route_is_documented() {
    let documented = operations();
    let instance = InstanceName::parse(ID).unwrap();
    let id = ChangeId::parse("CHG-1").unwrap();
    let routes = [
        Route::Submit { dry_run: false },
        Route::Patch { instance: instance.clone(), scope: Scope::Chat, dry_run: false },
        Route::Read(instance.clone(), None),
        Route::Read(instance.clone(), Some(Scope::Chat)),
        Route::Changes(ChangesQuery::default()),
        Route::Record(id.clone(), RecordQuery::default()),
        Route::History(instance.clone(), Scope::Chat, None),
        Route::Restore { instance: instance.clone(), scope: Scope::Chat, dry_run: false },
        Route::Release(instance, Scope::Chat),
        Route::Undo { change: id.clone(), dry_run: false },
        Route::Apply(id.clone()),
        Route::Cancel(id),
        Route::Frozen,
        Route::Freeze,
        Route::Thaw,
    ];
    for route in &routes {
        let (method, path) = operation(route);
        assert!(documented[path].iter().any(|documented| documented == method), "{method} {path}");
    }
    assert_eq!(documented.values().map(Vec::len).sum::<usize>(), routes.len());
}
