//! An audit of files: every record looked at twice, on all cores, and the places of
//! what is flagged read once more.
//!
//! Invariant: nobody is asked and nothing is written; what is remembered of the
//! files does not grow with their texts, but by some 300 bytes a transcript.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use xxhash_rust::xxh3::xxh3_128;

use super::disk::DiskError;
use super::generate::{PERSONA_TEMPLATE, TAXONOMY};
use super::scan::{Seen, Source, scan};
use super::workspace::read_text;
use crate::analysis::context::Memo;
use crate::analysis::place::{Placed, Start, place};
use crate::audit::alike::{self, Shingles, Signature};
use crate::audit::look::{First, Second};
use crate::audit::{Flag, Found, Looker, Mined, Share, Sketch, Targets, Twins, flags};
use crate::config::{Audit, Limits, Settings};
use crate::finding::{Finding, Severity};
use crate::generate;
use crate::text::{Span, json as spans};
use crate::transcript::read;

/// What an audit found.
#[derive(Debug)]
pub struct Audited {
    /// Counts of all records.
    pub found: Found<Spot>,
    /// What records say of how they were made, beside what was asked for.
    pub mix: Vec<Share>,
    /// What is wrong.
    pub flags: Vec<Flag<Instance>>,
}

/// A place that a flag is about.
#[derive(Clone, Debug)]
pub struct Instance {
    /// Which of the sources it is in.
    pub source: usize,
    /// A hash of the text of its record.
    pub record: u128,
    /// The flag as a finding, whose span counts from the record, and where it stands.
    pub placed: Placed,
}

/// A place before its record is read again.
#[derive(Clone, Debug)]
pub struct Spot {
    source: usize,
    start: Start,
    /// The record, in bytes of the file.
    record: Span,
    /// The words, in bytes of the record.
    span: Span,
    exchange: Option<u32>,
    transcript: Arc<str>,
}

/// A transcript, as far as near-duplicates need it.
struct Known {
    spot: Spot,
    signature: Signature,
}

/// What the first look at all records found.
type FirstLook = (Found<Spot>, Vec<Known>);

impl AsRef<Signature> for Known {
    fn as_ref(&self) -> &Signature {
        &self.signature
    }
}

/// Who looks on while an audit runs.
pub struct Watch<'a> {
    /// Says that nobody wants the audit any more.
    pub stop: &'a (dyn Fn() -> bool + Sync),
    /// Is told the share of the work that is done, from 0 to 1, with every few records.
    pub tell: &'a (dyn Fn(f64) + Sync),
}

/// What transcripts of a project are asked to be like: what its persona template and
/// its taxonomy say, where they are there, else the workflow's numbers.
#[must_use]
pub fn targets(root: Option<&Path>) -> Targets {
    let text = |name: &str| root.and_then(|root| read_text(&root.join(name)).ok());
    let (Some(template), Some(taxonomy)) = (text(PERSONA_TEMPLATE), text(TAXONOMY)) else {
        return Targets::default();
    };
    let recipe = generate::read(&template, &taxonomy).recipe;
    let shares = |choices: &mut dyn Iterator<Item = (&str, f64)>| -> Vec<(String, f64)> {
        let all: Vec<(&str, f64)> = choices.collect();
        let sum: f64 = all.iter().map(|(_, weight)| weight).sum();
        let share = |(name, weight): (&str, f64)| (name.to_owned(), weight / sum);
        if sum > 0.0 { all.into_iter().map(share).collect() } else { Vec::new() }
    };
    // Where an attribute shifts the weights of styles, they say nothing of all personas.
    let shifted = recipe.styles.iter().any(|style| !style.when.is_empty());
    let styles = recipe.styles.iter().filter(|_| !shifted);
    Targets {
        styles: shares(&mut styles.map(|s| (s.choice.name.as_str(), s.choice.weight))),
        responses: shares(&mut recipe.responses.iter().map(|r| (r.name.as_str(), r.weight))),
        flawless: recipe.flaws.none_share,
        primary: recipe.flaws.primary,
        secondary: recipe.flaws.secondary,
        edge_cases: recipe.edge_share,
    }
}

