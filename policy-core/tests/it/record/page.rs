//! Tokens: places in a list, and nothing else.

use super::{NOW, id, run, target};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use policy_core::policy::Scope;
use policy_core::record::{InvalidToken, MAX_TOKEN, Millis, Position, RunKey, RunName};
use proptest::prelude::*;

fn positions() -> [Position; 3] {
    [
        Position::Result(target(Scope::Task)),
        Position::Listed { at: NOW, change_id: id("CHG-1") },
        Position::History { at: NOW, run: run("CHG/1:x", -5) },
    ]
}

fn token(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(text)
}

#[test]
fn a_position_is_the_sort_key_of_its_entry() {
    let keys = positions().map(|position| position.key());
    let expected = [
        "111122223333/us-east-1#0123abcd-0000-4000-8000-00000000000f#TASK",
        "1800000000000#CHG-1",
        "1800000000000#CHG/1:x#1799999995000",
    ];
    assert_eq!(keys, expected);
    for position in positions() {
        assert_eq!(position.to_string(), token(&format!("1{}", position.key())));
        assert_eq!(Position::parse(&position.to_string()), Ok(position));
    }
}

#[test]
fn the_longest_position_fits_a_token() {
    let change_id = id(&"x".repeat(128));
    let longest = Position::History { at: NOW, run: RunName { change_id, key: RunKey(NOW) } };
    assert_eq!((longest.to_string().len(), Position::parse(&longest.to_string())), (210, Ok(longest)));
}

#[test]
fn what_is_no_position_is_no_token() {
    let key = positions()[0].key();
    for bad in [
        String::new(),
        "!".to_owned(),
        token(""),
        token("1"),
        token(&key),
        token(&format!("2{key}")),
        token(&format!("1{key}#")),
        token(&format!("1{}", key.to_uppercase())),
        token("1180000000000#CHG-1"),
        token("11800000000000#"),
        token("11800000000000#a b"),
        token("11800000000000#a#b"),
        token("11800000000000#a#1800000000000#x"),
        token("1change#CHG-1"),
        format!("{}=", positions()[1]),
        // the same key with an instance id in capitals: not one that was given
        token(&format!("1{}", key.replace("0123abcd", "0123ABCD"))),
        URL_SAFE_NO_PAD.encode([b'1', 0xff]),
        "A".repeat(MAX_TOKEN + 1),
    ] {
        assert_eq!(Position::parse(&bad), Err(InvalidToken), "{bad}");
    }
    assert_eq!(InvalidToken.to_string(), "`nextToken` is not one that this list has given");
}

proptest! {
    #[test]
    fn no_text_makes_parsing_panic_and_what_parses_was_given(text in ".{0,60}", key in "1[0-9#/a-z-]{0,60}") {
        for token in [text, token(&key)] {
            if let Ok(position) = Position::parse(&token) {
                prop_assert_eq!(position.to_string(), token);
            }
        }
    }

    #[test]
    fn every_position_comes_back(at in 0..=9_999_999_999_999_u64, text in "[A-Za-z0-9._:/-]{1,128}", key in 0..=9_999_999_999_999_u64) {
        let listed = Position::Listed { at: Millis(at), change_id: id(&text) };
        let history = Position::History { at: Millis(at), run: RunName { change_id: id(&text), key: RunKey(Millis(key)) } };
        for position in [listed, history] {
            prop_assert_eq!(Position::parse(&position.to_string()), Ok(position));
        }
    }
}
