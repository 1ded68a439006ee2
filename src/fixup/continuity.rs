//! Lexical continuity: does what the user's next message picks up from a reply
//! survive a rewrite of that reply? (SPEC 7.3, first layer)
//!
//! Only what the reply itself brought into the conversation counts: a word the
//! user had used before needs no reply to be used again.
//!
//! Invariant: pure and explained. Every break names words of the next message and
//! what they hang on. It errs on the side of refusing: a good rewrite that is
//! refused costs another draft, a bad one that passes costs the data.
//!
//! Deliberately absent: meaning. Whether the next message *makes sense* is asked
//! of judges; this layer only catches what words can show.

use std::collections::HashSet;

use super::questions::{self, Asks};
use super::words::{Word, number, words};
use crate::assessment::evidence;
use crate::text::Span;

/// One way in which the next message no longer follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Break {
    /// What kind of link is broken.
    pub link: Link,
    /// The words of the next message that hang in the air.
    pub next: Span,
    /// One sentence for people.
    pub message: String,
}

/// What the next message takes from the reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// Words in quotation marks.
    Quote,
    /// A number.
    Number,
    /// A name.
    Name,
    /// A term.
    Term,
    /// It answers the reply's question.
    Answer,
    /// It picks one of the reply's alternatives.
    Choice,
    /// It takes up the reply's suggestion.
    Suggestion,
}

/// A reply in its place.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// Everything the user said up to and including the message the reply answers.
    pub before: &'a str,
    /// The reply.
    pub reply: &'a str,
    /// The user's next message.
    pub next: &'a str,
}

/// Every link from the next message to the reply that the rewrite breaks.
#[must_use]
pub fn breaks(place: Place<'_>, rewrite: &str) -> Vec<Break> {
    let links = Links::new(place, rewrite);
    let mut broken = links.quotes();
    broken.extend(links.numbers());
    broken.extend(links.names());
    broken.extend(links.terms());
    broken.extend(links.choice());
    broken.extend(links.answer());
    broken.extend(links.suggestion());
    // One word is one break, named by the most telling link.
    let mut seen: Vec<Span> = Vec::new();
    broken.retain(|b| {
        let new = !seen.iter().any(|s| s.start < b.next.end && b.next.start < s.end);
        seen.push(b.next);
        new
    });
    broken
}

struct Links<'a> {
    place: Place<'a>,
    rewrite: &'a str,
    next: Vec<Word>,
    known: HashSet<String>,
    reply: HashSet<String>,
    kept: HashSet<String>,
}

fn stems(text: &str) -> HashSet<String> {
    words(text).into_iter().filter(|w| w.content).map(|w| w.stem).collect()
}

impl<'a> Links<'a> {
    fn new(place: Place<'a>, rewrite: &'a str) -> Self {
        Self {
            place,
            rewrite,
            next: words(place.next),
            known: stems(place.before),
            reply: stems(place.reply),
            kept: stems(rewrite),
        }
    }

