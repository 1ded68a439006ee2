//! A transcript file in `check`: looked at, mended if asked, reported.

use std::io::{self, Cursor};
use std::path::Path;
use std::sync::Arc;

use super::whole::Whole;
use super::{Run, Verdict};
use crate::analysis::brief::{Brief, Looking};
use crate::analysis::context::{Context, Memo};
use crate::analysis::fixes::ROUNDS;
use crate::cli::fix::{self, FileEdit, Plan};
use crate::cli::place::{Placed, Start, place};
use crate::cli::report::counted;
use crate::cli::scan::{Seen, Source, Text, scan};
use crate::config::Settings;
use crate::engine::disk::{BadRecord, DiskError, Unreadable};
use crate::finding::{Finding, Severity};
use crate::text::Span;

/// What one look at a file found.
#[derive(Debug, Default)]
struct Look {
    /// The findings to show, by place.
    shown: Vec<Placed>,
    /// How many there are, shown or not.
    found: usize,
    /// The worst of all.
    worst: Option<Severity>,
    transcripts: usize,
    plan: Plan,
}

/// Checks one transcript file.
pub(super) fn check(source: Source, shown: &str, run: &mut Run<'_>) -> Verdict {
    let project = run.session.workspace.project_of(source.path());
    let context = run.context(&project);
    match mended(source, &context, project.settings(), run) {
        Ok((look, source, fixed)) => {
            run.totals.transcripts += look.transcripts;
            run.totals.fixed += fixed;
            if look.found > look.shown.len() {
                let hidden = counted(look.found - look.shown.len(), "more finding");
                let advice = "raise `limits.findings_per_file` to see them";
                run.session.out.note(&format!("{shown}: {hidden}; {advice}"));
            }
            run.print_mended(&source);
            let verdict = run.report(shown, &look.shown);
            verdict.max(run.verdict_of(look.worst))
        }
        Err(error) => run.failed(&error.to_string()),
    }
}

/// Looks, and with `--fix` mends and looks again until nothing is left to mend.
fn mended(
    mut source: Source,
    context: &Context,
    settings: &Settings,
    run: &mut Run<'_>,
) -> Result<(Look, Source, usize), DiskError> {
    let mut memos = Vec::new();
    let mut fixed = 0;
    for _ in 0..ROUNDS {
        let mut look = look(&source, context, settings, &mut memos, run)?;
        let plan = std::mem::take(&mut look.plan);
        if !run.args.fix || plan.fixes == 0 {
            return Ok((look, source, fixed));
        }
        let fixes = plan.fixes;
        let edits = plan.edits();
        source = mend(source, &edits)?;
        fixed += fixes;
    }
    let look = look(&source, context, settings, &mut memos, run)?;
    Ok((look, source, fixed))
}

fn look(
    source: &Source,
    context: &Context,
    settings: &Settings,
    memos: &mut Vec<Memo>,
    run: &Run<'_>,
) -> Result<Look, DiskError> {
    let mut look = Look::default();
    let mut whole = Whole::default();
    let limit = settings.limits.findings_per_file;
    let looking = Looking::new(context);
    let at = |record: &str, memo: &mut Memo| looking.at(record, memo);
    let facts = scan(source, &settings.limits, memos, at, |mut seen| {
        whole.note(&mut seen);
        look.record(source, seen, settings, limit, run.args.fix);
    })?;
    if context.families.structure {
        let mut found = whole.findings(source, &facts, settings, run.args.fix);
        if found.silences_records {
            look = Look { transcripts: look.transcripts, ..Look::default() };
        }
        if run.args.fix {
            look.plan.add(&found.findings, 0);
        }
        look.count(&found.findings);
        found.findings.truncate(limit);
        look.shown.extend(found.placed(source));
    }
    look.shown.sort_by(|a, b| {
        let key = |p: &Placed| (p.bytes.start, p.bytes.end, p.finding.severity);
        key(a).cmp(&key(b)).then_with(|| a.finding.code.cmp(&b.finding.code))
    });
    look.shown.truncate(limit);
    Ok(look)
}

