//! A save while judges are still being asked: calls about words that are gone are
//! dropped, calls about words that stand go on and are not made twice.

use serde_json::json;

use super::desk::{Desk, record};
use crate::engine::Reply;

const FILE: &str = "data/raw/a.jsonl";

#[test]
fn a_new_save_drops_what_was_edited_and_nothing_else() {
    let mut desk = Desk::new("[assess]\ndebounce_ms = 0\n", |_, _| Reply::Hang);
    let mut client = desk.client(json!({}));
    let uri = desk.uri(FILE);
    let records = [record("t-1", "One?", "First."), record("t-2", "Two?", "Second.")];
    client.open(&uri, 1, &format!("{}\n{}\n", records[0], records[1]));
    client.save(&uri);
    for _ in 0..2 {
        desk.runtime.block_on(desk.judge.arrived.recv()).expect("both are asked about");
    }
    let place = u32::try_from(records[0].find("First").unwrap()).unwrap();
    client.insert(&uri, 2, 0, place, "The ");
    client.save(&uri);
    desk.runtime.block_on(desk.judge.closed.recv()).expect("the edited one is dropped");
    desk.runtime.block_on(desk.judge.arrived.recv()).expect("its new words are asked about");
    let asked = desk.judge.take();
    let about =
        |words: &str| asked.iter().filter(|asked| asked.body.to_string().contains(words)).count();
    let counts = (asked.len(), about("Second."), about("The First."));
    assert_eq!(counts, (3, 1, 1), "nobody is asked twice about the second");
    assert!(desk.judge.closed.try_recv().is_err(), "the second's call goes on");

    // Saving once more changes nothing: both are being asked about.
    client.save(&uri);
    let params = json!({"command": "rubricator.assess", "arguments": [{"uri": uri}]});
    let answer = client.ask("workspace/executeCommand", params);
    assert_eq!(answer["reason"], "the judges are being asked about this already");
    assert_eq!(desk.asked(), [""; 0]);
    client.ask("workspace/executeCommand", json!({"command": "rubricator.cancel"}));
    for _ in 0..2 {
        desk.runtime.block_on(desk.judge.closed.recv()).expect("cancelling drops both");
    }
}
