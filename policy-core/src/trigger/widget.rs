//! A custom widget of a CloudWatch dashboard ("Details about custom widgets", Amazon CloudWatch user guide): which page
//! it asks for, and how the page is looked at. Reading is all that it can ask for.

mod parameters;
mod view;

pub use parameters::{Parameters, Unclear};
pub use view::View;

use super::envelope::{Envelope, NotAccepted};
use crate::origin::TriggerKind;
use serde::Deserialize;
use serde_json::value::RawValue;
use time::UtcOffset;

/// What a dashboard asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Widget {
    /// What the widget is and which parameters it takes.
    Documentation,
    /// A page.
    Page(Box<Request>),
}

/// A page, and how it is looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Which page. A person has written the parameters: what is wrong with them is shown in the widget.
    pub view: Result<View, Unclear>,
    /// How.
    pub look: Look,
}

/// How a page is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// Light or dark.
    pub theme: Theme,
    /// The viewer's time zone, at this moment.
    pub offset: UtcOffset,
}

/// A dashboard's theme.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Theme {
    /// Dark on light.
    #[default]
    Light,
    /// Light on dark.
    Dark,
}

impl Default for Look {
    fn default() -> Self {
        Self { theme: Theme::default(), offset: UtcOffset::UTC }
    }
}

/// The part of `widgetContext` that matters here.
#[derive(Deserialize, Default)]
#[serde(default)]
struct WidgetContext {
    theme: String,
    timezone: Timezone,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Timezone {
    #[serde(rename = "offsetISO")]
    offset_iso: String,
}

/// Whether a dashboard sent this. A policy change with a field too many is a policy change.
pub(super) fn is_asked(envelope: &Envelope<'_>, is_change: bool) -> bool {
    envelope.has("widgetContext") || (!is_change && envelope.get("describe") == Some("true"))
}

pub(super) fn decode(envelope: &Envelope<'_>, payload: &RawValue) -> Result<Widget, NotAccepted> {
    envelope.once(TriggerKind::Widget, &["widgetContext", "describe"])?;
    if envelope.get("describe") == Some("true") {
        return Ok(Widget::Documentation);
    }
    envelope.object(TriggerKind::Widget, "widgetContext")?;
    let look = envelope.get("widgetContext").map(look).unwrap_or_default();
    Ok(Widget::Page(Box::new(Request { view: View::parse(payload), look })))
}

/// What cannot be read is as where nothing is said: a page in another colour is still a page.
fn look(context: &str) -> Look {
    let context: WidgetContext = serde_json::from_str(context).unwrap_or_default();
    let theme = if context.theme == "dark" { Theme::Dark } else { Theme::Light };
    Look { theme, offset: offset(&context.timezone.offset_iso).unwrap_or(UtcOffset::UTC) }
}

/// `+05:30`.
fn offset(iso: &str) -> Option<UtcOffset> {
    let (sign, rest) = match iso.split_at_checked(1)? {
        ("+", rest) => (1, rest),
        ("-", rest) => (-1, rest),
        _ => return None,
    };
    let (hours, minutes) = rest.split_once(':')?;
    let number = |text: &str| text.parse::<i8>().ok().filter(|number| *number >= 0 && text.len() == 2);
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    UtcOffset::from_hms(sign * hours, sign * minutes, 0).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::origin::Invocation;
    use crate::trigger::{Trigger, recognise};
    use time::macros::offset;

    fn recognised(payload: &str) -> Result<Widget, String> {
        let raw: &RawValue = serde_json::from_str(payload).unwrap();
        match recognise(raw, &Invocation::default()) {
            Ok(Trigger::Widget(widget)) => Ok(widget),
            Ok(other) => Err(other.kind().to_string()),
            Err(refused) => Err(refused.to_string()),
        }
    }

    fn page(payload: &str) -> Request {
        match recognised(payload) {
            Ok(Widget::Page(request)) => *request,
            other => panic!("{payload}: {other:?}"),
        }
    }

    #[test]
    fn a_dashboard_is_recognised_by_its_context_or_by_its_question() {
        assert_eq!(recognised(r#"{"describe":true}"#), Ok(Widget::Documentation));
        assert_eq!(recognised(r#"{"describe":true,"widgetContext":{}}"#), Ok(Widget::Documentation));
        assert_eq!(page(r#"{"widgetContext":{}}"#).look, Look::default());
        assert_eq!(page(r#"{"widgetContext":{},"describe":false}"#).view, Ok(View::default()));
    }

    #[test]
    fn what_is_no_widgets_payload_is_none() {
        for (payload, said) in [
            (
                r#"{"describe":false}"#,
                "unrecognised payload: the keys `describe`; it is not an API Gateway, EventBridge or SQS payload, and \
                 not a policy change",
            ),
            // a document with a field too many has its violation
            (r#"{"describe":true,"instanceId":"*"}"#, "bare"),
            (
                r#"{"widgetContext":{},"instanceId":"*"}"#,
                "unrecognised payload: it matches more than one payload type: a dashboard's widget and a policy change",
            ),
            (r#"{"widgetContext":5}"#, "malformed widget payload: `widgetContext` is not an object"),
            (
                r#"{"widgetContext":{},"widgetContext":{}}"#,
                "malformed widget payload: `widgetContext` appears more than once",
            ),
        ] {
            assert_eq!(recognised(payload), Err(said.to_owned()), "{payload}");
        }
    }

    #[test]
    fn the_context_says_how_the_page_is_looked_at() {
        for (context, theme, of) in [
            (
                r#"{"theme":"dark","timezone":{"label":"IST","offsetISO":"+05:30"}}"#,
                Theme::Dark,
                offset!(+5:30),
            ),
            (r#"{"theme":"light","timezone":{"offsetISO":"-03:30"}}"#, Theme::Light, offset!(-3:30)),
            (r#"{"theme":"neon","timezone":{"offsetISO":"local"}}"#, Theme::Light, offset!(UTC)),
            (r#"{"theme":7}"#, Theme::Light, offset!(UTC)),
        ] {
            let look = page(&format!(r#"{{"widgetContext":{context}}}"#)).look;
            assert_eq!(look, Look { theme, offset: of }, "{context}");
        }
        for wrong in ["", "+", "05:30", "+5:30", "+05", "+99:00", "+05:-1", "ä05:30"] {
            assert_eq!(super::offset(wrong), None, "{wrong}");
        }
    }
}
