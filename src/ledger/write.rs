//! Writes as values: the same one is sent alone, in a transaction, and again.

use super::condition::{Condition, Placeholders};
use super::item::{Item, number};
use super::keys::Key;
use aws_sdk_dynamodb::error::BuildError;
use aws_sdk_dynamodb::types::{
    AttributeValue, Delete, Put, ReturnValuesOnConditionCheckFailure as OnFailure, TransactWriteItem, Update,
};
use sha2::{Digest, Sha256};
use std::fmt::{Display, Write as _};

/// One write and its condition.
#[derive(Debug, Clone)]
pub(super) enum Write {
    Put(Replacement),
    Update(Change),
    Delete(Key),
}

/// An item that is put whole.
#[derive(Debug, Clone)]
pub(super) struct Replacement {
    pub(super) item: Item,
    pub(super) placeholders: Placeholders,
    pub(super) condition: Option<String>,
}

impl Replacement {
    pub(super) fn of(item: Item) -> Self {
        Self { item, placeholders: Placeholders::default(), condition: None }
    }

    pub(super) fn when(mut self, condition: Condition) -> Self {
        self.condition = Some(self.placeholders.condition(condition));
        self
    }
}

/// An item some of whose attributes change.
#[derive(Debug, Clone)]
pub(super) struct Change {
    pub(super) key: Key,
    pub(super) placeholders: Placeholders,
    pub(super) condition: Option<String>,
    set: Vec<String>,
    removed: Vec<String>,
    added: Vec<String>,
}

impl Change {
    pub(super) fn of(key: Key) -> Self {
        Self {
            key,
            placeholders: Placeholders::default(),
            condition: None,
            set: Vec::new(),
            removed: Vec::new(),
            added: Vec::new(),
        }
    }

    pub(super) fn set(mut self, path: &str, value: AttributeValue) -> Self {
        let path = self.placeholders.path(path);
        let value = self.placeholders.value(value);
        self.set.push(format!("{path} = {value}"));
        self
    }

    /// Where there is no value, what is there stays.
    pub(super) fn set_some(self, path: &str, value: Option<AttributeValue>) -> Self {
        match value {
            Some(value) => self.set(path, value),
            None => self,
        }
    }

    /// Only where nothing is there.
    pub(super) fn set_first(mut self, path: &str, value: Option<AttributeValue>) -> Self {
        if let Some(value) = value {
            let path = self.placeholders.path(path);
            let value = self.placeholders.value(value);
            self.set.push(format!("{path} = if_not_exists({path}, {value})"));
        }
        self
    }

    /// Where there is no value, none stays.
    pub(super) fn put(self, path: &str, value: Option<AttributeValue>) -> Self {
        match value {
            Some(value) => self.set(path, value),
            None => self.remove(path),
        }
    }

    pub(super) fn remove(mut self, path: &str) -> Self {
        let path = self.placeholders.path(path);
        self.removed.push(path);
        self
    }

    /// Adds to an attribute of the item, which is 0 where it is absent.
    pub(super) fn add(mut self, name: &str, more: impl Display) -> Self {
        let path = self.placeholders.path(name);
        let value = self.placeholders.value(number(more));
        self.added.push(format!("{path} {value}"));
        self
    }

    /// Adds to a member of a map, which ADD cannot. The map must be there.
    pub(super) fn add_within(mut self, path: &str, more: impl Display) -> Self {
        let path = self.placeholders.path(path);
        let zero = self.placeholders.value(number(0));
        let more = self.placeholders.value(number(more));
        self.set.push(format!("{path} = if_not_exists({path}, {zero}) + {more}"));
        self
    }

    pub(super) fn when(mut self, condition: Condition) -> Self {
        self.condition = Some(self.placeholders.condition(condition));
        self
    }

    pub(super) fn expression(&self) -> String {
        let clauses = [("SET", &self.set), ("REMOVE", &self.removed), ("ADD", &self.added)];
        let clauses = clauses.iter().filter(|(_, parts)| !parts.is_empty());
        let clauses: Vec<_> = clauses.map(|(word, parts)| format!("{word} {}", parts.join(", "))).collect();
        clauses.join(" ")
    }
}

