//! Answers in pages, as `maxResults` and `nextToken` ask for them.

use std::fmt::Write as _;

use percent_encoding::percent_decode_str;

/// Which part of a list is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Page {
    limit: usize,
    /// The key of the last item of the page before.
    after: Option<String>,
    /// The list that tokens belong to: a token of another one is refused.
    list: String,
}

impl Page {
    /// Reads the query of a list; a query without `maxResults` gets `largest` items.
    ///
    /// The error is a message, since operations differ in the error's name.
    pub(super) fn read(query: Option<&str>, largest: usize, list: String) -> Result<Self, String> {
        let limit = match parameter(query, "maxResults") {
            None => largest,
            Some(text) => text
                .parse()
                .ok()
                .filter(|limit| (1..=largest).contains(limit))
                .ok_or_else(|| format!("maxResults must be a number from 1 to {largest}, not `{text}`"))?,
        };
        let after = match parameter(query, "nextToken") {
            None => None,
            Some(token) => {
                Some(key(&list, &token).ok_or_else(|| format!("`{token}` is not a nextToken of this list"))?)
            }
        };
        Ok(Self { limit, after, list })
    }

    /// The key after which the page begins.
    pub(super) fn after(&self) -> Option<&str> {
        self.after.as_deref()
    }

    /// Takes one page of what comes after [`Page::after`], and the token of the next page if there
    /// is one.
    pub(super) fn take<T>(
        &self,
        items: impl Iterator<Item = T>,
        key: impl Fn(&T) -> String,
    ) -> (Vec<T>, Option<String>) {
        let mut items = items.peekable();
        let page: Vec<T> = items.by_ref().take(self.limit).collect();
        let last = page.last().filter(|_| items.peek().is_some());
        let next = last.map(|last| token(&self.list, &key(last)));
        (page, next)
    }
}

fn parameter(query: Option<&str>, name: &str) -> Option<String> {
    query?.split('&').find_map(|pair| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        (key == name).then(|| percent_decode_str(value).decode_utf8_lossy().into_owned())
    })
}

/// A checksum and the key, in hexadecimal, so that an invented token is noticed.
fn token(list: &str, key: &str) -> String {
    let mut token = format!("{:016x}", checksum(list, key));
    for byte in key.bytes() {
        // Writing to a string cannot fail.
        let _ = write!(token, "{byte:02x}");
    }
    token
}

fn key(list: &str, sent: &str) -> Option<String> {
    let digits = sent.get(16..)?.as_bytes().chunks(2);
    let bytes: Option<Vec<u8>> =
        digits.map(|pair| u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok()).collect();
    let key = String::from_utf8(bytes?).ok()?;
    (token(list, &key) == sent).then_some(key)
}

/// FNV-1a, which is the same on every machine and in every version.
fn checksum(list: &str, key: &str) -> u64 {
    let bytes = list.bytes().chain([0]).chain(key.bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str) -> Result<Page, String> {
        Page::read(Some(query), 10, "list".to_owned())
    }

    fn numbers(page: &Page) -> (Vec<u32>, Option<String>) {
        let after = page.after().map_or(0, |after| after.parse().unwrap());
        page.take(after + 1..=5, u32::to_string)
    }

    #[test]
    fn pages_cover_a_list_once_and_end_without_a_token() {
        let mut query = "maxResults=2".to_owned();
        let mut seen = Vec::new();
        loop {
            let (page, next) = numbers(&read(&query).unwrap());
            seen.push(page);
            let Some(next) = next else { break };
            query = format!("nextToken={next}&maxResults=2");
        }
        assert_eq!(seen, [vec![1, 2], vec![3, 4], vec![5]]);
    }

    #[test]
    fn a_page_that_ends_with_the_list_has_no_token() {
        assert_eq!(numbers(&read("maxResults=5").unwrap()), (vec![1, 2, 3, 4, 5], None));
    }

    #[test]
    fn without_a_limit_the_largest_page_comes() {
        assert_eq!(Page::read(None, 3, String::new()).unwrap().take(1..=5, u32::to_string).0, [1, 2, 3]);
    }

    #[test]
    fn a_limit_out_of_range_or_not_a_number_is_refused() {
        for limit in ["0", "11", "-1", "ten", "", "1.0"] {
            assert_eq!(
                read(&format!("maxResults={limit}")),
                Err(format!("maxResults must be a number from 1 to 10, not `{limit}`"))
            );
        }
    }

    #[test]
    fn an_invented_token_and_one_of_another_list_are_refused() {
        let of_another = token("other list", "2");
        for sent in ["", "x", "0123456789abcdef32", "é", &of_another, &format!("{}0", token("list", "2"))] {
            let query = format!("nextToken={sent}");
            assert_eq!(read(&query), Err(format!("`{sent}` is not a nextToken of this list")));
        }
        assert_eq!(read(&format!("nextToken={}", token("list", "2"))).unwrap().after(), Some("2"));
    }
}
