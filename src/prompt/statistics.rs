//! Pre-computed facts (SPEC 5.5): a model cannot count, so it is told.
//!
//! Invariant: words and questions are counted by the same functions as the
//! checks use, so a judge and a check never see different numbers.

use std::fmt::Write as _;

use crate::transcript::{Exchange, Transcript, words};

/// A reply over this many times the user's words is long.
const LONG: f64 = 2.0;

/// What is measured of one exchange.
struct Facts {
    number: u32,
    user_words: usize,
    reply_words: usize,
    ratio: f64,
    questions: usize,
    ends_with_question: bool,
}

/// A line an exchange, then the totals.
pub(super) fn written(transcript: &Transcript) -> String {
    let with_reply = |e: &&Exchange| transcript.reply_messages(e).next().is_some();
    let complete = transcript.exchanges.iter().filter(with_reply);
    let facts: Vec<Facts> = complete.map(|e| measured(transcript, e)).collect();
    let mut out = String::new();
    for fact in &facts {
        // Writing to a String cannot fail.
        let _ = writeln!(
            out,
            "- exchange {}: user {} words, reply {} words, ratio {:.2}, questions in the reply {}{}",
            fact.number,
            fact.user_words,
            fact.reply_words,
            fact.ratio,
            fact.questions,
            if fact.ends_with_question { ", ends with a question" } else { "" },
        );
    }
    out.push_str(&totals(&facts));
    out
}

fn measured(transcript: &Transcript, exchange: &Exchange) -> Facts {
    let (user, reply) = (transcript.user_text(exchange), transcript.reply(exchange));
    let (user_words, reply_words) = (words::count(&user), words::count(&reply));
    Facts {
        number: exchange.number,
        user_words,
        reply_words,
        ratio: words::ratio(reply_words, user_words),
        questions: words::questions(&reply),
        ends_with_question: words::ends_with_question(&reply),
    }
}

fn totals(facts: &[Facts]) -> String {
    let count = facts.len();
    if count == 0 {
        return "- no exchange has a reply".into();
    }
    let share = |n: usize| 100.0 * n as f64 / count as f64;
    let mean = facts.iter().map(|f| f.ratio).sum::<f64>() / count as f64;
    let highest = facts.iter().map(|f| f.ratio).fold(0.0, f64::max);
    let long = facts.iter().filter(|f| f.ratio > LONG).count();
    let questions: usize = facts.iter().map(|f| f.questions).sum();
    let endings = facts.iter().filter(|f| f.ends_with_question).count();
    format!(
        "- exchanges with a reply: {count}\n\
         - ratio of reply words to user words: mean {mean:.2}, highest {highest:.2}, \
         over 2x in {long} of {count} ({:.0} %)\n\
         - questions in replies: {questions}; replies that end with a question: \
         {endings} of {count} ({:.0} %)",
        share(long),
        share(endings),
    )
}
