//! Attributes in and out: one value each way, and what is wrong with an item by name.

use super::LedgerError;
use aws_sdk_dynamodb::types::AttributeValue;
use std::collections::HashMap;
use std::fmt::Display;
use std::str::FromStr;

/// An item's attributes, or a map within one.
pub(super) type Item = HashMap<String, AttributeValue>;

pub(super) fn text(text: impl Display) -> AttributeValue {
    AttributeValue::S(text.to_string())
}

pub(super) fn number(number: impl Display) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

pub(super) fn flag(flag: bool) -> AttributeValue {
    AttributeValue::Bool(flag)
}

/// An item that is put together.
#[derive(Debug, Default)]
pub(super) struct Draft(Item);

impl Draft {
    /// An item with these keys.
    pub(super) fn of(key: super::keys::Key) -> Self {
        Self(key.into_attributes())
    }

    pub(super) fn with(mut self, name: &str, value: AttributeValue) -> Self {
        self.0.insert(name.to_owned(), value);
        self
    }

    /// Nothing is stored of what is absent.
    pub(super) fn with_some(self, name: &str, value: Option<AttributeValue>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// `false` is stored by absence.
    pub(super) fn with_flag(self, name: &str, is_set: bool) -> Self {
        self.with_some(name, is_set.then(|| flag(true)))
    }

    pub(super) fn done(self) -> Item {
        self.0
    }

    pub(super) fn into_map(self) -> AttributeValue {
        AttributeValue::M(self.0)
    }
}

/// An item, or a map within one, that is read.
#[derive(Debug, Clone)]
pub(super) struct Fields<'a> {
    item: &'a Item,
    /// Its keys, and the path within it.
    name: String,
}

impl<'a> Fields<'a> {
    pub(super) fn of(item: &'a Item) -> Self {
        let key = |name| match item.get(name) {
            Some(AttributeValue::S(text)) => text.as_str(),
            _ => "?",
        };
        Self { item, name: format!("{} {}", key("pk"), key("sk")) }
    }

    /// What is wrong with an attribute.
    pub(super) fn corrupt(&self, name: &str, what: &str) -> LedgerError {
        LedgerError::Corrupt { item: self.name.clone(), what: format!("has {what} as its `{name}`") }
    }

    fn required<T>(&self, name: &str, value: Option<T>) -> Result<T, LedgerError> {
        value.ok_or_else(|| self.corrupt(name, "nothing"))
    }

    pub(super) fn some_text(&self, name: &str) -> Result<Option<&'a str>, LedgerError> {
        match self.item.get(name) {
            None => Ok(None),
            Some(AttributeValue::S(text)) => Ok(Some(text)),
            Some(_) => Err(self.corrupt(name, "something else than a text")),
        }
    }

    pub(super) fn text(&self, name: &str) -> Result<&'a str, LedgerError> {
        self.required(name, self.some_text(name)?)
    }

    pub(super) fn owned(&self, name: &str) -> Result<Option<String>, LedgerError> {
        Ok(self.some_text(name)?.map(str::to_owned))
    }

    /// A text that is parsed.
    pub(super) fn some_parsed<T>(
        &self,
        name: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, LedgerError> {
        let text = self.some_text(name)?;
        text.map(|text| parse(text).ok_or_else(|| self.corrupt(name, &format!("`{text}`")))).transpose()
    }

    pub(super) fn parsed<T>(&self, name: &str, parse: impl Fn(&str) -> Option<T>) -> Result<T, LedgerError> {
        self.required(name, self.some_parsed(name, parse)?)
    }

    pub(super) fn some_number<T: FromStr>(&self, name: &str) -> Result<Option<T>, LedgerError> {
        match self.item.get(name) {
            None => Ok(None),
            Some(AttributeValue::N(digits)) => {
                digits.parse().map(Some).map_err(|_| self.corrupt(name, &format!("`{digits}`")))
            }
            Some(_) => Err(self.corrupt(name, "something else than a number")),
        }
    }

    pub(super) fn number<T: FromStr>(&self, name: &str) -> Result<T, LedgerError> {
        self.required(name, self.some_number(name)?)
    }

    /// A count, which is 0 before the first is counted.
    pub(super) fn count(&self, name: &str) -> Result<u32, LedgerError> {
        Ok(self.some_number(name)?.unwrap_or(0))
    }

    /// An absent one is `false`.
    pub(super) fn flag(&self, name: &str) -> Result<bool, LedgerError> {
        match self.item.get(name) {
            None => Ok(false),
            Some(AttributeValue::Bool(flag)) => Ok(*flag),
            Some(_) => Err(self.corrupt(name, "something else than true or false")),
        }
    }

    pub(super) fn some_map(&self, name: &str) -> Result<Option<Self>, LedgerError> {
        match self.item.get(name) {
            None => Ok(None),
            Some(AttributeValue::M(item)) => Ok(Some(Self { item, name: format!("{}, {name}", self.name) })),
            Some(_) => Err(self.corrupt(name, "something else than a map")),
        }
    }

    pub(super) fn map(&self, name: &str) -> Result<Self, LedgerError> {
        self.required(name, self.some_map(name)?)
    }

    /// The maps of a list; an absent one is empty.
    pub(super) fn maps(&self, name: &str) -> Result<Vec<Self>, LedgerError> {
        let other = || self.corrupt(name, "something else than a list of maps");
        let list = match self.item.get(name) {
            None => return Ok(Vec::new()),
            Some(AttributeValue::L(list)) => list,
            Some(_) => return Err(other()),
        };
        let fields = list.iter().enumerate().map(|(at, value)| match value {
            AttributeValue::M(item) => Ok(Self { item, name: format!("{}, {name} {at}", self.name) }),
            _ => Err(other()),
        });
        fields.collect()
    }

    /// The texts of a list, in its order; an absent one is empty.
    pub(super) fn list_of_texts(&self, name: &str) -> Result<Vec<String>, LedgerError> {
        let other = || self.corrupt(name, "something else than a list of texts");
        match self.item.get(name) {
            None => Ok(Vec::new()),
            Some(AttributeValue::L(list)) => {
                let texts = list.iter().map(|value| value.as_s().cloned().map_err(|_| other()));
                texts.collect()
            }
            Some(_) => Err(other()),
        }
    }

    /// The texts of a set; an absent one is empty.
    pub(super) fn texts(&self, name: &str) -> Result<&'a [String], LedgerError> {
        match self.item.get(name) {
            None => Ok(&[]),
            Some(AttributeValue::Ss(texts)) => Ok(texts),
            Some(_) => Err(self.corrupt(name, "something else than a set of texts")),
        }
    }
}

