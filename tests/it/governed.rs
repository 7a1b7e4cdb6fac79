//! Governed mode: recorded changes, from the request to the end of their records.

mod actions;
mod admission;
mod announced;
mod at_once;
mod bounds;
mod checked;
mod drift;
mod interleaved;
mod lanes;
mod organisation;
mod page;
mod queueing;
mod racing;
mod redelivered;
mod rejected;
mod requests;
mod restore;
mod settled;
pub(crate) mod stage;
mod stop_after;
mod undone;
mod untouched;

use crate::world::{ONE, THREE, TWO, chat, outcomes};
use serde_json::{Value, json};
use stage::Stage;

#[tokio::test]
async fn a_change_that_fits_is_carried_out_at_once_and_recorded() {
    let stage = Stage::new().await;
    let change = chat(ONE, &json!({"changeId": "CHG-1", "reason": "as told"}));
    let (status, _, report) = stage.http("POST", "/policy-changes", &change).await;
    assert_eq!((status, outcomes(&report)), (200, vec!["applied"]), "{report}");
    let record = stage.record("CHG-1").await;
    assert_eq!(record["status"], "succeeded", "{record:#}");
    assert_eq!(record["summary"], json!({"applied": 1}));
    assert_eq!(record["progress"], json!({"targets": 1, "done": 1}));
    assert_eq!(record["origin"]["principal"], "arn:aws:iam::111122223333:user/ada");
    assert_eq!(record["results"][0]["outcome"], "applied");
    assert_eq!(record["results"][0]["after"]["maximumSizeLimitInBytes"], 10_485_760);
    assert_eq!(record["document"]["changeId"], "CHG-1");
}

#[tokio::test]
async fn a_long_change_is_answered_202_followed_to_its_end_and_undone() {
    // at this pace twelve updates take 11 s, and the request has 3
    let pace = [("CONNECT_REQUESTS_PER_SECOND", "0.2"), ("CONNECT_BURST", "1")];
    let stage = Stage::with(sandbox::connect::Options::default(), &pace).await;
    let change = json!({
        "instanceIds": [ONE, TWO, THREE], "attachmentScope": "*", "maximumSize": "10 MB", "changeId": "CHG-2",
    });
    let (status, headers, report) = stage.http("POST", "/policy-changes", &change).await;
    assert_eq!((status, &report["status"]), (202, &json!("accepted")), "{report}");
    assert_eq!(headers["location"], "/policy-changes/CHG-2");
    assert_eq!(stage.record("CHG-2").await["status"], "accepted");
    assert_eq!(stage.world.updates(), 0);
}

#[tokio::test]
async fn what_comes_through_the_intake_is_carried_out_by_its_lanes_and_can_be_undone() {
    let stage = Stage::new().await;
    let change = json!({
        "instanceIds": [ONE, TWO, THREE], "attachmentScope": "*", "maximumSize": "10 MB", "changeId": "CHG-3",
    });
    stage.take_in(&change).await;
    let accepted = stage.record("CHG-3").await;
    assert_eq!(
        (&accepted["status"], &accepted["progress"]),
        (&json!("accepted"), &json!({"targets": 12, "done": 0}))
    );
    stage.work().await;
    let record = stage.record("CHG-3").await;
    assert_eq!(
        (&record["status"], &record["summary"]),
        (&json!("succeeded"), &json!({"applied": 12})),
        "{record:#}"
    );
    assert_eq!(record["results"].as_array().unwrap().len(), 12);
    assert_eq!(stage.world.updates(), 12);

    let (status, headers, undo) = stage.http("POST", "/policy-changes/CHG-3/undo", &Value::Null).await;
    assert_eq!((status, &undo["undoes"]), (202, &json!("CHG-3")), "{undo}");
    let location = headers["location"].as_str().unwrap().to_owned();
    stage.work().await;
    let (_, _, undone) = stage.http("GET", &location, &Value::Null).await;
    assert_eq!(
        (&undone["status"], &undone["summary"]),
        (&json!("succeeded"), &json!({"applied": 12})),
        "{:?}",
        stage.world.audited()
    );
    assert_eq!(undone["results"][0]["after"]["maximumSizeLimitInBytes"], 20_971_520);
    assert_eq!(stage.record("CHG-3").await["undoneBy"], undone["changeId"]);
    assert_eq!(stage.queues.messages(stage::CHANGES).len(), 0);
    // nothing is left in the table that somebody would have to come back to
    let owed =
        |item: &Value| item.get("owed").is_some() || item["sk"]["S"].as_str().unwrap().starts_with("work#");
    assert_eq!(stage.ledger.items().unwrap().iter().filter(|item| owed(item)).count(), 0);
}
