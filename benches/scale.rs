//! The largest document, as deployed: 10,000 targets in 20 lanes by the real processes of a stack, first with every lane
//! well, then with three kinds of stuck ones.
//!
//! Each lane's quota is `--rate` calls a second (5; Amazon's own is 2) with a burst of 5, so that its bound is
//! (500 − 5) / rate.
//!
//! ```text
//! cargo run --example scale -- --function target/release/connect-attachment-policy
//! ```

#![expect(clippy::print_stdout, reason = "tables for a person")]
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a benchmark that cannot go on ends")]
#![expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]

mod api;
#[path = "scale/usage.rs"]
mod usage;

use api::post;
use sandbox::connect::{Connect, Entry, Fault, Instance, Operation, Options as ConnectOptions, Rate};
use sandbox::governed::{Governed, Options, Role};
use sandbox::lambda::Launch;
use sandbox::sts::Sts;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use time::OffsetDateTime;

const ACCOUNTS: [&str; 4] = ["111122223333", "222233334444", "444455556666", "555566667777"];
const REGIONS: [&str; 5] = ["ap-southeast-2", "eu-central-1", "eu-west-2", "us-east-1", "us-west-2"];
/// Instances of a lane, each with four targets.
const INSTANCES: u32 = 125;
const SCOPES: u32 = 4;
const BURST: u32 = 5;
/// The account that denies its role, the Region of another one that answers nothing, and one that is always throttled.
const DENIED: &str = ACCOUNTS[3];
const SILENT: (&str, &str) = (ACCOUNTS[2], REGIONS[0]);
const THROTTLED: (&str, &str) = (ACCOUNTS[1], REGIONS[1]);

/// The end of each lane after the submission, in seconds.
type Ends = BTreeMap<(String, String), f64>;

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let after = |name: &str| {
        let at = arguments.iter().position(|argument| argument == name)?;
        arguments.get(at + 1).cloned()
    };
    let function = after("--function").unwrap_or_else(|| "target/debug/connect-attachment-policy".to_owned());
    let rate: f64 = after("--rate").map_or(5.0, |text| text.parse().unwrap());
    let bound = f64::from(INSTANCES * SCOPES - BURST) / rate;
    let well = play(&function, rate, false).await;
    let last = |ends: &Ends| ends.values().copied().fold(0.0, f64::max);
    println!(
        "\nall lanes well: {:.1} s, {:.3} × the bound of {bound:.1} s",
        last(&well),
        last(&well) / bound
    );
    let others = play(&function, rate, true).await;
    let same: Ends = well.into_iter().filter(|(lane, _)| others.contains_key(lane)).collect();
    println!(
        "\n{} lanes stuck: the other {} end after {:.1} s, {:.3} × their time without them",
        20 - others.len(),
        others.len(),
        last(&others),
        last(&others) / last(&same)
    );
}

fn instances() -> Vec<Instance> {
    let places = ACCOUNTS.iter().flat_map(|account| REGIONS.iter().map(move |region| (account, region)));
    let of = |((account, region), n): ((&&str, &&str), u32)| Instance {
        account: (*account).to_owned(),
        region: (*region).to_owned(),
        ..Instance::numbered(n)
    };
    places.flat_map(|place| std::iter::repeat_n(place, INSTANCES as usize)).zip(1..).map(of).collect()
}

fn is_stuck(account: &str, region: &str) -> bool {
    account == DENIED || [SILENT, THROTTLED].contains(&(account, region))
}

async fn play(function: &str, rate: f64, with_stuck: bool) -> Ends {
    let quota = Some(Rate { per_second: rate, burst: BURST, ..Rate::default() });
    let instances = instances();
    let named: Vec<String> = instances.iter().map(Instance::arn).collect();
    let connect =
        Connect::start(ConnectOptions { instances, rate: quota, ..ConnectOptions::default() }).await.unwrap();
    let sts = Sts::start(0).await.unwrap();
    if with_stuck {
        sts.deny(DENIED);
        connect.always_in(SILENT.0, SILENT.1, Some(Fault::Silent));
        connect.always_in(THROTTLED.0, THROTTLED.1, Some(Fault::Throttle));
    }
    let roles: Vec<String> =
        ACCOUNTS[1..].iter().map(|account| format!("arn:aws:iam::{account}:role/spoke")).collect();
    let launch = Launch::new(function, &connect.url())
        .env("CONNECT_ROLE_ARNS", roles.join(","))
        .env("CONNECT_REGIONS", REGIONS.join(","))
        .env("AWS_ENDPOINT_URL_STS", sts.url());
    // the template's share of the quota
    let worker = Role::new(20, Duration::from_mins(5))
        .env("CONNECT_REQUESTS_PER_SECOND", (rate * 1.82 / 2.0).to_string())
        .env("CONNECT_BURST", "5");
    let stack = Governed::start(launch, Options { worker, ..Options::default() }).await.unwrap();
    let change =
        json!({"instanceIds": named, "attachmentScope": "*", "maximumSize": "10 MB", "changeId": "LARGE"});
    let started = OffsetDateTime::now_utc();
    assert_eq!(post(stack.api(), &change).await, 202);
    let mut usage = usage::Usage::new(&stack);
    let lanes = ACCOUNTS.iter().flat_map(|account| REGIONS.iter().map(move |region| (*account, *region)));
    let well: BTreeSet<(&str, &str)> =
        lanes.filter(|(account, region)| !(with_stuck && is_stuck(account, region))).collect();
    let expected = well.len() * (INSTANCES * SCOPES) as usize;
    let done = loop {
        tokio::time::sleep(Duration::from_millis(500)).await;
        let done: Vec<Entry> = connect.journal().into_iter().filter(is_applied).collect();
        usage.look(&stack, done.len());
        if done.len() >= expected {
            break done;
        }
    };
    let mut ends = Ends::new();
    for entry in done {
        let at = (entry.at - started).as_seconds_f64();
        let end = ends.entry((entry.account, entry.region)).or_default();
        *end = end.max(at);
    }
    if !with_stuck {
        usage.until_final(&stack).await;
        usage.print(&stack, &connect, expected);
    }
    ends
}

fn is_applied(entry: &Entry) -> bool {
    entry.operation == Some(Operation::UpdateAttachedFilesConfiguration) && entry.status == Some(200)
}

/// An attribute of the change's item.
fn of_change<'i>(items: &'i [Value], name: &str) -> Option<&'i Value> {
    items.iter().find(|item| item["pk"]["S"] == "change#LARGE" && item["sk"]["S"] == "change")?.get(name)
}
