//! `audit`: what is wrong with a data set as a whole.
//!
//! Invariant: nobody is asked and nothing is written; every file is read twice, on
//! all cores, and what is remembered of it does not grow with its texts. What a
//! flag counts is exact, and every flag names places.

mod flags;
mod look;
mod text;

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::{Value, json};

use super::args::{Audit as Args, GateFormat};
use super::place::{Placed, Start, place};
use super::scan::{Seen, Source, scan};
use super::style::plain;
use super::{Ending, Failure, Session, targets};
use crate::audit::alike::{self, Signature};
use crate::audit::{Mined, Sketch, Tally};
use crate::config::{Audit, Limits, Settings};
use crate::engine::disk::DiskError;
use crate::finding::{Finding, Severity};
use crate::report::Phrase;
use crate::text::{Span, json as spans};
use crate::transcript::read;
use flags::Flag;
use look::{First, Looker, Second};

/// Instances that a flag names.
const INSTANCES: usize = 20;

/// A place that a flag is about.
#[derive(Clone, Debug)]
pub struct Instance {
    file: Arc<str>,
    placed: Placed,
}

/// A transcript, as far as near-duplicates need it.
struct Known {
    source: usize,
    start: Start,
    bytes: Span,
    id: Arc<str>,
    signature: Signature,
}

/// What the first look found.
#[derive(Default)]
struct Found {
    tally: Tally,
    known: Vec<Known>,
    unread: usize,
    /// For each phrase asked for: replies that have it, and where.
    phrases: Vec<(usize, Vec<Instance>)>,
    /// The replies longest for what was asked, by their ratio.
    longest: Vec<(f64, Instance)>,
    rigid: Vec<Instance>,
    praise: Vec<Instance>,
}

/// Two transcripts that are nearly the same.
struct Twins {
    likeness: f64,
    ids: [Arc<str>; 2],
    instances: Vec<Instance>,
}

/// Audits.
pub fn run(args: &Args, session: &mut Session) -> Result<Ending, Failure> {
    if args.paths.iter().any(|path| path.as_os_str() == "-") {
        return Err(Failure::new(
            "`audit` reads twice, so it cannot read standard input: name a file",
        ));
    }
    let sources = targets::transcripts(&args.paths, session)?;
    let first = sources.first().map_or_else(|| PathBuf::from("."), |s| s.path().to_owned());
    let project = session.workspace.project_of(&first);
    if session.report_settings(&project) {
        return Err(Failure::new("the settings have errors, so nothing was audited"));
    }
    let (found, flags) = of(project.settings(), &sources)
        .map_err(|e| Failure::new(plain(&e.to_string()).into_owned()))?;
    if found.unread > 0 {
        let n = super::report::counted(found.unread, "record");
        session
            .out
            .warning(&format!("{n} left out: no transcript there (`rubricator check` says why)"));
    }
    match args.format {
        GateFormat::Json => session.out.line(&format!("{:#}", to_json(&found.tally, &flags))),
        GateFormat::Text => {
            let text = text::report(&found.tally, &flags, session.out.color);
            session.out.write(&text);
        }
    }
    Ok(if flags.is_empty() { Ending::Good } else { Ending::Findings })
}

/// How many flags the transcripts of these files get.
///
/// # Errors
/// When one of them cannot be read.
pub fn flagged(settings: &Settings, sources: &[Source]) -> Result<usize, DiskError> {
    of(settings, sources).map(|(_, flags)| flags.len())
}

/// The phrases that stand out, and what else is flagged, for a report.
///
/// # Errors
/// When a file cannot be read.
pub fn summary(
    settings: &Settings,
    sources: &[Source],
) -> Result<(Vec<Phrase>, Vec<String>), DiskError> {
    let (found, flags) = of(settings, sources)?;
    let replies = found.tally.replies;
    let mut phrases = Vec::new();
    for (text, (count, _)) in settings.audit.phrases.iter().zip(&found.phrases) {
        let flagged =
            flags.iter().any(|f| f.name == "phrase" && f.phrase.as_deref() == Some(&**text));
        if !flagged {
            let counted = (*count, replies);
            phrases.push(Phrase { kind: "listed", text: text.as_str().into(), counted, flagged });
        }
    }
    let mut others = Vec::new();
    for flag in flags {
        match flag.phrase {
            Some(text) => phrases.push(Phrase {
                kind: flag.name,
                text: text.into(),
                counted: flag.counted,
                flagged: true,
            }),
            None => others.push(flag.message),
        }
    }
    Ok((phrases, others))
}

fn of(settings: &Settings, sources: &[Source]) -> Result<(Found, Vec<Flag>), DiskError> {
    let audit = Work {
        rules: &settings.audit,
        limits: &settings.limits,
        looker: Looker::of(&settings.audit, settings.limits.depth),
        sketch: Sketch::default(),
        sources,
    };
    let found = audit.first_look()?;
    let mined = audit.second_look(found.tally.replies)?;
    let twins = audit.twins(&found.known)?;
    let flags = flags::flags(&settings.audit, &found, mined, twins);
    Ok((found, flags))
}

/// What an audit works with.
struct Work<'a> {
    rules: &'a Audit,
    limits: &'a Limits,
    looker: Looker,
    sketch: Sketch,
    sources: &'a [Source],
}

