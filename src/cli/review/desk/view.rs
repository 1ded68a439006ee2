//! What the desk puts on the screen: a transcript, above it how it stands, below it
//! what was said last and what can be typed.

use super::super::page::{Line, Look, Subject, page};
use super::super::screen::Screen;
use super::{Desk, Mode};
use crate::cli::known;
use crate::cli::report::counted;
use crate::cli::style::{plain, width_of};
use crate::review::next::Reason;
use crate::rubric::digest;

const KEYS: &str = "j k scroll  n p finding  r right  w wrong  a accept  x reject  ? more  q quit";
const HELP: &[(&str, &str)] = &[
    ("j k, ↓ ↑", "a line down, up"),
    ("space, b", "a page down, up"),
    ("g, G", "to the top, to the end"),
    ("n, p", "the next finding, the one before"),
    ("r", "the verdict is right"),
    ("w", "the verdict is wrong"),
    ("a", "accept the transcript, whatever the judges say"),
    ("x", "reject it"),
    ("m", "note a criterion that the rubric lacks"),
    ("s", "declare its batch satisfactory"),
    ("u", "take the last thing you said back"),
    ("], [", "the next transcript, the one before, without saying anything"),
    ("q, Ctrl-C", "quit; all that was said is kept"),
];

impl Desk<'_> {
    /// The whole screen.
    pub(super) fn rows(&self) -> Vec<Line> {
        let columns = Screen::size().0;
        let height = Self::height();
        let mut rows = vec![self.title(), self.place(), Vec::new()];
        match self.mode {
            Mode::Help => rows.extend(help()),
            _ => {
                rows.extend((self.top..self.page.lines.len()).take(height).map(|at| self.line(at)))
            }
        }
        rows.truncate(height + 3);
        rows.resize(height + 3, Vec::new());
        let (left, right) = (self.prompt(), self.position());
        let gap = columns.saturating_sub(width_of(&left) + width_of(&right));
        rows.push(vec![(Look::Bold, left), (Look::Plain, " ".repeat(gap)), (Look::Dim, right)]);
        rows.push(vec![(Look::Dim, KEYS.to_owned())]);
        rows
    }

    /// A line of the page; what is said of the current finding has another edge.
    fn line(&self, at: usize) -> Line {
        let mut line = self.page.lines[at].clone();
        let finding = self.finding.map(|n| &self.page.findings[n]);
        if finding.is_some_and(|f| (f.line..f.end).contains(&at))
            && let Some((look, edge)) = line.first_mut()
        {
            *look = Look::Here;
            *edge = edge.replace('▌', "█");
        }
        line
    }

    fn title(&self) -> Line {
        let sheet = self.sheet();
        let card = &sheet.card;
        let score = card.score.map_or_else(
            || "no score".to_owned(),
            |score| format!("{score:.2} of {:.2}", card.threshold),
        );
        let spread = card.spread.filter(|s| *s > 0.0 && card.judges.len() > 1);
        let spread = spread.map_or_else(String::new, |s| format!(", judges {s:.2} apart"));
        let look = if card.pass() { Look::Good } else { Look::Bad };
        vec![
            (Look::Bold, plain(&sheet.id).into_owned()),
            (Look::Plain, "  ".into()),
            (look, card.standing.name().to_owned()),
            (Look::Plain, format!("  {score}{spread}")),
        ]
    }

    fn place(&self) -> Line {
        let sheet = self.sheet();
        let digest = sheet.digest.to_string();
        let review = self.review(sheet, &digest);
        let state = Reason::of(&sheet.card, review).map_or(review.name().to_owned(), Reason::words);
        let (at, all) = (self.at + 1, self.pile.len());
        vec![(Look::Dim, format!("{at} of {all}  {}  {state}", plain(&sheet.place)))]
    }

    /// What was said last, or what is asked.
    fn prompt(&self) -> String {
        let text = match &self.mode {
            Mode::Reading => self.says.clone(),
            Mode::Help => "any key goes back".into(),
            Mode::Answer { .. } => "which answer is right? y YES, n NO, a NA, Esc none".into(),
            Mode::Note(text) => format!("a criterion that is missing: {text}_"),
            Mode::Batch => {
                let members = self.batch_members();
                let unread = members.iter().filter(|sheet| !self.is_read(sheet)).count();
                let all = counted(members.len(), "transcript");
                format!("declare {} satisfactory ({all}, {unread} unread)? y n", self.sheet().batch)
            }
        };
        plain(&text).into_owned()
    }

    fn position(&self) -> String {
        let failing = self.page.failing;
        match self.finding {
            Some(n) if n < failing => {
                format!("  {} {} of {failing}", self.page.findings[n].criterion, n + 1)
            }
            Some(n) => format!("  {} (not failing)", self.page.findings[n].criterion),
            None => String::new(),
        }
    }

    /// Shows a transcript from its first finding on.
    pub(super) fn show(&mut self) {
        self.lay_out();
        self.finding = (self.page.failing > 0).then_some(0);
        self.top = 0;
        self.reveal();
    }

    pub(super) fn lay_out(&mut self) {
        let sheet = &self.pile[self.at];
        let shelf = &self.shelves[sheet.shelf];
        let digest = sheet.digest.to_string();
        let wording = |id: &str| Some(known::hex(&digest::criterion(shelf.rubric.criterion(id)?)));
        let marks = shelf.reviews.marks(shelf.bound(&sheet.id, &digest), &wording);
        let subject = Subject {
            transcript: &sheet.transcript,
            card: &sheet.card,
            rubric: &shelf.rubric,
            marks: &marks,
        };
        self.page = page(subject, Screen::size().0);
        self.scroll(0);
    }

    /// Rows of the transcript that are in view.
    pub(super) fn height() -> usize {
        Screen::size().1.saturating_sub(5).max(1)
    }

    pub(super) fn scroll(&mut self, by: isize) {
        let last = self.page.lines.len().saturating_sub(Self::height());
        self.top = self.top.saturating_add_signed(by).min(last);
    }

    /// Scrolls as little as it takes to see what is said of the finding.
    pub(super) fn reveal(&mut self) {
        let Some(finding) = self.finding.map(|n| &self.page.findings[n]) else { return };
        let height = Self::height();
        let words = self.page.lines.iter().position(|line| {
            line.iter().any(|(look, _)| *look == Look::Hit(self.finding.unwrap_or(usize::MAX)))
        });
        let start =
            words.filter(|at| finding.end - at.min(&finding.end) <= height).unwrap_or(finding.line);
        if start < self.top || finding.end > self.top + height {
            self.top = start.saturating_sub(2).max(finding.end.saturating_sub(height).min(start));
        }
        self.scroll(0);
    }

    /// What is left to say once the screen is gone.
    pub(super) fn farewell(&self) -> String {
        let unread = self.pile.iter().filter(|sheet| !self.is_read(sheet)).count();
        let kept = counted(self.done.len(), "record");
        format!("{kept} kept; {unread} of {} unread", counted(self.pile.len(), "transcript"))
    }
}

fn help() -> Vec<Line> {
    let row = |(keys, what): &(&str, &str)| {
        vec![(Look::Bold, format!("  {keys:<14}")), (Look::Plain, (*what).to_owned())]
    };
    HELP.iter().map(row).collect()
}
