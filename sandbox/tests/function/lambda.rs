use crate::stand_in;
use sandbox::lambda::{Answer, Function, Invocation, Invoke, LARGEST_ANSWER, Launch};
use serde_json::{Value, json};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

async fn start(launch: Launch) -> Function {
    Function::start(launch).await.expect("a started function")
}

fn launch() -> Launch {
    Launch::new(stand_in(), "http://127.0.0.1:1")
}

async fn invoke(function: &Function, order: Value) -> Invocation {
    function.invoke(order.to_string().as_bytes()).await
}

fn response(invocation: &Invocation) -> Value {
    match &invocation.outcome {
        Answer::Response(bytes) => serde_json::from_slice(bytes).expect("JSON"),
        other => panic!("not a response: {other:?}"),
    }
}

fn runs(pid: u32) -> bool {
    Path::new(&format!("/proc/{pid}")).exists()
}

#[tokio::test]
async fn an_invocation_carries_what_lambda_sends() {
    let function = start(launch()).await;
    let before = time::OffsetDateTime::now_utc();
    let invocation = invoke(&function, json!({"hello": "world"})).await;
    let seen = response(&invocation);
    assert_eq!(seen["payload"], json!({"hello": "world"}));
    assert_eq!(seen["requestId"], invocation.request_id);
    assert_eq!(seen["region"], "us-east-1");
    assert_eq!(seen["home"], Value::Null, "the environment is the function's own");
    assert_eq!(seen["arn"], "arn:aws:lambda:us-east-1:111122223333:function:connect-attachment-policy");
    let deadline: i128 = seen["deadlineMs"].as_str().and_then(|text| text.parse().ok()).expect("a number");
    let left = deadline - before.unix_timestamp_nanos() / 1_000_000;
    assert!((30_000..40_000).contains(&left), "{left}");
}

#[tokio::test]
async fn an_invocation_carries_the_callers_deadline_and_ids() {
    let function = start(launch()).await;
    let options = Invoke {
        deadline_ms: Some(0),
        request_id: Some("8476a536-e9f4-11e8-9739-2dfe598c3fcd".into()),
        trace_id: Some("Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700".into()),
    };
    let invocation = function.invoke_with(b"{}", options).await;
    let seen = response(&invocation);
    assert_eq!(seen["deadlineMs"], "0");
    assert_eq!(seen["requestId"], "8476a536-e9f4-11e8-9739-2dfe598c3fcd");
    assert_eq!(seen["traceId"], "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700");
}

#[tokio::test]
async fn an_error_keeps_its_type_and_its_message() {
    let function = start(launch()).await;
    let order = json!({"error": {"errorType": "PolicyChangeRejected", "errorMessage": "no"}});
    assert_eq!(
        invoke(&function, order).await.outcome,
        Answer::Error { error_type: "PolicyChangeRejected".into(), error_message: "no".into() }
    );
    assert_eq!(
        invoke(&function, json!({"error": "plain words"})).await.outcome,
        Answer::Error { error_type: "Unhandled".into(), error_message: "\"plain words\"".into() }
    );
}

#[tokio::test]
async fn output_is_cut_exactly_at_the_borders_of_each_invocation() {
    let function = start(launch()).await;
    for round in 0..200 {
        let lines: Vec<String> = (0..round).map(|line| format!("{round}.{line}")).collect();
        let invocation = invoke(&function, json!({"stdout": lines, "answer": null})).await;
        assert_eq!(invocation.output, lines, "round {round}");
    }
    let all = function.output();
    assert_eq!(all[0], "stand-in: start");
    let own = all.iter().filter(|line| !line.starts_with("stand-in"));
    assert_eq!(own.count(), (0..200).sum::<usize>());
}

#[tokio::test]
async fn lines_longer_than_a_pipe_arrive_whole() {
    let function = start(launch()).await;
    let long = "x".repeat(1_000_000);
    let invocation = invoke(&function, json!({"stdout": [long, "end"], "answer": 1})).await;
    assert_eq!(invocation.output, [long, "end".into()]);
}

