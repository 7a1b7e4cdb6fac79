//! A server as a whole: start, quota, latency, state, journal, end.

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use sandbox::connect::{Configuration, Connect, Instance, InstanceStatus, Operation, Options, Rate, Scope};
use time::macros::datetime;
use tokio::net::TcpStream;

use crate::client::{Request, path, update};

#[tokio::test]
async fn a_full_quota_throttles_without_an_effect_and_in_its_own_bucket() {
    let rate = Some(Rate { per_second: 0.001, burst: 2, shared: false });
    let connect = Connect::start(Options { rate, ..Options::default() }).await.unwrap();
    let mut seen = Vec::new();
    for size in [5, 6, 7] {
        seen.push(update(1, size).send(&connect).await.status.unwrap());
    }
    assert_eq!(seen, [200, 200, 429]);
    let last = connect.journal().pop().unwrap();
    assert_eq!((last.error.as_deref(), last.effect, last.fault), (Some("ThrottlingException"), false, None));
    let held = connect.configuration(&Instance::numbered(1).id, Scope::Chat).unwrap();
    assert_eq!(held.maximum_size_limit_in_bytes, 6);
    assert_eq!(Request::new("GET", path(1)).send(&connect).await.status, Some(200));
    let throttled = update(2, 5).send(&connect).await;
    assert_eq!(throttled.json()["Message"], "Rate exceeded");
    let elsewhere = update(2, 5).signed_by("test", "us-west-2").send(&connect).await;
    assert_eq!(elsewhere.error(), (404, "ResourceNotFoundException"));
}

#[tokio::test]
async fn a_throttled_request_does_not_use_up_a_script() {
    let rate = Some(Rate { per_second: 0.001, burst: 1, shared: true });
    let connect = Connect::start(Options { rate, ..Options::default() }).await.unwrap();
    assert_eq!(Request::new("GET", "/instance").send(&connect).await.status, Some(200));
    connect.script(Operation::UpdateAttachedFilesConfiguration, [Some(sandbox::connect::Fault::NotFound)]);
    assert_eq!(update(1, 5).send(&connect).await.error(), (429, "ThrottlingException"));
}

#[tokio::test]
async fn latency_delays_every_answer() {
    let latency = Duration::from_millis(120);
    let connect = Connect::start(Options { latency, ..Options::default() }).await.unwrap();
    let start = Instant::now();
    update(1, 5).send(&connect).await;
    assert!(start.elapsed() >= latency);
}

#[tokio::test]
async fn the_console_changes_values_without_a_request() {
    let clock = || datetime!(2026-11-23 10:15:00.250 UTC);
    let connect = Connect::start(Options { clock, ..Options::default() }).await.unwrap();
    let id = Instance::numbered(1).id;
    assert_eq!(connect.configuration(&id, Scope::Task), Some(Configuration::default()));
    let small = Configuration { maximum_size_limit_in_bytes: 1, ..Configuration::default() };
    connect.put(&id, Scope::Task, small.clone());
    let answer = Request::new("GET", format!("{}/TASK", path(1))).send(&connect).await;
    let configuration = &answer.json()["AttachedFilesConfiguration"];
    assert_eq!(configuration["MaximumSizeLimitInBytes"], 1);
    assert_eq!(configuration["LastModifiedTime"], 1_795_428_900.25);
    let earlier = Some(datetime!(2020-01-01 00:00 UTC));
    connect.put(&id, Scope::Task, Configuration { last_modified: earlier, ..small });
    assert_eq!(connect.configuration(&id, Scope::Task).unwrap().last_modified, earlier);
    assert_eq!(connect.journal().len(), 1);
}