/// Errors of a transcript file, as `check` counts them.
pub fn errors(source: &Source, context: &Context, settings: &Settings) -> Result<usize, DiskError> {
    let mut whole = Whole::default();
    let looking = Looking::new(context);
    let mut errors = 0;
    let count = |findings: &[Finding]| {
        let counts = |f: &&Finding| f.severity == Severity::Error && !settings.ignores(f);
        findings.iter().filter(counts).count()
    };
    let at = |record: &str, memo: &mut Memo| looking.at(record, memo);
    let facts = scan(source, &settings.limits, &mut Vec::new(), at, |mut seen| {
        whole.note(&mut seen);
        errors += seen.analysis.as_ref().map_or(1, |brief| count(&brief.findings));
    })?;
    Ok(errors + count(&whole.findings(source, &facts, settings, false).findings))
}

impl Look {
    fn record(
        &mut self,
        source: &Source,
        seen: Seen<'_, Brief>,
        settings: &Settings,
        limit: usize,
        fix: bool,
    ) {
        match seen.analysis {
            Ok(brief) => {
                self.transcripts += usize::from(brief.is_transcript);
                let mut findings = brief.findings;
                findings.retain(|f| !settings.ignores(f));
                if fix {
                    self.plan.add(&findings, seen.start.byte);
                }
                self.add(&seen.text, seen.start, findings, limit);
            }
            Err(bad) => {
                let (start, line) = bad_place(source, seen.start, bad);
                let code = if matches!(bad, BadRecord::NotUtf8 { .. }) { "F001" } else { "F009" };
                let finding = Finding::new(code, Severity::Error, Span::new(0, 1), bad.to_string());
                self.count(std::slice::from_ref(&finding));
                if self.shown.len() < limit {
                    self.shown.extend(place(&line, start, vec![finding]));
                }
            }
        }
    }

    fn count(&mut self, findings: &[Finding]) {
        self.found += findings.len();
        self.worst = findings.iter().map(|f| f.severity).chain(self.worst).min();
    }

    fn add(&mut self, text: &Text<'_>, start: Start, mut findings: Vec<Finding>, limit: usize) {
        self.count(&findings);
        findings.truncate(limit.saturating_sub(self.shown.len()));
        if !findings.is_empty() {
            self.shown.extend(place(text.get(), start, findings));
        }
    }
}

/// Where a record that could not be read goes wrong, and a stand-in for the
/// character there, for which there is no text.
fn bad_place(source: &Source, start: Start, bad: BadRecord) -> (Start, String) {
    let BadRecord::NotUtf8 { at } = bad else { return (start, " ".into()) };
    let before = at as u64 - start.byte;
    let mut head = Vec::new();
    let read = source.open().and_then(|mut reader| {
        io::copy(&mut io::Read::take(&mut reader, start.byte), &mut io::sink())?;
        io::copy(&mut io::Read::take(&mut reader, before), &mut head)
    });
    let columns = match read {
        Ok(_) => String::from_utf8_lossy(&head).trim_start_matches('\u{feff}').chars().count(),
        Err(_) => 0,
    };
    let place = Start { byte: at as u64, line: start.line, column: start.column + columns };
    (place, " ".into())
}

/// The source with the edits applied: on disk, or in memory.
fn mend(source: Source, edits: &[FileEdit]) -> Result<Source, DiskError> {
    let failed =
        |path: &Path, error| DiskError { path: path.to_owned(), why: Unreadable::Io(error) };
    match source {
        Source::Disk(path) => match fix::rewrite(&path, edits) {
            Ok(()) => Ok(Source::Disk(path)),
            Err(error) => Err(failed(&path, error)),
        },
        Source::Bytes(path, bytes) => {
            let mut out = Vec::with_capacity(bytes.len() + 64);
            match fix::copy(&mut Cursor::new(bytes), &mut out, edits) {
                Ok(()) => Ok(Source::Bytes(path, Arc::from(out))),
                Err(error) => Err(failed(&path, error)),
            }
        }
    }
}
