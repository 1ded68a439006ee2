//! `review` in a terminal: one transcript after the other, the most telling first,
//! and single keys for what a person says of it.
//!
//! Invariant: what is said is on disk before the screen says so, bound to the text
//! and the rubric that were shown; taking it back appends, and removes nothing.

mod view;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::page::Page;
use super::screen::{Happened, Screen};
use super::{keep, record, said};
use crate::assessment::Scorecard;
use crate::cli::known::{self, Shelf};
use crate::cli::{Ending, Failure, Session};
use crate::engine::reviews;
use crate::review::answer::{self, Unclear};
use crate::review::next::Reason;
use crate::review::{Kind, Record, Review, batch};
use crate::rubric::{Verdict, digest};
use crate::transcript::{Transcript, TranscriptDigest};

/// One transcript on the pile.
struct Sheet {
    shelf: usize,
    id: String,
    place: String,
    batch: String,
    digest: TranscriptDigest,
    card: Scorecard,
    transcript: Arc<Transcript>,
}

/// What a key means now.
enum Mode {
    Reading,
    Help,
    /// Which answer is right?
    Answer {
        right: bool,
    },
    /// A criterion that the rubric lacks.
    Note(String),
    /// Is the batch satisfactory?
    Batch,
}

struct Desk<'a> {
    shelves: Vec<Shelf<()>>,
    pile: Vec<Sheet>,
    at: usize,
    page: Page,
    top: usize,
    finding: Option<usize>,
    mode: Mode,
    says: String,
    done: Vec<(PathBuf, String, String)>,
    by: &'a str,
}

/// Reviews until somebody has had enough.
pub fn run(paths: &[PathBuf], by: &str, session: &mut Session) -> Result<Ending, Failure> {
    let mut pile = Vec::new();
    let mut shelves = Vec::new();
    let read = known::read(paths, session, |entry, card, _| Sheet {
        shelf: 0,
        id: entry.transcript.id.clone(),
        place: format!("{}:{}", entry.file, entry.line),
        batch: entry.batch,
        digest: entry.digest,
        card,
        transcript: entry.transcript,
    })?;
    for (index, shelf) in read.into_iter().enumerate() {
        let Shelf { project, root, rubric, rubric_digest, reviews, kept } = shelf;
        pile.extend(kept.into_iter().map(|sheet| Sheet { shelf: index, ..sheet }));
        shelves.push(Shelf { project, root, rubric, rubric_digest, reviews, kept: Vec::new() });
    }
    if pile.is_empty() {
        return Err(Failure::new("there is no transcript here to review"));
    }
    let mut desk = Desk {
        shelves,
        pile,
        at: 0,
        page: Page::default(),
        top: 0,
        finding: None,
        mode: Mode::Reading,
        says: String::new(),
        done: Vec::new(),
        by,
    };
    desk.sort();
    desk.show();
    // Warnings of the reading are read before the screen covers them.
    session.out.flush();
    let lost = |e: std::io::Error| Failure::new(format!("the terminal is gone: {e}"));
    let screen = Screen::open(session.out.color).map_err(lost)?;
    loop {
        screen.draw(&desk.rows(), desk.finding).map_err(lost)?;
        match screen.next().map_err(lost)? {
            Happened::Key(key) => {
                if !desk.key(key)? {
                    break;
                }
            }
            Happened::Resized => desk.lay_out(),
            Happened::Interrupted => break,
        }
    }
    drop(screen);
    session.out.note(&desk.farewell());
    Ok(Ending::Good)
}

