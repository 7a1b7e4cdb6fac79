//! The pages of a dashboard's widget in a browser, without a dashboard.
//!
//! What CloudWatch does around a custom widget ("Details about custom widgets", Amazon CloudWatch user guide), as far as
//! a page needs it: the function is invoked with parameters and a `widgetContext`, and its HTML is shown. An `<a>` before
//! a `cwdb-action` becomes a link with the action's parameters in its query, so that a page can be reloaded and kept.
//! Only links of the function's own kind are taken over. Nothing here knows which pages there are.

use crate::lambda::{Answer, Callable, Invoke};
use crate::loopback::{Port, Server};
use axum::Router;
use axum::extract::{RawQuery, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::{Map, Value, json};
use std::io;

/// What a query has of its own, besides the page's parameters.
const THEME: &str = "theme";
/// A page on which something goes on is loaded again after so many seconds.
const REFRESH: u32 = 3;
/// Of RFC 3986's query what needs no encoding in a value.
const VALUE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'/').remove(b':');

/// The pages on a port; dropping it stops it. The function goes on.
#[derive(Debug)]
pub struct WidgetPages {
    server: Server,
}

impl WidgetPages {
    /// Serves on 127.0.0.1; port 0 takes any free one.
    ///
    /// # Errors
    ///
    /// The port is taken.
    pub async fn start(function: impl Into<Callable>, port: u16) -> io::Result<Self> {
        let port = Port::take(port).await?;
        let router = Router::new().fallback(show).with_state(function.into());
        Ok(Self { server: port.serve(router) })
    }

    /// `http://127.0.0.1:PORT`, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> String {
        self.server.url()
    }
}

async fn show(State(function): State<Callable>, RawQuery(query): RawQuery) -> Response {
    let mut parameters = parameters(query.as_deref().unwrap_or_default());
    let is_dark = parameters.remove(THEME).is_some_and(|theme| theme == "dark");
    let theme = if is_dark { "dark" } else { "light" };
    let mut payload = parameters.clone();
    let timezone = json!({"label": "UTC", "offsetISO": "+00:00", "offsetInMinutes": 0});
    payload.insert("widgetContext".to_owned(), json!({THEME: theme, "timezone": timezone}));
    let invoked = function.invoke(Value::Object(payload).to_string().as_bytes(), Invoke::default()).await;
    let html = match invoked.map(|invocation| invocation.outcome) {
        Ok(Answer::Response(bytes)) => serde_json::from_slice::<String>(&bytes).ok(),
        _ => None,
    };
    match html {
        Some(html) => {
            let page = document(&linked(&html, theme), theme, &parameters);
            ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], page).into_response()
        }
        None => (StatusCode::BAD_GATEWAY, "the function failed; its log says why").into_response(),
    }
}

/// `view=fleet&page=2`: what is a number or a flag in JSON is one.
fn parameters(query: &str) -> Map<String, Value> {
    let decoded = |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned();
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let typed = |text: String| match serde_json::from_str(&text) {
        Ok(value @ (Value::Bool(_) | Value::Number(_))) => value,
        _ => Value::String(text),
    };
    pairs.map(|(name, value)| (decoded(name), typed(decoded(value)))).collect()
}

fn query(parameters: &Map<String, Value>, theme: &str) -> String {
    let own = (theme == "dark").then(|| (THEME.to_owned(), "dark".to_owned()));
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let pairs = parameters.iter().map(|(name, value)| (name.clone(), text(value))).chain(own);
    let encoded = |text: &str| utf8_percent_encode(text, VALUE).to_string();
    let pairs: Vec<_> =
        pairs.map(|(name, value)| format!("{}={}", encoded(&name), encoded(&value))).collect();
    pairs.join("&amp;")
}

/// Each action goes, and the anchor before it leads where the action did.
fn linked(html: &str, theme: &str) -> String {
    const ANCHOR: &str = "<a class=\"link\" role=\"link\" tabindex=\"0\">";
    let mut out = String::with_capacity(html.len());
    for piece in html.split("</cwdb-action>") {
        let Some((before, action)) = piece.split_once("<cwdb-action ") else {
            out.push_str(piece);
            continue;
        };
        let parameters = action.split_once('>').map_or("", |(_, parameters)| parameters);
        let parameters = parameters.replace("&quot;", "\"").replace("&amp;", "&");
        let parameters = serde_json::from_str(&parameters).unwrap_or_default();
        match before.rsplit_once(ANCHOR) {
            Some((text, anchor)) => {
                out.push_str(text);
                let query = query(&parameters, theme);
                out.extend(["<a class=\"link\" href=\"/?", &query, "\">", anchor]);
            }
            None => out.push_str(before),
        }
    }
    out
}

/// The page as a document: what the dashboard is around a widget.
fn document(html: &str, theme: &str, parameters: &Map<String, Value>) -> String {
    // the signs of what goes on
    let refresh = if html.contains('◐') || html.contains('○') {
        format!("<meta http-equiv=\"refresh\" content=\"{REFRESH}\">")
    } else {
        String::new()
    };
    let (other, background) = if theme == "dark" { ("light", "#0f1b2a") } else { ("dark", "#fff") };
    let switch = query(parameters, other);
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Attachment policies</title>\
         <meta name=\"viewport\" content=\"width=device-width\">{refresh}<link rel=\"icon\" href=\"data:,\">\
         <style>body{{margin:0;background:{background}}}</style></head><body><main>{html}\
         <div class=\"ap {theme}\"><a class=\"link\" href=\"/?{switch}\">Look at it in {other} colours</a></div>\
         </main></body></html>\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_action_becomes_the_link_before_it() {
        let html = "<p><a class=\"link\" role=\"link\" tabindex=\"0\">More</a><cwdb-action action=\"call\" \
                    endpoint=\"arn\">{&quot;view&quot;:&quot;change&quot;,&quot;change&quot;:&quot;a/1&quot;,&quot;page&quot;:2}\
                    </cwdb-action> text</p>";
        assert_eq!(
            linked(html, "light"),
            "<p><a class=\"link\" href=\"/?change=a/1&amp;page=2&amp;view=change\">More</a> text</p>"
        );
        assert!(linked(html, "dark").contains("view=change&amp;theme=dark\">"));
        assert_eq!(linked("<p>&lt;cwdb-action&gt;</p>", "light"), "<p>&lt;cwdb-action&gt;</p>");
    }

    #[test]
    fn a_query_is_the_parameters_again() {
        let asked = parameters("view=target&instance=arn%3Aaws%3Aconnect&page=2&differing=true&reason=a+b");
        let expected = json!({
            "view": "target", "instance": "arn:aws:connect", "page": 2, "differing": true, "reason": "a b",
        });
        assert_eq!(Value::Object(asked.clone()), expected);
        assert_eq!(parameters(&query(&asked, "light").replace("&amp;", "&")), asked);
        assert_eq!(query(&parameters("x=<\"&y=1"), "dark"), "x=%3C%22&amp;y=1&amp;theme=dark");
    }
}
