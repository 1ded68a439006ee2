//! `tokens`: how many each transcript has, as rendered, against the limit.

use std::path::PathBuf;

use serde::Serialize;

use super::args::{DataFormat, Tokens};
use super::check::context;
use super::report::{counted, grouped};
use super::scan::{Seen, Source, scan};
use super::style::{Style, plain};
use super::{Ending, Failure, Session, targets};
use crate::analysis::context::{Context, Families, Memo};
use crate::engine::rules;
use crate::text::json;
use crate::transcript::read;

/// The counts of one transcript.
#[derive(Serialize)]
struct Row<'a> {
    file: &'a str,
    line: usize,
    id: &'a str,
    tokens: Option<usize>,
    limit: usize,
    messages: Vec<Option<usize>>,
}

/// The counts of one record.
struct Counts {
    id: String,
    tokens: Option<usize>,
    messages: Vec<Option<usize>>,
}

impl Counts {
    /// `None` when the record is no conversation; no counts when it is broken JSON.
    fn of(record: &str, context: &Context) -> Option<Self> {
        let json = json::parse(record, context.depth_limit);
        let transcript = read(record, &json).transcript.ok()?;
        let counting = context.counting.as_ref().filter(|_| json.syntax_problem().is_none());
        let (tokens, messages) = match counting.map(|c| c.counter.counts(record, &transcript)) {
            Some(counts) => (counts.record.ok().map(|c| c.tokens), counts.messages),
            None => (None, vec![None; transcript.messages.len()]),
        };
        Some(Self { id: transcript.id, tokens, messages })
    }
}

/// What was counted in all.
#[derive(Default)]
struct Sums {
    transcripts: usize,
    tokens: usize,
    over: usize,
    uncounted: usize,
    unread: usize,
}

/// Counts.
pub fn run(args: &Tokens, session: &mut Session) -> Result<Ending, Failure> {
    let sources = targets::transcripts(&args.paths, session)?;
    let mut sums = Sums::default();
    let mut ending = Ending::Good;
    if args.format == DataFormat::Json {
        session.out.write("[");
    }
    for source in sources {
        ending = ending.max(file(&source, args.format, session, &mut sums));
    }
    match args.format {
        DataFormat::Json if sums.transcripts == 0 => session.out.line("]"),
        DataFormat::Json => session.out.line("\n]"),
        DataFormat::Jsonl => {}
        DataFormat::Text => session.out.line(&summary(&sums, Style::new(session.out.color))),
    }
    if sums.uncounted + sums.unread > 0 {
        let n = counted(sums.uncounted + sums.unread, "record");
        session.out.warning(&format!("{n} could not be counted: `rubricator check` says why"));
        ending = ending.max(Ending::Findings);
    }
    Ok(ending)
}

fn file(source: &Source, format: DataFormat, session: &mut Session, sums: &mut Sums) -> Ending {
    let project = session.workspace.project_of(source.path());
    let rules = rules::load(&project);
    let settings_failed = session.report_settings(&project);
    if session.report_problems(&rules.problems) || settings_failed {
        return Ending::Failed;
    }
    let families = Families { structure: false, tokens: false, checks: false };
    let context = context(&rules, &project, families, false);
    let limit = project.settings().tokens.limit;
    let name = source.shown();
    let limits = &project.settings().limits;
    let out = &mut session.out;
    let look = |record: &str, _: &mut Memo| Counts::of(record, &context);
    let scanned = scan(source, limits, &mut Vec::new(), look, |seen: Seen<'_, Option<Counts>>| {
        let Some(Counts { id, tokens, messages }) = seen.analysis.ok().flatten() else {
            sums.unread += 1;
            return;
        };
        sums.add(tokens, limit);
        let (file, line, id) = (name.as_str(), seen.start.line, id.as_str());
        let row = Row { file, line, id, tokens, limit, messages };
        // Text and numbers alone always serialise.
        let json = || serde_json::to_string(&row).unwrap_or_default();
        match format {
            DataFormat::Text => out.line(&text(&row, Style::new(out.color))),
            DataFormat::Jsonl => out.line(&json()),
            DataFormat::Json => {
                out.write(if sums.transcripts == 1 { "\n  " } else { ",\n  " });
                out.write(&json());
            }
        }
    });
    match scanned {
        Ok(_) => Ending::Good,
        Err(error) => {
            session.out.error(&plain(&error.to_string()));
            Ending::Failed
        }
    }
}

impl Sums {
    fn add(&mut self, tokens: Option<usize>, limit: usize) {
        self.transcripts += 1;
        self.tokens += tokens.unwrap_or(0);
        self.uncounted += usize::from(tokens.is_none());
        self.over += usize::from(tokens.is_some_and(|t| t > limit));
    }
}

fn text(row: &Row<'_>, style: Style) -> String {
    let place = plain(&format!("{}:{}", row.file, row.line)).into_owned();
    let id = plain(row.id).into_owned();
    let messages = counted(row.messages.len(), "message");
    let Some(tokens) = row.tokens else {
        return format!("{place}: {id}: {} ({messages})", style.bad("not counted"));
    };
    let share = tokens as f64 / row.limit as f64 * 100.0;
    let share = format!("{share:.0}% of {}", grouped(row.limit));
    let share = if tokens > row.limit { style.bad(&share) } else { style.dim(&share) };
    format!("{place}: {id}: {} tokens, {share} ({messages})", style.bold(&grouped(tokens)))
}

fn summary(sums: &Sums, style: Style) -> String {
    let mean = sums.tokens / sums.transcripts.max(1);
    let all = format!(
        "{} tokens in {}, {} on average",
        grouped(sums.tokens),
        counted(sums.transcripts, "transcript"),
        grouped(mean)
    );
    match sums.over {
        0 => all,
        n => format!("{all}; {}", style.bad(&format!("{} over the limit", grouped(n)))),
    }
}

impl Source {
    /// Its name as printed.
    #[must_use]
    pub fn shown(&self) -> String {
        match self {
            Self::Disk(path) => super::settings::shown_path(path),
            Self::Bytes(path, _) => PathBuf::from(path).to_string_lossy().into_owned(),
        }
    }
}