impl Write {
    /// The write as part of a transaction on that table.
    pub(super) fn in_transaction(self, table: &str) -> Result<TransactWriteItem, BuildError> {
        let item = TransactWriteItem::builder();
        let item = match self {
            Self::Put(put) => item.put(
                Put::builder()
                    .table_name(table)
                    .set_item(Some(put.item))
                    .set_condition_expression(put.condition)
                    .set_expression_attribute_names(put.placeholders.names())
                    .set_expression_attribute_values(put.placeholders.values())
                    .return_values_on_condition_check_failure(OnFailure::AllOld)
                    .build()?,
            ),
            Self::Update(change) => item.update(
                Update::builder()
                    .table_name(table)
                    .update_expression(change.expression())
                    .set_key(Some(change.key.into_attributes()))
                    .set_condition_expression(change.condition)
                    .set_expression_attribute_names(change.placeholders.names())
                    .set_expression_attribute_values(change.placeholders.values())
                    .return_values_on_condition_check_failure(OnFailure::AllOld)
                    .build()?,
            ),
            Self::Delete(key) => {
                item.delete(Delete::builder().table_name(table).set_key(Some(key.into_attributes())).build()?)
            }
        };
        Ok(item.build())
    }

    fn canonical(&self, text: &mut String) {
        let condition = match self {
            Self::Put(put) => {
                text.push_str("put");
                canonical(&AttributeValue::M(put.item.clone()), text);
                canonical(&AttributeValue::M(put.placeholders.values.clone()), text);
                put.condition.as_deref()
            }
            Self::Update(change) => {
                // writing to a String cannot fail
                let _ = write!(text, "update {:?} {:?}", change.key, change.expression());
                canonical(&AttributeValue::M(change.placeholders.values.clone()), text);
                change.condition.as_deref()
            }
            Self::Delete(key) => {
                let _ = write!(text, "delete {key:?}");
                None
            }
        };
        let _ = write!(text, "{condition:?};");
    }
}

/// A transaction's own token: the same for the same writes, so that DynamoDB carries out a repetition once. 36
/// characters are the most it takes.
pub(super) fn client_token(writes: &[Write]) -> String {
    let mut text = String::new();
    for write in writes {
        write.canonical(&mut text);
    }
    let mut token = String::with_capacity(36);
    for byte in Sha256::digest(text).iter().take(18) {
        let _ = write!(token, "{byte:02x}");
    }
    token
}

/// A value as text, with the members of maps in the order of their names.
fn canonical(value: &AttributeValue, text: &mut String) {
    match value {
        AttributeValue::M(map) => {
            let mut members: Vec<_> = map.iter().collect();
            members.sort_by_key(|(name, _)| *name);
            text.push('{');
            for (name, value) in members {
                let _ = write!(text, "{name:?}:");
                canonical(value, text);
            }
            text.push('}');
        }
        AttributeValue::L(list) => {
            text.push('[');
            for value in list {
                canonical(value, text);
            }
            text.push(']');
        }
        other => {
            let _ = write!(text, "{other:?},");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::item::{Draft, text};
    use super::*;
    use std::collections::HashSet;

    fn key() -> Key {
        Key { pk: "p".to_owned(), sk: "s".to_owned() }
    }

    #[test]
    fn a_change_is_written_clause_by_clause() {
        let change = Change::of(key())
            .set("a", text("x"))
            .set_some("no", None)
            .put("b", None)
            .put("c.d", Some(number(1)))
            .add("rev", 1)
            .add_within("counts.applied", 2)
            .when(Condition::Absent("e"));
        assert_eq!(
            change.expression(),
            "SET #a = :0, #c.#d = :1, #counts.#applied = if_not_exists(#counts.#applied, :3) + :4 REMOVE #b ADD #rev :2"
        );
        assert_eq!(change.condition.as_deref(), Some("attribute_not_exists(#e)"));
        assert_eq!(change.placeholders.values.get(":4"), Some(&number(2)));
    }

    #[test]
    fn the_same_writes_have_the_same_token_and_others_another() {
        let item = |x: u32| {
            Draft::of(key()).with("m", Draft::default().with("x", number(x)).with("y", text("y")).into_map())
        };
        let put = |x| Write::Put(Replacement::of(item(x).done()).when(Condition::Is("a", number(x))));
        let change = |x: u32| Write::Update(Change::of(key()).set("a", number(x)));
        let token = client_token(&[put(1), change(1), Write::Delete(key())]);
        assert_eq!(token.len(), 36);
        // many maps, so that a token that followed their random order would differ
        for _ in 0..20 {
            assert_eq!(client_token(&[put(1), change(1), Write::Delete(key())]), token);
        }
        let plain = Write::Put(Replacement::of(item(1).done()));
        let others = [
            vec![put(2), change(1), Write::Delete(key())],
            vec![put(1), change(2), Write::Delete(key())],
            vec![put(1), change(1)],
            vec![change(1), put(1), Write::Delete(key())],
            vec![plain, change(1), Write::Delete(key())],
            vec![put(1), change(1), Write::Delete(Key { pk: "q".to_owned(), sk: "s".to_owned() })],
        ];
        let mut tokens: HashSet<_> = others.iter().map(|writes| client_token(writes)).collect();
        tokens.insert(token);
        assert_eq!(tokens.len(), others.len() + 1);
    }
}