#[tokio::test]
async fn a_process_that_exits_ends_its_invocation_with_its_code_and_its_last_output() {
    let function = start(launch()).await;
    let order = json!({"stdout": ["whole"], "torn": "half", "exit": 7});
    let invocation = invoke(&function, order).await;
    assert_eq!(invocation.outcome, Answer::Exited(Some(7)));
    assert_eq!(invocation.output, ["whole"]);
    assert_eq!(function.torn_output().as_deref(), Some("half"));
    assert_eq!(function.pid(), None);
    assert_eq!(function.stopped().await.and_then(|status| status.code()), Some(7));
    let later = invoke(&function, json!({})).await;
    assert_eq!(later.outcome, Answer::Exited(Some(7)));
    assert_eq!(later.output, [""; 0]);
}

#[tokio::test]
async fn a_new_process_takes_over_from_one_that_ended() {
    let function = start(launch()).await;
    invoke(&function, json!({"exit": 7})).await;
    function.ensure_running().await.expect("a new process");
    let invocation = invoke(&function, json!({"stdout": ["back"], "answer": 1})).await;
    assert_eq!(invocation.outcome, Answer::Response(b"1".to_vec()));
    assert_eq!(invocation.output, ["back"]);
}

#[tokio::test]
async fn a_start_that_fails_answers_every_invocation_with_its_reason() {
    let function = start(launch().env("STAND_IN_INIT_ERROR", "no region")).await;
    for _ in 0..2 {
        let invocation = invoke(&function, json!({})).await;
        assert_eq!(
            invocation.outcome,
            Answer::InitError { error_type: "Stand.In".into(), error_message: "no region".into() }
        );
        assert_eq!(invocation.output, ["stand-in: start"]);
    }
}

#[tokio::test]
async fn a_process_that_misses_its_deadline_is_killed() {
    let mut launch = launch();
    launch.timeout = Duration::from_millis(300);
    let function = start(launch).await;
    let pid = function.pid().expect("a process");
    let asked = Instant::now();
    let invocation = invoke(&function, json!({"stdout": ["late"], "sleepMs": 60_000})).await;
    assert_eq!(invocation.outcome, Answer::TimedOut);
    assert_eq!(invocation.output, ["late"]);
    assert!(asked.elapsed() < Duration::from_secs(10));
    assert!(!runs(pid));
}

#[tokio::test]
async fn a_deadline_in_the_past_kills_nothing() {
    let function = start(launch()).await;
    let options = Invoke { deadline_ms: Some(1), ..Invoke::default() };
    let order = json!({"sleepMs": 200, "answer": "still here"});
    let invocation = function.invoke_with(order.to_string().as_bytes(), options).await;
    assert_eq!(response(&invocation), "still here");
    assert!(invocation.duration >= Duration::from_millis(200));
}

#[tokio::test]
async fn invocations_queue_in_order_for_one_poll() {
    let function = start(launch()).await;
    let orders: Vec<Value> =
        (0..5).map(|n| json!({"stdout": [format!("{n}")], "sleepMs": 20, "answer": n})).collect();
    let (a, b, c, d, e) = tokio::join!(
        invoke(&function, orders[0].clone()),
        invoke(&function, orders[1].clone()),
        invoke(&function, orders[2].clone()),
        invoke(&function, orders[3].clone()),
        invoke(&function, orders[4].clone()),
    );
    for (n, invocation) in [a, b, c, d, e].iter().enumerate() {
        assert_eq!(response(invocation), n);
        assert_eq!(invocation.output, [n.to_string()]);
    }
}

#[tokio::test]
async fn several_polls_are_served_at_once() {
    let function = start(launch().env("STAND_IN_POLLS", "4")).await;
    let order = || json!({"sleepMs": 500, "answer": 1});
    let asked = Instant::now();
    tokio::join!(
        invoke(&function, order()),
        invoke(&function, order()),
        invoke(&function, order()),
        invoke(&function, order()),
    );
    let took = asked.elapsed();
    assert!(took < Duration::from_millis(1_500), "{took:?}");
}

