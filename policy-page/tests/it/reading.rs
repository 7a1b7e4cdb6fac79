//! A page as it is read: its text, line by line, and its tags.

/// What a reader sees: a row of a table is a line whose cells are separated by `|`.
pub(crate) fn lines(html: &str) -> Vec<String> {
    let mut text = String::new();
    for part in parts(html) {
        match part {
            Part::Text(said) => text.push_str(&unescaped(said)),
            Part::Tag(tag) => match name(tag) {
                "th" | "td" => text.push('|'),
                "/th" | "/td" | "cwdb-action" | "/cwdb-action" | "span" | "/span" | "strong" | "/strong"
                | "a" | "/a" | "code" | "/code" => {}
                "q" | "/q" => text.push('"'),
                "div" | "/div" | "ul" | "/ul" | "li" | "/li" | "dt" | "/dt" | "dd" | "/dd" => text.push(' '),
                _ => text.push('\n'),
            },
        }
    }
    // facts: a term and what it is in one line
    let text = html_lines(&text);
    text.into_iter().filter(|line| !line.is_empty()).collect()
}

fn html_lines(text: &str) -> Vec<String> {
    text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

/// Every tag, without its texts.
pub(crate) fn tags(html: &str) -> Vec<&str> {
    let tags = parts(html).into_iter().filter_map(|part| match part {
        Part::Tag(tag) => Some(tag),
        Part::Text(_) => None,
    });
    tags.collect()
}

/// What the links of a page call the function with.
pub(crate) fn links(html: &str) -> Vec<String> {
    let actions = html.split("<cwdb-action ").skip(1);
    actions.map(|rest| unescaped(rest.split_once('>').unwrap().1.split_once('<').unwrap().0)).collect()
}

enum Part<'a> {
    Tag(&'a str),
    Text(&'a str),
}

/// Without what is not read: the style, and what the links call.
fn parts(html: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut unread = false;
    for piece in html.split('<').skip(1) {
        let (tag, text) = piece.split_once('>').unwrap();
        unread = matches!(name(tag), "style" | "cwdb-action");
        parts.push(Part::Tag(tag));
        if !unread {
            parts.push(Part::Text(text));
        }
    }
    assert!(!unread, "it ends within what is not read");
    parts
}

fn name(tag: &str) -> &str {
    tag.split(' ').next().unwrap()
}

pub(crate) fn unescaped(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&")
}