impl Work<'_> {
    /// Counts what adds up, and fills the sketch.
    fn first_look(&self) -> Result<Found, DiskError> {
        let phrases = vec![(0, Vec::new()); self.rules.phrases.len()];
        let mut found = Found { phrases, ..Found::default() };
        for (number, source) in self.sources.iter().enumerate() {
            let file: Arc<str> = source.shown().into();
            let look = |record: &str, _: &mut _| self.looker.first(record, &self.sketch);
            scan(source, self.limits, &mut Vec::new(), look, |seen| {
                found.take(seen, number, &file);
            })?;
        }
        Ok(found)
    }

    /// Counts exactly what the sketch leaves possible.
    fn second_look(&self, replies: usize) -> Result<Mined<Instance>, DiskError> {
        let least = flags::least(self.rules.overused_share.min(self.rules.phrase_share), replies);
        let mut mined = Mined::default();
        let mut number = 0;
        for source in self.sources {
            let file: Arc<str> = source.shown().into();
            let look = |record: &str, _: &mut _| self.looker.second(record, &self.sketch, least);
            scan(source, self.limits, &mut Vec::new(), look, |seen| {
                let Seen { start, text, analysis } = seen;
                let Some(Second { id, replies, asked }) = analysis.ok().flatten() else { return };
                number += 1;
                asked.iter().for_each(|feature| mined.asked(feature));
                for one in replies {
                    let instance =
                        || instance(text.get(), start, &file, one.span, Some(one.exchange), &id);
                    mined.reply(&one.feature, number, || one.text.clone(), instance);
                }
            })?;
        }
        Ok(mined)
    }

    /// Verifies the pairs that may be nearly the same.
    fn twins(&self, known: &[Known]) -> Result<Vec<Twins>, DiskError> {
        let signatures: Vec<Signature> = known.iter().map(|k| k.signature.clone()).collect();
        let mut twins = Vec::new();
        let mut last: Option<(usize, HashSet<u64>)> = None;
        for (one, other) in alike::candidates(&signatures, self.rules.similarity) {
            let own = match last.take() {
                Some((at, shingles)) if at == one => shingles,
                _ => self.shingles(&known[one])?,
            };
            let likeness = alike::likeness(&own, &self.shingles(&known[other])?);
            last = Some((one, own));
            if likeness >= self.rules.similarity {
                let pair = [&known[one], &known[other]];
                let instances = pair.map(|k| k.instance(&self.sources[k.source].shown().into()));
                let ids = pair.map(|k| Arc::clone(&k.id));
                twins.push(Twins { likeness, ids, instances: instances.to_vec() });
            }
        }
        Ok(twins)
    }

    fn shingles(&self, known: &Known) -> Result<HashSet<u64>, DiskError> {
        let mut shingles = HashSet::new();
        self.sources[known.source].reread(&[known.bytes], self.limits, |record| {
            let json = spans::parse(record, self.limits.depth);
            if let Ok(transcript) = read(record, &json).transcript {
                shingles = alike::shingles(&transcript);
            }
        })?;
        Ok(shingles)
    }
}

impl Found {
    fn take(&mut self, seen: Seen<'_, Option<First>>, source: usize, file: &Arc<str>) {
        let Seen { start, text, analysis } = seen;
        let Some(first) = analysis.ok().flatten() else {
            self.unread += 1;
            return;
        };
        let at =
            |span: Span, exchange| instance(text.get(), start, file, span, exchange, &first.id);
        self.tally.merge(&first.tally);
        for (index, span, exchange) in &first.phrases {
            let (count, instances) = &mut self.phrases[*index];
            *count += 1;
            if instances.len() < INSTANCES {
                instances.push(at(*span, Some(*exchange)));
            }
        }
        if let Some((ratio, span, exchange)) = first.longest {
            let rank = self.longest.partition_point(|(r, _)| *r >= ratio);
            if rank < INSTANCES {
                self.longest.insert(rank, (ratio, at(span, Some(exchange))));
                self.longest.truncate(INSTANCES);
            }
        }
        if let Some((span, exchange)) = first.late_praise.filter(|_| self.praise.len() < INSTANCES)
        {
            self.praise.push(at(span, Some(exchange)));
        }
        if let Some(span) = first.rigid.filter(|_| self.rigid.len() < INSTANCES) {
            self.rigid.push(at(span, None));
        }
        let byte = usize::try_from(start.byte).unwrap_or(usize::MAX);
        let bytes = Span::new(byte, byte.saturating_add(text.bytes()));
        let (id, signature) = (first.id, first.signature);
        self.known.push(Known { source, start, bytes, id, signature });
    }
}

impl Known {
    /// The first character of its record.
    fn instance(&self, file: &Arc<str>) -> Instance {
        instance("{", self.start, file, Span::new(0, 1), None, &self.id)
    }
}

fn instance(
    text: &str,
    start: Start,
    file: &Arc<str>,
    span: Span,
    exchange: Option<u32>,
    id: &str,
) -> Instance {
    let finding = Finding {
        transcript: Some(id.into()),
        exchange,
        ..Finding::new("audit", Severity::Warning, span, "")
    };
    let byte = Placed {
        from: (start.line, start.column),
        to: (start.line, start.column),
        bytes: start.byte..start.byte,
        excerpt: None,
        finding: finding.clone(),
    };
    let placed = place(text, start, vec![finding]).pop().unwrap_or(byte);
    Instance { file: Arc::clone(file), placed }
}

fn to_json(tally: &Tally, flags: &[Flag]) -> Value {
    let share = |(all, some): (usize, usize)| (all > 0).then(|| rounded(some as f64 / all as f64));
    json!({
        "transcripts": tally.transcripts, "replies": tally.replies,
        "mean_ratio": tally.mean_ratio().map(rounded),
        "over_ratio_share": tally.over_share().map(rounded),
        "early_praise": share(tally.early), "late_praise": share(tally.late),
        "flags": flags.iter().map(Flag::to_json).collect::<Vec<_>>(),
    })
}

/// To three decimals.
fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}
