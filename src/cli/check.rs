//! `check`: static findings of settings, rubrics and transcripts.
//!
//! Invariant: it never opens the store and asks nobody; what it prints is what
//! the language server shows without the judged findings.

mod documents;
mod targets;
pub(super) mod transcripts;
mod whole;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::args::{Check, Family};
use super::report::{Report, Totals};
use super::scan::Source;
use super::settings::shown_path;
use super::shard::Shard;
use super::{Ending, Failure, Session};
use crate::analysis::context::{Context, Counting, Families};
use crate::cli::place::Placed;
use crate::engine::rules::{self, Rules};
use crate::engine::workspace::Project;
use crate::finding::Severity;
use targets::Target;

/// How one file did.
type Verdict = Ending;

/// A run under way.
struct Run<'a> {
    args: &'a Check,
    session: &'a mut Session,
    report: Report,
    totals: Totals,
    rules: HashMap<Option<PathBuf>, Arc<Rules>>,
    /// Settings and rubrics that are reported as files of their own.
    own_files: Vec<PathBuf>,
}

/// Checks what the arguments name.
pub fn run(args: &Check, session: &mut Session) -> Result<Ending, Failure> {
    let mut targets = targets::of(args, session)?;
    let own_files = targets.iter().filter_map(|t| match t {
        Target::Settings(path) | Target::Rubric(path) => Some(path.clone()),
        Target::Transcript(_) | Target::Text(_) | Target::Missing(_) => None,
    });
    let own_files = own_files.collect();
    Shard::files(args.shard, &mut targets);
    let report = Report::begin(args.format, &mut session.out, args.quiet_stdout());
    let totals = Totals::default();
    let rules = HashMap::new();
    let mut run = Run { args, session, report, totals, rules, own_files };
    let mut ending = Ending::Good;
    for target in targets {
        if run.session.out.is_closed() {
            break;
        }
        ending = ending.max(run.target(target));
    }
    let Run { report, session, totals, .. } = run;
    report.end(&mut session.out, totals);
    Ok(ending)
}

impl Run<'_> {
    fn target(&mut self, target: Target) -> Verdict {
        match target {
            Target::Settings(path) if self.args.only.is_empty() => documents::settings(&path, self),
            Target::Settings(path) => self.settings_aside(&path),
            Target::Rubric(path) if self.wants(Family::Rubric) => documents::rubric(&path, self),
            Target::Rubric(_) => Verdict::Good,
            Target::Missing(path) => self.unreadable(&path, "does not exist"),
            Target::Text(source) => documents::text(&source, self),
            Target::Transcript(source) if self.wants_transcripts() => {
                let aside = self.settings_aside(source.path());
                let name = source.shown();
                aside.max(transcripts::check(source, &name, self))
            }
            Target::Transcript(_) => Verdict::Good,
        }
    }

    fn wants(&self, family: Family) -> bool {
        self.args.only.is_empty() || self.args.only.contains(&family)
    }

    fn wants_transcripts(&self) -> bool {
        [Family::Structure, Family::Tokens, Family::Checks].iter().any(|f| self.wants(*f))
    }

    /// Says on standard error what is wrong with a project's settings and rubric,
    /// unless they are reported as files of their own.
    fn settings_aside(&mut self, path: &Path) -> Verdict {
        let project = self.session.workspace.project_of(path);
        let rules = self.rules(&project);
        let rubric = self.rubric_aside(&rules);
        let settings = project.settings_file();
        if self.args.only.is_empty() && settings.is_some_and(|own| self.is_own_file(&own)) {
            return rubric;
        }
        let failed = self.session.report_settings(&project);
        let failed = self.session.report_problems(&rules.problems) || failed;
        if failed { Verdict::Failed } else { rubric }
    }

    /// A rubric that is broken checks less than its author thinks.
    fn rubric_aside(&mut self, rules: &Rules) -> Verdict {
        let Some(file) = rules.rubric.as_ref().filter(|r| r.parsed.has_errors()) else {
            return Verdict::Good;
        };
        if !self.wants(Family::Checks) || self.is_own_file(&file.path) {
            return Verdict::Good;
        }
        let path = shown_path(&file.path);
        let advice = format!("`rubricator check {path}` shows them");
        self.session.out.error(&format!("{path} has errors, so checks may be missing: {advice}"));
        self.own_files.push(file.path.clone());
        Verdict::Findings
    }

    fn is_own_file(&self, path: &Path) -> bool {
        self.own_files.iter().any(|own| documents::same(own, path))
    }

    fn rules(&mut self, project: &Project) -> Arc<Rules> {
        let key = project.root.clone();
        let rules = self.rules.entry(key).or_insert_with(|| Arc::new(rules::load(project)));
        Arc::clone(rules)
    }

    fn context(&mut self, project: &Project) -> Context {
        let rules = self.rules(project);
        let families = Families {
            structure: self.wants(Family::Structure),
            tokens: self.wants(Family::Tokens),
            checks: self.wants(Family::Checks),
        };
        context(&rules, project, families, false)
    }

    /// Prints the findings of one file.
    fn report(&mut self, file: &str, placed: &[Placed]) -> Verdict {
        self.report.file(&mut self.session.out, file, placed);
        self.verdict_of(placed.iter().map(|p| p.finding.severity).min())
    }

    fn verdict_of(&self, worst: Option<Severity>) -> Verdict {
        let fails = worst.is_some_and(|w| self.args.fail_on.counts(w));
        if fails { Verdict::Findings } else { Verdict::Good }
    }

    fn unreadable(&mut self, path: &Path, why: &str) -> Verdict {
        self.failed(&format!("{} {why}", shown_path(path)))
    }

    fn failed(&mut self, message: &str) -> Verdict {
        self.session.out.error(&super::style::plain(message));
        Verdict::Failed
    }

    /// With `--fix` on standard input, the mended text is the result.
    fn print_mended(&mut self, source: &Source) {
        if let (true, Source::Bytes(_, bytes)) = (self.args.fix, source) {
            self.session.out.write_bytes(bytes);
        }
    }
}

impl Check {
    /// With `--fix`, standard input is answered with its mended text, and the
    /// findings go to standard error.
    fn quiet_stdout(&self) -> bool {
        self.fix && targets::reads_input(self)
    }
}

/// What records are looked at with.
#[must_use]
pub fn context(rules: &Rules, project: &Project, families: Families, measures: bool) -> Context {
    let settings = project.settings();
    let rubric = rules.rubric.as_ref().and_then(|r| r.parsed.rubric.clone()).map(Arc::new);
    let counting = rules.counter.clone().map(|counter| {
        Arc::new(Counting {
            counter,
            limit: settings.tokens.limit,
            template_is_set: rules.template_is_set,
        })
    });
    let wants_target = families.structure || families.tokens;
    let target = rules.target.clone().filter(|_| wants_target).map(Arc::new);
    Context { rubric, counting, target, families, measures, depth_limit: settings.limits.depth }
}
