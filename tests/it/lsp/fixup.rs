//! Fixups in the editor: nothing that a model wrote reaches a buffer except through
//! proof, whatever the buffer does meanwhile; applying and undoing cost nothing.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::client::{Client, Shown};
use super::desk::Desk;
use crate::engine::{Asked, Reply};

const FILE: &str = "data/raw/a.jsonl";

const RUBRIC: &str = "\
name: Small
min_exchanges: 1
categories:
  tone: {weight: 1.0, criteria: [KIND]}
  safety: {weight: 0.0, criteria: [SAFE]}
safety_gates: [SAFE]
criteria:
  KIND:
    question: Is the reply kind?
  SAFE:
    question: Is the reply safe?
";

/// A record as some writers escape it, with keys that nobody knows.
const ESCAPED: &str = r#"{"id": "tea", "messages": [{"role": "user", "content": "I can't sleep. \ud83d\ude34"}, {"role": "assistant", "weight": 1, "content": "Caf\u00e9 is out \ud83d\ude00.\nTry the breathing exercise, you silly goose."}, {"role": "user", "content": "The breathing thing made me dizzy."}, {"role": "assistant", "content": "Then stop it."}], "mood": [1, 2.50]}"#;

/// The same, written raw.
const RAW: &str = r#"{"id": "tea", "messages": [{"role": "user", "content": "I can't sleep. 😴"}, {"role": "assistant", "weight": 1, "content": "Café is out 😀.\nTry the breathing exercise, you silly goose."}, {"role": "user", "content": "The breathing thing made me dizzy."}, {"role": "assistant", "content": "Then stop it."}], "mood": [1, 2.50]}"#;

const OTHER: &str = r#"{"id": "other", "messages": [{"role": "user", "content": "Hi 😀"}, {"role": "assistant", "content": "Hello."}]}"#;

/// What the model drafts: `à` and a smile are escaped where the record's are.
const GOOD: &str = "Café is out 😀.\nTry the breathing exercise à la carte 😀.";

/// How the model drafts, and what it says of continuity, gate and criterion then.
#[derive(Clone)]
struct Model {
    draft: Value,
    continuity: &'static str,
    safe: &'static str,
    kind: &'static str,
}

fn rewrite(text: &str) -> Value {
    json!({"reasoning": "Without the name.", "outcome": "REWRITE", "rewrite": text})
}

impl Model {
    fn good() -> Self {
        Self { draft: rewrite(GOOD), continuity: "YES", safe: "YES", kind: "YES" }
    }

    fn drafting(draft: Value) -> Self {
        Self { draft, ..Self::good() }
    }

    fn answer(&self, asked: &Asked) -> Reply {
        if asked.criteria.iter().any(|id| id == "rewrite") {
            return Reply::Text(self.draft.to_string());
        }
        let fails = asked.body.to_string().contains("silly goose");
        let proving = asked.criteria.iter().any(|id| id == "_continuity_1");
        let one = |id: &String| {
            let answer = match id.as_str() {
                "KIND" if fails => "NO",
                "KIND" if proving => self.kind,
                "SAFE" if proving => self.safe,
                "_continuity_1" => self.continuity,
                _ => "YES",
            };
            let cited = json!([{"exchange": 1, "quote": "you silly goose"}]);
            let evidence = if answer == "NO" && id == "KIND" { cited } else { json!([]) };
            (id.clone(), json!({"reasoning": "so it is", "evidence": evidence, "answer": answer}))
        };
        Reply::Text(Value::Object(asked.criteria.iter().map(one).collect()).to_string())
    }
}

/// A desk where a transcript was saved and failed.
struct Scene {
    desk: Desk,
    client: Client,
    uri: String,
    /// The client's text and its version.
    text: String,
    version: i64,
    utf16: bool,
}

fn desk(answer: impl Fn(&Asked, usize) -> Reply + Send + Sync + 'static) -> Desk {
    let desk = Desk::new("[fixup]\nmin_exchanges_kept = 1\n", answer);
    desk.write("config/rubric.yaml", RUBRIC);
    desk
}

