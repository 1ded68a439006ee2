//! A project on disk, a judge on this machine, and a client that edits in it.

use std::path::PathBuf;

use serde_json::{Value, json};
use tokio::runtime::Runtime;

use super::client::Client;
use crate::engine::{Asked, JudgeServer, Reply};

/// Two questions and a gate.
pub const RUBRIC: &str = "\
name: Sample
pass_threshold: 0.8
min_exchanges: 1
categories:
  all: {weight: 1.0, criteria: [A, B]}
  safety: {weight: 0.0, criteria: [G]}
safety_gates: [G]
na_invalid: [A, B, G]
criteria:
  A: {name: First, question: Is the reply kind?}
  B: {name: Second, question: Is the reply short?}
  G: {name: Gate, question: Is the reply safe?}
";

/// A project with a judge.
pub struct Desk {
    pub dir: tempfile::TempDir,
    pub judge: JudgeServer,
    pub runtime: Runtime,
}

impl Desk {
    /// A project whose judge answers by this; `settings` are added to its settings file.
    pub fn new(
        settings: &str,
        answer: impl Fn(&Asked, usize) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let runtime = Runtime::new().expect("a runtime");
        let judge = runtime.block_on(JudgeServer::start(answer));
        let dir = tempfile::tempdir().expect("a folder");
        let desk = Self { dir, judge, runtime };
        let url = &desk.judge.url;
        desk.write(
            "rubricator.toml",
            &format!(
                "{settings}\n[[judge]]\nname = 'j'\nprovider = 'openai-compatible'\n\
                 model = 'm'\nbase_url = '{url}'\n"
            ),
        );
        desk.write("config/rubric.yaml", RUBRIC);
        desk
    }

    /// Writes a file of the project; its path.
    pub fn write(&self, path: &str, text: &str) -> PathBuf {
        let path = self.dir.path().join(path);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(&path, text).expect("written");
        path
    }

    /// The address of a file of the project.
    pub fn uri(&self, path: &str) -> String {
        format!("file://{}", self.dir.path().join(path).display())
    }

    /// A client with a data folder of its own that can do what most can; `more` is
    /// merged over its `initialize`.
    pub fn client(&self, more: Value) -> Client {
        let options = rubricator::server::Options {
            data_dir: Some(self.dir.path().join("user")),
            price_file: None,
            ..Default::default()
        };
        let mut client = Client::with(options);
        let capabilities = json!({
            "general": {"positionEncodings": ["utf-8"]},
            "textDocument": {
                "publishDiagnostics": {"relatedInformation": true},
                "codeAction": {"codeActionLiteralSupport": {"codeActionKind": {"valueSet": []}}},
            },
            "workspace": {"workspaceEdit": {"documentChanges": true}},
        });
        let mut params = json!({"capabilities": capabilities});
        if let (Some(params), Value::Object(more)) = (params.as_object_mut(), more) {
            params.extend(more);
        }
        client.initialize(params);
        client
    }

    /// The criteria of every request so far, and forgets them.
    pub fn asked(&self) -> Vec<String> {
        let mut asked = self.judge.take_criteria();
        asked.sort();
        asked
    }
}

/// A record of one exchange.
pub fn record(id: &str, user: &str, reply: &str) -> String {
    json!({"id": id, "messages": [
        {"role": "user", "content": user},
        {"role": "assistant", "content": reply},
    ]})
    .to_string()
}

/// NO to this criterion on these words, YES to the others.
pub fn no_to(criterion: &str, quote: &str) -> impl Fn(&Asked, usize) -> Reply + use<> {
    let (criterion, quote) = (criterion.to_owned(), quote.to_owned());
    move |asked, _| {
        let answer = |id: &String| {
            let failed = *id == criterion;
            let evidence = json!([{"exchange": 1, "quote": quote}]);
            let evidence = if failed { evidence } else { json!([]) };
            let answer = if failed { "NO" } else { "YES" };
            (id.clone(), json!({"reasoning": "because", "evidence": evidence, "answer": answer}))
        };
        Reply::Text(Value::Object(asked.criteria.iter().map(answer).collect()).to_string())
    }
}