/// A set of texts; DynamoDB has no empty one.
pub(super) fn texts<'a>(texts: impl IntoIterator<Item = &'a str>) -> Option<AttributeValue> {
    let texts: Vec<_> = texts.into_iter().map(str::to_owned).collect();
    Some(texts).filter(|texts| !texts.is_empty()).map(AttributeValue::Ss)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn corrupt<T: std::fmt::Debug>(read: Result<T, LedgerError>) -> (String, String) {
        match read {
            Err(LedgerError::Corrupt { item, what }) => (item, what),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_is_wrong_with_an_item_names_the_item_and_the_attribute() {
        let inner = Draft::default().with("n", text("x")).into_map();
        let item = Draft::default()
            .with("pk", text("change#X"))
            .with("sk", text("change"))
            .with("s", text("x"))
            .with("n", number(7))
            .with("m", inner)
            .done();
        let fields = Fields::of(&item);
        let of = |what: &str| ("change#X change".to_owned(), what.to_owned());
        assert_eq!(corrupt(fields.text("absent")), of("has nothing as its `absent`"));
        assert_eq!(corrupt(fields.text("n")), of("has something else than a text as its `n`"));
        assert_eq!(corrupt(fields.number::<u32>("s")), of("has something else than a number as its `s`"));
        assert_eq!(corrupt(fields.flag("n")), of("has something else than true or false as its `n`"));
        assert_eq!(corrupt(fields.map("n")), of("has something else than a map as its `n`"));
        assert_eq!(corrupt(fields.maps("n")), of("has something else than a list of maps as its `n`"));
        assert_eq!(corrupt(fields.texts("n")), of("has something else than a set of texts as its `n`"));
        assert_eq!(corrupt(fields.parsed("s", |_| None::<u32>)), of("has `x` as its `s`"));
        let (item, what) = corrupt(fields.map("m").unwrap().number::<u32>("n"));
        assert_eq!(
            (item.as_str(), what.as_str()),
            ("change#X change, m", "has something else than a number as its `n`")
        );
    }

    #[test]
    fn what_is_absent_is_nothing_zero_false_or_empty() {
        let item = Draft::default().with_flag("no", false).with_some("none", None).done();
        assert!(item.is_empty());
        let fields = Fields::of(&item);
        assert_eq!(fields.some_text("a").unwrap(), None);
        assert_eq!(fields.some_number::<u64>("a").unwrap(), None);
        assert_eq!((fields.count("a").unwrap(), fields.flag("a").unwrap()), (0, false));
        assert!(fields.some_map("a").unwrap().is_none() && fields.maps("a").unwrap().is_empty());
        assert!(fields.texts("a").unwrap().is_empty() && texts([]).is_none());
    }
}