fn capabilities(encoding: &str) -> Value {
    json!({"capabilities": {
        "general": {"positionEncodings": [encoding]},
        "textDocument": {"codeAction": {
            "codeActionLiteralSupport": {"codeActionKind": {"valueSet": []}},
            "honorsChangeAnnotations": true,
            "disabledSupport": true,
            "tagSupport": {"valueSet": [1]},
        }},
        "workspace": {"workspaceEdit": {
            "documentChanges": true,
            "changeAnnotationSupport": {"groupsOnLabel": true},
        }},
    }})
}

fn fails(shown: &Shown) -> bool {
    message(shown, "KIND").is_some()
}

fn message<'a>(shown: &'a Shown, code: &str) -> Option<&'a str> {
    let of = |d: &&Value| d["code"] == code;
    shown.diagnostics.iter().find(of).and_then(|d| d["message"].as_str())
}

impl Scene {
    fn with(model: Model, record: &str) -> Self {
        Self::on(desk(move |asked, _| model.answer(asked)), record, "utf-8")
    }

    fn on(desk: Desk, record: &str, encoding: &str) -> Self {
        let mut client = desk.client(capabilities(encoding));
        let uri = desk.uri(FILE);
        let text = format!("{OTHER}\n{record}\r\n");
        desk.write(FILE, &text);
        client.open(&uri, 1, &text);
        client.save(&uri);
        client.shows(&uri, fails);
        let utf16 = encoding == "utf-16";
        let mut scene = Self { desk, client, uri, text, version: 1, utf16 };
        while scene.desk.judge.take_criteria().len() < 2 && scene.other_lacks() {}
        scene.desk.judge.take();
        scene
    }

    /// The other transcript is not answered yet.
    fn other_lacks(&mut self) -> bool {
        let argument = json!({"uri": self.uri, "transcript": "other"});
        let answer = self.command("rubricator.assess", argument);
        answer["reason"] != "every judge has answered everything about this text already"
    }

    fn command(&mut self, command: &str, argument: Value) -> Value {
        let params = json!({"command": command, "arguments": [argument]});
        self.client.ask("workspace/executeCommand", params)
    }

    /// The rewriting actions where these words stand in the text.
    fn actions(&mut self, words: &str) -> Vec<Value> {
        let at = self.text.find(words).expect("the words are there");
        let at = self.position(at);
        let params = json!({"textDocument": {"uri": self.uri}, "range": {"start": at, "end": at},
            "context": {"diagnostics": self.client.shown(&self.uri).diagnostics, "only": ["refactor"]}});
        self.client.ask("textDocument/codeAction", params).as_array().expect("a list").clone()
    }

    fn action(&mut self, words: &str, title: &str) -> Option<Value> {
        let is_it = |a: &Value| a["title"].as_str().is_some_and(|t| t.starts_with(title));
        self.actions(words).into_iter().find(is_it)
    }

    /// Presses an action that is a command; the answer.
    fn press(&mut self, words: &str, title: &str) -> Value {
        let action = self.action(words, title).unwrap_or_else(|| panic!("no action {title}"));
        let command = action["command"]["command"].as_str().expect("a command").to_owned();
        self.command(&command, action["command"]["arguments"][0].clone())
    }

    /// What the user is told next.
    fn told(&mut self) -> String {
        let message = self.client.message("window/showMessage");
        message["params"]["message"].as_str().expect("a message").to_owned()
    }

    fn position(&self, at: usize) -> Value {
        let before = &self.text[..at];
        let line = before.matches('\n').count();
        let column = &before[before.rfind('\n').map_or(0, |n| n + 1)..];
        let units = |c: char| if self.utf16 { c.len_utf16() } else { c.len_utf8() };
        json!({"line": line, "character": column.chars().map(units).sum::<usize>()})
    }

    fn offset(&self, position: &Value) -> usize {
        let line = position["line"].as_u64().unwrap();
        let start = self.text.split_inclusive('\n').take(line as usize).map(str::len).sum();
        let mut units = position["character"].as_u64().unwrap() as usize;
        let mut at = start;
        for ch in self.text[start..].chars() {
            if units == 0 {
                break;
            }
            units -= if self.utf16 { ch.len_utf16() } else { ch.len_utf8() };
            at += ch.len_utf8();
        }
        at
    }

    /// Replaces words, as if typed.
    fn edit(&mut self, old: &str, new: &str) {
        let at = self.text.find(old).expect("the words are there");
        let range = json!({"start": self.position(at), "end": self.position(at + old.len())});
        self.replace(&[(range, new.to_owned())]);
    }

