//! Texts that others choose stay texts: whatever they are, the page has the same tags.

use crate::reading::{tags, unescaped};
use crate::samples::{LANE, change, failure, frame, holding, listed, name, part, past, result};
use policy_core::policy::{Configuration, Scope};
use policy_core::record::{
    ChangeRecord, Freeze, LanePart, LaneState, Listed, Past, RecordStatus, RecordedOrigin, RecordedResult,
    Who,
};
use policy_core::report::OutcomeKind;
use policy_page::{Change, Changes, Entry, Fleet, Frame, Target};
use proptest::prelude::*;
use std::collections::BTreeMap;

fn who(text: &str) -> Who {
    Who { principal: Some(text.to_owned()), ..crate::samples::who("") }
}

fn held(text: &str) -> Configuration {
    let list = [text.to_owned(), "pdf".to_owned()];
    Configuration { maximum_size_limit_in_bytes: Some(1), allowed_extensions: Some(list.into()) }
}

/// Every page, with this text wherever somebody else chooses it.
fn pages(text: &str) -> [String; 4] {
    let frame = Frame { endpoint: text, ..frame() };
    let freeze = Freeze { who: who(text), reason: Some(text.to_owned()), ..crate::samples::freeze(false) };
    let target = name(LANE, 1, Scope::Chat);
    let other = name(LANE, 2, Scope::Chat);
    let plain = Configuration {
        maximum_size_limit_in_bytes: Some(1),
        allowed_extensions: Some(["pdf".to_owned()].into()),
    };
    let third = name(LANE, 3, Scope::Chat);
    let targets = [
        (target.clone(), holding(held(text))),
        (other, holding(plain.clone())),
        (third, holding(plain.clone())),
    ];
    let fleet = Fleet {
        lane: None,
        differing: false,
        page: 1,
        targets: &targets,
        is_whole: true,
        freeze: Some(&freeze),
    };
    let origin = |origin: RecordedOrigin| RecordedOrigin {
        who: who(text),
        source_ip: Some(text.to_owned()),
        service: text.to_owned(),
        ..origin
    };
    let base = listed("CHG-1", RecordStatus::Partial);
    let entry = Listed {
        origin: origin(base.origin.clone()),
        reason: Some(text.to_owned()),
        requested_by: Some(text.to_owned()),
        ..base
    };
    let entries = [Entry { listed: entry, progress: None }];
    let changes = Changes { entries: &entries, next: None, is_first: true, freeze: Some(&freeze) };
    let base = change("CHG-1", RecordStatus::Incomplete);
    let record = ChangeRecord {
        origin: origin(base.origin.clone()),
        reason: Some(text.to_owned()),
        requested_by: Some(text.to_owned()),
        ..base
    };
    let lanes = [LanePart { error: Some(failure(text, text)), ..part(LANE, LaneState::Parked, 1, 0) }];
    let results = [RecordedResult {
        before: Some(held(text)),
        after: Some(plain.clone()),
        error: Some(failure(text, text)),
        ..result(target.clone(), OutcomeKind::Failed)
    }];
    let document = serde_json::value::to_raw_value(text).unwrap();
    let change = Change {
        change: &record,
        lanes: &lanes,
        document: Some(&document),
        results: &results,
        untouched: &[],
        outcome: None,
        next: None,
    };
    let history = [Past {
        before: Some(held(text)),
        after: Some(plain),
        error: Some(failure(text, text)),
        who: Some(who(text)),
        ..past("CHG-1", OutcomeKind::Failed)
    }];
    let reasons = BTreeMap::from([(crate::samples::id("CHG-1"), text.to_owned())]);
    let held = holding(held(text));
    let page = Target {
        name: &target,
        record: &held,
        past: &history,
        reasons: &reasons,
        next: None,
        is_first: true,
    };
    [fleet.render(&frame), changes.render(&frame), change.render(&frame), page.render(&frame)]
}

/// The tags without the one attribute that a text is in.
fn shape(html: &str) -> Vec<String> {
    let without = |tag: &str| match tag.split_once(" endpoint=") {
        Some((before, endpoint)) => {
            assert!(
                endpoint.starts_with('"') && endpoint.ends_with('"') && endpoint.matches('"').count() == 2,
                "{tag}"
            );
            before.to_owned()
        }
        None => tag.to_owned(),
    };
    tags(html).into_iter().map(without).collect()
}

/// How often the text is on each page.
const TIMES: [usize; 4] = [2, 5, 10, 6];

fn assert_is_text(text: &str) {
    for ((hostile, plain), times) in pages(text).iter().zip(pages("zzz")).zip(TIMES) {
        assert_eq!(shape(hostile), shape(&plain), "{text}");
        let said = unescaped(hostile);
        assert!(said.matches(text).count() >= times, "{text}: {} times\n{said}", said.matches(text).count());
    }
}

#[test]
fn markup_in_a_reason_an_identity_an_error_or_an_extension_is_shown_as_text() {
    for text in [
        "<script>alert(1)</script>",
        "\"><img src=x onerror=alert(1)>",
        "' onmouseover='alert(1)",
        "</style><iframe src=//example.org>",
        "</cwdb-action><cwdb-action action=\"call\" endpoint=\"arn:aws:lambda:us-east-1:1:function:evil\">{}",
        "<!-- ",
        "]]>",
        "&lt;b&gt;",
        "x\u{202e}y\u{0}z",
    ] {
        assert_is_text(text);
    }
}

/// What is written as it is: the name of the type, where it is imported, and the style sheet.
#[test]
fn the_style_sheet_is_the_only_thing_that_is_not_escaped() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        assert!(path.is_file(), "{} is not searched", path.display());
        let text = std::fs::read_to_string(&path).unwrap();
        found.extend(text.lines().filter(|line| line.contains("PreEscaped")).map(str::to_owned));
    }
    assert_eq!(
        found,
        [
            "use maud::{Markup, PreEscaped, Render, html};",
            "const STYLE: PreEscaped<&str> = PreEscaped(include_str!(\"style.css\"));",
        ]
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_the_text_is_the_page_has_the_same_tags(text in "z[<>&\"'a-z/= !;-]{0,40}") {
        let (hostile, plain) = (pages(&text), pages("zzz"));
        for (hostile, plain) in hostile.iter().zip(&plain) {
            prop_assert_eq!(shape(hostile), shape(plain));
        }
    }
}