#[tokio::test]
async fn instances_come_and_go() {
    let connect = Connect::start(Options::default()).await.unwrap();
    connect.remove_instance(&Instance::numbered(1).id);
    assert_eq!(update(1, 5).send(&connect).await.error(), (404, "ResourceNotFoundException"));
    let created = Instance { status: InstanceStatus::CreationInProgress, ..Instance::numbered(9) };
    connect.add_instance(created.clone());
    assert_eq!(connect.instances(), [Instance::numbered(2), Instance::numbered(3), created]);
    assert_eq!(connect.configuration(&Instance::numbered(1).id, Scope::Chat), None);
}

#[tokio::test]
async fn the_journal_keeps_the_order_and_can_be_cleared() {
    let connect = Connect::start(Options::default()).await.unwrap();
    let mut followed = connect.follow();
    update(1, 5).send(&connect).await;
    update(1, 5).send(&connect).await;
    let seen: Vec<_> =
        connect.journal().iter().map(|entry| (entry.sequence, entry.effect, entry.changed)).collect();
    assert_eq!(seen, [(1, true, true), (2, true, false)]);
    connect.clear_journal();
    assert!(connect.journal().is_empty());
    update(1, 6).send(&connect).await;
    assert_eq!(connect.journal().remove(0).sequence, 3);
    for sequence in 1..=3 {
        assert_eq!(followed.recv().await.unwrap().sequence, sequence);
    }
}

#[tokio::test]
async fn a_sandbox_with_a_state_file_goes_on_where_it_stopped() {
    let file = std::env::temp_dir().join(format!("sandbox-connect-{}.json", std::process::id()));
    let options = || Options { state: Some(PathBuf::from(&file)), ..Options::default() };
    let first = Connect::start(options()).await.unwrap();
    update(1, 5).send(&first).await;
    let held = first.configuration(&Instance::numbered(1).id, Scope::Chat);
    drop(first);
    let second = Connect::start(options()).await.unwrap();
    assert_eq!(second.configuration(&Instance::numbered(1).id, Scope::Chat), held);
    assert_eq!(held.unwrap().maximum_size_limit_in_bytes, 5);
    std::fs::remove_file(&file).unwrap();
}

#[tokio::test]
async fn the_journals_file_has_an_entry_before_its_client_has_the_answer() {
    let file = std::env::temp_dir().join(format!("sandbox-journal-{}.jsonl", std::process::id()));
    let options = Options { journal: Some(PathBuf::from(&file)), ..Options::default() };
    let connect = Connect::start(options).await.unwrap();
    for count in 1..=20 {
        update(1, count).send(&connect).await;
        let lines = std::fs::read_to_string(&file).unwrap();
        let last: serde_json::Value = serde_json::from_str(lines.lines().last().unwrap()).unwrap();
        assert_eq!((last["sequence"].as_i64(), last["status"].as_u64()), (Some(count), Some(200)));
    }
    std::fs::remove_file(&file).unwrap();
    let nowhere = Options { journal: Some("/nowhere/calls.jsonl".into()), ..Options::default() };
    let error = Connect::start(nowhere).await.unwrap_err().to_string();
    assert!(error.starts_with("cannot write the journal `/nowhere/calls.jsonl`: "), "{error}");
}

#[tokio::test]
async fn a_port_that_is_taken_is_an_error() {
    let connect = Connect::start(Options::default()).await.unwrap();
    let port = connect.url().rsplit_once(':').unwrap().1.parse().unwrap();
    let error = Connect::start(Options { port, ..Options::default() }).await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::AddrInUse);
}

#[tokio::test]
async fn dropping_it_closes_the_port_and_open_connections() {
    let connect = Connect::start(Options::default()).await.unwrap();
    let address = connect.url().strip_prefix("http://").unwrap().to_owned();
    let mut open = TcpStream::connect(&address).await.unwrap();
    assert_eq!(update(1, 5).send_on(&mut open).await.status, Some(200));
    drop(connect);
    let ended = tokio::time::timeout(Duration::from_secs(10), update(1, 5).send_on(&mut open)).await.unwrap();
    assert_eq!(ended.status, None);
    assert!(TcpStream::connect(&address).await.is_err());
}
