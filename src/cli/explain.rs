//! `explain`: what is at a place, what looked at it, and why there is no finding.

use std::path::{Path, PathBuf};

use super::args::Explain;
use super::check::context;
use super::place::{Placed, Start, place};
use super::report::{columns, counted, grouped};
use super::scan::{Seen, Source, scan};
use super::settings::shown_path;
use super::style::{Style, plain, wrap};
use super::{Ending, Failure, Session};
use crate::analysis::context::{Families, Memo};
use crate::analysis::record::{Outline, OutlineMessage, RecordAnalysis, analyse};
use crate::engine::disk::BadRecord;
use crate::engine::rules::{self, Rules};
use crate::engine::workspace::Project;
use crate::rubric::Rubric;

/// A place in a file, as typed.
struct Asked {
    path: PathBuf,
    line: usize,
    column: Option<usize>,
}

/// Explains.
pub fn run(args: &Explain, session: &mut Session) -> Result<Ending, Failure> {
    let asked = asked(&args.place)?;
    if !asked.path.is_file() {
        return Err(Failure::new(format!("{} is not a file", shown_path(&asked.path))));
    }
    let extension = asked.path.extension().and_then(|e| e.to_str()).unwrap_or("");
    if ["yaml", "yml", "toml"].contains(&extension) {
        let path = shown_path(&asked.path);
        let advice = format!("`rubricator check {path}` says all there is to say about {path}");
        return Err(Failure::new(format!("explain is about places in transcripts: {advice}")));
    }
    let project = session.workspace.project_of(&asked.path);
    let rules = rules::load(&project);
    let settings_failed = session.report_settings(&project);
    let failed = session.report_problems(&rules.problems) || settings_failed;
    let context = context(&rules, &project, Families::ALL, true);
    let source = Source::Disk(asked.path.clone());
    let mut found = None;
    let look = |record: &str, memo: &mut Memo| analyse(record, &context, memo);
    scan(&source, &project.settings().limits, &mut Vec::new(), look, |seen| {
        if covers(&seen, &asked) {
            found = Some((seen.start, seen.text.to_owned(), seen.analysis));
        }
    })
    .map_err(|e| Failure::new(e.to_string()))?;
    let explained = Explained { asked: &asked, project: &project, rules: &rules };
    explained.print(found, session);
    Ok(if failed { Ending::Failed } else { Ending::Good })
}

/// Reads `FILE:LINE[:COL]`; the file's own name may hold colons.
fn asked(text: &str) -> Result<Asked, Failure> {
    let wrong = || {
        Failure::new("give the place as FILE:LINE or FILE:LINE:COL, as in data/raw/a.jsonl:3:120")
    };
    let (rest, last) = text.rsplit_once(':').ok_or_else(wrong)?;
    let last: usize = last.parse().ok().filter(|n| *n > 0).ok_or_else(wrong)?;
    let middle = rest.rsplit_once(':').and_then(|(path, line)| Some((path, line.parse().ok()?)));
    match middle {
        Some((path, line)) if line > 0 => Ok(Asked { path: path.into(), line, column: Some(last) }),
        _ => Ok(Asked { path: rest.into(), line: last, column: None }),
    }
}

fn covers<T>(seen: &Seen<'_, T>, asked: &Asked) -> bool {
    let lines = memchr::memchr_iter(b'\n', seen.text.as_bytes()).count();
    let inside = seen.start.line <= asked.line && asked.line <= seen.start.line + lines;
    let starts_later = asked.line == seen.start.line
        && asked.column.is_some_and(|column| column < seen.start.column);
    inside && !starts_later
}

/// A record: where it starts, its text, and what is known of it.
type Found = (Start, String, Result<RecordAnalysis, BadRecord>);

struct Explained<'a> {
    asked: &'a Asked,
    project: &'a Project,
    rules: &'a Rules,
}

