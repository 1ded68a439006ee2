//! `assess` on a terminal: a progress bar, and Ctrl-C, which keeps what is
//! answered and says how to go on.

use std::io::{Read, Write};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use portable_pty::{CommandBuilder, PtySize, native_pty_system};

use super::Project;
use super::together::{TRANSCRIPTS, project};
use crate::engine::{JudgeServer, Reply};

/// Answers before the judge falls silent.
const ANSWERED: usize = 3;

/// A run on a terminal: what it writes comes piece by piece.
struct Terminal {
    child: Box<dyn portable_pty::Child + Send + Sync>,
    keys: Box<dyn Write + Send>,
    pieces: mpsc::Receiver<String>,
    seen: String,
}

impl Terminal {
    fn run(project: &Project, arguments: &[&str]) -> Self {
        let size = PtySize { rows: 24, cols: 100, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).unwrap();
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_rubricator"));
        command.args(arguments);
        command.cwd(project.path("."));
        command.env("XDG_CONFIG_HOME", project.path("user/config"));
        command.env("XDG_DATA_HOME", project.path("user/data"));
        command.env("TERM", "xterm-256color");
        let child = pair.slave.spawn_command(command).unwrap();
        let mut screen = pair.master.try_clone_reader().unwrap();
        let keys = pair.master.take_writer().unwrap();
        let (sender, pieces) = mpsc::channel();
        std::thread::spawn(move || {
            // The terminal lives as long as somebody reads it.
            let _master = pair.master;
            let mut buffer = [0; 4096];
            while let Ok(read @ 1..) = screen.read(&mut buffer) {
                let piece = String::from_utf8_lossy(&buffer[..read]).into_owned();
                if sender.send(piece).is_err() {
                    break;
                }
            }
        });
        Self { child, keys, pieces, seen: String::new() }
    }

    /// Waits until `text` was written, however often the bar is redrawn meanwhile.
    fn wait_for(&mut self, text: &str) {
        let until = Instant::now() + Duration::from_secs(60);
        while !self.seen.contains(text) {
            match self.pieces.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(piece) => self.seen += &piece,
                Err(error) => panic!("{text} never came ({error}): {}", self.seen),
            }
        }
    }
}

#[test]
fn ctrl_c_keeps_what_is_answered_and_says_how_to_go_on() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let judge = runtime.block_on(JudgeServer::start(|asked, number| match number {
        ..ANSWERED => Reply::all(asked, "YES"),
        _ => Reply::Hang,
    }));
    let folder = project(&judge.url);
    let mut terminal = Terminal::run(&folder, &["assess", "t.jsonl"]);
    terminal.wait_for(&format!("{ANSWERED}/{TRANSCRIPTS} transcripts"));
    terminal.keys.write_all(b"\x03").unwrap();
    terminal.wait_for("run the same command again to ask the rest");
    terminal.wait_for("3 passed");
    let status = terminal.child.wait().unwrap();
    assert_eq!(status.exit_code(), 3, "{}", terminal.seen);
    judge.take();

    let heir = runtime.block_on(JudgeServer::yes());
    let settings = folder.read("rubricator.toml").replace(&judge.url, &heir.url);
    folder.write("rubricator.toml", settings);
    let mut terminal = Terminal::run(&folder, &["assess", "t.jsonl"]);
    terminal.wait_for(&format!("{TRANSCRIPTS} passed"));
    assert_eq!(terminal.child.wait().unwrap().exit_code(), 0);
    assert_eq!(heir.take().len(), TRANSCRIPTS - ANSWERED, "only the rest is asked");
}

#[test]
fn nothing_is_drawn_where_nobody_watches() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let judge = runtime.block_on(JudgeServer::yes());
    let ran = project(&judge.url).run(&["assess", "t.jsonl"]);
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""));
    assert!(!ran.out.contains('\u{1b}'), "{}", ran.out);
}
