//! What a run used: memory of each process, requests, capacity units and their price.

use super::of_change;
use sandbox::connect::Connect;
use sandbox::governed::Governed;
use sandbox::queue::Operation;
use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

/// On-demand prices of us-east-1 in dollars for a million: DynamoDB's write and read request units, requests of a FIFO
/// queue, requests of Lambda.
const WRITE: f64 = 0.625;
const READ: f64 = 0.125;
const FIFO: f64 = 0.50;

/// What the processes of the workers hold, in kB, as the run goes on.
pub(crate) struct Usage {
    /// By how many targets were done: the largest process then.
    seen: Vec<(usize, u64)>,
}

impl Usage {
    pub(crate) fn new(stack: &Governed) -> Self {
        // what follows is the run's
        stack.ledger().clear_journal();
        Self { seen: Vec::new() }
    }

    /// Looks at every worker.
    pub(crate) fn look(&mut self, stack: &Governed, done: usize) {
        let processes = stack.workers().fleet().functions();
        let resident = processes.iter().filter_map(|process| resident(process.pid()?));
        if let Some(largest) = resident.max() {
            self.seen.push((done, largest));
        }
    }

    /// Waits until the record of the change is final.
    pub(crate) async fn until_final(&self, stack: &Governed) {
        while of_change(&stack.ledger().items().unwrap(), "finished").is_none() {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    pub(crate) fn print(&self, stack: &Governed, connect: &Connect, targets: usize) {
        let per = |count: f64| count / targets as f64;
        println!("\n| used for {targets} targets | in all | for a target |\n| --- | ---: | ---: |");
        let row = |name: &str, count: f64| println!("| {name} | {count:.0} | {:.2} |", per(count));
        let calls = connect.journal();
        row("calls of Amazon Connect", calls.len() as f64);
        row("of these throttled", calls.iter().filter(|entry| entry.status == Some(429)).count() as f64);
        let (mut read, mut written) = (0.0, 0.0);
        let mut requests: BTreeMap<String, usize> = BTreeMap::new();
        for entry in stack.ledger().journal() {
            let name = entry.operation.map(|operation| format!("{operation:?}")).unwrap_or_default();
            let is_read = ["GetItem", "BatchGetItem", "Query"].contains(&name.as_str());
            *(if is_read { &mut read } else { &mut written }) += entry.units();
            *requests.entry(name).or_default() += 1;
        }
        for (name, count) in &requests {
            row(&format!("DynamoDB {name}"), *count as f64);
        }
        row("read units", read);
        row("write units", written);
        let queues = stack.queues().journal();
        // an event source mapping's own polls are not in the run's hands
        let sent = queues.iter().filter(|entry| entry.operation != Some(Operation::ReceiveMessage)).count();
        row("SQS requests besides ReceiveMessage", sent as f64);
        let thousand = 1_000.0 / targets as f64 / 1e6;
        println!(
            "\nfor 1,000 targets: DynamoDB {:.4} $, SQS {:.6} $",
            (written * WRITE + read * READ) * thousand,
            sent as f64 * FIFO * thousand
        );
        let at = |part: usize| self.seen.iter().find(|(done, _)| *done >= targets * part / 100);
        let kb = |part| at(part).map_or(0, |(_, kb)| *kb);
        let peak = self.seen.iter().map(|(_, kb)| *kb).max().unwrap_or(0);
        println!(
            "\nresident memory of the largest worker: {} kB after 10 %, {} kB after 50 %, {} kB after 90 %, {peak} kB at most",
            kb(10),
            kb(50),
            kb(90)
        );
    }
}

fn resident(pid: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}
