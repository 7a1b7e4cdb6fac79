use hyper::Method;
use time::macros::datetime;

use super::*;
use crate::connect::instance::{Instance, InstanceStatus};

const NOW: OffsetDateTime = datetime!(2026-11-23 10:15:00.5 UTC);

fn caller() -> Caller {
    Caller { account: "111122223333".to_owned(), region: "us-east-1".to_owned() }
}

fn state() -> State {
    State::load((1..=12).map(Instance::numbered).collect(), None).unwrap()
}

fn call(state: &mut State, method: &Method, target: &str, body: &str) -> Result<Done, (u16, &'static str)> {
    let (path, query) = target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));
    let route = Route::find(method, path).unwrap();
    let command = Command::read(&route, query, body.as_bytes(), &caller());
    command
        .and_then(|command| command.run(state, &caller(), NOW, false))
        .map_err(|refusal| (refusal.status.as_u16(), refusal.name.unwrap()))
}

fn get(state: &mut State, target: &str) -> Result<Value, (u16, &'static str)> {
    call(state, &Method::GET, target, "").map(|done| done.body)
}

fn path(n: u32) -> String {
    format!("/attached-files-configurations/{}", Instance::numbered(n).id)
}

#[test]
fn an_update_answers_what_holds_and_when_it_was_written() {
    let mut state = state();
    let body = r#"{"ExtensionConfiguration": {"AllowedExtensions": [{"Extension": "pdf"}]}}"#;
    let done = call(&mut state, &Method::POST, &format!("{}/CHAT", path(1)), body).unwrap();
    let expected = json!({
        "InstanceId": Instance::numbered(1).id,
        "AttachmentScope": "CHAT",
        "MaximumSizeLimitInBytes": 20_971_520,
        "ExtensionConfiguration": {"AllowedExtensions": [{"Extension": "pdf"}]},
        "LastModifiedTime": 1_795_428_900.5,
    });
    assert_eq!(done.body, expected);
    assert!(done.effect && done.changed);
    let described = get(&mut state, &format!("{}/CHAT", path(1))).unwrap();
    assert_eq!(described, json!({ "AttachedFilesConfiguration": expected }));
}

#[test]
fn an_update_to_the_same_values_has_an_effect_but_changes_nothing() {
    let mut state = state();
    let body = r#"{"MaximumSizeLimitInBytes": 20971520}"#;
    let done = call(&mut state, &Method::POST, &format!("{}/CHAT", path(1)), body).unwrap();
    assert!(done.effect && !done.changed);
    let effective = state.effective(&Instance::numbered(1).id, Scope::Chat).unwrap();
    assert_eq!(effective.last_modified, Some(NOW));
}

#[test]
fn a_list_has_every_scope_once_and_no_times() {
    let mut state = state();
    let body = r#"{"MaximumSizeLimitInBytes": 5}"#;
    call(&mut state, &Method::POST, &format!("{}/CASE", path(1)), body).unwrap();
    let list = get(&mut state, &path(1)).unwrap();
    let items = list["AttachedFilesConfigurations"].as_array().unwrap();
    let seen: Vec<_> = items
        .iter()
        .map(|item| {
            (item["AttachmentScope"].as_str().unwrap(), item["MaximumSizeLimitInBytes"].as_i64().unwrap())
        })
        .collect();
    assert_eq!(seen, [("EMAIL", 20_971_520), ("CHAT", 20_971_520), ("CASE", 5), ("TASK", 20_971_520)]);
    assert!(items.iter().all(|item| item.get("LastModifiedTime").is_none()));
    assert!(list.get("NextToken").is_none());
}

#[test]
fn a_list_comes_in_pages() {
    let mut state = state();
    let first = get(&mut state, &format!("{}?maxResults=3", path(1))).unwrap();
    assert_eq!(first["AttachedFilesConfigurations"].as_array().unwrap().len(), 3);
    let token = first["NextToken"].as_str().unwrap();
    let second = get(&mut state, &format!("{}?maxResults=3&nextToken={token}", path(1))).unwrap();
    assert_eq!(second["AttachedFilesConfigurations"][0]["AttachmentScope"], "TASK");
    assert!(second.get("NextToken").is_none());
    let of_another = get(&mut state, &format!("{}?nextToken={token}", path(2)));
    assert_eq!(of_another, Err((400, "InvalidParameterException")));
}

