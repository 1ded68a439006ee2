//! What replies have in common: phrases, first words, last words.
//!
//! Counting every phrase of a data set exactly would take memory without end, so
//! it is done in two looks. The first counts hashes in a fixed table, in which a
//! count can only come out too high; the second counts exactly, and only what the
//! table leaves possible. So no phrase over a threshold is missed, and every count
//! that is shown is exact.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};

use super::words::{Word, folded, mix, run};
use crate::text::Span;

/// Words of the shortest and the longest phrase.
const PHRASE: std::ops::RangeInclusive<usize> = 3..=6;
/// Words that a reply begins with.
const OPENER: usize = 3;
/// Words that a reply ends with.
const ENDING: usize = 4;

/// What of a reply is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// A run of words inside a sentence.
    Phrase,
    /// The first words.
    Opener,
    /// The last words.
    Ending,
}

/// One thing a text has, at its first place in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Feature {
    /// What it says, with its kind.
    pub hash: u64,
    /// Which kind.
    pub kind: Kind,
    /// Where it stands.
    pub span: Span,
    /// How many words it has.
    pub words: usize,
}

/// What a reply has, each thing once.
#[must_use]
pub fn features(words: &[Word]) -> Vec<Feature> {
    let mut features = phrases(words);
    let mut edge = |kind: Kind, run_of: Option<&[Word]>| {
        if let Some(feature) = run_of.and_then(|words| feature(kind, words)) {
            features.push(feature);
        }
    };
    edge(Kind::Opener, words.get(..OPENER));
    edge(Kind::Ending, words.len().checked_sub(ENDING).map(|at| &words[at..]));
    features.sort_unstable_by_key(|f| (f.hash, f.span.start));
    features.dedup_by_key(|f| f.hash);
    features
}

/// The phrases of a text, each place of each.
fn phrases(words: &[Word]) -> Vec<Feature> {
    let mut all = Vec::with_capacity(words.len() * 4);
    for size in PHRASE {
        // No phrase runs on into the next sentence.
        let inside = |run: &&[Word]| run[1..].iter().all(|word| !word.begins);
        let of = |run: &[Word]| feature(Kind::Phrase, run);
        all.extend(words.windows(size).filter(inside).filter_map(of));
    }
    all
}

fn feature(kind: Kind, words: &[Word]) -> Option<Feature> {
    let (first, last) = (words.first()?, words.last()?);
    let hash = mix(run(words) ^ kind as u64);
    Some(Feature {
        hash,
        kind,
        span: Span::new(first.span.start, last.span.end),
        words: words.len(),
    })
}

/// Counts that can only come out too high, in a table of fixed size.
#[derive(Debug)]
pub struct Sketch(Box<[AtomicU32]>);

/// Counters of a sketch: 16 MB.
const COUNTERS: usize = 1 << 22;

impl Default for Sketch {
    fn default() -> Self {
        Self(std::iter::repeat_with(AtomicU32::default).take(COUNTERS).collect())
    }
}

impl Sketch {
    /// Counts what one text has; many threads may at once.
    pub fn add(&self, features: &[Feature]) {
        for feature in features {
            self.counter(feature.hash).fetch_add(1, Ordering::Relaxed);
        }
    }

    /// At least as many texts as have it.
    #[must_use]
    pub fn at_most(&self, feature: &Feature) -> u32 {
        self.counter(feature.hash).load(Ordering::Relaxed)
    }

    fn counter(&self, hash: u64) -> &AtomicU32 {
        &self.0[(hash >> 42) as usize % COUNTERS]
    }
}

/// Instances that are kept of one thing.
const INSTANCES: usize = 20;

/// One thing that many replies have, counted exactly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Common<P> {
    /// Which kind.
    pub kind: Kind,
    /// What it says, as [`folded`] has it.
    pub text: String,
    /// As it is written in the first reply that has it.
    pub said: String,
    /// Its words.
    pub words: usize,
    /// Replies that have it.
    pub replies: usize,
    /// User's texts that have it.
    pub asked: usize,
    /// Transcripts that have it.
    pub transcripts: usize,
    /// Where it stands, the first of them.
    pub instances: Vec<P>,
    last: usize,
}

/// The exact counts of what the sketch left possible.
#[derive(Clone, Debug)]
pub struct Mined<P> {
    found: HashMap<u64, Common<P>>,
}

impl<P> Default for Mined<P> {
    fn default() -> Self {
        Self { found: HashMap::new() }
    }
}

