//! `doctor`: what a trainer makes of a file, record by record.
//!
//! Invariant: its findings are those of `check` under the same `[target]`; one row
//! a record, printed as it is seen, so memory stays bounded.

mod row;
mod shown;

use super::args::{Doctor, GateFormat};
use super::check::context;
use super::place::{Placed, place};
use super::report::{counted, finding_text, grouped};
use super::scan::{Seen, Source, scan};
use super::style::{Style, plain};
use super::{Ending, Failure, Session, targets};
use crate::analysis::brief::{Brief, Looking};
use crate::analysis::context::{Families, Memo};
use crate::config::Settings;
use crate::doctor::{Fate, Target};
use crate::engine::rules;
use crate::finding::{Finding, Severity};
use crate::tokens::Precision;
use row::Row;

/// What a run found in all.
#[derive(Debug, Default)]
struct Sums {
    records: usize,
    fates: [usize; 5],
    tokens: usize,
    trained: usize,
    kept: usize,
    kept_trained: usize,
    uncounted: usize,
    /// Why the counts are estimates, where they are.
    estimate: Option<&'static str>,
    worst: Option<Severity>,
}

/// Looks.
pub fn run(args: &Doctor, session: &mut Session) -> Result<Ending, Failure> {
    let sources = targets::transcripts(&args.paths, session)?;
    if let Some(number) = args.show {
        return shown::run(args, number, &sources, session);
    }
    let mut sums = Sums::default();
    let mut ending = Ending::Good;
    let json = args.format == GateFormat::Json;
    let mut head = None;
    for source in &sources {
        let Some(target) = target(source, session)? else { return Ok(Ending::Failed) };
        if head.is_none() && json {
            session.out.write(&row::begin(&target));
        }
        let file = file(source, &target, args, session, &mut sums);
        ending = ending.max(file);
        head = Some(target);
    }
    match head {
        Some(_) if json => session.out.line(&row::end(&sums)),
        Some(target) => session.out.line(&summary(&sums, &target, Style::new(session.out.color))),
        None if json => session.out.line("{}"),
        None => {}
    }
    let fails = sums.worst.is_some_and(|w| w <= Severity::Warning);
    Ok(ending.max(if fails { Ending::Findings } else { Ending::Good }))
}

/// What the data of a source is for; `None` when its settings are wrong.
fn target(source: &Source, session: &mut Session) -> Result<Option<Target>, Failure> {
    let project = session.workspace.project_of(source.path());
    let rules = rules::load(&project);
    let failed = session.report_settings(&project);
    // A rubric has no part in this.
    let problems: Vec<_> = rules
        .problems
        .iter()
        .filter(|p| !p.finding.message.starts_with("the rubric"))
        .cloned()
        .collect();
    if session.report_problems(&problems) || failed {
        return Ok(None);
    }
    let target = rules.target.ok_or_else(|| {
        Failure::new(
            "name the trainer: --target trl, or `trainer` under `[target]` in rubricator.toml",
        )
    })?;
    if target.trainer.renders_here() && !target.template_is_known {
        session.out.note(&format!(
            "no chat template is known, so what it loses is not: name the model's own with --template \
             (a chat_template.jinja or tokenizer_config.json), or one of {}",
            crate::tokens::BUILT_IN.join(", ")
        ));
    }
    Ok(Some(target))
}

fn file(
    source: &Source,
    target: &Target,
    args: &Doctor,
    session: &mut Session,
    sums: &mut Sums,
) -> Ending {
    let project = session.workspace.project_of(source.path());
    let rules = rules::load(&project);
    let families = Families { structure: true, tokens: false, checks: false };
    let context = context(&rules, &project, families, false);
    let settings = project.settings();
    let looking = Looking::new(&context);
    let name = source.shown();
    let out = &mut session.out;
    let at = |record: &str, memo: &mut Memo| looking.at(record, memo);
    let scanned = scan(source, &settings.limits, &mut Vec::new(), at, |seen| {
        let row = row(&name, seen, settings);
        sums.add(&row);
        match args.format {
            GateFormat::Json => out.write(&row.json(sums.records == 1)),
            GateFormat::Text => {
                let style = Style::new(out.color);
                row.findings.iter().for_each(|p| out.write(&finding_text(&name, p, style)));
            }
        }
    });
    let facts = match scanned {
        Ok(facts) => facts,
        Err(error) => {
            out.error(&plain(&error.to_string()));
            return Ending::Failed;
        }
    };
    let mut found = crate::doctor::file::findings(target, &facts, &name);
    found.retain(|f| !settings.ignores(f));
    let placed = super::settings::place_in_file("", found);
    sums.worst = placed.iter().map(|p| p.finding.severity).chain(sums.worst).min();
    match args.format {
        GateFormat::Json => out.write(&row::file(&name, &placed, sums.records == 0)),
        GateFormat::Text => {
            let style = Style::new(out.color);
            placed.iter().for_each(|p| out.write(&finding_text(&name, p, style)));
        }
    }
    Ending::Good
}

