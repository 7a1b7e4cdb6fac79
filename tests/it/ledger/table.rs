//! A table with nothing in it, and the room that uses it.

use super::samples::{after, order, run};
use aws_config::SdkConfig;
use aws_sdk_connect::config::{Credentials, SharedCredentialsProvider};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use connect_attachment_policy::ledger::{LaneEnded, Ledger, LedgerError, Seen};
use connect_attachment_policy::sdk;
use policy_core::record::{Counts, LaneName, LaneState, TargetName, TargetRecord};
use sandbox::ledger::{Ledger as Sandbox, Operation, Options};
use serde_json::Value;
use std::ops::Deref;
use std::time::Duration;

/// 400 days.
pub(super) const RETENTION: Duration = Duration::from_hours(400 * 24);

/// The room, and behind it the table.
pub(super) struct Table {
    ledger: Ledger,
    pub(super) sandbox: Sandbox,
}

impl Table {
    pub(super) async fn new() -> Self {
        let sandbox = Sandbox::start(Options::default()).await.unwrap();
        let ledger = room(&sandbox, sandbox.table());
        Self { ledger, sandbox }
    }

    /// Another process that uses the same table.
    pub(super) fn another(&self) -> Ledger {
        room(&self.sandbox, self.sandbox.table())
    }

    /// A process that was told of a table that is not there.
    pub(super) fn astray(&self) -> Ledger {
        room(&self.sandbox, "elsewhere")
    }

    /// A target's item.
    pub(super) async fn target(&self, name: &TargetName) -> TargetRecord {
        let mut records = self.targets(std::slice::from_ref(name)).await.unwrap();
        assert_eq!(records.len(), 1);
        records.remove(0)
    }

    /// Ends a lane of a run as it was seen.
    pub(super) async fn ends_lane(
        &self,
        text: &str,
        lane: &LaneName,
        seen: &Seen,
        state: LaneState,
        counts: &Counts,
    ) -> Result<LaneEnded, LedgerError> {
        let (run, order) = (run(text), order(text));
        self.end_lane(&run, lane, &order, seen, state, counts, Some("hash"), after(9)).await
    }

    /// Gives a target an attribute that a later version writes, or an earlier one has written.
    pub(super) async fn gives(&self, name: &TargetName, attribute: &str) {
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let mut items = self.sandbox.items().unwrap().into_iter();
        let item = items.find(|item| item["pk"]["S"].as_str().unwrap().starts_with("target#"));
        let partition = item.unwrap()["pk"]["S"].as_str().unwrap().to_owned();
        let client = Client::new(&config(&self.sandbox));
        let update = client.update_item().table_name(self.sandbox.table()).update_expression("SET #a = :a");
        let update = update.key("pk", text(&partition)).key("sk", text(&name.to_string()));
        let update = update.expression_attribute_names("#a", attribute);
        update.expression_attribute_values(":a", text("anything")).send().await.unwrap();
    }

    /// The item with these keys, in DynamoDB's JSON; `null` if there is none.
    pub(super) fn item(&self, pk: &str, sk: &str) -> Value {
        let mut items = self.sandbox.items().unwrap().into_iter();
        items.find(|item| item["pk"]["S"] == pk && item["sk"]["S"] == sk).unwrap_or_default()
    }

    /// The sort keys of a partition.
    pub(super) fn sort_keys(&self, pk: &str) -> Vec<String> {
        let items = self.sandbox.items().unwrap();
        let of_pk = items.iter().filter(|item| item["pk"]["S"] == pk);
        of_pk.map(|item| item["sk"]["S"].as_str().unwrap().to_owned()).collect()
    }

    /// The requests since the last time this was asked: which operation, and the units it used.
    pub(super) fn requests(&self) -> Vec<(Operation, f64)> {
        let journal = self.sandbox.journal();
        self.sandbox.clear_journal();
        journal.iter().map(|entry| (entry.operation.unwrap(), entry.units())).collect()
    }
}

impl Deref for Table {
    type Target = Ledger;

    fn deref(&self) -> &Ledger {
        &self.ledger
    }
}

fn config(sandbox: &Sandbox) -> SdkConfig {
    let url = sandbox.url();
    let lookup = |name: &str| (name == "AWS_ENDPOINT_URL_DYNAMODB").then(|| url.clone());
    let config = sdk::config("eu-central-1", sdk::http(&lookup).unwrap(), &lookup).into_builder();
    let credentials = Credentials::new("AKIDEXAMPLE", "secret", None, None, "tests");
    config.credentials_provider(SharedCredentialsProvider::new(credentials)).build()
}

fn room(sandbox: &Sandbox, table: &str) -> Ledger {
    Ledger::new(&config(sandbox), table.to_owned(), RETENTION)
}
