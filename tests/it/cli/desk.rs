//! `review` on a terminal: the screen as somebody sees it, and what the keys keep.

use std::io::{Read, Write};
use std::num::NonZero;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use expect_test::expect;
use portable_pty::{CommandBuilder, MasterPty, PtySize, native_pty_system};
use serde_json::Value;

use super::Project;

const RUBRIC: &str = "\
name: Small
min_exchanges: 1
categories:
  help: {weight: 1.0, criteria: [HP1, HP2]}
criteria:
  HP1: {name: Helps, question: Does the reply help?}
  HP2: {name: Kind, question: Is the reply kind?}
";
const SETTINGS: &str = "\
[project]
rubric = 'rubric.yaml'
transcripts = ['*.jsonl']
[[judge]]
name = 'strict'
provider = 'recorded'
file = 'strict.json.txt'
[[judge]]
name = 'mild'
provider = 'recorded'
file = 'mild.json.txt'
";

/// Two transcripts; the second one fails on words, and tries to command the terminal.
fn project() -> Project {
    let project = Project::with(SETTINGS);
    project.write("rubric.yaml", RUBRIC);
    let record = |id: &str, reply: &str| {
        format!(
            r#"{{"id":"{id}","messages":[{{"role":"user","content":"Where is the button?"}},{{"role":"assistant","content":"{reply}"}}]}}"#
        )
    };
    let bad = record(
        "bad",
        r"Look \u001b]0;owned\u0007for it yourself, you \u001b[2Jsilly goose. It is red. Do look again.",
    );
    project.write("t.jsonl", format!("{}\n{bad}\n", record("good", "In the menu.")));
    let said = |transcript: &str, criterion: &str, answer: &str, evidence: &str| {
        format!(
            r#"{{"judge":"J","transcript":"{transcript}","criterion":"{criterion}","answer":"{answer}","reasoning":"So it \u001b[31mis.","evidence":[{evidence}]}}"#
        )
    };
    let goose = r#"{"exchange":1,"quote":"silly goose"}"#;
    let judge = |kind: &str| {
        [
            said("good", "HP1", "YES", ""),
            said("good", "HP2", "YES", ""),
            said("bad", "HP1", "NO", ""),
            said("bad", "HP2", kind, if kind == "NO" { goose } else { "" }),
        ]
        .join("\n")
    };
    project.write("strict.json.txt", judge("NO").replace("\"J\"", "\"strict\""));
    project.write("mild.json.txt", judge("YES").replace("\"J\"", "\"mild\""));
    project
}

/// A terminal with a review in it.
struct Desk {
    child: Box<dyn portable_pty::Child + Send + Sync>,
    keys: Box<dyn Write + Send>,
    master: Box<dyn MasterPty + Send>,
    pieces: mpsc::Receiver<Vec<u8>>,
    terminal: vt100::Parser,
    raw: Vec<u8>,
}

impl Desk {
    fn open(project: &Project, columns: u16, rows: u16) -> Self {
        let size = PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).unwrap();
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_rubricator"));
        command.args(["review", "--by", "Ada"]);
        command.cwd(project.path("."));
        command.env("XDG_CONFIG_HOME", project.home().join("config"));
        command.env("XDG_DATA_HOME", project.home().join("data"));
        command.env("TERM", "xterm-256color");
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let mut screen = pair.master.try_clone_reader().unwrap();
        let keys = pair.master.take_writer().unwrap();
        let (sender, pieces) = mpsc::channel();
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(read @ 1..) = screen.read(&mut buffer) {
                if sender.send(buffer[..read].to_vec()).is_err() {
                    break;
                }
            }
        });
        let terminal = vt100::Parser::new(size_of(rows), size_of(columns), 0);
        Self { child, keys, master: pair.master, pieces, terminal, raw: Vec::new() }
    }

    /// Waits until the screen is as wanted.
    fn wait(&mut self, what: &str, is: impl Fn(&vt100::Screen) -> bool) {
        let until = Instant::now() + Duration::from_secs(60);
        while !is(self.terminal.screen()) {
            let left = until.saturating_duration_since(Instant::now());
            match self.pieces.recv_timeout(left) {
                Ok(piece) => {
                    self.terminal.process(&piece);
                    self.raw.extend(piece);
                }
                Err(error) => panic!("{what} never came ({error}):\n{}", self.text()),
            }
        }
    }

    fn wait_for(&mut self, text: &str) {
        self.wait(text, |screen| screen.contents().contains(text));
    }

    /// Types, and waits until the screen says this.
    fn press(&mut self, keys: &str, says: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.wait_for(says);
    }

    fn text(&self) -> String {
        let rows = self.terminal.screen().contents();
        rows.lines().map(|row| format!("{}\n", row.trim_end())).collect()
    }

    /// Ends it with a key; the terminal is as before.
    fn close(mut self, key: &str) -> (u32, String) {
        self.keys.write_all(key.as_bytes()).unwrap();
        self.wait("the old screen", |screen| !screen.alternate_screen() && !screen.hide_cursor());
        self.wait_for("unread");
        (self.child.wait().unwrap().exit_code(), self.text())
    }
}