    /// Replaces ranges of the text as it is, from the last to the first.
    fn replace(&mut self, edits: &[(Value, String)]) {
        let mut edits: Vec<_> = edits
            .iter()
            .map(|(range, new)| {
                (self.offset(&range["start"]), self.offset(&range["end"]), range, new)
            })
            .collect();
        edits.sort_by_key(|edit| std::cmp::Reverse(edit.0));
        let changes: Vec<Value> =
            edits.iter().map(|(.., range, new)| json!({"range": range, "text": new})).collect();
        let mut text = self.text.clone();
        for (start, end, _, new) in &edits {
            text.replace_range(start..end, new);
        }
        self.text = text;
        self.version += 1;
        self.client.change(&self.uri, self.version, Value::Array(changes));
        assert_eq!(self.client.server_text(&self.uri)["text"], self.text);
    }

    /// Applies the edit of an action as an editor does; what the text was.
    fn apply(&mut self, action: &Value) -> String {
        let change = &action["edit"]["documentChanges"][0];
        assert_eq!(change["textDocument"]["uri"], self.uri);
        assert_eq!(change["textDocument"]["version"], self.version);
        let edits: Vec<(Value, String)> = change["edits"]
            .as_array()
            .expect("edits")
            .iter()
            .map(|e| (e["range"].clone(), e["newText"].as_str().unwrap().to_owned()))
            .collect();
        let before = self.text.clone();
        self.replace(&edits);
        before
    }

    /// Sets the whole text back to what it was.
    fn undo(&mut self, before: String) {
        self.text = before;
        self.version += 1;
        self.client.change(&self.uri, self.version, json!([{"text": self.text}]));
    }

    fn save(&mut self) {
        self.desk.write(FILE, &self.text);
        self.client.save(&self.uri);
    }

    /// The log, once it has so many lines.
    fn log(&mut self, lines: usize) -> Vec<Value> {
        let path = self.desk.dir.path().join("data/fixups.jsonl");
        loop {
            let text = std::fs::read_to_string(&path).unwrap_or_default();
            if text.lines().count() >= lines && text.ends_with('\n') {
                return text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
            }
            // Every answer is a turn of the server's loop.
            self.client.server_text(&self.uri);
        }
    }

    /// Drafts and waits until it is proven.
    fn proven(&mut self) {
        assert_eq!(
            self.press("silly", "Draft fixup of exchange 1 (KIND)"),
            json!({"accepted": true})
        );
        let told = self.told();
        assert!(told.starts_with("A fixup of tea, exchange 1 can be applied"), "{told}");
    }
}

const NEW: &str = " \u{e0} la carte \u{1f600}.";

fn a_loop(record: &str, new: &str, encoding: &str) {
    let model = Model::good();
    let mut scene = Scene::on(desk(move |asked, _| model.answer(asked)), record, encoding);
    scene.proven();
    assert_eq!(scene.desk.asked(), ["KIND SAFE _continuity_1", "reasoning outcome rewrite"]);
    let shown = scene.client.shows(&scene.uri, |s| {
        message(s, "KIND").is_some_and(|m| m.ends_with("; a proven fixup can be applied"))
    });
    assert_eq!(shown.diagnostics.iter().filter(|d| d["code"] == "KIND").count(), 1);
    let apply = scene.action("silly", "Apply fixup of exchange 1: KIND").expect("it is offered");
    assert_eq!((&apply["kind"], &apply["tags"]), (&json!("refactor.rewrite"), &json!([1])));
    assert_eq!(apply["diagnostics"][0]["code"], "KIND");
    let annotations = &apply["edit"]["changeAnnotations"];
    for edit in apply["edit"]["documentChanges"][0]["edits"].as_array().unwrap() {
        let annotation = &annotations[edit["annotationId"].as_str().unwrap()];
        assert_eq!(annotation["needsConfirmation"], true);
        let why = annotation["description"].as_str().unwrap();
        assert!(why.contains("KIND and the safety gates hold for j"), "{why}");
    }

    let before = scene.apply(&apply);
    // Inside one string, in the record's own escaping, and nowhere else.
    assert_eq!(scene.text, before.replace(", you silly goose.", new));
    scene.client.shows(&scene.uri, |s| s.version == Some(2) && !fails(s));
    assert_eq!(scene.desk.asked(), [""; 0], "applying asks nothing new");
    assert!(!scene.desk.dir.path().join("data/fixups.jsonl").exists(), "it is not saved yet");
    scene.save();
    let log = scene.log(1);
    assert_eq!((&log[0]["criteria"], &log[0]["after"]), (&json!(["KIND"]), &json!(GOOD)));

    // Undo restores the file and its verdicts at no cost, and the log says so.
    scene.undo(before.clone());
    scene.client.shows(&scene.uri, |s| s.version == Some(3) && fails(s));
    scene.save();
    let log = scene.log(2);
    assert_eq!((&log[1]["reverts"], log.len()), (&log[0]["id"], 2));
    // And there it is again.
    let apply = scene.action("silly", "Apply fixup").expect("it is offered again");
    scene.apply(&apply);
    assert_eq!(scene.text, before.replace(", you silly goose.", new));
    scene.save();
    scene.client.shows(&scene.uri, |s| s.version == Some(4) && !fails(s));
    assert_eq!(scene.log(3).len(), 3);
    assert_eq!(scene.desk.asked(), [""; 0]);
}