/// Audits the files of one project, whose transcripts are asked to be like `targets`;
/// `None` when it was stopped.
///
/// # Errors
/// When one of them cannot be read.
pub fn audit(
    settings: &Settings,
    targets: &Targets,
    sources: &[Source],
    watch: &Watch<'_>,
) -> Result<Option<Audited>, DiskError> {
    let audit = Work {
        rules: &settings.audit,
        limits: &settings.limits,
        looker: Looker::of(&settings.audit, settings.limits.depth),
        sketch: Sketch::default(),
        sources,
        watch,
        bytes: sources.iter().map(Source::size).sum::<u64>().max(1),
    };
    let Some((found, known)) = audit.first_look()? else { return Ok(None) };
    let Some(mined) = audit.second_look(found.tally.replies)? else { return Ok(None) };
    let Some(twins) = audit.twins(&known)? else { return Ok(None) };
    drop(known);
    let flags = flags::flags(&settings.audit, &found, mined, twins);
    let flags = audit.placed(flags)?;
    let mix = found.mix.shares(targets);
    Ok(Some(Audited { found, mix, flags }))
}

/// What an audit works with.
struct Work<'a> {
    rules: &'a Audit,
    limits: &'a Limits,
    looker: Looker,
    sketch: Sketch,
    sources: &'a [Source],
    watch: &'a Watch<'a>,
    /// Of all sources.
    bytes: u64,
}

