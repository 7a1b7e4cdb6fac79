//! Sorts violations by their places in the document.

use super::json::Json;
use super::violation::Violation;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// The position of the member at each level of a pointer. Places sort in the order of the text.
type Place = Vec<usize>;

/// Sorts violations by their places. Several at one place keep their order.
pub(super) fn sorted(violations: Vec<Violation>, json: &Json) -> Vec<Violation> {
    let mut places = vec![Place::new(); violations.len()];
    let pointers = violations.iter().zip(&mut places);
    find(json, pointers.map(|(violation, place)| Pointer { rest: &violation.pointer, place }).collect());
    let mut ordered: Vec<_> = places.into_iter().zip(violations).collect();
    ordered.sort_by(|(one, _), (other, _)| one.cmp(other));
    ordered.into_iter().map(|(_, violation)| violation).collect()
}

/// The rest of a pointer that is not followed yet, and the place so far.
struct Pointer<'v> {
    rest: &'v str,
    place: &'v mut Place,
}

/// Follows all pointers together, so that each object is searched once: it may have 100,000 keys.
fn find(json: &Json, pointers: Vec<Pointer<'_>>) {
    let mut by_token: BTreeMap<Cow<'_, str>, Vec<Pointer<'_>>> = BTreeMap::new();
    for Pointer { rest, place } in pointers {
        let Some(rest) = rest.strip_prefix('/') else { continue };
        let (token, rest) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        by_token.entry(unescaped(token)).or_default().push(Pointer { rest, place });
    }
    let descend = |number: usize, value: &Json, mut pointers: Vec<Pointer<'_>>| {
        for pointer in &mut pointers {
            pointer.place.push(number);
        }
        find(value, pointers);
    };
    match json {
        Json::Array(entries) => {
            for (token, pointers) in by_token {
                if let Some((number, entry)) = token.parse().ok().and_then(|n| Some((n, entries.get(n)?))) {
                    descend(number, entry, pointers);
                }
            }
        }
        Json::Object(entries) => {
            for (number, (key, value)) in entries.iter().enumerate() {
                // the first of several equal keys is the one that was read
                if let Some(pointers) = by_token.remove(key.as_str()) {
                    descend(number, value, pointers);
                }
            }
        }
        _ => {}
    }
}

/// The key of a reference token (RFC 6901 section 4).
fn unescaped(token: &str) -> Cow<'_, str> {
    if token.contains('~') {
        Cow::Owned(token.replace("~1", "/").replace("~0", "~"))
    } else {
        Cow::Borrowed(token)
    }
}

#[cfg(test)]
mod tests {
    use super::super::violation::ViolationCode;
    use super::*;

    #[test]
    fn violations_follow_the_text_and_an_object_comes_before_its_members() {
        let text = r#"{"b":{"x":1,"a":[0,1,2,3,4,5,6,7,8,9,10]},"a/~b":1,"a":2,"b":{"y":1}}"#;
        let json = serde_json::from_str(text).unwrap();
        let expected = ["", "", "/b", "/b/x", "/b/a/2", "/b/a/10", "/a~1~0b", "/a"];
        let mut reversed = expected;
        reversed.reverse();
        let violation = |(number, pointer): (usize, &str)| Violation {
            pointer: pointer.to_owned(),
            code: ViolationCode::WrongType,
            message: number.to_string(),
        };
        let found = sorted(reversed.into_iter().enumerate().map(violation).collect(), &json);
        assert_eq!(found.iter().map(|v| v.pointer.as_str()).collect::<Vec<_>>(), expected);
        // two of one place, as they were found
        assert_eq!([&found[0].message, &found[1].message], ["6", "7"]);
    }
}