fn size_of(n: u16) -> NonZero<u16> {
    NonZero::new(n).unwrap()
}

fn records(project: &Project) -> Vec<Value> {
    project.read("data/reviews.jsonl").lines().map(|l| serde_json::from_str(l).unwrap()).collect()
}

#[test]
fn the_most_telling_transcript_is_shown_with_its_words_and_verdicts() {
    let project = project();
    let mut desk = Desk::open(&project, 80, 24);
    desk.wait_for("q quit");
    expect![[r#"
        bad  failed  0.00 of 0.80, judges 0.50 apart
        1 of 2  t.jsonl:2  the judges disagree (0.50 apart)

        ── exchange 1 ──────────────────────────────────────────────────────────────────
        user       Where is the button?
        assistant  Look ␛]0;owned␇for it yourself, you ␛[2Jsilly goose. It is red. Do
                   look again.
                 █ HP1 Helps: NO
                 █ strict (recorded): NO. So it ␛[31mis.
                 █ mild (recorded): NO. So it ␛[31mis.
                 ▌ HP2 Kind: NO
                 ▌ strict (recorded): NO. So it ␛[31mis.
                 ▌ mild (recorded): YES. So it ␛[31mis.









                                                                              HP1 1 of 2
        j k scroll  n p finding  r right  w wrong  a accept  x reject  ? more  q quit
    "#]]
    .assert_eq(&desk.text());
    // The words are marked, and those of the current finding stand out.
    let colors = |desk: &Desk| {
        let row = (0..24).find(|row| {
            desk.terminal.screen().contents_between(*row, 0, *row, 80).contains("silly goose")
        });
        let row = row.unwrap();
        let line = desk.terminal.screen().contents_between(row, 0, row, 80);
        let column = line[..line.find("silly").unwrap()].chars().count() as u16;
        let cell = desk.terminal.screen().cell(row, column).unwrap();
        (cell.underline(), cell.bgcolor() == vt100::Color::Default)
    };
    assert_eq!(colors(&desk), (true, true));
    desk.press("n", "HP2 2 of 2");
    assert_eq!(colors(&desk), (false, false));
    let raw = String::from_utf8_lossy(&desk.raw).into_owned();
    assert!(!raw.contains("\u{1b}]0;") && !raw.contains("\u{1b}[2J"), "{raw:?}");
    desk.press("?", "note a criterion that the rubric lacks");
    desk.press("?", "HP2 2 of 2");
    let (code, after) = desk.close("\x03");
    assert_eq!((code, after.as_str()), (0, "0 records kept; 2 of 2 transcripts unread\n"));
    assert!(!project.path("data/reviews.jsonl").exists());
}

#[test]
fn what_the_keys_say_is_kept_and_can_be_taken_back() {
    let project = project();
    let mut desk = Desk::open(&project, 120, 40);
    desk.wait_for("q quit");
    desk.press("w", "HP1: the answer is YES");
    desk.wait_for("Ada says: YES");
    // The judges differ: which is right is asked back.
    desk.press("n", "HP2 2 of 2");
    desk.press("r", "which answer is right?");
    desk.press("n", "HP2: the answer is NO");
    desk.press("m", "a criterion that is missing: ");
    desk.press("Is it shrot?\x7f\x7f\x7f\x7f\x7f\x7f", "missing: Is it _");
    desk.press("short?\r", "noted a missing criterion");
    desk.press("x", "1 of 2  t.jsonl:2");
    desk.wait_for("rejected bad");
    desk.wait_for("2 of 2  t.jsonl:1");
    desk.press("u", "taken back: rejected bad");
    desk.press("[", "the judges disagree");
    desk.press("a", "2 of 2  t.jsonl:1");
    desk.press("a", "everything is read");
    desk.press("s", "satisfactory (2 transcripts, 0 unread)? y n");
    desk.press("y", "t.jsonl is declared satisfactory");
    let (code, after) = desk.close("q");
    assert_eq!((code, after.as_str()), (0, "6 records kept; 0 of 2 transcripts unread\n"));
    let kinds: Vec<String> = records(&project)
        .iter()
        .map(|r| format!("{} {}", r["kind"].as_str().unwrap(), r["human"].as_str().unwrap_or("")))
        .collect();
    let wanted = [
        "verdict YES",
        "verdict NO",
        "missing ",
        "reject ",
        "withdraw ",
        "accept ",
        "accept ",
        "satisfactory ",
    ];
    assert_eq!(kinds, wanted);
    let ran = project.run(&["gate", "--format", "json"]);
    let gate: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!((&gate[0]["reviewed"], &gate[0]["satisfactory"]), (&2.into(), &true.into()));
}

#[test]
fn another_size_lays_the_text_out_anew() {
    let project = project();
    let mut desk = Desk::open(&project, 80, 24);
    desk.wait_for("q quit");
    assert!(!desk.text().contains("goose. It is red. Do look"));
    desk.terminal.screen_mut().set_size(size_of(30), size_of(100));
    desk.master.resize(PtySize { rows: 30, cols: 100, pixel_width: 0, pixel_height: 0 }).unwrap();
    desk.wait_for("goose. It is red. Do look");
    assert_eq!(desk.close("q").0, 0);
}