impl<P> Mined<P> {
    /// Counts a thing that a reply of transcript `number` has.
    pub fn reply(
        &mut self,
        feature: &Feature,
        number: usize,
        said: &str,
        instance: impl FnOnce() -> P,
    ) {
        let one = self.entry(feature);
        if one.replies == 0 {
            one.text = folded(said);
            one.said = said.to_owned();
        }
        one.replies += 1;
        one.transcripts += usize::from(one.last != number);
        one.last = number;
        if one.instances.len() < INSTANCES {
            one.instances.push(instance());
        }
    }

    /// Counts a thing that a user's text has.
    pub fn asked(&mut self, feature: &Feature) {
        self.entry(feature).asked += 1;
    }

    fn entry(&mut self, feature: &Feature) -> &mut Common<P> {
        self.found.entry(feature.hash).or_insert_with(|| Common {
            kind: feature.kind,
            text: String::new(),
            said: String::new(),
            words: feature.words,
            replies: 0,
            asked: 0,
            transcripts: 0,
            instances: Vec::new(),
            last: usize::MAX,
        })
    }

    /// What `keep` keeps, most frequent first; a phrase inside a longer one that is
    /// nearly as frequent is left to the longer one.
    pub fn common(self, keep: impl Fn(&Common<P>) -> bool) -> Vec<Common<P>> {
        let mut all: Vec<Common<P>> = self.found.into_values().filter(|c| keep(c)).collect();
        all.sort_by(|a, b| (b.words, b.replies, &a.text).cmp(&(a.words, a.replies, &b.text)));
        let mut kept: Vec<Common<P>> = Vec::new();
        // Of every run of words inside what is kept, how frequent the whole is at most.
        let mut inside: HashMap<(Kind, String), usize> = HashMap::new();
        for one in all {
            let whole = inside.get(&(one.kind, one.text.clone())).copied().unwrap_or(0);
            if whole == 0 || whole * 5 < one.replies * 4 {
                for part in parts(&one.text) {
                    let most = inside.entry((one.kind, part.to_owned())).or_default();
                    *most = one.replies.max(*most);
                }
                kept.push(one);
            }
        }
        kept.sort_by(|a, b| (b.replies, a.kind, &a.text).cmp(&(a.replies, b.kind, &b.text)));
        kept
    }
}

/// Every run of words inside a folded text that is shorter than the text.
fn parts(text: &str) -> Vec<&str> {
    let spaces = || text.match_indices(' ').map(|(at, _)| at);
    let starts: Vec<usize> = std::iter::once(0).chain(spaces().map(|at| at + 1)).collect();
    let ends: Vec<usize> = spaces().chain([text.len()]).collect();
    let all = starts.iter().flat_map(|start| ends.iter().map(move |end| (*start, *end)));
    let shorter = all.filter(|(start, end)| start < end && end - start < text.len());
    shorter.map(|(start, end)| &text[start..end]).collect()
}

#[cfg(test)]
mod tests {
    use super::super::words::words;
    use super::*;

    fn mine(replies: &[&str], asked: &[&str], least: usize) -> Vec<String> {
        let sketch = Sketch::default();
        replies.iter().for_each(|text| sketch.add(&features(&words(text))));
        let mut mined = Mined::default();
        for (number, text) in replies.iter().enumerate() {
            let possible = |f: &&Feature| sketch.at_most(f) as usize >= least;
            for f in features(&words(text)).iter().filter(possible) {
                mined.reply(f, number, f.span.of(text), || number);
            }
        }
        for text in asked {
            features(&words(text)).iter().for_each(|f| mined.asked(f));
        }
        let common = mined.common(|c| c.replies >= least);
        common
            .iter()
            .map(|c| format!("{:?} {} x{} asked {}", c.kind, c.text, c.replies, c.asked))
            .collect()
    }

    #[test]
    fn the_longest_phrase_stands_for_its_parts() {
        let replies = [
            "Well: I hear how heavy this is. Pears are fine.",
            "So, I HEAR how heavy this is!",
            "Maybe “I hear how heavy this is”, maybe not.",
            "Nothing of the kind here.",
        ];
        let asked = ["you say: I hear how heavy this is?"];
        assert_eq!(mine(&replies, &asked, 3), ["Phrase i hear how heavy this is x3 asked 1"]);
    }

    #[test]
    fn first_and_last_words_are_counted_apart() {
        let replies =
            ["That makes sense. One two three four", "That makes sense, one. Two three four"];
        assert_eq!(
            mine(&replies, &[], 2),
            [
                "Phrase that makes sense x2 asked 0",
                "Phrase two three four x2 asked 0",
                "Opener that makes sense x2 asked 0",
                "Ending one two three four x2 asked 0"
            ]
        );
    }

    #[test]
    fn a_text_counts_once() {
        assert_eq!(mine(&["a b c. a b c. a b c"], &[], 2), [""; 0]);
    }
}