impl Explained<'_> {
    fn print(&self, found: Option<Found>, session: &mut Session) {
        let style = Style::new(session.out.color);
        let column = self.asked.column.map_or_else(String::new, |c| format!(":{c}"));
        let asked = format!("{}:{}{column}", shown_path(&self.asked.path), self.asked.line);
        session.out.line(&style.bold(&plain(&asked)));
        let Some((start, text, analysis)) = found else {
            row(session, "record", "none: this line is blank, or beyond the end of the file");
            self.surroundings(session, None);
            return;
        };
        let analysis = match analysis {
            Ok(analysis) => analysis,
            Err(bad) => {
                row(session, "record", &bad.to_string());
                return;
            }
        };
        let outline = analysis.outline;
        match &outline {
            Some(outline) => self.transcript(outline, &text, start.line, start.column, session),
            None => {
                row(session, "record", "no conversation: its findings say what is wrong with it")
            }
        }
        self.surroundings(session, outline.as_ref());
        let (ignored, findings): (Vec<_>, Vec<_>) =
            analysis.findings.into_iter().partition(|f| self.project.settings().ignores(f));
        let placed = place(&text, start, findings);
        self.findings(&placed, ignored.len(), session);
    }

    fn transcript(
        &self,
        outline: &Outline,
        text: &str,
        line: usize,
        column: usize,
        session: &mut Session,
    ) {
        let id =
            if outline.id_source.is_some() { "" } else { " (derived: it has none of its own)" };
        row(session, "transcript", &format!("{}{id}", outline.id));
        let shape = outline.shape.name();
        let messages = counted(outline.messages.len(), "message");
        let exchanges = counted(outline.exchanges.len(), "exchange");
        row(session, "written as", &format!("{shape}: {messages}, {exchanges}"));
        let Some(asked) = self.asked.column else { return };
        let at = offset(
            text,
            self.asked.line - line,
            asked,
            if self.asked.line == line { column } else { 1 },
        );
        match outline.messages.iter().enumerate().find(|(_, m)| m.source.touches(at)) {
            Some((index, message)) => row(session, "here", &said(index, message)),
            None => row(session, "here", "between messages"),
        }
    }

    /// What looked at the record: rubric, tokenizer, judges.
    fn surroundings(&self, session: &mut Session, outline: Option<&Outline>) {
        let project = match &self.project.root {
            Some(root) => shown_path(root),
            None => "none: there is no rubricator.toml here or above".to_owned(),
        };
        row(session, "project", &project);
        let rubric = self.rules.rubric.as_ref();
        let said = match rubric.map(|r| (r, &r.parsed.rubric)) {
            Some((file, Some(rubric))) => rubric_said(&file.path, rubric),
            Some((file, None)) => format!("{} cannot be used", shown_path(&file.path)),
            None => "none: no criterion is checked or asked".to_owned(),
        };
        row(session, "rubric", &said);
        let limit = self.project.settings().tokens.limit;
        let tokens = match (&self.rules.counter, outline.and_then(|o| o.tokens)) {
            (Some(counter), Some(n)) => format!(
                "{} of {}, by {} and template {}",
                grouped(n),
                grouped(limit),
                counter.counter().label(),
                counter.template().name()
            ),
            (Some(_), None) => "not counted: the record cannot be rendered".to_owned(),
            (None, _) => "not counted: there is no tokenizer".to_owned(),
        };
        row(session, "tokens", &tokens);
        let judges: Vec<&str> =
            self.project.settings().judges.iter().map(|j| j.name.as_str()).collect();
        let judges = match judges.is_empty() {
            true => "none: questions stay unscored".to_owned(),
            false => judges.join(", "),
        };
        row(session, "judges", &judges);
    }

    fn findings(&self, placed: &[Placed], ignored: usize, session: &mut Session) {
        let style = Style::new(session.out.color);
        let (line, column) = (self.asked.line, self.asked.column);
        let here: Vec<&Placed> = placed.iter().filter(|p| is_at(p, line, column)).collect();
        session.out.line("");
        let name = shown_path(&self.asked.path);
        for placed in &here {
            session.out.write(&super::report::finding_text(&name, placed, style));
        }
        let mut reasons = Vec::new();
        if here.is_empty() {
            reasons.push(match placed.len() {
                0 => "No finding: the structure, token and check rules have nothing to say about this record.".to_owned(),
                n => format!("No finding at this place; the record has {} elsewhere.", counted(n, "finding")),
            });
        }
        if ignored > 0 {
            let n = counted(ignored, "finding");
            reasons.push(format!("{n} of this record are hidden by [ignore] in the settings."));
        }
        let asks = self.rules.rubric.as_ref().and_then(|r| r.parsed.rubric.as_ref());
        if asks.is_some_and(|r| r.criteria.iter().any(crate::rubric::Criterion::is_question)) {
            reasons.push(
                "Questions of the rubric are answered by judges: `rubricator assess` asks them."
                    .to_owned(),
            );
        }
        for reason in reasons {
            wrap(&reason, columns()).iter().for_each(|line| session.out.line(line));
        }
    }
}

fn row(session: &mut Session, name: &str, value: &str) {
    session.out.line(&format!("  {name:<11} {}", plain(value)));
}

fn said(index: usize, message: &OutlineMessage) -> String {
    let exchange = message
        .exchange
        .map_or_else(|| "in no exchange".to_owned(), |number| format!("exchange {number}"));
    let tokens = message.tokens.map_or_else(String::new, |n| format!(", {}", counted(n, "token")));
    let words = counted(message.words, "word");
    format!("message {} ({}), {exchange}: {words}{tokens}", index + 1, message.role.name())
}

fn rubric_said(path: &Path, rubric: &Rubric) -> String {
    let questions = rubric.criteria.iter().filter(|c| c.is_question()).count();
    format!(
        "{}: {}, {} computed here, {questions} asked of judges",
        shown_path(path),
        counted(rubric.criteria.len(), "criterion").replace("criterions", "criteria"),
        rubric.criteria.len() - questions
    )
}

fn is_at(placed: &Placed, line: usize, column: Option<usize>) -> bool {
    match column {
        Some(column) => placed.from <= (line, column) && (line, column) <= placed.to,
        None => placed.from.0 <= line && line <= placed.to.0,
    }
}

/// The byte of the record at a column (from 1) of its `line`-th line (from 0),
/// which starts at column `first`.
fn offset(text: &str, line: usize, column: usize, first: usize) -> usize {
    let start: usize = text.split_inclusive('\n').take(line).map(str::len).sum();
    let chars = column.saturating_sub(first);
    let rest = text.get(start..).unwrap_or("");
    start + rest.char_indices().nth(chars).map_or(rest.len(), |(i, _)| i)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_read_as_typed() {
        let read =
            |text: &str| asked(text).ok().map(|a| (a.path.display().to_string(), a.line, a.column));
        assert_eq!(read("a.jsonl:3"), Some(("a.jsonl".into(), 3, None)));
        assert_eq!(read("a.jsonl:3:7"), Some(("a.jsonl".into(), 3, Some(7))));
        assert_eq!(read("C:\\a.jsonl:3"), Some(("C:\\a.jsonl".into(), 3, None)));
        assert_eq!(read("a:b.jsonl:3:7"), Some(("a:b.jsonl".into(), 3, Some(7))));
        assert_eq!(read("a.jsonl"), None);
        assert_eq!(read("a.jsonl:0"), None);
        assert_eq!(offset("é漢b\ncd", 0, 3, 1), 5);
        assert_eq!(offset("ab\ncd", 1, 2, 1), 4);
    }
}