#[tokio::test]
async fn a_concurrent_process_knows_how_many_and_survives_a_missed_deadline() {
    let mut launch = launch().env("STAND_IN_POLLS", "3").concurrency(3);
    launch.timeout = Duration::from_millis(400);
    let function = start(launch).await;
    function.polled(3).await;
    let pid = function.pid();
    let (late, seen, later) = tokio::join!(
        invoke(&function, json!({"sleepMs": 800, "answer": "late"})),
        invoke(&function, json!({})),
        invoke(&function, json!({"sleepMs": 100, "answer": "in time"})),
    );
    assert_eq!(late.outcome, Answer::TimedOut);
    assert_eq!(response(&seen)["maxConcurrency"], "3");
    assert_eq!(response(&later), "in time");
    assert_eq!(function.most_at_once(), 3);
    // the late answer is refused, its poll comes back, and the process is the same
    function.polled(3).await;
    assert_eq!(function.pid(), pid);
    // its poll may come before its line is read
    let said = async {
        while !function.output().contains(&"stand-in: response answered 400".to_owned()) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), said).await.unwrap();
    assert_eq!(response(&invoke(&function, json!({"answer": "again"})).await), "again");
}

#[tokio::test]
async fn a_plain_process_gets_no_concurrency() {
    let function = start(launch()).await;
    assert_eq!(response(&invoke(&function, json!({})).await)["maxConcurrency"], Value::Null);
}

#[tokio::test]
async fn an_answer_over_the_limit_is_refused_and_one_at_the_limit_is_not() {
    let function = start(launch()).await;
    let largest = invoke(&function, json!({"size": LARGEST_ANSWER})).await;
    assert!(matches!(largest.outcome, Answer::Response(bytes) if bytes.len() == LARGEST_ANSWER));
    let larger = invoke(&function, json!({"size": LARGEST_ANSWER + 1})).await;
    assert_eq!(
        larger.outcome,
        Answer::Error {
            error_type: "Function.ResponseSizeTooLarge".into(),
            error_message: "Response payload size exceeded maximum allowed payload size \
                            (6291556 bytes)."
                .into()
        }
    );
    invoke(&function, json!({"answer": 1})).await;
    let output = function.output();
    assert!(output.contains(&"stand-in: response answered 413".to_owned()));
    assert!(output.contains(&"stand-in: response answered 202".to_owned()));
}

#[tokio::test]
async fn a_killed_process_is_gone_and_its_invocation_ends() {
    let function = start(launch()).await;
    let pid = function.pid().expect("a process");
    let (invocation, ()) =
        tokio::join!(invoke(&function, json!({"stdout": ["before"], "sleepMs": 60_000})), async {
            while !function.output().contains(&"before".to_owned()) {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            function.kill().await;
            assert!(!runs(pid));
        });
    assert_eq!(invocation.outcome, Answer::Exited(None));
    assert_eq!(invocation.output, ["before"]);
}

#[tokio::test]
async fn dropping_a_function_leaves_no_process() {
    let function = start(launch()).await;
    let pid = function.pid().expect("a process");
    assert!(runs(pid));
    drop(function);
    assert!(!runs(pid));
}

#[tokio::test]
async fn standard_error_is_kept_apart_and_an_echo_sees_every_line() {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let hearing = Arc::clone(&heard);
    let mut launch = launch();
    launch.echo = Some(Arc::new(move |stream, line: &str| {
        hearing.lock().expect("a lock").push(format!("{stream:?} {line}"));
    }));
    let function = start(launch).await;
    invoke(&function, json!({"stdout": ["out"], "stderr": "err", "answer": 1})).await;
    function.kill().await;
    assert_eq!(function.errors(), "err");
    let heard = heard.lock().expect("a lock");
    assert!(heard.contains(&"Output out".to_owned()));
    assert!(heard.contains(&"Errors err".to_owned()));
}

#[tokio::test]
async fn a_missing_binary_is_named() {
    let launch = Launch::new("/nowhere/function", "http://127.0.0.1:1");
    let error = Function::start(launch).await.expect_err("no such file");
    assert!(error.to_string().starts_with("cannot start `/nowhere/function`: "), "{error}");
}
