//! What a text asks, offers and suggests, and what a message answers, picks or
//! takes up: the links between two messages that no shared word shows.
//!
//! Invariant: what is found has a place in the text. English first; elsewhere
//! only marks and shared words are seen, and that is less, never wrong.

use std::collections::HashSet;

use super::words::{Word, number, words};
use crate::text::Span;

/// What a question asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asks {
    /// Yes or no.
    YesOrNo,
    /// A number, a time, a duration.
    HowMuch,
    /// A reason.
    Why,
    /// A thing, a person, a place, a way.
    What,
}

/// A question of a text.
#[derive(Clone, Debug)]
pub struct Question {
    /// The sentence.
    pub text: String,
    /// What it asks for.
    pub asks: Asks,
    /// The stems of its content words.
    pub stems: HashSet<String>,
}

impl Question {
    /// True when an answer to this question would answer the other one too.
    #[must_use]
    pub fn is_asked_by(&self, other: &Self) -> bool {
        let common = self.stems.intersection(&other.stems).count();
        let bare = self.stems.is_empty() || other.stems.is_empty();
        match self.asks == other.asks {
            true if self.asks == Asks::YesOrNo => bare || common > 0,
            true => true,
            // "Which comments do you agree with?", "Is there one you agree with?"
            false => common > 1,
        }
    }
}

/// Sentences with their ends.
fn sentences(text: &str) -> impl Iterator<Item = &str> {
    text.split_inclusive(['.', '!', '?', '？', '。', '\n']).map(str::trim).filter(|s| !s.is_empty())
}

/// The questions of a text.
#[must_use]
pub fn asked(text: &str) -> Vec<Question> {
    let questions = sentences(text).filter(|s| s.ends_with(['?', '？']));
    let question = |text: &str| {
        let content = words(text).into_iter().filter(|w| w.content).map(|w| w.stem).collect();
        Question { text: text.to_owned(), asks: asks(text), stems: content }
    };
    questions.map(question).collect()
}

/// What a question asks for: the question word that opens it, or a clause of it,
/// tells; an auxiliary in front means yes or no.
fn asks(question: &str) -> Asks {
    let folded = question.to_lowercase();
    for clause in folded.split([',', ':', ';', '\u{2013}', '\u{2014}']) {
        let mut clause = clause.trim_start();
        for link in ["and ", "but ", "so ", "or ", "then "] {
            clause = clause.strip_prefix(link).unwrap_or(clause);
        }
        let opens = |openers: &[&str]| openers.iter().any(|o| clause.starts_with(o));
        if opens(&["what if", "what about", "how about"]) || opens(AUXILIARIES) {
            return Asks::YesOrNo;
        }
        let asks = match () {
            () if opens(HOW_MUCH) => Asks::HowMuch,
            () if opens(&["why", "how come"]) => Asks::Why,
            // `When a craving comes, …` asks nothing yet.
            () if opens(&["when "]) => continue,
            () if opens(&["what", "which", "who", "where", "how", "in what", "in which"]) => {
                Asks::What
            }
            () => continue,
        };
        return asks;
    }
    Asks::YesOrNo
}

const AUXILIARIES: &[&str] = &[
    "do ", "does ", "did ", "is ", "are ", "was ", "were ", "has ", "have ", "had ", "can ",
    "could ", "would ", "will ", "should ", "may ", "shall ", "any ",
];
const HOW_MUCH: &[&str] = &[
    "how long",
    "how many",
    "how much",
    "how often",
    "how far",
    "how old",
    "how soon",
    "what time",
    "when did",
    "when do",
    "when does",
    "when is",
    "when was",
    "when will",
    "when are",
    "since when",
];

