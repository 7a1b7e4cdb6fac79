//! The emulator behind the faults, with the table in it.

use dynoxide::{Database, DynoxideError};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use tokio::net::TcpSocket;
use tokio::task::JoinHandle;

/// The table: keys, indexes and the attribute of expiry.
///
/// In one place, with which the template is compared: `CreateTable`'s members without the name, and
/// `TimeToLiveSpecification`, which is a call of its own.
const TABLE: &str = include_str!("table.json");

/// How many connections may wait to be accepted.
const BACKLOG: u32 = 1_024;

/// A running emulator; dropping it closes its port.
pub(super) struct Emulator {
    pub address: SocketAddr,
    table: String,
    database: Database,
    server: JoinHandle<()>,
}

impl Emulator {
    /// Starts one in memory, with the empty table.
    pub(super) fn start(table: &str) -> io::Result<Self> {
        let database = Database::memory().map_err(failed)?;
        let mut definition: Value = serde_json::from_str(TABLE)?;
        let expiry = definition.as_object_mut().and_then(|definition| {
            definition.insert("TableName".to_owned(), table.into());
            definition.remove("TimeToLiveSpecification")
        });
        database.create_table(request(definition)?).map_err(failed)?;
        let expiry = json!({"TableName": table, "TimeToLiveSpecification": expiry});
        database.update_time_to_live(request(expiry)?).map_err(failed)?;
        // Accepted connections inherit it: answers are small and awaited, and Nagle's algorithm would delay them.
        let socket = TcpSocket::new_v4()?;
        socket.set_nodelay(true)?;
        socket.bind((Ipv4Addr::LOCALHOST, 0).into())?;
        let listener = socket.listen(BACKLOG)?;
        let address = listener.local_addr()?;
        let server = tokio::spawn(dynoxide::server::serve_on(listener, database.clone()));
        Ok(Self { address, table: table.to_owned(), database, server })
    }

    /// Deletes what has expired; the number of items deleted.
    pub(super) fn delete_expired(&self) -> io::Result<usize> {
        self.database.sweep_ttl().map_err(failed)
    }

    /// Every item, in no order.
    pub(super) fn items(&self) -> io::Result<Vec<Value>> {
        let mut items = Vec::new();
        let mut start = Value::Null;
        loop {
            let scan = json!({"TableName": self.table, "ExclusiveStartKey": start});
            let page = self.database.scan(request(scan)?).map_err(failed)?;
            let mut page = serde_json::to_value(page)?;
            if let Some(Value::Array(found)) = page.get_mut("Items").map(Value::take) {
                items.extend(found);
            }
            match page.get_mut("LastEvaluatedKey").map(Value::take) {
                None | Some(Value::Null) => return Ok(items),
                Some(last) => start = last,
            }
        }
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        self.server.abort();
    }
}

fn request<T: DeserializeOwned>(members: Value) -> io::Result<T> {
    Ok(serde_json::from_value(members)?)
}

fn failed(error: DynoxideError) -> io::Error {
    io::Error::other(error)
}