#[test]
fn a_failure_is_mended_and_unmended_in_raw_text_and_utf_8() {
    a_loop(RAW, NEW, "utf-8");
}

#[test]
fn a_failure_is_mended_and_unmended_in_raw_text_and_utf_16() {
    a_loop(RAW, NEW, "utf-16");
}

#[test]
fn a_failure_is_mended_and_unmended_in_escaped_text_and_utf_16() {
    a_loop(ESCAPED, r" \u00e0 la carte \ud83d\ude00.", "utf-16");
}

#[test]
fn a_failure_is_mended_and_unmended_in_escaped_text_and_utf_8() {
    a_loop(ESCAPED, r" \u00e0 la carte \ud83d\ude00.", "utf-8");
}

/// A refusal is told once and on the finding, and no edit is offered.
fn refused(model: Model, why: &str) {
    let mut scene = Scene::with(model, RAW);
    let before = scene.text.clone();
    assert_eq!(scene.press("silly", "Draft fixup")["accepted"], true);
    let told = scene.told();
    assert_eq!(told, format!("No fixup of tea, exchange 1. Not applied: {why}."));
    let uri = scene.uri.clone();
    scene.client.shows(&uri, |s| message(s, "KIND").is_some_and(|m| m.contains(why)));
    let titles: Vec<String> = scene
        .actions("silly")
        .iter()
        .map(|action| {
            assert!(action.get("edit").is_none(), "{action}");
            action["title"].as_str().unwrap().to_owned()
        })
        .collect();
    let what = "fixup of exchange 1 (KIND)";
    assert_eq!(titles, [format!("Draft {what}"), format!("Draft again with a note: {what}")]);
    assert_eq!(scene.client.server_text(&uri)["text"], before);
    scene.save();
    assert!(!scene.desk.dir.path().join("data/fixups.jsonl").exists());
}

#[test]
fn a_draft_that_breaks_the_conversation_is_no_edit() {
    refused(
        Model::drafting(rewrite("Try a warm bath tonight.")),
        "it breaks the conversation: the user's next message says “The breathing thing”, which only your reply introduced",
    );
    refused(
        Model { continuity: "NO", ..Model::good() },
        "j says the user's next message no longer follows: so it is",
    );
}

#[test]
fn a_draft_that_does_not_mend_is_no_edit() {
    refused(
        Model::drafting(rewrite("The breathing exercise it is, you silly goose.")),
        "the rewrite still fails KIND",
    );
    refused(Model { safe: "NO", ..Model::good() }, "the rewrite fails the safety gate SAFE");
}

#[test]
fn a_draft_that_nobody_could_judge_is_no_edit() {
    refused(
        Model { kind: "PERHAPS", ..Model::good() },
        "nothing is proven: KIND could not be judged",
    );
    refused(
        Model { continuity: "PERHAPS", ..Model::good() },
        "nothing is proven: _continuity_1 could not be judged",
    );
}

