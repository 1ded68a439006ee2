//! What the server asks the client to tell it, beside documents: changes of
//! settings, and of the files that settings and rubrics are read from.
//!
//! Invariant: registered only with clients that offer dynamic registration; all
//! others tell us by saving.

use serde_json::json;
use tower_lsp_server::gen_lsp_types::Registration;

use super::capabilities::ClientFlags;

/// Files that decide what is found in others, and those whose findings are shown unopened.
const WATCHED: [&str; 6] = [
    "**/rubricator.toml",
    "**/config/*.yaml",
    "**/config/*.yml",
    "**/config/prompts/*.md",
    "**/*.jsonl",
    "**/*.ndjson",
];

/// The registrations this client takes.
#[must_use]
pub fn registrations(client: &ClientFlags) -> Vec<Registration> {
    let mut all = Vec::new();
    if client.register_configuration {
        all.push(Registration {
            id: "rubricator-configuration".into(),
            method: "workspace/didChangeConfiguration".into(),
            register_options: Some(json!({"section": "rubricator"})),
        });
    }
    if client.register_watchers {
        let watchers: Vec<_> = WATCHED.iter().map(|glob| json!({"globPattern": glob})).collect();
        all.push(Registration {
            id: "rubricator-files".into(),
            method: "workspace/didChangeWatchedFiles".into(),
            register_options: Some(json!({"watchers": watchers})),
        });
    }
    all
}