impl Desk<'_> {
    fn sheet(&self) -> &Sheet {
        &self.pile[self.at]
    }

    fn shelf(&self) -> &Shelf<()> {
        &self.shelves[self.sheet().shelf]
    }

    fn review<'a>(&'a self, sheet: &'a Sheet, digest: &'a str) -> Review<'a> {
        let shelf = &self.shelves[sheet.shelf];
        shelf.reviews.review(shelf.bound(&sheet.id, digest))
    }

    fn is_read(&self, sheet: &Sheet) -> bool {
        self.review(sheet, &sheet.digest.to_string()).counts()
    }

    /// The most telling first, what was read at the end.
    fn sort(&mut self) {
        let order = |sheet: &Sheet| {
            let digest = sheet.digest.to_string();
            Reason::of(&sheet.card, self.review(sheet, &digest))
                .map_or((u8::MAX, 0.0), Reason::order)
        };
        let mut ranked: Vec<((u8, f64), usize)> =
            self.pile.iter().map(order).enumerate().map(|(n, o)| (o, n)).collect();
        ranked.sort_by(|a, b| a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal));
        let mut old: Vec<Option<Sheet>> =
            std::mem::take(&mut self.pile).into_iter().map(Some).collect();
        self.pile = ranked.into_iter().filter_map(|(_, n)| old[n].take()).collect();
    }

    fn step(&mut self, forward: bool) {
        let count = self.page.findings.len();
        let next = match (self.finding, forward) {
            (None, _) => Some(0),
            (Some(n), true) => n.checked_add(1),
            (Some(n), false) => n.checked_sub(1),
        };
        match next.filter(|n| *n < count) {
            Some(next) => self.finding = Some(next),
            None => {
                self.says = if forward {
                    "that was the last one".into()
                } else {
                    "that was the first one".into()
                }
            }
        }
        self.reveal();
    }

    fn turn(&mut self, forward: bool) {
        let next = if forward { self.at.checked_add(1) } else { self.at.checked_sub(1) };
        match next.filter(|at| *at < self.pile.len()) {
            Some(at) => {
                self.at = at;
                self.show();
            }
            None => self.says = "there is no other transcript that way".into(),
        }
    }

    /// Does what a key says; false ends it.
    fn key(&mut self, key: KeyEvent) -> Result<bool, Failure> {
        self.says.clear();
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        if control && matches!(key.code, KeyCode::Char('c' | 'd')) {
            return Ok(false);
        }
        match std::mem::replace(&mut self.mode, Mode::Reading) {
            Mode::Reading => return self.command(key.code),
            Mode::Help => {}
            Mode::Answer { right } => match key.code {
                KeyCode::Char('y') => self.mark(right, Some(Verdict::Yes))?,
                KeyCode::Char('n') => self.mark(right, Some(Verdict::No))?,
                KeyCode::Char('-' | 'a') => self.mark(right, Some(Verdict::Na))?,
                _ => self.says = "not marked".into(),
            },
            Mode::Note(mut text) => match key.code {
                KeyCode::Enter if text.trim().is_empty() => self.says = "nothing noted".into(),
                KeyCode::Enter => self.note(text.trim())?,
                KeyCode::Esc => self.says = "nothing noted".into(),
                KeyCode::Backspace => {
                    text.pop();
                    self.mode = Mode::Note(text);
                }
                KeyCode::Char(c) if !control => {
                    text.push(c);
                    self.mode = Mode::Note(text);
                }
                _ => self.mode = Mode::Note(text),
            },
            Mode::Batch => match key.code {
                KeyCode::Char('y') => self.satisfactory()?,
                _ => self.says = "not declared".into(),
            },
        }
        Ok(true)
    }

    fn command(&mut self, code: KeyCode) -> Result<bool, Failure> {
        let page = Self::height().saturating_sub(2) as isize;
        match code {
            KeyCode::Char('q') | KeyCode::Esc => return Ok(false),
            KeyCode::Char('j') | KeyCode::Down => self.scroll(1),
            KeyCode::Char('k') | KeyCode::Up => self.scroll(-1),
            KeyCode::Char(' ') | KeyCode::PageDown => self.scroll(page),
            KeyCode::Char('b') | KeyCode::PageUp => self.scroll(-page),
            KeyCode::Char('g') | KeyCode::Home => self.top = 0,
            KeyCode::Char('G') | KeyCode::End => self.scroll(isize::MAX),
            KeyCode::Char('n') => self.step(true),
            KeyCode::Char('p') => self.step(false),
            KeyCode::Char(']') | KeyCode::Tab => self.turn(true),
            KeyCode::Char('[') | KeyCode::BackTab => self.turn(false),
            KeyCode::Char('r') => self.mark(true, None)?,
            KeyCode::Char('w') => self.mark(false, None)?,
            KeyCode::Char('a') => self.judge(Kind::Accept)?,
            KeyCode::Char('x') => self.judge(Kind::Reject)?,
            KeyCode::Char('m') => self.mode = Mode::Note(String::new()),
            KeyCode::Char('s') => self.mode = Mode::Batch,
            KeyCode::Char('u') => self.undo()?,
            KeyCode::Char('?') => self.mode = Mode::Help,
            _ => self.says = "no such key: ? lists them".into(),
        }
        Ok(true)
    }

    /// Keeps a record about this transcript, and shows what holds now.
    fn say(&mut self, record: Record, says: String) -> Result<(), Failure> {
        let root = self.shelf().root.clone();
        keep(&root, &record)?;
        self.done.push((root.clone(), record.id, says.clone()));
        self.reread(&root)?;
        self.says = says;
        Ok(())
    }

    /// Others may have said something meanwhile.
    fn reread(&mut self, root: &Path) -> Result<(), Failure> {
        for shelf in self.shelves.iter_mut().filter(|shelf| shelf.root == root) {
            shelf.reviews =
                reviews::read(root).map_err(|e| Failure::new(format!("{} {e}", reviews::FILE)))?;
        }
        self.lay_out();
        Ok(())
    }

    fn about(&self, kind: Kind, note: Option<&str>) -> Result<Record, Failure> {
        let sheet = self.sheet();
        let mut record = record(kind, &self.shelf().rubric_digest, self.by, note)?;
        record.transcript = Some(sheet.id.clone());
        record.transcript_digest = Some(sheet.digest.to_string());
        Ok(record)
    }

    fn judge(&mut self, kind: Kind) -> Result<(), Failure> {
        let mut record = self.about(kind, None)?;
        record.batch = Some(self.sheet().batch.clone());
        let done = if kind == Kind::Accept { "accepted" } else { "rejected" };
        let says = format!("{done} {}", self.sheet().id);
        self.say(record, says)?;
        let after = (self.at + 1..self.pile.len()).chain(0..self.at);
        let next = after.into_iter().find(|at| !self.is_read(&self.pile[*at]));
        match next {
            Some(next) => {
                self.at = next;
                self.show();
            }
            None => self.says += "; everything is read: s declares its batch satisfactory, q quits",
        }
        Ok(())
    }

    fn mark(&mut self, right: bool, answer: Option<Verdict>) -> Result<(), Failure> {
        let Some(finding) = self.finding else {
            self.says = "no verdict is chosen: n goes to one".into();
            return Ok(());
        };
        let id = self.page.findings[finding].criterion.clone();
        let given = said(&self.sheet().card, &id, None)?;
        // Once the answer is named, it counts, whoever said what.
        let human = match answer {
            Some(answer) => Ok(answer),
            None => answer::human(&given, right, None),
        };
        match human {
            Ok(human) => {
                let mut record = self.about(Kind::Verdict, None)?;
                let wording = self.shelf().rubric.criterion(&id).map(digest::criterion);
                record.criterion_digest = wording.map(|digest| known::hex(&digest));
                record.criterion = Some(id.clone());
                record.human = Some(human);
                self.say(record, format!("{id}: the answer is {}", human.name()))
            }
            Err(
                Unclear::Unanswered
                | Unclear::Differ
                | Unclear::Instead
                | Unclear::Same
                | Unclear::Unsaid,
            ) => {
                self.mode = Mode::Answer { right };
                Ok(())
            }
        }
    }

    fn note(&mut self, text: &str) -> Result<(), Failure> {
        let record = self.about(Kind::Missing, Some(text))?;
        self.say(record, "noted a missing criterion".into())
    }

    fn batch_members(&self) -> Vec<&Sheet> {
        let here = self.sheet();
        self.pile.iter().filter(|s| s.shelf == here.shelf && s.batch == here.batch).collect()
    }

    fn satisfactory(&mut self) -> Result<(), Failure> {
        let name = self.sheet().batch.clone();
        let mut record = record(Kind::Satisfactory, &self.shelf().rubric_digest, self.by, None)?;
        record.transcript_digest =
            Some(batch::digest(self.batch_members().iter().map(|s| s.digest)));
        record.batch = Some(name.clone());
        self.say(record, format!("{name} is declared satisfactory"))
    }

    fn undo(&mut self) -> Result<(), Failure> {
        let Some((root, id, says)) = self.done.pop() else {
            self.says = "there is nothing to take back".into();
            return Ok(());
        };
        let mut record = record(Kind::Withdraw, &self.shelf().rubric_digest, self.by, None)?;
        record.withdraws = Some(id);
        keep(&root, &record)?;
        self.reread(&root)?;
        self.says = format!("taken back: {says}");
        Ok(())
    }
}