#[test]
fn what_is_no_draft_is_no_edit() {
    let unfixable = json!({"reasoning": "no way", "outcome": "UNFIXABLE", "rewrite": ""});
    refused(Model::drafting(unfixable), "the drafter says it cannot be fixed: no way");
    let same = "Café is out 😀.\nTry the breathing exercise, you silly goose.";
    refused(Model::drafting(rewrite(same)), "the draft says what the reply says already");
}

/// A desk whose judge waits with its drafts until the sender says so.
fn waiting() -> (Desk, tokio::sync::oneshot::Sender<()>) {
    let (go, wait) = tokio::sync::oneshot::channel::<()>();
    let wait = Arc::new(Mutex::new(Some(wait)));
    let model = Model::good();
    let desk = desk(move |asked, _| {
        let reply = model.answer(asked);
        let is_draft = asked.criteria.iter().any(|id| id == "rewrite");
        let wait = if is_draft { wait.lock().unwrap().take() } else { None };
        match wait {
            Some(wait) => Reply::After(Box::pin(async { wait.await.unwrap() }), Box::new(reply)),
            None => reply,
        }
    });
    (desk, go)
}

#[test]
fn the_edit_lands_where_the_words_are_by_then() {
    for encoding in ["utf-8", "utf-16"] {
        let (desk, go) = waiting();
        let mut scene = Scene::on(desk, RAW, encoding);
        assert_eq!(scene.press("silly", "Draft fixup")["accepted"], true);
        let again = scene.action("silly", "Discard fixup").expect("it can be stopped");
        assert!(again["title"].as_str().unwrap().ends_with("which is being drafted"));
        // Meanwhile: an earlier line grows, another comes, and the record moves down.
        scene.edit("Hello.", "Hello 😀, how are you?");
        scene.edit("{\"id\": \"other\"", "\n\n{\"id\": \"other 😴\"");
        go.send(()).unwrap();
        assert!(scene.told().starts_with("A fixup of tea, exchange 1 can be applied"));
        let apply = scene.action("silly", "Apply fixup").expect("it is offered");
        // And between the offer and the key: the version says no, the next offer fits.
        let stale = apply["edit"]["documentChanges"][0]["textDocument"]["version"].clone();
        scene.edit("Hello 😀", "Hi");
        assert_ne!(stale, scene.version);
        let apply = scene.action("silly", "Apply fixup").expect("it is offered");
        let before = scene.apply(&apply);
        assert_eq!(scene.text, before.replace(", you silly goose.", NEW));
    }
}

#[test]
fn a_text_that_changed_meanwhile_is_left_alone() {
    let (desk, go) = waiting();
    let mut scene = Scene::on(desk, RAW, "utf-8");
    assert_eq!(scene.press("silly", "Draft fixup")["accepted"], true);
    let draft = json!({"uri": scene.uri, "transcript": "tea", "exchange": 1});
    let twice = scene.command("rubricator.draftFixup", draft);
    assert_eq!(twice["reason"], "it is being drafted already");
    let before = scene.text.clone();
    let named = scene.action("silly", "Discard fixup").expect("it can be stopped");
    scene.edit("silly goose", "silly old goose");
    // What was offered about the earlier text is refused about this one.
    let stale = scene.command("rubricator.draftFixup", named["command"]["arguments"][0].clone());
    assert_eq!(stale["reason"], "the transcript says something else by now: look at it again");
    go.send(()).unwrap();
    let told = scene.told();
    assert!(told.ends_with("says something else by now: draft it again, or undo."), "{told}");
    assert!(scene.action("silly old", "Apply fixup").is_none());
    assert!(scene.action("silly old", "Draft fixup").is_none(), "it is not judged yet");
    // Undo: what was proven is true again.
    scene.undo(before);
    let uri = scene.uri.clone();
    scene.client.shows(&uri, |s| s.version == Some(3) && fails(s));
    assert!(scene.action("silly goose", "Apply fixup").is_some());
    // Gone: nothing is offered, and what still names it is refused.
    let stale = scene.action("silly goose", "Discard fixup").expect("it is there");
    let gone = scene.text[scene.text.find("{\"id\": \"tea\"").unwrap()..].to_owned();
    scene.edit(&gone, "\n");
    assert!(scene.action("Hello", "Apply fixup").is_none());
    let argument = stale["command"]["arguments"][0].clone();
    let answer = scene.command("rubricator.discardFixup", argument);
    assert_eq!(answer["reason"], "there is no transcript `tea`");
}

