//! Generating in the editor: on disk, never over a buffer that is not saved.

use serde_json::{Value, json};

use super::client::Client;
use super::desk::Desk;
use crate::cli::generate::message;
use crate::engine::Reply;

fn desk() -> Desk {
    let desk = Desk::new("[generate]\ncount = 2", |asked, _| Reply::Text(message(asked, 4..10)));
    let template =
        "attributes: {name: [Omar, Ana]}\nwriting_styles: {short: {words: [4, 9]}}\nexchanges: 2\n";
    desk.write("config/persona-template.yaml", template);
    desk.write("config/input-taxonomy.yaml", "topics: [work]\n");
    desk
}

/// What came of it.
fn generate(client: &mut Client, uri: &str) -> String {
    let params = json!({"command": "rubricator.generate", "arguments": [{"uri": uri}]});
    assert_eq!(client.ask("workspace/executeCommand", params), json!({"accepted": true}));
    let message = client.message("window/showMessage");
    message["params"]["message"].as_str().unwrap().to_owned()
}

#[test]
fn more_appear_on_disk_and_a_buffer_that_is_not_saved_is_left_alone() {
    let desk = desk();
    let mut client = desk.client(json!({}));
    let rubric = desk.uri("config/rubric.yaml");
    client.open(&rubric, 1, super::desk::RUBRIC);
    let says = generate(&mut client, &rubric);
    assert!(says.starts_with("2 transcripts written to data/raw/generated-"), "{says}");
    let name = says.split(' ').nth(4).unwrap().trim_end_matches('.').to_owned();
    let path = desk.dir.path().join(&name);
    let read = || std::fs::read_to_string(&path).unwrap();
    let first = read();
    assert_eq!(first.lines().count(), 2);

    // Open as it is on disk: more are made, and the editor reads them from there.
    let uri = desk.uri(&name);
    client.open(&uri, 1, &first);
    let says = generate(&mut client, &uri);
    assert!(says.starts_with("2 transcripts written"), "{says}");
    let second = read();
    assert!(second.starts_with(&first) && second.lines().count() == 4);
    let ids: Vec<Value> = second
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["generation"]["index"].clone())
        .collect();
    assert_eq!(ids, [0, 1, 2, 3]);
    let calls = desk.judge.take().len();
    assert_eq!(calls, 4 * 2 * 2);

    // The buffer is not what is on disk: nothing is asked and nothing written.
    let says = generate(&mut client, &uri);
    assert!(says.contains("save or reload it, and generate again"), "{says}");
    assert_eq!((read(), desk.judge.take().len()), (second, 0));
}

#[test]
fn what_is_wrong_is_said_and_nothing_is_asked() {
    let desk = desk();
    desk.write("config/input-taxonomy.yaml", "topics: [work]\nedge_share: 15\n");
    let mut client = desk.client(json!({}));
    let rubric = desk.uri("config/rubric.yaml");
    client.open(&rubric, 1, super::desk::RUBRIC);
    let says = generate(&mut client, &rubric);
    assert_eq!(says, "config/input-taxonomy.yaml:2: edge_share must be from 0 to 1");
    assert!(desk.judge.take().is_empty());

    let mut untrusted = desk.client(json!({"initializationOptions": {"trusted": false}}));
    desk.write("config/input-taxonomy.yaml", "topics: [work]\n");
    untrusted.open(&rubric, 1, super::desk::RUBRIC);
    let says = generate(&mut untrusted, &rubric);
    assert!(says.contains("this folder is not trusted"), "{says}");
    assert!(desk.judge.take().is_empty());
}
