//! The operations of DynamoDB.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// An operation that a client of one table may call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names are DynamoDB's")]
pub enum Operation {
    BatchGetItem,
    BatchWriteItem,
    CreateTable,
    DeleteItem,
    DeleteTable,
    DescribeTable,
    DescribeTimeToLive,
    GetItem,
    ListTables,
    PutItem,
    Query,
    Scan,
    TransactGetItems,
    TransactWriteItems,
    UpdateItem,
    UpdateTable,
    UpdateTimeToLive,
}

impl Operation {
    /// The operation of this name.
    pub(super) fn named(name: &str) -> Option<Self> {
        serde_json::from_value(Value::from(name)).ok()
    }

    /// Whether it reads or writes items, and so uses the table's throughput.
    pub(super) const fn is_on_items(self) -> bool {
        !matches!(
            self,
            Self::CreateTable
                | Self::DeleteTable
                | Self::DescribeTable
                | Self::DescribeTimeToLive
                | Self::ListTables
                | Self::UpdateTable
                | Self::UpdateTimeToLive
        )
    }

    /// Whether it is one transaction.
    pub(super) const fn is_transaction(self) -> bool {
        matches!(self, Self::TransactGetItems | Self::TransactWriteItems)
    }

    /// Whether it writes items.
    pub(super) const fn writes(self) -> bool {
        self.writes_one() || matches!(self, Self::BatchWriteItem | Self::TransactWriteItems)
    }

    /// Whether it writes one item.
    pub(super) const fn writes_one(self) -> bool {
        matches!(self, Self::DeleteItem | Self::PutItem | Self::UpdateItem)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operation_is_known_by_its_name() {
        assert_eq!(Operation::named("TransactWriteItems"), Some(Operation::TransactWriteItems));
        assert_eq!(Operation::named("putItem"), None);
        assert_eq!(Operation::named("ExecuteStatement"), None);
    }
}