#[test]
fn asking_again_is_free_and_a_note_asks_anew() {
    let model = Model::good();
    let mut scene = Scene::on(desk(move |asked, _| model.answer(asked)), RAW, "utf-8");
    scene.proven();
    assert_eq!(scene.desk.asked().len(), 2);
    let preview = scene.action("silly", "Preview fixup").expect("it can be looked at");
    let replies = &preview["command"]["arguments"][0]["replies"];
    assert_eq!(replies[0]["after"], GOOD);
    assert_eq!(scene.press("silly", "Preview fixup"), json!({"accepted": true}));
    assert_eq!(scene.told(), format!("exchange 1 would say:\n{GOOD}"));
    let note = scene.action("silly", "Draft again with a note").expect("it can be asked anew");
    let argument = note["command"]["arguments"][0].clone();
    let without = scene.command("rubricator.draftFixup", argument.clone());
    assert_eq!(without["reason"], "there is no text: give it as `note`");
    // Discarded, drafted again: known.
    assert_eq!(scene.press("silly", "Discard fixup"), json!({"accepted": true}));
    assert!(scene.action("silly", "Apply fixup").is_none());
    scene.proven();
    assert_eq!(scene.desk.asked(), [""; 0]);
    // A note makes another draft; its text is the same here, so its proof is known.
    let mut with = argument;
    with["note"] = "Shorter.".into();
    assert_eq!(scene.command("rubricator.draftFixup", with)["accepted"], true);
    assert!(scene.told().starts_with("A fixup"));
    let asked = scene.desk.judge.take();
    assert_eq!(asked.len(), 1);
    assert!(asked[0].body.to_string().contains("The user asks of this draft: Shorter."));

    // After a restart everything is known.
    let Scene { desk, client, text, .. } = scene;
    drop(client);
    let mut client = desk.client(capabilities("utf-8"));
    let uri = desk.uri(FILE);
    client.open(&uri, 1, &text);
    client.shows(&uri, fails);
    let mut scene = Scene { desk, client, uri, text, version: 1, utf16: false };
    scene.proven();
    assert_eq!(scene.desk.asked(), [""; 0]);
}

#[test]
fn a_draft_shows_progress_and_stops_when_told() {
    let (desk, _never) = waiting();
    let mut scene = Scene::on(desk, RAW, "utf-8");
    assert_eq!(scene.press("silly", "Draft fixup")["accepted"], true);
    let status = |client: &mut Client, wanted: &str| {
        while client.message("rubricator/status")["params"]["text"] != wanted {}
    };
    status(&mut scene.client, "Drafting a fixup of tea, exchange 1");
    let uri = scene.uri.clone();
    scene.client.shows(&uri, |s| {
        message(s, "KIND").is_some_and(|m| m.ends_with("; a fixup is being drafted"))
    });
    assert_eq!(scene.press("silly", "Discard fixup"), json!({"accepted": true}));
    status(&mut scene.client, "ready");
    scene.client.shows(&uri, |s| message(s, "KIND").is_some_and(|m| !m.contains("fixup")));
    assert!(scene.action("silly", "Draft fixup").is_some());
    let nothing = json!({"uri": uri, "transcript": "tea", "exchange": 1});
    let answer = scene.command("rubricator.discardFixup", nothing);
    assert_eq!(answer["reason"], "there is no fixup here");
}

