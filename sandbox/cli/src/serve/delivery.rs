//! One invocation with messages of a queue, as one line.

use super::call::clock;
use crate::palette::Palette;
use sandbox::lambda::Answer;
use sandbox::mapping::Delivery;

/// Time, what it was, the group, how it ended, and what becomes of its messages.
pub(super) fn line(what: &str, delivery: &Delivery, palette: Palette) -> String {
    let groups: Vec<&str> = delivery.messages.iter().filter_map(|message| message.group.as_deref()).collect();
    let comes_again = delivery.messages.len() - delivery.deleted.len();
    let outcome = match &delivery.answer {
        Some(Answer::Response(_)) if comes_again == 0 => palette.good("done"),
        Some(Answer::Response(_)) => palette.careful("comes again"),
        Some(Answer::Error { error_type, .. } | Answer::InitError { error_type, .. }) => {
            palette.bad(format!("{error_type}, comes again"))
        }
        Some(Answer::Exited(_)) => palette.bad("the process ended, comes again"),
        Some(Answer::TimedOut) => palette.bad("timed out, comes again"),
        None => palette.bad("not delivered, comes again"),
    };
    let receives = delivery.messages.iter().map(|message| message.receives).max().unwrap_or_default();
    let receives = if receives > 1 { format!(", received {receives} times") } else { String::new() };
    let seconds = delivery.duration.as_secs_f64();
    let time = palette.dim(clock(delivery.at + delivery.duration));
    format!("{time}  {what:<19} {}  {outcome}, {seconds:.1} s{receives}", groups.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use sandbox::mapping::Delivered;
    use std::time::Duration;
    use time::macros::datetime;

    fn delivery(answer: Answer, deleted: &[&str], receives: u32) -> Delivery {
        Delivery {
            sequence: 1,
            at: datetime!(2026-01-02 03:04:05.678 UTC),
            messages: vec![Delivered {
                id: "m".into(),
                group: Some("111122223333/us-east-1".into()),
                receives,
            }],
            process: Some(0),
            request_id: None,
            answer: Some(answer),
            duration: Duration::from_millis(2_100),
            deleted: deleted.iter().map(|id| (*id).to_owned()).collect(),
        }
    }

    #[test]
    fn a_line_says_how_a_delivery_ended_and_whether_its_message_comes_again() {
        for (delivery, expected) in [
            (delivery(Answer::Response(Vec::new()), &["m"], 1), "done, 2.1 s"),
            (delivery(Answer::Response(Vec::new()), &[], 3), "comes again, 2.1 s, received 3 times"),
            (delivery(Answer::Exited(None), &[], 1), "the process ended, comes again, 2.1 s"),
        ] {
            assert_eq!(
                line("lane message", &delivery, Palette::plain()),
                format!("03:04:07.778  lane message        111122223333/us-east-1  {expected}")
            );
        }
    }
}