    fn said(&self, span: Span) -> &'a str {
        span.of(self.place.next)
    }

    /// Quoted words that stand in the reply must stand in the rewrite.
    fn quotes(&self) -> Vec<Break> {
        let quoted = quoted(self.place.next).into_iter().filter(|span| {
            let text = span.of(self.place.next);
            // A word that the reply put in quotes is the reply's, whoever said it before.
            let marked = quoted(self.place.reply).iter().any(|s| s.of(self.place.reply) == text);
            evidence::find(self.place.reply, text).is_some()
                && (marked || evidence::find(self.place.before, text).is_none())
                && evidence::find(self.rewrite, text).is_none()
        });
        let message = |span: Span| {
            let text = span.of(self.place.next);
            format!("the user's next message quotes “{text}”, which only your reply said")
        };
        quoted.map(|span| Break { link: Link::Quote, next: span, message: message(span) }).collect()
    }

    /// Numbers that the reply brought in.
    fn numbers(&self) -> Vec<Break> {
        let all = |text: &str| -> HashSet<u32> {
            words(text).iter().filter_map(|w| number(w.span.of(text))).collect()
        };
        let (known, reply, kept) =
            (all(self.place.before), all(self.place.reply), all(self.rewrite));
        // A number that answers "how long?" is the user's own.
        let own = self.answered().filter(|(_, asks)| *asks == Asks::HowMuch).map(|(span, _)| span);
        let lost = |word: &&Word| {
            if own.is_some_and(|own| own.start <= word.span.start && word.span.end <= own.end) {
                return false;
            }
            let found = number(self.said(word.span));
            found.is_some_and(|n| reply.contains(&n) && !known.contains(&n) && !kept.contains(&n))
        };
        self.next.iter().filter(lost).map(|w| self.lost(Link::Number, w.span)).collect()
    }

    /// Names: capitals inside a sentence, that the reply brought in.
    fn names(&self) -> Vec<Break> {
        let capital_in_reply = |stem: &str| {
            words(self.place.reply).iter().any(|w| w.stem == stem && w.capital && !w.first)
        };
        let is_name = |w: &&Word| w.capital && w.content && capital_in_reply(&w.stem);
        let names = self.next.iter().filter(is_name).filter(|w| self.is_lost(w));
        names.map(|w| self.lost(Link::Name, w.span)).collect()
    }

    /// Terms that the reply brought in. One that is pointed at ("the breathing
    /// thing", "your lists") must survive; of the others, one is enough.
    fn terms(&self) -> Vec<Break> {
        let brought = |w: &&Word| {
            let text = self.said(w.span);
            let counted = number(text).is_none();
            counted && w.content && self.reply.contains(&w.stem) && !self.known.contains(&w.stem)
        };
        let all: Vec<&Word> = self.next.iter().filter(brought).collect();
        let survives = all.iter().any(|w| self.kept.contains(&w.stem));
        let lost = all.into_iter().filter(|w| self.is_lost(w));
        let lost = lost.filter(|w| !survives || self.is_pointed_at(w) || self.is_technical(w));
        lost.map(|w| self.lost(Link::Term, self.phrase(w))).collect()
    }

    fn is_lost(&self, word: &Word) -> bool {
        self.reply.contains(&word.stem)
            && !self.known.contains(&word.stem)
            && !self.kept.contains(&word.stem)
    }

    /// A determiner stands before it, with at most one word between.
    fn is_pointed_at(&self, word: &Word) -> bool {
        let at = self.next.iter().position(|w| w.span == word.span).unwrap_or(0);
        self.next[at.saturating_sub(2)..at].iter().any(|w| {
            let text = self.said(w.span).to_lowercase();
            POINTING.contains(&text.as_str())
        })
    }

    /// It is a part of a name such as `pkg-config` or `utf_8`: no other word will do.
    fn is_technical(&self, word: &Word) -> bool {
        let (next, span) = (self.place.next.as_bytes(), word.span);
        let joins = |at: Option<usize>| {
            at.and_then(|at| next.get(at)).is_some_and(|b| b"-_/.:".contains(b))
        };
        let letter = |at: Option<usize>| {
            at.and_then(|at| next.get(at)).is_some_and(u8::is_ascii_alphanumeric)
        };
        joins(span.start.checked_sub(1)) && letter(span.start.checked_sub(2))
            || joins(Some(span.end)) && letter(Some(span.end + 1))
    }

    /// Which question of the reply the next message answers, and with which words.
    fn answered(&self) -> Option<(Span, Asks)> {
        questions::answered(self.place.next, &self.next, &questions::asked(self.place.reply))
    }

    /// The word with the determiner before it and a filler noun behind it.
    fn phrase(&self, word: &Word) -> Span {
        let at = self.next.iter().position(|w| w.span == word.span).unwrap_or(0);
        let is = |index: Option<usize>, list: &[&str]| {
            let word = index.and_then(|i| self.next.get(i));
            word.filter(|w| list.contains(&self.said(w.span).to_lowercase().as_str()))
        };
        let before = is(at.checked_sub(1), POINTING);
        let behind =
            is(Some(at + 1), &["thing", "things", "idea", "exercise", "part", "trick", "one"]);
        Span::new(
            before.map_or(word.span.start, |w| w.span.start),
            behind.map_or(word.span.end, |w| w.span.end),
        )
    }

    fn lost(&self, link: Link, span: Span) -> Break {
        let text = self.said(span);
        let message =
            format!("the user's next message says “{text}”, which only your reply introduced");
        Break { link, next: span, message }
    }

    /// The next message picks one of several alternatives.
    fn choice(&self) -> Option<Break> {
        let (span, wanted) = questions::choice(self.place.next, &self.next)?;
        let offered = |text: &str| questions::alternatives(text);
        let enough = offered(self.rewrite) >= wanted || offered(self.place.reply) < wanted;
        let text = self.said(span);
        (!enough).then(|| Break {
            link: Link::Choice,
            next: span,
            message: format!(
                "the user's next message says “{text}”, and the rewrite no longer offers {wanted} things"
            ),
        })
    }

    /// The next message answers a question of the reply.
    fn answer(&self) -> Option<Break> {
        let asked = questions::asked(self.place.reply);
        let (span, kind) = self.answered()?;
        let still = questions::asked(self.rewrite);
        let mut originals = asked.iter().filter(|q| q.asks == kind);
        let survives = originals.clone().any(|q| still.iter().any(|s| q.is_asked_by(s)));
        let question = originals.next_back().map(|q| q.text.as_str()).unwrap_or_default();
        let text = self.said(span);
        (!survives).then(|| Break {
            link: Link::Answer,
            next: span,
            message: format!(
                "the user's next message answers “{question}” (“{text}”), which the rewrite no longer asks"
            ),
        })
    }

    /// The next message takes up a suggestion without naming it.
    fn suggestion(&self) -> Option<Break> {
        let span = questions::takes_up(self.place.next)?;
        let suggested: HashSet<String> = questions::suggestions(self.place.reply)
            .iter()
            .flat_map(|sentence| stems(sentence))
            .filter(|stem| !self.known.contains(stem))
            .collect();
        let common = suggested.intersection(&self.kept).count();
        let survives = common * 4 >= suggested.len();
        let text = self.said(span);
        (!survives).then(|| Break {
            link: Link::Suggestion,
            next: span,
            message: format!(
                "the user's next message takes up your suggestion (“{text}”), and the rewrite makes another or none"
            ),
        })
    }
}

const POINTING: &[&str] = &[
    "the", "that", "those", "these", "this", "your", "both", "no", "das", "der", "die", "den",
    "el", "la", "los", "las", "le", "les",
];

/// What stands in quotation marks, without them.
fn quoted(text: &str) -> Vec<Span> {
    let mut spans = Vec::new();
    let mut open: Option<(usize, char)> = None;
    for (at, ch) in text.char_indices() {
        open = match (open, ch) {
            (None, '"' | '“' | '„' | '«' | '「') => Some((at + ch.len_utf8(), ch)),
            (Some((start, '"')), '"')
            | (Some((start, '“' | '„')), '”' | '“')
            | (Some((start, '«')), '»')
            | (Some((start, '「')), '」') => {
                spans.push(Span::new(start, at));
                None
            }
            (open, _) => open,
        };
    }
    spans.retain(|span| !span.of(text).trim().is_empty());
    spans
}