/// Which of these questions a message answers, and with which words.
#[must_use]
pub fn answered(next: &str, words: &[Word], asked: &[Question]) -> Option<(Span, Asks)> {
    let last = asked.last()?;
    let first = sentences(next).next()?;
    let start = first.as_ptr() as usize - next.as_ptr() as usize;
    let span = Span::new(start, start + first.len());
    if first.ends_with(['?', '？']) {
        return None;
    }
    let folded = format!("{} ", first.to_lowercase().replace('\u{2019}', "'"));
    let says = |openers: &[&str]| {
        openers.iter().any(|o| {
            folded.strip_prefix(o).is_some_and(|rest| !rest.starts_with(char::is_alphanumeric))
        })
    };
    let answers_yes_or_no = says(YES_OR_NO);
    if answers_yes_or_no && asked.iter().any(|q| q.asks == Asks::YesOrNo) {
        return Some((span, Asks::YesOrNo));
    }
    if says(CHANGES_SUBJECT) {
        return None;
    }
    let in_first = |w: &&Word| w.span.start < span.end;
    match last.asks {
        Asks::HowMuch => {
            let measured = words.iter().filter(in_first).any(|w| {
                let text = w.span.of(next).to_lowercase();
                number(&text).is_some() || MEASURES.contains(&text.as_str())
            });
            measured.then_some((span, Asks::HowMuch))
        }
        Asks::Why => says(&["because", "since", "it's just", "i guess because", "maybe because"])
            .then_some((span, Asks::Why)),
        // A fragment, or a clause that goes on from the question, answers it.
        Asks::What if is_fragment(&folded) => Some((span, Asks::What)),
        Asks::YesOrNo if says(&["not ", "we could", "i could", "i can't", "he ", "she "]) => {
            Some((span, Asks::YesOrNo))
        }
        Asks::What | Asks::YesOrNo => None,
    }
}

/// Without a main clause of its own.
fn is_fragment(folded: &str) -> bool {
    let opener = folded.split_whitespace().next().unwrap_or("");
    let opener = opener.trim_matches(|c: char| !c.is_alphanumeric() && c != '\'');
    FRAGMENTS.contains(&opener)
        || opener.ends_with("ing")
        || {
            let few = folded.split_whitespace().count() <= 6;
            few && !folded.split_whitespace().any(|w| CLAUSES.contains(&w))
        }
        || ANSWERING.iter().any(|a| folded.starts_with(a))
}

const FRAGMENTS: &[&str] = &[
    "that", "a", "an", "mostly", "probably", "maybe", "just", "the", "both", "neither", "he",
    "she", "they", "honestly",
];
const ANSWERING: &[&str] = &["i'd say ", "i think the ", "i noticed ", "i want to ", "i would "];
const CLAUSES: &[&str] =
    &["i", "i'm", "i've", "we", "you", "it's", "is", "are", "was", "do", "did", "know"];
const CHANGES_SUBJECT: &[&str] =
    &["anyway", "by the way", "btw", "actually, can", "thanks", "thank you", "ok,", "okay"];
const YES_OR_NO: &[&str] = &[
    "yes",
    "yeah",
    "yep",
    "yup",
    "no",
    "nope",
    "nah",
    "not really",
    "not yet",
    "not the",
    "not at all",
    "sure",
    "definitely",
    "maybe",
    "probably",
    "i guess",
    "i think so",
    "i don't think so",
    "kind of",
    "sort of",
    "sometimes",
    "never",
    "a little",
    "a bit",
    "of course",
    "we could",
    "i could",
    "i did",
    "i do",
    "i have",
    "i haven't",
    "i didn't",
    "it is",
    "it was",
    "he is",
    "she is",
    "claro",
    "sí",
    "ja",
    "nein",
    "oui",
    "non",
];
const MEASURES: &[&str] = &[
    "about",
    "around",
    "since",
    "hours",
    "minutes",
    "days",
    "weeks",
    "months",
    "years",
    "year",
    "month",
    "week",
    "day",
    "daily",
    "often",
    "never",
    "always",
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
    "morning",
    "evening",
    "night",
    "noon",
];

