//! `tokens`: how many each transcript has, as rendered, against the limit.

use std::path::PathBuf;

use serde::Serialize;

use super::args::{DataFormat, Tokens};
use super::check::context;
use super::report::{counted, grouped};
use super::scan::{Seen, Source, scan};
use super::style::{Style, plain};
use super::{Ending, Failure, Session, targets};
use crate::analysis::context::Families;
use crate::analysis::record::Outline;
use crate::engine::rules;

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
    let context = context(&rules, &project, families, true);
    let limit = project.settings().tokens.limit;
    let name = source.shown();
    let limits = &project.settings().limits;
    let out = &mut session.out;
    let scanned = scan(source, &context, limits, &mut Vec::new(), |seen: Seen| {
        let Some(outline) = seen.analysis.ok().and_then(|a| a.outline) else {
            sums.unread += 1;
            return;
        };
        sums.add(&outline, limit);
        let messages = outline.messages.iter().map(|m| m.tokens).collect();
        let (file, line, id) = (name.as_str(), seen.start.line, outline.id.as_ref());
        let row = Row { file, line, id, tokens: outline.tokens, limit, messages };
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
    fn add(&mut self, outline: &Outline, limit: usize) {
        self.transcripts += 1;
        self.tokens += outline.tokens.unwrap_or(0);
        self.uncounted += usize::from(outline.tokens.is_none());
        self.over += usize::from(outline.tokens.is_some_and(|t| t > limit));
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