impl Work<'_> {
    /// Counts what adds up, and fills the sketch.
    fn first_look(&self) -> Result<Option<FirstLook>, DiskError> {
        let mut found = Found::new(self.rules.phrases.len());
        let mut known = Vec::new();
        let look = |record: &str| self.looker.first(record, &self.sketch);
        let went_on = self.each(0.0, look, |source, seen: Seen<'_, Option<First>>| {
            let Ok(Some(first)) = seen.analysis else { return found.unread += 1 };
            let place = Place::of(source, seen.start, seen.text.bytes(), &first.id);
            found.take(&first, |span, exchange| place.spot(span, exchange));
            // The first character of its record.
            let spot = place.spot(Span::new(0, 1), None);
            known.push(Known { spot, signature: first.signature });
        })?;
        Ok(went_on.then_some((found, known)))
    }

    /// Counts exactly what the sketch leaves possible.
    fn second_look(&self, replies: usize) -> Result<Option<Mined<Spot>>, DiskError> {
        let least = flags::least(self.rules.overused_share.min(self.rules.phrase_share), replies);
        let (mut mined, mut number) = (Mined::default(), 0);
        let look = |record: &str| self.looker.second(record, &self.sketch, least);
        let went_on = self.each(0.5, look, |source, seen: Seen<'_, Option<Second>>| {
            let Ok(Some(Second { id, replies, asked })) = seen.analysis else { return };
            number += 1;
            asked.iter().for_each(|feature| mined.asked(feature));
            let place = Place::of(source, seen.start, seen.text.bytes(), &id);
            for one in replies {
                let spot = || place.spot(one.span, Some(one.exchange));
                mined.reply(&one.feature, number, &one.said, spot);
            }
        })?;
        Ok(went_on.then_some(mined))
    }

    /// Hands out what `look` sees in every record, with the number of its source;
    /// false when it was stopped. `from`: the share of the work done before.
    fn each<T: Send>(
        &self,
        from: f64,
        look: impl Fn(&str) -> Option<T> + Sync,
        mut take: impl FnMut(usize, Seen<'_, Option<T>>),
    ) -> Result<bool, DiskError> {
        let mut bytes = 0;
        for (number, source) in self.sources.iter().enumerate() {
            // What is not wanted any more is read to its end, but not looked at.
            let look = |record: &str, _: &mut Memo| {
                if (self.watch.stop)() { None } else { look(record) }
            };
            scan(source, self.limits, &mut Vec::new(), look, |seen| {
                bytes += seen.text.bytes() as u64;
                (self.watch.tell)(from + bytes as f64 / self.bytes as f64 / 2.0);
                take(number, seen);
            })?;
            if (self.watch.stop)() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Verifies the pairs that may be nearly the same.
    fn twins(&self, known: &[Known]) -> Result<Option<Vec<Twins<Spot>>>, DiskError> {
        let mut twins = Vec::new();
        let mut last: Option<(usize, Shingles)> = None;
        for (one, other) in alike::candidates(known, self.rules.similarity) {
            if (self.watch.stop)() {
                return Ok(None);
            }
            let own = match last.take() {
                Some((at, shingles)) if at == one => shingles,
                _ => self.shingles(&known[one].spot)?,
            };
            let likeness = alike::likeness(&own, &self.shingles(&known[other].spot)?);
            last = Some((one, own));
            if likeness >= self.rules.similarity {
                let pair = [&known[one].spot, &known[other].spot];
                let ids = pair.map(|spot| Arc::clone(&spot.transcript));
                twins.push(Twins { likeness, ids, instances: pair.map(Spot::clone).to_vec() });
            }
        }
        Ok(Some(twins))
    }

    fn shingles(&self, spot: &Spot) -> Result<Shingles, DiskError> {
        let mut shingles = Shingles::default();
        self.sources[spot.source].reread(&[spot.record], self.limits, |record| {
            let json = spans::parse(record, self.limits.depth);
            if let Ok(transcript) = read(record, &json).transcript {
                shingles = alike::shingles(&transcript);
            }
        })?;
        Ok(shingles)
    }

    /// Reads the records of all places again, each once, and makes findings of them.
    fn placed(&self, flags: Vec<Flag<Spot>>) -> Result<Vec<Flag<Instance>>, DiskError> {
        let mut wanted: BTreeMap<(usize, Span), Vec<(usize, usize)>> = BTreeMap::new();
        for (number, flag) in flags.iter().enumerate() {
            for (place, spot) in flag.instances.iter().enumerate() {
                wanted.entry((spot.source, spot.record)).or_default().push((number, place));
            }
        }
        let mut instances: BTreeMap<(usize, usize), Instance> = BTreeMap::new();
        for (source, from) in self.sources.iter().enumerate() {
            let whole = (source, Span::empty(0))..(source + 1, Span::empty(0));
            let of_source: Vec<_> = wanted.range(whole).collect();
            let records: Vec<Span> = of_source.iter().map(|((_, record), _)| *record).collect();
            let mut places = of_source.iter();
            from.reread(&records, self.limits, |text| {
                for &(number, place) in places.next().iter().flat_map(|(_, places)| places.iter()) {
                    let instance = flags[number].instances[place].instance(text, &flags[number]);
                    instances.insert((number, place), instance);
                }
            })?;
        }
        let mut all = instances.into_iter().peekable();
        let placed = flags.into_iter().enumerate().map(|(number, flag)| {
            let mut own = Vec::new();
            while let Some((_, instance)) = all.next_if(|((flag, _), _)| *flag == number) {
                own.push(instance);
            }
            flag.with(own)
        });
        Ok(placed.collect())
    }
}

/// A record, as places in it need it.
struct Place<'a> {
    source: usize,
    start: Start,
    record: Span,
    transcript: &'a Arc<str>,
}

impl<'a> Place<'a> {
    fn of(source: usize, start: Start, bytes: usize, transcript: &'a Arc<str>) -> Self {
        let byte = usize::try_from(start.byte).unwrap_or(usize::MAX);
        let record = Span::new(byte, byte.saturating_add(bytes));
        Self { source, start, record, transcript }
    }

    fn spot(&self, span: Span, exchange: Option<u32>) -> Spot {
        let Self { source, start, record, transcript } = *self;
        Spot { source, start, record, span, exchange, transcript: Arc::clone(transcript) }
    }
}

impl Spot {
    /// The flag as a finding at this place of the record `text`.
    fn instance(&self, text: &str, flag: &Flag<Self>) -> Instance {
        let finding = Finding {
            transcript: Some(Arc::clone(&self.transcript)),
            exchange: self.exchange,
            ..Finding::new(flag.code(), Severity::Warning, self.span, flag.message.clone())
        };
        let Start { byte, line, column } = self.start;
        // What is not there any more is said of where its record was.
        let gone = Placed {
            from: (line, column),
            to: (line, column),
            bytes: byte..byte,
            excerpt: None,
            finding: finding.clone(),
        };
        let placed = place(text, self.start, vec![finding]).pop().unwrap_or(gone);
        Instance { source: self.source, record: xxh3_128(text.as_bytes()), placed }
    }
}