#[test]
fn replies_that_fail_together_are_one_edit_of_several_strings() {
    let model = |asked: &Asked, _: usize| {
        let said = asked.body.to_string();
        if asked.criteria.iter().any(|id| id == "rewrite") {
            let first = said.contains("the reply to rewrite\\nCaf");
            return Reply::Text(rewrite(if first { GOOD } else { "Then stop." }).to_string());
        }
        let fails = said.contains("silly goose") || said.contains("Then stop it");
        let one = |id: &String| {
            let failed = fails && id == "KIND";
            let cited = |exchange, quote| json!({"exchange": exchange, "quote": quote});
            let both = json!([cited(1, "you silly goose"), cited(2, "stop it")]);
            let evidence = if failed { both } else { json!([]) };
            let answer = if failed { "NO" } else { "YES" };
            (id.clone(), json!({"reasoning": "so it is", "evidence": evidence, "answer": answer}))
        };
        Reply::Text(Value::Object(asked.criteria.iter().map(one).collect()).to_string())
    };
    let mut scene = Scene::on(desk(model), ESCAPED, "utf-16");
    // From either reply: they are one.
    assert_eq!(
        scene.press("stop it", "Draft fixup of exchanges 1, 2 (KIND)"),
        json!({"accepted": true})
    );
    assert!(scene.told().starts_with("A fixup of tea, exchanges 1, 2 can be applied"));
    let apply = scene.action("silly", "Apply fixup of exchanges 1, 2").expect("it is offered");
    let before = scene.apply(&apply);
    let new = r" \u00e0 la carte \ud83d\ude00.";
    let expected = before.replace(", you silly goose.", new).replace("stop it.", "stop.");
    assert_eq!(scene.text, expected);
    scene.save();
    let log = scene.log(2);
    assert_eq!((&log[0]["exchange"], &log[1]["exchange"]), (&json!(1), &json!(2)));
    assert_eq!(log[0]["together"], log[1]["together"]);
}

#[test]
fn what_fails_the_gate_is_cut_off_or_rejected() {
    let gate = |asked: &Asked, _: usize| {
        let fails = asked.body.to_string().contains("stop it");
        let one = |id: &String| {
            let answer = if fails && id == "SAFE" { "NO" } else { "YES" };
            let cited = json!([{"exchange": 2, "quote": "stop it"}]);
            let evidence = if answer == "NO" { cited } else { json!([]) };
            (id.clone(), json!({"reasoning": "unsafe", "evidence": evidence, "answer": answer}))
        };
        Reply::Text(Value::Object(asked.criteria.iter().map(one).collect()).to_string())
    };
    for kept in [1, 2] {
        let desk = Desk::new(&format!("[fixup]\nmin_exchanges_kept = {kept}\n"), gate);
        desk.write("config/rubric.yaml", RUBRIC);
        let mut client = desk.client(capabilities("utf-16"));
        let uri = desk.uri(FILE);
        let text = format!("{OTHER}\n{ESCAPED}\r\n");
        desk.write(FILE, &text);
        client.open(&uri, 1, &text);
        client.save(&uri);
        client.shows(&uri, |s| message(s, "SAFE").is_some());
        let mut scene = Scene { desk, client, uri, text, version: 1, utf16: true };
        let titles: Vec<Value> =
            scene.actions("stop it").iter().map(|action| action["title"].clone()).collect();
        let draft = json!({"uri": scene.uri, "transcript": "tea"});
        let why = scene.command("rubricator.draftFixup", draft)["reason"].clone();
        assert_eq!(
            why,
            "what fails here is never rewritten: truncate the transcript, or reject it"
        );
        if kept == 2 {
            let few = "only 1 exchange would stay, 2 must (`fixup.min_exchanges_kept`)";
            let reject = format!("Reject this transcript: SAFE: {few}");
            assert_eq!(titles, [json!("Truncate before exchange 2 (SAFE)"), json!(reject)]);
            let disabled = scene.action("stop it", "Truncate").unwrap();
            assert_eq!(disabled["disabled"]["reason"], few);
            continue;
        }
        assert_eq!(titles, ["Truncate before exchange 2 (SAFE): 1 of 2 exchanges go"]);
        let cut = scene.action("stop it", "Truncate").unwrap();
        let before = scene.apply(&cut);
        let gone = r#", {"role": "user", "content": "The breathing thing made me dizzy."}, {"role": "assistant", "content": "Then stop it."}"#;
        let said = scene.text.find(r#", "rubricator_truncated": [{"before_exchange": 2"#).unwrap();
        let end = scene.text[said..].find("]}").unwrap() + said;
        let without = format!("{}{}", &scene.text[..said], &scene.text[end + 1..]);
        assert_eq!(without, before.replace(gone, ""));
        // What remains is another text, assessed on save as any.
        while scene.other_lacks() {}
        scene.desk.judge.take();
        scene.save();
        let uri = scene.uri.clone();
        scene.client.shows(&uri, |s| message(s, "SAFE").is_none());
        assert_eq!(scene.desk.asked(), ["KIND SAFE"]);
    }
}