#[test]
fn instances_come_ten_at_a_time() {
    let mut state = state();
    let first = get(&mut state, "/instance").unwrap();
    assert_eq!(first["InstanceSummaryList"].as_array().unwrap().len(), 10);
    let summary = &first["InstanceSummaryList"][0];
    assert_eq!(summary["Id"], Instance::numbered(1).id);
    assert_eq!(summary["Arn"], Instance::numbered(1).arn());
    assert_eq!(summary["InstanceAlias"], "sandbox-1");
    assert_eq!(summary["InstanceStatus"], "ACTIVE");
    let second =
        get(&mut state, &format!("/instance?nextToken={}", first["NextToken"].as_str().unwrap())).unwrap();
    assert_eq!(second["InstanceSummaryList"].as_array().unwrap().len(), 2);
    assert!(second.get("NextToken").is_none());
    // The operation does not model InvalidParameterException.
    assert_eq!(get(&mut state, "/instance?maxResults=11"), Err((400, "InvalidRequestException")));
    assert_eq!(get(&mut state, "/instance?nextToken=x"), Err((400, "InvalidRequestException")));
}

#[test]
fn instances_of_other_accounts_and_regions_are_not_listed() {
    let foreign = Instance { account: "444455556666".to_owned(), ..Instance::numbered(1) };
    let far = Instance { region: "us-west-2".to_owned(), ..Instance::numbered(2) };
    let mut state = State::load(vec![foreign, far, Instance::numbered(3)], None).unwrap();
    let list = get(&mut state, "/instance").unwrap();
    assert_eq!(list["InstanceSummaryList"].as_array().unwrap().len(), 1);
    assert_eq!(get(&mut state, &path(1)), Err((404, "ResourceNotFoundException")));
    assert_eq!(get(&mut state, &path(2)), Err((404, "ResourceNotFoundException")));
}

#[test]
fn an_instance_is_described_with_its_tags_by_its_id_or_its_arn() {
    let mut state = state();
    let tagged = Instance { tags: [("team".to_owned(), "a".to_owned())].into(), ..Instance::numbered(1) };
    let arn = |n| Instance::numbered(n).arn().replace(':', "%3A").replace('/', "%2F");
    let tags = |state: &mut State, name: &str| {
        get(state, &format!("/instance/{name}")).map(|body| body["Instance"]["Tags"].clone())
    };
    state.add(tagged).unwrap();
    assert_eq!(tags(&mut state, &arn(1)), Ok(json!({"team": "a"})));
    assert_eq!(tags(&mut state, &Instance::numbered(1).id), Ok(json!({"team": "a"})));
    assert_eq!(tags(&mut state, &arn(2)), Ok(json!({})));
    assert_eq!(tags(&mut state, &arn(99)), Err((404, "ResourceNotFoundException")));
    assert_eq!(tags(&mut state, &"i".repeat(101)), Err((400, "InvalidRequestException")));
}

#[test]
fn an_unknown_instance_is_not_found_but_only_if_the_request_is_in_order() {
    let mut state = state();
    assert_eq!(get(&mut state, &format!("{}/CHAT", path(99))), Err((404, "ResourceNotFoundException")));
    assert_eq!(get(&mut state, &path(99)), Err((404, "ResourceNotFoundException")));
    assert_eq!(get(&mut state, &format!("{}/chat", path(99))), Err((400, "InvalidParameterException")));
    let update = call(&mut state, &Method::POST, &format!("{}/CHAT", path(99)), "[]");
    assert_eq!(update.unwrap_err(), (400, "InvalidParameterException"));
}

#[test]
fn an_instance_that_is_not_active_is_listed_but_holds_no_configuration() {
    let mut state = state();
    state.add(Instance { status: InstanceStatus::CreationInProgress, ..Instance::numbered(1) }).unwrap();
    let list = get(&mut state, "/instance").unwrap();
    assert_eq!(list["InstanceSummaryList"][0]["InstanceStatus"], "CREATION_IN_PROGRESS");
    assert_eq!(get(&mut state, &path(1)), Err((404, "ResourceNotFoundException")));
}

#[test]
fn a_spoilt_update_stores_and_answers_another_size_that_is_allowed() {
    for (asked, held) in [(104_857_600, 52_428_800), (2, 1), (1, 2)] {
        let mut state = state();
        let target = format!("{}/CHAT", path(1));
        let route = Route::find(&Method::POST, &target).unwrap();
        let body = format!(r#"{{"MaximumSizeLimitInBytes": {asked}}}"#);
        let command = Command::read(&route, None, body.as_bytes(), &caller()).unwrap();
        let done = command.run(&mut state, &caller(), NOW, true).unwrap();
        assert_eq!(done.body["MaximumSizeLimitInBytes"], held);
        let effective = state.effective(&Instance::numbered(1).id, Scope::Chat).unwrap();
        assert_eq!(effective.maximum_size_limit_in_bytes, held);
    }
}