/// One record as seen.
fn row<'a>(file: &'a str, seen: Seen<'_, Brief>, settings: &Settings) -> Row<'a> {
    let line = seen.start.line;
    let Ok(brief) = seen.analysis else {
        return Row {
            file,
            line,
            id: None,
            fate: Fate::Refused,
            count: None,
            findings: Vec::new(),
        };
    };
    let id = brief.findings.iter().find_map(|f| f.transcript.clone());
    let id = brief.traits.written_id().map(Into::into).or(id);
    let refused = !brief.is_transcript || brief.findings.iter().any(refuses);
    let fate = brief.prospect.map_or(Fate::Refused, |p| p.fate);
    let fate = if refused { Fate::Refused } else { fate };
    let mut findings = brief.findings;
    findings.retain(|f| !settings.ignores(f));
    let findings: Vec<Placed> = match findings.is_empty() {
        true => Vec::new(),
        false => place(seen.text.get(), seen.start, findings),
    };
    Row { file, line, id, fate, count: brief.prospect.and_then(|p| p.count), findings }
}

/// A fault that no reader of JSON, and no trainer, gets over.
fn refuses(finding: &Finding) -> bool {
    let code = finding.code.as_ref();
    finding.severity == Severity::Error
        && matches!(code, "J001" | "J002" | "J005" | "R002" | "M001" | "M005")
}

impl Sums {
    fn add(&mut self, row: &Row<'_>) {
        self.records += 1;
        self.fates[row.fate as usize] += 1;
        self.worst = row.findings.iter().map(|p| p.finding.severity).chain(self.worst).min();
        let Some(count) = row.count else {
            self.uncounted += 1;
            return;
        };
        self.tokens += count.tokens;
        self.trained += count.trained;
        let reaches = row.fate < Fate::Dropped;
        self.kept += if reaches { count.kept } else { 0 };
        self.kept_trained += if reaches { count.kept_trained } else { 0 };
        if let Precision::Estimate(why) = count.precision {
            self.estimate = self.estimate.or(Some(why));
        }
    }
}

fn summary(sums: &Sums, target: &Target, style: Style) -> String {
    let [whole, changed, cut, dropped, refused] = sums.fates;
    let bad =
        |n: usize, words: &str| (n > 0).then(|| style.bad(&format!("{} {words}", grouped(n))));
    let fates = [
        Some(style.good(&format!("{} whole", grouped(whole)))),
        bad(changed, "changed without a word"),
        bad(cut, "cut off"),
        bad(dropped, "left out"),
        bad(refused, "refused"),
    ];
    let fates: Vec<String> = fates.into_iter().flatten().collect();
    let share = |part: usize| part as f64 / sums.tokens.max(1) as f64 * 100.0;
    let label = match sums.estimate {
        None => "exact".to_owned(),
        Some(why) => format!("estimated: {why}"),
    };
    let tokens = format!(
        "{} tokens ({label}; {}, {} template), {:.0}% reach the model, {:.0}% are trained on",
        grouped(sums.tokens),
        plain(target.counter.counter().label()),
        plain(target.counter.template().name()),
        share(sums.kept),
        share(sums.kept_trained),
    );
    let head = format!("{} at {}", counted(sums.records, "record"), target.trainer.name());
    format!("{}: {}\n{}", style.bold(&head), fates.join(", "), style.dim(&tokens))
}