/// The words with which a message picks one of several things, and how many
/// things there must be.
#[must_use]
pub fn choice(next: &str, words: &[Word]) -> Option<(Span, usize)> {
    let text = |w: &Word| w.span.of(next).to_lowercase();
    let at = |i: usize| words.get(i).map(text).unwrap_or_default();
    for (index, word) in words.iter().enumerate() {
        let wanted = match text(word).as_str() {
            "second" | "latter" | "both" | "either" | "neither" | "former" => 2,
            "third" => 3,
            "first"
                if ["one", "option", "idea", "suggestion"].contains(&at(index + 1).as_str()) =>
            {
                2
            }
            _ => continue,
        };
        let before = index.checked_sub(1).map(at).unwrap_or_default();
        let pointed =
            before == "the" || ["both", "either", "neither"].contains(&text(word).as_str());
        let measure =
            ["time", "hand", "half", "year", "language"].contains(&at(index + 1).as_str());
        if pointed && !measure {
            let start = if before == "the" { words[index - 1].span.start } else { word.span.start };
            let noun =
                ["one", "option", "idea", "suggestion", "ones"].contains(&at(index + 1).as_str());
            let end = if noun { words[index + 1].span.end } else { word.span.end };
            return Some((Span::new(start, end), wanted));
        }
    }
    None
}

/// How many things a text offers to choose from, roughly.
#[must_use]
pub fn alternatives(text: &str) -> usize {
    let items = text
        .lines()
        .map(str::trim_start)
        .filter(|l| l.starts_with(['-', '*', '•']) || l.starts_with(|c: char| c.is_ascii_digit()))
        .count();
    let folded = text.to_lowercase();
    let marks = [" or ", ";", ", then ", " second", " another ", " and the ", " also ", " then "];
    let counted = ["two ", "both "].iter().any(|n| folded.contains(n));
    let joined = 1 + marks.iter().map(|m| folded.matches(m).count()).sum::<usize>();
    items.max(joined).max(if counted { 2 } else { 1 })
}

/// The words with which a message takes up a suggestion without naming it.
#[must_use]
pub fn takes_up(next: &str) -> Option<Span> {
    let folded = next.to_ascii_lowercase();
    TAKES_UP.iter().find_map(|phrase| {
        let start = folded.find(phrase)?;
        let ends =
            folded[start + phrase.len()..].chars().next().is_none_or(|c| !c.is_alphanumeric());
        let starts = folded[..start].chars().next_back().is_none_or(|c| !c.is_alphanumeric());
        (starts && ends).then(|| Span::new(start, start + phrase.len()))
    })
}

const TAKES_UP: &[&str] = &[
    "i'll try that",
    "i'll try it",
    "i will try that",
    "i tried that",
    "i tried it",
    "i did that",
    "i did it",
    "i can try that",
    "i could try that",
    "i might try that",
    "let me try that",
    "i'll do that",
    "i'll give it a try",
    "i'll give that a try",
    "that helped",
    "that worked",
    "that didn't help",
    "that didn't work",
    "good idea",
    "great idea",
    "nice idea",
    "that sounds doable",
    "that sounds good",
    "that sounds like an excuse",
    "i like that idea",
];

/// The sentences of a text that suggest something.
#[must_use]
pub fn suggestions(text: &str) -> Vec<&str> {
    let suggests = |s: &&str| {
        let folded = s.to_lowercase();
        SUGGESTING.iter().any(|m| folded.contains(m))
            || folded.split_whitespace().next().is_some_and(|w| IMPERATIVES.contains(&w))
    };
    sentences(text).filter(suggests).collect()
}

const SUGGESTING: &[&str] = &[
    "try ",
    "could ",
    "might help",
    "may help",
    "how about",
    "what if",
    "consider ",
    "suggest",
    "recommend",
    "you can ",
    "would it help",
    "it can help",
    "helps",
];
const IMPERATIVES: &[&str] = &[
    "pick", "go", "start", "begin", "write", "make", "take", "put", "keep", "ask", "tell", "set",
    "stand", "walk", "bring", "name", "say", "solve", "give", "let", "find", "choose", "begin",
    "open", "call", "switch", "turn", "check", "add", "use", "install", "run",
];
