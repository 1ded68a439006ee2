//! What one record is looked at for, on whatever thread is free.
//!
//! Invariant: what is found depends on the record and the settings alone; spans
//! count from the record's first byte.

use std::sync::Arc;

use super::alike::{Signature, shingles};
use super::habits::{Phrases, Tally};
use super::mined::{Feature, Kind, Sketch, features};
use super::mix::Mix;
use super::words::words;
use crate::config::Audit;
use crate::text::{Span, json};
use crate::transcript::{Exchange, Transcript, read};

/// How records are looked at.
#[derive(Clone, Debug)]
pub struct Looker {
    phrases: Phrases,
    praise: Phrases,
    headers: usize,
    depth: usize,
}

/// What the first look at a record found.
#[derive(Clone, Debug)]
pub struct First {
    /// The transcript's id.
    pub id: Arc<str>,
    /// What adds up.
    pub tally: Tally,
    /// What it says of how it was made.
    pub mix: Mix,
    /// For near-duplicates.
    pub signature: Signature,
    /// Phrases asked for: which, where first in a reply, in which exchange.
    pub phrases: Vec<(usize, Span, u32)>,
    /// The reply that is longest for what was asked, if over twice as long.
    pub longest: Option<(f64, Span, u32)>,
    /// The first late reply that praises.
    pub late_praise: Option<(Span, u32)>,
    /// The first reply, where all are cut after one pattern.
    pub rigid: Option<Span>,
}

/// What the second look at a record found.
#[derive(Clone, Debug)]
pub struct Second {
    /// The transcript's id.
    pub id: Arc<str>,
    /// What its replies have that may be frequent.
    pub replies: Vec<Has>,
    /// What the user's texts have of it.
    pub asked: Vec<Feature>,
}

/// Something that a reply has.
#[derive(Clone, Debug)]
pub struct Has {
    /// What.
    pub feature: Feature,
    /// What it says, as it is written.
    pub said: String,
    /// Where, in the record.
    pub span: Span,
    /// In which exchange.
    pub exchange: u32,
}

impl Looker {
    /// Looks for what these settings name.
    #[must_use]
    pub fn of(rules: &Audit, depth: usize) -> Self {
        Self {
            phrases: Phrases::of(&rules.phrases),
            praise: Phrases::of(&rules.praise),
            headers: rules.headers,
            depth,
        }
    }

    /// Counts a record, and adds what its replies have to the sketch.
    #[must_use]
    pub fn first(&self, record: &str, sketch: &Sketch) -> Option<First> {
        let json = json::parse(record, self.depth);
        let transcript = transcript(record, &json)?;
        let mut mix = Mix::default();
        json.root(record).into_iter().for_each(|root| mix.add(root));
        let mut tally = Tally::default();
        let (seen, is_rigid) = tally.add(&transcript, self.headers, &self.praise);
        let mut phrases = Vec::new();
        for exchange in &transcript.exchanges {
            let has = of_exchange(&transcript, transcript.reply_messages(exchange));
            let only: Vec<Feature> = has.iter().map(|(feature, _)| *feature).collect();
            sketch.add(&only);
            self.asked_for(record, &transcript, exchange, &mut phrases);
        }
        let reply = |number: u32| {
            let exchange = transcript.exchanges.iter().find(|e| e.number == number)?;
            let message = transcript.reply_messages(exchange).next()?;
            Some(transcript.messages[message].text_source())
        };
        let longest = seen.iter().max_by(|a, b| a.ratio.total_cmp(&b.ratio));
        let longest = longest.filter(|one| one.ratio > 2.0);
        let late = seen.iter().find(|one| one.is_late && one.praises);
        Some(First {
            signature: Signature::of(&shingles(&transcript)),
            phrases,
            longest: longest.and_then(|one| Some((one.ratio, reply(one.number)?, one.number))),
            late_praise: late.and_then(|one| Some((reply(one.number)?, one.number))),
            rigid: seen.first().filter(|_| is_rigid).and_then(|one| reply(one.number)),
            tally,
            mix,
            id: transcript.id.into(),
        })
    }

    /// Gathers what may be in `least` replies or more.
    #[must_use]
    pub fn second(&self, record: &str, sketch: &Sketch, least: usize) -> Option<Second> {
        let transcript = transcript(record, &json::parse(record, self.depth))?;
        let possible = |f: &Feature| sketch.at_most(f) as usize >= least;
        let (mut replies, mut asked) = (Vec::new(), Vec::new());
        for exchange in &transcript.exchanges {
            let mut has = of_exchange(&transcript, transcript.reply_messages(exchange));
            has.retain(|(feature, _)| possible(feature));
            has.sort_by_key(|(_, message)| *message);
            for own in has.chunk_by(|(_, one), (_, other)| one == other) {
                let message = &transcript.messages[own[0].1];
                let source_of = message.sources(record);
                replies.extend(own.iter().map(|(feature, _)| Has {
                    feature: *feature,
                    said: feature.span.of(&message.text).to_owned(),
                    span: source_of(feature.span),
                    exchange: exchange.number,
                }));
            }
            let own = of_exchange(&transcript, exchange.user.iter().copied());
            asked.extend(own.into_iter().map(|(feature, _)| feature).filter(possible));
        }
        Some(Second { id: transcript.id.into(), replies, asked })
    }

    fn asked_for(
        &self,
        record: &str,
        transcript: &Transcript,
        exchange: &Exchange,
        found: &mut Vec<(usize, Span, u32)>,
    ) {
        let before = found.len();
        for message in transcript.reply_messages(exchange).map(|i| &transcript.messages[i]) {
            for (index, run) in self.phrases.found(&words(&message.text)) {
                let known = found[before..].iter().any(|(known, ..)| *known == index);
                if let (false, [first, .., last] | [first @ last]) = (known, run) {
                    let decoded = Span::new(first.span.start, last.span.end);
                    found.push((index, message.source_of(record, decoded), exchange.number));
                }
            }
        }
    }
}

fn transcript(record: &str, json: &json::Json) -> Option<Transcript> {
    read(record, json).transcript.ok().filter(|_| json.syntax_problem().is_none())
}

/// What some messages of an exchange have between them, each thing once, with the
/// index of the first message that has it. Only the first one opens, only the last
/// one ends.
fn of_exchange(
    transcript: &Transcript,
    messages: impl Iterator<Item = usize>,
) -> Vec<(Feature, usize)> {
    let spoken: Vec<usize> =
        messages.filter(|i| !transcript.messages[*i].text.trim().is_empty()).collect();
    let mut all: Vec<(Feature, usize)> = Vec::new();
    for &index in &spoken {
        let stays = |f: &Feature| match f.kind {
            Kind::Phrase => true,
            Kind::Opener => spoken.first() == Some(&index),
            Kind::Ending => spoken.last() == Some(&index),
        };
        let own = features(&words(&transcript.messages[index].text));
        all.extend(own.into_iter().filter(stays).map(|feature| (feature, index)));
    }
    if spoken.len() > 1 {
        all.sort_by_key(|(feature, index)| (feature.hash, *index));
        all.dedup_by_key(|(feature, _)| feature.hash);
    }
    all
}
